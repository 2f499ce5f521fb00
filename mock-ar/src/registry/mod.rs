//! The data of the register: parties with their certificates, the agreements between them, and who may ask.

pub(crate) mod agreement;
pub(crate) mod catalogue;
pub(crate) mod certificate;
pub(crate) mod fixture;
pub(crate) mod party;
pub(crate) mod view;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use testbed::http::Bytes;
use time::OffsetDateTime;
use uuid::Uuid;

use self::agreement::{Agreement, NoAgreement, Profile};
use self::certificate::Certificates;
use self::party::Party;
use crate::account::Accounts;
use crate::documents;
use crate::xml::escape;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) queue_base: String,
    pub(crate) ldap_base: String,
    /// Begin of the addresses of the register's own pages, without slash at the end.
    pub(crate) public_url: String,
    state: RwLock<State>,
    accounts: RwLock<Accounts>,
}

/// What changes, as one.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) parties: BTreeMap<u32, Registered>,
    /// Every agreement since the start or the last reset, by id: old ones stay readable.
    pub(crate) agreements: HashMap<Uuid, Arc<Agreement>>,
    /// The agreement in force of a pair, smaller HER-id first.
    pub(crate) current: HashMap<(u32, u32), Uuid>,
    /// Answers that hold until the next change.
    cache: Mutex<Cache>,
}

/// A party in the register.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) party: Party,
    pub(crate) since: OffsetDateTime,
    pub(crate) changed: OffsetDateTime,
    /// When it ceased to be valid.
    pub(crate) until: Option<OffsetDateTime>,
    pub(crate) certificates: Option<Certificates>,
    /// Identifier of its profile document; a new one with every change.
    pub(crate) profile_id: Uuid,
}

/// A document in the two forms in which it is handed out.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// As it is, for REST.
    pub(crate) xml: Bytes,
    /// As text inside XML, for SOAP.
    pub(crate) escaped: String,
}

impl Document {
    pub(crate) fn new(xml: String) -> Self {
        let escaped = escape(&xml);
        let xml = xml.into();
        Self { xml, escaped }
    }
}

/// Answers by HER-id.
#[derive(Debug, Default)]
struct Cache {
    /// XML of the party, before and after the server's time.
    details: HashMap<u32, Arc<[String; 2]>>,
    profiles: HashMap<u32, (Arc<Profile>, Arc<Document>)>,
}

impl Registry {
    pub(crate) fn new(
        queue_base: String,
        ldap_base: String,
        public_url: String,
        accounts: Accounts,
    ) -> Self {
        Self {
            queue_base,
            ldap_base,
            public_url,
            state: RwLock::default(),
            accounts: RwLock::new(accounts),
        }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state to be changed; answers made from it before are forgotten.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.cache = Mutex::default();
        state
    }

    /// The profile of a party and its document, from the cache if nothing has changed.
    pub(crate) fn profile_document(
        &self,
        her_id: u32,
    ) -> Result<(Arc<Profile>, Arc<Document>), NoAgreement> {
        let state = self.read();
        if let Some((profile, document)) = state.cache().profiles.get(&her_id) {
            return Ok((Arc::clone(profile), Arc::clone(document)));
        }
        let profile = Arc::new(state.profile_of(self, her_id)?);
        let document = Arc::new(Document::new(documents::profile(
            &self.public_url,
            &profile,
        )));
        let made = (profile, document);
        state.cache().profiles.insert(her_id, made.clone());
        Ok(made)
    }

    pub(crate) fn accounts(&self) -> RwLockReadGuard<'_, Accounts> {
        self.accounts.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn accounts_mut(&self) -> RwLockWriteGuard<'_, Accounts> {
        self.accounts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The XML of a party, from the cache or by `make`.
    pub(crate) fn details(
        &self,
        her_id: u32,
        make: impl FnOnce() -> [String; 2],
    ) -> Arc<[String; 2]> {
        let mut cache = self.cache();
        let entry = cache.details.entry(her_id);
        Arc::clone(entry.or_insert_with(|| Arc::new(make())))
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a pair: the order in which a client names the parties does not matter (contract 02 section 13, item 4).
pub(crate) fn pair(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}
