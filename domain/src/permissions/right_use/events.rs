//! That a right was used on a day. Invariant: one event per person, right and day at most.

use serde::{Deserialize, Serialize};

use super::UsedRight;
use crate::kernel::ids::{OrganizationId, UserId};
use crate::values::CalendarDate;
use crate::{Event, Facets};

/// Who noticed a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UseSource {
    /// The portal itself.
    Portal,
    /// An external system, by its key.
    External,
}

impl UseSource {
    /// The stored word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Portal => "PORTAL",
            Self::External => "EXTERNAL",
        }
    }
}

/// An event of stream `permissions.right_use`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RightUseEvent {
    /// On that day of the tenant the person used the right, however often.
    RightUsed {
        user: UserId,
        /// `None` for roles of the plan.
        organization: Option<OrganizationId>,
        right: UsedRight,
        day: CalendarDate,
        source: UseSource,
    },
}

impl Event for RightUseEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::RightUsed { .. } => "permissions.right_use.right_used",
        }
    }

    fn facets(&self) -> Facets {
        let Self::RightUsed { user, organization, right, .. } = self;
        let facets = Facets { organization: *organization, ..Facets::default() }.subject(*user);
        match &right.npi {
            Some(npi) => facets.npi(npi),
            None => facets,
        }
    }
}
