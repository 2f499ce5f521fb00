//! Reading TOML by hand: every key is asked for by name, what was not asked for is an error, and all errors are
//! collected with their places.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, suggestion};
use crate::Text;

/// Longest duration that a file may state.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A file that is being read, and what was found wrong with it.
pub(crate) struct Source<'s> {
    path: &'s str,
    text: &'s str,
    problems: RefCell<Vec<Problem>>,
}

impl<'s> Source<'s> {
    /// Reads a file's text: `read` gets the root table. The result is there when nothing at all was wrong.
    pub(crate) fn read<T>(
        path: &'s str,
        text: &'s str,
        read: impl FnOnce(Table<'_>) -> Option<T>,
    ) -> Result<T, Vec<Problem>> {
        let source = Self {
            path,
            text,
            problems: RefCell::default(),
        };
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            source.problem(&error.span().unwrap_or(0..0), error.message().to_owned());
        }
        if !source.problems.borrow().is_empty() {
            return Err(source.problems.into_inner());
        }
        let value = read(Table::new(&source, root.get_ref(), 0..0, String::new()));
        let problems = source.problems.into_inner();
        match value {
            Some(value) if problems.is_empty() => Ok(value),
            _ => Err(problems),
        }
    }

    fn problem(&self, span: &Range<usize>, message: String) {
        self.problems
            .borrow_mut()
            .push(Problem::at(self.path, self.text, span, message));
    }
}

/// A table of the file, which remembers the keys that were asked for.
pub(crate) struct Table<'s> {
    source: &'s Source<'s>,
    table: &'s DeTable<'s>,
    span: Range<usize>,
    name: String,
    asked: RefCell<Vec<&'static str>>,
}

/// A string with its place.
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
}

impl<'s> Table<'s> {
    fn new(
        source: &'s Source<'s>,
        table: &'s DeTable<'s>,
        span: Range<usize>,
        name: String,
    ) -> Self {
        Self {
            source,
            table,
            span,
            name,
            asked: RefCell::default(),
        }
    }

    fn value(&self, key: &'static str) -> Option<&'s Spanned<DeValue<'s>>> {
        self.asked.borrow_mut().push(key);
        self.table
            .iter()
            .find(|(each, _)| each.get_ref() == key)
            .map(|(_, value)| value)
    }

