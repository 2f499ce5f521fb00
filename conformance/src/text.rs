//! A text for the vendor's reader, in both languages.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The same sentence in Norwegian bokmål and English.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Text {
    /// Norwegian bokmål.
    pub nb: String,
    /// English.
    pub en: String,
}

impl Text {
    /// A text from its two forms.
    pub fn new(nb: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            nb: nb.into(),
            en: en.into(),
        }
    }
}

impl fmt::Display for Text {
    /// Norwegian first, English beside it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} / {}", self.nb, self.en)
    }
}
