//! How questions about one person's account are authorised.
//!
//! Invariant: everybody may ask about themself, an administrator about people of the organisation
//! acted for, the plan about anybody; of others nobody learns whether they exist.

use async_graphql::{Context, ID, Result};
use rollcall_commands::{Access, Caller, Commands, authorization::forbidden};
use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, UserId},
    organizations::Organization,
    tenants::PlanRole,
};

use super::{
    errors::{fault, top_level},
    ids::NodeType,
    reading::{Reading, caller, read},
    scalars::Position,
};

/// Who of the plan may ask about anybody.
pub const READERS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps, PlanRole::Au];

/// An authorised reader of what concerns `user`.
pub struct About<'a> {
    pub reading: Reading<'a>,
    pub user: UserId,
    /// Whether the reader is the person.
    pub is_own: bool,
}

impl About<'_> {
    /// The organisation as whose administrator somebody reads about another person; `None` for the
    /// person and the plan.
    pub fn as_administrator_of(&self) -> Option<OrganizationId> {
        self.reading.authority.organization.filter(|_| !self.is_own)
    }
}

/// Authorises the caller to read about a person.
///
/// # Errors
/// A top-level error: UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, or a fault.
pub async fn about<'a>(
    ctx: &Context<'a>,
    user_id: &ID,
    min_position: Option<Position>,
) -> Result<About<'a>> {
    let user: UserId = NodeType::User.parse(user_id, "userId").map_err(top_level)?;
    let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
    let is_own = caller.user() == Some(user);
    let access = if is_own {
        Access::OwnSession
    } else {
        let own = |organization| Access::OrgAdminOrPlan(organization, READERS);
        caller.organization().map_or(Access::Plan(READERS), own)
    };
    let reading = read(ctx, access, min_position).await?;
    // An account is no organisation's: to ask about it as the plan takes a role for the whole plan.
    let of_plan = reading.authority.acts_for_plan();
    if !is_own && of_plan && !reading.authority.plan_scope(READERS).is_whole() {
        return Err(top_level(forbidden()));
    }
    if !is_own && !of_plan {
        require_member(commands, caller, user).await?;
    }
    Ok(About { reading, user, is_own })
}

/// Somebody of whom the organisation knows nothing is nobody here.
async fn require_member(commands: &Commands, caller: &Caller, user: UserId) -> Result<()> {
    let unknown = || top_level(Refusal::not_found("userId"));
    let id = caller.organization().ok_or_else(unknown)?;
    let organization = commands.journal.load_fresh::<Organization>(caller.tenant, id.0).await;
    let organization = organization.map_err(|error| fault(&error))?.state;
    organization.member(user).map(drop).ok_or_else(unknown)
}
