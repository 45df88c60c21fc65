//! One message on its way to one recipient (GN-19). Invariant: attempts live in the outbox; here
//! stand only what was asked for and how it ended.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::ids::{DeliveryId, InvitationId, SubjectId, UserId};
use crate::{Code, Decider, Decision, Event, Facets, Refusal};

/// By which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Channel {
    Email,
    Sms,
    Voice,
    Letter,
}

impl Channel {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Sms => "SMS",
            Self::Voice => "VOICE",
            Self::Letter => "LETTER",
        }
    }

    /// Reads a stored name back.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Email, Self::Sms, Self::Voice, Self::Letter]
            .into_iter()
            .find(|channel| channel.as_str() == name)
    }
}

/// To whom; the address itself is looked up when the message is rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The person, where there is an account.
    pub user: Option<UserId>,
    /// Whose data the message holds: the person, a registration, an organisation's contact.
    pub subject: SubjectId,
    /// The invitation whose address it goes to; that need not be an account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<InvitationId>,
    /// Whether it goes to an address that the person has replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub former_address: bool,
}

/// A message, as asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub delivery: DeliveryId,
    pub channel: Channel,
    /// The template's name; bodies are rendered when sent and hold no secret here.
    pub template: String,
    pub recipient: Recipient,
    /// The id of the event that it tells of.
    pub source_event: Uuid,
    /// What makes a repetition recognisable.
    pub dedupe_key: String,
}

/// An event of stream `notifications.delivery`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum DeliveryEvent {
    /// The message is to be sent.
    MessageQueued(Message),
    /// The mail server took it.
    EmailSent { recipient: Recipient, message_id: String },
    /// It came back; `status` is the enhanced status code of RFC 3463, such as `5.1.1`.
    EmailBounced { recipient: Recipient, status: Option<String> },
    /// It was given up after so many attempts.
    EmailGaveUp { recipient: Recipient, attempts: u32 },
    /// The provider took the text message.
    SmsSent { recipient: Recipient, message_id: String },
    /// The text message was given up after so many attempts.
    SmsGaveUp { recipient: Recipient, attempts: u32 },
    /// The provider took the call.
    VoiceCallPlaced { recipient: Recipient, message_id: String },
    /// The call was given up after so many attempts.
    VoiceCallGaveUp { recipient: Recipient, attempts: u32 },
    /// The letter lies in the print folder.
    LetterPrinted { recipient: Recipient, document_id: String },
    /// The letter could not be made after so many attempts.
    LetterGaveUp { recipient: Recipient, attempts: u32 },
    /// Somebody has a message that was given up tried again.
    MessageRetried { channel: Channel, recipient: Recipient },
}

/// A command to stream `notifications.delivery`.
#[derive(Clone, Debug)]
pub enum DeliveryCommand {
    /// Have it sent; a second time nothing happens.
    Queue(Message),
    /// It was handed over under the id given.
    RecordSent { message_id: String },
    /// An email came back, or was refused at the door because of its address.
    RecordBounce { status: Option<String> },
    /// No further attempt will be made.
    GiveUp { attempts: u32 },
    /// Have it tried again after it was given up.
    Retry,
}

/// Why a delivery refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryRefusal {
    #[error("Nothing was queued under this id.")]
    NotQueued,
    #[error("Only emails can bounce.")]
    CannotBounce,
    #[error("Only a message that was given up is tried again.")]
    NotGivenUp,
}

impl From<DeliveryRefusal> for Refusal {
    fn from(refusal: DeliveryRefusal) -> Self {
        match refusal {
            DeliveryRefusal::NotQueued => Self::not_found("deliveryId"),
            DeliveryRefusal::CannotBounce | DeliveryRefusal::NotGivenUp => {
                Self::new(Code::NotPending, refusal.to_string())
            }
        }
    }
}

/// One message's fate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// The id is not in use.
    #[default]
    NotQueued,
    /// Waiting or being tried.
    Queued { channel: Channel, recipient: Recipient },
    /// Handed over.
    Sent { channel: Channel, recipient: Recipient },
    /// Came back.
    Bounced,
    /// Given up: a dead letter.
    GaveUp { channel: Channel, recipient: Recipient },
}

impl Event for DeliveryEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::MessageQueued(_) => "notifications.delivery.message_queued",
            Self::EmailSent { .. } => "notifications.delivery.email_sent",
            Self::EmailBounced { .. } => "notifications.delivery.email_bounced",
            Self::EmailGaveUp { .. } => "notifications.delivery.email_gave_up",
            Self::SmsSent { .. } => "notifications.delivery.sms_sent",
            Self::SmsGaveUp { .. } => "notifications.delivery.sms_gave_up",
            Self::VoiceCallPlaced { .. } => "notifications.delivery.voice_call_placed",
            Self::VoiceCallGaveUp { .. } => "notifications.delivery.voice_call_gave_up",
            Self::LetterPrinted { .. } => "notifications.delivery.letter_printed",
            Self::LetterGaveUp { .. } => "notifications.delivery.letter_gave_up",
            Self::MessageRetried { .. } => "notifications.delivery.message_retried",
        }
    }

    fn facets(&self) -> Facets {
        let recipient = match self {
            Self::MessageQueued(message) => &message.recipient,
            Self::EmailSent { recipient, .. }
            | Self::EmailBounced { recipient, .. }
            | Self::EmailGaveUp { recipient, .. }
            | Self::SmsSent { recipient, .. }
            | Self::SmsGaveUp { recipient, .. }
            | Self::VoiceCallPlaced { recipient, .. }
            | Self::VoiceCallGaveUp { recipient, .. }
            | Self::LetterPrinted { recipient, .. }
            | Self::LetterGaveUp { recipient, .. }
            | Self::MessageRetried { recipient, .. } => recipient,
        };
        Facets { subject: recipient.user, ..Facets::default() }
    }
}

