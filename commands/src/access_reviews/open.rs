//! `OpenReview`: a review beside the schedule (CC-13, GN-15).
//!
//! Invariant: the list is the roster, what its people were granted, its machines' keys, or the plan's own roles, as
//! the append finds it; of one organisation and choice at most one review is open.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    Code, Refusal,
    access_reviews::{
        AccessReview, AccessReviewCommand, Changes, Listing, NewReview, Opener, ReviewScope,
        Reviewed, ReviewedAccess, Split,
    },
    kernel::ids::{AccessReviewId, CampaignId, OrganizationId, UserId},
    organizations::{
        OrgRole, Organization,
        organization::{Member, Standing},
    },
    policies::SecondReviewer,
    users::credential::Credential,
};
use uuid::Uuid;

use super::{
    OPEN, REVIEW_STAFF,
    delta::{check_changed_only, split},
    keys::keys_of,
    open_key,
    plan_staff::{check_whose, is_plans, roles},
    rights::rights_of,
    scope::check_scope,
};
use crate::{Access, Command, Context, Failure};

/// The longest time without a sign-in that may be asked for, in days.
const MOST_DAYS: u32 = 3_650;

/// Opens a review of an organisation's people, or of what they may do; or of the plan's own.
pub struct OpenReview {
    /// Of the plan's own people, the plan itself.
    pub organization: OrganizationId,
    pub scope: ReviewScope,
    /// Whether only what changed since the last signed review of the same is to be decided.
    pub changed_only: bool,
    /// Whether people are asked to say of their own access whether they need it still; `None`: as the policy
    /// has it.
    pub asks_for_attestation: Option<bool>,
    /// Who has to confirm what is decided; `None`: as the policy has it.
    pub second_reviewer: Option<SecondReviewer>,
}

#[async_trait]
impl Command for OpenReview {
    const NAME: &'static str = "OpenReview";
    type Output = AccessReviewId;

