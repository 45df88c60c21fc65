//! PINs: issued with the NPI, revealed on record, reset at most so often a day (MC-50 to MC-53,
//! GN-17).
//!
//! Invariant: a PIN's value is in the vault and in the answer to its reveal, nowhere else.

mod issue;
mod propagation;
mod reset_for_caller;
mod reset_pin;
mod reveal_pin;
mod rights;
mod value;

pub use issue::issue_pin;
pub use propagation::{CompletePinPropagation, ConfirmPinPropagation};
pub use reset_for_caller::{CallerSays, ResetPinForCaller};
pub use reset_pin::{PinIsReset, ResetPin};
pub use reveal_pin::{RevealPin, RevealedPin};
pub use rights::npi_levels;
pub use value::PinValue;
