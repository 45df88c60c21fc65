//! Whether people have access in an organisation, in one word each: what reviews compare with what they
//! decided (GN-15).

use std::collections::BTreeMap;

use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    organizations::OrgRole,
};
use uuid::Uuid;

use super::Moment;
use crate::Snapshot;

/// What the register says of somebody in an organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether the membership is in effect, or any right.
    pub has_access: bool,
    /// The permission for all of the organisation.
    pub role: OrgRole,
}

/// Of each of these people, by two queries however many there are.
///
/// # Errors
/// The database did not answer.
pub async fn standings(
    view: &mut Snapshot,
    moment: Moment,
    (users, organization): (&[UserId], OrganizationId),
) -> Result<BTreeMap<UserId, Standing>, sqlx::Error> {
    let mut standings: BTreeMap<UserId, Standing> =
        users.iter().map(|user| (*user, Standing::default())).collect();
    let (tenant, ids) = (view.tenant().0, users.iter().map(|user| user.0).collect::<Vec<_>>());
    let held: Vec<(Uuid, String, Option<String>)> = sqlx::query_as(
        "SELECT user_id, kind, value[1] FROM read.access_intervals
          WHERE tenant_id = $1 AND user_id = ANY($2) AND organization_id = $3
            AND kind IN ('MEMBERSHIP_ACTIVE', 'ORG_ROLE')
            AND known_from <= $4 AND (known_to IS NULL OR known_to > $4)
            AND valid_from <= $5 AND valid_to > $5",
    )
    .bind(tenant)
    .bind(&ids)
    .bind(organization.0)
    .bind(moment.known_at)
    .bind(moment.true_at)
    .fetch_all(view.connection())
    .await?;
    for (user, kind, value) in held {
        let standing = standings.entry(UserId(user)).or_default();
        if kind == "ORG_ROLE" {
            standing.role = value.as_deref().and_then(OrgRole::parse).unwrap_or_default();
        } else {
            standing.has_access = true;
        }
    }
    let with_rights: Vec<Uuid> = sqlx::query_scalar(
        "SELECT DISTINCT a.user_id FROM ops.effective_access($1, $2, $3, $4, $5, NULL) a",
    )
    .bind(tenant)
    .bind(moment.true_at)
    .bind(moment.known_at)
    .bind(&ids)
    .bind(organization.0)
    .fetch_all(view.connection())
    .await?;
    for user in with_rights {
        standings.entry(UserId(user)).or_default().has_access = true;
    }
    Ok(standings)
}
