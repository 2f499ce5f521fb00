//! Acts: each is carried out by one function that returns what kept it from being carried out, if anything.

use std::time::Duration;

use mock_helsenorge::{BaitRequest, TestRequest, Variant};
use serde_json::{Value, json};
use testbed::evidence::Event;

use super::{fault, watch};
use crate::environment::{Environment, Signer};
use crate::scenario::{Act, CommunicationTest, NEEDS_DRIVER, RequestVariant, SignerChoice};
use crate::sut::{ENVIRONMENT_VARIABLE, Sut, Verb};

/// How long a system may hold a reply before the checks count it as left unsettled: 30 s, and a little more to be sure.
const SETTLED: Duration = Duration::from_secs(31);
/// Longest line of the system under test that a message repeats, in characters.
const WORDS: usize = 300;
/// How long helsenorge may need to find back to a bus that is up again.
const HELSENORGE_BACK: Duration = Duration::from_secs(30);

/// Carries an act out. The error is the step's problem.
pub(super) async fn carry_out(
    act: &Act,
    environment: &Environment,
    sut: &mut Sut,
    ready_limit: Duration,
) -> Result<(), String> {
    match act {
        Act::CommunicationTest(test) => communication_test(test, environment).await,
        Act::ReleaseReply => {
            let released = environment.helsenorge.release_reply().await;
            released.map_err(|error| error.to_string())
        }
        Act::Bait { lasting, at_most } => {
            let bait = BaitRequest {
                to: environment.document().sut.her_id,
                lasting: *lasting,
                at_most: *at_most,
            };
            let laid = environment.helsenorge.bait(bait).await;
            laid.map(|_| ()).map_err(|error| error.to_string())
        }
        Act::RunKomtest { deadline } => {
            let mark = environment.journal.len();
            ask(sut, Verb::RunKomtest, Value::Null, *deadline).await?;
            watch::settled(environment, mark, SETTLED).await;
            Ok(())
        }
        Act::Status { of, deadline } => {
            let arguments = json!({ "msg_id": msg_id(environment, of) });
            ask(sut, Verb::Status, arguments, *deadline).await
        }
        Act::Restart => restart(environment, sut, ready_limit).await,
        Act::BusOutage { lasting } => bus_outage(environment, *lasting).await,
        Act::RegisterDown => {
            environment.ar.go_down();
            fault::installed(
                environment,
                Act::REGISTER_DOWN,
                "register and CPPA refuse connections",
            );
            Ok(())
        }
        Act::RegisterUp => {
            environment.ar.come_back();
            fault::removed(environment, Act::REGISTER_DOWN);
            Ok(())
        }
        Act::RefuseStatus => {
            fault::refuse_status(environment);
            fault::installed(
                environment,
                Act::STATUS_REFUSED,
                "the status addresses refuse connections",
            );
            Ok(())
        }
        Act::RestoreStatus => {
            fault::restore_status(environment);
            fault::removed(environment, Act::STATUS_REFUSED);
            Ok(())
        }
        Act::AwaitLinks { at_most } => {
            let queues = own_queues(environment);
            let names: Vec<&str> = queues.iter().map(String::as_str).collect();
            // Links that are missing are for the checks to judge.
            watch::links(environment, &names, *at_most).await;
            Ok(())
        }
        Act::Observe { lasting } => {
            environment.clock.sleep(*lasting).await;
            Ok(())
        }
    }
}

/// The asynchronous, the synchronous and the error queue of the party under test.
pub(super) fn own_queues(environment: &Environment) -> Vec<String> {
    let queues = environment.document().sut.queues.as_ref();
    queues
        .map(|queues| {
            vec![
                queues.asynchronous.clone(),
                queues.synchronous.clone(),
                queues.error.clone(),
            ]
        })
        .unwrap_or_default()
}

async fn communication_test(
    test: &CommunicationTest,
    environment: &Environment,
) -> Result<(), String> {
    let signer = match test.signer {
        SignerChoice::Listed => Ok(Signer {
            keys: None,
            agreement: None,
        }),
        SignerChoice::Expired => environment.expired_signer().await,
        SignerChoice::Unlisted => environment.unlisted_signer().await,
    };
    let signer = signer.map_err(|error| error.to_string())?;
    let request = TestRequest {
        cpa_id: signer.agreement,
        variant: match test.variant {
            RequestVariant::Valid => Variant::Valid,
            RequestVariant::Unsigned => Variant::Unsigned,
            RequestVariant::NotWellFormed => Variant::NotWellFormed,
            RequestVariant::SenderMismatch => Variant::SenderMismatch,
        },
        signer: signer.keys,
        ..TestRequest::new(environment.document().sut.her_id)
    };
    let sent = send(test, environment, request).await;
    let exchanges = sent.map_err(|error| error.to_string())?;
    watch::exchanges(environment, &exchanges, test.deadline).await;
    if test.signer == SignerChoice::Expired {
        let renewed = environment.renew_certificates().await;
        renewed.map_err(|error| error.to_string())?;
    }
    Ok(())
}

