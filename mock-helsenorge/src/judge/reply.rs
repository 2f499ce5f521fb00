//! VR1-VR5: a reply belongs to its request.

use std::time::Duration;

use nhn_model::message::Message;

use super::Checks;

/// VR1: helsenorge has sent a request with this correlation-id.
pub(crate) fn correlation(checks: &mut Checks, correlation: Option<&str>, known: bool) -> bool {
    let id = correlation.unwrap_or("-");
    if known {
        checks.pass("VR1", format!("correlation-id {id}"));
    } else {
        checks.fail_quietly("VR1", format!("no request has the correlation-id {id}"));
    }
    known
}

/// VR2: it came to the queue that the request named.
pub(crate) fn right_queue(checks: &mut Checks, queue: &str, wanted: &str) -> bool {
    if queue == wanted {
        checks.pass("VR2", format!("came to {queue}"));
    } else {
        checks.fail_quietly(
            "VR2",
            format!("came to {queue}; the request named {wanted}"),
        );
    }
    queue == wanted
}

/// VR3: it came while helsenorge waited.
pub(crate) fn in_time(checks: &mut Checks, after: Duration, limit: Duration) -> bool {
    let seconds = after.as_secs_f64();
    if after <= limit {
        checks.pass("VR3", format!("after {seconds:.3} s"));
    } else {
        checks.fail_quietly("VR3", format!("late: after {seconds:.3} s"));
    }
    after <= limit
}

/// VR4: the party that was asked has replied.
pub(crate) fn right_party(checks: &mut Checks, from: u32, asked: u32) -> bool {
    if from == asked {
        checks.pass("VR4", format!("from {from}"));
    } else {
        checks.fail_quietly("VR4", format!("from {from}; {asked} was asked"));
    }
    from == asked
}

/// VR5: a `ConversationRef`, if there is one, points at the request.
pub(crate) fn refers_to_request(checks: &mut Checks, message: &Message, request: &str) -> bool {
    let Some(conversation) = &message.head.conversation else {
        checks.pass("VR5", "there is no ConversationRef");
        return true;
    };
    let parent = &conversation.ref_to_parent;
    let points = parent.eq_ignore_ascii_case(request);
    if points {
        checks.pass("VR5", "ConversationRef points at the request");
    } else {
        checks.fail_quietly("VR5", "ConversationRef points at another message");
    }
    points
}
