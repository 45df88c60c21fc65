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
    tenants::PlanRole,
};
use rollcall_projections::audit_timeline::Viewer;

use crate::graphql::{
    errors::{fault, top_level},
    reading::{Reading, lacks_only_the_right, read},
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

/// The widest view the caller has, and the access it rests on. `organization` is the one asked
/// about; without it the session's counts. A machine needs the `scope`.
///
/// # Errors
/// UNAUTHENTICATED, a machine FORBIDDEN or NOT_FOUND, or a fault.
pub async fn choose(
    commands: &Commands,
    caller: &Caller,
    organization: Option<OrganizationId>,
    scope: Scope,
) -> Result<(Viewer, Demand)> {
    if caller.key().is_some() {
        return as_machine(commands, caller, organization, scope).await;
    }
    if let Some(authority) = granted(commands, caller, Access::Plan(PLAN)).await? {
        return Ok((of_plan(&authority), Access::Plan(PLAN).into()));
    }
    if let Some(organization) = organization.or(caller.organization()) {
        let access = Access::OrgAdmin(organization);
        if let Some(authority) = granted(commands, caller, access).await? {
            let user = authority.person().map_err(top_level)?;
            return Ok((Viewer::OrgAdmin { organization, user }, access.into()));
        }
    }
    let user: UserId = caller.user().ok_or_else(|| top_level(not_signed_in()))?;
    Ok((Viewer::Person(user), Access::SignedIn.into()))
}

/// A key sees as an administrator of its owner does, and nothing without the scope.
async fn as_machine(
    commands: &Commands,
    caller: &Caller,
    organization: Option<OrganizationId>,
    scope: Scope,
) -> Result<(Viewer, Demand)> {
    let (viewer, access) = match caller.organization() {
        Some(own) => {
            let asked = organization.unwrap_or(own);
            (Viewer::OrganizationKey(asked), Access::OrgAdmin(asked))
        }
        None => (Viewer::PlanAdministrator, Access::Plan(PLAN)),
    };
    let demand = access.or_key(scope);
    match authorise(&commands.journal, caller, demand, commands.journal.now()).await {
        Ok(_) => Ok((viewer, demand)),
        Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
            Err(top_level(refusal))
        }
        Err(Failure::Journal(error)) => Err(fault(&error)),
        Err(Failure::Database(error)) => Err(fault(&error)),
    }
}

fn of_plan(authority: &Authority) -> Viewer {
    if authority.plan_roles.contains(&PlanRole::Au) {
        Viewer::Auditor
    } else if authority.plan_roles.contains(&PlanRole::Pa) {
        Viewer::PlanAdministrator
    } else {
        Viewer::PlanSupport
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
) -> Result<(Viewer, Reading<'a>)> {
    let commands = ctx.data::<Commands>()?;
    let (viewer, demand) = choose(commands, caller(ctx)?, organization, scope).await?;
    Ok((viewer, read(ctx, demand, min_position).await?))
}
