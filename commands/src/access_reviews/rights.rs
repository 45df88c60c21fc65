//! Single rights of members as a review's items: which there are, how one is taken away, lowered and
//! given back (CC-13, GN-15).
//!
//! Invariant: the permissions themselves decide, by the commands that do so outside of reviews; given
//! back is only what a review took last, as it was on the list and under the checks of a fresh grant.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rollcall_domain::{
    Code, Refusal,
    access_reviews::{
        Granted, Holding, Item, Review, ReviewDecision, ReviewScope, Reviewed, ReviewedAccess,
        Submissions, rights_in_scope,
    },
    affiliations::Affiliation,
    kernel::ids::{AffiliationId, MembershipId, OrganizationId, UserId},
    organizations::Organization,
    permissions::{
        Cause, CorrespondenceScope, Entitlement, EntitlementGrant, JobRole, JobRoles, Membership,
        MembershipCommand, NpiLevel, NpiScope, correspondence_types::offered_keys,
        membership::NpiChange,
    },
    policies::Feature,
    values::{Npi, Reason},
};
use uuid::Uuid;

use super::{
    keys::{self, works},
    plan_staff,
    submissions::{set_submission, submissions, submissions_under},
};
use crate::{
    Context, Failure,
    permissions::{
        grants::{give, take},
        locations::require_location_power,
        member::{Member, member},
    },
};

/// The rights in scope of these members, in the order of a list, from the streams that decide.
pub(super) async fn rights_of(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    scope: &ReviewScope,
    users: impl Iterator<Item = UserId>,
) -> Result<Vec<Reviewed>, Failure> {
    let users: Vec<UserId> = users.collect();
    let memberships = memberships(cx, organization, &users).await?;
    let job_roles = job_roles(cx, scope, memberships.values().map(AsRef::as_ref)).await?;
    let submissions = submissions_in(cx, organization, scope).await?;
    let (now, none) = (cx.now, Submissions::new());
    let of = |(user, membership): (&UserId, &Arc<Membership>)| {
        let submissions = submissions.get(user).unwrap_or(&none);
        let holding = Holding { membership, submissions, now };
        let granted = Granted { holding, job_roles: &job_roles };
        let user = *user;
        let rights = rights_in_scope(scope, granted).into_iter();
        rights.map(move |access| Reviewed { user, access }).collect::<Vec<_>>()
    };
    Ok(memberships.iter().flat_map(of).collect())
}

/// For which NPIs of providers people work, where the scope asks.
async fn submissions_in(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    scope: &ReviewScope,
) -> Result<BTreeMap<UserId, Submissions>, Failure> {
    match scope {
        ReviewScope::Rights | ReviewScope::Affiliations { .. } | ReviewScope::People { .. } => {
            submissions(cx, organization).await
        }
        ReviewScope::Roster
        | ReviewScope::Administrators
        | ReviewScope::Dormant { .. }
        | ReviewScope::Npi { .. }
        | ReviewScope::Feature { .. }
        | ReviewScope::JobRole { .. }
        | ReviewScope::Location { .. }
        | ReviewScope::ApiKeys
        | ReviewScope::PlanStaff => Ok(BTreeMap::new()),
    }
}

/// The permissions of these people in an organisation, each stream read once and guarded.
pub(super) async fn memberships(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    users: &[UserId],
) -> Result<BTreeMap<UserId, Arc<Membership>>, Failure> {
    let tenant = cx.tenant();
    let streams: Vec<Uuid> =
        users.iter().map(|user| MembershipId::of(tenant, *user, organization).0).collect();
    let found = cx.load_all::<Membership>(&streams).await?;
    Ok(users.iter().copied().zip(found).collect())
}

/// The job roles that people have, where the scope asks what they bundle.
async fn job_roles(
    cx: &mut Context<'_>,
    scope: &ReviewScope,
    memberships: impl Iterator<Item = &Membership>,
) -> Result<JobRoles, Failure> {
    if !matches!(scope, ReviewScope::Feature { .. }) {
        return Ok(JobRoles::new());
    }
    let roles: BTreeSet<_> = memberships.flat_map(|it| it.job_roles(cx.now)).collect();
    let streams: Vec<Uuid> = roles.iter().map(|role| role.0).collect();
    let found = cx.load_all::<JobRole>(&streams).await?;
    Ok(roles.into_iter().zip(found).collect())
}

/// What the person of an item holds in the place of its right; nothing where they left or it ended. A key
/// works whoever left, and who holds a role of the plan is no member.
pub(super) async fn held_by(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    item: &Item,
) -> Result<Option<ReviewedAccess>, Failure> {
    if let Some(key) = item.access.key() {
        return Ok(works(cx, key).await?.then(|| item.access.clone()));
    }
    if let Some(role) = item.access.plan_role() {
        return plan_staff::held(cx, item.user, role).await;
    }
    let roster = cx.load::<Organization>(organization).await?;
    if !roster.is_active_member(item.user, cx.now) {
        return Ok(None);
    }
    let stream = MembershipId::of(cx.tenant(), item.user, organization);
    let membership = cx.load::<Membership>(stream.0).await?;
    held_of(cx, (&item.access, item.user), &membership).await
}

