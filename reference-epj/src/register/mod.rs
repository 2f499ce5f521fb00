//! What the EPJ knows of other parties: queues out of the address register, certificates out of the agreement (CPA),
//! else the profile (CPP), else the register (contract 02 sections 4.1, 5.7 and 6).
//!
//! What has been read is kept for ten minutes, shared by everybody, and goes on serving when the register is down
//! (contract 03 section 7.5, ARG-03). A counterparty is asked for anew when its certificates have expired, and when a
//! message of it names another agreement.

mod cppa;
mod soap;

use std::sync::Arc;
use std::time::Duration;

use nhn_model::certificate::Certificate;
use nhn_model::cppa::{Agreement, Profile};
use nhn_model::queue::{QueueKind, queue_of_address};
use nhn_model::register::PartyDetails;
use uuid::Uuid;

use self::cppa::CppaClient;
use self::soap::SoapClient;
use crate::cache::{Cache, Fetched, Habits, Missed};
use crate::cli::CppaVersion;
use crate::clock;
use crate::environment::Environment;
use crate::fault::{Fault, Faults};
use crate::http::{self, SetupError};
use crate::log;

/// How long an answer is used.
const KEPT: time::Duration = time::Duration::minutes(10);
/// How long an answer is used that had to do without CPPA or without the register.
const KEPT_INCOMPLETE: time::Duration = time::Duration::seconds(10);
/// Longest wait of a message; a look-up that takes longer ends in the background.
const LIMIT: Duration = Duration::from_secs(10);
/// Longest wait when something older can serve.
const LIMIT_OF_REFRESH: Duration = Duration::from_secs(1);
/// Most parties and agreements that are kept.
const CAPACITY: usize = 1024;

/// A party that messages are exchanged with.
#[derive(Clone, Debug)]
pub(crate) struct Counterparty {
    pub(crate) her_id: u32,
    pub(crate) name: String,
    /// The agreement that the certificates come from.
    pub(crate) cpa_id: Option<Uuid>,
    /// The profile that they come from.
    pub(crate) cpp_id: Option<Uuid>,
    pub(crate) sync_queue: Option<String>,
    #[allow(
        dead_code,
        reason = "this EPJ sends nothing but the communication test, which is synchronous"
    )]
    pub(crate) async_queue: Option<String>,
    pub(crate) error_queue: Option<String>,
    /// What is sent to the party is encrypted with this.
    pub(crate) encryption: Certificate,
    /// The party signs with one of these.
    pub(crate) signing: Vec<Certificate>,
}

/// The queues that the register has for this EPJ's own party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnQueues {
    pub(crate) async_queue: String,
    pub(crate) sync_queue: String,
    pub(crate) error_queue: String,
}

/// Why nothing is known of a party.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LookupError {
    /// The register knows no such party or agreement, or the party is out of use.
    #[error("the register does not know {0}")]
    Unknown(String),
    /// No usable answer; another time there may be one.
    #[error("the register cannot be asked: {0}")]
    Unavailable(String),
    /// What the register says is incomplete.
    #[error("the register's entry cannot be used: {0}")]
    Unusable(String),
}

/// The look-ups; clones share what they know.
#[derive(Clone)]
pub(crate) struct Lookup(Arc<Inner>);

struct Inner {
    own: u32,
    soap: Arc<SoapClient>,
    cppa: CppaClient,
    ignores_dates: bool,
    parties: Cache<u32, Arc<Counterparty>, LookupError>,
    agreements: Cache<Uuid, Arc<Counterparty>, LookupError>,
    entries: Cache<u32, Arc<PartyDetails>, LookupError>,
}

impl Lookup {
    pub(crate) fn new(
        environment: &Environment,
        version: CppaVersion,
        faults: &Faults,
    ) -> Result<Self, SetupError> {
        let client = http::client(&environment.trust.bundle)?;
        let habits = Habits {
            keeps: !faults.has(Fault::NoArCache),
            finishes_late: true,
            capacity: CAPACITY,
        };
        Ok(Self(Arc::new(Inner {
            own: environment.sut.her_id,
            soap: Arc::new(SoapClient::new(
                client.clone(),
                &environment.address_register,
            )),
            cppa: CppaClient::new(client, environment, version)?,
            ignores_dates: faults.has(Fault::AcceptsExpired),
            parties: Cache::new(habits),
            agreements: Cache::new(habits),
            entries: Cache::new(habits),
        })))
    }

