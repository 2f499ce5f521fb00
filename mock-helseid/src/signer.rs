//! Private keys: read from JWKs, made, and used for signatures.

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::encoding::EcPrivateKeyBin;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use serde_json::{Map, Value, json};

use crate::jwk::{Curve, KeyError, PublicKey, member, parse};
use crate::jws::{Algorithm, encode, text_of};

/// A private key with its algorithm and its public half.
#[derive(Debug)]
pub(crate) struct Signer {
    pair: Pair,
    pub(crate) algorithm: Algorithm,
    pub(crate) public: PublicKey,
}

#[derive(Debug)]
enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

impl Signer {
    /// A fresh key for ES256; takes well under a millisecond.
    pub(crate) fn new_es256() -> Result<Self, KeyError> {
        let failed = |_| KeyError::Generation("ECDSA".to_owned());
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
        let private: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().map_err(failed)?;
        let length = Curve::P256.coordinate_length();
        let point = pair.public_key().as_ref();
        let (Some(x), Some(y)) = (point.get(1..=length), point.get(length + 1..)) else {
            return Err(KeyError::Curve);
        };
        let jwk = json!({
            "kty": "EC", "crv": Curve::P256.name(), "alg": Algorithm::Es256.name(),
            "x": encode(x), "y": encode(y), "d": encode(private.as_ref()),
        });
        Self::from_jwk(&parse(&jwk.to_string())?)
    }

    /// Reads a private JWK. A key without `kid` gets one from its thumbprint, 32 upper-case hex digits as NHN writes them.
    pub(crate) fn from_jwk(jwk: &Map<String, Value>) -> Result<Self, KeyError> {
        let mut public = PublicKey::read(jwk)?;
        let algorithm = text_of(jwk, "alg").and_then(Algorithm::from_name);
        let algorithm = algorithm
            .filter(|algorithm| public.fits(*algorithm))
            .ok_or(KeyError::Algorithm)?;
        let pair = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => Pair::Ec(ec(jwk)?),
            _ => Pair::Rsa(rsa(jwk)?),
        };
        if public.kid.is_none() {
            public.kid = Some(key_id(&public));
        }
        Ok(Self {
            pair,
            algorithm,
            public,
        })
    }

    /// A compact JWS with the given header members (without `alg` and `kid`) and claims.
    pub(crate) fn sign(&self, token_type: &str, claims: &Value) -> Option<String> {
        let header = json!({
            "alg": self.algorithm.name(), "typ": token_type, "kid": self.public.kid,
        });
        let signed = format!(
            "{}.{}",
            encode(header.to_string()),
            encode(claims.to_string())
        );
        let signature = self.signature(signed.as_bytes())?;
        Some(format!("{signed}.{}", encode(signature)))
    }

    fn signature(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => {
                let signature = pair.sign(&random, message).ok()?;
                Some(signature.as_ref().to_vec())
            }
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding(self.algorithm)?, &random, message, &mut signature)
                    .ok()?;
                Some(signature)
            }
        }
    }
}

/// The id of a key that has none: the first half of its thumbprint.
pub(crate) fn key_id(public: &PublicKey) -> String {
    let thumbprint = public.thumbprint_bytes();
    let half = thumbprint.iter().take(16);
    half.map(|byte| format!("{byte:02X}")).collect()
}

fn padding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_SHA512),
        Algorithm::Ps256 => Some(&RSA_PSS_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => None,
    }
}

fn ec(jwk: &Map<String, Value>) -> Result<EcdsaKeyPair, KeyError> {
    let curve = text_of(jwk, "crv").and_then(Curve::from_name);
    let algorithm = match curve.ok_or(KeyError::Curve)? {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
    };
    let point = [vec![4], member(jwk, "x")?, member(jwk, "y")?].concat();
    let private = member(jwk, "d")?;
    EcdsaKeyPair::from_private_key_and_public_key(algorithm, &private, &point)
        .map_err(|_| KeyError::Inconsistent)
}

fn rsa(jwk: &Map<String, Value>) -> Result<RsaKeyPair, KeyError> {
    let components = KeyPairComponents {
        public_key: PublicKeyComponents {
            n: member(jwk, "n")?,
            e: member(jwk, "e")?,
        },
        d: member(jwk, "d")?,
        p: member(jwk, "p")?,
        q: member(jwk, "q")?,
        dP: member(jwk, "dp")?,
        dQ: member(jwk, "dq")?,
        qInv: member(jwk, "qi")?,
    };
    RsaKeyPair::from_components(&components).map_err(|_| KeyError::Inconsistent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jws::Jws;

    #[test]
    fn a_fresh_key_signs_what_its_public_half_verifies() {
        let signer = Signer::new_es256().unwrap();
        let text = signer.sign("at+jwt", &json!({"a": 1})).unwrap();
        let jws = Jws::read(&text).unwrap();
        assert!(signer.public.has_signed(&jws));
        assert!(!Signer::new_es256().unwrap().public.has_signed(&jws));
        assert_eq!(text_of(&jws.header, "kid").map(str::len), Some(32));
    }
}
