//! Periodic access reviews (CC-13, GN-15). Invariant: what a reviewer decides on was shown to them.

pub mod receipt;
