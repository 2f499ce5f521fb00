//! A small but correct EPJ that meets the mocks on the wire only, with named seeded faults.
