//! What one person has read, and which notices digests told them of (MC-65, MC-67). Invariant:
//! reading twice is one event, and no notice is in two digests.

use rpds::HashTrieSetSync;
use serde::{Deserialize, Serialize};

use super::Frequency;
use crate::kernel::ids::{NotificationId, UserId};
use crate::{Decider, Decision, Event, Facets, Refusal};

/// An event of stream `notifications.inbox`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InboxEvent {
    /// The person has read the notice.
    NotificationRead { notification: NotificationId, user: UserId },
    /// One mail tells of these notices, raised since the digest before.
    DigestSent { user: UserId, frequency: Frequency, notifications: Vec<NotificationId> },
}

/// A command to stream `notifications.inbox`.
#[derive(Clone, Debug)]
pub enum InboxCommand {
    /// Mark a notice as read; `in_audience` tells whether it was addressed to the person.
    MarkNotificationRead { notification: NotificationId, user: UserId, in_audience: bool },
    /// Tell of these notices in one mail; with none that is new, nothing happens.
    SendDigest { user: UserId, frequency: Frequency, notifications: Vec<NotificationId> },
}

/// Why an inbox refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InboxRefusal {
    #[error("the notice was not addressed to this person")]
    NotAddressed,
}

impl From<InboxRefusal> for Refusal {
    fn from(refusal: InboxRefusal) -> Self {
        match refusal {
            InboxRefusal::NotAddressed => Self::not_found("notificationId"),
        }
    }
}

/// The notices one person has read or was told of by digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inbox {
    read: HashTrieSetSync<NotificationId>,
    digested: HashTrieSetSync<NotificationId>,
}

impl Inbox {
    /// Whether the person has read it.
    #[must_use]
    pub fn has_read(&self, notification: NotificationId) -> bool {
        self.read.contains(&notification)
    }
}

impl Event for InboxEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::NotificationRead { .. } => "notifications.inbox.notification_read",
            Self::DigestSent { .. } => "notifications.inbox.digest_sent",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::NotificationRead { user, .. } | Self::DigestSent { user, .. } => {
                Facets::default().subject(*user)
            }
        }
    }
}

impl Decider for Inbox {
    const TYPE: &'static str = "notifications.inbox";
    type Command = InboxCommand;
    type Event = InboxEvent;
    type Refusal = InboxRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: InboxCommand,
    ) -> Result<Vec<InboxEvent>, InboxRefusal> {
        match command {
            InboxCommand::MarkNotificationRead { in_audience: false, .. } => {
                Err(InboxRefusal::NotAddressed)
            }
            InboxCommand::MarkNotificationRead { notification, user, in_audience: true } => {
                let read = InboxEvent::NotificationRead { notification, user };
                Ok((!self.has_read(notification)).then_some(read).into_iter().collect())
            }
            InboxCommand::SendDigest { user, frequency, mut notifications } => {
                notifications.retain(|notification| !self.digested.contains(notification));
                let is_empty = notifications.is_empty();
                let sent = InboxEvent::DigestSent { user, frequency, notifications };
                Ok((!is_empty).then_some(sent).into_iter().collect())
            }
        }
    }

    fn evolve(&mut self, event: &InboxEvent) {
        match event {
            InboxEvent::NotificationRead { notification, .. } => {
                self.read.insert_mut(*notification);
            }
            InboxEvent::DigestSent { notifications, .. } => {
                for notification in notifications {
                    self.digested.insert_mut(*notification);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;
    use crate::kernel::scenario::{given, id};

    fn mark(in_audience: bool) -> InboxCommand {
        InboxCommand::MarkNotificationRead { notification: id(60), user: id(1), in_audience }
    }

    fn read() -> InboxEvent {
        InboxEvent::NotificationRead { notification: id(60), user: id(1) }
    }

    #[test]
    fn mc_67_a_notice_is_read_once() {
        let inbox = given::<Inbox>(&[]).when(mark(true)).then(&[read()]);
        assert!(inbox.has_read(id(60)) && !inbox.has_read(id(61)));
        given::<Inbox>(&[read()]).when(mark(true)).then(&[]);
    }

    #[test]
    fn mc_65_no_notice_is_in_two_digests_and_none_is_sent_without_notices() {
        let send = |ids: &[u128]| InboxCommand::SendDigest {
            user: id(1),
            frequency: Frequency::Daily,
            notifications: ids.iter().map(|n| id(*n)).collect(),
        };
        let sent = |ids: &[u128]| InboxEvent::DigestSent {
            user: id(1),
            frequency: Frequency::Daily,
            notifications: ids.iter().map(|n| id(*n)).collect(),
        };
        given::<Inbox>(&[]).when(send(&[])).then(&[]);
        given::<Inbox>(&[]).when(send(&[60, 61])).then(&[sent(&[60, 61])]);
        given::<Inbox>(&[sent(&[60, 61])]).when(send(&[61, 62])).then(&[sent(&[62])]);
        given::<Inbox>(&[sent(&[60, 61])]).when(send(&[60, 61])).then(&[]);
    }

    #[test]
    fn somebody_elses_notice_is_not_found() {
        given::<Inbox>(&[]).when(mark(false)).refused(Code::NotFound);
    }
}
