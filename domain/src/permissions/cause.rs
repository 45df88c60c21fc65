//! Why a right was given or ended; the access register shows it with every interval.
//!
//! Invariant: the stored names never change; a new way to come by a right is a new name.

use serde::{Deserialize, Serialize};

/// By what a permission came to be what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cause {
    /// The registrant of an organisation gets everything (MC-08).
    Registration,
    /// An administrator of the organisation set it.
    Administrator,
    /// Plan staff set it.
    Plan,
    /// A request was approved.
    Request,
    /// A periodic review took it away or kept it.
    Review,
    /// It came with the import of existing people (GN-33).
    LegacyImport,
    /// The NPI permission it stands on went away (GN-12).
    NpiPermissionRemoved,
    /// It came with an organisation that was merged into this one (GN-03).
    Merge,
}

/// Why an NPI permission is no longer there, without anybody having set another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum GrantEnd {
    /// Its time was over (GN-13).
    Expired,
    /// The organisation holds the NPI no longer (GN-04).
    NpiDetached,
}

/// Why all permissions of a membership ended at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PermissionsEnd {
    /// The administrator who reactivated the member did not confirm them (GN-12).
    NotConfirmed,
    /// An invitation ended before the person became a member.
    InvitationEnded,
    /// The organisation was closed.
    OrganizationClosed,
    /// The person moved to another organisation (AL-08).
    Moved,
}
