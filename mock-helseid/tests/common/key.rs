//! Keys and signatures by OpenSSL: not the library that the service checks them with.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use serde_json::{Value, json};

/// A private key with the algorithm that it is used with.
#[derive(Clone)]
pub(crate) struct TestKey {
    pub(crate) kid: String,
    pub(crate) algorithm: &'static str,
    key: PKey<Private>,
}

impl TestKey {
    pub(crate) fn es256(kid: &str) -> Self {
        Self::ec(kid, "ES256", Nid::X9_62_PRIME256V1)
    }

    pub(crate) fn ec(kid: &str, algorithm: &'static str, curve: Nid) -> Self {
        let group = EcGroup::from_curve_name(curve).unwrap();
        Self {
            kid: kid.into(),
            algorithm,
            key: PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap(),
        }
    }

    pub(crate) fn rsa(kid: &str, algorithm: &'static str) -> Self {
        Self {
            kid: kid.into(),
            algorithm,
            key: PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
        }
    }

    /// The same key with another algorithm.
    pub(crate) fn using(&self, algorithm: &'static str) -> Self {
        Self {
            algorithm,
            ..self.clone()
        }
    }

    pub(crate) fn public_jwk(&self) -> Value {
        let mut jwk = match self.key.ec_key() {
            Ok(ec) => {
                let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
                let mut context = BigNumContext::new().unwrap();
                ec.public_key()
                    .affine_coordinates(ec.group(), &mut x, &mut y, &mut context)
                    .unwrap();
                let length = self.coordinate_length();
                let (curve, length) = (format!("P-{}", ec.group().degree()), length as i32);
                json!({"kty": "EC", "crv": curve, "x": encode(x.to_vec_padded(length).unwrap()),
                    "y": encode(y.to_vec_padded(length).unwrap())})
            }
            Err(_) => {
                let rsa = self.key.rsa().unwrap();
                json!({"kty": "RSA", "n": encode(rsa.n().to_vec()), "e": encode(rsa.e().to_vec())})
            }
        };
        jwk["kid"] = self.kid.as_str().into();
        jwk
    }

    /// The key's JWK with its private member.
    pub(crate) fn private_jwk(&self) -> Value {
        let mut jwk = self.public_jwk();
        jwk["d"] = encode(self.key.ec_key().unwrap().private_key().to_vec()).into();
        jwk
    }

    /// RFC 7638, by hand.
    pub(crate) fn thumbprint(&self) -> String {
        let jwk = self.public_jwk();
        let members = match jwk["kty"].as_str() {
            Some("EC") => format!(
                r#"{{"crv":{},"kty":"EC","x":{},"y":{}}}"#,
                jwk["crv"], jwk["x"], jwk["y"]
            ),
            _ => format!(r#"{{"e":{},"kty":"RSA","n":{}}}"#, jwk["e"], jwk["n"]),
        };
        encode(openssl::sha::sha256(members.as_bytes()))
    }

    /// A compact JWS.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.signature(signed.as_bytes());
        format!("{signed}.{}", encode(signature))
    }

    fn coordinate_length(&self) -> usize {
        (self.key.bits() as usize).div_ceil(8)
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let digest = match &self.algorithm[2..] {
            "256" => MessageDigest::sha256(),
            "384" => MessageDigest::sha384(),
            _ => MessageDigest::sha512(),
        };
        let mut signer = Signer::new(digest, &self.key).unwrap();
        if self.algorithm.starts_with("PS") {
            signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
            signer
                .set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)
                .unwrap();
        }
        signer.update(message).unwrap();
        let signature = signer.sign_to_vec().unwrap();
        if !self.algorithm.starts_with("ES") {
            return signature;
        }
        let (pair, length) = (
            EcdsaSig::from_der(&signature).unwrap(),
            self.coordinate_length() as i32,
        );
        let half = |number: &openssl::bn::BigNumRef| number.to_vec_padded(length).unwrap();
        [half(pair.r()), half(pair.s())].concat()
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Header and claims of a JWS.
pub(crate) fn decode(jws: &str) -> (Value, Value) {
    let mut parts = jws.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}
