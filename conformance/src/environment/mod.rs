//! The whole network in one process: bus, register, token service, CA and helsenorge, composed and put right between scenarios.
//!
//! A part is reached by the system under test on the wire only. What is special about this network (its accounts, the
//! party under test, the files for a vendor) is decided here and nowhere else.

mod certificates;
mod document;
mod fixture;
mod part;
mod ports;
mod start;
mod stores;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use mock_ar::ArHandle;
use mock_buypass::ScenarioCa;
use mock_servicebus::BusHandle;
use testbed::{Clock, FaultPlan, Journal, Seed, Shutdown};

pub use certificates::{CertificateError, Signer};
pub use document::{DOCUMENT_FORMAT, Document};
pub use fixture::{HELSENORGE_USER, SUT_USER};
pub use part::{Part, Served, serve};
pub use ports::Ports;
pub use start::{StartError, start};
pub use stores::FileError;

use certificates::Present;

/// How long the parts may take to stop.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How an environment is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder for keys that outlive a run: the CA's, the parties', the client's of the token service.
    pub data: PathBuf,
    /// Folder for the environment document and the stores, made when it is not there.
    pub files: PathBuf,
    /// Where the parts listen.
    pub ports: Ports,
    /// Start of the random numbers.
    pub seed: u64,
    /// Whether each AMQP frame becomes evidence.
    pub record_frames: bool,
}

/// The running network.
#[derive(Debug)]
pub struct Environment {
    /// Time.
    pub clock: Clock,
    /// Evidence of every part.
    pub journal: Journal,
    /// What goes wrong on purpose.
    pub faults: FaultPlan,
    /// Randomness.
    pub seed: Seed,
    /// The bus.
    pub bus: BusHandle,
    /// The register and CPPA.
    pub ar: ArHandle,
    /// The certificate authority.
    pub buypass: mock_buypass::Handle,
    /// The token service.
    pub helseid: mock_helseid::Handle,
    /// helsenorge.
    pub helsenorge: mock_helsenorge::Handle,
    control: Option<SocketAddr>,
    document: Document,
    document_path: PathBuf,
    present: Mutex<Present>,
    client_shutdown: Shutdown,
    shutdown: Shutdown,
}

impl Environment {
    /// What a system under test has to know.
    #[must_use]
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Where the control plane listens, if there is one (see [`testbed::control`]).
    #[must_use]
    pub fn control(&self) -> Option<SocketAddr> {
        self.control
    }

    /// The file with [`Self::document`].
    #[must_use]
    pub fn document_path(&self) -> &Path {
        &self.document_path
    }

    /// The file with the roots to trust.
    #[must_use]
    pub fn trust_bundle(&self) -> &Path {
        &self.document.trust.bundle
    }

    /// Puts everything right: no faults, every part reachable, empty queues, the register's first data, helsenorge as usual.
    /// Certificates and links stay.
    pub fn reset(&self) {
        self.faults.clear();
        self.bus.come_back();
        self.bus.reset();
        self.ar.come_back();
        self.ar.reset();
        self.helseid.come_back();
        self.helseid.reset();
        self.helsenorge.reset();
        self.with_scenario_ca(ScenarioCa::resume);
    }

    /// Stops every part in an orderly way; a part that does not stop in time is left to the end of the process.
    pub async fn stop(self) {
        let Self {
            client_shutdown,
            shutdown,
            clock,
            bus,
            ar,
            buypass,
            helseid,
            helsenorge,
            present,
            ..
        } = self;
        // Handles may hold the signal that the stop waits for. helsenorge takes its leave of a bus that is still there.
        drop(helsenorge);
        let _ = client_shutdown.stop(&clock, STOP_LIMIT).await;
        drop((bus, ar, buypass, helseid, present));
        let _ = shutdown.stop(&clock, STOP_LIMIT).await;
    }
}
