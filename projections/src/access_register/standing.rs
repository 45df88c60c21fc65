//! Whether somebody has access in an organisation, in one word: what reviews compare with what they
//! decided (GN-15).

use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    organizations::OrgRole,
};
use uuid::Uuid;

use super::{Moment, Question, page};
use crate::Snapshot;

/// Whether the membership is in effect or any right in the organisation, and the permission for all of it.
///
/// # Errors
/// The database did not answer.
pub async fn standing(
    view: &mut Snapshot,
    moment: Moment,
    (user, organization): (UserId, OrganizationId),
) -> Result<(bool, OrgRole), sqlx::Error> {
    let held: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT kind, value[1] FROM read.access_intervals
          WHERE tenant_id = $1 AND user_id = $2 AND organization_id = $3
            AND kind IN ('MEMBERSHIP_ACTIVE', 'ORG_ROLE')
            AND known_from <= $4 AND (known_to IS NULL OR known_to > $4)
            AND valid_from <= $5 AND valid_to > $5",
    )
    .bind(view.tenant().0)
    .bind(user.0)
    .bind(organization.0)
    .bind(moment.known_at)
    .bind(moment.true_at)
    .fetch_all(view.connection())
    .await?;
    let role =
        held.iter().find(|(kind, _)| kind == "ORG_ROLE").and_then(|(_, role)| role.as_deref());
    let role = role.and_then(OrgRole::parse).unwrap_or_default();
    let is_member = held.iter().any(|(kind, _)| kind == "MEMBERSHIP_ACTIVE");
    let (user, organization): (Uuid, Uuid) = (user.0, organization.0);
    let question =
        Question { user: Some(user), organization: Some(organization), ..Question::default() };
    let has_right = !page(view, moment, &question, None, 1).await?.is_empty();
    Ok((is_member || has_right, role))
}
