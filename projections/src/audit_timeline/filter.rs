//! What to look for in the timeline, as SQL.
//!
//! Invariant: what the viewer may see is demanded beside the filter, so no filter shows more.

use chrono::{DateTime, Utc};
use rollcall_domain::{kernel::ActorKind, permissions::right_use::RightKind};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Audience, Outcome, Sight, chain, rights, text::Meaning};

/// What to look for; every field that is set must fit.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub actor: Option<Uuid>,
    pub actor_kind: Option<ActorKind>,
    pub subject: Option<Uuid>,
    pub npi: Option<String>,
    /// The organisation acted for, or the one acted on.
    pub organization: Option<Uuid>,
    /// Stored names, e.g. `permissions.membership.npi_permission_set`; empty: all.
    pub types: Vec<String>,
    pub command: Option<String>,
    pub outcome: Option<Outcome>,
    /// Recorded at or after.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before.
    pub to: Option<DateTime<Utc>>,
    pub correlation: Option<Uuid>,
    pub causation: Option<Uuid>,
    pub session: Option<Uuid>,
    /// What gave, changed, ended or used rights of this kind.
    pub right: Option<RightKind>,
    /// What led to this event, step by step.
    pub causes_of: Option<Uuid>,
    /// What this event led to, step by step.
    pub consequences_of: Option<Uuid>,
    /// Words that must all be found ([`super::words`]).
    pub words: Vec<String>,
    /// Known then: nothing after this position.
    pub up_to: Option<i64>,
}

/// Adds, after `WHERE t.tenant_id = `, the tenant and what sight and filter demand of `t`; `words` is
/// what the filter's words may mean.
pub(super) fn restrict(
    query: &mut QueryBuilder<'_, Postgres>,
    tenant: Uuid,
    sight: &Sight,
    filter: &Filter,
    words: &[Meaning],
) {
    query.push_bind(tenant);
    if sight.whole.len() < Audience::ALL.len() {
        see(query, sight);
    }
    equal(query, "t.actor_id", filter.actor);
    equal(query, "t.subject_id", filter.subject);
    equal(query, "t.correlation_id", filter.correlation);
    equal(query, "t.causation_id", filter.causation);
    equal(query, "t.session_id", filter.session);
    if let Some(kind) = filter.actor_kind {
        query.push(" AND t.actor_kind = ").push_bind(kind.as_str());
    }
    if let Some(npi) = &filter.npi {
        query.push(" AND t.npi = ").push_bind(npi.clone());
    }
    if let Some(organization) = filter.organization {
        query.push(" AND (t.organization_id = ").push_bind(organization);
        query.push(" OR t.subject_organization_id = ").push_bind(organization).push(")");
    }
    if !filter.types.is_empty() {
        query.push(" AND t.event_type = ANY (").push_bind(filter.types.clone()).push(")");
    }
    if let Some(command) = &filter.command {
        query.push(" AND t.command = ").push_bind(command.clone());
    }
    if let Some(outcome) = filter.outcome {
        query.push(" AND t.outcome = ").push_bind(outcome.as_str());
    }
    if let Some(from) = filter.from {
        query.push(" AND t.recorded_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        query.push(" AND t.recorded_at < ").push_bind(to);
    }
    if let Some(up_to) = filter.up_to {
        query.push(" AND t.position <= ").push_bind(up_to);
    }
    if let Some(right) = filter.right {
        rights::concerned(query, right);
    }
    if let Some(event) = filter.causes_of {
        chain::causes(query, tenant, event);
    }
    if let Some(event) = filter.consequences_of {
        chain::consequences(query, tenant, event);
    }
    for word in words {
        word.demand(query);
    }
}

fn equal(query: &mut QueryBuilder<'_, Postgres>, column: &str, id: Option<Uuid>) {
    if let Some(id) = id {
        query.push(format_args!(" AND {column} = ")).push_bind(id);
    }
}

/// The rows of the visibility table that are the viewer's.
fn see(query: &mut QueryBuilder<'_, Postgres>, sight: &Sight) {
    let names = |audiences: &[Audience]| -> Vec<&'static str> {
        audiences.iter().map(|audience| audience.as_str()).collect()
    };
    query.push(" AND (t.audience = ANY (").push_bind(names(&sight.whole)).push(")");
    for (organizations, audiences) in &sight.of_organizations {
        let ids: Vec<Uuid> = organizations.iter().map(|organization| organization.0).collect();
        query.push(" OR t.audience = ANY (").push_bind(names(audiences));
        query.push(") AND (t.organization_id = ANY (").push_bind(ids.clone());
        query.push(") OR t.subject_organization_id = ANY (").push_bind(ids).push("))");
    }
    if let Some((user, audiences)) = &sight.of_person {
        query.push(" OR t.audience = ANY (").push_bind(names(audiences));
        query.push(") AND (t.actor_id = ").push_bind(user.0);
        query.push(" OR t.subject_id = ").push_bind(user.0).push(")");
    }
    query.push(")");
}
