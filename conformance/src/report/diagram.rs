//! The sequence diagram of a scenario: time flows down, parties stand across, the failing step is marked.
//!
//! It is drawn from evidence alone, as SVG inside the HTML report, and needs no script.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use maud::{Markup, html};
use testbed::evidence::{
    BusOutcome, ClosedBy, Entry, Event, ExchangeOutcome, HttpEnd, LinkRole, Part,
};

use super::text::inert;

/// Most rows that are drawn; a longer conversation is cut in the middle, never at the marked rows.
const ROW_LIMIT: usize = 160;
/// Silence longer than this gets a row of its own.
const GAP: Duration = Duration::from_millis(900);

/// Longest label, in characters.
const LABEL_LIMIT: usize = 64;

const LANE_WIDTH: usize = 175;
const LEFT: usize = 88;
const ROW_HEIGHT: usize = 24;
const TOP: usize = 44;

/// A column of the diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The system under test.
    Sut,
    /// The message bus.
    Bus,
    /// helsenorge.
    Helsenorge,
    /// The register and CPPA.
    Ar,
    /// The token service.
    Helseid,
    /// The certificate authority.
    Buypass,
}

const LANES: [(Lane, &str); 6] = [
    (Lane::Sut, "EPJ (SUT)"),
    (Lane::Bus, "meldingsbuss / bus"),
    (Lane::Helsenorge, "helsenorge"),
    (Lane::Ar, "AR, CPPA"),
    (Lane::Helseid, "HelseID"),
    (Lane::Buypass, "Buypass (CA)"),
];

/// One arrow, or one remark where both ends are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number of the journal entry.
    pub entry: u64,
    /// When, since the run's clock was started.
    pub at: Duration,
    /// The scenario's step that was under way.
    pub step: Option<String>,
    /// Where the arrow begins.
    pub from: Lane,
    /// Where it ends.
    pub to: Lane,
    /// What it says.
    pub label: String,
    /// Whether it is an answer or an ending (drawn dashed).
    pub back: bool,
    /// Whether it tells of something that went wrong.
    pub bad: bool,
}

/// The rows of a journal, in order.
#[must_use]
pub fn rows(entries: &[Entry]) -> Vec<Row> {
    let mut reader = Reader {
        helsenorge_user: helsenorge_user(entries),
        ..Reader::default()
    };
    entries
        .iter()
        .filter_map(|entry| reader.row(entry))
        .collect()
}

fn helsenorge_user(entries: &[Entry]) -> Option<String> {
    entries.iter().find_map(|entry| match &entry.event {
        Event::ScenarioStarted { parameters, .. } => parameters.get("helsenorge-user").cloned(),
        _ => None,
    })
}

#[derive(Default)]
struct Reader {
    helsenorge_user: Option<String>,
    subjects: BTreeMap<u64, String>,
    requests: HashMap<u64, (Lane, Lane, Duration)>,
    statuses: HashMap<u64, u16>,
}

impl Reader {
    fn party(&self, user: &str) -> Lane {
        if self.helsenorge_user.as_deref() == Some(user) {
            Lane::Helsenorge
        } else {
            Lane::Sut
        }
    }

    fn row(&mut self, entry: &Entry) -> Option<Row> {
        let (from, to, label, back, bad) = match entry.part {
            Part::Bus => self.bus(&entry.event)?,
            Part::Ar | Part::Helseid | Part::Buypass => self.http(entry)?,
            Part::Sut | Part::Helsenorge | Part::Runner | Part::Canary => remark(&entry.event)?,
        };
        Some(Row {
            entry: entry.n,
            at: entry.at(),
            step: entry.step.clone(),
            from,
            to,
            label: short(&inert(&label)),
            back,
            bad,
        })
    }

