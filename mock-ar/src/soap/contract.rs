//! Parties as WCF's data contracts write them (contract 02 section 2.3): members in ordinal order, the base type's first, nil for what
//! is missing.

use testbed::Clock;
use time::OffsetDateTime;

use super::envelope::COMMON;
use crate::local_time::{with_offset, without_zone};
use crate::registry::party::{PartyKind, PostalAddress};
use crate::registry::view::{ElectronicAddress, Inheritable, PartyView};
use crate::registry::{Registered, Registry, State};
use crate::xml::{INSTANCE, Xml};

/// Namespace of parties and of the register's operations.
pub(crate) const PARTY: &str = "http://register.nhn.no/CommunicationParty";
const HPR: &str = "http://register.nhn.no/HPR";

/// Open end of a period.
const FOREVER: &str = "9999-12-31T00:00:00";
/// No parent (rule 7).
const NOBODY: i32 = -1;

/// Namespaces that a result with parties in it declares.
pub(crate) const NAMESPACES: [(&str, &str); 2] = [("xmlns:i", INSTANCE), ("xmlns:a", COMMON)];

/// A code of a code list.
struct Code<'text> {
    text: &'text str,
    value: &'text str,
    list: u32,
    kind: &'text str,
}

/// Writes a party's members, from the cache if nothing has changed.
pub(crate) fn write_party(
    xml: &mut Xml,
    registry: &Registry,
    state: &State,
    view: PartyView<'_>,
    clock: &Clock,
) {
    let her_id = view.registered.party.her_id;
    let members = state.details(her_id, || members(registry, view));
    xml.raw(&members[0])
        .element("ServerTime", with_offset(clock.wall()))
        .raw(&members[1]);
}

/// The members before `ServerTime` and after it.
fn members(registry: &Registry, view: PartyView<'_>) -> [String; 2] {
    let Registered {
        party,
        changed,
        since,
        until,
        ..
    } = view.registered;
    let addresses = view.electronic_addresses(registry);
    let mut before = Xml::new();
    before
        .element("Active", party.active)
        .nil("CoverageAreaType")
        .nil("DisplayName")
        .within("ElectronicAddresses", &[], |xml| {
            for address in &addresses {
                electronic_address(xml, address, *changed);
            }
        })
        .empty("FutureElectronicAddresses", &[])
        .element("HerId", party.her_id)
        .element("IsValidCommunicationParty", party.kind.takes_messages())
        .element("LastChanged", without_zone(*changed))
        .nil("Municipality")
        .element("Name", &party.name);
    parent(&mut before, view.parent);
    before.within("PhysicalAddresses", &[], |xml| {
        if let Some(address) = view.postal_address() {
            physical_address(xml, &address, *changed);
        }
    });
    let mut after = Xml::new();
    after
        .element("Type", party.kind.name())
        .within("Valid", &[], |xml| {
            let until = until.map_or_else(|| FOREVER.to_owned(), without_zone);
            xml.element("a:From", without_zone(*since))
                .element("a:To", until);
        });
    match &party.kind {
        PartyKind::Organization { number } => organization(&mut after, *number),
        PartyKind::Service { code, .. } => service(&mut after, *code),
        PartyKind::Person {
            first_name,
            last_name,
            hpr_number,
            ..
        } => {
            person(&mut after, [first_name, last_name], *hpr_number, *changed);
        }
    }
    [before.into_string(), after.into_string()]
}

fn parent(xml: &mut Xml, parent: Option<&Registered>) {
    let Some(parent) = parent else {
        xml.nil("ParentBusinessType")
            .element("ParentHerId", NOBODY)
            .nil("ParentName")
            .element("ParentOrganizationNumber", NOBODY);
        return;
    };
    business_type(xml, "ParentBusinessType");
    xml.element("ParentHerId", parent.party.her_id)
        .element("ParentName", &parent.party.name);
    match parent.party.kind {
        PartyKind::Organization { number } => xml.element("ParentOrganizationNumber", number),
        _ => xml.element("ParentOrganizationNumber", NOBODY),
    };
}

