//! The command line: options in, exit code out.

pub mod describe;
pub mod explain;
pub mod listing;
mod options;

pub use options::{
    Command, EnvironmentOptions, Listed, OptionError, Options, ReportOptions, RunOptions,
    ServedPart, SutKind,
};
