//! What the runner can do with a running register.

use std::sync::Arc;

use testbed::evidence::{Event, Part};
use testbed::http::HttpServer;
use testbed::provision::QueueProvisioner;
use testbed::{Clock, Journal, Seed};
use uuid::Uuid;

use crate::account::Account;
use crate::registry::agreement::NoAgreement;
use crate::registry::catalogue::ProcessRole;
use crate::registry::certificate::{CertificateUnreadable, Certificates};
use crate::registry::party::{Party, PartyKind, Queues};
use crate::registry::{Registered, Registry, State, pair};

/// A running register. Dropping it does not stop it; the context's shutdown does.
#[derive(Debug)]
pub struct ArHandle {
    pub(crate) server: HttpServer,
    pub(crate) registry: Arc<Registry>,
    pub(crate) queues: Option<Arc<dyn QueueProvisioner>>,
    // Not the whole context: its shutdown signal would keep the shutdown waiting for the handle.
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) seed: Seed,
    pub(crate) initial: Vec<Party>,
}

/// A change of the register's data was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// No such party.
    #[error("no party has the HER-id {0}")]
    UnknownParty(u32),
    /// HER-id 0, or above what a 32-bit integer of the SOAP service holds.
    #[error("{0} is no HER-id: it must be 1 to 2147483647")]
    HerIdOutOfRange(u32),
    /// The organisation that a party belongs to must be registered first.
    #[error("{her_id} belongs to {parent}, which is no registered organisation")]
    NoParent {
        /// The party.
        her_id: u32,
        /// Its parent.
        parent: u32,
    },
    /// The bytes are no certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateUnreadable),
    /// The pair cannot agree.
    #[error(transparent)]
    Agreement(#[from] NoAgreement),
}