    fn bus(&mut self, event: &Event) -> Option<(Lane, Lane, String, bool, bool)> {
        Some(match event {
            Event::BusAuthenticated { user, outcome, .. } if *outcome != 0 => (
                self.party(user),
                Lane::Bus,
                format!("SASL {outcome}"),
                false,
                true,
            ),
            Event::BusAttached {
                user,
                role: LinkRole::Receiver,
                queue: Some(queue),
                ..
            } => (
                self.party(user),
                Lane::Bus,
                format!("attach {queue}"),
                false,
                false,
            ),
            Event::BusRefused {
                user,
                condition,
                address,
                ..
            } => (
                Lane::Bus,
                self.party(user),
                format!("end {condition} {}", address.as_deref().unwrap_or_default())
                    .trim_end()
                    .to_owned(),
                true,
                true,
            ),
            Event::BusClosed {
                user: Some(user),
                by,
                condition,
                ..
            } => {
                let why = condition.as_deref().unwrap_or("close");
                let (from, to) = match by {
                    ClosedBy::Mock => (Lane::Bus, self.party(user)),
                    ClosedBy::Peer | ClosedBy::Transport => (self.party(user), Lane::Bus),
                };
                (from, to, why.to_owned(), true, condition.is_some())
            }
            Event::BusReceived {
                user,
                queue,
                message,
                facts,
                outcome,
                ..
            } => {
                let name = error_condition(facts)
                    .unwrap_or_else(|| facts.subject.clone().unwrap_or_else(|| "?".into()));
                self.subjects.insert(*message, name.clone());
                let queue = queue.as_deref().unwrap_or("?");
                (
                    self.party(user),
                    Lane::Bus,
                    format!("{name} → {queue}"),
                    false,
                    *outcome != BusOutcome::Accepted,
                )
            }
            Event::BusDelivered {
                user,
                message,
                delivery_count,
                ..
            } => {
                let name = self.subjects.get(message).map_or("?", String::as_str);
                let again = if *delivery_count > 0 {
                    format!(" (forsøk / attempt {})", delivery_count.saturating_add(1))
                } else {
                    String::new()
                };
                (
                    Lane::Bus,
                    self.party(user),
                    format!("{name}{again}"),
                    false,
                    false,
                )
            }
            Event::BusSettled { user, outcome, .. } => (
                self.party(user),
                Lane::Bus,
                outcome_word(*outcome).to_owned(),
                true,
                *outcome != BusOutcome::Accepted,
            ),
            Event::BusDeadLettered { to, reason, .. } => (
                Lane::Bus,
                Lane::Bus,
                format!("{reason} → {to}"),
                false,
                true,
            ),
            _ => return None,
        })
    }

    fn http(&mut self, entry: &Entry) -> Option<(Lane, Lane, String, bool, bool)> {
        let server = match entry.part {
            Part::Ar => Lane::Ar,
            Part::Helseid => Lane::Helseid,
            _ => Lane::Buypass,
        };
        Some(match &entry.event {
            Event::HttpRequest {
                request,
                method,
                path,
                headers,
                ..
            } => {
                let ours = |(name, value): &(String, String)| {
                    name == "user-agent" && value.starts_with("mock-helsenorge")
                };
                let client = if headers.iter().any(ours) {
                    Lane::Helsenorge
                } else {
                    Lane::Sut
                };
                self.requests.insert(*request, (client, server, entry.at()));
                (
                    client,
                    server,
                    format!("{method} {}", shortened(path)),
                    false,
                    false,
                )
            }
            Event::HttpAnswer {
                request, status, ..
            } => {
                self.statuses.insert(*request, *status);
                return None;
            }
            Event::HttpEnded { request, end, .. } => {
                let (client, server, began) = self.requests.remove(request)?;
                let status = self
                    .statuses
                    .remove(request)
                    .map_or_else(|| "–".to_owned(), |status| status.to_string());
                let took = seconds(entry.at().saturating_sub(began));
                match end {
                    HttpEnd::Served => (
                        server,
                        client,
                        format!("{status} ({took})"),
                        true,
                        !status.starts_with('2'),
                    ),
                    HttpEnd::ClosedByPeer => (
                        client,
                        server,
                        format!("lukket av klienten / closed by client ({took})"),
                        true,
                        true,
                    ),
                    HttpEnd::CutOff => (
                        server,
                        client,
                        format!("brutt / cut off ({took})"),
                        true,
                        true,
                    ),
                }
            }
            Event::RegisterOperation {
                operation,
                fault: Some(fault),
                ..
            } => (server, server, format!("{operation}: {fault}"), false, true),
            _ => return None,
        })
    }
}

fn remark(event: &Event) -> Option<(Lane, Lane, String, bool, bool)> {
    let at = |lane, label: String, bad| Some((lane, lane, label, false, bad));
    match event {
        Event::SutStarted { .. } => at(Lane::Sut, "startet / started".into(), false),
        Event::SutExited {
            status, expected, ..
        } => at(
            Lane::Sut,
            format!("avsluttet / exited: {status}"),
            !expected,
        ),
        Event::SutAsked { verb, .. } => at(Lane::Sut, verb.clone(), false),
        Event::SutAnswered { verb, answer, .. } => {
            let outcome = answer
                .get("outcome")
                .or_else(|| answer.get("state"))
                .and_then(|word| word.as_str());
            at(
                Lane::Sut,
                format!("{verb}: {}", outcome.unwrap_or("svar / answer")),
                false,
            )
        }
        Event::SutUnanswered { verb, .. } => {
            at(Lane::Sut, format!("{verb}: intet svar / no answer"), true)
        }
        Event::HnErrorReceived { condition, .. } => at(
            Lane::Helsenorge,
            condition
                .clone()
                .unwrap_or_else(|| "feilmelding / error message".into()),
            true,
        ),
        Event::HnOutcome { outcome, .. } => {
            let good = *outcome == ExchangeOutcome::RepliedOk;
            at(Lane::Helsenorge, exchange_word(*outcome).to_owned(), !good)
        }
        _ => None,
    }
}

