//! Accounts: who may log in, and whose queues each may read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// An account of the bus. At NHN an organisation has one (contract 01 section 1.1).
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub user: String,
    /// Password.
    pub password: String,
    /// HER-ids whose queues the account reads.
    pub her_ids: Vec<u32>,
}

impl fmt::Debug for Account {
    /// Leaves the password out.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Account")
            .field("user", &self.user)
            .field("her_ids", &self.her_ids)
            .finish_non_exhaustive()
    }
}

/// The accounts of a bus by login name.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    by_user: BTreeMap<String, Account>,
}

impl Accounts {
    pub(crate) fn add(&mut self, account: Account) {
        self.by_user.insert(account.user.clone(), account);
    }

    pub(crate) fn remove(&mut self, user: &str) -> bool {
        self.by_user.remove(user).is_some()
    }

    pub(crate) fn logs_in(&self, user: &str, password: &str) -> bool {
        self.by_user
            .get(user)
            .is_some_and(|account| account.password == password)
    }

    /// Whether the account may read a queue of these owners.
    pub(crate) fn may_read(&self, user: &str, owners: &BTreeSet<u32>) -> bool {
        self.by_user
            .get(user)
            .is_some_and(|account| account.her_ids.iter().any(|id| owners.contains(id)))
    }
}
