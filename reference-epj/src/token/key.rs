//! The client's private key: a JWK in a file, and the two kinds of proof that are signed with it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};

/// Life of a client assertion: short, but long enough for clocks that differ a little (contract 05 section 1.6).
const ASSERTION_LIFE: Duration = Duration::seconds(30);

/// The private key with its public half.
pub(crate) struct ClientKey {
    kid: Option<String>,
    algorithm: Algorithm,
    algorithm_name: String,
    public: Value,
    key: EncodingKey,
}

/// The members of a JWK (RFC 7517, RFC 7518 section 6) that this client understands.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

impl ClientKey {
    /// Reads a JWK with an RSA or a P-256 key. The error never repeats anything of the text.
    pub(crate) fn from_jwk(text: &[u8]) -> Result<Self, String> {
        let jwk: Jwk = serde_json::from_slice(text)
            .map_err(|error| format!("it is no JWK (line {})", error.line()))?;
        let (usual, public, key) = match jwk.kty.as_str() {
            "RSA" => ("PS256", rsa_public(&jwk)?, rsa_key(&jwk)?),
            "EC" => ("ES256", ec_public(&jwk)?, ec_key(&jwk)?),
            other => return Err(format!("keys of the kind {other:?} are not supported")),
        };
        let algorithm_name = jwk.alg.as_deref().unwrap_or(usual);
        let algorithm: Algorithm = algorithm_name
            .parse()
            .map_err(|_| "its algorithm is not supported".to_owned())?;
        let key = Self {
            kid: jwk.kid,
            algorithm,
            algorithm_name: algorithm_name.to_owned(),
            public,
            key,
        };
        // A key that does not fit its algorithm shows now and not at the first message.
        key.sign(&json!({}), &json!({}))?;
        Ok(key)
    }

    /// The client assertion (contract 05 section 1.6); `audience` is the issuer.
    pub(crate) fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: OffsetDateTime,
    ) -> Result<String, String> {
        let mut header = json!({ "alg": self.algorithm_name, "typ": "client-authentication+jwt" });
        if let Some(kid) = &self.kid {
            header["kid"] = kid.as_str().into();
        }
        let issued = now.unix_timestamp();
        let claims = json!({
            "iss": client_id, "sub": client_id, "aud": audience,
            "iat": issued, "nbf": issued, "exp": (now + ASSERTION_LIFE).unix_timestamp(),
            "jti": unique()?,
        });
        self.sign(&header, &claims)
    }

    /// A DPoP proof (RFC 9449 section 4.2): for the token endpoint with a nonce, for an API with the token.
    pub(crate) fn proof(
        &self,
        request: &Proven<'_>,
        now: OffsetDateTime,
    ) -> Result<String, String> {
        let header = json!({ "alg": self.algorithm_name, "typ": "dpop+jwt", "jwk": self.public });
        let mut claims = json!({
            "htm": request.method, "htu": request.url, "iat": now.unix_timestamp(), "jti": unique()?,
        });
        if let Some(nonce) = request.nonce {
            claims["nonce"] = nonce.into();
        }
        if let Some(token) = request.token {
            claims["ath"] = URL_SAFE_NO_PAD.encode(Sha256::digest(token)).into();
        }
        self.sign(&header, &claims)
    }

    /// A compact JWS.
    fn sign(&self, header: &Value, claims: &Value) -> Result<String, String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, self.algorithm)
            .map_err(|error| format!("its key cannot sign: {error}"))?;
        Ok(format!("{signed}.{signature}"))
    }
}

/// What a DPoP proof is bound to.
pub(crate) struct Proven<'a> {
    pub(crate) method: &'a str,
    /// Without query and fragment.
    pub(crate) url: &'a str,
    pub(crate) nonce: Option<&'a str>,
    pub(crate) token: Option<&'a str>,
}