fn sent(channel: Channel, recipient: Recipient, message_id: String) -> DeliveryEvent {
    match channel {
        Channel::Email => DeliveryEvent::EmailSent { recipient, message_id },
        Channel::Sms => DeliveryEvent::SmsSent { recipient, message_id },
        Channel::Voice => DeliveryEvent::VoiceCallPlaced { recipient, message_id },
        Channel::Letter => DeliveryEvent::LetterPrinted { recipient, document_id: message_id },
    }
}

fn gave_up(channel: Channel, recipient: Recipient, attempts: u32) -> DeliveryEvent {
    match channel {
        Channel::Email => DeliveryEvent::EmailGaveUp { recipient, attempts },
        Channel::Sms => DeliveryEvent::SmsGaveUp { recipient, attempts },
        Channel::Voice => DeliveryEvent::VoiceCallGaveUp { recipient, attempts },
        Channel::Letter => DeliveryEvent::LetterGaveUp { recipient, attempts },
    }
}

impl Decider for Delivery {
    const TYPE: &'static str = "notifications.delivery";
    type Command = DeliveryCommand;
    type Event = DeliveryEvent;
    type Refusal = DeliveryRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: DeliveryCommand,
    ) -> Result<Vec<DeliveryEvent>, DeliveryRefusal> {
        match (command, self) {
            (DeliveryCommand::Queue(message), Self::NotQueued) => {
                Ok(vec![DeliveryEvent::MessageQueued(message)])
            }
            (
                DeliveryCommand::RecordSent { .. }
                | DeliveryCommand::RecordBounce { .. }
                | DeliveryCommand::GiveUp { .. }
                | DeliveryCommand::Retry,
                Self::NotQueued,
            ) => Err(DeliveryRefusal::NotQueued),
            (DeliveryCommand::RecordSent { message_id }, Self::Queued { channel, recipient }) => {
                Ok(vec![sent(*channel, *recipient, message_id)])
            }
            (DeliveryCommand::GiveUp { attempts }, Self::Queued { channel, recipient }) => {
                Ok(vec![gave_up(*channel, *recipient, attempts)])
            }
            (
                DeliveryCommand::RecordBounce { status },
                Self::Queued { channel: Channel::Email, recipient }
                | Self::Sent { channel: Channel::Email, recipient },
            ) => Ok(vec![DeliveryEvent::EmailBounced { recipient: *recipient, status }]),
            (DeliveryCommand::RecordBounce { .. }, Self::Queued { .. } | Self::Sent { .. }) => {
                Err(DeliveryRefusal::CannotBounce)
            }
            (DeliveryCommand::Retry, Self::GaveUp { channel, recipient }) => {
                let (channel, recipient) = (*channel, *recipient);
                Ok(vec![DeliveryEvent::MessageRetried { channel, recipient }])
            }
            (DeliveryCommand::Retry, Self::Queued { .. } | Self::Sent { .. } | Self::Bounced) => {
                Err(DeliveryRefusal::NotGivenUp)
            }
            // Outcomes repeat when an acknowledgement was lost; the first one stands.
            (_, Self::Queued { .. } | Self::Sent { .. } | Self::Bounced | Self::GaveUp { .. }) => {
                Ok(Vec::new())
            }
        }
    }

    fn evolve(&mut self, event: &DeliveryEvent) {
        match event {
            DeliveryEvent::MessageQueued(Message { channel, recipient, .. }) => {
                *self = Self::Queued { channel: *channel, recipient: *recipient };
            }
            DeliveryEvent::EmailSent { recipient, .. } => self.is_sent(Channel::Email, *recipient),
            DeliveryEvent::SmsSent { recipient, .. } => self.is_sent(Channel::Sms, *recipient),
            DeliveryEvent::VoiceCallPlaced { recipient, .. } => {
                self.is_sent(Channel::Voice, *recipient);
            }
            DeliveryEvent::LetterPrinted { recipient, .. } => {
                self.is_sent(Channel::Letter, *recipient);
            }
            DeliveryEvent::EmailBounced { .. } => *self = Self::Bounced,
            DeliveryEvent::EmailGaveUp { recipient, .. } => {
                self.is_given_up(Channel::Email, *recipient);
            }
            DeliveryEvent::SmsGaveUp { recipient, .. } => {
                self.is_given_up(Channel::Sms, *recipient);
            }
            DeliveryEvent::VoiceCallGaveUp { recipient, .. } => {
                self.is_given_up(Channel::Voice, *recipient);
            }
            DeliveryEvent::LetterGaveUp { recipient, .. } => {
                self.is_given_up(Channel::Letter, *recipient);
            }
            DeliveryEvent::MessageRetried { channel, recipient } => {
                *self = Self::Queued { channel: *channel, recipient: *recipient };
            }
        }
    }
}

impl Delivery {
    fn is_sent(&mut self, channel: Channel, recipient: Recipient) {
        *self = Self::Sent { channel, recipient };
    }

    fn is_given_up(&mut self, channel: Channel, recipient: Recipient) {
        *self = Self::GaveUp { channel, recipient };
    }
}

#[cfg(test)]
#[path = "delivery_tests.rs"]
mod tests;
