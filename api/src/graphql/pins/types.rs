//! What the schema says about an NPI's PIN. Invariant: types here hold no PIN.

use async_graphql::{Enum, ID, SimpleObject};
use chrono::{DateTime as Instant, Utc};
use rollcall_domain::{
    kernel::ids::TenantId,
    permissions::{NpiLevel as Level, manages_pin},
    pins::next_reset_at,
    policies::Policy,
    values::Npi,
};
use rollcall_projections::{
    people::Person,
    pins::{PinHistoryRow, PinRow},
};

use crate::graphql::{
    ids::NodeType,
    paging::connection,
    scalars::{DateTime, NpiScalar, Position},
    vocabulary::NpiLevel,
};

/// An NPI that the reader is assigned, and its PIN without its value (MC-50).
#[derive(Clone, Debug, SimpleObject)]
pub struct Pin {
    pub id: ID,
    pub npi: NpiScalar,
    /// Show it for confirmation: a check digit misses some transpositions.
    pub provider_name: String,
    /// The reader's level for the NPI.
    pub level: NpiLevel,
    /// Whether the reader may be shown the PIN.
    pub can_reveal: bool,
    /// Whether the reader may reset the PIN, today's limit aside.
    pub can_reset: bool,
    /// Counts the NPI's PINs; 0 while it has none.
    pub version: i32,
    /// When it was issued to the organisation.
    pub issued_at: Option<DateTime>,
    /// When it was last reset.
    pub last_reset: Option<DateTime>,
    /// Until when files that depend on the PIN may lag behind its reset; absent when they have it
    /// (GN-17).
    pub propagation_due_at: Option<DateTime>,
    /// From when it may be reset; absent when it may be at once (MC-53).
    pub next_reset_at: Option<DateTime>,
}

connection!(PinConnection, PinEdge, Pin);

/// What an answer about PINs depends on besides their rows.
pub struct Seen<'a> {
    pub tenant: TenantId,
    pub policy: &'a Policy,
    pub now: Instant<Utc>,
}

impl Seen<'_> {
    /// A row as a reader with this level sees it.
    pub fn pin(&self, npi: &Npi, level: Level, row: PinRow) -> Pin {
        let allowed = row.version > 0 && manages_pin(level, self.policy);
        Pin {
            id: NodeType::Pin.id(self.tenant.pin_stream(npi)),
            npi: row.npi.into(),
            provider_name: row.provider_name,
            level: level.into(),
            can_reveal: allowed,
            can_reset: allowed,
            version: row.version,
            issued_at: row.issued_at.map(DateTime::from),
            last_reset: row.last_reset_at.map(DateTime::from),
            propagation_due_at: row.propagation_due_at.map(DateTime::from),
            next_reset_at: next_reset_at(&row.recent_resets, self.policy, self.now)
                .map(DateTime::from),
        }
    }
}

/// What happened to a PIN.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_projections::pins::PinFact")]
pub enum PinFact {
    /// The NPI was given a PIN.
    Issued,
    /// The PIN was replaced.
    Reset,
    /// Somebody was shown the PIN.
    Revealed,
}

/// One line of a PIN's history (MC-52).
#[derive(Clone, Debug, SimpleObject)]
pub struct PinHistoryEntry {
    /// Where it stands in the tenant's journal.
    pub position: Position,
    pub fact: PinFact,
    pub at: DateTime,
    /// Which of the NPI's PINs it was.
    pub version: i32,
    /// Who did it; absent when the service did.
    pub by: Option<ID>,
    /// That person's name, unless it was erased.
    pub by_name: Option<String>,
    /// Plan support did it for a caller (GN-17).
    pub by_support: bool,
}

connection!(PinHistoryConnection, PinHistoryEdge, PinHistoryEntry);

impl PinHistoryEntry {
    /// A row with the person it names.
    pub fn of(row: PinHistoryRow, person: Option<&Person>) -> Self {
        Self {
            position: Position(row.position),
            fact: row.fact.into(),
            at: row.at.into(),
            version: row.version,
            by: row.actor_id.map(|id| NodeType::User.id(id)),
            by_name: person.and_then(Person::full_name),
            by_support: row.by_support,
        }
    }
}
