//! An invitation as its stream tells it, for the person with the link and for the inviting side.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    Refusal,
    kernel::ids::{InvitationId, LinkId, OrganizationId, TenantId, UserId},
    organizations::Organization,
    policies::PolicyHistory,
    users::invitation::{Invitation, InvitationStatus, InvitationStep},
};
use uuid::Uuid;

use super::rules;
use crate::{
    Commands, Failure,
    users::links::{self, LinkToken},
};

/// Where an invitation stands.
#[derive(Clone, Debug)]
pub struct InvitationView {
    pub invitation: InvitationId,
    pub user: UserId,
    pub organization: Option<OrganizationId>,
    /// `None` for plan staff.
    pub organization_name: Option<String>,
    /// `None` once the person's data was erased.
    pub email: Option<String>,
    pub status: InvitationStatus,
    /// `None` once it is completed or cancelled.
    pub expires_at: Option<DateTime<Utc>>,
    /// What the invited person does next, while the link works.
    pub step: Option<InvitationStep>,
}

impl Commands {
    /// The invitation behind a link that works (MC-17). Writes nothing: opening is recorded with
    /// the first step.
    ///
    /// # Errors
    /// `LINK_INVALID`, `LINK_EXPIRED`, `LINK_USED`, or the database did not answer.
    pub async fn invitation_by_link(
        &self,
        tenant: TenantId,
        token: &LinkToken,
    ) -> Result<InvitationView, Failure> {
        let id = links::invitation_of(&self.journal, tenant, token).await?;
        let state = self.journal.load_fresh::<Invitation>(tenant, id.0).await?.state;
        let link = present_link(&state)
            .filter(|link| links::is_invitation_link(&self.journal, token, *link))
            .unwrap_or(LinkId(Uuid::nil()));
        state.check_link(link, self.journal.now()).map_err(Refusal::from)?;
        self.invitation(tenant, id).await
    }

    /// An invitation by its id; the caller has decided who may ask.
    ///
    /// # Errors
    /// `NOT_FOUND`, or the database did not answer.
    pub async fn invitation(
        &self,
        tenant: TenantId,
        id: InvitationId,
    ) -> Result<InvitationView, Failure> {
        let state = self.journal.load_fresh::<Invitation>(tenant, id.0).await?.state;
        let shown = self.invitation_shown(tenant, id, &state).await?;
        shown.ok_or_else(|| Refusal::not_found("invitationId").into())
    }

    /// The invitations of these ids, those that were never sent left out; the caller has decided who
    /// may ask.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn invitations(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<InvitationView>, Failure> {
        let mut shown = Vec::new();
        for (id, state) in self.journal.load_all::<Invitation>(tenant, ids).await? {
            shown.extend(self.invitation_shown(tenant, InvitationId(id), &state).await?);
        }
        Ok(shown)
    }

    async fn invitation_shown(
        &self,
        tenant: TenantId,
        id: InvitationId,
        state: &Invitation,
    ) -> Result<Option<InvitationView>, Failure> {
        let now = self.journal.now();
        let (Some(invited), Some(status)) = (state.invited(), state.status(now)) else {
            return Ok(None);
        };
        let organization_name = match invited.organization {
            Some(id) => {
                let organization = self.journal.load::<Organization>(tenant, id.0).await?.state;
                organization.record().map(|record| record.name.to_string())
            }
            None => None,
        };
        let (expires_at, step) = match state {
            Invitation::Open(open) => {
                let policies =
                    self.journal.load::<PolicyHistory>(tenant, tenant.policy_stream()).await?;
                let (_, policy) = policies.state.at(now);
                let rules = rules(&self.journal, tenant, policy, now).await?;
                let step = (now < open.expires_at).then(|| open.next_step(&rules));
                (Some(open.expires_at), step)
            }
            Invitation::Expired(open) => (Some(open.expires_at), None),
            Invitation::NotSent | Invitation::Completed(_) | Invitation::Cancelled(_) => {
                (None, None)
            }
        };
        Ok(Some(InvitationView {
            invitation: id,
            user: invited.user,
            organization: invited.organization,
            organization_name,
            email: invited.email.get().map(ToString::to_string),
            status,
            expires_at,
            step,
        }))
    }
}

/// The newest link of an invitation that is not over.
pub(super) fn present_link(state: &Invitation) -> Option<LinkId> {
    match state {
        Invitation::Open(open) | Invitation::Expired(open) => Some(open.link_id),
        Invitation::NotSent | Invitation::Completed(_) | Invitation::Cancelled(_) => None,
    }
}