    /// Queue names, certificates and agreement of a counterparty.
    pub(crate) async fn party(&self, her_id: u32) -> Result<Arc<Counterparty>, LookupError> {
        let lookup = Arc::clone(&self.0);
        let fetch = async move { lookup.find_party(her_id).await };
        ask(&self.0.parties, her_id, fetch).await
    }

    /// The counterparty in the agreement that a message names. An agreement that CPPA does not know is
    /// [`LookupError::Unknown`]; the sender may then be found by [`Self::party`].
    pub(crate) async fn agreement(&self, cpa_id: Uuid) -> Result<Arc<Counterparty>, LookupError> {
        let lookup = Arc::clone(&self.0);
        let fetch = async move { lookup.find_agreement(cpa_id).await };
        ask(&self.0.agreements, cpa_id, fetch).await
    }

    /// The queues that this EPJ listens on.
    pub(crate) async fn own_queues(&self) -> Result<OwnQueues, LookupError> {
        own_queues(&*self.0.entry(self.0.own).await?)
    }
}

/// Asks; what was known before goes on serving when there is no answer.
async fn ask<K, V, F>(cache: &Cache<K, V, LookupError>, key: K, fetch: F) -> Result<V, LookupError>
where
    K: Clone + Eq + std::hash::Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
    F: Future<Output = Result<Fetched<V>, LookupError>> + Send + 'static,
{
    let known = cache.outdated(&key);
    let limit = known.as_ref().map_or(LIMIT, |_| LIMIT_OF_REFRESH);
    let error = match cache.get(key, limit, fetch).await {
        Ok(found) => return Ok(found),
        Err(Missed::Failed(error)) => error,
        Err(Missed::Late) => LookupError::Unavailable(format!("no answer within {limit:?}")),
    };
    match known {
        Some(known) if matches!(error, LookupError::Unavailable(_)) => {
            log::warning(format_args!("{error}; what is known goes on serving"));
            Ok(known)
        }
        _ => Err(error),
    }
}

impl Inner {
    /// The register's entry of a party, which agreement, profile and own queues are read with.
    async fn entry(&self, her_id: u32) -> Result<Arc<PartyDetails>, LookupError> {
        let soap = Arc::clone(&self.soap);
        let fetch = async move {
            Ok(Fetched {
                value: Arc::new(soap.party(her_id).await?),
                keep_until: Some(clock::now() + KEPT),
            })
        };
        ask(&self.entries, her_id, fetch).await
    }

    async fn find_party(&self, her_id: u32) -> Result<Fetched<Arc<Counterparty>>, LookupError> {
        let (details, profile) = tokio::join!(self.entry(her_id), self.profile(her_id));
        let details = match details {
            // Without the register's entry a profile will do, but nobody revives a party that the register has put out of use.
            Err(LookupError::Unavailable(reason)) if matches!(profile, Ok(Some(_))) => {
                log::warning(format_args!(
                    "HER-id {her_id}, queues out of the profile: {reason}"
                ));
                None
            }
            other => Some(other?),
        };
        match (profile, details) {
            (Ok(Some(profile)), details) => self.of_profile(&profile, details.as_deref()),
            (Ok(None), Some(details)) => self.of_register(&details, KEPT).await,
            (Err(error), Some(details)) => {
                log::warning(format_args!("HER-id {her_id}, without CPPA: {error}"));
                self.of_register(&details, KEPT_INCOMPLETE).await
            }
            (_, None) => Err(LookupError::Unknown(format!("HER-id {her_id}"))),
        }
    }

    /// The counterparty's side of the agreement, else its profile.
    async fn profile(&self, her_id: u32) -> Result<Option<Profile>, LookupError> {
        match self.cppa.agreement_with(self.own, her_id).await? {
            Some(agreement) => self.side(&agreement, Some(her_id)).map(Some),
            None => self.cppa.profile(her_id).await,
        }
    }

    async fn find_agreement(
        &self,
        cpa_id: Uuid,
    ) -> Result<Fetched<Arc<Counterparty>>, LookupError> {
        let unknown = || LookupError::Unknown(format!("agreement {cpa_id}"));
        let agreement = self.cppa.agreement(cpa_id).await?.ok_or_else(unknown)?;
        let profile = self.side(&agreement, None)?;
        self.compare_with_known(&profile);
        let details = match self.entry(profile.her_id).await {
            Err(LookupError::Unavailable(reason)) => {
                let her_id = profile.her_id;
                log::warning(format_args!(
                    "HER-id {her_id}, queues out of the agreement: {reason}"
                ));
                None
            }
            other => Some(other?),
        };
        self.of_profile(&profile, details.as_deref())
    }

