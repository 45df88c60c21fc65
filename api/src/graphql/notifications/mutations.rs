//! Marking notices as read.

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::{Access, notifications::MarkNotificationRead};
use rollcall_projections::notifications;

use super::types::Notification;
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    reading::read,
    sending::{MutationMeta, payload, send},
};

/// Commands on notices.
#[derive(Default)]
pub struct NotificationsMutation;

/// Which notice was read.
#[derive(InputObject)]
pub struct MarkNotificationReadInput {
    pub notification_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// What `markNotificationRead` answers.
    MarkNotificationReadPayload {
        /// The notice as it stands now.
        notification: Notification,
    }
}

#[Object]
impl NotificationsMutation {
    /// Marks one of the caller's notices as read (MC-67). Errors: NOT_FOUND.
    async fn mark_notification_read(
        &self,
        ctx: &Context<'_>,
        input: MarkNotificationReadInput,
    ) -> Result<MarkNotificationReadPayload> {
        let command = NodeType::Notification
            .parse(&input.notification_id, "notificationId")
            .map(|notification| MarkNotificationRead { notification });
        let sent = send(ctx, input.meta, command).await?;
        let selected = ctx.look_ahead().field("notification").exists();
        let notification = match sent.output.filter(|_| selected) {
            Some(id) => {
                let mut reading = read(ctx, Access::SignedIn, sent.position).await?;
                let user = reading.authority.person().map_err(top_level)?;
                notifications::notices_by_id(&mut reading.view, user, &[id])
                    .await
                    .map_err(|error| fault(&error))?
                    .pop()
                    .map(Notification::from)
            }
            None => None,
        };
        Ok(MarkNotificationReadPayload::of(sent, notification))
    }
}
