//! Changes of a person's data with what stood there before (GN-06: names and phones keep history).
//! Invariant: a field that was not changed is absent.

use serde::{Deserialize, Serialize};

use crate::Sealed;
use crate::kernel::ids::UserId;
use crate::values::{CodeChannel, PersonName, PhoneNumber};

/// What stood there and what stands there now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    pub old: T,
    pub new: T,
}

/// Fields as somebody wants them from now on; `None` leaves one as it is.
#[derive(Clone, Debug, Default)]
pub struct NewDetails {
    pub first_name: Option<PersonName>,
    pub last_name: Option<PersonName>,
    /// `Some(None)` removes it.
    pub business_phone: Option<Option<PhoneNumber>>,
    pub preferred_channel: Option<CodeChannel>,
}

/// The fields that did change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetailChanges {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<Change<Sealed<PersonName>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<Change<Sealed<PersonName>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_phone: Option<Change<Option<Sealed<PhoneNumber>>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_channel: Option<Change<CodeChannel>>,
}

impl DetailChanges {
    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The change from `old` to the wanted value, if there is one.
pub(in crate::users) fn change<T: Clone + PartialEq>(
    old: &T,
    wanted: Option<T>,
) -> Option<Change<T>> {
    wanted.filter(|new| new != old).map(|new| Change { old: old.clone(), new })
}

/// Wraps a wanted value as the person's own.
pub(in crate::users) fn own<T>(user: UserId, wanted: Option<T>) -> Option<Sealed<T>> {
    wanted.map(|value| Sealed::new(user, value))
}
