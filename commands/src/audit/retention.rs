//! What a person's retention goes by, and which legal holds cover them (GN-26).
//!
//! Invariant: asked of the log within a unit of work. The streams that are loaded for it are checked
//! again at the append; what is asked of the indexes (the newest record, which streams there are) is
//! not. Whoever goes on from the answer asks [`last_counted`] again when all else is done, which moves
//! with whatever counts for retention; what is written between that and the append is not seen.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider,
    affiliations::{Affiliation, AffiliationEvent},
    audit::{
        LegalHolds, Obstacles, Traces,
        retention::{InEffect, Kept, UNCOUNTED_AGGREGATES, UNCOUNTED_EVENTS},
    },
    kernel::ids::{AffiliationId, OrganizationId, TenantId, UserId},
    organizations::{Organization, organization::Standing},
    tenants::{PlanRole, PlanStaff},
    values::Npi,
};
use rollcall_journal::{Journal, JournalError, Work};

use crate::{
    Authority, Caller, Commands, Context, Failure, NO_KEY, authorization::knows_of_holds, context,
};

/// What is told of a person's retention.
#[derive(Clone, Debug)]
pub struct Retention {
    pub kept: Kept,
    /// The policy's years.
    pub years: u32,
    /// The first moment at which the person may be erased; `None` while there is none.
    pub until: Option<DateTime<Utc>>,
    /// How many legal holds cover the person, for those who may know.
    pub holds: Option<usize>,
}

/// Who asks about retention: of anybody, so for the whole plan.
pub const RETENTION_READERS: &[PlanRole] = &[PlanRole::Au, PlanRole::Pa];

impl Commands {
    /// A person's retention, for whoever was granted [`RETENTION_READERS`]; `None` where nothing is
    /// known of them.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn retention(
        &self,
        caller: &Caller,
        authority: &Authority,
        user: UserId,
    ) -> Result<Option<Retention>, Failure> {
        let now = self.journal.now();
        let ids = (caller.correlation_id, NO_KEY);
        let header = context::header(caller, caller.tenant, "Retention", ids, now);
        let mut work = self.journal.begin(header);
        let (_, policy) = context::load_policy(&mut work, now).await?;
        let Whereabouts { kept, traces } = standing(&mut work, &self.journal, user, now).await?;
        let holds = work.load::<LegalHolds>(caller.tenant.legal_holds_stream()).await?;
        let may_know = knows_of_holds(authority, &holds);
        Ok(kept.last_recorded.map(|_| Retention {
            years: policy.retention_years(),
            until: kept.until(&policy),
            holds: may_know.then(|| holds.covering(user, &traces)),
            kept,
        }))
    }
}

/// What stands against the erasure of a person; `None` where nothing is known of them.
///
/// # Errors
/// The database did not answer.
pub(super) async fn obstacles(
    cx: &mut Context<'_>,
    user: UserId,
) -> Result<Option<Obstacles>, Failure> {
    let (now, stream) = (cx.now, cx.tenant().legal_holds_stream());
    let journal = cx.journal().clone();
    let Whereabouts { kept, traces } = standing(&mut cx.work, &journal, user, now).await?;
    let holds = cx.load::<LegalHolds>(stream).await?;
    Ok(kept.last_recorded.map(|_| Obstacles {
        in_effect: !kept.in_effect.is_empty(),
        retained_until: kept.until(&cx.policy).filter(|until| now < *until),
        holds: holds.covering(user, &traces),
        may_know_holds: knows_of_holds(&cx.authority, &holds),
    }))
}

/// When the newest record about a person was made that counts for retention; `None` where nothing is
/// known of them.
///
/// # Errors
/// The database did not answer.
pub(super) async fn last_counted(
    journal: &Journal,
    tenant: TenantId,
    user: UserId,
) -> Result<Option<DateTime<Utc>>, JournalError> {
    journal.last_recorded((tenant, user), (UNCOUNTED_AGGREGATES, UNCOUNTED_EVENTS)).await
}

/// Where a person stands and has been.
struct Whereabouts {
    kept: Kept,
    traces: Traces,
}

async fn standing(
    work: &mut Work,
    journal: &Journal,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Whereabouts, Failure> {
    let tenant = work.header().tenant;
    let last_recorded = last_counted(journal, tenant, user).await?;
    let mut kept = Kept { last_recorded, ..Kept::default() };
    let mut traces = Traces::default();
    let named = journal.npis_about(tenant, user).await?;
    traces.npis.extend(named.iter().filter_map(|npi| Npi::parse(npi).ok()));
    // For whose NPIs they worked; these events name several, so no column has them.
    let assigned = journal.streams_about(tenant, user, Affiliation::TYPE).await?;
    let assigned = journal.events_of::<Affiliation>(tenant, &assigned).await?;
    for event in assigned.into_values().flatten() {
        if let AffiliationEvent::AffiliationNpisAssigned { user: of, npis, .. } = event
            && of == user
        {
            traces.npis.extend(npis);
        }
    }
    let places = journal.streams_about(tenant, user, Organization::TYPE).await?;
    for (id, organization) in places.iter().zip(work.load_all::<Organization>(&places).await?) {
        membership(&mut kept, (OrganizationId(*id), &organization), user, now);
        traces.organizations.insert(OrganizationId(*id));
        traces.npis.extend(organization.npis_ever().cloned());
    }
    let staff = work.load::<PlanStaff>(tenant.plan_staff_stream(user)).await?;
    plan_roles(&mut kept, &staff, now);
    let signed = journal.affiliations_by(tenant, user).await?;
    for (id, affiliation) in signed.iter().zip(work.load_all::<Affiliation>(&signed).await?) {
        if affiliation.in_force(now).is_some() {
            kept.in_effect.push(InEffect::Signature(AffiliationId(*id)));
        } else if let Some(ending) = affiliation.ending() {
            kept.ended(ending.ends_at);
        }
    }
    Ok(Whereabouts { kept, traces })
}

fn membership(
    kept: &mut Kept,
    (id, organization): (OrganizationId, &Organization),
    user: UserId,
    now: DateTime<Utc>,
) {
    let Some(member) = organization.member(user) else { return };
    match member.standing {
        Standing::Invited { .. } => kept.in_effect.push(InEffect::Invitation(id)),
        Standing::Active if member.is_active(now) => kept.in_effect.push(InEffect::Membership(id)),
        Standing::Active => kept.ended(member.ends_at().unwrap_or(now)),
        Standing::Inactive { since } => kept.ended(since),
        Standing::Ended { .. } => {}
    }
}

fn plan_roles(kept: &mut Kept, staff: &PlanStaff, now: DateTime<Utc>) {
    if staff.invitation().is_some() {
        kept.in_effect.push(InEffect::PlanInvitation);
    }
    for (role, grant) in staff.grants() {
        match grant.until.filter(|until| *until <= now) {
            Some(until) => kept.ended(until),
            None => kept.in_effect.push(InEffect::PlanRole(*role)),
        }
    }
}
