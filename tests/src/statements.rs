//! How many statements something takes.
//!
//! Invariant: it counts what sqlx reports, so nothing that reaches the database is missed, and
//! statements of others that run meanwhile count as well where it listens everywhere.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};

/// Counts the statements that sqlx reports: as the subscriber of one future, or of all.
#[derive(Clone)]
pub struct Statements(Arc<Parts>);

struct Parts {
    is_listening: AtomicBool,
    heard: AtomicUsize,
}

impl Default for Statements {
    fn default() -> Self {
        Self::new(true)
    }
}

impl Statements {
    fn new(is_listening: bool) -> Self {
        let is_listening = AtomicBool::new(is_listening);
        Self(Arc::new(Parts { is_listening, heard: AtomicUsize::new(0) }))
    }

    /// For the whole process; silent until [`Self::listen`], so that nothing is slowed down.
    ///
    /// # Panics
    /// When somebody else listens already.
    #[must_use]
    pub fn listening_everywhere() -> Self {
        let statements = Self::new(false);
        tracing::subscriber::set_global_default(statements.clone()).expect("nobody else listens");
        statements
    }

    pub fn listen(&self, listens: bool) {
        self.0.is_listening.store(listens, Ordering::Relaxed);
    }

    /// How many it has heard of.
    #[must_use]
    pub fn heard(&self) -> usize {
        self.0.heard.load(Ordering::Relaxed)
    }
}

impl Subscriber for Statements {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Asked again each time, as it may begin to listen.
        if metadata.target() == "sqlx::query" { Interest::sometimes() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query" && self.0.is_listening.load(Ordering::Relaxed)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        self.0.heard.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
