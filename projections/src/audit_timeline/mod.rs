//! The audit timeline: one row per event, searched by its filter fields, told in plain English when
//! it is read (GN-26).
//!
//! Invariant: rows hold nothing personal but the address a request came from and the words of names that
//! an event is found by, which an erasure takes out. Names are joined and sentences rendered at each
//! reading, so erasing a person reaches the whole timeline.

pub mod acts;
mod chain;
mod changes;
mod entries;
mod facets;
mod filter;
mod name_words;
mod names;
mod pages;
mod projection;
mod queries;
mod rights;
pub mod sentences;
mod terms;
mod text;
mod visibility;

pub use entries::{Entry, TellError, Untold};
pub use filter::Filter;
pub use names::KnownNames;
pub(crate) use names::read as names_of;
pub use projection::{AuditTimeline, NAME, Outcome};
pub use queries::{Order, PageRequest, by_event_ids, count, page, positions, told_at, untold_page};
pub use text::{MAX_WORDS, words};
pub use visibility::{Audience, Sight, Viewer};
