//! The loop of an open connection: bytes in, bytes out, post, timers, heartbeats.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use testbed::clock::Moment;
use testbed::evidence::ClosedBy;

use super::Task;
use super::pipe::{Pipe, Socket, Step};
use crate::engine::{Engine, Order};
use crate::refusal::{Refusal, condition};
use crate::wire::frame;

/// Into how many parts the wait for a silent peer is cut.
const TICKS_OF_SILENCE: u32 = 8;

/// What ended a loop.
enum Verdict {
    /// The engine has said the last word; what is left is sent.
    Finished,
    Reset,
}

/// The time side of a connection.
struct Watch {
    timers: BTreeSet<(Moment, u64)>,
    /// When the peer must have closed, after we did.
    close_by: Option<Moment>,
    /// How many ticks have passed since the peer was heard.
    silent: u32,
    next_tick: Moment,
    next_beat: Option<Moment>,
}

/// What the loop was woken by.
enum Turn {
    Io(std::io::Result<Step>),
    Post,
    Stop,
    Time,
}

impl Task {
    /// Serves an authenticated client to its end.
    pub(super) async fn run<S: Socket>(&mut self, mut pipe: Pipe<S>, user: String) {
        let shared = Arc::clone(&self.shared);
        self.mailbox.belongs_to(&user);
        let mut engine = Engine::new(shared, Arc::clone(&self.mailbox), self.number, user);
        let mut watch = Watch::new(self.now(), self.tick());
        let verdict = self.turns(&mut pipe, &mut engine, &mut watch).await;
        match verdict {
            Verdict::Finished => self.finish(&mut pipe, &mut engine).await,
            Verdict::Reset => {
                engine.on_lost(ClosedBy::Mock, None);
                pipe.reset();
            }
        }
    }

    async fn turns<S: Socket>(
        &mut self,
        pipe: &mut Pipe<S>,
        engine: &mut Engine,
        watch: &mut Watch,
    ) -> Verdict {
        loop {
            feed(pipe, engine);
            if let Some(verdict) = self.carry_out(engine, watch) {
                return verdict;
            }
            if engine.is_overfull() {
                let what = "the peer does not read what it is sent";
                engine.on_lost(
                    ClosedBy::Mock,
                    Some(Refusal::new(condition::RESOURCE_LIMIT_EXCEEDED, what)),
                );
                return Verdict::Reset;
            }
            match self.turn(pipe, engine, watch).await {
                Turn::Io(Ok(Step::Read)) => watch.silent = 0,
                Turn::Io(Ok(Step::Written)) => {
                    watch.next_beat = engine.heartbeat().map(|beat| self.now().plus(beat));
                    engine.on_written();
                }
                Turn::Io(Ok(Step::End)) => {
                    engine.on_lost(ClosedBy::Transport, None);
                    return Verdict::Finished;
                }
                Turn::Io(Err(error)) => {
                    engine.on_lost(
                        ClosedBy::Transport,
                        Some(Refusal::new("", error.to_string())),
                    );
                    return Verdict::Reset;
                }
                Turn::Post => engine.on_post(self.mailbox.collect()),
                Turn::Stop => {
                    engine.close_by_operator(crate::listen::OUTAGE);
                    engine.on_lost(ClosedBy::Mock, None);
                    return Verdict::Finished;
                }
                Turn::Time => {
                    if let Some(verdict) = self.on_time(engine, watch) {
                        return verdict;
                    }
                }
            }
        }
    }

    async fn turn<S: Socket>(
        &mut self,
        pipe: &mut Pipe<S>,
        engine: &mut Engine,
        watch: &Watch,
    ) -> Turn {
        let reads = !engine.is_over();
        tokio::select! {
            step = pipe.step(engine.output(), reads) => Turn::Io(step),
            () = self.mailbox.arrival() => Turn::Post,
            () = self.shutdown.stopping() => Turn::Stop,
            () = self.shared.clock.sleep_until(watch.next()) => Turn::Time,
        }
    }

