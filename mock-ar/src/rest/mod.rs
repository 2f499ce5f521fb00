//! CPPA REST: v1 at the root with Bearer tokens, v2 below `/v2/` with DPoP (contract 02 section 4.1).

mod access;
mod json;
mod problem;

use serde_json::Value;
use testbed::evidence::{Event, Part};
use testbed::http::{Answer, Exchange, Method, StatusCode, header};

use self::access::ApiVersion;
use self::problem::Problem;
use crate::registry::Document;
use crate::server::{Service, WrongAnswer};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Resource {
    Agreement(String),
    AgreementOf(String, String),
    AgreementSummaries(String),
    Processes,
    Profile(String),
    ProfileProcesses(String),
}

/// What an answer holds.
enum Content {
    Document {
        xml: testbed::http::Bytes,
        json: Value,
    },
    Json(Value),
}

/// What a call concerns, for evidence.
#[derive(Debug, Default)]
struct Concerns {
    her_ids: Vec<u32>,
    id: Option<String>,
}

/// Answers what comes to no SOAP endpoint.
pub(crate) fn answer(service: &Service, exchange: &Exchange, wrong: Option<WrongAnswer>) -> Answer {
    let Some((version, resource)) = route(exchange.path()) else {
        return Answer::empty(StatusCode::NOT_FOUND);
    };
    if exchange.method != Method::GET {
        return Answer::empty(StatusCode::METHOD_NOT_ALLOWED).with_header(header::ALLOW, "GET");
    }
    if wrong == Some(WrongAnswer::Unauthorized) {
        return access::refuse_anyway(version);
    }
    let client = match access::admit(service, exchange, version) {
        Ok(client) => client,
        Err(refused) => return *refused,
    };
    let mut concerns = Concerns::default();
    let found = match wrong {
        Some(WrongAnswer::GenericFault) => Err(Problem::simulated()),
        _ => find(service, &resource, &mut concerns),
    };
    service.context.journal.record(
        Part::Ar,
        Event::RegisterOperation {
            request: exchange.request,
            operation: format!("{}/{}", version.name(), resource.name()),
            user: client,
            her_ids: concerns.her_ids,
            id: concerns.id,
            fault: found.as_ref().err().map(|problem| problem.code.to_owned()),
        },
    );
    match (found, wrong) {
        (_, Some(WrongAnswer::SoapFault | WrongAnswer::Unknown)) => server_error(),
        (_, Some(WrongAnswer::EmptyResult)) => Answer::new(StatusCode::OK, XML, Vec::new()),
        (Ok(content), _) => deliver(exchange, content),
        (Err(problem), _) => problem.answer(&service.registry.public_url, exchange.path()),
    }
}

const XML: &str = "application/xml; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

/// What a web server in front of the register says when it is in trouble (F-21).
fn server_error() -> Answer {
    let page = "<html><head><title>500</title></head><body>Internal Server Error (simulated)</body></html>";
    Answer::new(StatusCode::INTERNAL_SERVER_ERROR, "text/html", page)
}

/// Splits a path into version and resource; names are compared without regard to case.
fn route(path: &str) -> Option<(ApiVersion, Resource)> {
    let mut segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    let version = match segments.first() {
        Some(first) if first.eq_ignore_ascii_case("v2") => {
            segments.remove(0);
            ApiVersion::V2
        }
        _ => ApiVersion::V1,
    };
    let name = |index: usize| segments.get(index).map(|name| name.to_ascii_lowercase());
    let text = |index: usize| segments[index].to_owned();
    let (first, second, third) = (name(0)?, name(1), name(2));
    let resource = match (first.as_str(), segments.len()) {
        ("profiles", 2) => Resource::Profile(text(1)),
        ("profiles", 3) if third.as_deref() == Some("processes") => {
            Resource::ProfileProcesses(text(1))
        }
        ("agreements", 2) => Resource::Agreement(text(1)),
        ("agreements", 4) if second.as_deref() == Some("herids") => {
            Resource::AgreementOf(text(2), text(3))
        }
        ("agreementsummaries", 2) => Resource::AgreementSummaries(text(1)),
        ("processes", 1) => Resource::Processes,
        _ => return None,
    };
    Some((version, resource))
}

