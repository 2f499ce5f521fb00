//! The examiner and the only binary: scenarios, adapters, checks, verdicts and reports.

pub mod check;
pub mod cli;
pub mod environment;
pub mod replay;
pub mod report;
pub mod requirement;
pub mod run;
pub mod scenario;
pub mod sut;
pub mod text;
pub mod verdict;

pub use text::Text;
