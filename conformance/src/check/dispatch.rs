//! From a check's name to the function that judges it.

use super::finding::{Finding, Seen};
use super::view::View;
use crate::Text;
use crate::scenario::Check;

pub(super) fn judge(view: &View<'_>, check: &Check) -> Finding {
    Seen::error(
        "not-built",
        Text::new("Ikke bygget ennå.", "Not built yet."),
    )
    .expecting(expected(view, check))
}

pub(super) fn expected(_view: &View<'_>, check: &Check) -> Text {
    Text::new(check.name(), check.name())
}
