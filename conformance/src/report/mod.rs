//! Reports: views of a run's result and of its evidence. Nothing here decides a verdict.

pub mod diagram;
