//! The catalogue of communication processes: what a party can be and what it then sends and receives (contract 02 section 11).

pub(crate) mod packages;
pub(crate) mod processes;

use uuid::Uuid;

use processes::PROCESSES;

/// The channel that a message takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The receiver's queue `<herId>_async`.
    Async,
    /// The receiver's queue `<herId>_sync`.
    Sync,
}

impl Channel {
    /// The name by which REST and the web pages call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Async => "AMQPAsync",
            Self::Sync => "AMQPSync",
        }
    }
}

/// A process: two roles and the messages between them.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) uuid: Uuid,
    pub(crate) service: &'static str,
    pub(crate) href: &'static str,
    pub(crate) roles: [&'static str; 2],
    /// What either role sends, in the order of the documents: functional messages first.
    pub(crate) sends: [&'static [Message]; 2],
}

/// A message of a process. Channel and package are the sending side's (contract 02 section 5.4).
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) action: &'static str,
    /// Base of the sender's binding id, and of the receiver's.
    pub(crate) bindings: [&'static str; 2],
    pub(crate) package: &'static str,
    pub(crate) channel: Channel,
}

impl Process {
    /// All messages, either way.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &Message> {
        self.sends.iter().copied().flatten()
    }

    /// The version as numbers, so that 1.10 comes after 1.9.
    pub(crate) fn version_numbers(&self) -> Vec<u32> {
        let numbers = self.version.split('.').map(str::parse);
        numbers.filter_map(Result::ok).collect()
    }
}

/// A process in one of its roles: what a profile consists of.
#[derive(Clone, Copy, Debug)]
pub struct ProcessRole {
    pub(crate) process: &'static Process,
    pub(crate) role: &'static str,
}

/// The catalogue does not hold such a process, version or role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the catalogue has no process {name} {version} with the role {role}")]
pub struct UnknownProcess {
    /// Name as asked for.
    pub name: String,
    /// Version as asked for.
    pub version: String,
    /// Role as asked for.
    pub role: String,
}

impl ProcessRole {
    /// Finds a role by the names of the catalogue; the process name is compared without regard to case.
    ///
    /// # Errors
    /// [`UnknownProcess`] when the catalogue has no such entry.
    pub fn find(name: &str, version: &str, role: &str) -> Result<Self, UnknownProcess> {
        Self::all()
            .find(|entry| {
                entry.process.name.eq_ignore_ascii_case(name)
                    && entry.process.version == version
                    && entry.role == role
            })
            .ok_or_else(|| UnknownProcess {
                name: name.to_owned(),
                version: version.to_owned(),
                role: role.to_owned(),
            })
    }

    /// Every process in every role.
    pub fn all() -> impl Iterator<Item = Self> {
        PROCESSES
            .iter()
            .flat_map(|process| process.roles.iter().map(move |role| Self { process, role }))
    }

    /// Name of the process.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.process.name
    }

    /// Version of the process.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.process.version
    }

    /// The role.
    #[must_use]
    pub fn role(&self) -> &'static str {
        self.role
    }

    /// The messages that the role sends.
    pub(crate) fn sends(&self) -> &'static [Message] {
        self.process.sends[self.side()]
    }

    /// The messages that the role receives.
    pub(crate) fn receives(&self) -> &'static [Message] {
        self.process.sends[1 - self.side()]
    }

    fn side(&self) -> usize {
        usize::from(self.process.roles[0] != self.role)
    }

    /// Whether the other role can agree with this one: equal process and version, different role (contract 02 section 5.4).
    pub(crate) fn fits(&self, other: &Self) -> bool {
        self.process.uuid == other.process.uuid
            && self.process.version == other.process.version
            && self.role != other.role
    }
}

#[cfg(test)]
mod tests {
    use super::packages::{PACKAGES, SIMPLE_PARTS};
    use super::*;

    #[test]
    fn every_process_is_whole() {
        assert_eq!(PROCESSES.len(), 18);
        for process in PROCESSES {
            assert_ne!(process.roles[0], process.roles[1], "{}", process.name);
            for message in process.messages() {
                let package = PACKAGES
                    .iter()
                    .find(|package| package.id == message.package);
                let known = |part: &str| SIMPLE_PARTS.iter().any(|known| known.id == part);
                assert!(package.unwrap().parts.iter().all(|(part, _)| known(part)));
            }
        }
    }

    #[test]
    fn functional_messages_come_before_receipts() {
        for entry in ProcessRole::all() {
            let actions: Vec<_> = entry.sends().iter().map(|message| message.action).collect();
            let receipt = actions.iter().position(|action| *action == "Apprec");
            assert!(
                receipt.is_none_or(|at| at == actions.len() - 1),
                "{actions:?}"
            );
        }
    }

    #[test]
    fn roles_are_found_and_fit() {
        let find = |version, role| ProcessRole::find("DIALOG_INNBYGGER_TEST", version, role);
        let ours = find("1.2", "Helsepersonell").unwrap();
        assert!(ours.fits(&find("1.2", "Innbygger").unwrap()));
        assert!(!ours.fits(&find("1.1", "Innbygger").unwrap()));
        assert!(!ours.fits(&ours));
        assert_eq!(find("1.3", "Innbygger").unwrap_err().version, "1.3");
    }
}