    /// The keys that stand in the file.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.table.iter().map(|(key, _)| key.get_ref().as_ref())
    }

    /// Records that something is wrong at this table.
    pub(crate) fn problem(&self, message: impl Into<String>) {
        self.source.problem(&self.span, message.into());
    }

    /// Records that something is wrong at a place.
    pub(crate) fn problem_at(&self, span: &Range<usize>, message: impl Into<String>) {
        self.source.problem(span, message.into());
    }

    fn missing(&self, key: &str) {
        let place = if self.name.is_empty() {
            "the file".to_owned()
        } else {
            format!("`{}`", self.name)
        };
        self.problem(format!("{place} lacks the key `{key}`"));
    }

    fn wrong_type(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let message = format!(
            "`{key}` must be {wanted}, not {}",
            value.get_ref().type_str()
        );
        self.source.problem(&value.span(), message);
    }

    /// Whether the key is there.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    pub(crate) fn optional_word(&self, key: &'static str) -> Option<Word> {
        let value = self.value(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, value, "a string");
            return None;
        };
        if text.trim().is_empty() {
            self.source
                .problem(&value.span(), format!("`{key}` is empty"));
            return None;
        }
        Some(Word {
            text: text.to_owned(),
            span: value.span(),
        })
    }

    pub(crate) fn word(&self, key: &'static str) -> Option<Word> {
        let there = self.has(key);
        if !there {
            self.missing(key);
        }
        self.optional_word(key)
    }

    pub(crate) fn string(&self, key: &'static str) -> Option<String> {
        self.word(key).map(|word| word.text)
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.word(key)?;
        self.chosen(key, &word, choices)
    }

    pub(crate) fn optional_choice<T: Copy>(
        &self,
        key: &'static str,
        choices: &[(&str, T)],
        otherwise: T,
    ) -> Option<T> {
        match self.optional_word(key) {
            Some(word) => self.chosen(key, &word, choices),
            None => Some(otherwise),
        }
    }

    fn chosen<T: Copy>(&self, key: &str, word: &Word, choices: &[(&str, T)]) -> Option<T> {
        let found = choices
            .iter()
            .find(|(name, _)| *name == word.text)
            .map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.unknown(&format!("{key} "), word, &names);
        }
        found
    }

    /// Records that a name is none of the valid ones.
    pub(crate) fn unknown(&self, what: &str, word: &Word, valid: &[&str]) {
        let near = suggestion(&word.text, valid.iter().copied());
        let valid = if near.is_empty() && valid.len() <= 12 {
            format!("; valid: {}", valid.join(", "))
        } else {
            near
        };
        self.source
            .problem(&word.span, format!("unknown {what}`{}`{valid}", word.text));
    }

    /// A text in both languages.
    pub(crate) fn text(&self, key: &'static str) -> Option<Text> {
        let table = self.table(key)?;
        let text = (table.string("nb"), table.string("en"));
        table.finish();
        match text {
            (Some(nb), Some(en)) => Some(Text { nb, en }),
            _ => None,
        }
    }

    pub(crate) fn optional_boolean(&self, key: &'static str, otherwise: bool) -> bool {
        let Some(value) = self.value(key) else {
            return otherwise;
        };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.wrong_type(key, value, "true or false");
            otherwise
        })
    }

    /// An integer of `range`.
    pub(crate) fn integer(
        &self,
        key: &'static str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let Some(value) = self.value(key) else {
            self.missing(key);
            return None;
        };
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|number| range.contains(number));
        if number.is_none() {
            let message = format!(
                "`{key}` must be a whole number from {} to {}",
                range.start(),
                range.end()
            );
            self.source.problem(&value.span(), message);
        }
        number
    }

    /// A duration: a string with a unit (`"500ms"`, `"1.5s"`, `"10s"`, `"2min"`).
    pub(crate) fn duration(&self, key: &'static str) -> Option<Duration> {
        if !self.has(key) {
            self.missing(key);
            return None;
        }
        self.optional_duration(key)
    }

    pub(crate) fn optional_duration(&self, key: &'static str) -> Option<Duration> {
        let value = self.value(key)?;
        let duration = value.get_ref().as_str().and_then(duration);
        if duration.is_none() {
            let message = format!(
                "`{key}` must be a string with a number and a unit, at most 24h: \"500ms\", \"1.5s\", \"10s\", \"2min\""
            );
            self.source.problem(&value.span(), message);
        }
        duration
    }

    /// A list of words; empty when the key is absent.
    pub(crate) fn words(&self, key: &'static str) -> Vec<Word> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of strings");
            return Vec::new();
        };
        let words = array
            .iter()
            .filter_map(|item| match item.get_ref().as_str() {
                Some(text) => Some(Word {
                    text: text.to_owned(),
                    span: item.span(),
                }),
                None => {
                    self.wrong_type(key, item, "a list of strings");
                    None
                }
            });
        words.collect()
    }

    pub(crate) fn table(&self, key: &'static str) -> Option<Self> {
        if !self.has(key) {
            self.missing(key);
            return None;
        }
        self.optional_table(key)
    }

    pub(crate) fn optional_table(&self, key: &'static str) -> Option<Self> {
        let value = self.value(key)?;
        let table = self.as_table(key, value);
        if table.is_none() {
            self.wrong_type(key, value, "a table");
        }
        table
    }

    /// A list of tables; empty when the key is absent.
    pub(crate) fn tables(&self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, value, "a list of tables");
            return Vec::new();
        };
        let tables = array.iter().filter_map(|item| {
            let table = self.as_table(key, item);
            if table.is_none() {
                self.wrong_type(key, item, "a list of tables");
            }
            table
        });
        tables.collect()
    }

    fn as_table(&self, key: &str, value: &'s Spanned<DeValue<'s>>) -> Option<Self> {
        let table = value.get_ref().as_table()?;
        Some(Self::new(self.source, table, value.span(), key.to_owned()))
    }

    /// Reports every key that nobody asked for, with the nearest one that was asked for.
    pub(crate) fn finish(self) {
        let asked = self.asked.borrow();
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if !asked.contains(&name) {
                let near = suggestion(name, asked.iter().copied());
                let place = if self.name.is_empty() {
                    String::new()
                } else {
                    format!(" in `{}`", self.name)
                };
                self.source
                    .problem(&key.span(), format!("unknown key `{name}`{place}{near}"));
            }
        }
    }
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at(digits);
    let unit_ms: u64 = match unit.trim_start() {
        "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || whole.len() > 9 || fraction.len() > 3 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let parts: u64 = format!("{fraction:0<3}").parse().ok()?;
    let length = Duration::from_millis(whole * unit_ms + parts * unit_ms / 1000);
    (length <= LONGEST).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, ms) in [
            ("10s", 10_000),
            ("1.5s", 1500),
            ("500ms", 500),
            ("2min", 120_000),
            ("0s", 0),
            ("24h", 86_400_000),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in [
            "",
            "10",
            "s",
            "1.s",
            ".5s",
            "10 sec",
            "-1s",
            "1..2s",
            "25h",
            "99999999999s",
            "1.2345s",
            "ås",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_duration_panic(text in "\\PC{0,20}|[0-9.]{0,12}[a-z]{0,4}") {
            duration(&text);
        }
    }
}
