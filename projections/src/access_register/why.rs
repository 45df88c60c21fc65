//! Why somebody has a right at a moment, or has it not: each thing it rests on, since when it is as it
//! is, and by what (GN-13, GN-14).
//!
//! Invariant: the right is held exactly where every condition and one way to it are met.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::{OrganizationId, UserId};
use uuid::Uuid;

use super::{
    AccessSource, Moment,
    rule::{AskedRight, Clock, Happened, Records, Requirement, RequirementKind, Rule, load},
};
use crate::Snapshot;

/// Whether something that a right rests on was so at a moment.
#[derive(Clone, Debug)]
pub struct Finding {
    pub kind: RequirementKind,
    /// What it is about: a parameter's name, a feature, or the id of a job role or affiliation.
    pub of: Option<String>,
    pub met: bool,
    /// Since when it is without a break as it is; `None`: it never was otherwise.
    pub since: Option<DateTime<Utc>>,
    /// When it will be otherwise, or was, as far as that is known.
    pub until: Option<DateTime<Utc>>,
    /// What made it so then: tenant position and cause.
    pub by: Option<(i64, super::Cause)>,
    /// The positions of the events on which it stands while it is met.
    pub grounds: Vec<i64>,
}

/// One way to the right.
#[derive(Clone, Debug)]
pub struct FoundWay {
    pub source: AccessSource,
    /// The job role or affiliation.
    pub of: Option<String>,
    pub met: bool,
    pub requirements: Vec<Finding>,
}

/// Why, or why not.
#[derive(Clone, Debug)]
pub struct Explanation {
    pub held: bool,
    /// Since when without a break, and until when as far as that is known; of a right that is held.
    pub held_from: Option<DateTime<Utc>>,
    pub held_until: Option<DateTime<Utc>>,
    pub conditions: Vec<Finding>,
    pub ways: Vec<FoundWay>,
    /// Whether there was a way to it at any time up to the moment.
    pub ever_granted: bool,
}

impl Explanation {
    /// What is missing: conditions, and where no way is met what was lost of one last.
    #[must_use]
    pub fn missing(&self) -> Vec<&Finding> {
        let mut missing: Vec<&Finding> = unmet(&self.conditions).collect();
        if !self.ways.iter().any(|way| way.met) {
            let lost = |way: &&FoundWay| unmet(&way.requirements).filter_map(|it| it.since).max();
            // Of equals the first, which is the plainest way.
            let nearest = self.ways.iter().rev().max_by_key(lost);
            missing.extend(nearest.into_iter().flat_map(|way| unmet(&way.requirements)));
        }
        missing
    }

    /// The positions of the events that gave the right, by the ways that are met.
    #[must_use]
    pub fn grants(&self) -> Vec<i64> {
        let met = self.ways.iter().filter(|way| way.met);
        let positions: BTreeSet<i64> = met
            .flat_map(|way| &way.requirements)
            .flat_map(|finding| finding.grounds.iter().copied())
            .collect();
        positions.into_iter().collect()
    }
}

fn unmet(findings: &[Finding]) -> impl Iterator<Item = &Finding> {
    findings.iter().filter(|finding| !finding.met)
}

/// Whether the person, and the organisation where one is named, have ever been in the register; with
/// `within`, the person in one of these organisations.
///
/// # Errors
/// The database's.
pub async fn is_known(
    view: &mut Snapshot,
    user: Option<Uuid>,
    organization: Option<Uuid>,
    within: Option<&[Uuid]>,
) -> Result<(bool, bool), sqlx::Error> {
    sqlx::query_as(
        "SELECT $2::uuid IS NULL OR EXISTS (
                  SELECT 1 FROM read.access_intervals i
                   WHERE i.tenant_id = $1 AND i.user_id = $2
                     AND ($4::uuid[] IS NULL OR i.organization_id = ANY ($4)))
                OR $4::uuid[] IS NULL AND EXISTS (
                  SELECT 1 FROM read.people p WHERE p.tenant_id = $1 AND p.user_id = $2),
                $3::uuid IS NULL OR EXISTS (
                  SELECT 1 FROM read.organizations o WHERE o.tenant_id = $1 AND o.id = $3)",
    )
    .bind(view.tenant().0)
    .bind(user)
    .bind(organization)
    .bind(within.map(<[Uuid]>::to_vec))
    .fetch_one(view.connection())
    .await
}