fn error_condition(facts: &testbed::evidence::BusMessage) -> Option<String> {
    facts
        .application
        .get("errorCondition")
        .map(|condition| format!("feil / error {condition}"))
}

fn outcome_word(outcome: BusOutcome) -> &'static str {
    match outcome {
        BusOutcome::Accepted => "accepted",
        BusOutcome::Rejected => "rejected",
        BusOutcome::Released => "released",
        BusOutcome::ModifiedFailed => "modified (delivery-failed)",
        BusOutcome::Modified => "modified",
        BusOutcome::ModifiedUndeliverable => "modified (undeliverable-here)",
        BusOutcome::Lost => "ikke gjort opp / lost",
    }
}

fn exchange_word(outcome: ExchangeOutcome) -> &'static str {
    match outcome {
        ExchangeOutcome::RepliedOk => "gyldig svar / valid reply",
        ExchangeOutcome::RepliedInvalid => "ugyldig svar / invalid reply",
        ExchangeOutcome::ErrorReceived => "avvist / refused",
        ExchangeOutcome::TimedOut => "tidsavbrudd / timed out",
    }
}

/// A label that does not run far beyond its lanes.
fn short(label: &str) -> String {
    if label.chars().count() <= LABEL_LIMIT {
        return label.to_owned();
    }
    label.chars().take(LABEL_LIMIT).chain(['…']).collect()
}

