//! A message is queued once, its first outcome stands, and only what was given up is tried again.

use super::*;
use crate::kernel::scenario::{given, id};

fn recipient() -> Recipient {
    Recipient { user: Some(id(1)), subject: id(1), invitation: None, former_address: false }
}

fn message(channel: Channel) -> Message {
    Message {
        delivery: id(90),
        channel,
        template: "invitation".to_owned(),
        recipient: recipient(),
        source_event: id(70),
        dedupe_key: "invitation/5/20".to_owned(),
    }
}

fn queued(channel: Channel) -> DeliveryEvent {
    DeliveryEvent::MessageQueued(message(channel))
}

fn email_sent() -> DeliveryEvent {
    DeliveryEvent::EmailSent { recipient: recipient(), message_id: "<1@portal>".to_owned() }
}

fn record_sent() -> DeliveryCommand {
    DeliveryCommand::RecordSent { message_id: "<1@portal>".to_owned() }
}

fn bounce() -> DeliveryCommand {
    DeliveryCommand::RecordBounce { status: Some("5.1.1".to_owned()) }
}

#[test]
fn gn_19_a_message_is_queued_once() {
    let queue = || DeliveryCommand::Queue(message(Channel::Email));
    given::<Delivery>(&[]).when(queue()).then(&[queued(Channel::Email)]);
    given::<Delivery>(&[queued(Channel::Email)]).when(queue()).then(&[]);
    given::<Delivery>(&[queued(Channel::Email), email_sent()]).when(queue()).then(&[]);
}

#[test]
fn each_channel_ends_in_its_own_event() {
    let recipient = recipient();
    let id = || "<1@portal>".to_owned();
    for (channel, sent, gave_up) in [
        (Channel::Email, email_sent(), DeliveryEvent::EmailGaveUp { recipient, attempts: 9 }),
        (
            Channel::Sms,
            DeliveryEvent::SmsSent { recipient, message_id: id() },
            DeliveryEvent::SmsGaveUp { recipient, attempts: 9 },
        ),
        (
            Channel::Voice,
            DeliveryEvent::VoiceCallPlaced { recipient, message_id: id() },
            DeliveryEvent::VoiceCallGaveUp { recipient, attempts: 9 },
        ),
        (
            Channel::Letter,
            DeliveryEvent::LetterPrinted { recipient, document_id: id() },
            DeliveryEvent::LetterGaveUp { recipient, attempts: 9 },
        ),
    ] {
        given::<Delivery>(&[queued(channel)]).when(record_sent()).then(&[sent]);
        given::<Delivery>(&[queued(channel)])
            .when(DeliveryCommand::GiveUp { attempts: 9 })
            .then(&[gave_up]);
    }
}

#[test]
fn an_outcome_that_is_reported_again_changes_nothing() {
    given::<Delivery>(&[queued(Channel::Email), email_sent()]).when(record_sent()).then(&[]);
}

#[test]
fn only_an_email_that_was_sent_bounces() {
    let bounced =
        DeliveryEvent::EmailBounced { recipient: recipient(), status: Some("5.1.1".to_owned()) };
    let history = [queued(Channel::Email), email_sent()];
    let state = given::<Delivery>(&history).when(bounce()).then(&[bounced]);
    assert_eq!(state, Delivery::Bounced);
    let at_the_door =
        DeliveryEvent::EmailBounced { recipient: recipient(), status: Some("5.1.1".to_owned()) };
    given::<Delivery>(&[queued(Channel::Email)]).when(bounce()).then(&[at_the_door]);
    given::<Delivery>(&[queued(Channel::Sms)]).when(bounce()).refused(Code::NotPending);
}

#[test]
fn gn_19_only_a_message_that_was_given_up_is_tried_again() {
    for channel in [Channel::Email, Channel::Sms, Channel::Voice, Channel::Letter] {
        let history = [queued(channel), gave_up(channel, recipient(), 9)];
        let retried = DeliveryEvent::MessageRetried { channel, recipient: recipient() };
        let state = given::<Delivery>(&history).when(DeliveryCommand::Retry).then(&[retried]);
        assert_eq!(state, Delivery::Queued { channel, recipient: recipient() });
    }
    let pending = [queued(Channel::Email)];
    given::<Delivery>(&pending).when(DeliveryCommand::Retry).refused(Code::NotPending);
    let sent = [queued(Channel::Email), email_sent()];
    given::<Delivery>(&sent).when(DeliveryCommand::Retry).refused(Code::NotPending);
    given::<Delivery>(&[]).when(DeliveryCommand::Retry).refused(Code::NotFound);
}

#[test]
fn an_outcome_of_nothing_is_not_found() {
    given::<Delivery>(&[]).when(record_sent()).refused(Code::NotFound);
    given::<Delivery>(&[]).when(DeliveryCommand::GiveUp { attempts: 1 }).refused(Code::NotFound);
}
