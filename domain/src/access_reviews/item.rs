//! What is reviewed: who, with which access, and what came of it.
//!
//! Invariant: the list of a review and its results each have one text, so that anybody who has the
//! items can check the hash that the events carry.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Certification, ReviewDecision, ReviewedAccess};
use crate::hex;
use crate::kernel::ids::{AffiliationId, JobRoleId, LocationId, UserId};
use crate::policies::{Feature, ReviewedChange};
use crate::values::Npi;

/// Who opened a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Opener {
    /// A person, beside the schedule.
    ByHand { user: UserId },
    /// Its time had come.
    Scheduled,
    /// Something happened after which the policy has it reviewed (GN-15).
    ByChange {
        change: ReviewedChange,
        /// The id of the event.
        event: Uuid,
    },
}

impl Opener {
    /// Whether a rule opened it, not a person.
    #[must_use]
    pub const fn is_a_rule(self) -> bool {
        match self {
            Self::ByHand { .. } => false,
            Self::Scheduled | Self::ByChange { .. } => true,
        }
    }
}

/// What the items of a review were chosen by: memberships, single rights of active members, or both;
/// machines' keys; or the plan's own staff.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewScope {
    /// All active members.
    Roster,
    /// Those who administer the organisation.
    Administrators,
    /// Active members who have not signed in for so many days.
    Dormant { days: u32 },
    /// Every right that was granted.
    Rights,
    /// The levels and types of correspondence by which somebody works for this NPI, entries for all
    /// NPIs included where they decide; for any NPI if none is named.
    Npi { npi: Option<Npi> },
    /// The grants by which somebody uses this feature, job roles that bundle it included; any feature
    /// if none is named.
    Feature { feature: Option<Feature> },
    /// The assignments of this job role, or of any.
    JobRole { role: Option<JobRoleId> },
    /// The grants of this location, or of any.
    Location { location: Option<LocationId> },
    /// The NPIs of providers for which members work under an affiliation, or under any.
    Affiliations { affiliation: Option<AffiliationId> },
    /// All that these people have: their membership, and every right that they were granted.
    People { users: BTreeSet<UserId> },
    /// The organisation's keys by which machines ask and command, whoever made them (GN-28).
    ApiKeys,
    /// The roles of the plan's own people; of the plan itself and of no organisation (GN-31).
    PlanStaff,
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Memberships, and rights that members have.
    Members,
    /// Machines' keys.
    Keys,
    /// Roles of the plan's own people.
    PlanRoles,
}

impl ReviewScope {
    /// What its list is of.
    #[must_use]
    pub const fn listing(&self) -> Listing {
        match self {
            Self::ApiKeys => Listing::Keys,
            Self::PlanStaff => Listing::PlanRoles,
            Self::Roster
            | Self::Administrators
            | Self::Dormant { .. }
            | Self::Rights
            | Self::Npi { .. }
            | Self::Feature { .. }
            | Self::JobRole { .. }
            | Self::Location { .. }
            | Self::Affiliations { .. }
            | Self::People { .. } => Listing::Members,
        }
    }

    /// Whether single rights are among its items; else they are memberships only.
    #[must_use]
    pub const fn is_of_rights(&self) -> bool {
        match self {
            Self::Roster | Self::Administrators | Self::Dormant { .. } => false,
            Self::Rights
            | Self::Npi { .. }
            | Self::Feature { .. }
            | Self::JobRole { .. }
            | Self::Location { .. }
            | Self::Affiliations { .. }
            | Self::People { .. }
            | Self::ApiKeys
            | Self::PlanStaff => true,
        }
    }
}

/// A line of a review's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewItem {
    /// The number in the list, from 1.
    pub item: u32,
    pub user: UserId,
    pub access: ReviewedAccess,
}

/// What came of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ItemOutcome {
    /// Nobody decided yet.
    Undecided,
    /// To be taken away or changed, which has not taken effect or was not verified yet.
    Pending,
    Kept,
    Revoked,
    Changed,
    /// The person left for another reason, or the right ended by somebody else's doing or by itself.
    Gone,
    /// Decided in an earlier review that was signed, unchanged since then and not asked about again (GN-15).
    CarriedForward,
}

/// What is left of access that was to be taken away or changed, as a look at it found (GN-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Leftover {
    /// The membership is in effect.
    Membership,
    /// The organisation-wide permission is another one than was decided.
    Role,
    /// The right is held yet, or at another level than was decided.
    Right,
    /// A session acts for the organisation.
    Session,
    /// A machine's key of the organisation works that the person made, who knows its text.
    ApiKey,
    /// A hand-off to Transaction Services is on its way.
    HandOff,
    /// A file of the organisation's records can be fetched by a link.
    Download,
    /// The access register says otherwise.
    Register,
}

impl Leftover {
    pub const ALL: [Self; 8] = [
        Self::Membership,
        Self::Role,
        Self::Right,
        Self::Session,
        Self::ApiKey,
        Self::HandOff,
        Self::Download,
        Self::Register,
    ];

    /// The name in rows and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Membership => "MEMBERSHIP",
            Self::Role => "ROLE",
            Self::Right => "RIGHT",
            Self::Session => "SESSION",
            Self::ApiKey => "API_KEY",
            Self::HandOff => "HAND_OFF",
            Self::Download => "DOWNLOAD",
            Self::Register => "REGISTER",
        }
    }
}

/// A line of a review's results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewResult {
    pub item: u32,
    pub user: UserId,
    pub access: ReviewedAccess,
    pub outcome: ItemOutcome,
    pub decision: Option<ReviewDecision>,
    /// Nobody where the policy did.
    pub decided_by: Option<UserId>,
    /// Where it was decided that is carried forward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certified: Option<Certification>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub by_policy: bool,
}

/// How many items came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewTotals {
    pub population: u32,
    pub undecided: u32,
    pub pending: u32,
    pub kept: u32,
    pub revoked: u32,
    pub changed: u32,
    pub gone: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub carried_forward: u32,
    /// How many of those kept and taken away the policy decided, and nobody.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub by_policy: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl ReviewTotals {
    pub(super) fn count(&mut self, outcome: ItemOutcome, by_policy: bool) {
        self.population += 1;
        self.by_policy += u32::from(by_policy && outcome != ItemOutcome::Gone);
        let counter = match outcome {
            ItemOutcome::Undecided => &mut self.undecided,
            ItemOutcome::Pending => &mut self.pending,
            ItemOutcome::Kept => &mut self.kept,
            ItemOutcome::Revoked => &mut self.revoked,
            ItemOutcome::Changed => &mut self.changed,
            ItemOutcome::Gone => &mut self.gone,
            ItemOutcome::CarriedForward => &mut self.carried_forward,
        };
        *counter += 1;
    }
}

/// The SHA-256, in hex, of lines: each as JSON without spaces, in the order and under the names of its
/// fields, with a line feed after it.
///
/// # Panics
/// Never in practice: items and results serialise.
#[must_use]
pub fn sha256_of_lines<T: Serialize>(lines: impl IntoIterator<Item = T>) -> String {
    let mut digest = Sha256::new();
    for line in lines {
        digest.update(serde_json::to_vec(&line).expect("a line serialises"));
        digest.update(b"\n");
    }
    hex(&digest.finalize())
}
