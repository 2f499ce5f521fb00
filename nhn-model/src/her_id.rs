//! HER-ids, the numbers of communication parties in the address register.

use std::fmt;
use std::str::FromStr;

/// Largest HER-id: the register's type is a 32-bit signed number (contract 02 section 2.4).
const LARGEST: u32 = i32::MAX as u32;

/// The number of a communication party: a positive number that fits the register's `int`.
///
/// Signatures of this crate take plain `u32`; this type is for reading and checking what others wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HerId(u32);

/// A text or number is no HER-id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a HER-id is a whole number from 1 to {LARGEST}")]
pub struct HerIdError;

impl HerId {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for HerId {
    type Error = HerIdError;

    fn try_from(number: u32) -> Result<Self, HerIdError> {
        (1..=LARGEST)
            .contains(&number)
            .then_some(Self(number))
            .ok_or(HerIdError)
    }
}

impl FromStr for HerId {
    type Err = HerIdError;

    /// Reads digits; white space around them is passed over, as the official client does (contract 01 section 2.2).
    fn from_str(text: &str) -> Result<Self, HerIdError> {
        let text = text.trim();
        if text.is_empty() || text.len() > 20 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(HerIdError);
        }
        let number: u32 = text.parse().map_err(|_| HerIdError)?;
        Self::try_from(number)
    }
}

impl fmt::Display for HerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl From<HerId> for u32 {
    fn from(her_id: HerId) -> Self {
        her_id.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_and_what_is_not_one() {
        assert_eq!("109989".parse::<HerId>().unwrap().get(), 109_989);
        assert_eq!(" 8900011\n".parse::<HerId>().unwrap().get(), 8_900_011);
        for text in [
            "",
            "0",
            "-1",
            "+1",
            "1.0",
            "0x1",
            "2147483648",
            "99999999999999999999",
            "æ",
            "1 2",
        ] {
            assert_eq!(text.parse::<HerId>(), Err(HerIdError), "{text}");
        }
        assert_eq!(HerId::try_from(0), Err(HerIdError));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number in 1..=LARGEST) {
            let her_id = HerId::try_from(number).unwrap();
            prop_assert_eq!(her_id.to_string().parse::<HerId>(), Ok(her_id));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = text.parse::<HerId>();
        }
    }
}
