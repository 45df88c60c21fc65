//! Rollcall's journal: the append-only event store, the sealing of personal data in it, and the
//! runner that carries events to their subscribers. It knows no bounded context.

pub mod clock;
mod crypto;
mod key_cache;
pub mod keys;
mod master_key;
pub mod seal;
pub mod secrets;
