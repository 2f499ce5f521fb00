//! The parties that the register knows from the start: all fictional, with synthetic organisation numbers (contract 02 section 3.6).

use super::catalogue::ProcessRole;
use super::party::{Party, PartyKind, PostalAddress, QueueKind, Queues};

/// HER-id of helsenorge.
pub const HELSENORGE: u32 = 109_989;
/// HER-id of the party under test.
pub const UNIT_UNDER_TEST: u32 = 8_900_011;

/// Service type of helsenorge (contract 02 section 3.2).
const PORTAL: (u32, &str, &str) = (8658, "4", "Digitale innbyggertjenester");
/// Service type of municipal services; the real values are unknown (contract 02 section 13).
const MUNICIPAL: (u32, &str, &str) = (8663, "99", "Kommunal tjeneste (test)");

/// The fixture of contract 02 section 3.6.
#[must_use]
pub fn fixture_parties() -> Vec<Party> {
    use QueueKind::{Async, Error, Sync, SyncReply};
    let unit = |her_id, name: &str, queues, processes| Party {
        kind: PartyKind::Service {
            parent: 8_900_001,
            code: MUNICIPAL,
        },
        queues,
        processes,
        ..organization(her_id, name, 0, None)
    };
    vec![
        organization(8_990_001, "MOCK INNBYGGERPORTAL", 310_900_206, None),
        Party {
            kind: PartyKind::Service {
                parent: 8_990_001,
                code: PORTAL,
            },
            queues: Queues::Own(vec![Error, Sync, Async]),
            processes: portal_processes(),
            ..organization(HELSENORGE, "Digitale innbyggertjenester (mock)", 0, None)
        },
        organization(
            8_900_001,
            "LIKSOMVIK KOMMUNE",
            310_900_109,
            Some("Testveien 1"),
        ),
        unit(
            UNIT_UNDER_TEST,
            "Hjemmetjenesten Liksomvik",
            Queues::Own(vec![Error, Sync, Async, SyncReply]),
            roles("Helsepersonell", &HOME_CARE),
        ),
        unit(
            8_900_102,
            "Helsestasjon, Liksomvik",
            Queues::Inherited,
            Vec::new(),
        ),
        unit(
            8_900_103,
            "Pleie og omsorg, Liksomvik",
            Queues::Own(vec![Error, Async]),
            roles("Helsepersonell", &[("Dialog_Innbygger_Ekontakt", "1.1")]),
        ),
        Party {
            active: false,
            ..unit(
                8_900_104,
                "Nedlagt tjeneste, Liksomvik",
                Queues::None,
                Vec::new(),
            )
        },
        organization(
            8_900_200,
            "LIKSOMVIK LEGEKONTOR",
            310_900_303,
            Some("Testveien 2"),
        ),
        Party {
            kind: PartyKind::Person {
                parent: 8_900_200,
                first_name: "TEST".into(),
                last_name: "FASTLEGE".into(),
                hpr_number: 9_999_001,
            },
            queues: Queues::Own(vec![Error, Sync, Async]),
            processes: roles("Helsepersonell", &GENERAL_PRACTICE),
            ..organization(8_900_201, "TEST FASTLEGE", 0, None)
        },
    ]
}

/// Processes of a home care service (contract 02 section 3.6).
const HOME_CARE: [(&str, &str); 5] = [
    ("Dialog_Innbygger_Ekontakt", "1.2"),
    ("Dialog_Innbygger_Timereservasjon", "1.2"),
    ("Dialog_Innbygger_Digitalbruker", "1.1"),
    ("Dialog_Innbygger_Test", "1.2"),
    ("Dialog_Innbygger_TjenesteOversikt", "1.0"),
];

/// Processes of a general practitioner.
const GENERAL_PRACTICE: [(&str, &str); 5] = [
    ("Dialog_Innbygger_Ekonsultasjon", "1.2"),
    ("Dialog_Innbygger_Reseptfornyelse", "1.2"),
    ("Dialog_Innbygger_Timereservasjon", "1.2"),
    ("Dialog_Innbygger_Ekontakt", "1.2"),
    ("Dialog_Innbygger_Test", "1.2"),
];

/// The processes in the given role.
///
/// # Panics
/// Never: the names are those of the catalogue, and a test holds them against it.
fn roles(role: &str, processes: &[(&str, &str)]) -> Vec<ProcessRole> {
    let find = |(name, version): &(&str, &str)| ProcessRole::find(name, version, role);
    processes
        .iter()
        .map(|entry| find(entry).expect("the fixture names processes of the catalogue"))
        .collect()
}

/// Role Innbygger for the whole catalogue, but for Ekontakt 1.1: with it the party 8900103 would have a process in common.
fn portal_processes() -> Vec<ProcessRole> {
    ProcessRole::all()
        .filter(|entry| entry.role() == "Innbygger")
        .filter(|entry| (entry.name(), entry.version()) != ("Dialog_Innbygger_Ekontakt", "1.1"))
        .collect()
}

fn organization(her_id: u32, name: &str, number: u32, street: Option<&str>) -> Party {
    Party {
        her_id,
        name: name.into(),
        kind: PartyKind::Organization { number },
        active: true,
        queues: Queues::None,
        processes: Vec::new(),
        address: street.map(|street| PostalAddress {
            street: street.into(),
            postal_code: 9999,
            city: "LIKSOMVIK".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixture_is_whole() {
        let parties = fixture_parties();
        assert_eq!(parties.len(), 9);
        for party in &parties {
            let parent = party.kind.parent();
            assert!(parent.is_none_or(|parent| parties.iter().any(|other| other.her_id == parent)));
        }
        let helsenorge = parties
            .iter()
            .find(|party| party.her_id == HELSENORGE)
            .unwrap();
        assert_eq!(helsenorge.processes.len(), 17);
    }
}
