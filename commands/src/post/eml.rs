//! An email as RFC 5322 text. Invariant: its Message-ID follows from the delivery alone.

use std::time::SystemTime;

use lettre::{
    Message,
    message::{Mailbox, header::ContentType},
};
use rollcall_domain::kernel::ids::DeliveryId;

use super::{NotTaken, Parcel};
use crate::messages::Address;

/// The Message-ID of a delivery, with brackets.
pub fn message_id(delivery: DeliveryId, from: &Mailbox) -> String {
    format!("<{delivery}@{}>", from.email.domain())
}

/// The message from `from`.
///
/// # Errors
/// [`NotTaken::Ever`] for an address that no email reaches.
pub fn compose(parcel: &Parcel, from: &Mailbox) -> Result<Message, NotTaken> {
    let Address::Email(to) = &parcel.content.to else {
        return Err(NotTaken::Ever("not an email address".to_owned()));
    };
    let to = to.parse().map_err(|_| NotTaken::Ever("address not sendable".to_owned()))?;
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(&parcel.content.subject)
        .message_id(Some(message_id(parcel.delivery, from)))
        .date(SystemTime::from(parcel.at))
        .header(ContentType::TEXT_PLAIN)
        .body(parcel.content.text.clone())
        .map_err(|_| NotTaken::Ever("message not representable".to_owned()))
}
