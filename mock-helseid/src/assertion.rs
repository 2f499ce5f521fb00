//! The client assertion: `private_key_jwt` (contract 05 sections 1.5, T4-T10 and T18, and 1.6).

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::config::Registered;
use crate::form::Form;
use crate::jws::{Jws, shortened, text_of};
use crate::refusal::{Code, Findings, Refusal};
use crate::service::Sts;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const TOKEN_TYPE: &str = "client-authentication+jwt";
/// How far clocks may be apart, in seconds.
pub(crate) const LEEWAY: f64 = 5.0;
/// Longest time from now to `exp`, in seconds.
const LIFETIME_LIMIT: f64 = 60.0;

/// A client that has proven who it is.
#[derive(Debug)]
pub(crate) struct Authenticated {
    pub(crate) client: Arc<Registered>,
    pub(crate) claims: Map<String, Value>,
}

/// Authenticates the client of a request.
pub(crate) fn authenticate(
    sts: &Sts,
    form: &Form,
    now: f64,
    findings: &mut Findings,
) -> Result<Authenticated, Refusal> {
    match form.get("client_assertion_type") {
        Some(ASSERTION_TYPE) => {}
        Some(_) => {
            return Err(refuse(format!(
                "client_assertion_type is not '{ASSERTION_TYPE}'"
            )));
        }
        None => {
            return Err(refuse(
                "client_assertion_type is missing; HelseID takes private_key_jwt only",
            ));
        }
    }
    let text = form
        .get("client_assertion")
        .ok_or_else(|| refuse("client_assertion is missing"))?;
    let jws = Jws::read(text).map_err(|error| refuse(format!("client_assertion: {error}")))?;
    let client = identify(sts, form, &jws, findings)?;
    check_type(&jws, findings)?;
    check_signature(&client, &jws, findings)?;
    check_audience(sts, &jws)?;
    check_times(&jws, now, findings)?;
    let jti = text_of(&jws.claims, "jti").filter(|jti| !jti.is_empty());
    let jti = jti.ok_or_else(|| refuse("the assertion's 'jti' is missing"))?;
    if !sts.first_use_of_assertion(&client.client.client_id, jti) {
        let text = "the client assertion was used before; make a new one, with a new 'jti', for every request";
        if sts.strict {
            return Err(refuse(text));
        }
        findings.push(text.to_owned());
    }
    Ok(Authenticated {
        client,
        claims: jws.claims,
    })
}

/// T7-T9: who the client says it is.
fn identify(
    sts: &Sts,
    form: &Form,
    jws: &Jws<'_>,
    findings: &mut Findings,
) -> Result<Arc<Registered>, Refusal> {
    let issuer = text_of(&jws.claims, "iss");
    let issuer = issuer.ok_or_else(|| refuse("the assertion's 'iss' is missing"))?;
    if text_of(&jws.claims, "sub") != Some(issuer) {
        return Err(refuse(
            "the assertion's 'iss' and 'sub' are not both the client id",
        ));
    }
    match form.get("client_id") {
        None => findings.push("the parameter client_id is missing".to_owned()),
        Some(id) if id == issuer => {}
        Some(_) => {
            return Err(refuse(
                "the parameter client_id is not the 'iss' and 'sub' of the assertion",
            ));
        }
    }
    sts.client(issuer)
        .ok_or_else(|| refuse(format!("no client '{}' is registered", shortened(issuer))))
}

fn check_type(jws: &Jws<'_>, findings: &mut Findings) -> Result<(), Refusal> {
    match text_of(&jws.header, "typ") {
        Some(TOKEN_TYPE) => Ok(()),
        None | Some("JWT") => {
            findings.push(format!(
                "the assertion's header 'typ' should be '{TOKEN_TYPE}'"
            ));
            Ok(())
        }
        Some(other) => Err(refuse(format!(
            "the assertion's header 'typ' is '{}', not '{TOKEN_TYPE}'",
            shortened(other)
        ))),
    }
}

