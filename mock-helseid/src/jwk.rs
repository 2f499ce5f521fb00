//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 section 6), their thumbprints (RFC 7638), and signatures by them.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::jws::{Algorithm, Jws, encode, text_of};

/// Members that only a private or a symmetric key has.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "k", "oth"];
/// Longest public exponent in bytes; a longer one only makes verification slow.
const EXPONENT_LIMIT: usize = 8;

/// A key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not a JSON object.
    #[error("the key is not a JSON object")]
    Json,
    /// The kind is not `RSA` or `EC`.
    #[error("the key is of another kind than RSA or EC")]
    Kind,
    /// A member is missing or not base64url.
    #[error("the member '{0}' of the key is missing or not base64url without padding")]
    Member(&'static str),
    /// The curve is not P-256, P-384 or P-521, or a coordinate has not its length.
    #[error(
        "the key is not on the curve P-256, P-384 or P-521, or its coordinates have another length"
    )]
    Curve,
    /// An RSA key is too short or too long.
    #[error("the RSA key has {0} bits; from 2048 to 8192 are allowed")]
    RsaSize(usize),
    /// A public key was expected and the private members are there as well.
    #[error("the key contains the private or secret member '{0}'")]
    Private(&'static str),
    /// The algorithm is missing or does not fit the kind of the key.
    #[error("the member 'alg' of the key is missing, unknown, or does not fit its kind")]
    Algorithm,
    /// The members of a private key do not go together.
    #[error("the members of the private key do not go together")]
    Inconsistent,
    /// Making a key failed.
    #[error("no key could be made: {0}")]
    Generation(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
    },
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    material: Material,
    pub(crate) kid: Option<String>,
    /// Member `alg`, whatever it says.
    pub(crate) algorithm: Option<String>,
}

impl Curve {
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name {
            "P-256" => Some(Self::P256),
            "P-384" => Some(Self::P384),
            "P-521" => Some(Self::P521),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    pub(crate) fn coordinate_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl PublicKey {
    /// Reads the public members of a key; private ones are not looked at.
    pub(crate) fn read(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let material = match text_of(jwk, "kty") {
            Some("RSA") => {
                let n = without_zeros(member(jwk, "n")?);
                let e = without_zeros(member(jwk, "e")?);
                let first = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
                let bits = n.len() * 8 - first;
                if !(2048..=8192).contains(&bits) {
                    return Err(KeyError::RsaSize(bits));
                }
                if e.is_empty() || e.len() > EXPONENT_LIMIT {
                    return Err(KeyError::Member("e"));
                }
                Material::Rsa { n, e }
            }
            Some("EC") => {
                let curve = text_of(jwk, "crv")
                    .and_then(Curve::from_name)
                    .ok_or(KeyError::Curve)?;
                let (x, y) = (member(jwk, "x")?, member(jwk, "y")?);
                if x.len() != curve.coordinate_length() || y.len() != x.len() {
                    return Err(KeyError::Curve);
                }
                Material::Ec { curve, x, y }
            }
            _ => return Err(KeyError::Kind),
        };
        Ok(Self {
            material,
            kid: text_of(jwk, "kid").map(str::to_owned),
            algorithm: text_of(jwk, "alg").map(str::to_owned),
        })
    }

    /// Reads a key that must not hold anything private.
    pub(crate) fn read_public(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        if let Some(name) = PRIVATE.into_iter().find(|name| jwk.contains_key(*name)) {
            return Err(KeyError::Private(name));
        }
        Self::read(jwk)
    }

    /// The SHA-256 thumbprint, base64url (RFC 7638): over the required members only, in the order of their names.
    pub(crate) fn thumbprint(&self) -> String {
        encode(self.thumbprint_bytes())
    }

    pub(crate) fn thumbprint_bytes(&self) -> [u8; 32] {
        let text = match &self.material {
            Material::Rsa { n, e } => {
                format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n))
            }
            Material::Ec { curve, x, y } => format!(
                r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
                curve.name(),
                encode(x),
                encode(y)
            ),
        };
        Sha256::digest(text).into()
    }

