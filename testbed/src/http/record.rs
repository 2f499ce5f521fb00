//! Evidence of one HTTP exchange: whatever happens to it, exactly one [`Event::HttpEnded`] is written.

use axum::http::HeaderMap;

use crate::evidence::{Event, HttpEnd, Journal, Part};

/// Header fields whose values never reach evidence.
const SECRET: [&str; 4] = ["authorization", "cookie", "dpop", "set-cookie"];

/// Header fields as evidence keeps them: of a credential only its scheme.
pub(super) fn public_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            let shown = match SECRET.contains(&name.as_str()) {
                true => text
                    .split_once(' ')
                    .map_or_else(|| "…".to_owned(), |(scheme, _)| format!("{scheme} …")),
                false => text,
            };
            (name.as_str().to_owned(), shown)
        })
        .collect()
}

/// Guards an exchange: dropped early, it records that the peer went away (or that the mock stopped).
#[derive(Debug)]
pub(super) struct Ending {
    journal: Journal,
    part: Part,
    request: u64,
    bytes: u64,
    when_served: Vec<Event>,
    done: bool,
}

impl Ending {
    pub(super) fn new(journal: Journal, part: Part, request: u64) -> Self {
        Self {
            journal,
            part,
            request,
            bytes: 0,
            when_served: Vec::new(),
            done: false,
        }
    }

    pub(super) fn promise(&mut self, events: Vec<Event>) {
        self.when_served = events;
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    pub(super) fn served(&mut self) {
        self.finish(HttpEnd::Served);
        for event in std::mem::take(&mut self.when_served) {
            self.journal.record(self.part, event);
        }
    }

    pub(super) fn cut_off(&mut self) {
        self.finish(HttpEnd::CutOff);
    }

    fn finish(&mut self, end: HttpEnd) {
        if !std::mem::replace(&mut self.done, true) {
            self.journal.record(
                self.part,
                Event::HttpEnded {
                    request: self.request,
                    end,
                    bytes: self.bytes,
                },
            );
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.finish(HttpEnd::ClosedByPeer);
    }
}
