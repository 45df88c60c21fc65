//! What an event is: a specific fact with a stored name that never changes.

use std::fmt::Debug;

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};

use super::ids::{OrganizationId, UserId};

/// A fact of one aggregate. Serialised externally tagged (`{"NpiAttached":{…}}`), so that the
/// payload alone tells the variant.
pub trait Event:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The stored name `<context>.<aggregate>.<fact>`, e.g. `organizations.organization.npi_attached`.
    /// Frozen by the first stored event.
    fn event_type(&self) -> &'static str;

    /// The version of the payload's shape; a changed shape is a new version and an upcaster.
    fn event_version(&self) -> &'static str {
        "1.0"
    }

    /// The filter fields questions and proofs ask by.
    fn facets(&self) -> Facets;
}

/// Filter fields of an event, copied into the envelope beside the payload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facets {
    /// The person it is about.
    pub subject: Option<UserId>,
    /// The organisation it is about.
    pub organization: Option<OrganizationId>,
    /// The NPI it is about; `None` also for "all NPIs".
    pub npi: Option<String>,
    /// When it applies, if that is not the moment it occurred.
    pub effective_at: Option<DateTime<Utc>>,
}

impl Facets {
    #[must_use]
    pub fn subject(mut self, user: UserId) -> Self {
        self.subject = Some(user);
        self
    }

    #[must_use]
    pub fn organization(mut self, organization: OrganizationId) -> Self {
        self.organization = Some(organization);
        self
    }

    #[must_use]
    pub fn npi(mut self, npi: &impl ToString) -> Self {
        self.npi = Some(npi.to_string());
        self
    }

    #[must_use]
    pub fn effective_at(mut self, at: DateTime<Utc>) -> Self {
        self.effective_at = Some(at);
        self
    }
}
