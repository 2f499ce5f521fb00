//! The body of a token request: `application/x-www-form-urlencoded`, each name once (contract 05 section 1.5, T2).

/// Most parameters that are read.
const PARAMETER_LIMIT: usize = 40;

/// The parameters of a request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pairs: Vec<(String, String)>,
}

/// Why a body is not a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    #[error("the body is not a form in UTF-8 with percent-encoding")]
    Encoding,
    #[error("the body has more than {PARAMETER_LIMIT} parameters")]
    TooMany,
    #[error("the parameter '{0}' is given more than once")]
    Repeated(String),
}

impl Form {
    /// Reads a body. `resource` alone may be repeated (RFC 8707); its first value is kept.
    pub(crate) fn read(body: &[u8]) -> Result<Self, FormError> {
        let text = std::str::from_utf8(body).map_err(|_| FormError::Encoding)?;
        let mut form = Self::default();
        for (number, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if number >= PARAMETER_LIMIT {
                return Err(FormError::TooMany);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if form.get(&name).is_none() {
                form.pairs.push((name, value));
            } else if name != "resource" {
                return Err(FormError::Repeated(crate::jws::shortened(&name)));
            }
        }
        Ok(form)
    }

    /// The value of a parameter, empty or not.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn decode(text: &str) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                high * 16 + low
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| FormError::Encoding)
}

fn digit(letter: Option<u8>) -> Result<u8, FormError> {
    let value = letter.and_then(|letter| char::from(letter).to_digit(16));
    let value = value.and_then(|value| u8::try_from(value).ok());
    value.ok_or(FormError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let form = Form::read(b"scope=nhn%3Acppa%2faccess+x&empty=&flag&resource=a&resource=b");
        let form = form.unwrap();
        assert_eq!(form.get("scope"), Some("nhn:cppa/access x"));
        assert_eq!(form.get("empty"), Some(""));
        assert_eq!(form.get("flag"), Some(""));
        assert_eq!(form.get("resource"), Some("a"));
        assert_eq!(form.get("absent"), None);
    }

    #[test]
    fn hostile_bodies_are_refused() {
        let repeated = Form::read(b"scope=a&sc%6Fpe=b");
        assert_eq!(repeated, Err(FormError::Repeated("scope".into())));
        for broken in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"\xff=1"] {
            assert_eq!(Form::read(broken), Err(FormError::Encoding));
        }
        let many: String = (0..41).map(|number| format!("p{number}=1&")).collect();
        assert_eq!(Form::read(many.as_bytes()), Err(FormError::TooMany));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = Form::read(&body);
        }
    }
}
