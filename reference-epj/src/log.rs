//! Log lines on standard error, for people. Everything that comes from a peer is cut and stripped of control
//! characters here, so that no message can forge a line. Nobody may hand a secret to this module.

use std::fmt::{Display, Write as _};
use std::io::Write as _;

use time::format_description::well_known::Rfc3339;

use crate::clock;

/// Most characters of a line.
const LONGEST_LINE: usize = 800;

/// Something went as it should.
pub(crate) fn info(text: impl Display) {
    line("info", &text);
}

/// Something that an operator should look at.
pub(crate) fn warning(text: impl Display) {
    line("warning", &text);
}

fn line(level: &str, text: &dyn Display) {
    let time = clock::now().format(&Rfc3339).unwrap_or_default();
    let line = format!("{time} {level}: {}\n", one_line(text));
    // A reader that has gone away is no reason to stop.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// The text without control characters, cut to a bearable length.
pub(crate) fn one_line(text: &dyn Display) -> String {
    let mut out = String::new();
    for character in text.to_string().chars().take(LONGEST_LINE) {
        if character.is_control() {
            let _ = write!(out, "{}", character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_cannot_forge_a_line_or_flood_the_log() {
        assert_eq!(one_line(&"a\nb\u{1b}[2J"), "a\\nb\\u{1b}[2J");
        assert_eq!(one_line(&"x".repeat(10_000)).len(), LONGEST_LINE);
    }
}
