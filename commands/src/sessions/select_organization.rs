//! `SelectOrganization` and `SwitchOrganization`: for whom a session acts (MC-35, MC-36).

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::OrganizationId,
    sessions::{Session, SessionCommand},
};

use super::memberships::memberships_within;
use crate::{Access, Command, Context, Failure, authorization::session_ended};

/// The first choice after signing in.
pub struct SelectOrganization {
    pub organization: OrganizationId,
}

/// Another one, without signing out.
pub struct SwitchOrganization {
    pub organization: OrganizationId,
}

#[async_trait]
impl Command for SelectOrganization {
    const NAME: &'static str = "SelectOrganization";
    type Output = ();

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        act_for(cx, self.organization).await
    }
}

#[async_trait]
impl Command for SwitchOrganization {
    const NAME: &'static str = "SwitchOrganization";
    type Output = ();

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        act_for(cx, self.organization).await
    }
}

async fn act_for(cx: &mut Context<'_>, organization: OrganizationId) -> Result<(), Failure> {
    let id = cx.authority.session.ok_or_else(session_ended)?;
    let session = cx.load::<Session>(id).await?;
    let live = session.live().ok_or_else(session_ended)?;
    let memberships = memberships_within(cx, (live.user, live.started_at)).await?;
    if let Some(refusal) = memberships.barred.get(&organization) {
        return Err(refusal.clone().into());
    }
    let memberships = memberships.open.into_iter().map(|it| it.organization).collect();
    cx.decide::<Session>(id, SessionCommand::SelectOrganization { organization, memberships })
        .await?;
    Ok(())
}
