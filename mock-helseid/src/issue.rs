//! Access tokens and the answer that carries them (contract 05 sections 1.9 and 1.10), right and wrong on purpose.

use serde_json::{Map, Value, json};
use testbed::http::{Answer, StatusCode};

use crate::config::{Client, Tenancy};
use crate::organization::Organization;
use crate::refusal::{Code, Refusal, not_stored};
use crate::service::Sts;

/// Names of faulty answers that the token service understands as a fault of the kind `Artefact` (contract 05 section 1.13):
/// - anywhere: `not-json` (502 with an HTML body), `truncated` (half the body);
/// - instead of a token: `invalid-client`, `scope-denied`, `nonce-loop` (a new nonce is demanded every time);
/// - in the answer: `no-scope`, `expires-1`, `expires-string`, `rejected-scope`;
/// - in the access token: `wrong-aud`, `wrong-iss`, `bad-signature`, `expired-token`, `no-cnf`, `wrong-jkt`;
/// - in the key set: `jwks-empty`.
pub const WRONG_ANSWERS: [&str; 16] = [
    "not-json",
    "truncated",
    "invalid-client",
    "scope-denied",
    "nonce-loop",
    "no-scope",
    "expires-1",
    "expires-string",
    "rejected-scope",
    "wrong-aud",
    "wrong-iss",
    "bad-signature",
    "expired-token",
    "no-cnf",
    "wrong-jkt",
    "jwks-empty",
];

/// What a token is issued for.
#[derive(Debug)]
pub(crate) struct Issue<'a> {
    pub(crate) client: &'a Client,
    pub(crate) scopes: Vec<String>,
    pub(crate) organization: Organization,
    /// Thumbprint of the key of the DPoP proof; a bearer token without.
    pub(crate) thumbprint: Option<String>,
    pub(crate) now: f64,
    /// The name of a faulty answer, or empty.
    pub(crate) wrong: &'a str,
}

/// The audiences of scopes: what stands before the slash (contract 05 section 1.4).
pub(crate) fn audiences(scopes: &[String]) -> Vec<&str> {
    let mut audiences: Vec<&str> = Vec::new();
    for scope in scopes {
        let audience = scope.split('/').next().unwrap_or(scope);
        if !audiences.contains(&audience) {
            audiences.push(audience);
        }
    }
    audiences
}

/// The answer of the token endpoint with a fresh token.
pub(crate) fn answer(sts: &Sts, mut issue: Issue<'_>) -> Result<Answer, Refusal> {
    let rejected = match issue.wrong {
        "rejected-scope" => std::mem::take(&mut issue.scopes),
        _ => Vec::new(),
    };
    let token = token(sts, &issue)?;
    let mut body = json!({
        "access_token": token,
        "token_type": if issue.thumbprint.is_some() { "DPoP" } else { "Bearer" },
        "expires_in": sts.token_lifetime,
        "scope": issue.scopes.join(" "),
    });
    match issue.wrong {
        "no-scope" => {
            body.as_object_mut().map(|body| body.remove("scope"));
        }
        "expires-1" => body["expires_in"] = 1.into(),
        "expires-string" => body["expires_in"] = sts.token_lifetime.to_string().into(),
        "rejected-scope" => body["rejected_scope"] = rejected.join(" ").into(),
        _ => {}
    }
    Ok(not_stored(Answer::new(
        StatusCode::OK,
        "application/json",
        body.to_string(),
    )))
}

fn token(sts: &Sts, issue: &Issue<'_>) -> Result<String, Refusal> {
    let failed = || Code::ServerError.because("the access token could not be signed");
    let token = sts
        .signer()
        .sign("at+jwt", &Value::Object(claims(sts, issue)))
        .ok_or_else(failed)?;
    if issue.wrong != "bad-signature" {
        return Ok(token);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or_else(failed)?;
    let other: String = signature.chars().rev().collect();
    Ok(format!("{signed}.{other}"))
}

fn claims(sts: &Sts, issue: &Issue<'_>) -> Map<String, Value> {
    let client = issue.client;
    let mut issued_at = issue.now.floor() as i64;
    let lifetime = i64::from(sts.token_lifetime);
    if issue.wrong == "expired-token" {
        issued_at -= lifetime + 60;
    }
    let audience = match (issue.wrong, audiences(&issue.scopes).as_slice()) {
        ("wrong-aud", _) => json!("nhn:somebody-else"),
        (_, [audience]) => json!(audience),
        (_, audiences) => json!(audiences),
    };
    let issuer = match issue.wrong {
        "wrong-iss" => "https://helseid-sts.elsewhere.example",
        _ => sts.issuer.as_str(),
    };
    let mut claims = Map::new();
    let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    put("iss", json!(issuer));
    put("aud", audience);
    put("iat", json!(issued_at));
    put("nbf", json!(issued_at));
    put("exp", json!(issued_at + lifetime));
    put("jti", json!(sts.random_id()));
    put("client_id", json!(client.client_id));
    put("scope", json!(issue.scopes));
    put("helseid://claims/client/client_name", json!(client.name));
    put("helseid://claims/client/amr", json!("private_key_jwt"));
    let thumbprint = match issue.wrong {
        "no-cnf" => None,
        "wrong-jkt" => Some(sts.random_id()),
        _ => issue.thumbprint.clone(),
    };
    if let Some(thumbprint) = thumbprint {
        put("cnf", json!({"jkt": thumbprint}));
    }
    if client.tenancy != Tenancy::None {
        let tenancy = client.tenancy.name();
        put(
            "helseid://claims/client/claims/client_tenancy",
            json!(tenancy),
        );
    }
    for (name, number) in [
        ("orgnr_parent", &issue.organization.parent),
        ("orgnr_child", &issue.organization.child),
        ("orgnr_supplier", &client.supplier),
    ] {
        if let Some(number) = number {
            put(
                &format!("helseid://claims/client/claims/{name}"),
                json!(number),
            );
        }
    }
    claims
}