fn check_signature(
    client: &Registered,
    jws: &Jws<'_>,
    findings: &mut Findings,
) -> Result<(), Refusal> {
    let kid = text_of(&jws.header, "kid");
    let mut keys = client.keys.iter();
    let key = match kid {
        Some(kid) => {
            let key = keys.find(|key| key.kid.as_deref() == Some(kid));
            let key = key.ok_or_else(|| {
                refuse(format!(
                    "the assertion's 'kid' '{}' is not that of a registered key",
                    shortened(kid)
                ))
            })?;
            key.has_signed(jws).then_some(key)
        }
        None => {
            findings.push("the assertion's header lacks 'kid'".to_owned());
            keys.find(|key| key.has_signed(jws))
        }
    };
    let key = key.ok_or_else(|| {
        refuse(format!(
            "the assertion's signature ({}) is not one of the registered key",
            jws.algorithm.name()
        ))
    })?;
    let registered = key.algorithm.as_deref();
    if registered.is_some_and(|registered| registered != jws.algorithm.name()) {
        findings.push(format!(
            "the assertion is signed with {}, the key is registered for another algorithm",
            jws.algorithm.name()
        ));
    }
    if jws.algorithm.is_pkcs1() {
        findings.push(format!(
            "the assertion is signed with {}; the security profile names PS256 and ES256",
            jws.algorithm.name()
        ));
    }
    Ok(())
}

fn check_audience(sts: &Sts, jws: &Jws<'_>) -> Result<(), Refusal> {
    let wanted = &sts.issuer;
    match jws.claims.get("aud") {
        Some(Value::String(found)) if found == wanted => Ok(()),
        Some(Value::String(found)) => Err(refuse(format!(
            "the assertion's 'aud' is '{}'; it must be the issuer to the letter: '{wanted}'",
            shortened(found)
        ))),
        Some(Value::Array(_)) => Err(refuse(format!(
            "the assertion's 'aud' is a list; it must be one string, the issuer: '{wanted}'"
        ))),
        _ => Err(refuse(format!(
            "the assertion's 'aud' is missing; it must be the issuer: '{wanted}'"
        ))),
    }
}

fn check_times(jws: &Jws<'_>, now: f64, findings: &mut Findings) -> Result<(), Refusal> {
    let exp = jws.claims.get("exp").and_then(Value::as_f64);
    let exp = exp.ok_or_else(|| refuse("the assertion's 'exp' is missing or not a number"))?;
    if exp + LEEWAY < now {
        return Err(refuse(format!(
            "the assertion expired {:.0} s ago (is the client's clock right?)",
            now - exp
        )));
    }
    if exp > now + LIFETIME_LIMIT + LEEWAY {
        return Err(refuse(format!(
            "the assertion is valid for another {:.0} s; at most {LIFETIME_LIMIT:.0} s are allowed",
            exp - now
        )));
    }
    match time_of(jws, "iat") {
        Some((iat, as_text)) => {
            if as_text {
                findings.push("the assertion's 'iat' is a text, not a number".to_owned());
            }
            not_ahead("iat", iat, now)?;
        }
        None => {
            return Err(refuse("the assertion's 'iat' is missing or not a number"));
        }
    }
    match jws.claims.get("nbf").map(Value::as_f64) {
        Some(Some(nbf)) => not_ahead("nbf", nbf, now),
        Some(None) => Err(refuse("the assertion's 'nbf' is not a number")),
        None => {
            findings.push("the assertion lacks 'nbf'".to_owned());
            Ok(())
        }
    }
}

/// A time claim, and whether it is a number in a text.
fn time_of(jws: &Jws<'_>, name: &str) -> Option<(f64, bool)> {
    match jws.claims.get(name)? {
        Value::Number(number) => number.as_f64().map(|seconds| (seconds, false)),
        Value::String(text) => text
            .parse::<u64>()
            .ok()
            .map(|seconds| (seconds as f64, true)),
        _ => None,
    }
}

fn not_ahead(name: &str, claimed: f64, now: f64) -> Result<(), Refusal> {
    if claimed > now + LEEWAY {
        return Err(refuse(format!(
            "the assertion's '{name}' is {:.0} s in the future (is the client's clock right?)",
            claimed - now
        )));
    }
    Ok(())
}

fn refuse(description: impl Into<String>) -> Refusal {
    Code::InvalidClient.because(description)
}
