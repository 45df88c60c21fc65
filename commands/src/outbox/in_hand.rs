//! What the senders have in hand. A row's lock says so only as long as the database lives: who was
//! handing a message over when it went down goes on, and finds the lock gone.
//!
//! Invariant: one sender at a time hands a message over, and what was taken is not sent again
//! before that is on record.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollcall_domain::kernel::ids::DeliveryId;

/// Messages being handed over, and those that were taken, with the id they were taken under, until
/// this is on record; all senders share it.
#[derive(Clone, Default)]
pub struct InHand(Arc<Mutex<HashMap<DeliveryId, Option<String>>>>);

/// How a message stands.
pub(super) enum Standing {
    /// Nobody had it in hand; the asker has now.
    Free(HandingOver),
    /// Another sender hands it over.
    Underway,
    /// It was taken under this id.
    Taken(String),
}

/// A message in somebody's hand, until it is dropped or taken.
pub(super) struct HandingOver {
    of: InHand,
    delivery: DeliveryId,
}

impl InHand {
    // One insertion or removal at a time: sound after a panic.
    fn all(&self) -> MutexGuard<'_, HashMap<DeliveryId, Option<String>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take_up(&self, delivery: DeliveryId) -> Standing {
        let mut all = self.all();
        match all.get(&delivery) {
            Some(Some(message_id)) => Standing::Taken(message_id.clone()),
            Some(None) => Standing::Underway,
            None => {
                all.insert(delivery, None);
                Standing::Free(HandingOver { of: self.clone(), delivery })
            }
        }
    }

    /// It is on record that it was taken.
    pub(super) fn recorded(&self, delivery: DeliveryId) {
        self.all().remove(&delivery);
    }
}

impl HandingOver {
    pub(super) fn taken(self, message_id: &str) {
        self.of.all().insert(self.delivery, Some(message_id.to_owned()));
    }
}

impl Drop for HandingOver {
    fn drop(&mut self) {
        let mut all = self.of.all();
        if all.get(&self.delivery) == Some(&None) {
            all.remove(&self.delivery);
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn gn_19_a_message_is_in_one_hand_and_what_was_taken_stays_so_until_it_is_on_record() {
        let (senders, delivery) = (InHand::default(), DeliveryId(Uuid::from_u128(1)));
        let Standing::Free(first) = senders.take_up(delivery) else { panic!("free at first") };
        assert!(matches!(senders.take_up(delivery), Standing::Underway));
        let Standing::Free(_) = senders.take_up(DeliveryId(Uuid::from_u128(2))) else {
            panic!("another")
        };
        drop(first);
        let Standing::Free(second) = senders.take_up(delivery) else { panic!("let go of") };
        second.taken("<1@plan.example>");
        let Standing::Taken(id) = senders.take_up(delivery) else { panic!("it was taken") };
        assert_eq!(id, "<1@plan.example>");
        senders.recorded(delivery);
        assert!(matches!(senders.take_up(delivery), Standing::Free(_)));
    }
}