/// Explains one right of one person at a moment; without an organisation a role for the whole plan.
///
/// # Errors
/// The database's.
pub async fn explain(
    view: &mut Snapshot,
    moment: Moment,
    right: &AskedRight,
    (user, organization): (Uuid, Option<Uuid>),
) -> Result<Explanation, sqlx::Error> {
    let records = load(view, right, &[(user, organization)], moment.known_at).await?;
    let rule = Rule::of(right, UserId(user), organization.map(OrganizationId), &records);
    Ok(explained(&rule, &records, moment))
}

fn explained(rule: &Rule, records: &Records, moment: Moment) -> Explanation {
    let clock = Clock::Entitled { known_at: moment.known_at };
    let at = moment.true_at;
    let find = |them: &[Requirement]| -> Vec<Finding> {
        them.iter().map(|it| found(it, records, clock, at)).collect()
    };
    let ways: Vec<FoundWay> = rule
        .ways
        .iter()
        .map(|way| FoundWay {
            source: way.source,
            of: way.of.clone(),
            met: way.is_met(records, clock, at),
            requirements: find(&way.requirements),
        })
        .collect();
    let spans = rule.spans(records, clock);
    let span = spans.into_iter().find(|span| span.from <= at && at < span.end());
    let held = rule.holds(records, clock, at);
    Explanation {
        held,
        held_from: span.map(|span| span.from).filter(|_| held),
        held_until: span.and_then(|span| span.until).filter(|_| held),
        conditions: find(&rule.conditions),
        ever_granted: rule.ways.iter().any(|way| {
            let mut moments = BTreeSet::from([at]);
            for it in &way.requirements {
                it.expression.moments(records, clock, &mut moments);
            }
            moments.range(..=at).any(|moment| way.is_met(records, clock, *moment))
        }),
        ways,
    }
}

fn found(it: &Requirement, records: &Records, clock: Clock, at: DateTime<Utc>) -> Finding {
    let mut moments = BTreeSet::new();
    it.expression.moments(records, clock, &mut moments);
    let met = it.expression.holds(records, clock, at);
    let is_as_now = |moment: &DateTime<Utc>| it.expression.holds(records, clock, *moment) == met;
    let is_new = |moment: &&DateTime<Utc>| {
        let before = super::rule::just_before(**moment);
        is_as_now(moment) && !is_as_now(&before)
    };
    let since = moments.range(..=at).rev().find(is_new).copied();
    let until = moments.range(at..).find(|moment| !is_as_now(moment)).copied();
    let by = since.and_then(|since| {
        let mut changes: BTreeSet<Happened> = BTreeSet::new();
        it.expression.changes(records, clock, since, &mut changes);
        if met { changes.pop_last() } else { changes.pop_first() }
    });
    let mut grounds = BTreeSet::new();
    if met {
        it.expression.grounds(records, clock, at, &mut grounds);
    }
    Finding {
        kind: it.kind,
        of: it.of.clone(),
        met,
        since,
        until,
        by: by.map(|by| (by.position, by.cause)),
        grounds: grounds.into_iter().collect(),
    }
}

/// What an event of a trail was to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKind {
    /// It gave the right, or what the right rests on.
    Grant,
    /// It asked for the right.
    Request,
    /// It decided the request.
    Approval,
    /// The person was invited, or became a member by it.
    Invitation,
    /// The organisation registered.
    Registration,
    /// Existing people were imported.
    Import,
    /// Two organisations were affiliated.
    Affiliation,
    /// A job role was defined.
    JobRole,
    /// The policy was set.
    Policy,
}

/// An event on the way back from a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub position: i64,
    pub kind: LinkKind,
}

