//! `myTasks`: what waits for somebody, whatever it is.
//!
//! Invariant: each kind is asked once, by the list it stands in, and bounded; nothing is a task for whoever
//! may not do it.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime as Instant, TimeDelta, Utc};
use rollcall_commands::{Access, Commands};
use rollcall_domain::{
    api_keys::Scope,
    audit::ActivityReviews,
    kernel::ids::{OrganizationId, UserId},
};
use rollcall_projections::{
    Snapshot,
    access_requests::{self, RequestFilter, RequestStatus, Seen},
    access_reviews::{
        Confirmer, Reviewer, StandsIn, WaitingReview, asking_reviews, ending_grants,
        reviews_to_confirm, stands_in, waiting_reviews,
    },
    affiliations::{self, AffiliationFilter, Viewpoint},
    audit_timeline::Viewer,
    people::full_name,
};
use uuid::Uuid;

use crate::graphql::{
    audit::{OrganizationReference, PersonReference, viewer},
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::{policy, read_if_permitted},
    scalars::{DateTime, Position},
};

/// The most tasks of one kind.
const MOST: i64 = 100;
/// Grants that end so many days from now are told of.
const ENDING_DAYS: i64 = 30;

/// What is to be done.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum TaskKind {
    /// Decide about people on the list of a review of access, or sign it (CC-13).
    AccessReview,
    /// Decide about items of a review that were delegated to one, or in the place of somebody who is away
    /// (GN-15).
    DelegatedReviewItems,
    /// Confirm what others decided in a review, as second reviewer (GN-15).
    SecondReview,
    /// Say of one's own access in a review whether it is needed still (GN-15).
    SelfAttestation,
    /// Decide a request for access (CC-11, AL-08).
    AccessRequest,
    /// Decide a request for an affiliation (MC-59).
    Affiliation,
    /// Review what happened in the portal (GN-34).
    ActivityReview,
    /// Grants of somebody end within thirty days (GN-13).
    EndingGrant,
}

/// Something that waits for the reader.
#[derive(Clone, Debug, SimpleObject)]
pub struct Task {
    pub kind: TaskKind,
    /// The object it is about: the access review, the request, the affiliation, or the person whose grants
    /// end; absent for reviews of activity, of which `activityReviewStatus` tells.
    pub target_id: Option<ID>,
    /// Whose it is, which of a review of the plan's own people is the plan itself; of an affiliation, who asks for it.
    pub organization: Option<OrganizationReference>,
    /// Whom it is about, where it is one person.
    pub user: Option<PersonReference>,
    /// Since when it waits.
    pub since: DateTime,
    /// When it is late, or over without the reader.
    pub due_at: DateTime,
    /// How many items or grants; for reviews of access those that the reader may decide, 0 where it waits
    /// to be signed.
    pub count: i32,
}

connection!(TaskConnection, TaskEdge, Task);

/// The order of the list: when it is due, since when it waits, kind and object.
type Key = (i64, i64, u8, Uuid);

struct Found {
    key: Key,
    task: Task,
}

/// A task before it is shown.
struct Plain {
    kind: TaskKind,
    id: Option<(NodeType, Uuid)>,
    organization: Option<(Uuid, Option<String>)>,
    since: Instant<Utc>,
    due_at: Instant<Utc>,
    count: i64,
}

impl Plain {
    fn about(self, user: Option<PersonReference>) -> Found {
        let Self { kind, id, organization, since, due_at, count } = self;
        let of = id.map_or(Uuid::nil(), |(_, id)| id);
        Found {
            key: (due_at.timestamp_micros(), since.timestamp_micros(), kind as u8, of),
            task: Task {
                kind,
                target_id: id.map(|(of_type, id)| of_type.id(id)),
                organization: organization.map(|(id, name)| OrganizationReference::new(id, name)),
                user,
                since: since.into(),
                due_at: due_at.into(),
                count: i32::try_from(count).unwrap_or(i32::MAX),
            },
        }
    }
}

/// What waits for the reader.
#[derive(Default)]
pub struct TaskQuery;

#[Object]
impl TaskQuery {
    /// Everything that waits for the reader, what is due first first: reviews of access and items delegated,
    /// requests and affiliations to decide, reviews of activity, and grants that end within thirty days.
    /// Administrators see their organisation's, the plan's people what waits for the plan, others their own.
    /// Of each kind the hundred most urgent.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn my_tasks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<TaskConnection> {
        let page: Page<Key> = Page::new(first, after).map_err(top_level)?;
        let mut found = found(ctx, min_position).await?;
        found.retain(|it| page.after.is_none_or(|after| it.key > after));
        found.sort_by_key(|it| it.key);
        let rows = found.into_iter().take(usize::try_from(page.first + 1).unwrap_or(0));
        let rows = rows.map(|it| (it.key, it.task)).collect();
        Ok(TaskConnection::of(&page, Rows { rows, total: None }))
    }
}