fn organization(xml: &mut Xml, number: u32) {
    business_type(xml, "BusinessType");
    xml.empty("IndustryCodes", &[])
        .element("OrganizationNumber", number)
        .empty("People", &[])
        .empty("Properties", &[])
        .empty("Services", &[]);
}

fn service(xml: &mut Xml, (list, value, text): (u32, &str, &str)) {
    let kind = match list {
        8658 => "Meldingsmottak i offentlig forvaltning",
        _ => "kommunale_tjenestetyper",
    };
    code(
        xml,
        "Code",
        &Code {
            text,
            value,
            list,
            kind,
        },
    );
    xml.nil("CoverageAreas")
        .nil("Description")
        .nil("LocationDescription")
        .empty("Properties", &[]);
}

fn person(xml: &mut Xml, [first, last]: [&String; 2], hpr_number: u32, changed: OffsetDateTime) {
    let changed = without_zone(changed);
    xml.nil("Organizations")
        .within("Person", &[("xmlns:h", HPR)], |xml| {
            xml.element("h:BirthDate", "1970-01-01T00:00:00")
                .nil("h:CitizenId")
                .element("h:FirstName", first)
                .within("h:HPRInformation", &[], |xml| {
                    xml.nil("h:Authorizations")
                        .element("h:HPRNo", hpr_number)
                        .element("h:HPRNumber", hpr_number)
                        .element("h:LastChanged", &changed)
                        .nil("h:SpecialCompetences");
                })
                .element("h:LastChanged", &changed)
                .element("h:LastName", last)
                .nil("h:MiddleName")
                .nil("h:Sex");
        })
        .empty("Properties", &[])
        .nil("Title");
}

fn business_type(xml: &mut Xml, tag: &str) {
    let business = Code {
        text: "Offentlig forvaltning",
        value: "113",
        list: 9040,
        kind: "helsevirksomhet_type",
    };
    code(xml, tag, &business);
}

fn electronic_address(xml: &mut Xml, address: &ElectronicAddress, changed: OffsetDateTime) {
    let kind = Code {
        text: address.text,
        value: address.code,
        list: 9044,
        kind: "type_adressekomponeneter",
    };
    xml.within("a:ElectronicAddress", &[], |xml| {
        xml.element("a:Address", &address.address)
            .element("a:Inherited", address.inherited)
            .element("a:LastChanged", without_zone(changed));
        code(xml, "a:Type", &kind);
        xml.element("a:TypeCodeValue", address.code);
    });
}

fn physical_address(xml: &mut Xml, address: &Inheritable<&PostalAddress>, changed: OffsetDateTime) {
    let kind = Code {
        text: "Besøksadresse",
        value: "RES",
        list: 3401,
        kind: "adressetype",
    };
    xml.within("a:PhysicalAddress", &[], |xml| {
        xml.element("a:City", &address.value.city)
            .nil("a:Country")
            .empty("a:Description", &[])
            .element("a:Inherited", address.inherited)
            .element("a:LastChanged", without_zone(changed))
            .element("a:PostalCode", address.value.postal_code)
            .empty("a:Postbox", &[])
            .element("a:StreetAddress", &address.value.street);
        code(xml, "a:Type", &kind);
        xml.element("a:TypeCodeValue", kind.value);
    });
}

/// A code; its element has the namespace of the owner, its members that of the common types (rule 4).
fn code(xml: &mut Xml, tag: &str, code: &Code<'_>) {
    xml.within(tag, &[], |xml| {
        xml.element("a:Active", true)
            .element("a:CodeText", code.text)
            .element("a:CodeValue", code.value)
            .nil("a:LongDescription")
            .element("a:OID", code.list)
            .element("a:SimpleType", code.kind);
    });
}

/// The status that goes with an agreement. Its code list is unknown (contract 02 section 13, item 1).
pub(crate) fn agreement_status(xml: &mut Xml) {
    let status = Code {
        text: "Gyldig (mock)",
        value: "1",
        list: 0,
        kind: "cpa_status",
    };
    code(xml, "Status", &status);
}
