//! Profiles and agreements: who has one, what two parties agree on, and when an agreement is made anew (contract 02 section 5.4).

use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use super::catalogue::{Channel, ProcessRole};
use super::certificate::Certificates;
use super::party::QueueKind;
use super::view::PartyView;
use super::{Document, Registry, State, pair};
use crate::documents;

/// An agreement that was made. It holds what the parties' data were at that time.
#[derive(Clone, Debug)]
pub(crate) struct Agreement {
    pub(crate) id: Uuid,
    pub(crate) parties: [Profile; 2],
    pub(crate) start: OffsetDateTime,
    pub(crate) end: OffsetDateTime,
    pub(crate) document: Document,
}

/// What a profile states of a party.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub(crate) her_id: u32,
    pub(crate) name: String,
    pub(crate) roles: Vec<ProcessRole>,
    pub(crate) certificates: Certificates,
    /// Addresses of its channels; a channel that no message takes may be missing.
    pub(crate) async_address: Option<String>,
    pub(crate) sync_address: Option<String>,
    /// Identifier of the profile document.
    pub(crate) id: Uuid,
    pub(crate) updated: OffsetDateTime,
}

/// Why there is no profile or agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAgreement {
    /// No such party, or an organisation.
    #[error("{her_id} is not a service or person in the register")]
    UnknownParty {
        /// The HER-id asked for.
        her_id: u32,
    },
    /// The party has no processes.
    #[error("{her_id} has no profile")]
    NoProfile {
        /// The party without profile.
        her_id: u32,
    },
    /// A profile cannot be made without certificates.
    #[error("{her_id} has no certificates")]
    NoCertificates {
        /// The party without certificates.
        her_id: u32,
    },
    /// A profile cannot be made without the queues that its messages take.
    #[error("{her_id} has no queue for the {channel} channel of its processes")]
    NoQueue {
        /// The party without queue.
        her_id: u32,
        /// The channel.
        channel: &'static str,
    },
    /// Nothing that both have in different roles.
    #[error("{a} and {b} have no process in common")]
    NoCommonProcess {
        /// The first party.
        a: u32,
        /// The second party.
        b: u32,
    },
}

impl Profile {
    pub(crate) fn of(registry: &Registry, view: PartyView<'_>) -> Result<Self, NoAgreement> {
        let party = &view.registered.party;
        let her_id = party.her_id;
        if !party.kind.takes_messages() {
            return Err(NoAgreement::UnknownParty { her_id });
        }
        if party.processes.is_empty() {
            return Err(NoAgreement::NoProfile { her_id });
        }
        let Some(certificates) = view.certificates() else {
            return Err(NoAgreement::NoCertificates { her_id });
        };
        let address = |kind| view.queue(registry, kind).map(|queue| queue.value);
        let addresses = [
            (Channel::Async, address(QueueKind::Async)),
            (Channel::Sync, address(QueueKind::Sync)),
        ];
        for (channel, _) in addresses.iter().filter(|(_, address)| address.is_none()) {
            let takes = |role: &ProcessRole| role.process.messages().any(|m| m.channel == *channel);
            if party.processes.iter().any(takes) {
                let channel = channel.name();
                return Err(NoAgreement::NoQueue { her_id, channel });
            }
        }
        let [(_, async_address), (_, sync_address)] = addresses;
        Ok(Self {
            her_id,
            name: party.name.clone(),
            roles: party.processes.clone(),
            certificates: certificates.value.clone(),
            async_address,
            sync_address,
            id: view.registered.profile_id,
            updated: view.registered.changed,
        })
    }
}

impl State {
    /// The profile of a party.
    pub(crate) fn profile_of(
        &self,
        registry: &Registry,
        her_id: u32,
    ) -> Result<Profile, NoAgreement> {
        let view = self
            .view(her_id)
            .ok_or(NoAgreement::UnknownParty { her_id })?;
        Profile::of(registry, view)
    }

    /// The agreement in force of the pair, if there is one at `now`. One that had already ended when it was made, because of an
    /// expired certificate, stays: another would be no better.
    pub(crate) fn agreement_in_force(
        &self,
        a: u32,
        b: u32,
        now: OffsetDateTime,
    ) -> Option<&Arc<Agreement>> {
        let id = self.current.get(&pair(a, b))?;
        self.agreements
            .get(id)
            .filter(|found| found.end > now || found.end <= found.start)
    }

