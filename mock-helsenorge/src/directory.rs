//! The register and CPPA: who a party is, and what it has agreed on with helsenorge.
//!
//! Every exchange asks anew, so that what the runner has changed counts at once. What was read before is used only while
//! the register cannot be asked (contract 03 section 1.3, contract 02 section 2).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use nhn_model::cppa::{self, Profile};
use nhn_model::register::{self, PartyDetails, RegisterError, SoapRequest};
use uuid::Uuid;

use crate::config::RegisterAccount;
use crate::web::Web;

/// Most parties that are remembered.
const MOST_REMEMBERED: usize = 256;

/// The other side as CPPA describes it.
#[derive(Clone, Debug)]
pub(crate) struct Counterpart {
    /// The agreement that the profile stands in; without one it is the party's own CPP.
    pub(crate) agreement: Option<Uuid>,
    pub(crate) profile: Profile,
}

/// The register as helsenorge sees it.
#[derive(Debug)]
pub(crate) struct Directory {
    web: Web,
    account: RegisterAccount,
    own: u32,
    parties: Memory<u32, Option<PartyDetails>>,
    counterparts: Memory<(u32, Option<Uuid>), Option<Counterpart>>,
}

impl Directory {
    pub(crate) fn new(web: Web, account: RegisterAccount, own: u32) -> Self {
        Self {
            web,
            account,
            own,
            parties: Memory::default(),
            counterparts: Memory::default(),
        }
    }

    /// A party of the address register; nothing when it knows none of this number.
    pub(crate) async fn party(&self, her_id: u32) -> Result<Option<PartyDetails>, String> {
        let answer = self
            .ask(register::get_party_request(her_id))
            .await
            .and_then(|bytes| known(register::read_party(&bytes)));
        self.parties.fresh_or_remembered(her_id, answer)
    }

    /// What is agreed with a party: the agreement of this id if there is one between the two, else the agreement of the
    /// pair, else the party's own profile; nothing when there is none of these (contract 03 section 1.3).
    pub(crate) async fn counterpart(
        &self,
        her_id: u32,
        agreement: Option<Uuid>,
    ) -> Result<Option<Counterpart>, String> {
        let answer = self.look_up(her_id, agreement).await;
        self.counterparts
            .fresh_or_remembered((her_id, agreement), answer)
    }

    async fn look_up(
        &self,
        her_id: u32,
        agreement: Option<Uuid>,
    ) -> Result<Option<Counterpart>, String> {
        if let Some(id) = agreement {
            let request = register::get_cpa_by_id_request(id);
            if let Some(found) = self.agreement(her_id, request).await? {
                return Ok(Some(found));
            }
        }
        let request = register::get_cpa_by_parties_request(self.own, her_id);
        if let Some(found) = self.agreement(her_id, request).await? {
            return Ok(Some(found));
        }
        let Some(text) = self.document(register::get_cpp_request(her_id)).await? else {
            return Ok(None);
        };
        let profile = cppa::read_profile(text.as_bytes()).map_err(|problem| problem.to_string())?;
        Ok(Some(Counterpart {
            agreement: None,
            profile,
        }))
    }

    /// An agreement between helsenorge and the party; one between others counts as none (contract 03 section 2.8, R-H09).
    async fn agreement(
        &self,
        her_id: u32,
        request: SoapRequest,
    ) -> Result<Option<Counterpart>, String> {
        let Some(text) = self.document(request).await? else {
            return Ok(None);
        };
        let read = cppa::read_agreement(text.as_bytes()).map_err(|problem| problem.to_string())?;
        let ours = read.party(self.own).is_some();
        Ok(read
            .party(her_id)
            .filter(|_| ours)
            .map(|profile| Counterpart {
                agreement: Some(read.id),
                profile: profile.clone(),
            }))
    }

    async fn document(&self, request: SoapRequest) -> Result<Option<String>, String> {
        let bytes = self.ask(request).await?;
        register::read_document(&bytes).map_err(|problem| problem.to_string())
    }

    async fn ask(&self, request: SoapRequest) -> Result<Vec<u8>, String> {
        self.web.ask(&self.account, request).await
    }
}

/// An unknown HER-id is an answer, any other fault is none.
fn known(read: Result<PartyDetails, RegisterError>) -> Result<Option<PartyDetails>, String> {
    match read {
        Ok(party) => Ok(Some(party)),
        Err(problem) if problem.is_unknown_her_id() => Ok(None),
        Err(problem) => Err(problem.to_string()),
    }
}

/// Answers that were read before, by what was asked for.
#[derive(Debug)]
struct Memory<K, V>(Mutex<BTreeMap<K, V>>);

impl<K, V> Default for Memory<K, V> {
    fn default() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }
}

impl<K: Ord + Clone, V: Clone> Memory<K, V> {
    /// Remembers an answer; without one the remembered answer is given.
    fn fresh_or_remembered(&self, asked: K, answer: Result<V, String>) -> Result<V, String> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Ok(fresh) => {
                if known.len() >= MOST_REMEMBERED {
                    known.clear();
                }
                known.insert(asked, fresh.clone());
                Ok(fresh)
            }
            Err(problem) => known.get(&asked).cloned().ok_or(problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_helps_only_without_an_answer() {
        let memory = Memory::default();
        assert_eq!(
            memory.fresh_or_remembered(1, Err::<u8, _>("down".into())),
            Err("down".into())
        );
        assert_eq!(memory.fresh_or_remembered(1, Ok(5)), Ok(5));
        assert_eq!(memory.fresh_or_remembered(1, Err("down".into())), Ok(5));
        assert_eq!(memory.fresh_or_remembered(1, Ok(6)), Ok(6));
        assert_eq!(
            memory.fresh_or_remembered(2, Err("down".into())),
            Err("down".into())
        );
    }
}
