//! As whom somebody reads the audit timeline or the access register: in a plan role, as
//! administrator of an organisation, or for themself.
//!
//! Invariant: no person is refused who is signed in, they see less; a machine without the scope is.
//! What is seen follows from the authority that was checked beside the view.

use async_graphql::{Context, Result};
use rollcall_commands::{
    Access, Authority, Caller, Commands, Demand, Failure,
    audit::{AUDIT_READERS, AuditReader},
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
const PLAN: &[PlanRole] = AUDIT_READERS;

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
}

impl Looking {
    fn of(viewer: Viewer) -> Self {
        Self { viewer, sight: viewer.sight(), within: None }
    }

    /// The organisations outside of which the viewer is told of nobody; `None` for the whole plan, and
    /// for people, who are told of themselves.
    #[must_use]
    pub fn limits(&self) -> Option<Vec<Uuid>> {
        match self.viewer {
            Viewer::OrgAdmin { organization, .. } | Viewer::OrganizationKey(organization) => {
                Some(vec![organization.0])
            }
            Viewer::Auditor
            | Viewer::PlanAdministrator
            | Viewer::RecordsOfficer
            | Viewer::PlanSupport
            | Viewer::Person(_) => self.within.clone(),
        }
    }
}

/// By which right somebody looks. What it shows follows from the authority that [`Standpoint::demand`] is
/// granted with beside the view, and from nothing that was found out before.
#[derive(Clone, Copy, Debug)]
pub struct Standpoint {
    way: Way,
    scope: Scope,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    Plan,
    Administrator(OrganizationId),
    Person,
    /// A key sees as an administrator of its owner does, and nothing without the scope.
    OrganizationKey(OrganizationId),
    PlanKey,
}

impl Standpoint {
    /// What is demanded of the caller.
    pub fn demand(self) -> Demand {
        match self.way {
            Way::Plan => Access::PlanWithin(PLAN).into(),
            Way::Administrator(organization) => Access::OrgAdmin(organization).into(),
            Way::Person => Access::SignedIn.into(),
            Way::OrganizationKey(organization) => Access::OrgAdmin(organization).or_key(self.scope),
            Way::PlanKey => Access::Plan(PLAN).or_key(self.scope),
        }
    }

    /// As whom somebody takes events away; a machine does not.
    pub fn reader(self) -> AuditReader {
        match self.way {
            Way::Plan => AuditReader::Plan,
            Way::Administrator(organization) => AuditReader::Administrator(organization),
            Way::Person | Way::OrganizationKey(_) | Way::PlanKey => AuditReader::Person,
        }
    }

    /// What whoever was granted the demand sees.
    ///
    /// # Errors
    /// UNAUTHENTICATED where a person's right was granted to nobody.
    pub fn looking(self, authority: &Authority) -> Result<Looking> {
        let person = || authority.person().map_err(top_level);
        Ok(match self.way {
            Way::Plan => looking_of_plan(authority)?,
            Way::Administrator(organization) => {
                Looking::of(Viewer::OrgAdmin { organization, user: person()? })
            }
            Way::Person => Looking::of(Viewer::Person(person()?)),
            Way::OrganizationKey(organization) => {
                Looking::of(Viewer::OrganizationKey(organization))
            }
            Way::PlanKey => Looking::of(Viewer::PlanAdministrator),
        })
    }
}

/// The widest right the caller has. `organization` is the one asked about; without it the session's
/// counts. A machine needs the `scope`.
///
/// # Errors
/// UNAUTHENTICATED, or a fault.
pub async fn choose(
    commands: &Commands,
    caller: &Caller,
    organization: Option<OrganizationId>,
    scope: Scope,
) -> Result<Standpoint> {
    let by = |way| Ok(Standpoint { way, scope });
    if caller.key().is_some() {
        let own = caller.organization();
        return by(
            own.map_or(Way::PlanKey, |own| Way::OrganizationKey(organization.unwrap_or(own)))
        );
    }
    if holds(commands, caller, Access::PlanWithin(PLAN)).await? {
        return by(Way::Plan);
    }
    if let Some(organization) = organization.or(caller.organization())
        && holds(commands, caller, Access::OrgAdmin(organization)).await?
    {
        return by(Way::Administrator(organization));
    }
    by(Way::Person)
}

/// What somebody sees who was granted a reader's plan role beside the view.
///
/// # Errors
/// UNAUTHENTICATED where nobody was.
pub fn looking_of_plan(authority: &Authority) -> Result<Looking> {
    Ok(of_plan(authority, authority.person().map_err(top_level)?))
}

/// Each role shows its own within its scope; of those for the whole plan the widest counts.
fn of_plan(authority: &Authority, user: UserId) -> Looking {
    let held = PLAN.iter().filter_map(|role| Some((*role, authority.plan_roles.get(role)?)));
    let held: Vec<(PlanRole, &PlanScope)> = held.collect();
    let whole = held.iter().find(|(_, scope)| scope.is_whole());
    let first = whole.or(held.first()).map_or(PlanRole::Ps, |(role, _)| *role);
    // Named for legal holds is only who administers the whole plan.
    let of_whole = |role| match viewer(role) {
        Viewer::PlanAdministrator if authority.is_records_officer => Viewer::RecordsOfficer,
        other @ (Viewer::Auditor
        | Viewer::PlanAdministrator
        | Viewer::RecordsOfficer
        | Viewer::PlanSupport
        | Viewer::OrgAdmin { .. }
        | Viewer::OrganizationKey(_)
        | Viewer::Person(_)) => other,
    };
    let mut sight = whole.map_or_else(Sight::default, |(role, _)| of_whole(*role).sight());
    for (role, scope) in &held {
        if let PlanScope::Organizations(organizations) = scope {
            let organizations: Vec<_> = organizations.iter().copied().collect();
            sight = sight.and(viewer(*role).sight_within(&organizations, user));
        }
    }
    Looking { viewer: viewer(first), sight, within: within(authority, PLAN) }
}

const fn viewer(role: PlanRole) -> Viewer {
    match role {
        PlanRole::Au => Viewer::Auditor,
        PlanRole::Pa => Viewer::PlanAdministrator,
        PlanRole::Operator | PlanRole::Ps | PlanRole::Qi | PlanRole::Ce => Viewer::PlanSupport,
    }
}

/// Whether the caller has the right; refusals for other reasons end the request.
async fn holds(commands: &Commands, caller: &Caller, access: Access) -> Result<bool> {
    match authorise(&commands.journal, caller, access, commands.journal.now()).await {
        Ok(_) => Ok(true),
        Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
            if lacks_only_the_right(&refusal) {
                Ok(false)
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
/// UNAUTHENTICATED, a machine FORBIDDEN or NOT_FOUND, or a fault.
pub async fn reading<'a>(
    ctx: &Context<'a>,
    organization: Option<OrganizationId>,
    scope: Scope,
    min_position: Option<Position>,
) -> Result<(Looking, Reading<'a>)> {
    let right = choose(ctx.data::<Commands>()?, caller(ctx)?, organization, scope).await?;
    let reading = read(ctx, right.demand(), min_position).await?;
    Ok((right.looking(&reading.authority)?, reading))
}