    /// Makes an agreement between `a` and `b` under the given id, in force from now on.
    pub(crate) fn agree(
        &mut self,
        registry: &Registry,
        (a, b): (u32, u32),
        id: Uuid,
        now: OffsetDateTime,
    ) -> Result<Arc<Agreement>, NoAgreement> {
        let mut first = self.profile_of(registry, a)?;
        let mut second = self.profile_of(registry, b)?;
        (first.roles, second.roles) = joined(&first.roles, &second.roles);
        if first.roles.is_empty() || a == b {
            return Err(NoAgreement::NoCommonProcess { a, b });
        }
        let end = first
            .certificates
            .not_after()
            .min(second.certificates.not_after());
        let parties = [first, second];
        let xml = documents::agreement(&registry.public_url, id, (now, end), &parties);
        let agreement = Arc::new(Agreement {
            id,
            parties,
            start: now,
            end,
            document: Document::new(xml),
        });
        self.agreements.insert(id, Arc::clone(&agreement));
        self.current.insert(pair(a, b), id);
        Ok(agreement)
    }

    /// The data of a party have changed: its agreements are no longer in force, and stay readable by id.
    pub(crate) fn end_agreements_of(&mut self, her_id: u32) {
        self.current
            .retain(|(a, b), _| *a != her_id && *b != her_id);
    }
}

/// The roles of either side that join the agreement: of each process its newest common version, in all fitting roles.
fn joined(ours: &[ProcessRole], theirs: &[ProcessRole]) -> (Vec<ProcessRole>, Vec<ProcessRole>) {
    let fitting = |one: &[ProcessRole], other: &[ProcessRole]| -> Vec<ProcessRole> {
        let fits = |role: &&ProcessRole| other.iter().any(|counterpart| role.fits(counterpart));
        one.iter().filter(fits).copied().collect()
    };
    let newest = |roles: &[ProcessRole]| -> Vec<ProcessRole> {
        let newer_than = |role: &ProcessRole, other: &ProcessRole| {
            other.process.uuid == role.process.uuid
                && other.process.version_numbers() > role.process.version_numbers()
        };
        let is_newest = |role: &&ProcessRole| !roles.iter().any(|other| newer_than(role, other));
        roles.iter().filter(is_newest).copied().collect()
    };
    // The common versions are the same on both sides, so either side's newest is the other's too.
    let (ours, theirs) = (fitting(ours, theirs), fitting(theirs, ours));
    (newest(&ours), newest(&theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str, version: &str, role: &str) -> ProcessRole {
        ProcessRole::find(name, version, role).unwrap()
    }

    fn names(roles: &[ProcessRole]) -> Vec<(&str, &str, &str)> {
        roles
            .iter()
            .map(|role| (role.name(), role.version(), role.role()))
            .collect()
    }

    const TEST: &str = "Dialog_Innbygger_Test";

    #[test]
    fn only_the_newest_common_version_is_agreed() {
        let both = |name| [role(TEST, "1.1", name), role(TEST, "1.2", name)];
        let (ours, theirs) = joined(&both("Helsepersonell"), &both("Innbygger"));
        assert_eq!(names(&ours), [(TEST, "1.2", "Helsepersonell")]);
        assert_eq!(names(&theirs), [(TEST, "1.2", "Innbygger")]);
        let (ours, theirs) = joined(&both("Helsepersonell"), &[role(TEST, "1.1", "Innbygger")]);
        assert_eq!(names(&ours), [(TEST, "1.1", "Helsepersonell")]);
        assert_eq!(names(&theirs), [(TEST, "1.1", "Innbygger")]);
    }

    #[test]
    fn equal_roles_do_not_agree_and_both_roles_do_twice() {
        let care = [role(TEST, "1.2", "Helsepersonell")];
        assert!(joined(&care, &care).0.is_empty());
        let both = [
            role(TEST, "1.2", "Helsepersonell"),
            role(TEST, "1.2", "Innbygger"),
        ];
        let (ours, theirs) = joined(&both, &both);
        assert_eq!((ours.len(), theirs.len()), (2, 2));
    }
}
