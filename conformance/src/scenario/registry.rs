//! The registry: which acts, checks and faults exist, under which names, with which parameters.

use super::problem::nearest;
use super::read::Table;
use super::{
    Act, After, Check, CommunicationTest, Given, Judged, RequestVariant, SignerChoice, Step,
};

/// Service and name of every act, as scenario files write them.
pub const ACTS: [(&str, &str); 13] = [
    ("ar", "down"),
    ("ar", "up"),
    ("bus", "outage"),
    ("buypass", "refuse"),
    ("buypass", "restore"),
    ("helsenorge", "bait"),
    ("helsenorge", "communication-test"),
    ("helsenorge", "release-reply"),
    ("runner", "await-links"),
    ("runner", "observe"),
    ("sut", "restart"),
    ("sut", "run-komtest"),
    ("sut", "status"),
];

/// Service and name of every fault, as scenario files write them.
pub const FAULTS: [(&str, &str); 5] = [
    ("buypass", "delay-status"),
    ("buypass", "refuse-status"),
    ("buypass", "revoke-signer"),
    ("helsenorge", "hold-reply"),
    ("helsenorge", "no-reply"),
];

/// Name of every check.
pub const CHECKS: [&str; 19] = [
    "late-reply-settled",
    "links-back",
    "no-error-for-error",
    "no-foreign-queue",
    "no-new-download",
    "no-reply-without-status",
    "not-shown-as-success",
    "outbound-valid",
    "outcome-below",
    "receivers-attached",
    "refused",
    "refused-without-status",
    "reply-settled",
    "reports-success",
    "request-settled",
    "status-asked",
    "times-out",
    "valid-reply",
    "valid-reply-below",
];

const VARIANTS: [(&str, RequestVariant); 4] = [
    ("valid", RequestVariant::Valid),
    ("unsigned", RequestVariant::Unsigned),
    ("not-well-formed", RequestVariant::NotWellFormed),
    ("sender-mismatch", RequestVariant::SenderMismatch),
];

const SIGNERS: [(&str, SignerChoice); 3] = [
    ("listed", SignerChoice::Listed),
    ("expired", SignerChoice::Expired),
    ("unlisted", SignerChoice::Unlisted),
];

/// `[[given]]`: `service` and `fault`.
pub(super) fn given(table: Table<'_>) -> Option<Given> {
    let service = table.word("service");
    let fault = table.table("fault")?;
    let name = fault.word("name")?;
    let service = service?;
    let given = match (service.text.as_str(), name.text.as_str()) {
        ("buypass", "delay-status") => fault
            .duration("delay")
            .map(|delay| Given::DelayStatus { delay }),
        ("buypass", "refuse-status") => Some(Given::RefuseStatus),
        ("buypass", "revoke-signer") => Some(Given::RevokeSigner),
        ("helsenorge", "no-reply") => Some(Given::NoReply),
        ("helsenorge", "hold-reply") => fault.duration("ttl").map(|ttl| Given::HoldReply { ttl }),
        (service_name, _) => {
            let services: Vec<&str> = FAULTS.iter().map(|(service, _)| *service).collect();
            if services.contains(&service_name) {
                fault.unknown("fault ", &name, &of_service(&FAULTS, service_name));
            } else {
                table.unknown("service ", &service, &distinct(&services));
            }
            None
        }
    };
    if given.is_some() {
        fault.finish();
    }
    table.finish();
    given
}

/// `[[when]]`: `step`, `after` and `act`.
pub(super) fn step(table: Table<'_>) -> Option<Step> {
    let name = table.string("step");
    let after = after(&table);
    let act = table.table("act").and_then(act);
    table.finish();
    Some(Step {
        name: name?,
        after,
        act: act?,
    })
}

fn after(table: &Table<'_>) -> Option<After> {
    let word = table.optional_word("after")?;
    if word.text == "no-open-download" {
        return Some(After::NoOpenDownload);
    }
    if word.text.starts_with(|first: char| first.is_ascii_digit()) {
        return table.optional_duration("after").map(After::Pause);
    }
    table.unknown("event to wait for ", &word, &["no-open-download"]);
    None
}

