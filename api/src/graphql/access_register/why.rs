//! `accessExplanation`. Invariant: whoever asks is told why of just those rights that `accessRegister`
//! shows them.

use async_graphql::{Context, ID, Object, Result};
use rollcall_commands::Commands;
use rollcall_domain::{Code, Refusal};
use rollcall_projections::{
    Snapshot,
    access_register::{self, AskedRight, Explanation, Link, Moment, Question},
    access_reviews::{self, LastReview},
    audit_timeline::{self, Sight, Viewer},
};
use uuid::Uuid;

use super::{
    question::Asked,
    types::AccessRight,
    why_types::{
        AccessExplanation, AccessLastReview, AccessLink, AccessRequirement, AccessWay, Events, all,
        held_at,
    },
};
use crate::graphql::{
    audit::{AuditEvent, OrganizationReference, PersonReference, viewer::Looking},
    errors::{fault, top_level},
    scalars::{DateTime, NpiScalar, Position},
};

/// Why somebody may do something.
#[derive(Default)]
pub struct AccessExplanationQuery;

#[Object]
impl AccessExplanationQuery {
    /// Why a person has a right, or why not (GN-13, GN-14): each condition and each way to it, since
    /// when it is so and by which event, and the way back to the request, approval, invitation, import,
    /// affiliation or job role it came of; now, true at a moment (`asOf`) or known at a place of the
    /// journal (`asOfPosition`). Before the tenant's records begin it answers BEFORE_RECORDS.
    async fn access_explanation(
        &self,
        ctx: &Context<'_>,
        user_id: ID,
        #[graphql(
            desc = "Where; may be left out for roles of the whole plan and by administrators of one."
        )]
        organization_id: Option<ID>,
        right: AccessRight,
        #[graphql(desc = "Which NPI, for rights that are about one.")] npi: Option<NpiScalar>,
        #[graphql(
            desc = "What it is a right to: a type of correspondence (`*` for all), a feature, a plan \
                    role, or the id of a job role, location or tax id."
        )]
        of: Option<String>,
        #[graphql(desc = "True then.")] as_of: Option<DateTime>,
        #[graphql(desc = "Known then.")] as_of_position: Option<Position>,
        #[graphql(desc = "Read your writes: wait for the position a mutation answered.")]
        min_position: Option<Position>,
    ) -> Result<AccessExplanation> {
        let organization = organization_id.as_ref();
        let asked =
            Asked::parse(as_of, as_of_position, npi, Some(&user_id), organization, Some(right))
                .map_err(top_level)?;
        let which = AskedRight::parse(right.into(), asked.npi.as_ref(), of.as_deref())
            .map_err(top_level)?;
        let (looking, mut reading) = asked.reading(ctx, min_position).await?;
        let view = &mut reading.view;
        let now = ctx.data::<Commands>()?.journal.now();
        let moment = asked.moment(view, now).await?;
        let question = asked.within(&looking).map_err(top_level)?;
        let place = place(view, &question, right, &looking).await?;
        let explanation = access_register::explain(view, moment, &which, place).await;
        let explanation = explanation.map_err(|error| fault(&error))?;
        let trail = if explanation.held {
            access_register::trail(view, &explanation.grants(), moment.known_at)
                .await
                .map_err(|error| fault(&error))?
        } else {
            Vec::new()
        };
        let (version, by) =
            access_register::policy_in_force(view, moment).await.map_err(|error| fault(&error))?;
        let (user, organization) = place;
        let last_review = last_review(view, moment, place).await?;
        let mut positions = positions(&explanation, &trail, by);
        positions.extend(last_review.as_ref().map(|last| last.position));
        let events = events(view, &looking.sight, positions).await?;
        let reviewer = last_review.as_ref().map(|last| last.decided_by);
        let people = reviewer.into_iter().chain([user]).collect();
        let names = access_register::names(view, people, organization.into_iter().collect()).await;
        let names = names.map_err(|error| fault(&error))?;
        let (as_of, as_of_position) = held_at(moment);
        let missing = if explanation.held { Vec::new() } else { explanation.missing() };
        Ok(AccessExplanation {
            user: PersonReference::new(user, names.people.get(&user).cloned()),
            organization: organization
                .map(|id| OrganizationReference::new(id, names.organizations.get(&id).cloned())),
            npi: which.npi().map(NpiScalar::from),
            right,
            of: which.word(),
            held: explanation.held,
            held_from: explanation.held_from.map(DateTime::from),
            held_until: explanation.held_until.map(DateTime::from),
            conditions: all(&explanation.conditions, &events),
            ways: explanation.ways.iter().map(|way| AccessWay::new(way, &events)).collect(),
            missing: missing.into_iter().map(|it| AccessRequirement::new(it, &events)).collect(),
            never_granted: !explanation.ever_granted,
            trail: trail.into_iter().map(|link| AccessLink::new(link, &events)).collect(),
            last_review: last_review.and_then(|it| AccessLastReview::new(&it, &events, &names)),
            policy_version: Position(version),
            policy_event: by.and_then(|position| events.get(&position).cloned()),
            as_of,
            as_of_position,
        })
    }
}

