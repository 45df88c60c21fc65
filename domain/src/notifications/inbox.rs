//! What one person has read (MC-67). Invariant: reading twice is one event.

use rpds::HashTrieSetSync;
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{NotificationId, UserId};
use crate::{Decider, Decision, Event, Facets, Refusal};

/// An event of stream `notifications.inbox`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InboxEvent {
    /// The person has read the notice.
    NotificationRead { notification: NotificationId, user: UserId },
}

/// A command to stream `notifications.inbox`.
#[derive(Clone, Debug)]
pub enum InboxCommand {
    /// Mark a notice as read; `in_audience` tells whether it was addressed to the person.
    MarkNotificationRead { notification: NotificationId, user: UserId, in_audience: bool },
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

/// The notices one person has read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inbox {
    read: HashTrieSetSync<NotificationId>,
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
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::NotificationRead { user, .. } => Facets::default().subject(*user),
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
        let InboxCommand::MarkNotificationRead { notification, user, in_audience } = command;
        if !in_audience {
            Err(InboxRefusal::NotAddressed)
        } else if self.has_read(notification) {
            Ok(Vec::new())
        } else {
            Ok(vec![InboxEvent::NotificationRead { notification, user }])
        }
    }

    fn evolve(&mut self, event: &InboxEvent) {
        match event {
            InboxEvent::NotificationRead { notification, .. } => {
                self.read.insert_mut(*notification);
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
    fn somebody_elses_notice_is_not_found() {
        given::<Inbox>(&[]).when(mark(false)).refused(Code::NotFound);
    }
}
