//! A program as system under test: its process group, its output lines, and verbs on its standard input.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use testbed::evidence::{Event, Part};
use testbed::{Clock, Journal};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{oneshot, watch};

use super::{ENVIRONMENT_VARIABLE, SutError, Verb};

/// Longest line of output that is kept, in bytes; the rest of a longer line is dropped.
const LINE_LIMIT: u64 = 64 * 1024;
/// Most lines of output that become evidence, per stream and start.
const LINES_LIMIT: u64 = 20_000;
/// Most bytes of output that become evidence, per stream and start.
const OUTPUT_LIMIT: usize = 8 * 1024 * 1024;
/// How long a program may take to end by itself, for each of end of input and termination request.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// What is started and what it is told.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub(super) adapter: &'static str,
    pub(super) program: String,
    pub(super) arguments: Vec<String>,
    pub(super) document: PathBuf,
    pub(super) trust_bundle: PathBuf,
}

/// A started program.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    clock: Clock,
    input: tokio::sync::Mutex<Option<ChildStdin>>,
    shared: Arc<Shared>,
    ended: watch::Receiver<bool>,
}

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<HashMap<u64, oneshot::Sender<Value>>>,
    stopping: std::sync::atomic::AtomicBool,
}

impl Shared {
    fn pending(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Value>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a call out of those that wait for an answer, however its wait ends.
struct Forget<'a> {
    shared: &'a Shared,
    call: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.shared.pending().remove(&self.call);
    }
}

/// Ends a process group by force, however the wait for its first process ends.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            signal_group(pid, Signal::KILL);
        }
    }
}

fn signal_group(pid: u32, signal: Signal) {
    if let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // The group may be gone already, which is what the signal is for.
        let _ = kill_process_group(group, signal);
    }
}

/// Process groups that were started and not stopped yet.
static STARTED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

fn started() -> MutexGuard<'static, BTreeSet<u32>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends everything that was started here at once, for a user who will not wait.
pub(super) fn kill_all() {
    for pid in started().iter() {
        signal_group(*pid, Signal::KILL);
    }
}

impl Process {
    /// Starts the program in a process group of its own, with the environment document and the trust bundle.
    ///
    /// # Errors
    /// [`SutError::Start`] when the operating system refuses.
    pub(super) fn start(launch: Launch, clock: Clock, journal: Journal) -> Result<Self, SutError> {
        let mut child = Command::new(&launch.program)
            .args(&launch.arguments)
            .env(ENVIRONMENT_VARIABLE, &launch.document)
            .env("SSL_CERT_FILE", &launch.trust_bundle)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| SutError::Start {
                program: launch.program.clone(),
                folder: std::env::current_dir().unwrap_or_default(),
                source,
            })?;
        let pid = child.id().unwrap_or_default();
        started().insert(pid);
        let command = std::iter::once(&launch.program)
            .chain(&launch.arguments)
            .cloned()
            .collect::<Vec<_>>()
            .join(" ");
        journal.record(
            Part::Sut,
            Event::SutStarted {
                adapter: launch.adapter.into(),
                pid: Some(pid),
                command,
            },
        );
        let shared = Arc::new(Shared::default());
        if let Some(output) = child.stdout.take() {
            tokio::spawn(read_lines(
                "stdout",
                output,
                journal.clone(),
                Some(Arc::clone(&shared)),
            ));
        }
        if let Some(errors) = child.stderr.take() {
            tokio::spawn(read_lines("stderr", errors, journal.clone(), None));
        }
        let input = tokio::sync::Mutex::new(child.stdin.take());
        let (sender, ended) = watch::channel(false);
        tokio::spawn(wait_for_end(
            child,
            pid,
            Arc::clone(&shared),
            journal,
            sender,
        ));
        Ok(Self {
            pid,
            clock,
            input,
            shared,
            ended,
        })
    }

    pub(super) fn is_running(&self) -> bool {
        !*self.ended.borrow()
    }

    /// Writes the question and waits for the line that answers it; the caller sets the limit.
    pub(super) async fn ask(&self, call: u64, question: &Value) -> Result<Value, String> {
        let (sender, answer) = oneshot::channel();
        self.shared.pending().insert(call, sender);
        // When the limit passes, this future is dropped: what comes later is output and no answer.
        let _no_longer_pending = Forget {
            shared: &self.shared,
            call,
        };
        let mut line = question.to_string();
        line.push('\n');
        let written = match self.input.lock().await.as_mut() {
            None => Err("the program's standard input is closed".to_owned()),
            Some(input) => match input.write_all(line.as_bytes()).await {
                Ok(()) => input.flush().await.map_err(|error| error.to_string()),
                Err(error) => Err(format!(
                    "the program does not read its standard input: {error}"
                )),
            },
        };
        let mut ended = self.ended.clone();
        match written {
            Err(reason) => Err(reason),
            Ok(()) => tokio::select! {
                answer = answer => answer.map_err(|_| "the program ended without an answer".to_owned()),
                _ = ended.wait_for(|ended| *ended) => Err("the program ended without an answer".to_owned()),
            },
        }
    }

    pub(super) async fn stop(&self) {
        self.shared
            .stopping
            .store(true, std::sync::atomic::Ordering::Relaxed);
        self.input.lock().await.take();
        for signal in [None, Some(Signal::TERM), Some(Signal::KILL)] {
            if let Some(signal) = signal {
                self.signal(signal);
            }
            let mut ended = self.ended.clone();
            // A wait that ends without the process having ended leads to the next, stronger means.
            if self
                .clock
                .timeout(STOP_LIMIT, ended.wait_for(|ended| *ended))
                .await
                .is_ok()
            {
                break;
            }
        }
        // What the program left behind in its group must not live on.
        self.signal(Signal::KILL);
        started().remove(&self.pid);
    }

    fn signal(&self, signal: Signal) {
        signal_group(self.pid, signal);
    }
}

