//! Reports: what a person or a CI system sees of a run. They show verdicts and never decide one.

pub mod agreement;
pub mod diagram;
pub mod evidence;
pub mod html;
pub mod jsonl;
pub mod junit;
pub mod progress;
#[cfg(test)]
pub(crate) mod sample;
pub mod terminal;
pub mod text;
pub mod words;
pub mod write;

pub use evidence::Evidence;
pub use write::{Paths, write_reports};
