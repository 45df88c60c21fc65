//! Sentences about notices and messages. Invariant: neither address nor text of a message is told.

use rollcall_domain::notifications::{DeliveryEvent, InboxEvent, NotificationEvent, Recipient};

use super::{Telling, lower};

pub(super) fn notification(event: &NotificationEvent, telling: Telling<'_>) -> String {
    let NotificationEvent::NotificationRaised(notice) = event;
    let kind = lower(&notice.notification_type);
    let whom = match notice.audience.as_slice() {
        [only] => telling.person(*only),
        several => format!("{} people", several.len()),
    };
    let about = match &notice.subject_ref.npi {
        Some(npi) => format!(" about NPI {npi}"),
        None => format!(" about a {}", lower(&notice.subject_ref.kind)),
    };
    format!("A notice of {kind}{about} went to {whom}.")
}

pub(super) fn inbox(event: &InboxEvent, telling: Telling<'_>) -> String {
    match event {
        InboxEvent::NotificationRead { user, .. } => {
            format!("{} read a notice.", telling.person(*user))
        }
        InboxEvent::DigestSent { user, frequency, notifications } => {
            let (person, often) = (telling.person(*user), lower(frequency));
            format!("The {often} digest of {} notices goes to {person}.", notifications.len())
        }
    }
}

pub(super) fn delivery(event: &DeliveryEvent, telling: Telling<'_>) -> String {
    use DeliveryEvent as E;
    let to =
        |recipient: &Recipient| telling.person_or(recipient.user, "somebody without an account");
    match event {
        E::MessageQueued(message) => {
            let (template, channel) = (&message.template, lower(&message.channel));
            format!(
                "The message {template} to {} waits to go out ({channel}).",
                to(&message.recipient)
            )
        }
        E::EmailSent { recipient, .. } => format!("An email to {} was sent.", to(recipient)),
        E::EmailBounced { recipient, status } => {
            let status = status.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
            format!("An email to {} came back{status}.", to(recipient))
        }
        E::EmailGaveUp { recipient, attempts } => {
            format!("An email to {} was given up after {attempts} attempts.", to(recipient))
        }
        E::SmsSent { recipient, .. } => format!("A text message to {} was sent.", to(recipient)),
        E::SmsGaveUp { recipient, attempts } => {
            format!("A text message to {} was given up after {attempts} attempts.", to(recipient))
        }
        E::VoiceCallPlaced { recipient, .. } => format!("A call to {} was placed.", to(recipient)),
        E::VoiceCallGaveUp { recipient, attempts } => {
            format!("A call to {} was given up after {attempts} attempts.", to(recipient))
        }
        E::LetterPrinted { recipient, .. } => format!("A letter to {} was printed.", to(recipient)),
        E::LetterGaveUp { recipient, attempts } => {
            format!("A letter to {} was given up after {attempts} attempts.", to(recipient))
        }
        E::MessageRetried { recipient, channel } => {
            let (who, way) = (telling.who(), lower(channel));
            format!("{who} has a message to {} tried again ({way}).", to(recipient))
        }
    }
}
