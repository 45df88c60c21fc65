//! `RecordRightUse`: the service writes down that a right was used on a day that is over (GN-16).

use async_trait::async_trait;
use rollcall_domain::{
    permissions::right_use::{RightUseCommand, RightUses, UseSource},
    values::CalendarDate,
};

use super::Noted;
use crate::{Access, Command, Context, Failure};

/// Writes a use down.
pub struct RecordRightUse {
    pub used: Noted,
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
        let Noted { user, organization, right } = self.used.clone();
        let stream = cx.tenant().right_use_stream(user, organization);
        let (day, source) = (self.day, UseSource::Portal);
        let record = RightUseCommand::RecordRightUse { user, organization, right, day, source };
        cx.decide::<RightUses>(stream, record).await?;
        Ok(())
    }
}
