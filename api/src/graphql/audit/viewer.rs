//! As whom somebody reads the audit timeline or the access register: in a plan role, as
//! administrator of an organisation, or for themself.
//!
//! Invariant: no person is refused who is signed in, they see less; a machine without the scope is.

use async_graphql::{Context, Result};
use rollcall_commands::{
    Access, Authority, Caller, Commands, Demand, Failure,
    authorization::{authorise, not_signed_in},
};
use rollcall_domain::{
    api_keys::Scope,
    kernel::ids::{OrganizationId, UserId},
    tenants::{PlanRole, PlanScope},
};
use rollcall_projections::audit_timeline::{Sight, Viewer};
use uuid::Uuid;

use crate::graphql::{
    errors::{fault, top_level},
    reading::{Reading, lacks_only_the_right, read, within},
    scalars::Position,
};

/// The plan roles that read across organisations.
const PLAN: &[PlanRole] = &[PlanRole::Au, PlanRole::Pa, PlanRole::Ps];

/// The caller of a request.
///
/// # Errors
/// UNAUTHENTICATED where nobody is signed in.
pub fn caller<'a>(ctx: &Context<'a>) -> Result<&'a Caller> {
    ctx.data_opt::<Caller>().ok_or_else(|| top_level(not_signed_in()))
}

/// As whom somebody reads, and what they see.
#[derive(Clone, Debug)]
pub struct Looking {
    pub viewer: Viewer,
    pub sight: Sight,
    /// The organisations that plan staff are kept to; `None` where nothing keeps the viewer (GN-31).
    pub within: Option<Vec<Uuid>>,
    /// What it rests on.
    pub demand: Demand,
}

impl Looking {
    fn of(viewer: Viewer, demand: impl Into<Demand>) -> Self {
        Self { viewer, sight: viewer.sight(), within: None, demand: demand.into() }
    }
}

/// The widest view the caller has. `organization` is the one asked about; without it the session's
/// counts. A machine needs the `scope`.
///
/// # Errors
/// UNAUTHENTICATED, a machine FORBIDDEN or NOT_FOUND, or a fault.
pub async fn choose(
    commands: &Commands,
    caller: &Caller,
    organization: Option<OrganizationId>,
    scope: Scope,
) -> Result<Looking> {
    if caller.key().is_some() {
        return as_machine(commands, caller, organization, scope).await;
    }
    if let Some(authority) = granted(commands, caller, Access::PlanWithin(PLAN)).await? {
        return of_plan(&authority);
    }
    if let Some(organization) = organization.or(caller.organization()) {
        let access = Access::OrgAdmin(organization);
        if let Some(authority) = granted(commands, caller, access).await? {
            let user = authority.person().map_err(top_level)?;
            return Ok(Looking::of(Viewer::OrgAdmin { organization, user }, access));
        }
    }
    let user: UserId = caller.user().ok_or_else(|| top_level(not_signed_in()))?;
    Ok(Looking::of(Viewer::Person(user), Access::SignedIn))
}

/// A key sees as an administrator of its owner does, and nothing without the scope.
async fn as_machine(
    commands: &Commands,
    caller: &Caller,
    organization: Option<OrganizationId>,
    scope: Scope,
) -> Result<Looking> {
    let (viewer, access) = match caller.organization() {
        Some(own) => {
            let asked = organization.unwrap_or(own);
            (Viewer::OrganizationKey(asked), Access::OrgAdmin(asked))
        }
        None => (Viewer::PlanAdministrator, Access::Plan(PLAN)),
    };
    let demand = access.or_key(scope);
    match authorise(&commands.journal, caller, demand, commands.journal.now()).await {
        Ok(_) => Ok(Looking::of(viewer, demand)),
        Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
            Err(top_level(refusal))
        }
        Err(Failure::Journal(error)) => Err(fault(&error)),
        Err(Failure::Database(error)) => Err(fault(&error)),
    }
}

/// Each role shows its own within its scope; of those for the whole plan the widest counts.
fn of_plan(authority: &Authority) -> Result<Looking> {
    let user = authority.person().map_err(top_level)?;
    let held = PLAN.iter().filter_map(|role| Some((*role, authority.plan_roles.get(role)?)));
    let held: Vec<(PlanRole, &PlanScope)> = held.collect();
    let whole = held.iter().find(|(_, scope)| scope.is_whole());
    let first = whole.or(held.first()).map_or(PlanRole::Ps, |(role, _)| *role);
    let mut sight = whole.map_or_else(Sight::default, |(role, _)| viewer(*role).sight());
    for (role, scope) in &held {
        if let PlanScope::Organizations(organizations) = scope {
            let organizations: Vec<_> = organizations.iter().copied().collect();
            sight = sight.and(viewer(*role).sight_within(&organizations, user));
        }
    }
    let demand = Access::PlanWithin(PLAN).into();
    Ok(Looking { viewer: viewer(first), sight, within: within(authority, PLAN), demand })
}

const fn viewer(role: PlanRole) -> Viewer {
    match role {
        PlanRole::Au => Viewer::Auditor,
        PlanRole::Pa => Viewer::PlanAdministrator,
        PlanRole::Operator | PlanRole::Ps | PlanRole::Qi | PlanRole::Ce => Viewer::PlanSupport,
    }
}

/// The authority, `None` where the caller lacks the right; other refusals end the request.
async fn granted(
    commands: &Commands,
    caller: &Caller,
    access: Access,
) -> Result<Option<Authority>> {
    match authorise(&commands.journal, caller, access, commands.journal.now()).await {
        Ok((authority, _)) => Ok(Some(authority)),
        Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
            if lacks_only_the_right(&refusal) {
                Ok(None)
            } else {
                Err(top_level(refusal))
            }
        }
        Err(Failure::Journal(error)) => Err(fault(&error)),
        Err(Failure::Database(error)) => Err(fault(&error)),
    }
}

/// Opens the request's view for the widest sight the caller has.
///
/// # Errors
/// UNAUTHENTICATED, or a fault.
pub async fn reading<'a>(
    ctx: &Context<'a>,
    organization: Option<OrganizationId>,
    scope: Scope,
    min_position: Option<Position>,
) -> Result<(Looking, Reading<'a>)> {
    let looking = choose(ctx.data::<Commands>()?, caller(ctx)?, organization, scope).await?;
    let reading = read(ctx, looking.demand, min_position).await?;
    Ok((looking, reading))
}
