//! `NameReviewSubstitute`, `EndReviewSubstitution`: who reviews in somebody's place while they are away (GN-15).
//!
//! Invariant: a substitute is an active member, and stands in only for who is one yet; what they may follows
//! from what that person may, each time they decide.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    access_reviews::{
        StandsInFor,
        substitutes::{ReviewSubstitutes, ReviewSubstitutesCommand},
    },
    kernel::ids::{OrganizationId, UserId},
    organizations::{OrgRole, Organization},
};

use crate::{Access, Command, Context, Failure};

/// Somebody reviews in the caller's place for a time.
pub struct NameReviewSubstitute {
    pub organization: OrganizationId,
    pub substitute: UserId,
    /// `None`: from now on.
    pub from: Option<DateTime<Utc>>,
    pub until: DateTime<Utc>,
}

/// The caller is back.
pub struct EndReviewSubstitution {
    pub organization: OrganizationId,
}

#[async_trait]
impl Command for NameReviewSubstitute {
    const NAME: &'static str = "NameReviewSubstitute";
    type Output = ();

    fn access(&self) -> Access {
        Access::Member(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let Self { organization, substitute, from, until } = *self;
        let roster = cx.load::<Organization>(organization).await?;
        if !roster.is_active_member(substitute, cx.now) {
            let message = "Choose an active member of the organization.";
            return Err(Refusal::new(Code::NotAMember, message).at("substituteId").into());
        }
        let stream = cx.tenant().review_substitutes_stream(organization);
        let name = ReviewSubstitutesCommand::Name { organization, substitute, from, until };
        cx.decide::<ReviewSubstitutes>(stream, name).await.map(drop)
    }
}

#[async_trait]
impl Command for EndReviewSubstitution {
    const NAME: &'static str = "EndReviewSubstitution";
    type Output = ();

    fn access(&self) -> Access {
        Access::Member(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let organization = self.organization;
        let stream = cx.tenant().review_substitutes_stream(organization);
        let end = ReviewSubstitutesCommand::End { organization };
        cx.decide::<ReviewSubstitutes>(stream, end).await.map(drop)
    }
}

/// In whose place the caller reviews now; plan staff and administrators need nobody's for what is not
/// delegated.
pub(super) async fn stands_in_for(
    cx: &mut Context<'_>,
    organization: OrganizationId,
) -> Result<Vec<StandsInFor>, Failure> {
    if cx.authority.acts_for_plan() {
        return Ok(Vec::new());
    }
    let (by, now) = (cx.person()?, cx.now);
    let stream = cx.tenant().review_substitutes_stream(organization);
    let substitutes = cx.load::<ReviewSubstitutes>(stream).await?;
    let roster = cx.load::<Organization>(organization).await?;
    let is_admin = |role| role == OrgRole::Admin;
    let needs_nobody = cx.authority.org_role.is_some_and(is_admin);
    let away = substitutes.stood_in_for(by, now).filter(|user| roster.is_active_member(*user, now));
    let stands_in = away.map(|user| StandsInFor {
        user,
        administers: !needs_nobody && is_admin(roster.role_of(user, now)),
    });
    Ok(stands_in.collect())
}

/// Who reviews in the person's place now, while they are an active member.
pub(super) async fn substitute_of(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    user: UserId,
) -> Result<Option<UserId>, Failure> {
    let stream = cx.tenant().review_substitutes_stream(organization);
    let substitutes = cx.load::<ReviewSubstitutes>(stream).await?;
    let roster = cx.load::<Organization>(organization).await?;
    let substitute = substitutes.substitute_of(user, cx.now);
    Ok(substitute.filter(|substitute| roster.is_active_member(*substitute, cx.now)))
}