async fn wait_for_end(
    mut child: Child,
    pid: u32,
    shared: Arc<Shared>,
    journal: Journal,
    ended: watch::Sender<bool>,
) {
    let status = child.wait().await;
    let expected = shared.stopping.load(std::sync::atomic::Ordering::Relaxed);
    let status = status.map_or_else(
        |error| error.to_string(),
        |status: ExitStatus| status.to_string(),
    );
    journal.record(
        Part::Sut,
        Event::SutExited {
            pid: Some(pid),
            status,
            expected,
        },
    );
    ended.send_replace(true);
}

async fn read_lines(
    stream: &'static str,
    source: impl AsyncRead + Unpin,
    journal: Journal,
    answers: Option<Arc<Shared>>,
) {
    let mut reader = BufReader::new(source);
    let (mut lines, mut bytes) = (0_u64, 0_usize);
    loop {
        let mut line = Vec::new();
        match (&mut reader)
            .take(LINE_LIMIT)
            .read_until(b'\n', &mut line)
            .await
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let cut = line.last() != Some(&b'\n') && line.len() as u64 >= LINE_LIMIT;
        if cut && !skip_rest_of_line(&mut reader).await {
            return;
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        if let Some(shared) = &answers
            && let Some((call, answer)) = as_answer(&text)
            && let Some(waiting) = shared.pending().remove(&call)
        {
            // The asker may give up at this very moment; its evidence says so then.
            let _ = waiting.send(answer);
            continue;
        }
        lines += 1;
        bytes += text.len();
        if lines <= LINES_LIMIT && bytes <= OUTPUT_LIMIT {
            journal.record(
                Part::Sut,
                Event::SutOutput {
                    stream: stream.into(),
                    line: text,
                },
            );
        }
    }
}

/// Reads on to the end of a line that was too long; false at the end of the stream.
async fn skip_rest_of_line(reader: &mut (impl AsyncBufReadExt + Unpin)) -> bool {
    loop {
        let mut rest = Vec::new();
        match (&mut *reader)
            .take(LINE_LIMIT)
            .read_until(b'\n', &mut rest)
            .await
        {
            Ok(0) | Err(_) => return false,
            Ok(_) if rest.last() == Some(&b'\n') => return true,
            Ok(_) => {}
        }
    }
}

fn as_answer(line: &str) -> Option<(u64, Value)> {
    let answer: Value = line
        .starts_with('{')
        .then(|| serde_json::from_str(line).ok())
        .flatten()?;
    let call = answer.get("call")?.as_u64()?;
    Some((call, answer))
}

/// Runs the driver's command for one verb: `<command> <verb>` by the shell, the question on its standard input, the
/// answer as a JSON object on its standard output.
///
/// # Errors
/// A sentence for the report.
pub(super) async fn run_driver(
    command: &str,
    verb: Verb,
    question: &Value,
    document: &Path,
) -> Result<Value, String> {
    let failed =
        |error: std::io::Error| format!("the verb command `{command}` could not be run: {error}");
    let mut child = Command::new("sh")
        .args(["-c", &format!("{command} {}", verb.name())])
        .env(ENVIRONMENT_VARIABLE, document)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let _group = Group(child.id());
    if let Some(mut input) = child.stdin.take() {
        // A driver may ignore its input and end; its answer counts all the same.
        let _ = input.write_all(question.to_string().as_bytes()).await;
    }
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout
            .take(LINE_LIMIT * 16)
            .read_to_end(&mut output)
            .await
            .map_err(failed)?;
    }
    let status = child.wait().await.map_err(failed)?;
    match serde_json::from_slice(&output) {
        Ok(answer @ Value::Object(_)) => Ok(answer),
        _ => Err(format!(
            "the verb command `{command}` ended ({status}) without a JSON object on its standard output"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(script: &str) -> Launch {
        Launch {
            adapter: "command",
            program: "sh".into(),
            arguments: vec!["-c".into(), script.into()],
            document: "/dev/null".into(),
            trust_bundle: "/dev/null".into(),
        }
    }

    fn program(script: &str) -> (Process, Journal) {
        let clock = Clock::start();
        let journal = Journal::in_memory(clock.clone());
        (
            Process::start(launch(script), clock, journal.clone()).unwrap(),
            journal,
        )
    }

    const LONG: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn answers_find_their_question_and_other_lines_are_evidence() {
        let (process, journal) = program(
            r#"echo hei; read q; echo '{"call":9}'; echo '{"call":4,"outcome":"success"}'; read q"#,
        );
        let answer = process
            .ask(4, &Verb::RunKomtest.question(4, &Value::Null))
            .await
            .unwrap();
        assert_eq!(answer["outcome"], "success");
        process.stop().await;
        let is = |text: &'static str| move |entry: &testbed::evidence::Entry| matches!(&entry.event, Event::SutOutput { line, .. } if line == text);
        journal.wait_for(0, LONG, is("hei")).await.unwrap();
        journal
            .wait_for(0, LONG, is(r#"{"call":9}"#))
            .await
            .unwrap();
        journal
            .wait_for(0, LONG, |entry| {
                matches!(entry.event, Event::SutExited { expected: true, .. })
            })
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn an_answer_that_comes_too_late_is_output() {
        let (process, journal) = program(r#"read q; read r; echo '{"call":1}'; read s"#);
        let question = Verb::RunKomtest.question(1, &Value::Null);
        let limit = Duration::from_millis(50);
        let asked = process
            .clock
            .timeout(limit, process.ask(1, &question))
            .await;
        assert!(asked.is_err());
        let second = process
            .clock
            .timeout(limit, process.ask(2, &question))
            .await;
        assert!(second.is_err());
        let late = journal.wait_for(0, LONG, |entry| {
            matches!(&entry.event, Event::SutOutput { line, .. } if line == r#"{"call":1}"#)
        });
        late.await.unwrap();
        process.stop().await;
    }

    #[tokio::test]
    async fn a_flood_of_output_is_kept_in_part_only() {
        let (process, journal) = program(
            "head -c 20000000 /dev/zero | tr '\\0' x | fold -w 60000; echo; echo done >&2; read q",
        );
        let done = journal.wait_for(
            0,
            LONG,
            |entry| matches!(&entry.event, Event::SutOutput { line, .. } if line == "done"),
        );
        done.await.unwrap();
        process.stop().await;
        let kept: usize = journal
            .entries()
            .iter()
            .map(|entry| match &entry.event {
                Event::SutOutput { line, .. } => line.len(),
                _ => 0,
            })
            .sum();
        assert!(kept <= OUTPUT_LIMIT + 4, "{kept}");
    }

    #[tokio::test]
    async fn what_a_driver_leaves_running_does_not_live_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let command = format!(
            "sleep 300 & echo $! > {}; echo '{{}}' ; exec >&-; :",
            file.display()
        );
        let question = Verb::RunKomtest.question(1, &Value::Null);
        let clock = Clock::start();
        let asked = run_driver(
            &command,
            Verb::RunKomtest,
            &question,
            Path::new("/dev/null"),
        );
        // The child holds the pipe open, so that no end of output comes: the limit of the caller ends the wait.
        let outcome = clock.timeout(Duration::from_secs(1), asked).await;
        assert!(outcome.is_err());
        let pid: i32 = std::fs::read_to_string(&file)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        for _ in 0..200 {
            let state = state();
            if state.is_empty() || state.contains(") Z ") {
                return;
            }
            clock.sleep(Duration::from_millis(20)).await;
        }
        panic!("{}", state());
    }

    #[tokio::test]
    async fn a_program_that_ends_leaves_no_call_hanging() {
        let (process, _journal) = program("read q; exit 3");
        let outcome = process
            .ask(1, &Verb::RunKomtest.question(1, &Value::Null))
            .await;
        assert!(outcome.unwrap_err().contains("without an answer"));
    }

    #[tokio::test]
    async fn a_program_that_ignores_everything_is_stopped_by_force() {
        let (process, journal) =
            program("trap '' TERM; while :; do read q || exec tail -f /dev/null; done");
        process.stop().await;
        journal
            .wait_for(0, LONG, |entry| {
                matches!(entry.event, Event::SutExited { .. })
            })
            .await
            .unwrap();
    }
}