fn shortened(path: &str) -> String {
    let shown: String = path.chars().take(34).collect();
    if shown.len() < path.len() {
        format!("{shown}…")
    } else {
        shown
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

/// Draws the diagram; `marked` are the entries that a failed check rests on. The elements' ids begin with `prefix`, so that
/// a page can hold several diagrams.
#[must_use]
pub fn diagram(entries: &[Entry], marked: &BTreeSet<u64>, prefix: &str) -> Markup {
    let all = rows(entries);
    let (shown, left_out) = cut(all, marked);
    let start = shown.first().map_or(Duration::ZERO, |row| row.at);
    let mut y = TOP;
    let mut drawn = Vec::new();
    let mut before = start;
    let mut step = None;
    let failed: BTreeSet<&str> = shown
        .iter()
        .filter(|row| marked.contains(&row.entry))
        .filter_map(|row| row.step.as_deref())
        .collect();
    for row in &shown {
        if row.step != step {
            step.clone_from(&row.step);
            if let Some(name) = &step {
                y += ROW_HEIGHT;
                drawn.push(heading(y, name, failed.contains(name.as_str())));
            }
        }
        let gap = row.at.saturating_sub(before);
        if gap > GAP {
            y += ROW_HEIGHT / 2;
            drawn.push(silence(y, gap));
            y += ROW_HEIGHT / 2;
        }
        y += ROW_HEIGHT;
        drawn.push(arrow(row, y, start, marked.contains(&row.entry), prefix));
        before = row.at;
    }
    let height = y + ROW_HEIGHT;
    let width = LEFT + LANES.len() * LANE_WIDTH;
    html! {
        @if left_out > 0 {
            p.note { (left_out) " hendelser er utelatt midt i diagrammet; alle står i evidence.jsonl. / " (left_out) " events are left out in the middle of the diagram; evidence.jsonl has them all." }
        }
        svg.sequence xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) role="img" {
            @for (lane, name) in LANES {
                line.lane x1=(x(lane)) y1=(TOP - 8) x2=(x(lane)) y2=(height) {}
                text.party x=(x(lane)) y="22" { (name) }
            }
            @for part in drawn { (part) }
        }
    }
}

fn cut(rows: Vec<Row>, marked: &BTreeSet<u64>) -> (Vec<Row>, usize) {
    if rows.len() <= ROW_LIMIT {
        return (rows, 0);
    }
    let total = rows.len();
    let near = |index: usize| index < ROW_LIMIT / 2 || index >= total - ROW_LIMIT / 2;
    let kept: Vec<Row> = rows
        .into_iter()
        .enumerate()
        .filter(|(index, row)| near(*index) || marked.contains(&row.entry))
        .map(|(_, row)| row)
        .collect();
    let left_out = total - kept.len();
    (kept, left_out)
}

fn x(lane: Lane) -> usize {
    let index = LANES
        .iter()
        .position(|(each, _)| *each == lane)
        .unwrap_or_default();
    LEFT + LANE_WIDTH / 2 + index * LANE_WIDTH
}

/// The line with the name of the step that begins.
fn heading(y: usize, step: &str, failed: bool) -> Markup {
    let width = LEFT + LANES.len() * LANE_WIDTH;
    html! {
        g class=(if failed { "step failed" } else { "step" }) {
            rect x="0" y=(y - 15) width=(width) height=(ROW_HEIGHT - 3) {}
            text x="8" y=(y) { "steg / step: " (short(&inert(step))) }
        }
    }
}

fn silence(y: usize, gap: Duration) -> Markup {
    let width = LEFT + LANES.len() * LANE_WIDTH;
    html! {
        line.silence x1=(LEFT) y1=(y) x2=(width) y2=(y) {}
        text.gap x=(LEFT - 8) y=(y + 4) { (seconds(gap)) }
    }
}

fn arrow(row: &Row, y: usize, start: Duration, marked: bool, prefix: &str) -> Markup {
    let mut class = String::from("row");
    for (on, name) in [(row.back, " back"), (row.bad, " bad"), (marked, " marked")] {
        if on {
            class.push_str(name);
        }
    }
    let (from, to) = (x(row.from), x(row.to));
    let left = from.min(to);
    let tip = if to > from { to - 7 } else { to + 7 };
    html! {
        g class=(class) id=(format!("{prefix}{}", row.entry)) {
            title { "#" (row.entry) }
            @if marked {
                rect x="0" y=(y - 15) width=(LEFT + LANES.len() * LANE_WIDTH) height=(ROW_HEIGHT) {}
            }
            text.time x=(LEFT - 8) y=(y) { (format!("{:.3}", row.at.saturating_sub(start).as_secs_f64())) }
            @if from == to {
                circle cx=(from) cy=(y - 4) r="4" {}
                text x=(from + 9) y=(y) { (row.label) }
            } @else {
                text x=(left + 8) y=(y - 3) { (row.label) }
                line x1=(from) y1=(y + 2) x2=(to) y2=(y + 2) {}
                path d=(format!("M{to} {0} L{tip} {1} L{tip} {2} Z", y + 2, y - 2, y + 6)) {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testbed::evidence::BusMessage;
    use testbed::{Clock, Journal};

    fn journal(events: Vec<(Part, Event)>) -> Vec<Entry> {
        let journal = Journal::in_memory(Clock::start());
        for (part, event) in events {
            journal.record(part, event);
        }
        journal
            .entries()
            .iter()
            .map(|entry| entry.as_ref().clone())
            .collect()
    }

    fn request(agent: &str) -> Event {
        Event::HttpRequest {
            request: 1,
            peer: "127.0.0.1:1".into(),
            method: "GET".into(),
            path: "/crl/x.crl".into(),
            headers: vec![("user-agent".into(), agent.into())],
            body: None,
        }
    }

    #[tokio::test]
    async fn an_exchange_is_drawn_there_and_back() {
        let ended = Event::HttpEnded {
            request: 1,
            end: HttpEnd::ClosedByPeer,
            bytes: 0,
        };
        let entries = journal(vec![(Part::Buypass, request("x")), (Part::Buypass, ended)]);
        let rows = rows(&entries);
        assert_eq!((rows[0].from, rows[0].to), (Lane::Sut, Lane::Buypass));
        assert_eq!((rows[1].from, rows[1].bad), (Lane::Sut, true));
        let drawn = diagram(&entries, &BTreeSet::from([2]), "e").into_string();
        assert!(drawn.contains("row back bad marked") && drawn.contains("lukket av klienten"));
    }

    #[test]
    fn numbers_as_large_as_they_come_are_drawn() {
        use crate::check::tape::Tape;
        let mut entries = Tape::slow_revocation("3s").entries;
        for entry in &mut entries {
            entry.at_us = u64::MAX;
            if let Event::BusDelivered { delivery_count, .. } = &mut entry.event {
                *delivery_count = u32::MAX;
            }
        }
        let drawn = diagram(&entries, &BTreeSet::new(), "a").into_string();
        assert!(drawn.contains("attempt 4294967295"), "{drawn}");
    }

    #[tokio::test]
    async fn text_from_outside_is_escaped() {
        let received = Event::BusReceived {
            connection: 1,
            link: 1,
            user: "u".into(),
            exchange: None,
            queue: Some("<script>".into()),
            message: 1,
            facts: BusMessage {
                subject: Some("<b>".into()),
                ..BusMessage::default()
            },
            outcome: BusOutcome::Accepted,
            condition: None,
            raw: testbed::evidence::BlobRef {
                sha256: String::new(),
                size: 0,
            },
        };
        let drawn =
            diagram(&journal(vec![(Part::Bus, received)]), &BTreeSet::new(), "e").into_string();
        assert!(drawn.contains("&lt;script&gt;") && !drawn.contains("<script>"));
    }
}