impl ArHandle {
    /// Begin of all addresses, without slash at the end: `https://localhost:8443`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.registry.public_url
    }

    /// Address of the SOAP 1.1 binding of the register.
    #[must_use]
    pub fn register_url(&self) -> String {
        format!("{}/v1/AR/Basic", self.url())
    }

    /// Address of the SOAP 1.1 binding of CPPA.
    #[must_use]
    pub fn cppa_soap_url(&self) -> String {
        format!("{}/v1/CPPA/Basic", self.url())
    }

    /// Base address of CPPA REST v1, with the slash that clients need.
    #[must_use]
    pub fn cppa_v1_url(&self) -> String {
        format!("{}/", self.url())
    }

    /// Base address of CPPA REST v2, with the slash that clients need.
    #[must_use]
    pub fn cppa_v2_url(&self) -> String {
        format!("{}/v2/", self.url())
    }

    /// Registers a party, or replaces it, and creates its queues. Its certificates stay.
    ///
    /// # Errors
    /// [`ChangeError`] when the HER-id is none or the parent is not registered.
    pub fn register_party(&self, party: Party) -> Result<(), ChangeError> {
        let her_id = party.her_id;
        self.enter(party)?;
        self.changed(Some(her_id), "party registered");
        Ok(())
    }

    /// Gives a party its certificates, both DER. Its agreements are made anew at the next question; old ones keep
    /// answering by id, with the old certificates.
    ///
    /// # Errors
    /// [`ChangeError`] when the party is unknown or the bytes are no certificates.
    pub fn set_certificates(
        &self,
        her_id: u32,
        signing: &[u8],
        encryption: &[u8],
    ) -> Result<(), ChangeError> {
        let certificates = Certificates::read(signing, encryption)?;
        self.change(her_id, "certificates", |registered| {
            registered.certificates = Some(certificates);
        })
    }

    /// Takes a party's certificates away; an organisation's are then inherited again.
    ///
    /// # Errors
    /// [`ChangeError::UnknownParty`].
    pub fn remove_certificates(&self, her_id: u32) -> Result<(), ChangeError> {
        self.change(her_id, "certificates removed", |registered| {
            registered.certificates = None;
        })
    }

    /// Makes a new agreement between two parties from their present data and returns its id. The one before is
    /// replaced, and keeps answering by its id until [`Self::reset`].
    ///
    /// # Errors
    /// [`ChangeError::Agreement`] when the parties cannot agree.
    pub fn new_agreement(&self, a: u32, b: u32) -> Result<Uuid, ChangeError> {
        let id = self.seed.uuid();
        let now = self.clock.wall();
        let agreement = self
            .registry
            .write()
            .agree(&self.registry, (a, b), id, now)?;
        let what = format!("agreement {} between {a} and {b}", agreement.id);
        self.changed(None, &what);
        Ok(agreement.id)
    }

    /// The id of the agreement in force between two parties, if one has been made.
    #[must_use]
    pub fn agreement_in_force(&self, a: u32, b: u32) -> Option<Uuid> {
        self.registry.read().current.get(&pair(a, b)).copied()
    }

    /// Ends a party's validity and removes its queues, as NHN does (contract 02 section 3.5).
    ///
    /// # Errors
    /// [`ChangeError::UnknownParty`].
    pub fn deactivate(&self, her_id: u32) -> Result<(), ChangeError> {
        let now = self.clock.wall();
        self.change(her_id, "deactivated", |registered| {
            registered.party.active = false;
            registered.until = Some(now);
        })?;
        if let Some(queues) = &self.queues {
            queues.remove_queues(her_id);
        }
        Ok(())
    }

    /// Takes the profile of a party away: it then has no CPP and no agreements in force.
    ///
    /// # Errors
    /// [`ChangeError::UnknownParty`].
    pub fn remove_processes(&self, her_id: u32) -> Result<(), ChangeError> {
        self.set_processes(her_id, Vec::new())
    }

    /// Replaces the profile of a party.
    ///
    /// # Errors
    /// [`ChangeError::UnknownParty`].
    pub fn set_processes(
        &self,
        her_id: u32,
        processes: Vec<ProcessRole>,
    ) -> Result<(), ChangeError> {
        let what = format!("profile with {} processes", processes.len());
        self.change(her_id, &what, |registered| {
            registered.party.processes = processes;
        })
    }

    /// Adds an account of the SOAP services, or changes its password.
    pub fn set_account(&self, account: Account) {
        let what = format!("account {}", account.user);
        self.registry.accounts_mut().add(account);
        self.changed(None, &what);
    }

    /// Closes an account; tells whether there was one.
    pub fn remove_account(&self, user: &str) -> bool {
        let there = self.registry.accounts_mut().remove(user);
        self.changed(None, &format!("account {user} closed"));
        there
    }

    /// Refuses connections, as a register that is down (ARG-03).
    pub fn go_down(&self) {
        self.server.refuse();
        self.changed(None, "down");
    }

    /// Takes connections again.
    pub fn come_back(&self) {
        self.server.resume();
        self.changed(None, "up");
    }

    /// Makes the parties those of the configuration again and forgets all agreements. Certificates and accounts stay, and
    /// so do queues, but for those of parties that are gone.
    pub fn reset(&self) {
        let mut fresh = State::default();
        let mut state = self.registry.write();
        let queues: Vec<_> = self
            .initial
            .iter()
            // None is refused: the same parties were registered in the same order at the start.
            .filter_map(|party| Some((party.her_id, self.admit(&mut fresh, party.clone()).ok()?)))
            .collect();
        for (her_id, registered) in &mut fresh.parties {
            let before = state.parties.get(her_id);
            registered.certificates = before.and_then(|before| before.certificates.clone());
        }
        let gone: Vec<u32> = state
            .parties
            .keys()
            .filter(|her_id| !fresh.parties.contains_key(her_id))
            .copied()
            .collect();
        *state = fresh;
        drop(state);
        if let Some(bus) = &self.queues {
            gone.iter().for_each(|her_id| bus.remove_queues(*her_id));
        }
        for (her_id, names) in queues {
            self.provision(her_id, &names);
        }
        self.changed(None, "reset");
    }

    /// Registers a party and creates its queues.
    pub(crate) fn enter(&self, party: Party) -> Result<(), ChangeError> {
        let her_id = party.her_id;
        let names = self.admit(&mut self.registry.write(), party)?;
        self.provision(her_id, &names);
        Ok(())
    }

    /// Puts a party into the state and tells which queues it needs.
    fn admit(&self, state: &mut State, party: Party) -> Result<Vec<String>, ChangeError> {
        let her_id = party.her_id;
        if i32::try_from(her_id).is_err() || her_id == 0 {
            return Err(ChangeError::HerIdOutOfRange(her_id));
        }
        let is_organization =
            |found: &Registered| matches!(found.party.kind, PartyKind::Organization { .. });
        if let Some(parent) = party.kind.parent()
            && !state.parties.get(&parent).is_some_and(is_organization)
        {
            return Err(ChangeError::NoParent { her_id, parent });
        }
        let now = self.clock.wall();
        let names = queue_names(&party);
        let before = state.parties.get(&her_id);
        let registered = Registered {
            since: now - VALID_SINCE,
            changed: now,
            until: (!party.active).then_some(now - VALID_SINCE / 2),
            certificates: before.and_then(|before| before.certificates.clone()),
            profile_id: self.seed.uuid(),
            party,
        };
        state.parties.insert(her_id, registered);
        state.end_agreements_of(her_id);
        Ok(names)
    }

    fn provision(&self, her_id: u32, names: &[String]) {
        if let Some(queues) = &self.queues
            && !names.is_empty()
        {
            queues.create_queues(her_id, names);
        }
    }

    fn change(
        &self,
        her_id: u32,
        what: &str,
        change: impl FnOnce(&mut Registered),
    ) -> Result<(), ChangeError> {
        let mut state = self.registry.write();
        let unknown = ChangeError::UnknownParty(her_id);
        let registered = state.parties.get_mut(&her_id).ok_or(unknown)?;
        change(registered);
        registered.changed = self.clock.wall();
        registered.profile_id = self.seed.uuid();
        // What an organisation has, its parties may inherit.
        let heirs = state
            .parties
            .values()
            .filter(|other| other.party.kind.parent() == Some(her_id));
        let concerned: Vec<u32> = heirs
            .map(|heir| heir.party.her_id)
            .chain([her_id])
            .collect();
        concerned
            .into_iter()
            .for_each(|party| state.end_agreements_of(party));
        drop(state);
        self.changed(Some(her_id), what);
        Ok(())
    }

    fn changed(&self, her_id: Option<u32>, what: &str) {
        let what = what.to_owned();
        self.journal
            .record(Part::Ar, Event::RegisterChanged { her_id, what });
    }
}

/// How long the parties of the fixture have been valid.
const VALID_SINCE: time::Duration = time::Duration::days(365);

fn queue_names(party: &Party) -> Vec<String> {
    match &party.queues {
        Queues::Own(kinds) if party.active => {
            kinds.iter().map(|kind| kind.queue(party.her_id)).collect()
        }
        _ => Vec::new(),
    }
}
