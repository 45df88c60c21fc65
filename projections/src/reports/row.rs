//! A row of a report: ids, words, moments and whole numbers by their columns' names.
//!
//! Invariant: a row says nothing personal, holds no fraction, and is written in one way only, so that
//! two who compute it have the same bytes.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use rollcall_domain::Actor;
use serde_json::Value;
use uuid::Uuid;

/// One row, and its place among the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Rows are in the order of their keys, byte by byte.
    pub key: String,
    pub cells: BTreeMap<String, Value>,
}

impl Row {
    pub(crate) fn new(key: String) -> Self {
        Self { key, cells: BTreeMap::new() }
    }

    /// A row about the event at a position.
    pub(crate) fn at(position: i64) -> Self {
        Self::new(key_at(position)).number("position", position)
    }

    pub(crate) fn with(mut self, column: &str, value: impl Into<Value>) -> Self {
        self.cells.insert(column.to_owned(), value.into());
        self
    }

    pub(crate) fn id(self, column: &str, id: impl Into<Uuid>) -> Self {
        self.with(column, id.into().to_string())
    }

    pub(crate) fn maybe_id(self, column: &str, id: Option<impl Into<Uuid>>) -> Self {
        let id = id.map(|id| id.into().to_string());
        self.with(column, id)
    }

    pub(crate) fn time(self, column: &str, at: DateTime<Utc>) -> Self {
        self.with(column, moment(at))
    }

    pub(crate) fn maybe_time(self, column: &str, at: Option<DateTime<Utc>>) -> Self {
        self.with(column, at.map(moment))
    }

    pub(crate) fn number(self, column: &str, number: i64) -> Self {
        self.with(column, number)
    }

    /// Who did it.
    pub(crate) fn actor(self, kind: &str, id: &str, actor: Actor) -> Self {
        self.with(kind, actor.kind.as_str()).maybe_id(id, actor.id)
    }

    /// What stands in a column; null where nothing does.
    #[must_use]
    pub fn cell(&self, column: &str) -> &Value {
        self.cells.get(column).unwrap_or(&Value::Null)
    }

    /// The row's one form: its columns by name, as canonical JSON (RFC 8785).
    ///
    /// # Panics
    /// Never: maps of plain values serialise.
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json_canonicalizer::to_string(&self.cells).expect("plain values serialise")
    }

    /// The id in a column.
    #[must_use]
    pub fn uuid(&self, column: &str) -> Option<Uuid> {
        self.cell(column).as_str().and_then(|id| id.parse().ok())
    }
}

/// The key of the row about an event.
pub(crate) fn key_at(position: i64) -> String {
    format!("{position:019}")
}

/// A key of parts that tell rows apart; none of them holds the mark between them.
pub(crate) fn key(parts: &[&str]) -> String {
    parts.join("|")
}

/// A moment as rows tell it: RFC 3339 in UTC, with six digits of a second.
pub(crate) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}