impl Resource {
    fn name(&self) -> &'static str {
        match self {
            Self::Agreement(_) => "Agreements",
            Self::AgreementOf(..) => "Agreements/HerIds",
            Self::AgreementSummaries(_) => "AgreementSummaries",
            Self::Processes => "Processes",
            Self::Profile(_) => "Profiles",
            Self::ProfileProcesses(_) => "Profiles/Processes",
        }
    }
}

fn find(
    service: &Service,
    resource: &Resource,
    concerns: &mut Concerns,
) -> Result<Content, Problem> {
    let registry = &service.registry;
    let mut her_id = |text: &str| {
        let number = text
            .parse()
            .ok()
            .filter(|number| i32::try_from(*number).is_ok());
        concerns.her_ids.extend(number);
        number.ok_or_else(Problem::no_her_id)
    };
    match resource {
        Resource::Profile(party) => {
            let (profile, document) = registry.profile_document(her_id(party)?)?;
            Ok(document_content(&document, json::profile(&profile)))
        }
        Resource::ProfileProcesses(party) => {
            let (profile, _) = registry.profile_document(her_id(party)?)?;
            Ok(Content::Json(json::roles(&profile.roles)))
        }
        Resource::AgreementOf(a, b) => {
            let agreement = service.agreement(her_id(a)?, her_id(b)?)?;
            concerns.id = Some(agreement.id.to_string());
            Ok(document_content(
                &agreement.document,
                json::agreement(&agreement),
            ))
        }
        Resource::Agreement(id) => {
            let id = id
                .parse::<uuid::Uuid>()
                .map_err(|_| Problem::no_agreement(id))?;
            concerns.id = Some(id.to_string());
            let found = registry.read().agreements.get(&id).cloned();
            let agreement = found.ok_or_else(|| Problem::no_agreement(&id.to_string()))?;
            Ok(document_content(
                &agreement.document,
                json::agreement(&agreement),
            ))
        }
        Resource::AgreementSummaries(party) => {
            let party = her_id(party)?;
            Ok(Content::Json(json::summaries(&registry.read(), party)))
        }
        Resource::Processes => Ok(Content::Json(json::catalogue())),
    }
}

fn document_content(document: &Document, json: Value) -> Content {
    Content::Document {
        xml: document.xml.clone(),
        json,
    }
}

/// XML when the client accepts it, else JSON.
fn deliver(exchange: &Exchange, content: Content) -> Answer {
    let accept = exchange
        .header("accept")
        .unwrap_or_default()
        .to_ascii_lowercase();
    match content {
        Content::Document { xml, .. } if accept.contains("/xml") => {
            Answer::new(StatusCode::OK, XML, xml)
        }
        Content::Document { json, .. } | Content::Json(json) => {
            Answer::new(StatusCode::OK, JSON, json.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_lead_to_resources() {
        let agreement = Resource::AgreementOf("1".into(), "2".into());
        assert_eq!(
            route("/Agreements/HerIds/1/2"),
            Some((ApiVersion::V1, agreement.clone()))
        );
        assert_eq!(
            route("/v2/agreements/herids/1/2"),
            Some((ApiVersion::V2, agreement))
        );
        assert_eq!(
            route("/Profiles/7"),
            Some((ApiVersion::V1, Resource::Profile("7".into())))
        );
        assert_eq!(route("/v2Profiles/7"), None);
        assert_eq!(route("/Agreements/Others/1/2"), None);
        assert_eq!(route("/"), None);
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(path in "[/a-zA-Z0-9]{0,60}") {
            let _ = route(&path);
        }
    }
}
