//! Communication parties as the register describes them (contract 02 sections 2.3, 2.4 and 3.4).

use roxmltree::Node;
use time::PrimitiveDateTime;

use super::answer::{COMMON, is_nil, member, with_result};
use super::{REGISTER, RegisterError, required};
use crate::queue::{AddressError, QueueKind, queue_of_address};
use crate::xml::{INSTANCE, child, elements, is};
use crate::{HerId, date_time};

/// Most parties and addresses of one answer that are looked at.
const MOST: usize = 10_000;

/// An electronic address of a party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElectronicAddress {
    /// `E_SB_ASYNC`, `E_DS` and so on.
    pub code: String,
    /// The address as registered, `tb.test.nhn.no/NHNTESTServiceBus/8141703_async`.
    pub address: String,
    /// Whether it is the parent's.
    pub inherited: bool,
}

/// A communication party, with the addresses that it inherits already among its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyDetails {
    /// HER-id.
    pub her_id: u32,
    /// `Name`.
    pub name: String,
    /// `Service`, `Organization` or `OrganizationPerson`: `i:type` without prefix, or else the word in `Type`.
    pub kind: String,
    /// `Active`; the register answers for inactive parties too.
    pub active: bool,
    /// `IsValidCommunicationParty`: whether messages can be sent to it.
    pub takes_messages: bool,
    /// HER-id of the parent, if there is one.
    pub parent_her_id: Option<u32>,
    /// Name of the parent.
    pub parent_name: Option<String>,
    /// Organisation number of the parent.
    pub parent_organization_number: Option<u32>,
    /// Its own organisation number, if it is an organisation.
    pub organization_number: Option<u32>,
    /// Begin of validity, Norwegian local time.
    pub valid_from: Option<PrimitiveDateTime>,
    /// End of validity, Norwegian local time; the year 9999 when open.
    pub valid_to: Option<PrimitiveDateTime>,
    /// Electronic addresses in the order of the answer.
    pub addresses: Vec<ElectronicAddress>,
}

impl PartyDetails {
    /// The first address for this kind of queue.
    #[must_use]
    pub fn address(&self, kind: QueueKind) -> Option<&ElectronicAddress> {
        self.addresses
            .iter()
            .find(|address| address.code == kind.address_code())
    }

    /// The name of the queue of this kind: what follows the last `/` of its address (contract 01 section 1.3).
    ///
    /// # Errors
    /// [`AddressError::Empty`] if there is no such address or it names nothing; the official client makes no difference.
    pub fn queue(&self, kind: QueueKind) -> Result<String, AddressError> {
        let address = self.address(kind).ok_or(AddressError::Empty)?;
        queue_of_address(&address.address)
    }

    /// Whether the party is active and within its validity at a Norwegian local time. A missing end is open.
    #[must_use]
    pub fn is_valid_at(&self, local: PrimitiveDateTime) -> bool {
        let begun = self.valid_from.is_none_or(|from| from <= local);
        self.active && begun && self.valid_to.is_none_or(|to| local < to)
    }
}

/// Reads the answer to [`get_party_request`](super::get_party_request) or
/// [`get_organization_request`](super::get_organization_request).
///
/// # Errors
/// If it is a fault or cannot be read. An unknown HER-id is a fault, see [`RegisterError::is_unknown_her_id`].
pub fn read_party(xml: &[u8]) -> Result<PartyDetails, RegisterError> {
    with_result(xml, |result| party(required(result)?))
}

/// Reads the answer to [`search_by_id_request`](super::search_by_id_request); nothing found is an empty list.
///
/// # Errors
/// If it is a fault or cannot be read.
pub fn read_search(xml: &[u8]) -> Result<Vec<PartyDetails>, RegisterError> {
    with_result(xml, |result| {
        let parties = result.into_iter().flat_map(elements);
        let parties =
            parties.filter(|node| is(*node, REGISTER, "CommunicationParty") && !is_nil(*node));
        parties.take(MOST).map(party).collect()
    })
}

fn party(node: Node<'_, '_>) -> Result<PartyDetails, RegisterError> {
    let text = |name: &str| member(node, REGISTER, name);
    let her_id = text("HerId").and_then(|text| text.parse::<HerId>().ok());
    let her_id = her_id.ok_or_else(|| RegisterError::unreadable("the party has no HER-id"))?;
    // No parent is written as -1.
    let number = |name: &str| {
        text(name)
            .and_then(|text| text.parse::<u32>().ok())
            .filter(|number| *number > 0)
    };
    let valid = child(node, REGISTER, "Valid").filter(|valid| !is_nil(*valid));
    let period = |name: &str| {
        let text = member(valid?, COMMON, name)?;
        date_time::parse(&text).map(|time| PrimitiveDateTime::new(time.date(), time.time()))
    };
    Ok(PartyDetails {
        her_id: her_id.get(),
        name: text("Name").unwrap_or_default(),
        kind: kind(node),
        active: is_true(text("Active")),
        takes_messages: is_true(text("IsValidCommunicationParty")),
        parent_her_id: number("ParentHerId"),
        parent_name: text("ParentName").filter(|name| !name.is_empty()),
        parent_organization_number: number("ParentOrganizationNumber"),
        organization_number: number("OrganizationNumber"),
        valid_from: period("From"),
        valid_to: period("To"),
        addresses: addresses(node),
    })
}

fn is_true(text: Option<String>) -> bool {
    matches!(text.as_deref(), Some("true" | "1"))
}

/// The actual type; without `i:type` it is the declared one, of which only the word in `Type` says more.
fn kind(node: Node<'_, '_>) -> String {
    match node.attribute((INSTANCE, "type")) {
        Some(name) => name
            .rsplit(':')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned(),
        None => member(node, REGISTER, "Type").unwrap_or_default(),
    }
}

fn addresses(node: Node<'_, '_>) -> Vec<ElectronicAddress> {
    let list = child(node, REGISTER, "ElectronicAddresses");
    let list = list.into_iter().flat_map(elements);
    let entries = list.filter(|entry| is(*entry, COMMON, "ElectronicAddress") && !is_nil(*entry));
    let read = |entry| {
        let code = member(entry, COMMON, "TypeCodeValue").filter(|code| !code.is_empty());
        let of_type =
            || child(entry, COMMON, "Type").and_then(|code| member(code, COMMON, "CodeValue"));
        ElectronicAddress {
            code: code.or_else(of_type).unwrap_or_default(),
            address: member(entry, COMMON, "Address").unwrap_or_default(),
            inherited: is_true(member(entry, COMMON, "Inherited")),
        }
    };
    entries.take(MOST).map(read).collect()
}
