//! Starting the network: listeners first, then the CA, then what needs its certificates.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use mock_ar::{ArConfig, TokenPolicy};
use mock_buypass::{CaError, IssueRequest, Purpose, Subject};
use mock_helseid::{Client, ClientKey, Tenancy};
use mock_servicebus::{BusConfig, BusHandle, Listeners};
use nhn_model::Secret;
use nhn_model::connection_string::ConnectionString;
use testbed::listener::BindError;
use testbed::tls::TlsIdentity;
use testbed::{Clock, Context, FaultPlan, Journal, Seed, Shutdown};

use super::certificates::{CertificateError, Identity, Present};
use super::document::{
    Account, Bus, Cppa, DOCUMENT_FORMAT, Document, Helseid, Scopes, Stores, Trust,
};
use super::fixture::{
    CLIENT_ID, HELSENORGE_PASSWORD, HELSENORGE_USER, Member, PORTAL, SCOPE_V1, SCOPE_V2, SUT,
    SUT_PASSWORD, SUT_USER,
};
use super::ports::Bound;
use super::stores::{self, FileError};
use super::{Environment, Settings};

/// The network cannot be started. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port cannot be had.
    #[error(
        "{0}. Another program, or another `provenett up`, may use the port; choose another one, or 0 for any free one, with --amqps-port, --amqp-port, --ar-port, --helseid-port or --ca-port"
    )]
    Bind(#[from] BindError),
    /// The CA.
    #[error("the certificate authority cannot be started: {0}")]
    Ca(#[from] CaError),
    /// The bus.
    #[error("the message bus cannot be started: {0}")]
    Bus(#[from] mock_servicebus::StartError),
    /// The register.
    #[error("the address register cannot be started: {0}")]
    Register(#[from] mock_ar::StartError),
    /// The token service.
    #[error("the token service cannot be started: {0}")]
    Helseid(#[from] mock_helseid::StartError),
    /// The client's key for the token service.
    #[error("the key of the token service's client in {path} cannot be used: {source}. Remove the file to have a new one made", path = .path.display())]
    ClientKey {
        /// Its file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: mock_helseid::KeyError,
    },
    /// Work in the background was cut off.
    #[error("a key could not be made: {0}")]
    Task(#[source] tokio::task::JoinError),
    /// helsenorge.
    #[error("helsenorge cannot be started: {0}")]
    Helsenorge(#[from] mock_helsenorge::StartError),
    /// Certificates could not be made known.
    #[error(transparent)]
    Certificates(#[from] CertificateError),
    /// A file for the system under test.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Starts every part. It is ready when this returns; helsenorge connects meanwhile (see `helsenorge.ready`).
///
/// # Errors
/// [`StartError`] with the part and the reason.
pub async fn start(
    settings: &Settings,
    clock: Clock,
    journal: Journal,
) -> Result<Environment, StartError> {
    let bound = Bound::bind(settings.ports).await?;
    let files = stores::folder(&settings.files)?;
    let data = stores::folder(&settings.data)?;
    let seed = Seed::new(settings.seed);
    let (shutdown, signal) = Shutdown::new();
    let (client_shutdown, client_signal) = Shutdown::new();
    let faults = FaultPlan::new();
    let context = |name: &str| Context {
        clock: clock.clone(),
        journal: journal.clone(),
        faults: faults.clone(),
        seed: seed.fork(name),
        shutdown: signal.clone(),
    };

    // Beside the CA's own keys, because making keys is what a first start waits for.
    let client = tokio::task::spawn_blocking({
        let data = data.clone();
        move || client_key(&data)
    });
    let ca_config = mock_buypass::Config::new(data.join("ca"));
    let buypass = mock_buypass::start(ca_config, bound.ca, context("buypass")).await?;
    let ca = buypass.base_ca();
    let tls = tls_identity(&buypass).await?;
    let request = |member: Member, purpose, key: &str| {
        IssueRequest::new(member.subject(), purpose).with_kept_key(key)
    };
    let (signing, encryption, identity) = (
        request(SUT, Purpose::Signing, "sut-sign"),
        request(SUT, Purpose::Encryption, "sut-enc"),
        Identity::issue(ca),
    );
    let (sut_signing, sut_encryption, identity) =
        tokio::try_join!(ca.issue(&signing), ca.issue(&encryption), identity)?;

    let bus_config = BusConfig {
        tls: Some(tls.clone()),
        record_frames: settings.record_frames,
        ..BusConfig::default()
    };
    let listeners = Listeners {
        tls: Some(bound.amqps),
        plain: Some(bound.amqp),
    };
    let bus = mock_servicebus::start(bus_config, listeners, context("bus"))?;
    bus.add_account(SUT_USER, SUT_PASSWORD, &[SUT.her_id]);
    bus.add_account(HELSENORGE_USER, HELSENORGE_PASSWORD, &[PORTAL.her_id]);

    let client = client.await.map_err(StartError::Task)??;
    let config = helseid_config(&client, Some(tls.clone()));
    let helseid = mock_helseid::start(config, bound.helseid, context("helseid"))?;

    let account = |user: &str, password: &str| mock_ar::Account {
        user: user.to_owned(),
        password: password.to_owned(),
    };
    let ar_config = ArConfig {
        tls: Some(tls),
        accounts: vec![
            account(SUT_USER, SUT_PASSWORD),
            account(HELSENORGE_USER, HELSENORGE_PASSWORD),
        ],
        queues: Some(bus.provisioner()),
        tokens: TokenPolicy::Verify(helseid.access_tokens()),
        ..ArConfig::default()
    };
    let ar = mock_ar::start(ar_config, bound.ar, context("ar"))?;
    for (member, signing, encryption) in [
        (SUT, &sut_signing, &sut_encryption),
        (PORTAL, &identity.signing, &identity.encryption),
    ] {
        ar.set_certificates(
            member.her_id,
            &signing.certificate_der,
            &encryption.certificate_der,
        )
        .map_err(CertificateError::from)?;
    }

    let strings = |user: &str, password: &str| Bus {
        amqps: connection(&bus, user, password, true).amqps(),
        amqp: connection(&bus, user, password, false).amqps(),
        legacy: connection(&bus, user, password, true).legacy(),
        exchange: bus.exchange().to_owned(),
        username: user.to_owned(),
        password: password.to_owned(),
    };
    // Its own reply queue is an instance's matter; the register does not know it (contract 03 section 1.3). Nobody reads the
    // general one here: a reply that goes there is lost.
    let queues = mock_helsenorge::Queues::of(PORTAL.her_id);
    let replies = [queues.sync_reply.clone(), PORTAL.queues().syncreply];
    bus.provisioner().create_queues(PORTAL.her_id, &replies);
    let helsenorge_config = mock_helsenorge::Config {
        bus: Secret::new(strings(HELSENORGE_USER, HELSENORGE_PASSWORD).amqps),
        trust_pem: buypass.trust_bundle_pem(),
        register: mock_helsenorge::RegisterAccount {
            address_register: ar.register_url(),
            cppa: ar.cppa_soap_url(),
            username: HELSENORGE_USER.to_owned(),
            password: Secret::new(HELSENORGE_PASSWORD),
        },
        party: mock_helsenorge::Party::helsenorge(),
        identities: identity.identities(&[]),
        queues,
    };
    let client_context = Context {
        shutdown: client_signal,
        ..context("helsenorge")
    };
    let helsenorge = mock_helsenorge::start(helsenorge_config, client_context)?;

    let bundle = files.join("trust.pem");
    stores::write(&bundle, buypass.trust_bundle_pem().as_bytes())?;
    let jwk_file = files.join("helseid.jwk.json");
    stores::write(&jwk_file, client.private_jwk_json.as_bytes())?;
    let document = Document {
        format: DOCUMENT_FORMAT,
        bus: strings(SUT_USER, SUT_PASSWORD),
        address_register: Account {
            url: ar.register_url(),
            username: SUT_USER.to_owned(),
            password: SUT_PASSWORD.to_owned(),
        },
        cppa: Cppa {
            soap: ar.cppa_soap_url(),
            v1: ar.cppa_v1_url(),
            v2: ar.cppa_v2_url(),
        },
        helseid: Helseid {
            issuer: helseid.issuer().to_owned(),
            client_id: CLIENT_ID.to_owned(),
            scopes: Scopes {
                v1: SCOPE_V1.to_owned(),
                v2: SCOPE_V2.to_owned(),
            },
            jwk_file,
        },
        stores: Stores {
            signing: stores::store(&files, "sut-signing", &sut_signing)?,
            encryption: stores::store(&files, "sut-encryption", &sut_encryption)?,
        },
        trust: Trust { bundle },
        sut: SUT.party(Some(SUT.queues())),
        helsenorge: PORTAL.party(None),
    };
    let document_path = files.join("environment.json");
    stores::write(&document_path, document.to_json().as_bytes())?;

    let control = match bound.control {
        Some(listener) => Some(testbed::control::start(listener, context("control"))?.address()),
        None => None,
    };
    drop(signal);
    buypass.prepare_keys();
    Ok(Environment {
        control,
        clock,
        journal,
        faults,
        seed,
        bus,
        ar,
        buypass,
        helseid,
        helsenorge,
        document,
        document_path,
        present: Mutex::new(Present {
            ca: None,
            identity,
            former_cas: Vec::new(),
            former_encryption: Vec::new(),
        }),
        client_shutdown,
        shutdown,
    })
}

/// How an account reaches the bus.
pub(super) fn connection(
    bus: &BusHandle,
    user: &str,
    password: &str,
    tls: bool,
) -> ConnectionString {
    let address = if tls {
        bus.tls_address()
    } else {
        bus.plain_address()
    };
    ConnectionString {
        tls,
        host: "localhost".to_owned(),
        port: address.map_or(0, |address| address.port()),
        username: user.to_owned(),
        password: Secret::new(password),
        exchange: bus.exchange().to_owned(),
    }
}

/// The token service with the client of the system under test.
pub(super) fn helseid_config(client: &ClientKey, tls: Option<TlsIdentity>) -> mock_helseid::Config {
    mock_helseid::Config {
        tls,
        clients: vec![Client {
            // Both kinds of client are let in: one that names the organisation it speaks for, and one that does not.
            tenancy: Tenancy::Multi {
                delegations: vec![SUT.organization_number.to_owned()],
            },
            ..Client::new(CLIENT_ID, client.public_jwk_json.as_str())
        }],
        ..mock_helseid::Config::default()
    }
}

/// The key of the client that is registered at the token service, made once for a data folder.
pub(super) fn client_key(data: &Path) -> Result<ClientKey, StartError> {
    let path = data.join("helseid-client.jwk.json");
    if let Ok(kept) = std::fs::read_to_string(&path) {
        let unusable = |error| StartError::ClientKey {
            path: path.clone(),
            source: error,
        };
        return ClientKey::from_private_jwk(&kept).map_err(unusable);
    }
    let key = mock_helseid::new_client_key().map_err(|source| StartError::ClientKey {
        path: path.clone(),
        source,
    })?;
    stores::write(&path, key.private_jwk_json.as_bytes())?;
    Ok(key)
}

/// What every TLS listener shows.
pub(super) async fn tls_identity(buypass: &mock_buypass::Handle) -> Result<TlsIdentity, CaError> {
    let subject = Subject {
        organization_number: PORTAL.organization_number.to_owned(),
        organization: "PROVENETT".to_owned(),
        name: "localhost".to_owned(),
    };
    let names = ["localhost", "sb.mock.localhost", "127.0.0.1"];
    let purpose = Purpose::TlsServer {
        names: names.map(str::to_owned).to_vec(),
    };
    let issued = buypass
        .base_ca()
        .issue(&IssueRequest::new(subject, purpose))
        .await?;
    Ok(issued.tls_identity())
}