async fn send(
    test: &CommunicationTest,
    environment: &Environment,
    request: TestRequest,
) -> Result<Vec<String>, mock_helsenorge::TestError> {
    let helsenorge = &environment.helsenorge;
    if test.interval.is_zero() && test.count > 1 {
        return helsenorge.start_burst(request, test.count).await;
    }
    let mut exchanges = Vec::new();
    let first = environment.clock.now();
    for number in 0..test.count {
        let due = first.plus(test.interval * number);
        environment.clock.sleep_until(due).await;
        exchanges.push(helsenorge.start_test(request.clone()).await?);
    }
    Ok(exchanges)
}

async fn ask(sut: &Sut, verb: Verb, arguments: Value, deadline: Duration) -> Result<(), String> {
    if !sut.can_be_asked() {
        return Err(format!(
            "{NEEDS_DRIVER}: the program takes no verbs (see --sut-verbs)"
        ));
    }
    // An answer that does not come is evidence of its own.
    sut.ask(verb, arguments, deadline).await;
    Ok(())
}

/// The MsgId of the request that helsenorge received in a step, else the driver's own word for it.
fn msg_id(environment: &Environment, step: &str) -> Option<String> {
    let entries = environment.journal.entries();
    let of_step = entries
        .iter()
        .filter(|entry| entry.step.as_deref() == Some(step));
    let received = of_step.clone().find_map(|entry| match &entry.event {
        Event::HnReceived {
            msg_id: Some(id), ..
        } => Some(id.clone()),
        _ => None,
    });
    received.or_else(|| {
        of_step.clone().find_map(|entry| match &entry.event {
            Event::SutAnswered { answer, .. } => answer
                .get("msg_id")
                .and_then(Value::as_str)
                .map(str::to_owned),
            _ => None,
        })
    })
}

async fn restart(
    environment: &Environment,
    sut: &mut Sut,
    ready_limit: Duration,
) -> Result<(), String> {
    if !sut.can_restart() {
        return Err(format!(
            "{NEEDS_DRIVER}: the system runs outside and takes no verbs"
        ));
    }
    let restarted = sut.restart().await;
    restarted.map_err(|error| error.to_string())?;
    ready(environment, sut, ready_limit).await
}

/// Waits until a receiver is attached to the synchronous queue.
pub(super) async fn ready(
    environment: &Environment,
    sut: &Sut,
    limit: Duration,
) -> Result<(), String> {
    let synchronous = own_queues(environment).into_iter().nth(1);
    let queue = synchronous.unwrap_or_default();
    let queues = [queue.as_str()];
    let exited = async {
        while sut.is_running() {
            environment.clock.sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        there = watch::links(environment, &queues, limit) => if there {
            Ok(())
        } else {
            Err(format!(
                "the system under test attached no receiver to its queue {queue} within {} s. Does it read the addresses, accounts and roots of {ENVIRONMENT_VARIABLE} ({})? Its last words: {}",
                limit.as_secs(),
                environment.document_path().display(),
                last_words(environment)
            ))
        },
        () = exited => Err(format!(
            "the system under test ended before it attached a receiver to its queue {queue}; its last words: {}",
            last_words(environment)
        )),
    }
}

/// The last lines that the system under test wrote.
fn last_words(environment: &Environment) -> String {
    let entries = environment.journal.entries();
    let lines = entries.iter().rev().filter_map(|entry| match &entry.event {
        Event::SutOutput { line, .. } if !line.trim().is_empty() => {
            Some(line.trim().chars().take(WORDS).collect())
        }
        _ => None,
    });
    let mut last: Vec<String> = lines.take(3).collect();
    last.reverse();
    if last.is_empty() {
        return "none".to_owned();
    }
    last.join(" | ")
}

async fn bus_outage(environment: &Environment, lasting: Duration) -> Result<(), String> {
    environment.bus.go_down();
    fault::installed(
        environment,
        Act::OUTAGE,
        format!("the bus is away for {} s", lasting.as_secs_f64()),
    );
    environment.clock.sleep(lasting).await;
    environment.bus.come_back();
    fault::removed(environment, Act::OUTAGE);
    let back = environment.helsenorge.ready(HELSENORGE_BACK).await;
    back.map_err(|error| format!("helsenorge did not find back to the bus: {error}"))
}
