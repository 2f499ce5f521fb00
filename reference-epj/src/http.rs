//! The EPJ's HTTP client: its own trust, its own name, every answer bounded in size and time.

use std::error::Error as _;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, RequestBuilder, StatusCode};

use crate::clock;

/// Name in every request.
const USER_AGENT: &str = "reference-epj";
/// Longest time until a connection stands.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Most bytes of a file that the environment names.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Why the EPJ cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// A file that the environment names cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A file that the environment names is larger than any real one.
    #[error("{} is larger than {LONGEST_FILE} bytes", .0.display())]
    TooLarge(PathBuf),
    /// A file that the environment names is not what it should be.
    #[error("{} cannot be used: {reason}", path.display())]
    Content { path: PathBuf, reason: String },
    /// No HTTP client can be made.
    #[error("no HTTP client: {0}")]
    Client(String),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    /// Nothing, or not all of it, came.
    #[error("no answer: {0}")]
    Failed(String),
    /// Not in time.
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// More than anybody sends in earnest.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header that is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A client that trusts the roots of the bundle and nobody else, follows no redirect and repeats nothing by itself.
pub(crate) fn client(bundle: &Path) -> Result<Client, SetupError> {
    let unusable = |reason: String| SetupError::Content {
        path: bundle.to_owned(),
        reason,
    };
    let roots = Certificate::from_pem_bundle(&read_file(bundle)?)
        .map_err(|error| unusable(error.to_string()))?;
    if roots.is_empty() {
        return Err(unusable("it holds no certificate".into()));
    }
    Client::builder()
        .user_agent(USER_AGENT)
        .tls_certs_only(roots)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_LIMIT)
        .build()
        .map_err(|error| SetupError::Client(with_causes(&error)))
}

/// A file that the environment names.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, SetupError> {
    let failed = |source| SetupError::Read {
        path: path.to_owned(),
        source,
    };
    if std::fs::metadata(path).map_err(failed)?.len() > LONGEST_FILE {
        return Err(SetupError::TooLarge(path.to_owned()));
    }
    std::fs::read(path).map_err(failed)
}

/// Sends a request and reads the whole answer: at most `longest` bytes of body, all of it within `limit`.
pub(crate) async fn send(
    request: RequestBuilder,
    longest: usize,
    limit: Duration,
) -> Result<Answer, HttpError> {
    clock::within(limit, receive(request, longest))
        .await
        .unwrap_or(Err(HttpError::Late(limit)))
}

async fn receive(request: RequestBuilder, longest: usize) -> Result<Answer, HttpError> {
    let failed = |error: reqwest::Error| HttpError::Failed(with_causes(&error));
    let mut response = request.send().await.map_err(failed)?;
    let announced = response.content_length().unwrap_or_default();
    if usize::try_from(announced).map_or(true, |announced| announced > longest) {
        return Err(HttpError::TooLarge(longest));
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if body.len() + piece.len() > longest {
            return Err(HttpError::TooLarge(longest));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Answer {
        status: response.status(),
        headers: std::mem::take(response.headers_mut()),
        body,
    })
}

/// The error and what is behind it; the client's own text names the address only.
fn with_causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use openssl::asn1::Asn1Time;
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::x509::{X509, X509NameBuilder};
    use wiremock::matchers::{header, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    const PLENTY: Duration = Duration::from_secs(10);

    /// A file with a root that nobody else knows.
    pub(crate) fn bundle(folder: &Path) -> PathBuf {
        let group = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1);
        let key = openssl::ec::EcKey::generate(&group.unwrap()).unwrap();
        let key = PKey::from_ec_key(key).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "Nobody's root").unwrap();
        let name = name.build();
        let mut root = X509::builder().unwrap();
        root.set_version(2).unwrap();
        root.set_subject_name(&name).unwrap();
        root.set_issuer_name(&name).unwrap();
        root.set_pubkey(&key).unwrap();
        root.set_not_before(&Asn1Time::days_from_now(0).unwrap())
            .unwrap();
        root.set_not_after(&Asn1Time::days_from_now(1).unwrap())
            .unwrap();
        root.sign(&key, MessageDigest::sha256()).unwrap();
        let path = folder.join("trust.pem");
        std::fs::write(&path, root.build().to_pem().unwrap()).unwrap();
        path
    }

    /// A client without peers that it trusts.
    pub(crate) fn plain_client() -> Client {
        client(&bundle(tempfile::tempdir().unwrap().path())).unwrap()
    }

    #[tokio::test]
    async fn answers_are_bounded_and_requests_carry_the_name() {
        let server = MockServer::start().await;
        Mock::given(path("/"))
            .and(header("user-agent", USER_AGENT))
            .respond_with(ResponseTemplate::new(418).set_body_bytes(vec![7; 100]))
            .mount(&server)
            .await;
        let client = plain_client();
        let answer = send(client.get(server.uri()), 100, PLENTY).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.body.len()), (418, 100));
        assert_eq!(
            send(client.get(server.uri()), 99, PLENTY)
                .await
                .unwrap_err(),
            HttpError::TooLarge(99)
        );
    }

    #[tokio::test]
    async fn a_silent_server_costs_the_limit_and_no_redirect_is_followed() {
        let server = MockServer::start().await;
        Mock::given(path("/silent"))
            .respond_with(ResponseTemplate::new(200).set_delay(PLENTY * 60))
            .mount(&server)
            .await;
        Mock::given(path("/moved"))
            .respond_with(ResponseTemplate::new(302).insert_header("location", "/silent"))
            .mount(&server)
            .await;
        let client = plain_client();
        let limit = Duration::from_millis(50);
        let silent = send(client.get(format!("{}/silent", server.uri())), 10, limit).await;
        assert_eq!(silent.unwrap_err(), HttpError::Late(limit));
        let moved = send(client.get(format!("{}/moved", server.uri())), 10, PLENTY).await;
        assert_eq!(moved.unwrap().status, StatusCode::FOUND);
    }

    #[test]
    fn a_bundle_without_certificates_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty.pem");
        assert!(matches!(client(&path), Err(SetupError::Read { .. })));
        std::fs::write(&path, "hello").unwrap();
        assert!(matches!(client(&path), Err(SetupError::Content { .. })));
    }
}
