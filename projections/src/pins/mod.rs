//! PINs as people see them: which NPIs have one, when it was reset, who was shown it (MC-50 to
//! MC-53).
//!
//! Invariant: no row holds a PIN, nor where the vault keeps it.

mod projection;
mod queries;

pub use projection::Pins;
pub use queries::{
    PinFact, PinFilter, PinHistoryRow, PinKey, PinRow, count_pins, pin, pin_history, pins,
};
