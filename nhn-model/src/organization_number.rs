//! Norwegian organisation numbers.

use std::fmt;
use std::str::FromStr;

/// Weights of the first eight digits.
const WEIGHTS: [u32; 8] = [3, 2, 7, 6, 5, 4, 3, 2];

/// Nine digits of which the last is a check digit modulo 11. The fixtures use numbers of the series for synthetic data,
/// which begins with 3 (contract 02 section 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationNumber(u32);

/// A text is no organisation number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationNumberError {
    /// It does not have nine digits.
    #[error("an organisation number has nine digits")]
    Digits,
    /// The last digit is not the one that the others demand.
    #[error("the check digit of the organisation number is wrong")]
    CheckDigit,
}

impl OrganizationNumber {
    /// The number, as the register hands it out.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for OrganizationNumber {
    type Error = OrganizationNumberError;

    fn try_from(number: u32) -> Result<Self, OrganizationNumberError> {
        format!("{number:09}").parse()
    }
}

impl FromStr for OrganizationNumber {
    type Err = OrganizationNumberError;

    /// Reads nine digits; spaces between them are usual in print and passed over.
    fn from_str(text: &str) -> Result<Self, OrganizationNumberError> {
        use OrganizationNumberError::{CheckDigit, Digits};
        let mut digits = [0_u32; 9];
        let mut count = 0;
        for character in text.trim().chars().filter(|character| *character != ' ') {
            let digit = character.to_digit(10).ok_or(Digits)?;
            *digits.get_mut(count).ok_or(Digits)? = digit;
            count += 1;
        }
        if count != digits.len() {
            return Err(Digits);
        }
        let sum: u32 = WEIGHTS
            .iter()
            .zip(digits)
            .map(|(weight, digit)| weight * digit)
            .sum();
        // A remainder of 1 asks for the check digit 10, which does not exist.
        if (11 - sum % 11) % 11 != digits[8] {
            return Err(CheckDigit);
        }
        Ok(Self(
            digits.iter().fold(0, |number, digit| number * 10 + digit),
        ))
    }
}

impl fmt::Display for OrganizationNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:09}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_numbers_of_the_fixtures_are_right() {
        for number in ["310900109", "310900206", "310900303", "310 900 109"] {
            let read: OrganizationNumber = number.parse().unwrap();
            assert_eq!(read.to_string(), number.replace(' ', ""));
        }
    }

    #[test]
    fn others_are_not() {
        for text in [
            "",
            "31090010",
            "3109001090",
            "31090010x",
            "-10900109",
            "９７４７６０６７３",
        ] {
            assert_eq!(
                text.parse::<OrganizationNumber>(),
                Err(OrganizationNumberError::Digits),
                "{text}"
            );
        }
        assert_eq!(
            "310900108".parse::<OrganizationNumber>(),
            Err(OrganizationNumberError::CheckDigit)
        );
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_found(number in 0_u32..1_000_000_000, place in 0_u32..9, change in 1_u32..10) {
            if let Ok(right) = OrganizationNumber::try_from(number) {
                let unit = 10_u32.pow(place);
                let digit = number / unit % 10;
                let wrong = number - digit * unit + (digit + change) % 10 * unit;
                prop_assert_eq!(right.to_string().parse(), Ok(right));
                prop_assert!(OrganizationNumber::try_from(wrong).is_err());
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = text.parse::<OrganizationNumber>();
        }
    }
}
