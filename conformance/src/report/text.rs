//! Text that may come from a system under test, made harmless and put into lines.

/// Longest text that reports show, in characters; the journal has the whole.
const TEXT_LIMIT: usize = 4000;

/// The text without anything that a terminal or a reader's eye would obey: control characters, among them escape
/// sequences and line breaks, characters that turn the direction of writing, and those
/// that XML forbids are shown by their number.
/// Longer texts are cut.
#[must_use]
pub fn inert(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == TEXT_LIMIT {
            shown.push('…');
            break;
        }
        match character {
            '\n' | '\r' | '\t' => shown.push(' '),
            _ if is_active(character) => {
                shown.push_str(&format!("\\u{{{:x}}}", u32::from(character)));
            }
            _ => shown.push(character),
        }
    }
    shown
}

fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Breaks a text into lines of at most `width` characters, between words where that is possible.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        while word.len() > width - length {
            let rest = word.split_off(width - length);
            line.extend(word);
            lines.push(std::mem::take(&mut line));
            (word, length) = (rest, 0);
        }
        length += word.len();
        line.extend(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Numbers of journal entries, `#3, #7`; of more than `most` the rest is counted.
#[must_use]
pub fn numbers(evidence: &[u64], most: usize) -> String {
    let shown: Vec<String> = evidence
        .iter()
        .take(most)
        .map(|n| format!("#{n}"))
        .collect();
    match evidence.len().saturating_sub(most) {
        _ if evidence.is_empty() => "–".to_owned(),
        0 => shown.join(", "),
        more => format!("{} +{more}", shown.join(", ")),
    }
}

/// A length in milliseconds, as reports write it: `12.3 s`.
#[must_use]
pub fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_by_its_number() {
        assert_eq!(
            inert("a\u{1b}[31mb\nc\u{202e}d\u{9b}"),
            "a\\u{1b}[31mb c\\u{202e}d\\u{9b}"
        );
        assert_eq!(inert("blåbærsyltetøy «x»"), "blåbærsyltetøy «x»");
        assert_eq!(inert(&"x".repeat(5000)).chars().count(), TEXT_LIMIT + 1);
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("ett to tre", 6), ["ett to", "tre"]);
        assert_eq!(wrapped("abcdefgh i", 3), ["abc", "def", "gh", "i"]);
        assert_eq!(wrapped("", 10), [""]);
        assert_eq!(wrapped("x y", 0), ["x", "y"]);
    }

    #[test]
    fn numbers_and_lengths() {
        assert_eq!(numbers(&[], 3), "–");
        assert_eq!(numbers(&[1, 2], 3), "#1, #2");
        assert_eq!(numbers(&[1, 2, 3, 4, 5], 3), "#1, #2, #3 +2");
        assert_eq!(seconds(21_350), "21.3 s");
    }
}
