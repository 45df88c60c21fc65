//! `RecordRightUse`: the service writes down which rights a person used on a day that is over (GN-16).

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::right_use::{RightUseCommand, RightUses, UseSource, UsedRight},
    values::CalendarDate,
};

use crate::{Access, Command, Context, Failure};

/// Writes down what a person used in an organisation, or in the plan, on a day.
pub struct RecordRightUse {
    pub user: UserId,
    /// `None` for roles of the plan.
    pub organization: Option<OrganizationId>,
    pub rights: Vec<UsedRight>,
    pub day: CalendarDate,
}

#[async_trait]
impl Command for RecordRightUse {
    const NAME: &'static str = "RecordRightUse";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let Self { user, organization, day, .. } = *self;
        let stream = cx.tenant().right_use_stream(user, organization);
        for right in self.rights.iter().cloned() {
            let source = UseSource::Portal;
            let record = RightUseCommand::RecordRightUse { user, organization, right, day, source };
            cx.decide::<RightUses>(stream, record).await?;
        }
        Ok(())
    }
}
