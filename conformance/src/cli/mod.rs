//! The command line: options in, exit code out.

mod options;

pub use options::{
    Command, EnvironmentOptions, Listed, OptionError, Options, ReportOptions, RunOptions,
    ServedPart, SutKind,
};
