//! The examiner and the only binary: scenarios, adapters, checks, verdicts and reports.

pub mod sut;
