//! The certificate pair of a party, with what the register says of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use time::OffsetDateTime;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Signing and encryption certificate of a party.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    pub(crate) signing: Stored,
    pub(crate) encryption: Stored,
}

/// One certificate.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    /// DER in base64.
    pub(crate) base64: String,
    /// Serial number in decimal, as LDAP addresses write it (contract 02 section 3.3).
    serial: String,
    not_after: OffsetDateTime,
}

/// The bytes are no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {which} certificate is not readable: {detail}")]
pub struct CertificateUnreadable {
    /// `signing` or `encryption`.
    pub which: &'static str,
    /// What is wrong.
    pub detail: String,
}

impl Certificates {
    pub(crate) fn read(signing: &[u8], encryption: &[u8]) -> Result<Self, CertificateUnreadable> {
        Ok(Self {
            signing: Stored::read(signing, "signing")?,
            encryption: Stored::read(encryption, "encryption")?,
        })
    }

    /// The earlier end of the two.
    pub(crate) fn not_after(&self) -> OffsetDateTime {
        self.signing.not_after.min(self.encryption.not_after)
    }

    /// The LDAP address that leads to the pair.
    pub(crate) fn ldap_url(&self, base: &str) -> String {
        let filter = |stored: &Stored| format!("(certificateSerialNumber={})", stored.serial);
        let filters = filter(&self.signing) + &filter(&self.encryption);
        format!("{base}?usercertificate;binary?sub?(|{filters})")
    }
}

impl Stored {
    fn read(der: &[u8], which: &'static str) -> Result<Self, CertificateUnreadable> {
        let unreadable = |detail: String| CertificateUnreadable { which, detail };
        let certificate =
            Certificate::from_der(der).map_err(|error| unreadable(error.to_string()))?;
        let body = certificate.tbs_certificate;
        let end = body.validity.not_after.to_unix_duration().as_secs();
        let not_after = i64::try_from(end)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .ok_or_else(|| unreadable("its end lies outside the calendar".into()))?;
        Ok(Self {
            base64: STANDARD.encode(der),
            serial: decimal(body.serial_number.as_bytes()),
            not_after,
        })
    }
}

/// A big-endian number of any length in decimal.
fn decimal(bytes: &[u8]) -> String {
    // Least significant digit first.
    let mut digits = vec![0_u16];
    for byte in bytes {
        let mut carry = u16::from(*byte);
        for digit in &mut digits {
            let value = *digit * 256 + carry;
            *digit = value % 10;
            carry = value / 10;
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    }
    let digit = |digit: &u16| char::from_digit(u32::from(*digit), 10);
    digits.iter().rev().filter_map(digit).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        let error = Certificates::read(b"abc", b"abc").unwrap_err();
        assert_eq!(error.which, "signing");
    }

    proptest! {
        #[test]
        fn decimal_as_the_machine_counts(number in any::<u128>()) {
            prop_assert_eq!(decimal(&number.to_be_bytes()), number.to_string());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Certificates::read(&bytes, &bytes);
        }
    }
}
