//! Whose reviews somebody sees. Invariant: administrators see their organisation's, the plan's people those
//! inside their scope, and a member those in which items were delegated to them, or what those see in whose place they review.

use async_graphql::{Context, Result};
use rollcall_commands::{Access, Commands};
use rollcall_domain::{api_keys::Scope, kernel::ids::OrganizationId};
use rollcall_projections::{
    access_reviews::{Seen, stands_in},
    audit_timeline::{Sight, Viewer},
};
use uuid::Uuid;

use crate::graphql::{
    audit::viewer,
    errors::fault,
    reading::{Reading, read_if_permitted},
    scalars::Position,
};

/// What somebody sees.
pub(super) struct Looking<'a> {
    pub seen: Seen,
    /// Of the audit timeline.
    pub sight: Sight,
    /// Who sees only what was delegated to them, or to those in whose place they review.
    pub delegates: Option<Vec<Uuid>>,
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
    if let Viewer::Person(user) = looking.viewer {
        drop(reading);
        let Some(own) = viewer::caller(ctx)?.organization() else { return Ok(None) };
        // Whoever left sees nothing of it any more.
        let Some(mut reading) = read_if_permitted(ctx, Access::Member(own)).await? else {
            return Ok(None);
        };
        let now = ctx.data::<Commands>()?.journal.now();
        let away = stands_in(&mut reading.view, (own, user), now).await;
        let away = away.map_err(|error| fault(&error))?;
        if !away.administrators.is_empty() {
            let seen = Seen::Organizations(vec![own.0]);
            return Ok(Some(Looking { seen, sight, delegates: None, reading }));
        }
        let members: Vec<Uuid> = [user.0].into_iter().chain(away.users).collect();
        let (seen, delegates) = (Seen::Delegates(own, members.clone()), Some(members));
        return Ok(Some(Looking { seen, sight, delegates, reading }));
    }
    let Some(seen) = seen(looking) else { return Ok(None) };
    Ok(Some(Looking { seen, sight, delegates: None, reading }))
}

/// Which reviews somebody sees as a whole; `None` for members, who see what was delegated to them.
#[must_use]
pub fn seen(looking: viewer::Looking) -> Option<Seen> {
    match looking.viewer {
        Viewer::Auditor
        | Viewer::PlanAdministrator
        | Viewer::RecordsOfficer
        | Viewer::PlanSupport => Some(looking.within.map_or(Seen::All, Seen::Organizations)),
        Viewer::OrgAdmin { organization, .. } | Viewer::OrganizationKey(organization) => {
            Some(Seen::Organizations(vec![organization.0]))
        }
        Viewer::Person(_) => None,
    }
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
