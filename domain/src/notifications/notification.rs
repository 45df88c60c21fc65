//! A notice to one or more people (MC-69). Invariant: it is raised once and names the event it
//! stems from, so that every access request and arrival leaves a record.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{NotificationType, SubjectRef};
use crate::kernel::ids::{NotificationId, OrganizationId, UserId};
use crate::{Code, Decider, Decision, Event, Facets, Refusal};

/// An event of stream `notifications.notification`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NotificationEvent {
    /// The people named find this in their list from now on.
    NotificationRaised(Notice),
}

/// A notice, as raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub notification: NotificationId,
    #[serde(rename = "type")]
    pub notification_type: NotificationType,
    pub audience: Vec<UserId>,
    /// The organisation in whose list it stands; `None` for the person's own affairs.
    pub organization: Option<OrganizationId>,
    /// The id of the event it stems from.
    pub source_event: Uuid,
    pub subject_ref: SubjectRef,
    /// Whether the tenant's policy keeps it out of the portal's lists; mail may follow all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mail_only: bool,
}

/// A command to stream `notifications.notification`.
#[derive(Clone, Debug)]
pub enum NotificationCommand {
    /// Raise the notice; with nobody to tell, or a second time, nothing happens.
    Raise(Notice),
}

/// Why a notification refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotificationRefusal {
    #[error("This notification exists already with another content.")]
    DifferentNotice,
}

impl From<NotificationRefusal> for Refusal {
    fn from(refusal: NotificationRefusal) -> Self {
        match refusal {
            NotificationRefusal::DifferentNotice => {
                Self::new(Code::VersionConflict, refusal.to_string())
            }
        }
    }
}

/// One notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Notification {
    /// The id is not in use.
    #[default]
    NotRaised,
    /// It stands in its audience's lists.
    Raised(Notice),
}

impl Event for NotificationEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::NotificationRaised(_) => "notifications.notification.notification_raised",
        }
    }

    fn facets(&self) -> Facets {
        let Self::NotificationRaised(notice) = self;
        let subject = match notice.audience.as_slice() {
            [only] => Some(*only),
            [] | [_, ..] => None,
        };
        let npi = notice.subject_ref.npi.as_ref().map(ToString::to_string);
        Facets { subject, organization: notice.organization, npi, effective_at: None }
    }
}

impl Decider for Notification {
    const TYPE: &'static str = "notifications.notification";
    type Command = NotificationCommand;
    type Event = NotificationEvent;
    type Refusal = NotificationRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: NotificationCommand,
    ) -> Result<Vec<NotificationEvent>, NotificationRefusal> {
        let NotificationCommand::Raise(notice) = command;
        match self {
            Self::NotRaised if notice.audience.is_empty() => Ok(Vec::new()),
            Self::NotRaised => Ok(vec![NotificationEvent::NotificationRaised(notice)]),
            Self::Raised(raised) if *raised == notice => Ok(Vec::new()),
            Self::Raised(_) => Err(NotificationRefusal::DifferentNotice),
        }
    }

    fn evolve(&mut self, event: &NotificationEvent) {
        match event {
            NotificationEvent::NotificationRaised(notice) => *self = Self::Raised(notice.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{given, id};
    use crate::notifications::SubjectKind;
    use crate::values::Npi;

    fn notice(audience: &[u128]) -> Notice {
        Notice {
            notification: id(60),
            notification_type: NotificationType::PinReset,
            audience: audience.iter().map(|n| id(*n)).collect(),
            organization: Some(id(10)),
            source_event: id(70),
            subject_ref: SubjectRef {
                kind: SubjectKind::Pin,
                id: id(80),
                npi: Some(Npi::parse("1234567893").expect("a valid NPI")),
                happening: None,
                counterparty: None,
            },
            mail_only: false,
        }
    }

    fn raise(audience: &[u128]) -> NotificationCommand {
        NotificationCommand::Raise(notice(audience))
    }

    fn raised(audience: &[u128]) -> NotificationEvent {
        NotificationEvent::NotificationRaised(notice(audience))
    }

    #[test]
    fn mc_69_a_notice_is_raised_once() {
        given::<Notification>(&[]).when(raise(&[1, 2])).then(&[raised(&[1, 2])]);
        given::<Notification>(&[raised(&[1, 2])]).when(raise(&[1, 2])).then(&[]);
        given::<Notification>(&[raised(&[1, 2])]).when(raise(&[3])).refused(Code::VersionConflict);
    }

    #[test]
    fn with_nobody_to_tell_nothing_is_raised() {
        given::<Notification>(&[]).when(raise(&[])).then(&[]);
    }

    #[test]
    fn only_a_notice_to_one_person_is_about_that_person() {
        assert_eq!(raised(&[1]).facets().subject, Some(id(1)));
        assert_eq!(raised(&[1, 2]).facets().subject, None);
        assert_eq!(raised(&[1, 2]).facets().npi.as_deref(), Some("1234567893"));
    }
}