/// An act is `{ <service> = "<name>", ... }`: exactly one service.
fn act(table: Table<'_>) -> Option<Act> {
    let services = distinct(&ACTS.map(|(service, _)| service));
    let found: Vec<&'static str> = services
        .iter()
        .copied()
        .filter(|service| table.has(service))
        .collect();
    let [service] = found[..] else {
        let near = table
            .keys()
            .find_map(|key| nearest(key, services.iter().copied()));
        let near = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
        table.problem(format!(
            "an act names exactly one service: {}{near}",
            services.join(", ")
        ));
        return None;
    };
    let name = table.word(service)?;
    let act = match (service, name.text.as_str()) {
        ("helsenorge", "communication-test") => {
            communication_test(&table).map(Act::CommunicationTest)
        }
        ("helsenorge", "release-reply") => Some(Act::ReleaseReply),
        ("helsenorge", "bait") => bait(&table),
        ("sut", "run-komtest") => table
            .duration("deadline")
            .map(|deadline| Act::RunKomtest { deadline }),
        ("sut", "status") => {
            let (of, deadline) = (table.string("of"), table.duration("deadline"));
            of.zip(deadline)
                .map(|(of, deadline)| Act::Status { of, deadline })
        }
        ("sut", "restart") => Some(Act::Restart),
        ("bus", "outage") => table
            .duration("for")
            .map(|lasting| Act::BusOutage { lasting }),
        ("ar", "down") => Some(Act::RegisterDown),
        ("ar", "up") => Some(Act::RegisterUp),
        ("buypass", "refuse") => Some(Act::RefuseStatus),
        ("buypass", "restore") => Some(Act::RestoreStatus),
        ("runner", "await-links") => table
            .duration("at-most")
            .map(|at_most| Act::AwaitLinks { at_most }),
        ("runner", "observe") => table
            .duration("for")
            .map(|lasting| Act::Observe { lasting }),
        _ => {
            table.unknown(
                &format!("act of {service} "),
                &name,
                &of_service(&ACTS, service),
            );
            return None;
        }
    };
    table.finish();
    act
}

fn communication_test(table: &Table<'_>) -> Option<CommunicationTest> {
    let variant = table.optional_choice("variant", &VARIANTS, RequestVariant::Valid);
    let signer = table.optional_choice("signer", &SIGNERS, SignerChoice::Listed);
    let count = if table.has("count") {
        table.integer("count", 1..=1000)
    } else {
        Some(1)
    };
    let interval = table.optional_duration("interval").unwrap_or_default();
    let deadline = table.duration("deadline");
    Some(CommunicationTest {
        variant: variant?,
        signer: signer?,
        count: count?,
        interval,
        deadline: deadline?,
    })
}

fn bait(table: &Table<'_>) -> Option<Act> {
    let (lasting, at_most) = (table.duration("for"), table.integer("at-most", 1..=20));
    Some(Act::Bait {
        lasting: lasting?,
        at_most: at_most?,
    })
}

/// `[[then]]`: `check`, `fail` and `mend`.
pub(super) fn judged(table: Table<'_>, steps: &[Step]) -> Option<Judged> {
    let check = table
        .table("check")
        .and_then(|check_table| check(check_table, steps));
    let reason = table.optional_word("reason").map(|word| word.text);
    let (fail, mend) = (table.text("fail"), table.text("mend"));
    table.finish();
    Some(Judged {
        check: check?,
        reason,
        fail: fail?,
        mend: mend?,
    })
}

/// Which act a step must have for a check to mean anything.
#[derive(Clone, Copy)]
enum Needs {
    Any,
    Bait,
    CommunicationTest,
    Outage,
    RunKomtest,
    Status,
}

impl Needs {
    fn fits(self, act: &Act) -> bool {
        match self {
            Self::Any => true,
            Self::Bait => matches!(act, Act::Bait { .. }),
            Self::CommunicationTest => matches!(act, Act::CommunicationTest(_)),
            Self::Outage => matches!(act, Act::BusOutage { .. }),
            Self::RunKomtest => matches!(act, Act::RunKomtest { .. }),
            Self::Status => matches!(act, Act::Status { .. }),
        }
    }
}