/// The events that belong to a trail, beside what gave the right itself.
const TRAIL: [(&str, LinkKind); 19] = [
    ("access_requests.request.access_requested", LinkKind::Request),
    ("access_requests.request.access_request_routed", LinkKind::Request),
    ("access_requests.request.access_request_approved", LinkKind::Approval),
    ("access_requests.join_request.join_requested", LinkKind::Request),
    ("access_requests.join_request.join_request_approved", LinkKind::Approval),
    ("access_requests.move_request.move_requested", LinkKind::Request),
    ("access_requests.move_request.move_request_approved", LinkKind::Approval),
    ("users.invitation.user_invited", LinkKind::Invitation),
    ("users.invitation.invitation_completed", LinkKind::Invitation),
    ("organizations.registration.organization_registration_started", LinkKind::Registration),
    ("organizations.registration.organization_registration_completed", LinkKind::Registration),
    ("organizations.registration_token.registration_token_issued", LinkKind::Registration),
    ("organizations.registration_token.registration_token_redeemed", LinkKind::Registration),
    ("imports.people_import.people_import_requested", LinkKind::Import),
    ("users.user.user_imported", LinkKind::Import),
    ("affiliations.affiliation.affiliation_requested", LinkKind::Affiliation),
    ("affiliations.affiliation.affiliation_approved", LinkKind::Affiliation),
    ("permissions.job_role.job_role_defined", LinkKind::JobRole),
    ("tenants.plan_staff.plan_staff_invited", LinkKind::Invitation),
];

/// How far from an event those lie that were written with it; events of one append stand together.
const TOGETHER: i64 = 500;
/// How many steps of a stream before the one that was written with the grant are looked at.
const STEPS: i64 = 12;

/// The trail back from what gave a right: requests and approvals, invitations, imports and so on, in
/// the order in which they happened. Bounded by what one append holds.
///
/// # Errors
/// The database's.
pub async fn trail(
    view: &mut Snapshot,
    grants: &[i64],
    known_at: i64,
) -> Result<Vec<Link>, sqlx::Error> {
    let types: Vec<&str> = TRAIL.iter().map(|(name, _)| *name).collect();
    let found: Vec<(i64, String)> = sqlx::query_as(
        "WITH given AS MATERIALIZED (
           SELECT t.position, t.command_id, t.correlation_id FROM read.audit_timeline t
            WHERE t.tenant_id = $1 AND t.position = ANY ($2)
         ), beside AS MATERIALIZED (
           SELECT e.aggregate_type, e.aggregate_id, max(e.sequence) AS last
             FROM given g
             JOIN read.audit_timeline t ON t.tenant_id = $1 AND t.correlation_id = g.correlation_id
              AND t.command_id = g.command_id AND t.position BETWEEN g.position - $5 AND g.position + $5
             JOIN es.events e ON e.tenant_id = $1 AND e.tenant_position = t.position
            GROUP BY e.aggregate_type, e.aggregate_id
         )
         SELECT t.position, t.event_type FROM given g
           JOIN read.audit_timeline t ON t.tenant_id = $1 AND t.position = g.position
         UNION
         SELECT e.tenant_position, e.event_type FROM beside b
           JOIN es.events e ON e.aggregate_id = b.aggregate_id AND e.aggregate_type = b.aggregate_type
            AND (e.sequence = 1 OR e.sequence BETWEEN b.last - $6 AND b.last)
          WHERE e.tenant_id = $1 AND e.tenant_position <= $4 AND e.event_type = ANY ($3)
         ORDER BY 1",
    )
    .bind(view.tenant().0)
    .bind(grants.to_vec())
    .bind(types)
    .bind(known_at)
    .bind(TOGETHER)
    .bind(STEPS)
    .fetch_all(view.connection())
    .await?;
    let told = found.into_iter().map(|(position, name)| {
        let known = TRAIL.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        let is_policy = name.starts_with("policies.");
        let kind = known.unwrap_or(if is_policy { LinkKind::Policy } else { LinkKind::Grant });
        Link { position, kind }
    });
    Ok(told.collect())
}

/// The version of the policy in force at a moment, as known at a position, and the event that made it.
///
/// # Errors
/// The database's.
pub async fn policy_in_force(
    view: &mut Snapshot,
    moment: Moment,
) -> Result<(i64, Option<i64>), sqlx::Error> {
    sqlx::query_as(
        "SELECT count(*), (array_agg(e.tenant_position ORDER BY e.effective_at DESC, e.sequence DESC))[1]
           FROM es.events e
          WHERE e.aggregate_id = $2 AND e.aggregate_type = 'policies.policy' AND e.tenant_id = $1
            AND e.tenant_position <= $3 AND e.effective_at <= $4",
    )
    .bind(view.tenant().0)
    .bind(view.tenant().policy_stream().to_string())
    .bind(moment.known_at)
    .bind(moment.true_at)
    .fetch_one(view.connection())
    .await
}
