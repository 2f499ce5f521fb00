//! The token endpoint: the checks of contract 05 section 1.5 in their order, and the evidence of each request.

use testbed::evidence::{Event, Part};
use testbed::http::{Answer, Exchange};

use crate::assertion::{self, Authenticated};
use crate::config::DpopPolicy;
use crate::form::Form;
use crate::issue::{self, Issue, audiences};
use crate::jws::shortened;
use crate::organization;
use crate::refusal::{Code, Findings, Refusal};
use crate::service::Sts;
use crate::{dpop, jws};

/// How old a proof may be that carries a nonce which is still good, in seconds (contract 05 section 1.8).
const NONCE_WINDOW: f64 = 60.0;
/// Most scopes that evidence names.
const SCOPE_LIMIT: usize = 20;

/// What evidence says of a request.
#[derive(Debug, Default)]
struct Asked {
    client: Option<String>,
    scopes: Vec<String>,
    dpop: bool,
    nonce: bool,
    findings: Findings,
}

/// Answers a POST to the token endpoint.
pub(crate) fn answer(sts: &Sts, exchange: &Exchange) -> Answer {
    let mut asked = Asked::default();
    let outcome = judge(sts, exchange, &mut asked);
    let refusal = outcome.as_ref().err();
    sts.journal.record(
        Part::Helseid,
        Event::TokenAsked {
            request: exchange.request,
            client: asked.client,
            scopes: asked.scopes,
            dpop: asked.dpop,
            nonce: asked.nonce,
            error: refusal.map(|refusal| refusal.code.name().to_owned()),
            description: description(refusal, &asked.findings),
        },
    );
    outcome.unwrap_or_else(|refusal| refusal.answer())
}

/// The refusal's description, and what was noted besides.
fn description(refusal: Option<&Refusal>, findings: &[String]) -> Option<String> {
    let noted = (!findings.is_empty()).then(|| format!("noted: {}", findings.join("; ")));
    match (refusal, noted) {
        (Some(refusal), Some(noted)) => Some(format!("{}; {noted}", refusal.description)),
        (Some(refusal), None) => Some(refusal.description.clone()),
        (None, noted) => noted,
    }
}

fn judge(sts: &Sts, exchange: &Exchange, asked: &mut Asked) -> Result<Answer, Refusal> {
    // The time of arrival counts: a fault may hold the answer back later on.
    let now = sts.unix_now();
    let wrong = exchange.artefact.as_deref().unwrap_or_default();
    let proof = proof_header(exchange, asked);
    let form = read_form(exchange)?;
    asked.client = form.get("client_id").map(shortened);
    let requested: Vec<&str> = form.get("scope").unwrap_or_default().split(' ').collect();
    let requested: Vec<&str> = requested
        .into_iter()
        .filter(|name| !name.is_empty())
        .collect();
    asked.scopes = requested
        .iter()
        .take(SCOPE_LIMIT)
        .map(|name| shortened(name))
        .collect();
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(other) => {
            return Err(Code::UnsupportedGrantType.because(format!(
                "grant_type '{}' is not served here; use client_credentials",
                shortened(other)
            )));
        }
        None => {
            return Err(Code::UnsupportedGrantType.because("grant_type is missing"));
        }
    }
    if wrong == "invalid-client" {
        return Err(Code::InvalidClient.because("simulated: the client is refused"));
    }
    if form.get("client_secret").is_some() || exchange.header("authorization").is_some() {
        return Err(Code::InvalidClient.because(
            "a client_secret or an Authorization header is not accepted; HelseID takes private_key_jwt only",
        ));
    }
    let Authenticated { client, claims } =
        assertion::authenticate(sts, &form, now, &mut asked.findings)?;
    asked.client = Some(shortened(&client.client.client_id));
    if wrong == "scope-denied" {
        return Err(Code::InvalidScope.because("simulated: the scope is refused"));
    }
    let scopes = granted(&client.client.scopes, &requested, &mut asked.findings)?;
    let organization = organization::evaluate(&client.client, &claims, &mut asked.findings)?;
    let thumbprint = match (client.client.dpop, proof?) {
        (DpopPolicy::Forbidden, Some(_)) => {
            return Err(Code::InvalidRequest.because("the client is registered without DPoP"));
        }
        (DpopPolicy::Required, None) => {
            return Err(Code::InvalidDpopProof.because("the header DPoP is missing"));
        }
        (_, None) => None,
        (_, Some(text)) => {
            let client_id = &client.client.client_id;
            Some(check_proof(sts, client_id, text, now, wrong)?)
        }
    };
    issue::answer(
        sts,
        Issue {
            client: &client.client,
            scopes,
            organization,
            thumbprint,
            now,
            wrong,
        },
    )
}

