//! PINs of NPIs: issued, shown while held, reset at most so often a day (MC-50 to MC-53, GN-17).
//!
//! Invariant: the PIN itself is in the vault only; here stand references to it, and every time it
//! was shown.

mod events;
mod pin;
#[cfg(test)]
mod tests;

pub use events::{PinEvent, ResetBy};
pub use pin::{Holding, Pin, PinCommand, PinRefusal, next_reset_at};