    /// Does what the engine has ordered; tells whether that ends the connection.
    fn carry_out(&self, engine: &mut Engine, watch: &mut Watch) -> Option<Verdict> {
        while let Some(order) = engine.order() {
            match order {
                Order::Timer { after, token } => {
                    watch.timers.insert((self.now().plus(after), token));
                }
                Order::Finish => return Some(Verdict::Finished),
                Order::FinishAfter(limit) => {
                    let by = self.now().plus(limit);
                    watch.close_by.get_or_insert(by);
                }
                Order::Reset => return Some(Verdict::Reset),
            }
        }
        None
    }

    fn on_time(&self, engine: &mut Engine, watch: &mut Watch) -> Option<Verdict> {
        let now = self.now();
        while let Some((_, token)) = watch.timers.first().copied().filter(|(due, _)| *due <= now) {
            watch.timers.pop_first();
            engine.on_timer(token);
        }
        if watch.close_by.is_some_and(|by| by <= now) {
            return Some(Verdict::Reset);
        }
        if watch.next_beat.is_some_and(|due| due <= now) {
            watch.next_beat = engine.heartbeat().map(|beat| now.plus(beat));
            if engine.is_open() && engine.output().is_empty() {
                engine.output().extend_from_slice(&frame::empty());
            }
        }
        if watch.next_tick <= now {
            // Counted in ticks: when a scenario moves the clock, one tick ends early and nobody is taken for silent.
            watch.next_tick = now.plus(self.tick());
            watch.silent += 1;
            if watch.silent > TICKS_OF_SILENCE {
                return self.on_silence(engine, watch);
            }
        }
        None
    }

    fn on_silence(&self, engine: &mut Engine, watch: &mut Watch) -> Option<Verdict> {
        if !engine.is_open() {
            engine.on_lost(
                ClosedBy::Mock,
                Some(Refusal::new(
                    condition::RESOURCE_LIMIT_EXCEEDED,
                    "the client sends no open",
                )),
            );
            return Some(Verdict::Reset);
        }
        engine.on_silence();
        watch.silent = 0;
        None
    }

    /// Sends what is left and ends the connection in order.
    async fn finish<S: Socket>(&mut self, pipe: &mut Pipe<S>, engine: &mut Engine) {
        let clock = self.shared.clock.clone();
        let rest = async {
            while !engine.output().is_empty() || !pipe.is_flushed() {
                if pipe.step(engine.output(), false).await.is_err() {
                    return;
                }
            }
            pipe.finish().await;
        };
        if clock.timeout(Engine::close_limit(), rest).await.is_err() {
            pipe.reset();
        }
    }

    fn now(&self) -> Moment {
        self.shared.clock.now()
    }

    /// A tick: so long that a peer is silent for twice the announced time when all have passed.
    fn tick(&self) -> Duration {
        self.shared.config.limits.idle_time_out * 2 / TICKS_OF_SILENCE
    }
}

impl Watch {
    fn new(now: Moment, tick: Duration) -> Self {
        Self {
            timers: BTreeSet::new(),
            close_by: None,
            silent: 0,
            next_tick: now.plus(tick),
            next_beat: None,
        }
    }

    /// When something is due.
    fn next(&self) -> Moment {
        let timer = self.timers.first().map(|(due, _)| *due);
        let others = [timer, self.close_by, self.next_beat];
        others.into_iter().flatten().fold(self.next_tick, Ord::min)
    }
}

/// Hands every whole frame to the engine.
fn feed<S>(pipe: &mut Pipe<S>, engine: &mut Engine) {
    while !engine.is_over() {
        match frame::split(&mut pipe.input, engine.frame_limit()) {
            Ok(Some(frame)) => engine.on_frame(&frame),
            Ok(None) => return,
            Err(error) => {
                engine.on_frame_error(error);
                pipe.input.clear();
                return;
            }
        }
    }
}
