//! The operations of `ICPPAService` that hand out documents (contract 02 section 2.5).

use super::contract::{NAMESPACES, agreement_status};
use super::envelope::Fault;
use super::request::Request;
use super::{Concerns, Outcome};
use crate::registry::agreement::{Agreement, NoAgreement};
use crate::server::Service;
use crate::xml::Xml;

pub(super) fn call(
    service: &Service,
    request: &Request,
    concerns: &mut Concerns,
) -> Result<Outcome, Fault> {
    match request.operation.as_str() {
        "GetCppXmlForCommunicationParty" => {
            let her_id = request.her_id("herId")?;
            concerns.her_ids.push(her_id);
            let found = service.registry.profile_document(her_id);
            let (_, document) = found.map_err(|problem| fault(problem, None))?;
            Ok(Outcome::plain(document.escaped.clone()))
        }
        "GetCpaXml" => {
            let id = request.uuid("cpaId")?;
            concerns.id = Some(id.to_string());
            let found = service.registry.read().agreements.get(&id).cloned();
            found.as_deref().map(details).ok_or_else(entity_not_found)
        }
        "GetCpaForCommunicationPartiesXml" => {
            let a = request.her_id("communicationPartAHerId")?;
            let b = request.her_id("communicationPartBHerId")?;
            concerns.her_ids.extend([a, b]);
            let found = service.agreement(a, b);
            let agreement = found.map_err(|problem| fault(problem, Some(a)))?;
            concerns.id = Some(agreement.id.to_string());
            Ok(details(&agreement))
        }
        _ => Err(Fault::caller("operation not simulated")),
    }
}

fn details(agreement: &Agreement) -> Outcome {
    let mut xml = Xml::new();
    xml.open("CollaborationProtocolAgreementXml", &[])
        .raw(&agreement.document.escaped)
        .close("CollaborationProtocolAgreementXml");
    agreement_status(&mut xml);
    Outcome {
        attributes: NAMESPACES.to_vec(),
        content: xml.into_string(),
    }
}

/// The faults of section 2.8; `first` is the party that an agreement's question names first.
fn fault(problem: NoAgreement, first: Option<u32>) -> Fault {
    match (problem, first) {
        (NoAgreement::NoCommonProcess { .. }, _) => {
            Fault::generic("NoCommonProcess", "Partene har ingen felles prosess.")
        }
        (
            NoAgreement::NoProfile { her_id }
            | NoAgreement::NoCertificates { her_id }
            | NoAgreement::NoQueue { her_id, .. }
            | NoAgreement::UnknownParty { her_id },
            Some(first),
        ) => {
            let party = if her_id == first { "PartyA" } else { "PartyB" };
            Fault::generic("PartyHasNoCpp", format!("{party} does not have a CPP"))
        }
        _ => entity_not_found(),
    }
}

fn entity_not_found() -> Fault {
    Fault::generic("EntityNotFound", "Entitet ikke funnet")
}