/// T1 and T2.
fn read_form(exchange: &Exchange) -> Result<Form, Refusal> {
    let media_type = exchange.header("content-type").unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(Code::InvalidRequest
            .because("the Content-Type is not application/x-www-form-urlencoded"));
    }
    Form::read(&exchange.body).map_err(|error| Code::InvalidRequest.because(error.to_string()))
}

/// The proof, if there is one; refused (in its turn) when there are several.
fn proof_header<'a>(exchange: &'a Exchange, asked: &mut Asked) -> Result<Option<&'a str>, Refusal> {
    let mut headers = exchange.headers.get_all("dpop").iter();
    let Some(first) = headers.next() else {
        return Ok(None);
    };
    asked.dpop = true;
    if headers.next().is_some() {
        return Err(Code::InvalidDpopProof.because("there is more than one header DPoP"));
    }
    let text = first
        .to_str()
        .map_err(|_| Code::InvalidDpopProof.because("the header DPoP is not ASCII text"))?;
    asked.nonce = jws::Jws::read(text)
        .is_ok_and(|jws| jws::text_of(&jws.claims, "nonce").is_some_and(|text| !text.is_empty()));
    Ok(Some(text))
}

/// T12-T14.
fn granted(
    allowed: &[String],
    requested: &[&str],
    findings: &mut Findings,
) -> Result<Vec<String>, Refusal> {
    if requested.is_empty() {
        return Ok(allowed.to_vec());
    }
    let mut scopes: Vec<String> = Vec::new();
    for name in requested {
        if !allowed.iter().any(|allowed| allowed == name) {
            return Err(Code::InvalidScope.because(format!(
                "the scope '{}' is not granted to the client; it has: {}",
                shortened(name),
                allowed.join(" ")
            )));
        }
        if !scopes.iter().any(|known| known == name) {
            scopes.push((*name).to_owned());
        }
    }
    if audiences(&scopes).len() > 1 {
        findings
            .push("the scopes are for more than one audience; ask for one token each".to_owned());
    }
    Ok(scopes)
}

/// T16 and T17; gives the thumbprint of the key.
fn check_proof(
    sts: &Sts,
    client_id: &str,
    text: &str,
    now: f64,
    wrong: &str,
) -> Result<String, Refusal> {
    let invalid = |error: String| {
        Code::InvalidDpopProof.because(format!("the DPoP proof is not valid: {error}"))
    };
    let proof = dpop::read(text, "POST", &sts.token_endpoint()).map_err(invalid)?;
    let nonce = proof.nonce.as_deref();
    let nonce_is_good = nonce.is_some_and(|nonce| sts.nonce_is_good(client_id, nonce));
    let (behind, ahead) = sts.proof_window();
    let behind = if nonce_is_good { NONCE_WINDOW } else { behind };
    proof.check_time(now, behind, ahead).map_err(invalid)?;
    if !sts.first_use_of_proof(&proof) {
        return Err(invalid(
            "it was used before; make a new one, with a new 'jti', for every request".into(),
        ));
    }
    if !nonce_is_good || wrong == "nonce-loop" {
        let description = match nonce {
            None => "Authorization server requires nonce in DPoP proof.",
            Some(_) => {
                "The nonce in the DPoP proof is unknown or too old; use the one in the header DPoP-Nonce."
            }
        };
        return Err(Refusal {
            nonce: Some(sts.new_nonce(client_id)),
            ..Code::UseDpopNonce.because(description)
        });
    }
    Ok(proof.thumbprint)
}
