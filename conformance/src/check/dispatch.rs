//! From a check's parameters to the function that judges it.

use super::finding::{Finding, Seen};
use super::view::View;
use super::{
    late_reply_settled, links_back, no_error_for_error, no_foreign_queue, no_new_download,
    no_reply_without_status, not_shown_as_success, outbound_valid, outcome_below,
    receivers_attached, refused, refused_without_status, reply_settled, reports_success,
    request_settled, status_asked, times_out, valid_reply,
};
use crate::Text;
use crate::scenario::Check;

pub(super) fn judge(view: &View<'_>, check: &Check) -> Finding {
    seen(view, check).expecting(expected(check))
}

fn seen(view: &View<'_>, check: &Check) -> Seen {
    match check {
        Check::ValidReply { step } => valid_reply::judge(view, step, None),
        Check::ValidReplyBelow { step, limit } => valid_reply::judge(view, step, Some(*limit)),
        Check::RequestSettled { step } => request_settled::judge(view, step),
        Check::OutcomeBelow { step, limit } => outcome_below::judge(view, step, *limit),
        Check::StatusAsked { step } => status_asked::judge(view, step),
        Check::NoReplyWithoutStatus { step } => no_reply_without_status::judge(view, step),
        Check::NoNewDownload { step } => no_new_download::judge(view, step),
        Check::Refused {
            step,
            condition,
            within,
        } => refused::judge(view, step, condition.as_deref(), *within),
        Check::RefusedWithoutStatus { step, within } => {
            refused_without_status::judge(view, step, *within)
        }
        Check::OutboundValid { step } => outbound_valid::judge(view, step),
        Check::ReplySettled { step } => reply_settled::judge(view, step),
        Check::ReportsSuccess { step } => reports_success::judge(view, step),
        Check::TimesOut {
            step,
            within,
            deviation,
        } => times_out::judge(view, step, *within, *deviation),
        Check::NotShownAsSuccess { step, status } => {
            not_shown_as_success::judge(view, step, status)
        }
        Check::LateReplySettled { step, before } => late_reply_settled::judge(view, step, before),
        Check::ReceiversAttached { step, within } => receivers_attached::judge(view, step, *within),
        Check::NoForeignQueue {} => no_foreign_queue::judge(view),
        Check::LinksBack { step, within } => links_back::judge(view, step, *within),
        Check::NoErrorForError { step } => no_error_for_error::judge(view, step),
    }
}

/// What a check expects, whether or not it could be judged.
pub(super) fn expected(check: &Check) -> Text {
    match check {
        Check::ValidReply { .. } => valid_reply::expected(None),
        Check::ValidReplyBelow { limit, .. } => valid_reply::expected(Some(*limit)),
        Check::RequestSettled { .. } => request_settled::expected(),
        Check::OutcomeBelow { limit, .. } => outcome_below::expected(*limit),
        Check::StatusAsked { .. } => status_asked::expected(),
        Check::NoReplyWithoutStatus { .. } => no_reply_without_status::expected(),
        Check::NoNewDownload { .. } => no_new_download::expected(),
        Check::Refused {
            condition, within, ..
        } => refused::expected(condition.as_deref(), *within),
        Check::RefusedWithoutStatus { within, .. } => refused_without_status::expected(*within),
        Check::OutboundValid { .. } => outbound_valid::expected(),
        Check::ReplySettled { .. } => reply_settled::expected(),
        Check::ReportsSuccess { .. } => reports_success::expected(),
        Check::TimesOut {
            within, deviation, ..
        } => times_out::expected(*within, *deviation),
        Check::NotShownAsSuccess { .. } => not_shown_as_success::expected(),
        Check::LateReplySettled { .. } => late_reply_settled::expected(),
        Check::ReceiversAttached { within, .. } => receivers_attached::expected(*within),
        Check::NoForeignQueue {} => no_foreign_queue::expected(),
        Check::LinksBack { within, .. } => links_back::expected(*within),
        Check::NoErrorForError { .. } => no_error_for_error::expected(),
    }
}
