//! What an item of a review looks like. Invariant: what is shown is what the receipt is of, but names.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::access_reviews::Ground;

use super::granted::{ReviewedGrant, ReviewedKind};
use crate::graphql::{
    access_register::{AccessCauseKind, AccessRight},
    audit::{AuditEvent, PersonReference},
    errors::UserError,
    paging::{PageInfo, connection},
    permissions::last_use::LastUse,
    scalars::{Date, DateTime, Position},
    vocabulary::{NpiLevel, OrgRole},
};

/// What is decided about an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ReviewVerdict {
    /// It stays as it is; what this review took away or changed before comes back, but for keys: one that was
    /// revoked is refused.
    Keep,
    /// It is taken away, now.
    Revoke,
    /// It stays, with another organization-wide permission, or with a lower level for the NPI.
    Change,
}

impl ReviewVerdict {
    /// Of the name in rows.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "KEEP" => Some(Self::Keep),
            "REVOKE" => Some(Self::Revoke),
            "CHANGE" => Some(Self::Change),
            _ => None,
        }
    }
}

/// What came of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::access_reviews::ItemOutcome")]
pub enum ReviewOutcome {
    /// Nobody decided yet.
    Undecided,
    /// To be taken away or changed, which was not verified yet.
    Pending,
    Kept,
    Revoked,
    Changed,
    /// The person left for another reason, or the right ended by somebody else's doing or by itself.
    Gone,
    /// Decided in an earlier review that was signed, unchanged since then and not asked about again.
    CarriedForward,
}

impl ReviewOutcome {
    /// Of the name in rows.
    pub(super) fn named(word: &str) -> Self {
        match word {
            "PENDING" => Self::Pending,
            "KEPT" => Self::Kept,
            "REVOKED" => Self::Revoked,
            "CHANGED" => Self::Changed,
            "GONE" => Self::Gone,
            "CARRIED_FORWARD" => Self::CarriedForward,
            _ => Self::Undecided,
        }
    }
}

/// What a look at access that was taken away or changed found left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::access_reviews::Leftover")]
pub enum ReviewLeftover {
    /// The membership is in effect.
    Membership,
    /// The organization-wide permission is another one than was decided.
    Role,
    /// The right is held yet, or at another level than was decided.
    Right,
    /// A session acts for the organization.
    Session,
    /// A machine's key of the organization works that the person made, who knows its text. Revoke it, and make
    /// another one where a machine needs it.
    ApiKey,
    /// A hand-off to Transaction Services is on its way; it ends by itself.
    HandOff,
    /// A file of the organization's records can be fetched by a link; it ends by itself.
    Download,
    /// The access register says otherwise.
    Register,
}

/// What is recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::access_reviews::Advice")]
pub enum ReviewAdvice {
    Keep,
    Revoke,
}

/// Why something is recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ReviewGroundKind {
    /// The last sign-in was at `at`.
    SignedIn,
    /// Not signed in since `at`.
    NotSignedInSince,
    /// The right was last used on `day`.
    UsedOn,
    /// The right was not used since `day`.
    UnusedSince,
    /// The key was last used at `at`.
    KeyUsed,
    /// The key was not used since `at`, or since it was made then.
    KeyUnusedSince,
}

/// A ground of a recommendation; what cannot be observed is none.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewGround {
    pub kind: ReviewGroundKind,
    pub at: Option<DateTime>,
    pub right: Option<AccessRight>,
    pub day: Option<Date>,
}

impl From<&Ground> for ReviewGround {
    fn from(ground: &Ground) -> Self {
        let signed = |kind, at| Self { kind, at: Some(DateTime::from(at)), right: None, day: None };
        match ground {
            Ground::SignedIn { at } => signed(ReviewGroundKind::SignedIn, *at),
            Ground::NotSignedInSince { at } => signed(ReviewGroundKind::NotSignedInSince, *at),
            Ground::KeyUsed { at } => signed(ReviewGroundKind::KeyUsed, *at),
            Ground::KeyUnusedSince { at } => signed(ReviewGroundKind::KeyUnusedSince, *at),
            Ground::UsedOn { right, day } => Self {
                kind: ReviewGroundKind::UsedOn,
                at: None,
                right: Some(right.kind.into()),
                day: Some(day.date().into()),
            },
            Ground::UnusedSince { right, day } => Self {
                kind: ReviewGroundKind::UnusedSince,
                at: None,
                right: Some(right.kind.into()),
                day: Some(day.date().into()),
            },
        }
    }
}

/// What is recommended about an item (GN-16).
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewRecommendation {
    pub advice: ReviewAdvice,
    pub grounds: Vec<ReviewGround>,
}

/// A kind of right that the person has in the organisation now.
#[derive(Clone, Debug, SimpleObject)]
pub struct ReviewedRight {
    pub right: AccessRight,
    /// For how many NPIs, features and so on.
    pub count: i32,
    /// Since when one of them is held.
    pub since: DateTime,
    /// When one of them was last used.
    pub last_use: LastUse,
}

/// What the review before this one decided about the same access of the person here.
#[derive(Clone, Debug, SimpleObject)]
pub struct PreviousReviewDecision {
    pub decision: ReviewVerdict,
    pub decided_at: DateTime,
    pub decided_by: PersonReference,
    pub access_review_id: ID,
}

/// Where an access was decided last, that is carried forward since nothing has happened to it from then on.
#[derive(Clone, Debug, SimpleObject)]
pub struct CarriedForward {
    /// The signed review in which somebody decided.
    pub access_review_id: ID,
    pub decided_by: PersonReference,
    pub decided_at: DateTime,
}

