//! The process: everything started, questions taken, an orderly stop.

use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Mutex, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use crate::answered::Answered;
use crate::book::Book;
use crate::bus::{Bus, Line, LineError, Subscription, listen, stopped};
use crate::cli::CppaVersion;
use crate::decision::Channel;
use crate::environment::Environment;
use crate::epj::Epj;
use crate::fault::{Fault, Faults};
use crate::own::{Keys, KeysError};
use crate::register::Lookup;
use crate::validation::Validator;
use crate::{clock, errors, inbound, log, replies, verbs};

/// Longest line on standard input.
const LONGEST_LINE: u64 = 64 * 1024;
/// Most questions that are open at a time.
const MOST_QUESTIONS: usize = 64;
/// Pause before the own queues are looked up again.
const LOOKUP_PAUSE: Duration = Duration::from_secs(2);
/// How long the receivers may take to stop.
const RECEIVERS_STOP: Duration = Duration::from_millis(1600);
/// How long the connection may take to close.
const CONNECTION_STOP: Duration = Duration::from_secs(1);

/// Why the process cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The operating system refuses.
    #[error("the process cannot be set up: {0}")]
    System(#[from] std::io::Error),
    /// The bus's address or the trust bundle.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The key stores.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// What register, token service or revocation need.
    #[error(transparent)]
    Setup(#[from] crate::http::SetupError),
}

/// Runs until standard input ends or a signal tells it to stop.
///
/// # Errors
/// [`StartError`] for an environment that cannot be used.
pub(crate) fn run(
    environment: Environment,
    cppa: CppaVersion,
    faults: Faults,
) -> Result<(), StartError> {
    for fault in faults.iter() {
        log::warning(format_args!(
            "seeded fault {}: {}",
            fault.name(),
            fault.english()
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(live(environment, cppa, faults));
    runtime.shutdown_background();
    outcome
}

async fn live(
    environment: Environment,
    cppa: CppaVersion,
    faults: Faults,
) -> Result<(), StartError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let line = Line::new(
        environment.bus.amqps.reveal(),
        &environment.bus.exchange,
        &environment.trust.bundle,
    )?;
    let keys = Keys::read(&environment.stores, &faults)?;
    let lookup = Lookup::new(&environment, cppa, &faults)?;
    let validator = Validator::new(&environment, &faults)?;
    let (stop, stopping) = watch::channel(false);
    let (close, closing) = watch::channel(false);
    let reconnect = !faults.has(Fault::IgnoresReconnect);
    let (bus, keeper) = Bus::start(line, reconnect, closing);
    let epj = Arc::new(Epj {
        book: Book::new(&faults),
        answered: Answered::default(),
        own: environment.sut,
        helsenorge: environment.helsenorge,
        faults,
        keys,
        lookup,
        validator,
        bus,
    });
    let receivers = tokio::spawn(receive(Arc::clone(&epj), reconnect, stopping));
    tokio::select! {
        () = take_questions(&epj) => log::info("standard input has ended"),
        _ = terminate.recv() => log::info("told to stop"),
        _ = interrupt.recv() => log::info("told to stop"),
    }
    stop.send_replace(true);
    // What does not stop in time is cut off by the end of the process; the bus takes its messages back.
    let _ = clock::within(RECEIVERS_STOP, receivers).await;
    close.send_replace(true);
    let _ = clock::within(CONNECTION_STOP, keeper).await;
    Ok(())
}

/// Listens on all own queues until `stop`.
async fn receive(epj: Arc<Epj>, reconnect: bool, mut stop: watch::Receiver<bool>) {
    let queues = loop {
        tokio::select! {
            queues = epj.lookup.own_queues() => match queues {
                Ok(queues) => break queues,
                Err(error) => log::warning(format_args!("the own queues are not known: {error}")),
            },
            () = stopped(&mut stop) => return,
        }
        if !reconnect {
            return;
        }
        tokio::select! {
            () = clock::sleep(LOOKUP_PAUSE) => {}
            () = stopped(&mut stop) => return,
        }
    };
    let subscription = |queue: &str| Subscription {
        queue: queue.to_owned(),
        reconnect,
        settles: !epj.faults.has(Fault::NeverSettles),
    };
    let mut listeners = JoinSet::new();
    for (queue, channel) in [
        (&queues.async_queue, Channel::Async),
        (&queues.sync_queue, Channel::Sync),
    ] {
        let here = Arc::clone(&epj);
        listeners.spawn(listen(
            epj.bus.clone(),
            subscription(queue),
            stop.clone(),
            move |arrival| inbound::handle(Arc::clone(&here), channel, arrival),
        ));
    }
    if !epj.faults.has(Fault::NoErrorListener) {
        let here = Arc::clone(&epj);
        listeners.spawn(listen(
            epj.bus.clone(),
            subscription(&queues.error_queue),
            stop.clone(),
            move |arrival| errors::handle(Arc::clone(&here), arrival),
        ));
    }
    let here = Arc::clone(&epj);
    listeners.spawn(listen(
        epj.bus.clone(),
        subscription(&epj.own.queues.syncreply),
        stop.clone(),
        move |arrival| replies::handle(Arc::clone(&here), arrival),
    ));
    while listeners.join_next().await.is_some() {}
}

/// Answers questions until standard input ends.
async fn take_questions(epj: &Arc<Epj>) {
    let mut lines = lines();
    let room = Arc::new(Semaphore::new(MOST_QUESTIONS));
    let output = Arc::new(Mutex::new(tokio::io::stdout()));
    while let Some(line) = lines.recv().await {
        let Some(question) = verbs::question(&line) else {
            log::warning(format_args!("this line is no question: {line}"));
            continue;
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            write(&output, &verbs::busy(&question)).await;
            continue;
        };
        let (epj, output) = (Arc::clone(epj), Arc::clone(&output));
        tokio::spawn(async move {
            let answer = verbs::answer(&epj, &question).await;
            write(&output, &answer).await;
            drop(permit);
        });
    }
}

/// The lines of standard input, read by a thread of its own: a read cannot be called off, and must not hold up the end.
fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(MOST_QUESTIONS);
    std::thread::spawn(move || {
        let mut input = BufReader::new(std::io::stdin().lock());
        while let Some(line) = next_line(&mut input) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The next line, or nothing at the end. A line that is too long is cut off; its rest counts as further lines, which are
/// no questions.
fn next_line(input: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    match input.take(LONGEST_LINE).read_until(b'\n', &mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(String::from_utf8_lossy(&line).trim().to_owned()),
    }
}

/// Writes an answer as a line. While nobody reads, those who answer wait here, and messages and signals are still
/// attended to.
async fn write(output: &Mutex<impl AsyncWrite + Unpin>, answer: &Value) {
    let line = format!("{answer}\n");
    let mut output = output.lock().await;
    // Whoever asked may have gone; that is no reason to stop.
    let _ = output.write_all(line.as_bytes()).await;
    let _ = output.flush().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_and_the_end_is_seen() {
        let mut input: &[u8] = b"{\"call\":1}\n\nlast";
        let mut next = || next_line(&mut input);
        assert_eq!(next().as_deref(), Some("{\"call\":1}"));
        assert_eq!(next().as_deref(), Some(""));
        assert_eq!(next().as_deref(), Some("last"));
        assert_eq!(next(), None);
        let long = "x".repeat(200_000);
        let mut input = long.as_bytes();
        assert_eq!(next_line(&mut input).unwrap().len() as u64, LONGEST_LINE);
    }

    #[tokio::test]
    async fn answers_that_nobody_reads_hold_up_nothing_else() {
        use tokio::io::AsyncReadExt;
        let (output, mut reader) = tokio::io::duplex(8);
        let output = Mutex::new(output);
        let long = serde_json::json!({ "text": "x".repeat(100) });
        let both = async { tokio::join!(write(&output, &long), write(&output, &long)) };
        tokio::pin!(both);
        let held = clock::within(Duration::from_millis(20), &mut both).await;
        assert_eq!(held, None);
        let line = format!("{long}\n").repeat(2);
        let mut read = vec![0; line.len()];
        let (_, count) = tokio::join!(both, reader.read_exact(&mut read));
        assert_eq!((count.unwrap(), read), (line.len(), line.into_bytes()));
    }

    #[test]
    fn an_environment_that_cannot_be_used_is_told_of_and_nothing_starts() {
        let environment = || serde_json::from_value(crate::environment::tests::example()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let start = |environment| run(environment, CppaVersion::V2, Faults::default());
        assert!(matches!(
            start(environment()),
            Err(StartError::Line(LineError::Trust(_)))
        ));
        let mut plain: Environment = environment();
        plain.trust.bundle = crate::test_pki::Authority::root().bundle(folder.path());
        // The trust is there now, the key stores are not.
        assert!(matches!(start(plain), Err(StartError::Keys(_))));
    }
}
