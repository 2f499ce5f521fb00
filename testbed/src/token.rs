//! How a resource server has access tokens judged: the register asks, the token service answers
//! (contract 05 section 1.11). The mocks know this trait and not each other.

use std::fmt::Debug;

/// The authentication scheme of an `Authorization` header with an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenScheme {
    /// `Bearer`: whoever holds the token may use it. A binding in the token is ignored.
    Bearer,
    /// `DPoP`: the request proves possession of the key that the token is bound to (RFC 9449).
    Dpop,
}

/// What a valid access token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessGrant {
    /// How the token was presented.
    pub scheme: TokenScheme,
    /// The client that the token was issued to.
    pub client_id: String,
    /// Claim `aud`, whole.
    pub audiences: Vec<String>,
    /// Claim `scope`, one name an element.
    pub scopes: Vec<String>,
    /// The organization number on whose behalf the client acts, if the token says so.
    pub parent_organization: Option<String>,
    /// The number of the organization unit, if the token says so.
    pub child_organization: Option<String>,
}

/// Why a request with an access token is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// The token does not hold the scope that the resource needs.
    #[error("the access token does not hold the scope {scope}")]
    InsufficientScope {
        /// The scope that is needed.
        scope: String,
    },
    /// The DPoP proof is missing, wrong, or was used before.
    #[error("the DPoP proof is not valid: {0}")]
    InvalidProof(String),
    /// The token is forged, expired, for somebody else, or not bound to the key of the proof.
    #[error("the access token is not valid: {0}")]
    InvalidToken(String),
    /// There is no token.
    #[error("an access token is required")]
    MissingToken,
    /// The resource takes the other scheme only.
    #[error("the access token was presented with a scheme that this address does not take")]
    WrongScheme,
}

/// What the token service offers to resource servers.
pub trait AccessTokens: Debug + Send + Sync {
    /// Judges the token of a request: signature, issuer, times and, for the scheme `DPoP`, the proof and its binding
    /// (R1-R6 and R9-R15 of contract 05 section 1.11). What the resource itself demands is asked of
    /// the grant with [`AccessGrant::require`].
    ///
    /// `authorization` and `dpop` are the header values (a request with more than one `DPoP` header is to be
    /// refused by the caller as [`TokenRefusal::InvalidProof`]), `method` is the HTTP method, `url` the absolute address
    /// of the request as the client wrote it, with or without query.
    ///
    /// # Errors
    /// [`TokenRefusal`] with the first rule that is broken.
    fn verify(
        &self,
        authorization: &str,
        dpop: Option<&str>,
        method: &str,
        url: &str,
    ) -> Result<AccessGrant, TokenRefusal>;
}

impl TokenScheme {
    /// The scheme's name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

impl AccessGrant {
    /// Holds the grant against what a resource demands: scheme (R1), audience (R5), scope (R7).
    ///
    /// # Errors
    /// [`TokenRefusal`] with the first demand that is not met.
    pub fn require(
        &self,
        scheme: TokenScheme,
        audience: &str,
        scope: &str,
    ) -> Result<(), TokenRefusal> {
        if self.scheme != scheme {
            return Err(TokenRefusal::WrongScheme);
        }
        if !self.audiences.iter().any(|held| held == audience) {
            return Err(TokenRefusal::InvalidToken(format!(
                "it is not meant for {audience}"
            )));
        }
        if !self.scopes.iter().any(|held| held == scope) {
            return Err(TokenRefusal::InsufficientScope {
                scope: scope.to_owned(),
            });
        }
        Ok(())
    }
}

impl TokenRefusal {
    /// The HTTP status of the answer: 403 for a missing scope, else 401.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::InsufficientScope { .. } => 403,
            Self::InvalidProof(_)
            | Self::InvalidToken(_)
            | Self::MissingToken
            | Self::WrongScheme => 401,
        }
    }

    /// The value of `WWW-Authenticate` at an address that takes `scheme` (RFC 6750 section 3, RFC 9449 section 7.1).
    #[must_use]
    pub fn challenge(&self, scheme: TokenScheme) -> String {
        let mut fields = Vec::new();
        if let Some(error) = self.error() {
            // A quoted string: quotation marks and backslashes of a description would end it.
            let description = self.to_string().replace(['"', '\\'], "'");
            fields.push(format!("error=\"{error}\""));
            fields.push(format!("error_description=\"{description}\""));
        }
        if scheme == TokenScheme::Dpop {
            fields
                .push("algs=\"RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512\"".to_owned());
        }
        format!("{} {}", scheme.name(), fields.join(", "))
            .trim_end()
            .to_owned()
    }

    fn error(&self) -> Option<&'static str> {
        match self {
            Self::InsufficientScope { .. } => Some("insufficient_scope"),
            Self::InvalidProof(_) => Some("invalid_dpop_proof"),
            Self::InvalidToken(_) => Some("invalid_token"),
            Self::MissingToken | Self::WrongScheme => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> AccessGrant {
        AccessGrant {
            scheme: TokenScheme::Bearer,
            client_id: "epj".into(),
            audiences: vec!["nhn:cppa".into()],
            scopes: vec!["nhn:cppa/access".into()],
            parent_organization: None,
            child_organization: None,
        }
    }

    #[test]
    fn a_grant_meets_its_own_scope_and_no_other() {
        let require = |scheme, audience, scope| grant().require(scheme, audience, scope);
        assert_eq!(
            require(TokenScheme::Bearer, "nhn:cppa", "nhn:cppa/access"),
            Ok(())
        );
        assert_eq!(
            require(TokenScheme::Dpop, "nhn:cppa", "nhn:cppa/access"),
            Err(TokenRefusal::WrongScheme)
        );
        let other = require(TokenScheme::Bearer, "nhn:other", "nhn:cppa/access").unwrap_err();
        assert!(matches!(other, TokenRefusal::InvalidToken(_)));
        let scope = require(TokenScheme::Bearer, "nhn:cppa", "nhn:cppa/admin").unwrap_err();
        assert_eq!(scope.status(), 403);
    }

    #[test]
    fn challenges_are_well_formed() {
        assert_eq!(
            TokenRefusal::MissingToken.challenge(TokenScheme::Bearer),
            "Bearer"
        );
        let challenge = TokenRefusal::InvalidToken("a \"b\"".into()).challenge(TokenScheme::Bearer);
        assert_eq!(
            challenge,
            "Bearer error=\"invalid_token\", error_description=\"the access token is not valid: a 'b'\""
        );
        assert!(
            TokenRefusal::MissingToken
                .challenge(TokenScheme::Dpop)
                .starts_with("DPoP algs=\"RS256 ")
        );
    }
}