fn check(table: Table<'_>, steps: &[Step]) -> Option<Check> {
    let name = table.word("name")?;
    let step = |key, needs| step_of(&table, key, steps, needs);
    let inbound = || step("step", Needs::CommunicationTest);
    let outbound = || step("step", Needs::RunKomtest);
    let check = match name.text.as_str() {
        "valid-reply" => inbound().map(|step| Check::ValidReply { step }),
        "valid-reply-below" => inbound()
            .zip(table.duration("limit"))
            .map(|(step, limit)| Check::ValidReplyBelow { step, limit }),
        "request-settled" => inbound().map(|step| Check::RequestSettled { step }),
        "outcome-below" => inbound()
            .zip(table.duration("limit"))
            .map(|(step, limit)| Check::OutcomeBelow { step, limit }),
        "status-asked" => inbound().map(|step| Check::StatusAsked { step }),
        "no-reply-without-status" => inbound().map(|step| Check::NoReplyWithoutStatus { step }),
        "no-new-download" => inbound().map(|step| Check::NoNewDownload { step }),
        "refused" => refused(&table, inbound()),
        "refused-without-status" => inbound()
            .zip(table.duration("within"))
            .map(|(step, within)| Check::RefusedWithoutStatus { step, within }),
        "outbound-valid" => outbound().map(|step| Check::OutboundValid { step }),
        "reply-settled" => outbound().map(|step| Check::ReplySettled { step }),
        "reports-success" => outbound().map(|step| Check::ReportsSuccess { step }),
        "times-out" => outbound()
            .zip(table.duration("within").zip(table.duration("deviation")))
            .map(|(step, (within, deviation))| Check::TimesOut {
                step,
                within,
                deviation,
            }),
        "not-shown-as-success" => outbound()
            .zip(step("status", Needs::Status))
            .map(|(step, status)| Check::NotShownAsSuccess { step, status }),
        "late-reply-settled" => outbound()
            .zip(step("before", Needs::RunKomtest))
            .map(|(step, before)| Check::LateReplySettled { step, before }),
        "receivers-attached" => step("step", Needs::Any)
            .zip(table.duration("within"))
            .map(|(step, within)| Check::ReceiversAttached { step, within }),
        "no-foreign-queue" => Some(Check::NoForeignQueue {}),
        "links-back" => step("step", Needs::Outage)
            .zip(table.duration("within"))
            .map(|(step, within)| Check::LinksBack { step, within }),
        "no-error-for-error" => {
            step("step", Needs::Bait).map(|step| Check::NoErrorForError { step })
        }
        _ => {
            table.unknown("check ", &name, &CHECKS);
            return None;
        }
    };
    table.finish();
    check
}

/// The error conditions of contract 03 section 5.2.
pub const CONDITIONS: [&str; 11] = [
    "abuse:spoofing-attack",
    "transport:expired-certificate",
    "transport:internal-error",
    "transport:invalid-certificate",
    "transport:invalid-field-value",
    "transport:missing-certificate",
    "transport:not-well-formed-xml",
    "transport:revoked-certificate",
    "transport:revoked-certificate-offline",
    "transport:unsupported-message",
    "transport:unverified-certificate",
];

fn refused(table: &Table<'_>, step: Option<String>) -> Option<Check> {
    let condition = table.optional_word("condition");
    if let Some(word) = condition
        .as_ref()
        .filter(|word| !CONDITIONS.contains(&word.text.as_str()))
    {
        table.unknown("error condition ", word, &CONDITIONS);
    }
    let within = table.duration("within");
    Some(Check::Refused {
        step: step?,
        condition: condition.map(|word| word.text),
        within: within?,
    })
}

fn step_of(table: &Table<'_>, key: &'static str, steps: &[Step], needs: Needs) -> Option<String> {
    let word = table.word(key)?;
    let Some(step) = steps.iter().find(|step| step.name == word.text) else {
        let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
        table.unknown("step ", &word, &names);
        return None;
    };
    if !needs.fits(&step.act) {
        let (service, act) = step.act.name();
        let message = format!(
            "the check does not fit the step `{}`, whose act is {service} `{act}`",
            word.text
        );
        table.problem_at(&word.span, message);
    }
    Some(word.text)
}

fn of_service(names: &[(&'static str, &'static str)], service: &str) -> Vec<&'static str> {
    names
        .iter()
        .filter(|(each, _)| *each == service)
        .map(|(_, name)| *name)
        .collect()
}

fn distinct(names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names.dedup();
    names
}
