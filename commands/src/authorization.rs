//! Who may do what: the one place where every command and every protected read is authorised.
//!
//! Invariant: decided on the streams of session, organisation, membership and plan staff, never on
//! a read model; every version read is handed on as a guard and re-checked at the append or inside
//! the read's own transaction.

mod authority;
mod machines;
mod refusals;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Actor, Code, Decider, Refusal,
    audit::LegalHolds,
    kernel::ids::{MembershipId, OrganizationId, TenantId, UserId},
    organizations::{OrgRole, Organization},
    permissions::{JobRole, JobRoles, Membership, Right, Situation},
    policies::PolicyHistory,
    sessions::{LiveSession, Session},
    tenants::{PlanRole, PlanScope, PlanStaff, Tenant},
    users::credential::Credential,
};
use rollcall_journal::{Guard, Journal, Work};
use uuid::Uuid;

pub use authority::Authority;
use refusals::not_org_admin;
pub use refusals::{forbidden, not_signed_in, session_ended};

use crate::{Caller, Failure, Identity};

use machines::by_key;
pub(crate) use machines::key_refused;
pub use machines::{Demand, out_of_scope};

/// What a command or read demands of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody; the command itself verifies what the visitor brings (a token, a password).
    Public,
    /// Any live session, even one that may only change the password or add a second factor: what
    /// people do to their own account and session.
    OwnSession,
    /// Any live session.
    SignedIn,
    /// An active member of the organisation, whose session acts for it (MC-36).
    Member(OrganizationId),
    /// An active administrator of the organisation, whose session acts for it.
    OrgAdmin(OrganizationId),
    /// An active member who may manage users: an administrator, or whoever was granted that
    /// feature (CC-08).
    UserManager(OrganizationId),
    /// Either of the two: who may manage users, or plan staff in one of these roles.
    UserManagerOrPlan(OrganizationId, &'static [PlanRole]),
    /// Plan staff in one of these roles, held for the whole plan.
    Plan(&'static [PlanRole]),
    /// Plan staff in one of these roles whose scope covers the organisation (GN-31).
    PlanOf(OrganizationId, &'static [PlanRole]),
    /// Plan staff in one of these roles, whatever its scope: for lists, which show what is inside it
    /// ([`Authority::plan_scope`]).
    PlanWithin(&'static [PlanRole]),
    /// Either of the two.
    OrgAdminOrPlan(OrganizationId, &'static [PlanRole]),
    /// An active member, or plan staff in one of these roles.
    MemberOrPlan(OrganizationId, &'static [PlanRole]),
    /// An active member who sees organisation-wide lists (MC-47) or manages users, or plan staff in one of these
    /// roles.
    OrgViewerOrPlan(OrganizationId, &'static [PlanRole]),
    /// An operator of the service.
    Operator,
    /// The scheduler and the service's own processes.
    System,
}

/// Reads the streams a decision about a caller needs and remembers their versions.
struct Sources<'a> {
    tenant: TenantId,
    log: Log<'a>,
    /// Of what is read for an answer; a unit of work keeps its own.
    guards: Vec<Guard>,
}

enum Log<'a> {
    /// What is written, for an answer.
    Written(&'a Journal),
    /// What a command goes on from.
    Ahead(&'a mut Work),
}

impl Sources<'_> {
    async fn load<A: Decider>(&mut self, id: Uuid) -> Result<Arc<A>, Failure> {
        match &mut self.log {
            Log::Written(journal) => {
                let loaded = journal.load::<A>(self.tenant, id).await?;
                self.guards.push(Guard { aggregate_type: A::TYPE, id, version: loaded.version });
                Ok(loaded.state)
            }
            Log::Ahead(work) => Ok(work.load_of::<A>(self.tenant, id).await?),
        }
    }
}

/// Decides whether `caller` has `access` at `now`. A refusal, too, is given on current streams only:
/// what another process granted a moment ago counts here.
///
/// # Errors
/// `NOT_SIGNED_IN`, `SESSION_ENDED`, `NOT_FOUND` (an organisation the caller has no part in looks
/// exactly like one that does not exist), `NOT_CONTRACTED`, `NOT_ORG_ADMIN`, `FORBIDDEN`,
/// `ORGANIZATION_NOT_SELECTED`, `PASSWORD_CHANGE_REQUIRED`, `PASSWORD_EXPIRED`,
/// `SECOND_FACTOR_REQUIRED`, `API_KEY_REVOKED`, `API_KEY_EXPIRED`.
pub async fn authorise(
    journal: &Journal,
    caller: &Caller,
    access: impl Into<Demand>,
    now: DateTime<Utc>,
) -> Result<(Authority, Vec<Guard>), Failure> {
    let (demand, log) = (access.into(), Log::Written(journal));
    let mut sources = Sources { tenant: caller.tenant, log, guards: Vec::new() };
    let decided = match decide(&mut sources, caller, demand, now).await {
        Err(Failure::Refused(_)) if !journal.verify(caller.tenant, &sources.guards).await? => {
            sources.guards.clear();
            decide(&mut sources, caller, demand, now).await
        }
        decided => decided,
    };
    Ok((decided?, sources.guards))
}

/// As [`authorise`], for a command: what is read becomes part of its unit of work, which has to see
/// whether a refusal still holds.
///
/// # Errors
/// As [`authorise`].
pub(crate) async fn authorise_work(
    work: &mut Work,
    caller: &Caller,
    demand: Demand,
    now: DateTime<Utc>,
) -> Result<Authority, Failure> {
    let log = Log::Ahead(work);
    let mut sources = Sources { tenant: caller.tenant, log, guards: Vec::new() };
    decide(&mut sources, caller, demand, now).await
}

async fn decide(
    sources: &mut Sources<'_>,
    caller: &Caller,
    demand: Demand,
    now: DateTime<Utc>,
) -> Result<Authority, Failure> {
    let access = demand.access;
    if access != Access::System {
        require_open_tenant(sources).await?;
    }
    if let Identity::ApiKey { key, .. } = caller.identity {
        return by_key(sources, key, demand, now).await;
    }
    match access {
        Access::Public => Ok(Authority::of(caller.actor())),
        Access::System => match caller.identity {
            Identity::System { .. } => Ok(Authority::of(Actor::SYSTEM)),
            Identity::Anonymous | Identity::Person { .. } | Identity::ApiKey { .. } => {
                Err(forbidden().into())
            }
        },
        Access::OwnSession
        | Access::SignedIn
        | Access::Member(_)
        | Access::OrgAdmin(_)
        | Access::UserManager(_)
        | Access::UserManagerOrPlan(..)
        | Access::Plan(_)
        | Access::PlanOf(..)
        | Access::PlanWithin(_)
        | Access::OrgAdminOrPlan(..)
        | Access::MemberOrPlan(..)
        | Access::OrgViewerOrPlan(..)
        | Access::Operator => signed_in(sources, caller, access, now).await,
    }
}

/// A suspended or closed portal takes no command and answers no question (GN-31).
async fn require_open_tenant(sources: &mut Sources<'_>) -> Result<(), Failure> {
    let tenant = sources.load::<Tenant>(sources.tenant.0).await?;
    match *tenant {
        Tenant::NotCreated | Tenant::Active(_) => Ok(()),
        Tenant::Suspended(_) | Tenant::Closed(_) => Err(Refusal::new(
            Code::TenantInactive,
            "This portal is not open at present. Contact the health plan.",
        )
        .into()),
    }
}

async fn signed_in(
    sources: &mut Sources<'_>,
    caller: &Caller,
    access: Access,
    now: DateTime<Utc>,
) -> Result<Authority, Failure> {
    let Identity::Person { session: session_id, user, .. } = caller.identity else {
        return Err(not_signed_in().into());
    };
    let session = sources.load::<Session>(session_id.0).await?;
    let Some(live) = session.live().filter(|live| live.user == user) else {
        return Err(session_ended().into());
    };
    if live.must_change_password && access != Access::OwnSession {
        return Err(change_due(sources, user).await?.into());
    }
    if live.must_enrol && access != Access::OwnSession {
        return Err(Refusal::new(
            Code::SecondFactorRequired,
            "Signing in here takes a second factor. Add an authenticator app, then go on.",
        )
        .into());
    }
    let mut authority = Authority::of(Actor::user(user));
    authority.session = Some(session_id);
    match access {
        Access::Public | Access::System | Access::OwnSession | Access::SignedIn => {}
        Access::Member(organization) => {
            member(sources, &mut authority, live, (organization, now)).await?;
        }
        Access::OrgAdmin(organization) => {
            member(sources, &mut authority, live, (organization, now)).await?;
            require_admin(&authority)?;
        }
        Access::UserManager(organization) => {
            member(sources, &mut authority, live, (organization, now)).await?;
            require_user_manager(sources, &authority, now).await?;
        }
        Access::UserManagerOrPlan(organization, roles) => {
            if plan_staff(sources, &mut authority, (user, roles, Reach::Of(organization)), now)
                .await
                .is_err()
            {
                member(sources, &mut authority, live, (organization, now)).await?;
                require_user_manager(sources, &authority, now).await?;
            }
        }
        Access::Plan(roles) => {
            plan_staff(sources, &mut authority, (user, roles, Reach::Whole), now).await?;
        }
        Access::PlanOf(organization, roles) => {
            let reach = Reach::Of(organization);
            plan_staff(sources, &mut authority, (user, roles, reach), now).await?;
        }
        Access::PlanWithin(roles) => {
            plan_staff(sources, &mut authority, (user, roles, Reach::Any), now).await?;
        }
        Access::OrgAdminOrPlan(organization, roles) => {
            if plan_staff(sources, &mut authority, (user, roles, Reach::Of(organization)), now)
                .await
                .is_err()
            {
                member(sources, &mut authority, live, (organization, now)).await?;
                require_admin(&authority)?;
            }
        }
        Access::MemberOrPlan(organization, roles) => {
            if plan_staff(sources, &mut authority, (user, roles, Reach::Of(organization)), now)
                .await
                .is_err()
            {
                member(sources, &mut authority, live, (organization, now)).await?;
            }
        }
        Access::OrgViewerOrPlan(organization, roles) => {
            if plan_staff(sources, &mut authority, (user, roles, Reach::Of(organization)), now)
                .await
                .is_err()
            {
                member(sources, &mut authority, live, (organization, now)).await?;
                if require_viewer(&authority).is_err() {
                    require_user_manager(sources, &authority, now).await?;
                }
            }
        }
        Access::Operator => {
            if caller.tenant != TenantId::OPERATIONS {
                return Err(forbidden().into());
            }
            let staff = (user, &[PlanRole::Operator][..], Reach::Whole);
            plan_staff(sources, &mut authority, staff, now).await?;
            authority.actor = Actor::operator(user);
        }
    }
    Ok(authority)
}

async fn member(
    sources: &mut Sources<'_>,
    authority: &mut Authority,
    session: &LiveSession,
    (id, now): (OrganizationId, DateTime<Utc>),
) -> Result<(), Failure> {
    let user = session.user;
    let organization = sources.load::<Organization>(id.0).await?;
    let visible = organization
        .member(user)
        .is_some_and(|member| member.is_visible_to_session(session.started_at, now));
    if !visible {
        return Err(Refusal::not_found("organizationId").into());
    }
    open_organization(sources, id, now).await?;
    if session.organization != Some(id) {
        return Err(Refusal::new(
            Code::OrganizationNotSelected,
            "Your session does not act for this organisation. Switch to it, then try again.",
        )
        .at("organizationId")
        .into());
    }
    let membership = MembershipId::of(sources.tenant, user, id);
    authority.membership = Some(sources.load::<Membership>(membership.0).await?);
    authority.organization = Some(id);
    authority.org_role = Some(organization.role_of(user, now));
    Ok(())
}

/// A suspended or closed organisation, or one that lost the contract it needs, serves nobody.
async fn open_organization(
    sources: &mut Sources<'_>,
    id: OrganizationId,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let organization = sources.load::<Organization>(id.0).await?;
    if !organization.is_active() {
        return Err(Refusal::not_found("organizationId").into());
    }
    if !organization.is_contracted(now) {
        let policies = sources.load::<PolicyHistory>(sources.tenant.policy_stream()).await?;
        organization.check_contract(policies.at(now).1, now).map_err(Refusal::from)?;
    }
    Ok(())
}

/// How far a plan role must reach to count.
#[derive(Clone, Copy)]
enum Reach {
    Whole,
    Of(OrganizationId),
    Any,
}

/// A role whose scope does not reach as far is as good as none.
async fn plan_staff(
    sources: &mut Sources<'_>,
    authority: &mut Authority,
    (user, roles, reach): (UserId, &[PlanRole], Reach),
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let staff = sources.load::<PlanStaff>(sources.tenant.plan_staff_stream(user)).await?;
    let mut held = staff.scopes_at(now);
    held.retain(|_, scope| match reach {
        Reach::Whole => scope.is_whole(),
        Reach::Of(organization) => scope.covers(organization),
        Reach::Any => true,
    });
    if !roles.iter().any(|role| held.contains_key(role)) {
        return Err(forbidden().into());
    }
    authority.acting_roles = roles.iter().filter(|role| held.contains_key(role)).copied().collect();
    // Where auditors are let in, an administrator of the whole plan may see as much who is named for it
    // (GN-26).
    let is_plans = held.get(&PlanRole::Pa).is_some_and(PlanScope::is_whole);
    if roles.contains(&PlanRole::Au) && is_plans {
        let holds = sources.load::<LegalHolds>(sources.tenant.legal_holds_stream()).await?;
        authority.is_records_officer = holds.officers().contains(&user);
    }
    authority.plan_roles = held;
    authority.actor = Actor::plan_staff(user);
    Ok(())
}

/// Whether somebody of the plan may know of legal holds: auditors, and administrators by name, each
/// of the whole plan (GN-26).
#[must_use]
pub fn knows_of_holds(authority: &Authority, holds: &LegalHolds) -> bool {
    let whole = |role| authority.plan_roles.get(&role).is_some_and(PlanScope::is_whole);
    let named = authority.user.is_some_and(|user| holds.officers().contains(&user));
    whole(PlanRole::Au) || (whole(PlanRole::Pa) && named)
}

/// Why a session may do nothing but change the password.
async fn change_due(sources: &mut Sources<'_>, user: UserId) -> Result<Refusal, Failure> {
    let credential = sources.load::<Credential>(sources.tenant.credential_stream(user)).await?;
    Ok(if credential.is_expired() {
        Refusal::new(
            Code::PasswordExpired,
            "Your password has expired. Choose a new one, then go on.",
        )
    } else {
        Refusal::new(
            Code::PasswordChangeRequired,
            "Your password must be changed first. Choose a new one, then go on.",
        )
    })
}

pub(crate) fn require_admin(authority: &Authority) -> Result<(), Refusal> {
    match authority.org_role {
        Some(OrgRole::Admin) => Ok(()),
        Some(OrgRole::Processor | OrgRole::None) | None => Err(not_org_admin()),
    }
}

/// An administrator, or somebody to whom the domain's rule gives the management of users.
async fn require_user_manager(
    sources: &mut Sources<'_>,
    authority: &Authority,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    if require_admin(authority).is_ok() {
        return Ok(());
    }
    let (Some(user), Some(id)) = (authority.user, authority.organization) else {
        return Err(not_org_admin().into());
    };
    let Some(membership) = &authority.membership else { return Err(not_org_admin().into()) };
    let mut job_roles = JobRoles::new();
    for role in membership.job_roles(now) {
        job_roles.insert(role, sources.load::<JobRole>(role.0).await?);
    }
    let organization = sources.load::<Organization>(id.0).await?;
    let policies = sources.load::<PolicyHistory>(sources.tenant.policy_stream()).await?;
    let situation = Situation {
        user,
        // Whoever is deactivated has no live session.
        account_active: true,
        organization: &organization,
        membership,
        policy: policies.at(now).1,
        job_roles: &job_roles,
        types: &[],
        now,
    };
    match situation.source_of(&Right::ManageUsers) {
        Some(_) => Ok(()),
        None => Err(not_org_admin().into()),
    }
}

fn require_viewer(authority: &Authority) -> Result<(), Refusal> {
    match authority.org_role {
        Some(OrgRole::Admin | OrgRole::Processor) => Ok(()),
        Some(OrgRole::None) | None => Err(not_org_admin()),
    }
}
