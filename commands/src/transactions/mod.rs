//! Handing people over to Transaction Services (MC-38).

mod handoff;
mod options;
mod token;

pub use handoff::{HandedOver, IssuedHandoff, RedeemTransactionHandoff, StartTransactionHandoff};
pub use token::{AUDIENCE, key_set};