    /// Whether the algorithm can be used with the key at all.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        match &self.material {
            Material::Rsa { .. } => rsa(algorithm).is_some(),
            Material::Ec { curve, .. } => matches!(
                (curve, algorithm),
                (Curve::P256, Algorithm::Es256)
                    | (Curve::P384, Algorithm::Es384)
                    | (Curve::P521, Algorithm::Es512)
            ),
        }
    }

    /// Whether the signature of `jws` is by this key.
    pub(crate) fn has_signed(&self, jws: &Jws<'_>) -> bool {
        if !self.fits(jws.algorithm) {
            return false;
        }
        let message = jws.signed.as_bytes();
        match &self.material {
            Material::Rsa { n, e } => rsa(jws.algorithm).is_some_and(|parameters| {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(parameters, message, &jws.signature).is_ok()
            }),
            Material::Ec { curve, x, y } => {
                let point = [&[4], x.as_slice(), y.as_slice()].concat();
                let algorithm = match curve {
                    Curve::P256 => &ECDSA_P256_SHA256_FIXED,
                    Curve::P384 => &ECDSA_P384_SHA384_FIXED,
                    Curve::P521 => &ECDSA_P521_SHA512_FIXED,
                };
                let key = UnparsedPublicKey::new(algorithm, point);
                key.verify(message, &jws.signature).is_ok()
            }
        }
    }

    /// The key as a JWK for signatures.
    pub(crate) fn to_json(&self) -> Value {
        let mut jwk = match &self.material {
            Material::Rsa { n, e } => json!({"kty": "RSA", "n": encode(n), "e": encode(e)}),
            Material::Ec { curve, x, y } => {
                json!({"kty": "EC", "crv": curve.name(), "x": encode(x), "y": encode(y)})
            }
        };
        jwk["use"] = "sig".into();
        if let Some(kid) = &self.kid {
            jwk["kid"] = kid.as_str().into();
        }
        if let Some(algorithm) = &self.algorithm {
            jwk["alg"] = algorithm.as_str().into();
        }
        jwk
    }
}

/// Reads a JWK from text.
pub(crate) fn parse(text: &str) -> Result<Map<String, Value>, KeyError> {
    serde_json::from_str(text).map_err(|_| KeyError::Json)
}

/// A member that is a number or coordinate.
pub(crate) fn member(jwk: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, KeyError> {
    text_of(jwk, name)
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .filter(|bytes| !bytes.is_empty())
        .ok_or(KeyError::Member(name))
}

fn without_zeros(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638 section 3.1.
    const EXAMPLE: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;

    fn read(text: &str) -> Result<PublicKey, KeyError> {
        PublicKey::read_public(&parse(text)?)
    }

    #[test]
    fn the_thumbprint_is_that_of_the_standard() {
        let key = read(EXAMPLE).unwrap();
        assert_eq!(
            key.thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        assert_eq!(key.kid.as_deref(), Some("2011-04-29"));
        let again = read(&key.to_json().to_string()).unwrap();
        assert_eq!(again, key);
    }

    #[test]
    fn unusable_keys_are_refused() {
        let with = |name: &str, value: Value| {
            let mut jwk = parse(EXAMPLE).unwrap();
            jwk.insert(name.to_owned(), value);
            read(&Value::Object(jwk).to_string()).unwrap_err()
        };
        assert_eq!(with("d", json!("AQ")), KeyError::Private("d"));
        assert_eq!(with("k", json!("AQ")), KeyError::Private("k"));
        assert_eq!(with("kty", json!("oct")), KeyError::Kind);
        assert_eq!(with("n", json!("AQAB")), KeyError::RsaSize(17));
        assert_eq!(with("n", json!("AAAA")), KeyError::RsaSize(0));
        assert_eq!(with("n", json!("a b")), KeyError::Member("n"));
        assert_eq!(with("e", json!("AQABAQABAQABAQAB")), KeyError::Member("e"));
        assert_eq!(with("kty", json!("EC")), KeyError::Curve);
        assert_eq!(read("[1]").unwrap_err(), KeyError::Json);
        let short = r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}"#;
        assert_eq!(read(short).unwrap_err(), KeyError::Curve);
    }
}
