//! Whom an event concerns besides the person it names. Invariant: resolved from streams as they
//! stand, so nobody is told of an organisation they have left.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider,
    access_reviews::{AccessReview, Review},
    kernel::ids::{AccessReviewId, MembershipId, OrganizationId, TenantId, UserId},
    organizations::Organization,
    permissions::{Membership, NpiLevel},
    tenants::{PlanRole, PlanScope, PlanStaff},
    values::Npi,
};
use rollcall_journal::{Journal, JournalError};

use crate::audit::ACTIVITY_REVIEWERS;

/// People to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// One person.
    Person(UserId),
    /// The organisation's active administrators.
    Administrators(OrganizationId),
    /// The administrators and whoever is Processor for the whole organisation (MC-47).
    WholeOrganization(OrganizationId),
    /// The same without the person it is about.
    OtherAdministrators(OrganizationId, UserId),
    /// The administrators and whoever is Admin for the NPI (MC-53).
    NpiAdministrators(OrganizationId, Npi),
    /// Plan support staff and plan administrators who act for the organisation (AL-08, GN-31).
    PlanSupport(OrganizationId),
    /// The plan's auditors and administrators (GN-34).
    Auditors,
    /// The plan's administrators.
    PlanAdministrators,
    /// The plan's administrators without one of them.
    OtherPlanAdministrators(UserId),
    /// The administrators of every organisation of which the person is an active member.
    AdministratorsOf(UserId),
    /// Those of these people whom a review asks to say whether they need their access still (GN-15).
    AskedToAttest(AccessReviewId, BTreeSet<UserId>),
    /// Whoever closed a review, once all that was carried out then is verified (GN-15).
    Signer(AccessReviewId),
}

impl Audience {
    /// Those who decide about a machine's key, besides whoever of them did: administrators of the
    /// organisation it acts for, or of the plan (GN-28).
    #[must_use]
    pub fn other_key_holders(organization: Option<OrganizationId>, by: Option<UserId>) -> Self {
        match (organization, by) {
            (Some(organization), Some(by)) => Self::OtherAdministrators(organization, by),
            (Some(organization), None) => Self::Administrators(organization),
            (None, Some(by)) => Self::OtherPlanAdministrators(by),
            (None, None) => Self::PlanAdministrators,
        }
    }

    /// The people as of `now`.
    ///
    /// # Errors
    /// The journal's.
    pub async fn resolve(
        &self,
        journal: &Journal,
        tenant: TenantId,
        now: DateTime<Utc>,
    ) -> Result<BTreeSet<UserId>, JournalError> {
        match self {
            Self::Person(user) => Ok(BTreeSet::from([*user])),
            Self::Administrators(organization) => {
                administrators(journal, tenant, *organization, now).await
            }
            Self::WholeOrganization(organization) => {
                let state = journal.load_fresh::<Organization>(tenant, organization.0).await?.state;
                Ok(state.active_viewers(now).collect())
            }
            Self::OtherAdministrators(organization, user) => {
                let mut people = administrators(journal, tenant, *organization, now).await?;
                people.remove(user);
                Ok(people)
            }
            Self::NpiAdministrators(organization, npi) => {
                npi_administrators(journal, tenant, (*organization, npi), now).await
            }
            Self::PlanSupport(organization) => {
                let roles = &[PlanRole::Ps, PlanRole::Pa];
                plan_staff(journal, tenant, now, (roles, Some(*organization))).await
            }
            Self::Auditors => plan_staff(journal, tenant, now, (ACTIVITY_REVIEWERS, None)).await,
            Self::PlanAdministrators => {
                plan_staff(journal, tenant, now, (&[PlanRole::Pa], None)).await
            }
            Self::OtherPlanAdministrators(user) => {
                let roles = &[PlanRole::Pa];
                let mut people = plan_staff(journal, tenant, now, (roles, None)).await?;
                people.remove(user);
                Ok(people)
            }
            Self::AdministratorsOf(user) => {
                let mut people = BTreeSet::new();
                for organization in organizations_of(journal, tenant, *user, now).await? {
                    people.extend(administrators(journal, tenant, organization, now).await?);
                }
                people.remove(user);
                Ok(people)
            }
            Self::AskedToAttest(review, people) => {
                let state = journal.load_fresh::<AccessReview>(tenant, review.0).await?.state;
                let asks = state.under_way().is_ok_and(|review| review.asks_for_attestation);
                Ok(if asks { people.clone() } else { BTreeSet::new() })
            }
            Self::Signer(review) => {
                let state = journal.load_fresh::<AccessReview>(tenant, review.0).await?.state;
                let ready_for = state.under_way().ok().and_then(Review::ready_for);
                Ok(ready_for.into_iter().collect())
            }
        }
    }
}

