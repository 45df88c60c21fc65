//! `CancelNpiEnd` and `CarryOutNpiEnd`: an end of holding an NPI that was planned ahead (GN-04).
//!
//! Invariant: the holding ends at its moment by the domain's own rule; what is carried out then, as
//! soon as the scheduler comes, only writes it down, frees the number and lets the next holder begin.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::OrganizationId,
    organizations::{Organization, OrganizationCommand},
    values::Npi,
};

use super::{
    ENROLMENT_STAFF,
    npis::{attach, detach_by, held_details},
};
use crate::{Access, Command, Context, Failure};

/// Calls off what was planned for an NPI.
pub struct CancelNpiEnd {
    pub organization: OrganizationId,
    pub npi: Npi,
    pub expected_version: Option<i64>,
}

#[async_trait]
impl Command for CancelNpiEnd {
    const NAME: &'static str = "CancelNpiEnd";
    type Output = OrganizationId;

    fn access(&self) -> Access {
        Access::PlanOf(self.organization, ENROLMENT_STAFF)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<OrganizationId, Failure> {
        cx.expect_version::<Organization>(self.organization, self.expected_version).await?;
        let cancel = OrganizationCommand::CancelNpiEnd { npi: self.npi.clone() };
        cx.decide::<Organization>(self.organization, cancel).await?;
        Ok(self.organization)
    }
}

/// The moment of a planned end has come.
pub struct CarryOutNpiEnd {
    pub organization: OrganizationId,
    pub npi: Npi,
}

#[async_trait]
impl Command for CarryOutNpiEnd {
    const NAME: &'static str = "CarryOutNpiEnd";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let holder = cx.load::<Organization>(self.organization).await?;
        let planned = holder.npi(&self.npi).and_then(|holding| holding.planned_end.as_ref());
        let Some(to) = planned.map(|end| end.to) else { return Ok(()) };
        let details = held_details(&holder, &self.npi)?;
        let npi = self.npi.clone();
        let end = OrganizationCommand::CarryOutNpiEnd { npi: npi.clone() };
        let ended = detach_by(cx, self.organization, &self.npi, end).await?;
        let (Some(at), Some(to)) = (ended, to) else { return Ok(()) };
        let target = cx.load::<Organization>(to).await?;
        match cx.consider(&*target, details.attached(at)) {
            Ok(()) => attach(cx, to, &details, Some(at)).await,
            Err(refusal) => {
                let fail = OrganizationCommand::FailNpiMove { npi, to, code: refusal.code };
                cx.decide::<Organization>(self.organization, fail).await?;
                Ok(())
            }
        }
    }
}