/// Whose right, and where; both must be known here, as far as the viewer may know of them. Whoever asks
/// about themself is told of organisations that they have or had to do with, and of no other.
async fn place(
    view: &mut Snapshot,
    question: &Question,
    right: AccessRight,
    looking: &Looking,
) -> Result<(Uuid, Option<Uuid>)> {
    let (Some(user), organization) = (question.user, question.organization) else {
        return Err(top_level(Refusal::not_found("userId")));
    };
    if organization.is_none() && right != AccessRight::PlanRole {
        let message = "Name the organization in which the right would be held.";
        return Err(top_level(Refusal::new(Code::FieldRequired, message).at("organizationId")));
    }
    let outside = |within: &[Uuid]| organization.is_none_or(|id| !within.contains(&id));
    if question.within.as_deref().is_some_and(outside) {
        return Err(top_level(Refusal::not_found("organizationId")));
    }
    let is_oneself = matches!(looking.viewer, Viewer::Person(_));
    let own = organization.filter(|_| is_oneself).map(|id| vec![id]);
    let within = own.or_else(|| looking.limits());
    let known = access_register::is_known(view, Some(user), organization, within.as_deref()).await;
    let (user_known, organization_known) = known.map_err(|error| fault(&error))?;
    if !organization_known || (is_oneself && organization.is_some() && !user_known) {
        return Err(top_level(Refusal::not_found("organizationId")));
    }
    if !user_known {
        return Err(top_level(Refusal::not_found("userId")));
    }
    Ok((user, organization))
}

/// The last review of a membership; roles of the whole plan are reviewed nowhere.
async fn last_review(
    view: &mut Snapshot,
    moment: Moment,
    (user, organization): (Uuid, Option<Uuid>),
) -> Result<Option<LastReview>> {
    let Some(organization) = organization else { return Ok(None) };
    let last = access_reviews::last_review(view, moment, (user, organization)).await;
    last.map_err(|error| fault(&error))
}

/// All events that an explanation names.
fn positions(explanation: &Explanation, trail: &[Link], policy: Option<i64>) -> Vec<i64> {
    let ways = explanation.ways.iter().flat_map(|way| &way.requirements);
    let findings = explanation.conditions.iter().chain(ways);
    let mut positions: Vec<i64> = findings.filter_map(|it| Some(it.by?.0)).collect();
    positions.extend(trail.iter().map(|link| link.position));
    positions.extend(policy);
    positions.sort_unstable();
    positions.dedup();
    positions
}

async fn events(view: &mut Snapshot, sight: &Sight, positions: Vec<i64>) -> Result<Events> {
    let told = audit_timeline::told_at(view, sight, &positions).await;
    let told = told.map_err(|error| fault(&error))?;
    Ok(told.into_iter().map(|entry| (entry.position, AuditEvent::from(entry))).collect())
}
