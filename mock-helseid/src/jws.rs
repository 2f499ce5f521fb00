//! Compact JWS (RFC 7515): taken apart within limits, before any signature is looked at.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Longest JWS that is read. Real ones have two to three thousand characters.
pub(crate) const LENGTH_LIMIT: usize = 16 * 1024;

/// The algorithms of contract 05 section 1.6; all asymmetric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
}

/// Every algorithm with its name on the wire, in the order of the discovery document.
pub(crate) const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::Rs256),
    ("RS384", Algorithm::Rs384),
    ("RS512", Algorithm::Rs512),
    ("PS256", Algorithm::Ps256),
    ("PS384", Algorithm::Ps384),
    ("PS512", Algorithm::Ps512),
    ("ES256", Algorithm::Es256),
    ("ES384", Algorithm::Es384),
    ("ES512", Algorithm::Es512),
];

impl Algorithm {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let found = ALGORITHMS.iter().find(|(known, _)| *known == name);
        found.map(|(_, algorithm)| *algorithm)
    }

    pub(crate) fn name(self) -> &'static str {
        let found = ALGORITHMS.iter().find(|(_, known)| *known == self);
        found.map_or("", |(name, _)| name)
    }

    /// Whether it is RSA with PKCS#1 v1.5 padding, which the security profile advises against.
    pub(crate) fn is_pkcs1(self) -> bool {
        matches!(self, Self::Rs256 | Self::Rs384 | Self::Rs512)
    }
}

/// A JWS whose signature has not been checked yet.
#[derive(Debug)]
pub(crate) struct Jws<'a> {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    pub(crate) algorithm: Algorithm,
    /// What is signed.
    pub(crate) signed: &'a str,
    pub(crate) signature: Vec<u8>,
}

/// Why a text is not a JWS that can be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwsError {
    #[error("it is longer than {LENGTH_LIMIT} characters")]
    TooLong,
    #[error("it is not a compact JWS of three parts")]
    NotCompact,
    #[error("its {0} is not base64url without padding")]
    Base64(&'static str),
    #[error("its {0} is not a JSON object")]
    Json(&'static str),
    #[error("its header lacks 'alg'")]
    NoAlgorithm,
    #[error(
        "the algorithm '{0}' is not allowed; use one of RS, PS or ES with 256, 384 or 512 bits"
    )]
    Algorithm(String),
    #[error("its header demands extensions ('crit') that are not known here")]
    Critical,
}

impl<'a> Jws<'a> {
    /// Takes a compact JWS apart.
    pub(crate) fn read(text: &'a str) -> Result<Self, JwsError> {
        if text.len() > LENGTH_LIMIT {
            return Err(JwsError::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::NotCompact)?;
        let (header, claims) = signed.split_once('.').ok_or(JwsError::NotCompact)?;
        if claims.contains('.') {
            return Err(JwsError::NotCompact);
        }
        let header = object("header", header)?;
        let claims = object("payload", claims)?;
        if header.contains_key("crit") {
            return Err(JwsError::Critical);
        }
        let algorithm = text_of(&header, "alg").ok_or(JwsError::NoAlgorithm)?;
        let algorithm = Algorithm::from_name(algorithm)
            .ok_or_else(|| JwsError::Algorithm(shortened(algorithm)))?;
        Ok(Self {
            header,
            claims,
            algorithm,
            signed,
            signature: decode("signature", signature)?,
        })
    }
}

/// A member that is a string.
pub(crate) fn text_of<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// A piece of foreign text that is fit for a description: short, and without control characters.
pub(crate) fn shortened(text: &str) -> String {
    let shown = text.chars().filter(|letter| !letter.is_control()).take(120);
    shown.collect()
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(part: &'static str, text: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| JwsError::Base64(part))
}

fn object(part: &'static str, text: &str) -> Result<Map<String, Value>, JwsError> {
    let bytes = decode(part, text)?;
    serde_json::from_slice(&bytes).map_err(|_| JwsError::Json(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jws(header: &str, claims: &str) -> String {
        format!("{}.{}.{}", encode(header), encode(claims), encode([1, 2]))
    }

    fn refused(text: &str) -> JwsError {
        Jws::read(text).unwrap_err()
    }

    #[test]
    fn parts_are_read() {
        let text = jws(r#"{"alg":"ES256","typ":"dpop\u002Bjwt"}"#, r#"{"a":1}"#);
        let read = Jws::read(&text).unwrap();
        assert_eq!(read.algorithm, Algorithm::Es256);
        assert_eq!(text_of(&read.header, "typ"), Some("dpop+jwt"));
        assert_eq!(read.claims["a"], 1);
        assert_eq!(read.signature, [1, 2]);
        assert!(text.starts_with(read.signed));
    }

    #[test]
    fn hostile_texts_are_refused() {
        for algorithm in ["none", "None", "HS256", "EdDSA", "", "es256"] {
            let text = jws(&format!(r#"{{"alg":"{algorithm}"}}"#), "{}");
            assert_eq!(refused(&text), JwsError::Algorithm(algorithm.into()));
        }
        assert_eq!(refused(&jws(r#"{"alg":1}"#, "{}")), JwsError::NoAlgorithm);
        let critical = jws(r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, "{}");
        assert_eq!(refused(&critical), JwsError::Critical);
        assert_eq!(refused(&jws("[]", "{}")), JwsError::Json("header"));
        assert_eq!(
            refused(&jws(r#"{"alg":"ES256"}"#, "1")),
            JwsError::Json("payload")
        );
        assert_eq!(refused("a.b"), JwsError::NotCompact);
        assert_eq!(refused("a.b.c.d"), JwsError::NotCompact);
        assert_eq!(refused("e30=.e30.AA"), JwsError::Base64("header"));
        assert_eq!(refused(&"a".repeat(LENGTH_LIMIT + 1)), JwsError::TooLong);
        let deep = jws(&"[".repeat(9000), "{}");
        assert_eq!(refused(&deep), JwsError::Json("header"));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "[A-Za-z0-9_.=-]{0,200}") {
            let _ = Jws::read(&text);
        }
    }
}
