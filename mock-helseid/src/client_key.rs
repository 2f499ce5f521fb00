//! Keys for clients, made for an environment that has none.

use std::fmt;

use openssl::bn::BigNumRef;
use openssl::error::ErrorStack;
use openssl::rsa::Rsa;
use serde_json::{Value, json};

use crate::jwk::{KeyError, PublicKey, parse};
use crate::jws::{Algorithm, encode};
use crate::signer::{Signer, key_id};

/// Bits of a made key: the least that every verifier takes, because a longer one takes seconds to make.
const RSA_BITS: u32 = 2048;

/// A client's key in both forms. It signs client assertions and DPoP proofs.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientKey {
    /// The private key, a JWK with all members of RFC 7518 section 6.3 (or 6.2 for EC), `kid` and `alg`.
    pub private_jwk_json: String,
    /// The public half, a JWK with the same `kid` and `alg`: what a client registers.
    pub public_jwk_json: String,
}

/// Makes a key for PS256: RSA is what the official libraries take and generate, and PS256 what the security profile
/// names (contract 05 section 1.6). Takes from a tenth of a second to a second; keep it with
/// [`ClientKey::private_jwk_json`] and [`ClientKey::from_private_jwk`].
///
/// # Errors
/// [`KeyError::Generation`] when no key could be made.
pub fn new_client_key() -> Result<ClientKey, KeyError> {
    let failed = |error: ErrorStack| KeyError::Generation(error.to_string());
    let key = Rsa::generate(RSA_BITS).map_err(failed)?;
    let number = |value: Option<&BigNumRef>| value.map(|value| encode(value.to_vec()));
    let mut jwk = json!({
        "kty": "RSA", "use": "sig", "alg": Algorithm::Ps256.name(),
        "n": number(Some(key.n())), "e": number(Some(key.e())), "d": number(Some(key.d())),
        "p": number(key.p()), "q": number(key.q()),
        "dp": number(key.dmp1()), "dq": number(key.dmq1()), "qi": number(key.iqmp()),
    });
    let public = PublicKey::read(&parse(&jwk.to_string())?)?;
    jwk["kid"] = key_id(&public).into();
    ClientKey::from_private_jwk(&jwk.to_string())
}

impl ClientKey {
    /// Reads a key that was kept: RSA or EC, with `alg`. A missing `kid` is filled in.
    ///
    /// # Errors
    /// [`KeyError`] when the text is not a private key that can sign with its algorithm.
    pub fn from_private_jwk(text: &str) -> Result<Self, KeyError> {
        let mut jwk = parse(text)?;
        let signer = Signer::from_jwk(&jwk)?;
        if let Some(kid) = &signer.public.kid {
            jwk.insert("kid".to_owned(), Value::from(kid.as_str()));
        }
        Ok(Self {
            private_jwk_json: Value::Object(jwk).to_string(),
            public_jwk_json: signer.public.to_json().to_string(),
        })
    }
}

impl fmt::Debug for ClientKey {
    /// Leaves the private key out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientKey")
            .field("public_jwk_json", &self.public_jwk_json)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_is_the_same_key() {
        let key = new_client_key().unwrap();
        assert_eq!(
            ClientKey::from_private_jwk(&key.private_jwk_json),
            Ok(key.clone())
        );
        let public = parse(&key.public_jwk_json).unwrap();
        assert!(PublicKey::read_public(&public).is_ok());
        assert_eq!(public["alg"], "PS256");
        let private = parse(&key.private_jwk_json).unwrap();
        assert_eq!(private["kid"], public["kid"]);
        let secret = private["d"].as_str().unwrap();
        assert!(!format!("{key:?}").contains(secret));
        assert!(!key.public_jwk_json.contains(secret));
    }

    #[test]
    fn a_public_or_patched_key_is_no_private_key() {
        let key = new_client_key().unwrap();
        assert_eq!(
            ClientKey::from_private_jwk(&key.public_jwk_json),
            Err(KeyError::Member("d"))
        );
        let mut patched = parse(&key.private_jwk_json).unwrap();
        patched.insert("d".into(), "AQAB".into());
        assert_eq!(
            ClientKey::from_private_jwk(&Value::Object(patched.clone()).to_string()),
            Err(KeyError::Inconsistent)
        );
        patched.insert("alg".into(), "ES256".into());
        assert_eq!(
            ClientKey::from_private_jwk(&Value::Object(patched).to_string()),
            Err(KeyError::Algorithm)
        );
    }
}
