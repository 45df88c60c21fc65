//! `SetClientGuidance`: hints for people whose client gives them trouble (CX-01).

use async_trait::async_trait;
use rollcall_domain::{
    content::{ClientGuidance, ClientGuidanceCommand, Guidance},
    tenants::PlanRole,
};

use crate::{Access, Command, Context, Failure};

/// Replaces the tenant's guidance.
pub struct SetClientGuidance {
    pub guidance: Guidance,
}

#[async_trait]
impl Command for SetClientGuidance {
    const NAME: &'static str = "SetClientGuidance";
    type Output = ();

    fn access(&self) -> Access {
        Access::Plan(&[PlanRole::Ce, PlanRole::Pa])
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let stream = cx.tenant().client_guidance_stream();
        let set = ClientGuidanceCommand::SetClientGuidance { guidance: self.guidance.clone() };
        cx.decide::<ClientGuidance>(stream, set).await?;
        Ok(())
    }
}
