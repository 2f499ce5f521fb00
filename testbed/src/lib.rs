//! What every mock needs: clock, seed, fault plan, evidence journal, listeners, TLS, HTTP plumbing and orderly stop.
//!
//! The crate knows nothing of any single mock. A mock is started with values from here
//! (`start(config, listener, context)`), reads no environment variable and keeps no global.

pub mod clock;
pub mod control;
pub mod evidence;
pub mod fault;
pub mod http;
pub mod listener;
pub mod provision;
pub mod seed;
pub mod shutdown;
pub mod tls;
pub mod token;

pub use clock::Clock;
pub use evidence::Journal;
pub use fault::FaultPlan;
pub use seed::Seed;
pub use shutdown::{Shutdown, ShutdownSignal};

/// The services that a running mock shares with the others: one value handed to every `start`.
#[derive(Clone, Debug)]
pub struct Context {
    /// Where all time comes from.
    pub clock: Clock,
    /// Where everything that happens is recorded.
    pub journal: Journal,
    /// What goes wrong on purpose.
    pub faults: FaultPlan,
    /// Where all randomness comes from, key material excepted.
    pub seed: Seed,
    /// Fires when the mock has to stop.
    pub shutdown: ShutdownSignal,
}
