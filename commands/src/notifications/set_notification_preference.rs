//! `SetNotificationPreference` (MC-64 to MC-66): a person chooses which notices are mailed.

use async_trait::async_trait;
use rollcall_domain::{
    notifications::{NotificationType, Preference},
    users::user::{User, UserCommand},
};

use super::audience::administered_by;
use crate::{Access, Command, Context, Failure};

/// Chooses mail for one type of notice; what is chosen already changes nothing.
pub struct SetNotificationPreference {
    pub notification_type: NotificationType,
    pub preference: Preference,
}

#[async_trait]
impl Command for SetNotificationPreference {
    const NAME: &'static str = "SetNotificationPreference";
    type Output = ();

    fn access(&self) -> Access {
        Access::SignedIn
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let (user, notification_type) = (cx.person()?, self.notification_type);
        let is_org_admin = notification_type.is_admin_only()
            && !administered_by(cx.journal(), cx.tenant(), user).await?.is_empty();
        let Preference { email, frequency } = self.preference;
        let choose = UserCommand::SetNotificationPreference {
            notification_type,
            email,
            frequency,
            is_org_admin,
        };
        cx.decide::<User>(user, choose).await?;
        Ok(())
    }
}
