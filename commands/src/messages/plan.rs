//! A message that an event causes, before anybody knows its words. Invariant: ids and times only.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{NotificationId, OrganizationId},
    notifications::{Channel, NotificationType},
    values::Npi,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Addressee, Template};
use crate::links::LinkPurpose;

/// One message to one recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    pub template: Template,
    pub channel: Channel,
    pub to: Addressee,
    pub particulars: Particulars,
}

/// What the words need besides the recipient; what a template does not use is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Particulars {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passcode: Option<Passcode>,
    /// The vault reference a temporary password is derived from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_password: Option<Uuid>,
    /// When a link, code or lock ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<OrganizationId>,
    /// The other organisation of an affiliation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterparty: Option<OrganizationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npi: Option<Npi>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<NotificationType>,
    /// The notices a digest tells of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub digest: Vec<NotificationId>,
}

/// A link by what it is for and its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub purpose: LinkPurpose,
    pub id: Uuid,
}

/// A passcode by its challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passcode {
    pub challenge: Uuid,
    pub sent_length: u32,
    /// How many of the last digits are to be typed (MC-20).
    pub digits: u32,
}

impl Planned {
    /// An email without particulars.
    #[must_use]
    pub fn email(template: Template, to: Addressee) -> Self {
        Self { template, channel: Channel::Email, to, particulars: Particulars::default() }
    }

    /// With a link that works until the time given.
    #[must_use]
    pub fn link(mut self, purpose: LinkPurpose, id: impl Into<Uuid>, until: DateTime<Utc>) -> Self {
        self.particulars.link = Some(Link { purpose, id: id.into() });
        self.particulars.until = Some(until);
        self
    }

    /// With the end of what it tells of.
    #[must_use]
    pub fn until(mut self, until: Option<DateTime<Utc>>) -> Self {
        self.particulars.until = until;
        self
    }

    /// About an organisation.
    #[must_use]
    pub fn organization(mut self, organization: Option<OrganizationId>) -> Self {
        self.particulars.organization = organization;
        self
    }

    /// With the other organisation of an affiliation.
    #[must_use]
    pub fn counterparty(mut self, organization: OrganizationId) -> Self {
        self.particulars.counterparty = Some(organization);
        self
    }
}
