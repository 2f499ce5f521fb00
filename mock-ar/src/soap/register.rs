//! The operations of `ICommunicationPartyService` (contract 02 section 2.4).

use super::contract::{NAMESPACES, write_party};
use super::envelope::Fault;
use super::request::Request;
use super::{Concerns, Outcome};
use crate::registry::State;
use crate::registry::certificate::{Certificates, Stored};
use crate::registry::party::PartyKind;
use crate::registry::view::PartyView;
use crate::server::Service;
use crate::xml::Xml;

/// Namespace of `CertificateDetails`.
pub(super) const CERTIFICATE: &str = "http://register.nhn.no/CertificateDetails";

pub(super) fn call(
    service: &Service,
    request: &Request,
    concerns: &mut Concerns,
) -> Result<Outcome, Fault> {
    let any = |_: &PartyKind| true;
    match request.operation.as_str() {
        "Ping" => Ok(Outcome::plain("pong".into())),
        "SearchById" => Ok(search(service, request, concerns)),
        "GetCommunicationPartyDetails" => {
            details(service, request, concerns, (any, Polymorphic::Yes))
        }
        "GetOrganizationDetails" => {
            let wanted = |kind: &PartyKind| matches!(kind, PartyKind::Organization { .. });
            details(service, request, concerns, (wanted, Polymorphic::No))
        }
        "GetServiceDetails" => {
            let wanted = |kind: &PartyKind| matches!(kind, PartyKind::Service { .. });
            details(service, request, concerns, (wanted, Polymorphic::No))
        }
        "GetOrganizationPersonDetails" => {
            let wanted = |kind: &PartyKind| matches!(kind, PartyKind::Person { .. });
            details(service, request, concerns, (wanted, Polymorphic::No))
        }
        "GetCertificateDetailsForEncryption" => {
            certificate_details(service, request, concerns, |pair| &pair.encryption)
        }
        "GetCertificateDetailsForValidatingSignature" => {
            certificate_details(service, request, concerns, |pair| &pair.signing)
        }
        "GetCertificateForEncryption" => {
            certificate(service, request, concerns, |pair| &pair.encryption)
        }
        "GetCertificateForValidatingSignature" => {
            certificate(service, request, concerns, |pair| &pair.signing)
        }
        _ => Err(Fault::caller("operation not simulated")),
    }
}

/// Whether the declared type of a result is the base type, so that the actual one must be named (rule 3 of section 2.3).
#[derive(Clone, Copy)]
enum Polymorphic {
    Yes,
    No,
}

fn details(
    service: &Service,
    request: &Request,
    concerns: &mut Concerns,
    (wanted, polymorphic): (impl Fn(&PartyKind) -> bool, Polymorphic),
) -> Result<Outcome, Fault> {
    let state = service.registry.read();
    let view = party(&state, request, concerns)?;
    let kind = &view.registered.party.kind;
    if !wanted(kind) {
        return Err(unknown_her_id());
    }
    let mut xml = Xml::new();
    write_party(
        &mut xml,
        &service.registry,
        &state,
        view,
        &service.context.clock,
    );
    let mut attributes = NAMESPACES.to_vec();
    if matches!(polymorphic, Polymorphic::Yes) {
        attributes.push(("i:type", type_name(kind)));
    }
    Ok(Outcome {
        attributes,
        content: xml.into_string(),
    })
}

/// Exact matches on HER-id and on organisation number; none is no fault.
fn search(service: &Service, request: &Request, concerns: &mut Concerns) -> Outcome {
    let asked = request.text("id").unwrap_or_default().trim();
    concerns.id = Some(asked.chars().take(64).collect());
    let number: Option<u32> = asked.parse().ok();
    let state = service.registry.read();
    let mut xml = Xml::new();
    let parties = state.parties.values().filter(|registered| {
        let party = &registered.party;
        let organization = match party.kind {
            PartyKind::Organization { number } => Some(number),
            _ => None,
        };
        number.is_some() && (Some(party.her_id) == number || organization == number)
    });
    for view in parties.filter_map(|found| state.view(found.party.her_id)) {
        concerns.her_ids.push(view.registered.party.her_id);
        let kind = type_name(&view.registered.party.kind);
        xml.within("CommunicationParty", &[("i:type", kind)], |xml| {
            write_party(xml, &service.registry, &state, view, &service.context.clock);
        });
    }
    Outcome {
        attributes: NAMESPACES.to_vec(),
        content: xml.into_string(),
    }
}

fn certificate_details(
    service: &Service,
    request: &Request,
    concerns: &mut Concerns,
    wanted: impl Fn(&Certificates) -> &Stored,
) -> Result<Outcome, Fault> {
    let state = service.registry.read();
    let pair = certificates(&state, request, concerns)?;
    let mut xml = Xml::new();
    xml.element("a:Certificate", &wanted(pair).base64)
        .element("a:LdapUrl", pair.ldap_url(&service.registry.ldap_base));
    Ok(Outcome {
        attributes: vec![("xmlns:a", CERTIFICATE)],
        content: xml.into_string(),
    })
}

fn certificate(
    service: &Service,
    request: &Request,
    concerns: &mut Concerns,
    wanted: impl Fn(&Certificates) -> &Stored,
) -> Result<Outcome, Fault> {
    let state = service.registry.read();
    let pair = certificates(&state, request, concerns)?;
    Ok(Outcome::plain(wanted(pair).base64.clone()))
}

fn certificates<'state>(
    state: &'state State,
    request: &Request,
    concerns: &mut Concerns,
) -> Result<&'state Certificates, Fault> {
    let view = party(state, request, concerns)?;
    let found = view.certificates().map(|found| found.value);
    found.ok_or_else(|| {
        Fault::generic(
            "CertificateNotFound",
            "Fant ikke sertifikat for kommunikasjonsparten.",
        )
    })
}

fn party<'state>(
    state: &'state State,
    request: &Request,
    concerns: &mut Concerns,
) -> Result<PartyView<'state>, Fault> {
    let her_id = request.her_id("herId")?;
    concerns.her_ids.push(her_id);
    state.view(her_id).ok_or_else(unknown_her_id)
}

fn unknown_her_id() -> Fault {
    let text = "Kommunikasjonspart med oppgitt HER-id eksisterer ikke.";
    Fault::generic("InvalidHerIdSupplied", text)
}

/// The name in `i:type`, without prefix: the default namespace is that of the types.
fn type_name(kind: &PartyKind) -> &'static str {
    match kind {
        PartyKind::Organization { .. } => "Organization",
        PartyKind::Service { .. } => "Service",
        PartyKind::Person { .. } => "OrganizationPerson",
    }
}
