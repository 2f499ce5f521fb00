//! The examiner and the only binary: scenarios, adapters, checks, verdicts and reports.

pub mod cli;
pub mod report;
pub mod sut;