async fn administrators(
    journal: &Journal,
    tenant: TenantId,
    organization: OrganizationId,
    now: DateTime<Utc>,
) -> Result<BTreeSet<UserId>, JournalError> {
    let state = journal.load_fresh::<Organization>(tenant, organization.0).await?.state;
    Ok(state.active_admins(now).collect())
}

/// Whoever of the plan acts for the organisation in one of these roles, or for the whole plan.
async fn plan_staff(
    journal: &Journal,
    tenant: TenantId,
    now: DateTime<Utc>,
    (roles, organization): (&[PlanRole], Option<OrganizationId>),
) -> Result<BTreeSet<UserId>, JournalError> {
    let streams = journal.streams_of(tenant, PlanStaff::TYPE).await?;
    let staff = journal.load_all::<PlanStaff>(tenant, &streams).await?;
    let person = |staff: &PlanStaff| {
        let scopes = staff.scopes_at(now);
        let reaches = |scope: &PlanScope| match organization {
            Some(organization) => scope.covers(organization),
            None => scope.is_whole(),
        };
        let role = roles.iter().find(|role| scopes.get(role).is_some_and(reaches))?;
        staff.grants().get(role).map(|grant| grant.user)
    };
    Ok(staff.values().filter_map(person).collect())
}

async fn npi_administrators(
    journal: &Journal,
    tenant: TenantId,
    (organization, npi): (OrganizationId, &Npi),
    now: DateTime<Utc>,
) -> Result<BTreeSet<UserId>, JournalError> {
    let state = journal.load_fresh::<Organization>(tenant, organization.0).await?.state;
    let mut people: BTreeSet<UserId> = state.active_admins(now).collect();
    let others = state.members().filter(|(_, member)| member.is_active(now));
    let others: BTreeMap<_, _> =
        others.map(|(user, _)| (MembershipId::of(tenant, user, organization).0, user)).collect();
    let ids: Vec<_> = others.keys().copied().collect();
    for (id, membership) in journal.load_all::<Membership>(tenant, &ids).await? {
        if membership.level(npi, now) == NpiLevel::Admin {
            people.insert(others[&id]);
        }
    }
    Ok(people)
}

/// The organisations of which the person is an active administrator.
///
/// # Errors
/// The journal's.
pub async fn administered_by(
    journal: &Journal,
    tenant: TenantId,
    user: UserId,
) -> Result<Vec<OrganizationId>, JournalError> {
    let now = journal.now();
    let mut found = Vec::new();
    for id in organizations_of(journal, tenant, user, now).await? {
        if administrators(journal, tenant, id, now).await?.contains(&user) {
            found.push(id);
        }
    }
    Ok(found)
}

/// The organisations of which the person is an active member.
async fn organizations_of(
    journal: &Journal,
    tenant: TenantId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<OrganizationId>, JournalError> {
    let mut found = Vec::new();
    for id in journal.streams_about(tenant, user, "organizations.organization").await? {
        let state = journal.load_fresh::<Organization>(tenant, id).await?.state;
        if state.is_active_member(user, now) {
            found.push(OrganizationId(id));
        }
    }
    Ok(found)
}
