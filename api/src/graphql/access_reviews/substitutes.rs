//! `nameReviewSubstitute`, `endReviewSubstitution`, `reviewSubstitutes` (GN-15).

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Commands,
    access_reviews::{EndReviewSubstitution, NameReviewSubstitute, REVIEW_STAFF},
};
use rollcall_domain::{Refusal, kernel::ids::OrganizationId, organizations::OrgRole};
use rollcall_projections::{access_register, access_reviews::substitutes};

use crate::graphql::{
    audit::PersonReference,
    errors::{fault, top_level},
    ids::NodeType,
    reading::read_if_permitted,
    scalars::DateTime,
    sending::{MutationMeta, payload, send},
};

/// The most that are listed.
const MOST: i64 = 100;

/// Somebody who is away for a time, and who reviews in their place.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewSubstitute {
    pub user: PersonReference,
    pub substitute: PersonReference,
    pub from: DateTime,
    pub until: DateTime,
}

fn organization(id: &ID) -> std::result::Result<OrganizationId, Refusal> {
    NodeType::Organization.parse(id, "organizationId")
}

/// Questions about who reviews in whose place.
#[derive(Default)]
pub struct ReviewSubstituteQuery;

#[Object]
impl ReviewSubstituteQuery {
    /// Who is or will be away and who reviews in their place, whoever is back first first (GN-15): all of the
    /// organization for its administrators and plan staff, others where it is they; at most a hundred.
    /// Null for whom the organization is not there.
    async fn review_substitutes(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
    ) -> Result<Option<Vec<ReviewSubstitute>>> {
        let organization = organization(&organization_id).map_err(top_level)?;
        let right = Access::MemberOrPlan(organization, REVIEW_STAFF);
        let Some(mut reading) = read_if_permitted(ctx, right).await? else { return Ok(None) };
        let sees_all =
            reading.authority.acts_for_plan() || reading.authority.org_role == Some(OrgRole::Admin);
        let member = reading.authority.user.filter(|_| !sees_all);
        let (view, now) = (&mut reading.view, ctx.data::<Commands>()?.journal.now());
        let found = substitutes(view, (organization, member), now, MOST).await;
        let found = found.map_err(|error| fault(&error))?;
        let people = found.iter().flat_map(|it| [it.user_id, it.substitute_id]).collect();
        let names = access_register::names(view, people, [].into()).await;
        let names = names.map_err(|error| fault(&error))?;
        let person = |id| PersonReference::new(id, names.people.get(&id).cloned());
        let shown = found.into_iter().map(|it| ReviewSubstitute {
            user: person(it.user_id),
            substitute: person(it.substitute_id),
            from: it.from_at.into(),
            until: it.until_at.into(),
        });
        Ok(Some(shown.collect()))
    }
}

/// Somebody to review in the caller's place.
#[derive(Debug, InputObject)]
pub struct NameReviewSubstituteInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    /// An active member.
    substitute_id: ID,
    /// Now if not given.
    from: Option<DateTime>,
    /// At most 366 days later.
    until: DateTime,
}

impl NameReviewSubstituteInput {
    fn command(&self) -> std::result::Result<NameReviewSubstitute, Refusal> {
        Ok(NameReviewSubstitute {
            organization: organization(&self.organization_id)?,
            substitute: NodeType::User.parse(&self.substitute_id, "substituteId")?,
            from: self.from.as_ref().map(|from| from.parse("from")).transpose()?,
            until: self.until.parse("until")?,
        })
    }
}

/// Whoever was away is back.
#[derive(Debug, InputObject)]
pub struct EndReviewSubstitutionInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
}

payload! {
    /// Whether somebody reviews in the caller's place now or later.
    NameReviewSubstitutePayload { is_named: bool }
}

payload! {
    /// Whether that is over.
    EndReviewSubstitutionPayload { is_ended: bool }
}

/// Commands on who reviews in whose place.
#[derive(Default)]
pub struct ReviewSubstituteMutation;

#[Object]
impl ReviewSubstituteMutation {
    /// Has another active member review in the caller's place for a time (GN-15), for members: what is
    /// delegated to the caller then goes to the substitute, who decides what the caller may, in their place
    /// and with that on record. Nobody decides about themself this way nor about whom they stand in for; roles
    /// and whether administrators stay are left to administrators and the plan. Takes the place of a
    /// substitute named before. Refusals: NOT_A_MEMBER, FIELD_INVALID (oneself), RANGE_INVALID, NOT_FOUND.
    async fn name_review_substitute(
        &self,
        ctx: &Context<'_>,
        input: NameReviewSubstituteInput,
    ) -> Result<NameReviewSubstitutePayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let is_named = sent.output.map(|()| true);
        Ok(NameReviewSubstitutePayload::of(sent, is_named))
    }

    /// Ends that before its time (GN-15), for whoever was away. Refusals: NOT_PENDING (nobody reviews in the
    /// caller's place), NOT_FOUND.
    async fn end_review_substitution(
        &self,
        ctx: &Context<'_>,
        input: EndReviewSubstitutionInput,
    ) -> Result<EndReviewSubstitutionPayload> {
        let command = organization(&input.organization_id)
            .map(|organization| EndReviewSubstitution { organization });
        let sent = send(ctx, input.meta, command).await?;
        let is_ended = sent.output.map(|()| true);
        Ok(EndReviewSubstitutionPayload::of(sent, is_ended))
    }
}