/// A name that nothing else has: 128 random bits.
fn unique() -> Result<String, String> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).map_err(|error| error.to_string())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn member<'a>(value: &'a Option<String>, name: &str) -> Result<&'a str, String> {
    value
        .as_deref()
        .ok_or_else(|| format!("its member {name:?} is missing"))
}

fn number(value: &Option<String>, name: &str) -> Result<BigNum, String> {
    let wrong = || format!("its member {name:?} is no base64url number");
    let bytes = URL_SAFE_NO_PAD
        .decode(member(value, name)?.trim_end_matches('='))
        .map_err(|_| wrong())?;
    BigNum::from_slice(&bytes).map_err(|_| wrong())
}

fn rsa_public(jwk: &Jwk) -> Result<Value, String> {
    Ok(json!({ "kty": "RSA", "n": member(&jwk.n, "n")?, "e": member(&jwk.e, "e")? }))
}

fn rsa_key(jwk: &Jwk) -> Result<EncodingKey, String> {
    let key = Rsa::from_private_components(
        number(&jwk.n, "n")?,
        number(&jwk.e, "e")?,
        number(&jwk.d, "d")?,
        number(&jwk.p, "p")?,
        number(&jwk.q, "q")?,
        number(&jwk.dp, "dp")?,
        number(&jwk.dq, "dq")?,
        number(&jwk.qi, "qi")?,
    );
    key.and_then(|key| key.private_key_to_der())
        .map(|der| EncodingKey::from_rsa_der(&der))
        .map_err(|_| "it is no usable RSA key".to_owned())
}

fn ec_public(jwk: &Jwk) -> Result<Value, String> {
    if jwk.crv.as_deref() != Some("P-256") {
        return Err("its curve is not P-256".into());
    }
    let (x, y) = (member(&jwk.x, "x")?, member(&jwk.y, "y")?);
    Ok(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }))
}

fn ec_key(jwk: &Jwk) -> Result<EncodingKey, String> {
    let (x, y, d) = (
        number(&jwk.x, "x")?,
        number(&jwk.y, "y")?,
        number(&jwk.d, "d")?,
    );
    ec_pkcs8(&x, &y, &d)
        .map(|der| EncodingKey::from_ec_der(&der))
        .map_err(|_| "it is no usable P-256 key".to_owned())
}

fn ec_pkcs8(x: &BigNum, y: &BigNum, d: &BigNum) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let mut context = openssl::bn::BigNumContext::new()?;
    let mut point = EcPoint::new(&group)?;
    point.set_affine_coordinates_gfp(&group, x, y, &mut context)?;
    let key = EcKey::from_private_components(&group, d, &point)?;
    PKey::from_ec_key(key)?.private_key_to_pkcs8()
}

#[cfg(test)]
pub(crate) mod tests {
    use jsonwebtoken::jwk::Jwk as PublicJwk;
    use jsonwebtoken::{DecodingKey, Validation};

    use super::*;

    fn text(number: &openssl::bn::BigNumRef) -> String {
        URL_SAFE_NO_PAD.encode(number.to_vec())
    }

    /// A fresh RSA key as a JWK.
    pub(crate) fn rsa_jwk() -> Value {
        let key = Rsa::generate(2048).unwrap();
        json!({
            "kty": "RSA", "kid": "A1", "alg": "PS256", "use": "sig",
            "n": text(key.n()), "e": text(key.e()), "d": text(key.d()),
            "p": text(key.p().unwrap()), "q": text(key.q().unwrap()),
            "dp": text(key.dmp1().unwrap()), "dq": text(key.dmq1().unwrap()), "qi": text(key.iqmp().unwrap()),
        })
    }

    fn ec_jwk() -> Value {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = EcKey::generate(&group).unwrap();
        let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
        let mut context = openssl::bn::BigNumContext::new().unwrap();
        key.public_key()
            .affine_coordinates(&group, &mut x, &mut y, &mut context)
            .unwrap();
        let wide = |number: &openssl::bn::BigNumRef| {
            URL_SAFE_NO_PAD.encode(number.to_vec_padded(32).unwrap())
        };
        json!({ "kty": "EC", "crv": "P-256", "x": wide(&x), "y": wide(&y), "d": wide(key.private_key()) })
    }

