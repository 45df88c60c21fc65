//! What became of an email (CX-06). Invariant: telephones and letters are another matter.

use rollcall_domain::notifications::{DeliveryEvent, Recipient};

/// The fate of the newest email to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailFate {
    /// The mail server took it; it may still come back.
    Sent,
    /// It came back.
    Bounced,
    /// Nobody took it, however often it was tried.
    GaveUp,
}

impl EmailFate {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "SENT",
            Self::Bounced => "BOUNCED",
            Self::GaveUp => "GAVE_UP",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Sent, Self::Bounced, Self::GaveUp].into_iter().find(|fate| fate.as_str() == word)
    }

    /// What an event says of an email, and to whom that went; `None` where it says nothing.
    pub(super) fn told(event: &DeliveryEvent) -> Option<(Self, &Recipient)> {
        match event {
            DeliveryEvent::EmailSent { recipient, .. } => Some((Self::Sent, recipient)),
            DeliveryEvent::EmailBounced { recipient, .. } => Some((Self::Bounced, recipient)),
            DeliveryEvent::EmailGaveUp { recipient, .. } => Some((Self::GaveUp, recipient)),
            DeliveryEvent::MessageQueued(_)
            | DeliveryEvent::SmsSent { .. }
            | DeliveryEvent::SmsGaveUp { .. }
            | DeliveryEvent::VoiceCallPlaced { .. }
            | DeliveryEvent::VoiceCallGaveUp { .. }
            | DeliveryEvent::LetterPrinted { .. }
            | DeliveryEvent::LetterGaveUp { .. }
            | DeliveryEvent::MessageRetried { .. } => None,
        }
    }
}
