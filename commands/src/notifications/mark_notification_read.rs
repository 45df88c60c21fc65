//! `MarkNotificationRead` (MC-67): a person has read a notice.

use async_trait::async_trait;
use rollcall_domain::{
    kernel::ids::NotificationId,
    notifications::{Inbox, InboxCommand, Notification},
};

use crate::{Access, Command, Context, Failure};

/// Marks one of the caller's notices as read; a second time nothing happens.
pub struct MarkNotificationRead {
    pub notification: NotificationId,
}

#[async_trait]
impl Command for MarkNotificationRead {
    const NAME: &'static str = "MarkNotificationRead";
    type Output = NotificationId;

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<NotificationId, Failure> {
        let user = cx.person()?;
        let notice = cx.load::<Notification>(self.notification).await?;
        let in_audience = match &*notice {
            Notification::NotRaised => false,
            Notification::Raised(notice) => notice.audience.contains(&user),
        };
        let inbox = cx.tenant().inbox_stream(user);
        let notification = self.notification;
        let mark = InboxCommand::MarkNotificationRead { notification, user, in_audience };
        cx.decide::<Inbox>(inbox, mark).await?;
        Ok(notification)
    }
}