    /// Header and claims of a token, its signature checked with the public half of a JWK.
    pub(crate) fn verified(token: &str, jwk: &Value) -> (Value, Value) {
        let mut public = jwk.clone();
        for secret in ["d", "p", "q", "dp", "dq", "qi"] {
            public.as_object_mut().unwrap().remove(secret);
        }
        let public: PublicJwk = serde_json::from_value(public).unwrap();
        let header: Value = serde_json::from_slice(
            &URL_SAFE_NO_PAD
                .decode(token.split('.').next().unwrap())
                .unwrap(),
        )
        .unwrap();
        let mut rules = Validation::new(header["alg"].as_str().unwrap().parse().unwrap());
        rules.required_spec_claims.clear();
        rules.validate_aud = false;
        let key = DecodingKey::from_jwk(&public).unwrap();
        let claims = jsonwebtoken::decode::<Value>(token, &key, &rules)
            .unwrap()
            .claims;
        (header, claims)
    }

    #[test]
    fn assertions_say_what_helseid_asks_for() {
        let now = crate::clock::now();
        for (jwk, algorithm) in [(rsa_jwk(), "PS256"), (ec_jwk(), "ES256")] {
            let key = ClientKey::from_jwk(jwk.to_string().as_bytes()).unwrap();
            let token = key.assertion("me", "https://sts", now).unwrap();
            let (header, claims) = verified(&token, &jwk);
            assert_eq!(header["alg"], algorithm);
            assert_eq!(header["typ"], "client-authentication+jwt");
            assert_eq!(header["kid"], jwk["kid"]);
            assert_eq!(
                (&claims["iss"], &claims["sub"], &claims["aud"]),
                (&json!("me"), &json!("me"), &json!("https://sts"))
            );
            let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
            assert!((1..=60).contains(&life), "{life}");
            let again = key.assertion("me", "https://sts", now).unwrap();
            assert_ne!(verified(&again, &jwk).1["jti"], claims["jti"]);
        }
    }

    #[test]
    fn proofs_are_bound_to_request_token_and_nonce_and_show_no_secret() {
        let jwk = rsa_jwk();
        let key = ClientKey::from_jwk(jwk.to_string().as_bytes()).unwrap();
        let request = Proven {
            method: "GET",
            url: "https://h/v2/Profiles/1",
            nonce: Some("n"),
            token: Some("at"),
        };
        let proof = key.proof(&request, crate::clock::now()).unwrap();
        let (header, claims) = verified(&proof, &jwk);
        assert_eq!(header["typ"], "dpop+jwt");
        assert_eq!(
            header["jwk"],
            json!({ "kty": "RSA", "n": jwk["n"], "e": jwk["e"] })
        );
        assert_eq!(claims["htm"], "GET");
        assert_eq!(claims["htu"], "https://h/v2/Profiles/1");
        assert_eq!(claims["nonce"], "n");
        // SHA-256 of "at".
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest("at"));
        assert_eq!(claims["ath"], hash);
    }

    #[test]
    fn what_is_no_private_key_is_refused_without_repeating_it() {
        let whole = rsa_jwk();
        let mut public = whole.clone();
        public.as_object_mut().unwrap().remove("d");
        let mut wrong = whole.clone();
        wrong["d"] = "!secret!".into();
        let mut unfit = whole.clone();
        unfit["alg"] = "ES256".into();
        let symmetric = json!({ "kty": "oct", "k": "secret" });
        for jwk in [public, wrong, unfit, symmetric, json!("secret")] {
            let error = ClientKey::from_jwk(jwk.to_string().as_bytes())
                .err()
                .unwrap();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
