//! Notices by their ids: those that `notifications` lists for the caller.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_commands::{Access, Caller};
use rollcall_domain::kernel::ids::NotificationId;
use rollcall_projections::notifications::{self, Notice};
use uuid::Uuid;

use super::types::Notification;
use crate::graphql::{
    errors::{fault, top_level},
    reading::read_if_permitted,
};

/// The caller's notices of these ids, as far as they stand in the list of the organisation acted for
/// or are about the caller's own account.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn notifications(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Notification>> {
    let organization = ctx.data::<Caller>()?.organization();
    let access = organization.map_or(Access::SignedIn, Access::Member);
    let Some(mut reading) = read_if_permitted(ctx, access).await? else {
        return Ok(HashMap::new());
    };
    let user = reading.authority.person().map_err(top_level)?;
    let ids: Vec<_> = ids.iter().map(|id| NotificationId(*id)).collect();
    let found = notifications::notices_by_id(&mut reading.view, user, &ids).await;
    let found = found.map_err(|error| fault(&error))?;
    let own = organization.map(|organization| organization.0);
    let listed =
        |notice: &Notice| notice.organization_id.is_none() || notice.organization_id == own;
    let shown = |notice: Notice| (notice.notification_id, Notification::from(notice));
    Ok(found.into_iter().filter(listed).map(shown).collect())
}
