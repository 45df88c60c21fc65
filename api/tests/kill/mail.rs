//! What the mail server took, against what was to be told and what is on record.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    sink::Tally,
    writers::{Effect, Told},
};

/// Messages handed over at the same time: so many may have been acknowledged when the service was
/// killed and not have been recorded yet.
pub const AT_ONCE: usize = 2;

/// # Panics
/// When a mail is lost, on record without having arrived, or repeated without cause: after an
/// acknowledgement more than `repeatable` times a kill.
pub fn arrived(
    mails: &BTreeMap<String, Tally>,
    sent: &[String],
    told: &Told,
    (kills, repeatable): (usize, usize),
) {
    let taken: BTreeSet<_> =
        mails.iter().filter(|(_, mail)| mail.acknowledged > 0).map(|(id, _)| id).collect();
    assert_eq!(taken, sent.iter().collect(), "mails acknowledged, and mails on record as sent");
    assert_eq!(taken.len(), mails.len(), "a mail was cut off and not sent again");
    let mut ids: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, mail) in mails {
        assert_eq!(mail.to.len(), 1, "{id} went to {:?}", mail.to);
        ids.entry(&mail.to[0]).or_default().push(id);
    }
    for told in &told.acknowledged {
        if let Effect::Invited(address) = &told.effect {
            let of_address = ids.get(address.as_str()).map_or(0, Vec::len);
            assert_eq!(of_address, 1, "{address} has mail under so many Message-IDs");
        }
    }
    // The sink holds acknowledgements back in every other round.
    let unheld = kills / 2;
    let cut_off: usize = mails.values().map(|mail| mail.cut_off).sum();
    let repeated: usize = mails.values().map(|mail| mail.acknowledged.saturating_sub(1)).sum();
    assert!(cut_off >= kills - unheld, "{cut_off} sends were cut off");
    assert!(repeated <= repeatable * unheld, "{repeated} mails were sent again after their 250");
    println!("  {} mails, {cut_off} sends cut off, {repeated} repeated", mails.len());
}