async fn found(ctx: &Context<'_>, min_position: Option<Position>) -> Result<Vec<Found>> {
    let (looking, mut reading) =
        viewer::reading(ctx, None, Scope::ReadAccess, min_position).await?;
    let now = ctx.data::<Commands>()?.journal.now();
    let view = &mut reading.view;
    let mut found = Vec::new();
    match looking.viewer {
        Viewer::Auditor => {}
        Viewer::PlanAdministrator | Viewer::RecordsOfficer | Viewer::PlanSupport => {
            let user = reading.authority.person().map_err(top_level)?;
            let within = looking.within.clone();
            let confirmer = (Confirmer::Plan(within.clone()), user);
            found.extend(confirming(view, confirmer).await?);
            let reviewer = (Reviewer::Plan(within.clone()), user, StandsIn::default());
            found.extend(reviews(view, reviewer, TaskKind::AccessReview).await?);
            // The plan's own people are its administrators' to review.
            if matches!(looking.viewer, Viewer::PlanSupport) {
                let plan = NodeType::Organization.id(view.tenant().plan_itself().0);
                found.retain(|it| it.task.organization.as_ref().is_none_or(|of| of.id != plan));
            }
            let seen = Seen::Plan(within);
            found.extend(requests(view, (seen, RequestStatus::Routed), user, now).await?);
        }
        Viewer::OrgAdmin { organization, user } => {
            found.extend(asked(view, (organization, user)).await?);
            let confirmer = (Confirmer::Administrator(organization), user);
            found.extend(confirming(view, confirmer).await?);
            let away = away(view, (organization, user), now).await?;
            let reviewer = (Reviewer::Administrator(organization), user, away);
            found.extend(reviews(view, reviewer, TaskKind::AccessReview).await?);
            let seen = Seen::Organization(organization);
            found.extend(requests(view, (seen, RequestStatus::Open), user, now).await?);
            found.extend(to_affiliate(view, organization, now).await?);
            found.extend(ending(view, (organization, None), now).await?);
        }
        // Nobody waits for a machine.
        Viewer::OrganizationKey(_) => {}
        Viewer::Person(user) => {
            drop(reading);
            return of_member(ctx, user, now).await;
        }
    }
    drop(reading);
    let reviews_activity = matches!(
        looking.viewer,
        Viewer::Auditor | Viewer::PlanAdministrator | Viewer::RecordsOfficer
    ) && looking.within.is_none();
    if reviews_activity {
        found.extend(activity(ctx, now).await?);
    }
    Ok(found)
}

/// What waits for a member who does not administer: of the organisation the session acts for.
async fn of_member(ctx: &Context<'_>, user: UserId, now: Instant<Utc>) -> Result<Vec<Found>> {
    let Some(own) = viewer::caller(ctx)?.organization() else { return Ok(Vec::new()) };
    let Some(mut reading) = read_if_permitted(ctx, Access::Member(own)).await? else {
        return Ok(Vec::new());
    };
    let view = &mut reading.view;
    let away = away(view, (own, user), now).await?;
    let delegated = (Reviewer::Delegate(own), user, away);
    let mut found = reviews(view, delegated, TaskKind::DelegatedReviewItems).await?;
    found.extend(asked(view, (own, user)).await?);
    found.extend(ending(view, (own, Some(user)), now).await?);
    Ok(found)
}

/// In whose place somebody reviews; an administrator what is not delegated in nobody's.
async fn away(
    view: &mut Snapshot,
    of: (OrganizationId, UserId),
    now: Instant<Utc>,
) -> Result<StandsIn> {
    stands_in(view, of, now).await.map_err(|error| fault(&error))
}

async fn reviews(
    view: &mut Snapshot,
    reviewer: (Reviewer, UserId, StandsIn),
    kind: TaskKind,
) -> Result<Vec<Found>> {
    let waiting = waiting_reviews(view, reviewer, MOST).await.map_err(|error| fault(&error))?;
    Ok(as_tasks(waiting, kind))
}

/// Reviews in which somebody confirms what others decided.
async fn confirming(view: &mut Snapshot, confirmer: (Confirmer, UserId)) -> Result<Vec<Found>> {
    let waiting = reviews_to_confirm(view, confirmer, MOST).await.map_err(|error| fault(&error))?;
    Ok(as_tasks(waiting, TaskKind::SecondReview))
}

