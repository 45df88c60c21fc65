//! `RaiseNotification`: the service puts a notice into its audience's lists.

use async_trait::async_trait;
use rollcall_domain::notifications::{Notice, Notification, NotificationCommand};

use crate::{Access, Command, Context, Failure};

/// Raises a notice; with nobody to tell, nothing happens.
pub struct RaiseNotification {
    pub notice: Notice,
}

#[async_trait]
impl Command for RaiseNotification {
    const NAME: &'static str = "RaiseNotification";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let raise = NotificationCommand::Raise(self.notice.clone());
        cx.decide::<Notification>(self.notice.notification, raise).await?;
        Ok(())
    }
}
