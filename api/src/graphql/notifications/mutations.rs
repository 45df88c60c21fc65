//! Marking notices as read, and choosing which are mailed.

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::{
    Access,
    notifications::{MarkNotificationRead, SetNotificationPreference},
};
use rollcall_domain::{
    Code, Refusal,
    notifications::{Frequency, NotificationType, Preference},
};
use rollcall_projections::notifications;

use super::{
    queries::preferences,
    types::{Notification, NotificationPreference},
};
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

/// What mail is to follow notices of a type.
#[derive(InputObject)]
pub struct SetNotificationPreferenceInput {
    /// A `NotificationType` by its name.
    #[graphql(name = "type")]
    pub notification_type: String,
    /// Whether mail is to follow.
    pub email: bool,
    /// IMMEDIATE, DAILY, WEEKLY or OFF.
    pub frequency: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl SetNotificationPreferenceInput {
    fn command(&self) -> Result<SetNotificationPreference, Refusal> {
        let unknown = |code, field, message| move || Refusal::new(code, message).at(field);
        let notification_type = NotificationType::parse(&self.notification_type);
        let no_type = "There are no notices of this type. See notificationPreferences.";
        let frequency = Frequency::parse(&self.frequency);
        let no_frequency = "Choose IMMEDIATE, DAILY, WEEKLY or OFF.";
        Ok(SetNotificationPreference {
            notification_type: notification_type.ok_or_else(unknown(
                Code::TypeUnknown,
                "type",
                no_type,
            ))?,
            preference: Preference {
                email: self.email,
                frequency: frequency.ok_or_else(unknown(
                    Code::FrequencyUnknown,
                    "frequency",
                    no_frequency,
                ))?,
            },
        })
    }
}

payload! {
    /// What `setNotificationPreference` answers.
    SetNotificationPreferencePayload {
        /// What holds for the type now.
        notification_preference: NotificationPreference,
    }
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

    /// Chooses whether and how often mail follows notices of a type (MC-64, MC-65); in the portal
    /// they stand in any case. Errors: TYPE_UNKNOWN, FREQUENCY_UNKNOWN, NOT_ORG_ADMIN for types
    /// marked `adminOnly`, FIELD_INVALID for mail about the security of the account.
    async fn set_notification_preference(
        &self,
        ctx: &Context<'_>,
        input: SetNotificationPreferenceInput,
    ) -> Result<SetNotificationPreferencePayload> {
        let command = input.command();
        let chosen = command.as_ref().ok().map(|command| command.notification_type);
        let sent = send(ctx, input.meta, command).await?;
        let selected = ctx.look_ahead().field("notificationPreference").exists();
        let preference = match chosen.filter(|_| selected && sent.output.is_some()) {
            Some(kind) => preferences(ctx, sent.position)
                .await?
                .into_iter()
                .find(|preference| preference.notification_type == kind.into()),
            None => None,
        };
        Ok(SetNotificationPreferencePayload::of(sent, preference))
    }
}
