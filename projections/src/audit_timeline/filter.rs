//! What to look for in the timeline, as SQL.
//!
//! What few values have (type, command, kind of actor, outcome) is one number per event, its facet:
//! each index that finds an actor, a person, an NPI or an organisation holds it too, so two filters
//! that have much each and nothing in common need no look at rows. Times are positions, since
//! neither runs backwards.
//!
//! Invariant: what the viewer may see is demanded beside the filter, so no filter shows more.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use rollcall_domain::{kernel::ActorKind, permissions::right_use::RightKind};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    Audience, Outcome, Sight, chain, facets, rights,
    terms::{Terms, at_once},
    text::{self, Meaning},
};
use crate::Snapshot;

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
    /// The network that the request came from, of one address or more; only what
    /// [`Sight::of_addresses`] has is found by it.
    pub client_address: Option<IpNet>,
    /// Known then: nothing after this position.
    pub up_to: Option<i64>,
}

/// What a filter comes to in the tenant of a view.
pub(super) struct Search<'a> {
    tenant: Uuid,
    filter: &'a Filter,
    words: Vec<Meaning>,
    /// What events may be of; `None`: anything.
    pub facets: Option<Vec<i64>>,
    /// The types of events with these; `None`: any.
    types: Option<Vec<String>>,
    /// Positions from which on and before which.
    from: Option<i64>,
    before: Option<i64>,
}

/// By which of an event's two organisations it is found.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Either,
    /// Acted for.
    Acting,
    /// Acted on.
    Concerned,
}

/// How facets are demanded.
#[derive(Clone, Copy)]
pub(super) enum By {
    /// Any of them, by whatever index.
    Any,
    /// Any of them, and not by their index: something else finds fewer.
    Aside,
    /// The one that the query calls `f.facet`.
    Each,
    /// As [`By::Aside`], of events that have the [`Search::terms`].
    Found,
}

