//! Who takes part: accounts, names and numbers (contract 02 section 3.6, contract 03 section 0.3). All fictional but for helsenorge's HER-id.

use mock_ar::{HELSENORGE, UNIT_UNDER_TEST};
use mock_buypass::Subject;

use super::document::{Party, Queues};

/// Bus and register account of the system under test.
pub const SUT_USER: &str = "OrgUsr310900109";
/// Bus and register account of helsenorge.
pub const HELSENORGE_USER: &str = "OrgUsr310900206";

/// Passwords guard nothing but a simulated network on this machine; they have characters that a URL must encode, because
/// real ones have.
pub(super) const SUT_PASSWORD: &str = "liksom/vik#1";
pub(super) const HELSENORGE_PASSWORD: &str = "innbygger-portal-1";
/// Password of the PKCS#12 stores.
pub(super) const STORE_PASSWORD: &str = "provenett";
/// The client that is registered at the token service.
pub(super) const CLIENT_ID: &str = "5c4e9c5e-6a0e-4f6b-9d0b-310900109001";
/// Where the official client finds CPPA REST version 1 and 2 (contract 05 section 1.1).
pub(super) const SCOPE_V1: &str = "nhn:cppa/access";
pub(super) const SCOPE_V2: &str = "nhn:cppa/access-with-dpop";

/// A party as certificates, register and message heads name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) her_id: u32,
    pub(super) name: &'static str,
    pub(super) organization_her_id: u32,
    pub(super) organization_name: &'static str,
    pub(super) organization_number: &'static str,
}

/// The party that the system under test plays.
pub(super) const SUT: Member = Member {
    her_id: UNIT_UNDER_TEST,
    name: "Hjemmetjenesten Liksomvik",
    organization_her_id: 8_900_001,
    organization_name: "LIKSOMVIK KOMMUNE",
    organization_number: "310900109",
};

/// helsenorge.
pub(super) const PORTAL: Member = Member {
    her_id: HELSENORGE,
    name: "Digitale innbyggertjenester (mock)",
    organization_her_id: 8_990_001,
    organization_name: "MOCK INNBYGGERPORTAL",
    organization_number: "310900206",
};

impl Member {
    /// What its certificates name.
    pub(super) fn subject(self) -> Subject {
        Subject {
            organization_number: self.organization_number.to_owned(),
            organization: self.organization_name.to_owned(),
            name: self.organization_name.to_owned(),
        }
    }

    /// Its entry in the environment document.
    pub(super) fn party(self, queues: Option<Queues>) -> Party {
        Party {
            her_id: self.her_id,
            name: self.name.to_owned(),
            organization_her_id: self.organization_her_id,
            organization_name: self.organization_name.to_owned(),
            organization_number: self.organization_number.to_owned(),
            queues,
        }
    }

    /// Its queues.
    pub(super) fn queues(self) -> Queues {
        let queue = |kind: &str| format!("{}_{kind}", self.her_id);
        Queues {
            asynchronous: queue("async"),
            synchronous: queue("sync"),
            error: queue("error"),
            syncreply: queue("syncreply"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_register_knows_the_members_by_the_same_names() {
        let parties = mock_ar::fixture_parties();
        for member in [SUT, PORTAL] {
            let find = |her_id| parties.iter().find(|party| party.her_id == her_id).unwrap();
            let (unit, organization) = (find(member.her_id), find(member.organization_her_id));
            assert_eq!(unit.name, member.name);
            assert_eq!(organization.name, member.organization_name);
            let number = member.organization_number.parse().unwrap();
            assert_eq!(
                organization.kind,
                mock_ar::PartyKind::Organization { number }
            );
        }
    }
}
