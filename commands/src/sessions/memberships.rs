//! For which organisations a person may act.
//!
//! Invariant: asked of the organisations' own streams, so the answer is what authorisation would
//! say a moment later.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Decider,
    kernel::ids::{OrganizationId, TenantId, UserId},
    organizations::{OrgRole, Organization, OrganizationKind},
};
use rollcall_journal::Journal;
use serde::{Deserialize, Serialize};

use crate::{Context, Failure};

/// An organisation that a person may act for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveMembership {
    pub organization: OrganizationId,
    pub name: String,
    pub kinds: BTreeSet<OrganizationKind>,
    pub role: OrgRole,
    pub joined_at: Option<DateTime<Utc>>,
    /// It came by a token during a session and shows from the next one on (MC-11).
    pub effective_from_next_login: bool,
}

/// The active memberships of `user` in open organisations that a session begun at `started_at` may
/// see, by name.
///
/// # Errors
/// The database did not answer, or a stored event cannot be read.
pub async fn memberships_of(
    journal: &Journal,
    tenant: TenantId,
    (user, started_at): (UserId, DateTime<Utc>),
) -> Result<Vec<ActiveMembership>, Failure> {
    let mut found = Vec::new();
    for id in journal.streams_about(tenant, user, Organization::TYPE).await? {
        let organization = journal.load_fresh::<Organization>(tenant, id).await?.state;
        found.extend(membership(&organization, user, started_at));
    }
    found.sort_by(|a, b| (&a.name, a.organization).cmp(&(&b.name, b.organization)));
    Ok(found)
}

/// An organisation's name and kinds as somebody's sessions show them; `None` if it is not enrolled.
///
/// # Errors
/// As [`memberships_of`].
pub async fn organization_shown(
    journal: &Journal,
    tenant: TenantId,
    id: OrganizationId,
) -> Result<Option<(String, BTreeSet<OrganizationKind>)>, Failure> {
    let organization = journal.load_fresh::<Organization>(tenant, id.0).await?.state;
    Ok(organization.record().map(|record| (record.name.to_string(), record.kinds.clone())))
}

/// As [`memberships_of`], within a command: what was read is checked again at the append.
pub(crate) async fn memberships_within(
    cx: &mut Context<'_>,
    (user, started_at): (UserId, DateTime<Utc>),
) -> Result<Vec<ActiveMembership>, Failure> {
    let mut found = Vec::new();
    for id in cx.journal().streams_about(cx.tenant(), user, Organization::TYPE).await? {
        let organization: Arc<Organization> = cx.load(id).await?;
        found.extend(membership(&organization, user, started_at));
    }
    found.sort_by(|a, b| (&a.name, a.organization).cmp(&(&b.name, b.organization)));
    Ok(found)
}

fn membership(
    organization: &Organization,
    user: UserId,
    started_at: DateTime<Utc>,
) -> Option<ActiveMembership> {
    let member = organization.member(user).filter(|it| it.is_visible_to_session(started_at))?;
    let record = organization.record().filter(|_| organization.is_active())?;
    Some(ActiveMembership {
        organization: record.organization,
        name: record.name.to_string(),
        kinds: record.kinds.clone(),
        role: member.role,
        joined_at: member.joined_at,
        effective_from_next_login: member.effective_from_next_login,
    })
}
