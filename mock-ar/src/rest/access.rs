//! Who is let in: the resource server's side of contract 05 section 1.11.

use serde_json::json;
use testbed::http::{Answer, Exchange, StatusCode, header};
use testbed::token::{TokenRefusal, TokenScheme};

use crate::config::TokenPolicy;
use crate::server::Service;

/// The two versions of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ApiVersion {
    V1,
    V2,
}

/// What a token must be meant for (R5).
const AUDIENCE: &str = "nhn:cppa";
/// What the client sees when nobody is asked for a token.
const ANYBODY: &str = "anybody";

impl ApiVersion {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    fn scheme(self) -> TokenScheme {
        match self {
            Self::V1 => TokenScheme::Bearer,
            Self::V2 => TokenScheme::Dpop,
        }
    }

    fn scope(self) -> &'static str {
        match self {
            Self::V1 => "nhn:cppa/access",
            Self::V2 => "nhn:cppa/access-with-dpop",
        }
    }
}

/// The client of a request, or the answer that refuses it.
pub(super) fn admit(
    service: &Service,
    exchange: &Exchange,
    version: ApiVersion,
) -> Result<String, Box<Answer>> {
    let TokenPolicy::Verify(tokens) = &service.tokens else {
        return Ok(ANYBODY.to_owned());
    };
    let authorization = exchange.header("authorization").unwrap_or_default();
    let mut proofs = exchange.headers.get_all("dpop").iter();
    let proof = proofs
        .next()
        .map(|proof| proof.to_str().unwrap_or_default());
    let judged = if !presents(authorization, version.scheme()) {
        Err(match authorization {
            "" => TokenRefusal::MissingToken,
            _ => TokenRefusal::WrongScheme,
        })
    } else if version == ApiVersion::V2 && proofs.next().is_some() {
        Err(TokenRefusal::InvalidProof(
            "there is more than one DPoP header".into(),
        ))
    } else {
        let url = format!("{}{}", service.base(exchange), exchange.path());
        tokens
            .verify(authorization, proof, exchange.method.as_str(), &url)
            .and_then(|grant| {
                grant.require(version.scheme(), AUDIENCE, version.scope())?;
                Ok(grant.client_id)
            })
    };
    judged.map_err(|refusal| Box::new(refuse(version, &refusal)))
}

/// The refusal of a token that may well be valid, for a fault that asks for it.
pub(super) fn refuse_anyway(version: ApiVersion) -> Answer {
    refuse(version, &TokenRefusal::InvalidToken("simulated".into()))
}

/// Whether an `Authorization` header is of the scheme that the address takes.
fn presents(authorization: &str, scheme: TokenScheme) -> bool {
    let given = authorization.split(' ').next().unwrap_or_default();
    given.eq_ignore_ascii_case(scheme.name())
}

fn refuse(version: ApiVersion, refusal: &TokenRefusal) -> Answer {
    // The trap of contract 05 section 1.11: without the final slash the client resolves `Profiles/1` against the host.
    let hint = match (version, refusal) {
        (ApiVersion::V1, TokenRefusal::WrongScheme) => {
            "; DPoP is for the addresses below /v2/ - does the client's base address lack the slash at its end?"
        }
        _ => "",
    };
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let body = json!({
        "title": status.canonical_reason().unwrap_or_default(),
        "status": status.as_u16(),
        "detail": format!("{refusal}{hint}"),
    });
    Answer::new(
        status,
        "application/problem+json; charset=utf-8",
        body.to_string(),
    )
    .with_header(
        header::WWW_AUTHENTICATE,
        &refusal.challenge(version.scheme()),
    )
}