/// What somebody holds in the place of a right, by their permissions and what stands beside them.
async fn held_of(
    cx: &mut Context<'_>,
    (access, user): (&ReviewedAccess, UserId),
    membership: &Membership,
) -> Result<Option<ReviewedAccess>, Failure> {
    let submissions = if let ReviewedAccess::Submission { affiliation, .. } = access {
        submissions_under(cx, *affiliation, user).await?
    } else {
        Submissions::new()
    };
    Ok(access.held_now(Holding { membership, submissions: &submissions, now: cx.now }))
}

/// A right on the list whose decision is carried out.
pub(super) struct Right<'a> {
    pub review: &'a Review,
    pub item: u32,
    pub user: UserId,
    pub listed: &'a ReviewedAccess,
    /// Why, where something is taken away.
    pub reason: Option<&'a Reason>,
}

/// That it is over, since then it was not this review that took it.
pub(super) fn over_already(item: u32) -> Refusal {
    let message =
        format!("The right of item {item} is over already. Nobody has to decide about it.");
    Refusal::new(Code::AlreadyInactive, message).at("items").details([item.to_string()])
}

impl Right<'_> {
    /// Takes back what the former decision did where the new one does otherwise, and does what the new
    /// one says.
    pub async fn follow(
        &self,
        cx: &mut Context<'_>,
        former: Option<ReviewDecision>,
        new: ReviewDecision,
    ) -> Result<(), Failure> {
        use ReviewDecision as D;
        if let Some(key) = self.listed.key() {
            return keys::follow(cx, (self, key), (former, new)).await;
        }
        if let Some(role) = self.listed.plan_role() {
            return plan_staff::follow(cx, (self, role), (former, new)).await;
        }
        match (former, new) {
            // Roles are of memberships.
            (Some(D::Change { .. }), _)
            | (_, D::Change { .. })
            | (None | Some(D::Keep), D::Keep) => Ok(()),
            (Some(D::Revoke { .. }), D::Keep) => self.give_back(cx).await,
            (Some(D::ChangeLevel { level }), D::Keep) => self.raise_back(cx, level).await,
            // For another reason alone.
            (Some(D::Revoke { .. }), D::Revoke { .. }) => Ok(()),
            (None | Some(D::Keep | D::ChangeLevel { .. }), D::Revoke { .. }) => {
                self.take_away(cx).await
            }
            (former, D::ChangeLevel { level }) => {
                if matches!(former, Some(D::Revoke { .. })) {
                    self.give_back(cx).await?;
                }
                self.lower(cx, level).await
            }
        }
    }

    /// The person with what they hold in the right's place; a refusal where it is over.
    async fn held(&self, cx: &mut Context<'_>) -> Result<(Member, ReviewedAccess), Failure> {
        let organization = self.review.organization;
        let roster = cx.load::<Organization>(organization).await?;
        if roster.is_active_member(self.user, cx.now) {
            let member = member(cx, organization, self.user, None).await?;
            let held = held_of(cx, (self.listed, self.user), &member.permissions).await?;
            if let Some(held) = held {
                return Ok((member, held));
            }
        }
        Err(over_already(self.item).into())
    }

    async fn take_away(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let (member, held) = self.held(cx).await?;
        match held {
            // The roster's, and those with streams of their own.
            ReviewedAccess::Membership { .. }
            | ReviewedAccess::ApiKey { .. }
            | ReviewedAccess::PlanRole { .. } => Ok(()),
            ReviewedAccess::Npi { npi, .. } => {
                set_level(cx, &member, NpiChange { npi, level: NpiLevel::None, until: None }).await
            }
            ReviewedAccess::Correspondence { npi, types } => {
                set_types(cx, &member, npi, (BTreeSet::new(), BTreeSet::from([types]))).await
            }
            ReviewedAccess::Submission { affiliation, npi } => {
                let of = (self.user, affiliation, &npi);
                set_submission(cx, self.review.organization, of, false).await
            }
            ReviewedAccess::Grant { grant, .. } => {
                require_power(cx, &grant)?;
                take(cx, &member, grant, Cause::Review).await.map(drop)
            }
        }
    }

    /// At most this level, until when it was.
    async fn lower(&self, cx: &mut Context<'_>, to: NpiLevel) -> Result<(), Failure> {
        let (member, held) = self.held(cx).await?;
        let ReviewedAccess::Npi { npi, level, until } = held else { return Ok(()) };
        if level <= to {
            return Ok(());
        }
        set_level(cx, &member, NpiChange { npi, level: to, until }).await
    }

    /// The level on the list, unless somebody else set the one that it has.
    async fn raise_back(&self, cx: &mut Context<'_>, lowered_to: NpiLevel) -> Result<(), Failure> {
        let ReviewedAccess::Npi { npi, level, until } = self.listed else { return Ok(()) };
        let organization = self.review.organization;
        let roster = cx.load::<Organization>(organization).await?;
        if !roster.is_active_member(self.user, cx.now) {
            return Ok(());
        }
        let member = member(cx, organization, self.user, None).await?;
        let held = held_of(cx, (self.listed, self.user), &member.permissions).await?;
        let history = cx.journal().events::<Membership>(cx.tenant(), member.stream).await?;
        if held.is_none() || !self.listed.was_lowered_by_review(lowered_to, &history) {
            return Ok(());
        }
        let (level, until) = (*level, *until);
        set_level(cx, &member, NpiChange { npi: npi.clone(), level, until }).await
    }

    /// The right as it was on the list, if a review took it last and its time is not over; with a level,
    /// the correspondence that went with it.
    async fn give_back(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let organization = self.review.organization;
        let roster = cx.load::<Organization>(organization).await?;
        let is_over = self.listed.until().is_some_and(|until| until <= cx.now);
        if is_over || !roster.is_active_member(self.user, cx.now) {
            return Ok(());
        }
        if let ReviewedAccess::Submission { affiliation, npi } = self.listed {
            return self.submit_again(cx, *affiliation, npi).await;
        }
        let member = member(cx, organization, self.user, None).await?;
        let history = cx.journal().events::<Membership>(cx.tenant(), member.stream).await?;
        if !self.listed.was_taken_by_review(&history) {
            return Ok(());
        }
        match self.listed {
            // The first is the roster's, the last two have streams of their own; the other was seen to above.
            ReviewedAccess::Membership { .. }
            | ReviewedAccess::Submission { .. }
            | ReviewedAccess::ApiKey { .. }
            | ReviewedAccess::PlanRole { .. } => Ok(()),
            ReviewedAccess::Npi { npi, level, until } => {
                let change = NpiChange { npi: npi.clone(), level: *level, until: *until };
                set_level(cx, &member, change).await?;
                for (npi, types) in self.listed.gone_with_it(&history) {
                    add_types(cx, &member, npi, types).await?;
                }
                Ok(())
            }
            ReviewedAccess::Correspondence { npi, types } => {
                add_types(cx, &member, npi.clone(), BTreeSet::from([types.clone()])).await
            }
            ReviewedAccess::Grant { grant, until } => {
                require_power(cx, grant)?;
                if matches!(grant, Entitlement::Location(_)) {
                    require_location_power(cx)?;
                }
                let grant = EntitlementGrant { entitlement: *grant, until: *until };
                give(cx, &member, vec![grant], Cause::Review).await.map(drop)
            }
        }
    }

    /// Lets them work for the NPI again, if a review took it last and the affiliation goes on.
    async fn submit_again(
        &self,
        cx: &mut Context<'_>,
        affiliation: AffiliationId,
        npi: &Npi,
    ) -> Result<(), Failure> {
        let history = cx.journal().events::<Affiliation>(cx.tenant(), affiliation.0).await?;
        let is_in_force = cx.load::<Affiliation>(affiliation).await?.in_force(cx.now).is_some();
        if !is_in_force || !self.listed.was_taken_from(self.user, &history) {
            return Ok(());
        }
        let of = (self.user, affiliation, npi);
        set_submission(cx, self.review.organization, of, true).await
    }
}

