//! Rollcall's journal: the append-only event store, the sealing of personal data in it, and the
//! runner that carries events to their subscribers. It knows no bounded context.

mod ahead;
mod append;
mod batch;
mod cache;
mod checkpoint;
pub mod clock;
mod crypto;
pub mod envelope;
pub mod error;
pub mod es;
pub mod journal;
mod key_cache;
pub mod keys;
mod known;
mod lanes;
mod leader;
mod load;
mod master_key;
mod owners;
pub mod pools;
mod prepare;
pub mod progress;
pub mod reader;
pub mod rebuild;
mod request;
mod retry;
pub mod runner;
pub mod schema;
pub mod seal;
pub mod secrets;
mod streams;
pub mod subscriber;
pub mod upcast;
mod wake;
pub mod work;

pub use clock::{Clock, InjectedClock, SystemClock};
pub use envelope::{Guard, Header, Metadata, Recorded};
pub use error::{CommitError, JournalError, StoredResult, WorkError};
pub use journal::{Journal, JournalConfig, Loaded};
pub use master_key::MasterKey;
pub use progress::{Lag, Lagging, Progress};
pub use reader::{ReadError, Reader};
pub use runner::Runner;
pub use subscriber::{Process, Projection, ProjectionError};
pub use work::{Committed, Work};