impl<'a> Search<'a> {
    pub async fn of(view: &mut Snapshot, filter: &'a Filter) -> Result<Self, sqlx::Error> {
        let words = text::meanings(view, &filter.words).await?;
        let (facets, types) =
            facets::wanted(view, filter).await?.map(|it| it.into_iter().unzip()).unzip();
        let (mut from, mut before) = (None, None);
        if filter.from.is_some() || filter.to.is_some() {
            (from, before) = sqlx::query_as(
                "SELECT CASE WHEN $2 IS NOT NULL THEN coalesce((
                          SELECT position FROM read.audit_timeline
                           WHERE tenant_id = $1 AND recorded_at >= $2
                           ORDER BY recorded_at LIMIT 1), 9223372036854775807) END,
                        (SELECT position FROM read.audit_timeline
                          WHERE tenant_id = $1 AND recorded_at >= $3 ORDER BY recorded_at LIMIT 1)",
            )
            .bind(view.tenant().0)
            .bind(filter.from)
            .bind(filter.to)
            .fetch_one(view.connection())
            .await?;
        }
        let tenant = view.tenant().0;
        Ok(Self { tenant, filter, words, facets, types, from, before })
    }

    /// Whether it is somebody's or something's events alone.
    pub fn is_of_one(&self) -> bool {
        let Filter { actor, subject, npi, organization, .. } = self.filter;
        let Filter { correlation, causation, session, .. } = self.filter;
        let ids = [actor, subject, organization, correlation, causation, session];
        npi.is_some()
            || self.filter.client_address.is_some()
            || ids.into_iter().any(Option::is_some)
    }

    pub fn is_of_an_organization(&self) -> bool {
        self.filter.organization.is_some()
    }

    /// Adds, after `WHERE t.tenant_id = `, the tenant and what sight and filter demand of `t`.
    pub fn demand(
        &self,
        query: &mut QueryBuilder<'_, Postgres>,
        (tenant, sight): (Uuid, &Sight),
        (side, by): (Side, By),
    ) {
        let filter = self.filter;
        query.push_bind(tenant);
        if sight.whole.len() < Audience::ALL.len() {
            see(query, sight);
        }
        equal(query, "t.actor_id", filter.actor);
        equal(query, "t.subject_id", filter.subject);
        equal(query, "t.correlation_id", filter.correlation);
        equal(query, "t.causation_id", filter.causation);
        equal(query, "t.session_id", filter.session);
        if let Some(npi) = &filter.npi {
            query.push(" AND t.npi = ").push_bind(npi.clone());
        }
        if let Some(network) = filter.client_address {
            // Not `<<=`, which row-level security keeps from the index.
            query.push(" AND t.client_address >= ");
            query.push_bind(network.network().to_string()).push("::inet");
            query.push(" AND t.client_address <= ");
            query.push_bind(network.broadcast().to_string()).push("::inet");
            see(query, &sight.of_addresses());
        }
        match side {
            Side::Acting => equal(query, "t.organization_id", filter.organization),
            Side::Concerned => equal(query, "t.subject_organization_id", filter.organization),
            Side::Either => {
                if let Some(organization) = filter.organization {
                    query.push(" AND (t.organization_id = ").push_bind(organization);
                    query.push(" OR t.subject_organization_id = ");
                    query.push_bind(organization).push(")");
                }
            }
        }
        if let Some(facets) = &self.facets {
            match by {
                By::Any => query.push(" AND t.facet = ANY (").push_bind(facets.clone()).push(")"),
                By::Aside | By::Found => {
                    query.push(" AND t.facet + 0 = ANY (").push_bind(facets.clone()).push(")")
                }
                By::Each => query.push(" AND t.facet = f.facet"),
            };
        }
        if let Some(from) = self.from {
            query.push(" AND t.position >= ").push_bind(from);
        }
        if let Some(before) = self.before {
            query.push(" AND t.position < ").push_bind(before);
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
        let is_found = matches!(by, By::Found);
        for word in self.words.iter().filter(|word| !is_found || !word.is_exact()) {
            word.demand(query);
        }
    }

    /// What the index of terms is asked, each a `tsquery`; `None` where something else finds fewer, or
    /// the filter asks for nothing that it has. All else is demanded of what it finds.
    pub fn terms(&self, sight: &Sight) -> Option<Vec<String>> {
        let filter = self.filter;
        let Filter { correlation, causation, session, causes_of, consequences_of, .. } = filter;
        let few = [correlation, causation, session, causes_of, consequences_of];
        let is_of_few = few.into_iter().any(Option::is_some) || filter.client_address.is_some();
        let is_of_busy = filter.organization.is_some() && self.facets.is_some();
        if is_of_few || !(self.words.iter().any(Meaning::is_listed) || is_of_busy) {
            return None;
        }
        let terms = Terms(self.tenant);
        let types = self.types_of_all();
        let around = [filter.actor, filter.subject, filter.organization];
        let lists = [
            types.as_ref().map(|types| {
                terms.any_of('=', types.iter().copied()).unwrap_or_else(|| terms.nothing())
            }),
            terms.any_of('!', filter.command.as_deref()),
            terms.any_of('%', filter.actor_kind.map(|kind| kind.as_str())),
            terms.any_of('?', filter.outcome.map(|outcome| outcome.as_str())),
            filter.npi.as_deref().map(|npi| terms.plain(npi)),
            terms.of_sight(sight),
        ];
        let ids = around.into_iter().flatten().map(|id| terms.around([id]));
        let words = self.words.iter().filter_map(|word| word.terms(terms, types.as_ref()));
        Some(at_once(lists.into_iter().flatten().chain(ids).chain(words).collect()))
    }

    /// The types of which an event can be that has every word; `None`: any.
    fn types_of_all(&self) -> Option<BTreeSet<&str>> {
        let of_filter = self.types.as_ref().map(|types| types.iter().map(String::as_str).collect());
        let each = self.words.iter().filter_map(Meaning::types);
        of_filter.into_iter().chain(each).reduce(|some, others: BTreeSet<&str>| &some & &others)
    }

    /// From which position on and before which one it may be.
    pub fn range(&self, head: i64) -> (i64, i64) {
        let ends = [self.before, self.filter.up_to.map(|last| last.saturating_add(1))];
        let end = ends.into_iter().flatten().fold(head.saturating_add(1), i64::min);
        (self.from.unwrap_or(1).max(1), end)
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
