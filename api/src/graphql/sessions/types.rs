//! Sessions and memberships as their owner sees them.

use async_graphql::{ID, Result, SimpleObject};
use rollcall_commands::{
    Caller, Commands,
    sessions::{ActiveMembership, SignedIn, organization_shown},
};
use rollcall_domain::{
    kernel::ids::{OrganizationId, TenantId},
    policies::SessionPolicy,
};
use rollcall_projections::sessions::SessionRow;

use crate::graphql::{
    errors::fault,
    ids::NodeType,
    scalars::DateTime,
    vocabulary::{OrgRole, OrganizationKind},
};

/// An organisation by name.
#[derive(Clone, SimpleObject)]
pub struct OrganizationSummary {
    pub id: ID,
    pub name: String,
    /// Each kind has its own management area (MC-12).
    pub kinds: Vec<OrganizationKind>,
}

/// An organisation of which the signed-in person is an active member (MC-35).
#[derive(Clone, SimpleObject)]
pub struct OwnMembership {
    pub organization: OrganizationSummary,
    /// The organisation-wide permission.
    pub role: OrgRole,
    pub joined_at: Option<DateTime>,
    /// It came by a token during a session and shows from the next one on (MC-11).
    pub effective_from_next_login: bool,
}

impl From<ActiveMembership> for OwnMembership {
    fn from(membership: ActiveMembership) -> Self {
        Self {
            organization: OrganizationSummary {
                id: NodeType::Organization.id(membership.organization),
                name: membership.name,
                kinds: membership.kinds.into_iter().map(OrganizationKind::from).collect(),
            },
            role: membership.role.into(),
            joined_at: membership.joined_at.map(DateTime::from),
            effective_from_next_login: membership.effective_from_next_login,
        }
    }
}

/// A sign-in, from its beginning to its end.
#[derive(Clone, SimpleObject)]
pub struct Session {
    pub id: ID,
    /// The organisation it acts for; none until one is selected, and for plan staff.
    pub organization: Option<OrganizationSummary>,
    pub started_at: DateTime,
    /// When it ends if nothing more is done in it (CX-10).
    pub expires_at: DateTime,
    /// When to warn its person that it is about to end for want of activity (GN-11).
    pub idle_warning_at: DateTime,
    /// When it ends in any case.
    pub absolute_expires_at: DateTime,
    /// It can do nothing but change the password.
    pub must_change_password: bool,
    /// Whether it is the one this request came in.
    pub is_current: bool,
}

impl Session {
    /// The session just opened.
    pub(super) fn opened(signed_in: &SignedIn) -> Self {
        let acted_for = signed_in
            .memberships
            .iter()
            .find(|membership| Some(membership.organization) == signed_in.organization);
        Self {
            id: NodeType::Session.id(signed_in.session),
            organization: acted_for.cloned().map(|it| OwnMembership::from(it).organization),
            started_at: signed_in.started_at.into(),
            expires_at: signed_in.expires_at.into(),
            idle_warning_at: signed_in.idle_warning_at.into(),
            absolute_expires_at: signed_in.absolute_expires_at.into(),
            must_change_password: signed_in.must_change_password,
            is_current: true,
        }
    }

    pub(super) async fn of_row(
        commands: &Commands,
        caller: &Caller,
        (row, limits): (SessionRow, SessionPolicy),
    ) -> Result<Self> {
        let organization = match row.organization_id {
            Some(id) => summary(commands, caller.tenant, OrganizationId(id)).await?,
            None => None,
        };
        let is_current = caller.session().is_some_and(|session| session.0 == row.id);
        Ok(Self {
            id: NodeType::Session.id(row.id),
            organization,
            started_at: row.started_at.into(),
            expires_at: row.expires_at(limits.idle).into(),
            idle_warning_at: (row.expires_at(limits.idle) - limits.warning).into(),
            absolute_expires_at: row.absolute_expires_at.into(),
            must_change_password: row.must_change_password,
            is_current,
        })
    }
}

async fn summary(
    commands: &Commands,
    tenant: TenantId,
    id: OrganizationId,
) -> Result<Option<OrganizationSummary>> {
    let shown = organization_shown(&commands.journal, tenant, id).await;
    let shown = shown.map_err(|error| fault(&error))?;
    Ok(shown.map(|(name, kinds)| OrganizationSummary {
        id: NodeType::Organization.id(id),
        name,
        kinds: kinds.into_iter().map(OrganizationKind::from).collect(),
    }))
}
