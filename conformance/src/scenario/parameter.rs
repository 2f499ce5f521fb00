//! What the runner writes into `ScenarioStarted` so that a journal can be judged without the run that made it.

/// Step name of the baseline (contract 03 section 7): an inbound communication test, with a driver also an outbound one.
pub const BASELINE_STEP: &str = "baseline";
/// Step name of the recovery probe. The runner may repeat its communication test until one passes or the limit is over.
pub const RECOVERY_STEP: &str = "recovery";

/// A key of `ScenarioStarted::parameters`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Name of the variant, where the scenario has variants.
    Variant,
    /// Bus account of helsenorge; every other account is the system under test's.
    HelsenorgeUser,
    /// HER-id of the system under test's party.
    SutHerId,
    /// The party's asynchronous queue, as AR publishes it.
    SutAsyncQueue,
    /// The party's synchronous queue.
    SutSyncQueue,
    /// The party's error queue.
    SutErrorQueue,
    /// `yes` when the adapter can put verbs to the system under test.
    Driver,
}

impl Parameter {
    /// The key in evidence.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Variant => "variant",
            Self::HelsenorgeUser => "helsenorge-user",
            Self::SutHerId => "sut-her-id",
            Self::SutAsyncQueue => "sut-async-queue",
            Self::SutSyncQueue => "sut-sync-queue",
            Self::SutErrorQueue => "sut-error-queue",
            Self::Driver => "driver",
        }
    }
}