/// What somebody says of their own access; it decides nothing.
#[derive(Clone, Debug, SimpleObject)]
pub struct SelfAttestation {
    /// Whether they need it still.
    pub needed: bool,
    /// Absent once erased.
    pub reason: Option<String>,
    pub attested_at: DateTime,
}

/// A line of a review's list: somebody's membership, one of their rights, a key that they made, or their role in
/// the plan.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessReviewItem {
    /// The number in the list, from 1.
    pub item: i32,
    pub user: PersonReference,
    pub kind: ReviewedKind,
    /// Of a membership, the organisation-wide permission when the list was frozen.
    pub role: Option<OrgRole>,
    /// The right as it was when the list was frozen; absent for a membership.
    pub granted: Option<ReviewedGrant>,
    /// When that right was last used; a right for all NPIs or types, by any use of its kind. A key's use is told
    /// at once.
    pub last_use: Option<LastUse>,
    /// Whether the right or the plan's role is held now, at whichever level, or the key works; absent for a
    /// membership.
    pub is_held: Option<bool>,
    /// Of a role of the plan, the organizations it counts for now, by their ids; none for the whole plan, and
    /// absent where it is not held.
    pub present_organization_ids: Option<Vec<ID>>,
    /// The present level for the NPI.
    pub present_level: Option<NpiLevel>,
    /// When the membership began.
    pub member_since: Option<DateTime>,
    /// When the permission or right was given, or the membership that is without one; of correspondence,
    /// when its types were last set for the NPI.
    pub granted_at: Option<DateTime>,
    pub grant_cause: Option<AccessCauseKind>,
    /// The event that gave it, with who did; absent where the reader may not see it.
    pub grant_event: Option<AuditEvent>,
    /// When the person last began to act for the organisation; the plan's people, last signed in.
    pub last_sign_in_at: Option<DateTime>,
    pub rights: Vec<ReviewedRight>,
    pub previous_decision: Option<PreviousReviewDecision>,
    /// Of an item that is decided, what was recommended then; absent where nothing is known to go by.
    pub recommendation: Option<ReviewRecommendation>,
    pub outcome: ReviewOutcome,
    /// Of what is carried forward, from where; it can be decided about all the same.
    pub carried_forward: Option<CarriedForward>,
    pub decision: Option<ReviewVerdict>,
    /// Of CHANGE of a membership.
    pub new_role: Option<OrgRole>,
    /// Of CHANGE of a level for an NPI.
    pub new_level: Option<NpiLevel>,
    /// Of REVOKE, the last day at work if it was given.
    pub left_on: Option<Date>,
    /// Absent once erased.
    pub reason: Option<String>,
    pub decided_by: Option<PersonReference>,
    pub decided_at: Option<DateTime>,
    /// What the person says of it, where the review asks them.
    pub self_attestation: Option<SelfAttestation>,
    /// Who is to decide instead of the administrators.
    pub delegated_to: Option<PersonReference>,
    /// Who was away, where it was decided in their place.
    pub decided_in_place_of: Option<PersonReference>,
    /// Whether the decision waits for a second reviewer to confirm it; who did.
    pub awaits_second_reviewer: bool,
    pub confirmed_by: Option<PersonReference>,
    pub confirmed_at: Option<DateTime>,
    /// Whether the policy decided, because nobody did until the grace was over.
    pub decided_by_policy: bool,
    /// Whether what was decided is carried out when the review closes, which has not come to it yet.
    pub waits_for_closing: bool,
    /// Why what was decided could not be carried out, or the policy could not take it away: decide again.
    pub refusal: Option<UserError>,
    /// When the decision took effect.
    pub executed_at: Option<DateTime>,
    /// Whether the access was looked up afterwards and found to be as decided.
    pub verified: bool,
    /// From the decision to its effect.
    pub delay_seconds: Option<i32>,
    /// What the last look found left; the next one comes within about a minute.
    pub remaining: Vec<ReviewLeftover>,
    /// Whether the person is an active member now; a key works on when they are not, and the plan's people are
    /// nobody's members.
    pub is_member: bool,
    /// Membership, permission or right are others than when the list was frozen.
    pub changed_since: bool,
}

#[derive(SimpleObject)]
pub struct AccessReviewItemEdge {
    pub cursor: String,
    pub node: AccessReviewItem,
}

/// One page of a review's list (Relay), with the receipt of what is shown.
#[derive(SimpleObject)]
pub struct AccessReviewItemConnection {
    pub edges: Vec<AccessReviewItemEdge>,
    pub nodes: Vec<AccessReviewItem>,
    pub page_info: PageInfo,
    /// What `decideReviewItems` takes: it shows what the reviewer had before them. Absent for machines.
    pub receipt: Option<String>,
    /// The place in the journal that the page holds for, and the SHA-256 of its items without names as
    /// canonical JSON (RFC 8785): what the receipt says.
    pub position: Position,
    pub sha256: String,
}

/// Somebody who became a member after the list was frozen, or a right, key or role of the plan that came into scope
/// (GN-16).
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessReviewJoiner {
    pub user: PersonReference,
    pub role: OrgRole,
    /// Absent where the members themselves are reviewed.
    pub granted: Option<ReviewedGrant>,
    pub joined_at: DateTime,
}

connection!(AccessReviewJoinerConnection, AccessReviewJoinerEdge, AccessReviewJoiner);
