//! The answer's body on its way out: whole, dripping, or cut off on purpose.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::record::Ending;
use crate::clock::Clock;

/// How the body leaves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    Whole,
    Drip { bytes: usize, every: Duration },
    CutAfter(usize),
}

/// A body that tells its [`Ending`] what became of it.
pub(super) struct PacedBody {
    left: Bytes,
    pace: Pace,
    clock: Clock,
    ending: Ending,
    pause: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// The body was cut off on purpose.
#[derive(Debug, thiserror::Error)]
#[error("cut off by a fault")]
pub(super) struct CutOff;

impl From<Infallible> for CutOff {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl PacedBody {
    pub(super) fn new(bytes: Bytes, pace: Pace, clock: Clock, mut ending: Ending) -> Self {
        if bytes.is_empty() {
            ending.served();
        }
        Self {
            left: bytes,
            pace,
            clock,
            ending,
            pause: None,
        }
    }

    fn hand_out(&mut self, most: usize) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        let piece = self.left.split_to(most.max(1).min(self.left.len()));
        self.ending.sent(piece.len());
        if self.left.is_empty() {
            self.ending.served();
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        match self.pace {
            Pace::Whole => self.hand_out(usize::MAX),
            Pace::CutAfter(0) => {
                self.ending.cut_off();
                Poll::Ready(Some(Err(CutOff)))
            }
            Pace::CutAfter(after) => {
                let most = after.min(self.left.len());
                self.pace = Pace::CutAfter(after - most);
                self.hand_out(most)
            }
            Pace::Drip { bytes, every } => {
                let clock = self.clock.clone();
                let pause = self
                    .pause
                    .get_or_insert_with(|| Box::pin(async move { clock.sleep(every).await }));
                std::task::ready!(pause.as_mut().poll(task));
                self.pause = None;
                self.hand_out(bytes)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
