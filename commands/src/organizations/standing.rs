//! `SuspendOrganization`, `ReopenOrganization`, `CloseOrganization` (GN-03).
//!
//! Invariant: sessions that act for the organisation end in the append that stops it, and its
//! affiliations in the one that ends it. While it is suspended they stand and give nobody anything.

use async_trait::async_trait;
use rollcall_domain::{
    affiliations::{Affiliation, AffiliationCommand},
    kernel::ids::OrganizationId,
    organizations::{Organization, OrganizationCommand, organization::Standing},
    sessions::EndCause,
    values::Reason,
};

use super::{ENROLMENT_STAFF, tokens};
use crate::{Access, Command, Context, Failure, sessions::end_sessions_of};

/// Stops an organisation's access for the time being.
pub struct SuspendOrganization {
    pub organization: OrganizationId,
    pub reason: Reason,
    pub expected_version: Option<i64>,
}

/// Gives a suspended organisation its access back.
pub struct ReopenOrganization {
    pub organization: OrganizationId,
    pub expected_version: Option<i64>,
}

/// Ends an organisation's access for good; its letter token is revoked, its affiliations end.
pub struct CloseOrganization {
    pub organization: OrganizationId,
    pub reason: Reason,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for SuspendOrganization {
    const NAME: &'static str = "SuspendOrganization";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        cx.expect_version::<Organization>(self.organization, self.expected_version).await?;
        suspend(cx, self.organization, self.reason.clone()).await?;
        Ok(self.organization)
    }
}

/// Stops an organisation's access and ends the sessions that act for it.
pub(crate) async fn suspend(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    reason: Reason,
) -> Result<(), Failure> {
    let suspend = OrganizationCommand::SuspendOrganization { reason };
    cx.decide::<Organization>(organization, suspend).await?;
    end_sessions(cx, organization).await
}

#[async_trait]
impl Command for ReopenOrganization {
    const NAME: &'static str = "ReopenOrganization";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        cx.expect_version::<Organization>(self.organization, self.expected_version).await?;
        cx.decide::<Organization>(self.organization, OrganizationCommand::ReopenOrganization)
            .await?;
        Ok(self.organization)
    }
}

#[async_trait]
impl Command for CloseOrganization {
    const NAME: &'static str = "CloseOrganization";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        cx.expect_version::<Organization>(self.organization, self.expected_version).await?;
        let close = OrganizationCommand::CloseOrganization { reason: self.reason.clone() };
        cx.decide::<Organization>(self.organization, close).await?;
        tokens::revoke_active(cx, self.organization, &self.reason).await?;
        end_affiliations(cx, self.organization).await?;
        end_sessions(cx, self.organization).await?;
        Ok(self.organization)
    }
}

async fn end_affiliations(
    cx: &mut Context<'_>,
    organization: OrganizationId,
) -> Result<(), Failure> {
    let streams = cx.streams_with::<Affiliation>(organization, None).await?;
    for stream in streams {
        let end = AffiliationCommand::EndWithOrganization { organization };
        cx.decide::<Affiliation>(stream, end).await?;
    }
    Ok(())
}

async fn end_sessions(cx: &mut Context<'_>, organization: OrganizationId) -> Result<(), Failure> {
    let state = cx.load::<Organization>(organization).await?;
    let active: Vec<_> = state
        .members()
        .filter(|(_, member)| member.standing == Standing::Active)
        .map(|(user, _)| user)
        .collect();
    for user in active {
        end_sessions_of(cx, user, Some(organization), EndCause::Revoked).await?;
    }
    Ok(())
}