    /// An agreement that has not been seen before is a sign that what is known of the party is no longer right.
    fn compare_with_known(&self, profile: &Profile) {
        let known = self.parties.outdated(&profile.her_id);
        if known.is_some_and(|known| known.cpa_id != profile.cpa_id) {
            self.parties.expire(&profile.her_id);
            self.entries.expire(&profile.her_id);
        }
    }

    /// The other side of an agreement that this EPJ is a party to.
    fn side(&self, agreement: &Agreement, expected: Option<u32>) -> Result<Profile, LookupError> {
        let side = agreement
            .counterparty(self.own)
            .filter(|side| expected.is_none_or(|expected| expected == side.her_id));
        let others = || LookupError::Unusable("the agreement is between others".into());
        side.cloned().ok_or_else(others)
    }

    fn of_profile(
        &self,
        profile: &Profile,
        details: Option<&PartyDetails>,
    ) -> Result<Fetched<Arc<Counterparty>>, LookupError> {
        let encryption = profile
            .encryption_certificate()
            .ok_or_else(|| LookupError::Unusable("no certificate to encrypt to".into()))?;
        let mut party = Counterparty {
            her_id: profile.her_id,
            name: profile.name.clone(),
            cpa_id: profile.cpa_id,
            cpp_id: profile.cpp_id,
            sync_queue: queue(profile.sync_address.as_deref()),
            async_queue: queue(profile.async_address.as_deref()),
            error_queue: None,
            encryption,
            signing: profile.signing_certificate().into_iter().collect(),
        };
        let Some(details) = details else {
            return Ok(self.keep(party, KEPT_INCOMPLETE));
        };
        // The register's addresses count (contract 02 section 5.5).
        party.sync_queue = details.queue(QueueKind::Sync).ok();
        party.async_queue = details.queue(QueueKind::Async).ok();
        party.error_queue = details.queue(QueueKind::Error).ok();
        Ok(self.keep(party, KEPT))
    }

    /// A party without agreement and profile: its certificates are in the register.
    async fn of_register(
        &self,
        details: &PartyDetails,
        kept: time::Duration,
    ) -> Result<Fetched<Arc<Counterparty>>, LookupError> {
        let her_id = details.her_id;
        let (encryption, signing) =
            tokio::try_join!(self.soap.encryption(her_id), self.soap.signing(her_id))?;
        let party = Counterparty {
            her_id,
            name: details.name.clone(),
            cpa_id: None,
            cpp_id: None,
            sync_queue: details.queue(QueueKind::Sync).ok(),
            async_queue: details.queue(QueueKind::Async).ok(),
            error_queue: details.queue(QueueKind::Error).ok(),
            encryption,
            signing: vec![signing],
        };
        Ok(self.keep(party, kept))
    }

    /// Kept for a while, but not beyond the life of its certificates (contract 02 section 5.7).
    fn keep(&self, party: Counterparty, kept: time::Duration) -> Fetched<Arc<Counterparty>> {
        let now = clock::now();
        let mut until = now + kept;
        if !self.ignores_dates {
            for certificate in party.signing.iter().chain([&party.encryption]) {
                let end = match certificate.is_valid_at(now) {
                    true => certificate.not_after(),
                    false => now,
                };
                until = until.min(end);
            }
        }
        Fetched {
            value: Arc::new(party),
            keep_until: Some(until),
        }
    }
}

/// The queue that an address names, if it names one.
fn queue(address: Option<&str>) -> Option<String> {
    queue_of_address(address?).ok()
}

fn own_queues(details: &PartyDetails) -> Result<OwnQueues, LookupError> {
    let queue = |kind: QueueKind| {
        let wrong = |error| LookupError::Unusable(format!("own queue {}: {error}", kind.name()));
        details.queue(kind).map_err(wrong)
    };
    Ok(OwnQueues {
        async_queue: queue(QueueKind::Async)?,
        sync_queue: queue(QueueKind::Sync)?,
        error_queue: queue(QueueKind::Error)?,
    })
}

#[cfg(test)]
mod tests;