/// Tax ids are the plan's to give and to take (CC-02).
fn require_power(cx: &Context<'_>, grant: &Entitlement) -> Result<(), Refusal> {
    match grant {
        Entitlement::TaxId(_) if !cx.authority.acts_for_plan() => {
            let message = "The health plan decides about tax ids. Leave this item to it.";
            Err(Refusal::new(Code::Forbidden, message).at("items"))
        }
        Entitlement::TaxId(_)
        | Entitlement::Feature(_)
        | Entitlement::JobRole(_)
        | Entitlement::Location(_) => Ok(()),
    }
}

async fn set_level(
    cx: &mut Context<'_>,
    member: &Member,
    change: NpiChange,
) -> Result<(), Failure> {
    let set = MembershipCommand::SetNpiPermissions {
        of: member.key,
        changes: vec![change],
        held: member.organization.npis_at(cx.now),
        cause: Cause::Review,
    };
    cx.decide::<Membership>(member.stream, set).await.map(drop)
}

type Types = BTreeSet<CorrespondenceScope>;

/// Correspondence is taken away also while it is off in the portal, and given while it is on, for an NPI
/// to which there is a level.
async fn add_types(
    cx: &mut Context<'_>,
    member: &Member,
    npi: NpiScope,
    types: Types,
) -> Result<(), Failure> {
    let permissions = cx.load::<Membership>(member.stream).await?;
    if permissions.level_in(&npi, cx.now) == NpiLevel::None {
        return Ok(());
    }
    cx.policy.require(Feature::Correspondence)?;
    set_types(cx, member, npi, (types, BTreeSet::new())).await
}

async fn set_types(
    cx: &mut Context<'_>,
    member: &Member,
    npi: NpiScope,
    (add, remove): (Types, Types),
) -> Result<(), Failure> {
    let set = MembershipCommand::SetCorrespondencePermissions {
        of: member.key,
        npis: vec![npi],
        add,
        remove,
        known: offered_keys(),
        cause: Cause::Review,
    };
    cx.decide::<Membership>(member.stream, set).await.map(drop)
}
