//! Putting faults in place and taking them away, each time told to the journal.

use mock_buypass::ScenarioCa;
use mock_helsenorge::Behaviour;
use testbed::evidence::{Event, Part};
use testbed::fault::{Fault, FaultAction, FaultPoint};

use crate::environment::{CertificateError, Environment};
use crate::scenario::Given;

/// Puts a fault in place.
///
/// # Errors
/// [`CertificateError`] when the CA refuses.
pub(super) fn install(environment: &Environment, given: Given) -> Result<(), CertificateError> {
    let detail = match given {
        Given::DelayStatus { delay } => {
            let subject = environment.issuing_ca().fault_subject("*");
            environment.faults.install(Fault {
                name: given.name().1.to_owned(),
                at: FaultPoint {
                    part: Part::Buypass,
                    operation: "http".to_owned(),
                    subject,
                },
                skip: 0,
                count: None,
                action: FaultAction::Delay(delay),
            });
            format!(
                "the first byte of every status answer comes {} s late",
                delay.as_secs_f64()
            )
        }
        Given::RefuseStatus => {
            refuse_status(environment);
            "the status addresses refuse connections".to_owned()
        }
        Given::RevokeSigner => {
            environment.revoke_signer()?;
            "helsenorge's signing certificate is revoked".to_owned()
        }
        Given::NoReply => {
            environment.helsenorge.set_behaviour(Behaviour::NoReply);
            "helsenorge settles requests and never replies".to_owned()
        }
        Given::HoldReply { ttl } => {
            environment
                .helsenorge
                .set_behaviour(Behaviour::HoldFirst { ttl });
            "helsenorge keeps the reply to the first request".to_owned()
        }
    };
    installed(environment, given.name().1, detail);
    Ok(())
}

/// Takes a fault away. Whoever was revoked gets new certificates.
///
/// # Errors
/// [`CertificateError`] when they cannot be had.
pub(super) async fn remove(
    environment: &Environment,
    given: Given,
) -> Result<(), CertificateError> {
    let name = given.name().1;
    match given {
        Given::DelayStatus { .. } => {
            environment.faults.remove(name);
        }
        Given::RefuseStatus => restore_status(environment),
        Given::RevokeSigner => environment.renew_certificates().await?,
        Given::NoReply | Given::HoldReply { .. } => {
            environment.helsenorge.set_behaviour(Behaviour::Reply);
        }
    }
    removed(environment, name);
    Ok(())
}

pub(super) fn refuse_status(environment: &Environment) {
    environment.with_scenario_ca(ScenarioCa::refuse);
}

pub(super) fn restore_status(environment: &Environment) {
    environment.with_scenario_ca(ScenarioCa::resume);
}

pub(super) fn installed(environment: &Environment, fault: &str, detail: impl Into<String>) {
    environment.journal.record(
        Part::Runner,
        Event::FaultInstalled {
            fault: fault.to_owned(),
            detail: detail.into(),
        },
    );
}

pub(super) fn removed(environment: &Environment, fault: &str) {
    environment.journal.record(
        Part::Runner,
        Event::FaultRemoved {
            fault: fault.to_owned(),
        },
    );
}
