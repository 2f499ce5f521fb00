//! The SOAP services: binding, authentication, dispatch, evidence (contract 02 section 2).

mod contract;
mod cppa;
mod description;
mod envelope;
mod register;
mod request;
mod schema;
mod wsdl;

use testbed::evidence::{Event, Part};
use testbed::http::{Answer, Exchange, Method, StatusCode, header};

use self::description::Description;
use self::envelope::{Blame, Fault, Reply, Version};
use self::request::{ParameterError, Request, RequestError};
use crate::server::{Service, WrongAnswer};
use crate::xml::{INSTANCE, Xml};

/// Name of the realm that a challenge shows; any text would do (rule ).
const CHALLENGE: &str = "Basic realm=\"Adresseregisteret\"";

/// A service in one of its bindings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoint {
    description: &'static Description,
    version: Version,
}

/// What a call concerns, for evidence.
#[derive(Debug, Default)]
struct Concerns {
    her_ids: Vec<u32>,
    id: Option<String>,
}

/// The result of an operation: attributes of the result element and its content.
#[derive(Debug)]
struct Outcome {
    attributes: Vec<(&'static str, &'static str)>,
    content: String,
}

impl Outcome {
    fn plain(content: String) -> Self {
        Self {
            attributes: Vec::new(),
            content,
        }
    }
}

impl From<ParameterError> for Fault {
    fn from(error: ParameterError) -> Self {
        Self::caller(error.to_string())
    }
}

/// The endpoint at a path, if it is one: compared without regard to case.
pub(crate) fn endpoint(path: &str) -> Option<Endpoint> {
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    let (service, version) = match path.strip_suffix("/basic") {
        Some(service) => (service, Version::Soap11),
        None => (path.as_str(), Version::Soap12),
    };
    let description = Description::at(service)?;
    Some(Endpoint {
        description,
        version,
    })
}

