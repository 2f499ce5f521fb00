//! DPoP proofs (RFC 9449): what the token endpoint and the resource servers check alike (contract 05 section 1.8).

use serde_json::Value;

use crate::jwk::PublicKey;
use crate::jws::{Jws, shortened, text_of};

/// A proof whose signature, method and address are right. Time, nonce and replay are the caller's.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Proof {
    /// Thumbprint of the key.
    pub(crate) thumbprint: String,
    pub(crate) jti: String,
    /// Seconds since 1970.
    pub(crate) issued_at: f64,
    /// Absent when empty.
    pub(crate) nonce: Option<String>,
    /// `ath`, the hash of the access token.
    pub(crate) token_hash: Option<String>,
}

/// Reads a proof and makes the checks D2-D5, D7 and D8.
pub(crate) fn read(text: &str, method: &str, url: &str) -> Result<Proof, String> {
    let jws = Jws::read(text).map_err(|error| error.to_string())?;
    match text_of(&jws.header, "typ") {
        Some("dpop+jwt") => {}
        other => return Err(differs("header 'typ'", other, "dpop+jwt")),
    }
    let jwk = jws.header.get("jwk").and_then(Value::as_object);
    let key = PublicKey::read_public(jwk.ok_or("its header lacks 'jwk'")?)
        .map_err(|error| format!("header 'jwk': {error}"))?;
    if !key.has_signed(&jws) {
        return Err(format!(
            "its signature is not one of the key in 'jwk' with {}",
            jws.algorithm.name()
        ));
    }
    let jti = text_of(&jws.claims, "jti").filter(|jti| !jti.is_empty());
    let jti = jti.ok_or("it lacks 'jti'")?.to_owned();
    let claimed = text_of(&jws.claims, "htm");
    if claimed != Some(method) {
        return Err(differs("'htm'", claimed, method));
    }
    let claimed = text_of(&jws.claims, "htu");
    if claimed.map(comparable) != Some(comparable(url)) {
        return Err(differs("'htu'", claimed, &comparable(url)));
    }
    let issued_at = jws.claims.get("iat").and_then(Value::as_f64);
    Ok(Proof {
        thumbprint: key.thumbprint(),
        jti,
        issued_at: issued_at.ok_or("its 'iat' is missing or not a number")?,
        nonce: text_of(&jws.claims, "nonce")
            .filter(|nonce| !nonce.is_empty())
            .map(str::to_owned),
        token_hash: text_of(&jws.claims, "ath").map(str::to_owned),
    })
}

impl Proof {
    /// D9: whether the proof was made within the window around `now`.
    pub(crate) fn check_time(&self, now: f64, behind: f64, ahead: f64) -> Result<(), String> {
        let age = now - self.issued_at;
        if age > behind {
            Err(format!(
                "it was issued {age:.0} s ago; at most {behind:.0} s are allowed (is the client's clock right?)"
            ))
        } else if -age > ahead {
            Err(format!(
                "it was issued {:.0} s in the future; at most {ahead:.0} s are allowed (is the client's clock right?)",
                -age
            ))
        } else {
            Ok(())
        }
    }
}

/// An address as it is compared: without query and fragment, scheme and host in lower case, without the default port.
fn comparable(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let authority = authority.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "https" => ":443",
        _ => ":80",
    };
    let authority = authority.strip_suffix(default_port).unwrap_or(&authority);
    let path = if path.is_empty() { "/" } else { path };
    format!("{scheme}://{authority}{path}")
}

fn differs(what: &str, found: Option<&str>, wanted: &str) -> String {
    match found {
        Some(found) => format!("{what} is '{}', not '{wanted}'", shortened(found)),
        None => format!("{what} is missing; it must be '{wanted}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_without_what_does_not_count() {
        for (left, right, same) in [
            ("https://localhost:1/a", "https://localhost:1/a?x=1#y", true),
            ("HTTPS://LocalHost:443/a", "https://localhost/a", true),
            ("http://localhost:80", "http://localhost/", true),
            ("http://localhost:443/", "http://localhost/", false),
            ("https://localhost/a", "https://localhost/A", false),
            ("https://localhost/a/", "https://localhost/a", false),
            ("localhost/a", "https://localhost/a", false),
        ] {
            assert_eq!(
                comparable(left) == comparable(right),
                same,
                "{left} {right}"
            );
        }
    }

    #[test]
    fn the_window_is_open_on_both_sides() {
        let proof = Proof {
            thumbprint: String::new(),
            jti: String::new(),
            issued_at: 1000.0,
            nonce: None,
            token_hash: None,
        };
        assert!(proof.check_time(1015.0, 15.0, 5.0).is_ok());
        assert!(proof.check_time(995.0, 15.0, 5.0).is_ok());
        assert!(proof.check_time(1015.5, 15.0, 5.0).is_err());
        assert!(proof.check_time(994.5, 15.0, 5.0).is_err());
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(url in ".{0,60}") {
            let _ = comparable(&url);
        }
    }
}