/// Reviews that ask somebody about their own access.
async fn asked(view: &mut Snapshot, of: (OrganizationId, UserId)) -> Result<Vec<Found>> {
    let asking = asking_reviews(view, of, MOST).await.map_err(|error| fault(&error))?;
    Ok(as_tasks(asking, TaskKind::SelfAttestation))
}

fn as_tasks(reviews: Vec<WaitingReview>, kind: TaskKind) -> Vec<Found> {
    let found = reviews.into_iter().map(|review| {
        let plain = Plain {
            kind,
            id: Some((NodeType::AccessReview, review.review_id)),
            organization: Some((review.organization_id, review.organization_name)),
            since: review.opened_at,
            due_at: review.due_at,
            count: review.items,
        };
        plain.about(None)
    });
    found.collect()
}

async fn requests(
    view: &mut Snapshot,
    (seen, status): (Seen, RequestStatus),
    user: UserId,
    now: Instant<Utc>,
) -> Result<Vec<Found>> {
    let filter = RequestFilter {
        seen,
        status: Some(status),
        kind: None,
        not_of: Some(user),
        before: None,
        oldest_first: true,
    };
    let found = access_requests::access_requests(view, filter, (MOST, None), now).await;
    let found = found.map_err(|error| fault(&error))?.into_iter().map(|request| {
        let name = full_name(request.first_name.as_deref(), request.last_name.as_deref());
        let plain = Plain {
            kind: TaskKind::AccessRequest,
            id: Some((NodeType::AccessRequest, request.row.request_id)),
            organization: Some((request.row.organization_id, request.organization_name)),
            since: request.row.routed_at.unwrap_or(request.row.requested_at),
            due_at: request.row.expires_at,
            count: 1,
        };
        plain.about(request.row.user_id.map(|user| PersonReference::new(user, name)))
    });
    Ok(found.collect())
}

async fn to_affiliate(
    view: &mut Snapshot,
    organization: OrganizationId,
    now: Instant<Utc>,
) -> Result<Vec<Found>> {
    let party = AffiliationFilter::all(Viewpoint::Party(organization));
    let filter = AffiliationFilter { to_decide: true, ..party };
    let found = affiliations::affiliations(view, &filter, (MOST, None), now).await;
    let found = found.map_err(|error| fault(&error))?.into_iter().map(|it| {
        let asks_submitter = it.row.initiator_id == it.row.submitter_id;
        let name = if asks_submitter { it.submitter_name } else { it.provider_name };
        let plain = Plain {
            kind: TaskKind::Affiliation,
            id: Some((NodeType::Affiliation, it.row.affiliation_id)),
            organization: Some((it.row.initiator_id, Some(name))),
            since: it.row.requested_at,
            due_at: it.row.expires_at,
            count: 1,
        };
        plain.about(None)
    });
    Ok(found.collect())
}

async fn ending(
    view: &mut Snapshot,
    (organization, user): (OrganizationId, Option<UserId>),
    now: Instant<Utc>,
) -> Result<Vec<Found>> {
    let until = now + TimeDelta::days(ENDING_DAYS);
    let found = ending_grants(view, (organization, user), (now, until), MOST).await;
    let found = found.map_err(|error| fault(&error))?.into_iter().map(|grant| {
        let name = full_name(grant.first_name.as_deref(), grant.last_name.as_deref());
        let plain = Plain {
            kind: TaskKind::EndingGrant,
            id: Some((NodeType::User, grant.user_id)),
            organization: None,
            since: grant.since,
            due_at: grant.ends_at,
            count: grant.grants,
        };
        plain.about(Some(PersonReference::new(grant.user_id, name)))
    });
    Ok(found.collect())
}

/// What is overdue or due next; of a period that is not over there is nothing to do yet.
async fn activity(ctx: &Context<'_>, now: Instant<Utc>) -> Result<Option<Found>> {
    let (commands, tenant) = (ctx.data::<Commands>()?, viewer::caller(ctx)?.tenant);
    let stream = tenant.activity_reviews_stream();
    let loaded = commands.journal.load_fresh::<ActivityReviews>(tenant, stream).await;
    let state = loaded.map_err(|error| fault(&error))?.state;
    let began = commands.journal.records_begin(tenant).await.map_err(|error| fault(&error))?;
    let (overdue, next) = state.due(&*policy(ctx).await?, (began.unwrap_or(now), now));
    let due = overdue.or(next).filter(|due| due.period.to <= now);
    Ok(due.map(|due| {
        let plain = Plain {
            kind: TaskKind::ActivityReview,
            id: None,
            organization: None,
            since: due.period.to,
            due_at: due.due_at,
            count: i64::from(due.periods),
        };
        plain.about(None)
    }))
}
