//! What the register is started with.

use std::sync::Arc;

use testbed::listener::BindError;
use testbed::provision::QueueProvisioner;
use testbed::tls::{TlsError, TlsIdentity};
use testbed::token::AccessTokens;

use crate::account::Account;
use crate::handle::ChangeError;
use crate::registry::party::Party;

/// How the register is set up.
#[derive(Clone, Debug)]
pub struct ArConfig {
    /// What the listener shows; plain HTTP when absent (rule: for CI without certificates).
    pub tls: Option<TlsIdentity>,
    /// Host name in the addresses that the register gives out.
    pub host: String,
    /// Accounts of the SOAP services.
    pub accounts: Vec<Account>,
    /// Parties that are registered from the start, [`crate::fixture_parties`] for example.
    pub parties: Vec<Party>,
    /// `<host>/<namespace>` of queue addresses, `sb.mock.localhost/NHNTESTServiceBus` by default (contract 02 section 3.3).
    pub queue_base: String,
    /// Everything before the filter of the LDAP addresses of certificates (contract 02 section 3.3).
    pub ldap_base: String,
    /// Where registering a party creates its queues; nowhere when absent.
    pub queues: Option<Arc<dyn QueueProvisioner>>,
    /// How REST callers are let in.
    pub tokens: TokenPolicy,
}

impl Default for ArConfig {
    fn default() -> Self {
        Self {
            tls: None,
            host: "localhost".into(),
            accounts: Vec::new(),
            parties: crate::fixture_parties(),
            queue_base: "sb.mock.localhost/NHNTESTServiceBus".into(),
            ldap_base: "ldap://ldap.mock.localhost/dc=Buypass,dc=no,CN=Mock%20Buypass%20Class%203%20CA%20G2%20ST%20Business".into(),
            queues: None,
            tokens: TokenPolicy::Off,
        }
    }
}

/// How callers of CPPA REST are let in (contract 02 decision D-6).
#[derive(Clone, Debug, Default)]
pub enum TokenPolicy {
    /// Everybody is let in; for a register that is served alone.
    #[default]
    Off,
    /// By tokens of the token service, judged by it.
    Verify(Arc<dyn AccessTokens>),
}

/// The register cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listener cannot be used.
    #[error(transparent)]
    Listener(#[from] BindError),
    /// The TLS identity cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A party of the configuration cannot be registered.
    #[error("a configured party cannot be registered: {0}")]
    Party(#[from] ChangeError),
}