    fn access(&self) -> Access {
        Access::OrgAdminOrPlan(self.organization, REVIEW_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<AccessReviewId, Failure> {
        let Self { organization, ref scope, changed_only, .. } = *self;
        check_days(scope)?;
        check_changed_only(scope, changed_only)?;
        check_whose(cx, organization, scope)?;
        let (asks, second) = (self.asks(scope)?, self.second_reviewer);
        let is_plans = is_plans(cx, organization);
        if !is_plans && cx.load::<Organization>(organization).await?.record().is_none() {
            return Err(Refusal::not_found("organizationId").into());
        }
        check_scope(cx, organization, scope).await?;
        let review = AccessReviewId(Uuid::now_v7());
        if let Some(other) = open_one(cx, organization, scope).await? {
            return Err(open_already().details([other.to_string()]).into());
        }
        let opened_by = Opener::ByHand { user: cx.person()? };
        let list = reviewed(cx, organization, scope).await?;
        let list = split(cx, (organization, scope), list, changed_only).await?;
        open(cx, (review, opened_by), (organization, scope.clone()), list, (asks, second)).await?;
        cx.work.reserve(OPEN, &open_key(organization, scope), review.0, open_already());
        Ok(review)
    }
}

impl OpenReview {
    /// The plan's people are no members, who say of their own access whether they need it.
    fn asks(&self, scope: &ReviewScope) -> Result<Option<bool>, Refusal> {
        let asks = self.asks_for_attestation;
        match scope.listing() {
            Listing::PlanRoles if asks == Some(true) => {
                let message = "The plan's people are not asked about their own roles. Leave \
                               selfAttestation out.";
                Err(Refusal::new(Code::FieldInvalid, message).at("selfAttestation"))
            }
            Listing::PlanRoles => Ok(Some(false)),
            Listing::Members | Listing::Keys => Ok(asks),
        }
    }
}

/// Whether the choice can be made.
///
/// # Errors
/// `RANGE_INVALID`.
pub(super) fn check_days(scope: &ReviewScope) -> Result<(), Refusal> {
    if let ReviewScope::Dormant { days } = scope
        && !(1..=MOST_DAYS).contains(days)
    {
        let message = format!("Enter 1 to {MOST_DAYS} days.");
        return Err(Refusal::new(Code::RangeInvalid, message).at("dormantDays"));
    }
    Ok(())
}

fn open_already() -> Refusal {
    let message = "A review of the same is open already. Finish it, or cancel it first.";
    Refusal::new(Code::DuplicateRequest, message)
}

/// The open review of the same people, or of the same rights.
pub(super) async fn open_one(
    cx: &Context<'_>,
    organization: OrganizationId,
    scope: &ReviewScope,
) -> Result<Option<AccessReviewId>, Failure> {
    let key = open_key(organization, scope);
    let owner = cx.journal().owner_of(cx.tenant(), OPEN, &key).await?;
    Ok(owner.map(AccessReviewId))
}

/// Who or what is to be reviewed, in the order of a list.
pub(super) async fn reviewed(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    scope: &ReviewScope,
) -> Result<Vec<Reviewed>, Failure> {
    let roster = cx.load::<Organization>(organization).await?;
    let now = cx.now;
    let active = roster.members().filter(|(_, member)| member.is_active(now));
    let of = |(user, member): (UserId, &Member)| Reviewed {
        user,
        access: ReviewedAccess::Membership { role: member.role },
    };
    let chosen: Vec<(UserId, &Member)> = match scope {
        ReviewScope::Roster => active.collect(),
        ReviewScope::Administrators => {
            active.filter(|(_, member)| member.role == OrgRole::Admin).collect()
        }
        ReviewScope::Dormant { days } => {
            let since = cx.policy.time_zone().days_later(now, -i64::from(*days));
            dormant(cx, active.collect(), since).await?
        }
        ReviewScope::Rights
        | ReviewScope::Npi { .. }
        | ReviewScope::Feature { .. }
        | ReviewScope::JobRole { .. }
        | ReviewScope::Location { .. }
        | ReviewScope::Affiliations { .. } => {
            return rights_of(cx, organization, scope, active.map(|(user, _)| user)).await;
        }
        ReviewScope::People { users } => {
            let chosen: Vec<_> = active.filter(|(user, _)| users.contains(user)).collect();
            let people: Vec<UserId> = chosen.iter().map(|(user, _)| *user).collect();
            let rights = rights_of(cx, organization, scope, people.into_iter()).await?;
            let mut all: Vec<_> = chosen.into_iter().map(of).chain(rights).collect();
            all.sort_unstable();
            return Ok(all);
        }
        ReviewScope::ApiKeys => return keys_of(cx, organization).await,
        ReviewScope::PlanStaff => return roles(cx).await,
    };
    Ok(chosen.into_iter().map(of).collect())
}

/// Who became a member before then and has not signed in since. Not guarded: a sign-in at that moment
/// takes nothing from what the reviewer decides.
async fn dormant<'a>(
    cx: &Context<'_>,
    active: Vec<(UserId, &'a Member)>,
    since: DateTime<Utc>,
) -> Result<Vec<(UserId, &'a Member)>, Failure> {
    let tenant = cx.tenant();
    let streams: Vec<Uuid> =
        active.iter().map(|(user, _)| tenant.credential_stream(*user)).collect();
    let accounts = cx.journal().load_all::<Credential>(tenant, &streams).await?;
    let is_dormant = |(user, member): &(UserId, &Member)| {
        let account = accounts.get(&tenant.credential_stream(*user));
        let seen = member.active_since.max(account.and_then(Credential::seen_at));
        member.standing == Standing::Active && seen.is_none_or(|seen| seen <= since)
    };
    Ok(active.into_iter().filter(is_dormant).collect())
}

/// How long a review lasts, and what it is a part of.
pub(super) struct Terms {
    /// As [`OpenReview::asks_for_attestation`].
    pub asks: Option<bool>,
    /// As [`OpenReview::second_reviewer`].
    pub second: Option<SecondReviewer>,
    pub campaign: Option<CampaignId>,
    pub due_at: DateTime<Utc>,
    pub grace_until: DateTime<Utc>,
}

/// Opens the review for as long as the policy has it, or finds that the schedule opened it before;
/// whether it was opened now.
pub(super) async fn open(
    cx: &mut Context<'_>,
    (review, opened_by): (AccessReviewId, Opener),
    (organization, scope): (OrganizationId, ReviewScope),
    list: (Split, Changes),
    (asks, second): (Option<bool>, Option<SecondReviewer>),
) -> Result<bool, Failure> {
    let (terms, zone) = (cx.policy.review(), cx.policy.time_zone());
    let due_at = zone.days_later(cx.now, i64::from(terms.open_days));
    let grace_until = zone.days_later(due_at, i64::from(terms.grace_days));
    let terms = Terms { asks, second, campaign: None, due_at, grace_until };
    open_until(cx, (review, opened_by), (organization, scope), list, terms).await
}

/// Opens the review until then; whether it was opened now.
pub(super) async fn open_until(
    cx: &mut Context<'_>,
    (review, opened_by): (AccessReviewId, Opener),
    (organization, scope): (OrganizationId, ReviewScope),
    (list, changes): (Split, Changes),
    Terms { asks, second, campaign, due_at, grace_until }: Terms,
) -> Result<bool, Failure> {
    let policy = cx.policy.review();
    let new = NewReview {
        review,
        organization,
        campaign,
        scope,
        as_of: cx.journal().tenant_position(cx.tenant()).await?,
        list,
        changes,
        opened_by,
        due_at,
        grace_until,
        revocations: policy.revocations,
        asks_for_attestation: asks.unwrap_or(policy.self_attestation),
        second_reviewer: second.unwrap_or(policy.second_reviewer),
    };
    let open = AccessReviewCommand::Open(Box::new(new));
    Ok(!cx.decide::<AccessReview>(review, open).await?.is_empty())
}