/// Answers whatever comes to an endpoint.
pub(crate) fn answer(
    service: &Service,
    endpoint: Endpoint,
    exchange: &Exchange,
    wrong: Option<WrongAnswer>,
) -> Answer {
    if exchange.method == Method::GET {
        return describe(service, endpoint, exchange);
    }
    if exchange.method != Method::POST {
        return Answer::empty(StatusCode::METHOD_NOT_ALLOWED)
            .with_header(header::ALLOW, "GET, POST");
    }
    let authorization = exchange.header("authorization").unwrap_or_default();
    let accounts = service.registry.accounts();
    let user = accounts.authenticate(authorization);
    let Some(user) = user.filter(|_| wrong != Some(WrongAnswer::Unauthorized)) else {
        return Answer::empty(StatusCode::UNAUTHORIZED)
            .with_header(header::WWW_AUTHENTICATE, CHALLENGE);
    };
    if !is_media_type(exchange, endpoint.version) {
        return Answer::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let request = match Request::read(&exchange.body, endpoint.version) {
        Ok(request) => request,
        Err(error) => return refuse(endpoint.version, &error),
    };
    let mut concerns = Concerns::default();
    let result = match wrong {
        Some(WrongAnswer::GenericFault) => {
            Err(Fault::generic("MockFault", "Ukjent feil (simulert)"))
        }
        Some(WrongAnswer::SoapFault | WrongAnswer::Unknown) => Err(Fault::Untyped {
            blame: Blame::Server,
            message: "Intern feil (simulert)".into(),
        }),
        _ => dispatch(service, endpoint, exchange, &request, &mut concerns),
    };
    let called = Event::RegisterOperation {
        request: exchange.request,
        operation: cut(&request.operation),
        user: user.to_owned(),
        her_ids: concerns.her_ids,
        id: concerns.id,
        fault: result.as_ref().err().map(|fault| fault.code().to_owned()),
    };
    service.context.journal.record(Part::Ar, called);
    let empty = wrong == Some(WrongAnswer::EmptyResult);
    respond(endpoint, &request, result, empty)
}

/// Foreign text, short enough to be kept or repeated.
fn cut(text: &str) -> String {
    text.chars().take(128).collect()
}

/// The service description, for `?wsdl` and `?singleWsdl` (rule ).
fn describe(service: &Service, endpoint: Endpoint, exchange: &Exchange) -> Answer {
    let query = exchange.uri.query().unwrap_or_default();
    if !query.eq_ignore_ascii_case("wsdl") && !query.eq_ignore_ascii_case("singlewsdl") {
        return Answer::empty(StatusCode::METHOD_NOT_ALLOWED).with_header(header::ALLOW, "POST");
    }
    let base = service.base(exchange);
    Answer::new(
        StatusCode::OK,
        "text/xml; charset=utf-8",
        wsdl::document(endpoint.description, &base),
    )
}

fn is_media_type(exchange: &Exchange, version: Version) -> bool {
    let given = exchange.header("content-type").unwrap_or_default();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case(version.media_type())
}

/// What cannot be read is answered with a fault as well; like WCF with status 400 when it is not even XML.
fn refuse(version: Version, error: &RequestError) -> Answer {
    let blame = match error {
        RequestError::Version => Blame::Version,
        RequestError::MustUnderstand(_) => Blame::Header,
        RequestError::Encoding | RequestError::Xml(_) | RequestError::Body => Blame::Caller,
    };
    let message = error.to_string();
    let mut answer = Reply::unread(version).fault(&Fault::Untyped { blame, message });
    if matches!(error, RequestError::Encoding | RequestError::Xml(_)) {
        *answer.response.status_mut() = StatusCode::BAD_REQUEST;
    }
    answer
}

/// The answer of a call; an `empty` one has a nil result.
fn respond(
    endpoint: Endpoint,
    request: &Request,
    result: Result<Outcome, Fault>,
    empty: bool,
) -> Answer {
    let description = endpoint.description;
    let action = description.action(&request.operation);
    let reply = Reply::to(endpoint.version, &action, request);
    match result {
        Err(fault) => reply.fault(&fault),
        Ok(_) if empty => {
            let nil = [("xmlns:i", INSTANCE), ("i:nil", "true")];
            reply.success(&response(description, &request.operation, &nil, ""))
        }
        Ok(outcome) => {
            let Outcome {
                attributes,
                content,
            } = outcome;
            let content = response(description, &request.operation, &attributes, &content);
            reply.success(&content)
        }
    }
}

fn dispatch(
    service: &Service,
    endpoint: Endpoint,
    exchange: &Exchange,
    request: &Request,
    concerns: &mut Concerns,
) -> Result<Outcome, Fault> {
    let description = endpoint.description;
    let asked = match endpoint.version {
        Version::Soap11 => exchange
            .header("soapaction")
            .map(|action| action.trim_matches('"')),
        Version::Soap12 => request.action.as_deref().map(str::trim),
    };
    let expected = description.action(&request.operation);
    if let Some(asked) = asked.filter(|asked| !asked.is_empty() && *asked != expected) {
        let asked = cut(asked);
        let text = format!("the action {asked} does not go with the operation in the body");
        return Err(Fault::caller(text));
    }
    let known = request.namespace == description.namespace && description.knows(&request.operation);
    if !known {
        return Err(Fault::caller("operation not simulated"));
    }
    match description.kind {
        description::Kind::Register => register::call(service, request, concerns),
        description::Kind::Cppa => cppa::call(service, request, concerns),
    }
}

/// `<OpResponse><OpResult>` around a result.
fn response(
    description: &Description,
    operation: &str,
    attributes: &[(&str, &str)],
    content: &str,
) -> String {
    let mut xml = Xml::new();
    let namespace = [("xmlns", description.namespace)];
    xml.within(&format!("{operation}Response"), &namespace, |xml| {
        xml.within(&format!("{operation}Result"), attributes, |xml| {
            xml.raw(content);
        });
    });
    xml.into_string()
}
