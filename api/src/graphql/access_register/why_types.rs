//! Why somebody has a right, as it is told. Invariant: whatever is told names the event it rests on, and
//! shows it to whoever may see it.

use std::collections::HashMap;

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_projections::{
    access_register::{self, Moment, Names},
    access_reviews::LastReview,
};

use super::types::{AccessCauseKind, AccessRight, AccessSource};
use crate::graphql::{
    access_reviews::ReviewVerdict,
    audit::{AuditEvent, OrganizationReference, PersonReference},
    ids::NodeType,
    scalars::{DateTime, NpiScalar, Position},
};

/// What a right rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_projections::access_register::RequirementKind")]
pub enum AccessRequirementKind {
    /// The person's account works.
    AccountActive,
    /// The person is an active member of the organisation.
    MembershipActive,
    /// The organisation is registered and neither suspended nor closed.
    OrganizationActive,
    /// The organisation has a contract, or the portal serves others too (CC-01).
    Contract,
    /// The organisation, or the affiliated provider, holds the NPI (GN-04).
    NpiHeld,
    /// The location is there to be used.
    Location,
    /// The organisation is known by the tax id.
    TaxIdHeld,
    /// The feature is on.
    Feature,
    /// A parameter of the policy gives it.
    Policy,
    /// It was granted.
    Grant,
    /// A level for the NPI was granted, beside the types of correspondence.
    NpiLevel,
    /// Nothing was set for this NPI or location alone, which counts before what is set for all.
    NotOverridden,
    /// The role in the organisation.
    OrganizationRole,
    /// The job role exists and bundles it.
    JobRole,
    /// The affiliation is in force.
    Affiliation,
    /// The affiliated provider is open.
    ProviderActive,
}

/// What an event was to a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_projections::access_register::LinkKind")]
pub enum AccessLinkKind {
    /// It gave the right, or what the right rests on.
    Grant,
    /// It asked for the right, or handed the request on.
    Request,
    /// It decided the request.
    Approval,
    /// The person was invited, or came in by the invitation.
    Invitation,
    /// The organisation registered.
    Registration,
    /// Existing people were imported.
    Import,
    /// Two organisations were affiliated.
    Affiliation,
    /// The job role was defined.
    JobRole,
    /// The policy was set.
    Policy,
}

/// Something a right rests on, and whether it was so.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessRequirement {
    pub kind: AccessRequirementKind,
    /// What it is about: a parameter's name, a feature, or the id of a job role or affiliation.
    pub of: Option<String>,
    pub met: bool,
    /// Since when it is without a break as it is; absent where it never was otherwise.
    pub since: Option<DateTime>,
    /// When it was, or will be, otherwise again, as far as that is known.
    pub until: Option<DateTime>,
    /// What made it so; absent where it never was otherwise.
    pub cause: Option<AccessCauseKind>,
    pub event_position: Option<Position>,
    /// The event that made it so; absent where the reader may not see the event.
    pub event: Option<AuditEvent>,
}

/// One way to a right. One that is met suffices.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessWay {
    pub source: AccessSource,
    /// The id of the job role or affiliation.
    pub of: Option<String>,
    pub met: bool,
    pub requirements: Vec<AccessRequirement>,
}

/// An event on the way back from a right.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessLink {
    pub kind: AccessLinkKind,
    pub event_position: Position,
    /// Absent where the reader may not see the event.
    pub event: Option<AuditEvent>,
}

/// What a periodic review decided last about a membership, which it let stand (GN-15).
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessLastReview {
    /// KEEP, or CHANGE to another permission.
    pub decision: ReviewVerdict,
    pub decided_at: DateTime,
    /// Absent where the reader may not see the event.
    pub decided_by: Option<PersonReference>,
    pub access_review_id: ID,
    pub event_position: Position,
    /// Absent where the reader may not see it.
    pub event: Option<AuditEvent>,
}

/// Why somebody has a right at a moment, or why not (GN-13, GN-14).
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessExplanation {
    pub user: PersonReference,
    /// Absent for roles that count for the whole plan.
    pub organization: Option<OrganizationReference>,
    pub npi: Option<NpiScalar>,
    pub right: AccessRight,
    pub of: Option<String>,
    pub held: bool,
    /// Since when without a break; absent where it is not held.
    pub held_from: Option<DateTime>,
    /// Until when, as far as that is known; absent where it is not held.
    pub held_until: Option<DateTime>,
    /// What the right always needs.
    pub conditions: Vec<AccessRequirement>,
    /// By which ways it may be had, those that are not met included.
    pub ways: Vec<AccessWay>,
    /// What is not so and would have to be; empty where the right is held.
    pub missing: Vec<AccessRequirement>,
    /// Nothing gave the right up to that moment, whatever the conditions were.
    pub never_granted: bool,
    /// The way back: what gave the right, the request for it and its approval, the invitation, import,
    /// affiliation or job role, in the order in which they happened; empty where it is not held.
    pub trail: Vec<AccessLink>,
    /// The last decision of a periodic review that let the person's membership stand, up to that moment
    /// and as known then (CC-13); absent where there was none, and for roles of the whole plan.
    pub last_review: Option<AccessLastReview>,
    /// The version of the policy in force then; 0 before any was set.
    pub policy_version: Position,
    /// The event that made this version; absent where the reader may not see it.
    pub policy_event: Option<AuditEvent>,
    /// The moment of which this is true.
    pub as_of: DateTime,
    /// The place in the tenant's journal at which it was known.
    pub as_of_position: Position,
}

/// Events by their positions, as far as the reader may see them.
pub(super) type Events = HashMap<i64, AuditEvent>;

impl AccessRequirement {
    pub(super) fn new(finding: &access_register::Finding, events: &Events) -> Self {
        Self {
            kind: finding.kind.into(),
            of: finding.of.clone(),
            met: finding.met,
            since: finding.since.map(DateTime::from),
            until: finding.until.map(DateTime::from),
            cause: finding.by.map(|(_, cause)| cause.into()),
            event_position: finding.by.map(|(position, _)| Position(position)),
            event: finding.by.and_then(|(position, _)| events.get(&position).cloned()),
        }
    }
}

impl AccessWay {
    pub(super) fn new(way: &access_register::FoundWay, events: &Events) -> Self {
        Self {
            source: way.source.into(),
            of: way.of.clone(),
            met: way.met,
            requirements: all(&way.requirements, events),
        }
    }
}

impl AccessLink {
    pub(super) fn new(link: access_register::Link, events: &Events) -> Self {
        Self {
            kind: link.kind.into(),
            event_position: Position(link.position),
            event: events.get(&link.position).cloned(),
        }
    }
}

impl AccessLastReview {
    pub(super) fn new(last: &LastReview, events: &Events, names: &Names) -> Option<Self> {
        let event = events.get(&last.position).cloned();
        let by =
            || PersonReference::new(last.decided_by, names.people.get(&last.decided_by).cloned());
        Some(Self {
            decision: ReviewVerdict::named(&last.decision)?,
            decided_at: last.decided_at.into(),
            decided_by: event.as_ref().map(|_| by()),
            access_review_id: NodeType::AccessReview.id(last.review_id),
            event_position: Position(last.position),
            event,
        })
    }
}

pub(super) fn all(
    findings: &[access_register::Finding],
    events: &Events,
) -> Vec<AccessRequirement> {
    findings.iter().map(|finding| AccessRequirement::new(finding, events)).collect()
}

/// The moment an answer holds for.
pub(super) fn held_at(moment: Moment) -> (DateTime, Position) {
    (moment.true_at.into(), Position(moment.known_at))
}
