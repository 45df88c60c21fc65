//! Whose reviews somebody sees. Invariant: administrators see their organisation's, the plan's people those
//! inside their scope, and a member those in which items were delegated to them.

use async_graphql::{Context, Result};
use rollcall_commands::Access;
use rollcall_domain::{
    api_keys::Scope,
    kernel::ids::{OrganizationId, UserId},
};
use rollcall_projections::{
    access_reviews::Seen,
    audit_timeline::{Sight, Viewer},
};

use crate::graphql::{
    audit::viewer,
    reading::{Reading, read_if_permitted},
    scalars::Position,
};

/// What somebody sees.
pub(super) struct Looking<'a> {
    pub seen: Seen,
    /// Of the audit timeline.
    pub sight: Sight,
    /// Who sees only what was delegated to them.
    pub delegate: Option<UserId>,
    pub reading: Reading<'a>,
}

/// Opens the view as whoever asks; `None` where they see no reviews at all.
///
/// # Errors
/// UNAUTHENTICATED, a machine without the scope FORBIDDEN, or a fault.
pub(super) async fn looking<'a>(
    ctx: &Context<'a>,
    organization: Option<OrganizationId>,
    min_position: Option<Position>,
) -> Result<Option<Looking<'a>>> {
    let (looking, reading) =
        viewer::reading(ctx, organization, Scope::ReadAccess, min_position).await?;
    let sight = looking.sight.clone();
    let seen = match looking.viewer {
        Viewer::Auditor
        | Viewer::PlanAdministrator
        | Viewer::RecordsOfficer
        | Viewer::PlanSupport => looking.within.map_or(Seen::All, Seen::Organizations),
        Viewer::OrgAdmin { organization, .. } | Viewer::OrganizationKey(organization) => {
            Seen::Organizations(vec![organization.0])
        }
        Viewer::Person(user) => {
            drop(reading);
            let Some(own) = viewer::caller(ctx)?.organization() else { return Ok(None) };
            // Whoever left sees nothing of it any more.
            let Some(reading) = read_if_permitted(ctx, Access::Member(own)).await? else {
                return Ok(None);
            };
            let (seen, delegate) = (Seen::Delegate(own, user), Some(user));
            return Ok(Some(Looking { seen, sight, delegate, reading }));
        }
    };
    Ok(Some(Looking { seen, sight, delegate: None, reading }))
}

/// Opens the view as whoever asks, if they see the reviews of the whole tenant.
///
/// # Errors
/// As [`looking`].
pub(super) async fn looking_at_all<'a>(
    ctx: &Context<'a>,
    min_position: Option<Position>,
) -> Result<Option<Looking<'a>>> {
    let looking = looking(ctx, None, min_position).await?;
    Ok(looking.filter(|looking| matches!(looking.seen, Seen::All)))
}
