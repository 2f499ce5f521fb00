//! A party as the register shows it: with its parent, and with inherited addresses and certificates (contract 02 section 3.4).

use super::certificate::Certificates;
use super::party::{PostalAddress, QueueKind, Queues};
use super::{Registered, Registry, State};

/// A party with what it inherits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartyView<'state> {
    pub(crate) registered: &'state Registered,
    pub(crate) parent: Option<&'state Registered>,
}

/// A value and whether it is the parent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inheritable<T> {
    pub(crate) value: T,
    pub(crate) inherited: bool,
}

/// An electronic address: code and text of its type, and itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ElectronicAddress {
    pub(crate) code: &'static str,
    pub(crate) text: &'static str,
    pub(crate) address: String,
    pub(crate) inherited: bool,
}

impl State {
    pub(crate) fn view(&self, her_id: u32) -> Option<PartyView<'_>> {
        let registered = self.parties.get(&her_id)?;
        let parent = registered.party.kind.parent();
        Some(PartyView {
            registered,
            parent: parent.and_then(|parent| self.parties.get(&parent)),
        })
    }
}

impl<'state> PartyView<'state> {
    pub(crate) fn certificates(&self) -> Option<Inheritable<&'state Certificates>> {
        self.own_or_inherited(|registered| registered.certificates.as_ref())
    }

    pub(crate) fn postal_address(&self) -> Option<Inheritable<&'state PostalAddress>> {
        self.own_or_inherited(|registered| registered.party.address.as_ref())
    }

    /// The queue of this kind, if the party has one: its full address.
    pub(crate) fn queue(
        &self,
        registry: &Registry,
        kind: QueueKind,
    ) -> Option<Inheritable<String>> {
        let has = |registered: &Registered| matches!(&registered.party.queues, Queues::Own(kinds) if kinds.contains(&kind));
        let (owner, inherited) = match &self.registered.party.queues {
            Queues::None => return None,
            Queues::Own(_) => (self.registered, false),
            Queues::Inherited => (self.parent?, true),
        };
        has(owner).then(|| Inheritable {
            value: format!("{}/{}", registry.queue_base, kind.queue(owner.party.her_id)),
            inherited,
        })
    }

    /// All electronic addresses, the certificates' first.
    pub(crate) fn electronic_addresses(&self, registry: &Registry) -> Vec<ElectronicAddress> {
        let certificates = self.certificates().map(|found| ElectronicAddress {
            code: "E_DS",
            text: "Digital sertifikat",
            address: found.value.ldap_url(&registry.ldap_base),
            inherited: found.inherited,
        });
        let queues = QueueKind::ALL.into_iter().filter_map(|kind| {
            let (code, text) = kind.component();
            self.queue(registry, kind).map(|queue| ElectronicAddress {
                code,
                text,
                address: queue.value,
                inherited: queue.inherited,
            })
        });
        certificates.into_iter().chain(queues).collect()
    }

    fn own_or_inherited<T>(
        &self,
        part: impl Fn(&'state Registered) -> Option<&'state T>,
    ) -> Option<Inheritable<&'state T>> {
        let marked = |inherited| move |value| Inheritable { value, inherited };
        part(self.registered)
            .map(marked(false))
            .or_else(|| self.parent.and_then(&part).map(marked(true)))
    }
}
