//! A right that differs between two moments. Invariant: since when and why it is as it is at the later
//! one stands beside it.

use async_graphql::{Enum, SimpleObject};
use rollcall_projections::access_register::{self, AccessKey, Span};

use super::types::{AccessCause, AccessCauseKind, AccessRight, AccessSource};
use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    paging::{Page, PageInfo, Rows, connection},
    scalars::{DateTime, NpiScalar, Position},
};

/// What became of a right between two moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_projections::access_register::Change")]
pub enum AccessChangeKind {
    /// Held at the later moment, not at the earlier one.
    Gained,
    /// Held at the earlier moment, not at the later one.
    Lost,
    /// Held at both, at another level or by another way.
    Changed,
}

/// One right of one person that differs between two moments.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessChange {
    pub change: AccessChangeKind,
    pub user: PersonReference,
    /// Absent for roles that count for the whole plan.
    pub organization: Option<OrganizationReference>,
    /// Absent for rights that are not about an NPI.
    pub npi: Option<NpiScalar>,
    pub right: AccessRight,
    /// The level it was held at, as in `AccessEntry.level`; absent where it was not held.
    pub level_before: Option<String>,
    /// The level it is held at; absent where it is not held.
    pub level_after: Option<String>,
    /// By which way it was held, of several the first.
    pub source_before: Option<AccessSource>,
    /// By which way it is held, of several the first.
    pub source_after: Option<AccessSource>,
    /// What the job role, location or tax id is called; absent for other rights.
    pub thing: Option<String>,
    /// The type of correspondence, `*` for all types; absent for other rights.
    pub correspondence_type: Option<String>,
    /// Since when it is without a break as it is at the later moment, to the second it was true.
    pub happened_at: DateTime,
    /// What happened then: the grant or its end, or a condition under which grants count that began
    /// or ended.
    pub cause: AccessCause,
}

impl AccessChange {
    pub(super) fn of(row: access_register::AccessChange, sentence: Option<String>) -> Self {
        let (level_before, source_before) = row.before.unzip();
        let (level_after, source_after) = row.after.unzip();
        Self {
            change: row.change.into(),
            user: PersonReference::new(row.user, row.user_name),
            organization: row
                .organization
                .map(|id| OrganizationReference::new(id, row.organization_name)),
            npi: row.npi.map(NpiScalar),
            right: row.right.into(),
            level_before,
            level_after,
            source_before: source_before.map(Into::into),
            source_after: source_after.map(Into::into),
            thing: row.thing,
            correspondence_type: row.correspondence_type,
            happened_at: row.happened_at.into(),
            cause: AccessCause {
                kind: row.cause.into(),
                event_position: Position(row.cause_position),
                sentence,
            },
        }
    }
}

/// How many rights were gained, lost or changed by one cause.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessChangeCount {
    pub change: AccessChangeKind,
    pub cause: AccessCauseKind,
    pub count: i32,
}

impl From<access_register::ChangeCount> for AccessChangeCount {
    fn from(counted: access_register::ChangeCount) -> Self {
        Self {
            change: counted.change.into(),
            cause: counted.cause.into(),
            count: i32::try_from(counted.count).unwrap_or(i32::MAX),
        }
    }
}

connection!(AccessChanges, AccessChangeEdge, AccessChange);

/// One page of differences (Relay), and what it holds for.
#[derive(SimpleObject)]
pub struct AccessDifferenceConnection {
    pub edges: Vec<AccessChangeEdge>,
    pub nodes: Vec<AccessChange>,
    pub page_info: PageInfo,
    /// How many there are in all; counted only when selected.
    pub total_count: Option<i32>,
    /// How many there are in all by what became of the right and by cause, the most first; counted
    /// only when selected.
    pub counts_by_cause: Option<Vec<AccessChangeCount>>,
    /// The earlier moment.
    pub from: DateTime,
    /// The later moment.
    pub to: DateTime,
    /// The place in the tenant's journal at which both were known.
    pub as_of_position: Position,
}

impl AccessDifferenceConnection {
    pub(super) fn of(
        page: &Page<AccessKey>,
        rows: Vec<(AccessKey, AccessChange)>,
        counts: Option<Vec<access_register::ChangeCount>>,
        span: Span,
    ) -> Self {
        let total = counts.as_ref().map(|counts| counts.iter().map(|each| each.count).sum());
        let found = Rows { rows, total };
        let AccessChanges { edges, nodes, page_info, total_count } = AccessChanges::of(page, found);
        Self {
            edges,
            nodes,
            page_info,
            total_count,
            counts_by_cause: counts.map(|counts| counts.into_iter().map(Into::into).collect()),
            from: span.from.into(),
            to: span.to.into(),
            as_of_position: Position(span.known_at),
        }
    }
}
