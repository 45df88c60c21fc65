//! What a review looks like. Invariant: what people signed with is opened only when it was asked for.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::{
    access_reviews::{ReviewScope, ReviewStatus},
    policies::{RevocationMode, SecondReviewer},
};
use rollcall_projections::access_reviews::Figures;
use uuid::Uuid;

use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
    ids::NodeType,
    paging::connection,
    scalars::{Date, DateTime, NpiScalar, Position},
    vocabulary::Feature,
};

/// Where a review stands.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::access_reviews::ReviewStatus")]
pub enum AccessReviewStatus {
    Open,
    /// Due, and not signed; it can still be.
    Overdue,
    Completed,
    Cancelled,
}

impl AccessReviewStatus {
    /// Of the name in rows.
    pub(super) fn named(word: &str) -> Self {
        use ReviewStatus as S;
        let all = [S::Open, S::Overdue, S::Completed, S::Cancelled];
        all.into_iter().find(|status| status.as_str() == word).unwrap_or(S::Open).into()
    }
}

/// Who is reviewed, or which of their rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum ReviewChoice {
    /// All active members.
    #[default]
    Roster,
    /// Those who administer the organization.
    Administrators,
    /// Active members who have not signed in for `dormantDays`.
    Dormant,
    /// Every right that was granted to active members, each an item of its own.
    Rights,
    /// Levels and correspondence for `npi`, by an entry for all NPIs too where it counts; for any NPI if
    /// none is named.
    Npi,
    /// Grants of `feature`, and job roles that bundle it; of any feature if none is named.
    Feature,
    /// Assignments of the job role `jobRoleId`, or of any.
    JobRole,
    /// Grants of the location `locationId`, or of any.
    Location,
    /// For which NPIs of providers members work, under the affiliation `affiliationId` or under any.
    Affiliations,
    /// The membership of each of `userIds` and every right that they were granted.
    People,
    /// The organization's keys by which machines ask and command, whoever made them: who left included.
    ApiKeys,
    /// The roles of the health plan's own people, each an item of its own. Such a review is of the plan itself:
    /// `organizationId` is left out.
    PlanStaff,
}

/// What the items of a review were chosen by.
#[derive(Clone, Debug, Default, SimpleObject)]
pub struct AccessReviewScope {
    pub choice: ReviewChoice,
    /// Only for DORMANT.
    pub dormant_days: Option<i32>,
    /// For NPI, where it is one.
    pub npi: Option<NpiScalar>,
    /// For FEATURE, where it is one.
    pub feature: Option<Feature>,
    /// For JOB_ROLE, where it is one.
    pub job_role_id: Option<ID>,
    /// For LOCATION, where it is one.
    pub location_id: Option<ID>,
    /// For AFFILIATIONS, where it is one.
    pub affiliation_id: Option<ID>,
    /// For PEOPLE.
    pub user_ids: Option<Vec<ID>>,
}

impl From<&ReviewScope> for AccessReviewScope {
    fn from(scope: &ReviewScope) -> Self {
        let of = |choice| Self { choice, ..Self::default() };
        match scope {
            ReviewScope::Roster => of(ReviewChoice::Roster),
            ReviewScope::Administrators => of(ReviewChoice::Administrators),
            ReviewScope::Dormant { days } => {
                let days = i32::try_from(*days).unwrap_or(i32::MAX);
                Self { dormant_days: Some(days), ..of(ReviewChoice::Dormant) }
            }
            ReviewScope::Rights => of(ReviewChoice::Rights),
            ReviewScope::Npi { npi } => {
                let npi = npi.as_ref().map(|npi| NpiScalar(npi.to_string()));
                Self { npi, ..of(ReviewChoice::Npi) }
            }
            ReviewScope::Feature { feature } => {
                Self { feature: feature.map(Into::into), ..of(ReviewChoice::Feature) }
            }
            ReviewScope::JobRole { role } => {
                let job_role_id = role.map(|role| ID::from(role.to_string()));
                Self { job_role_id, ..of(ReviewChoice::JobRole) }
            }
            ReviewScope::Location { location } => {
                let location_id = location.map(|location| ID::from(location.to_string()));
                Self { location_id, ..of(ReviewChoice::Location) }
            }
            ReviewScope::Affiliations { affiliation } => {
                let affiliation_id = affiliation.map(|it| NodeType::Affiliation.id(it.0));
                Self { affiliation_id, ..of(ReviewChoice::Affiliations) }
            }
            ReviewScope::People { users } => {
                let ids = users.iter().map(|user| NodeType::User.id(user.0));
                Self { user_ids: Some(ids.collect()), ..of(ReviewChoice::People) }
            }
            ReviewScope::ApiKeys => of(ReviewChoice::ApiKeys),
            ReviewScope::PlanStaff => of(ReviewChoice::PlanStaff),
        }
    }
}

/// How many items came to what.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct AccessReviewCounts {
    pub undecided: i32,
    /// To be taken away or changed, which was not verified yet.
    pub pending: i32,
    pub kept: i32,
    pub revoked: i32,
    pub changed: i32,
    /// The person left, or the right ended, for another reason; nobody has to decide about it.
    pub gone: i32,
    /// Decided in an earlier review that was signed, unchanged since; nobody has to decide about it.
    pub carried_forward: i32,
    /// How many of those kept, pending and taken away the policy decided, and nobody.
    pub by_policy: i32,
    #[graphql(skip)]
    pub kept_by_policy: i32,
}

/// Who confirms what a reviewer decided, as somebody else, before it counts.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::policies::SecondReviewer")]
pub enum ReviewSecondReviewer {
    None,
    /// Another administrator, or plan staff.
    Reviewer,
    /// Plan staff.
    Plan,
}

impl ReviewSecondReviewer {
    /// Of the name in rows.
    pub(super) fn named(word: &str) -> Self {
        let all = SecondReviewer::ALL.iter();
        all.copied().find(|it| it.as_str() == word).unwrap_or_default().into()
    }
}

/// When what a review takes away or changes is carried out.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum ReviewRevocations {
    /// As it is decided.
    AtOnce,
    /// When the review is closed; until then a decision is only recorded.
    AtClose,
}

impl ReviewRevocations {
    /// Of the name in rows.
    pub(super) fn named(word: &str) -> Self {
        if word == RevocationMode::AtClose.as_str() { Self::AtClose } else { Self::AtOnce }
    }
}

/// A day of a review.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessReviewDay {
    /// In the portal's time zone.
    pub day: Date,
    /// Items first decided about on that day.
    pub decided: i32,
    /// Items about which nobody had decided at its end.
    pub left: i32,
}

/// How somebody decides in a review.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessReviewReviewer {
    pub reviewer: PersonReference,
    /// Decisions, those included that another took the place of.
    pub decided: i32,
    /// The part of them that kept something, 0 to 1.
    pub approval_rate: f64,
    /// As `secondsPerItem` of the review.
    pub seconds_per_item: Option<f64>,
    /// They kept almost everything (95 of 100), quicker than the policy has it that anybody reads
    /// (`review.hasty_seconds`, of at least `review.hasty_items`); plan staff were told once.
    pub is_hasty: bool,
}

/// How a review went.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessReviewFigures {
    /// The days on which something was decided, in order.
    pub progress: Vec<AccessReviewDay>,
    /// Those who decided, who did most first.
    pub reviewers: Vec<AccessReviewReviewer>,
    /// Of the items that people decided, the part that was kept, 0 to 1; absent while they decided none. What
    /// the policy decided is nobody's approval.
    pub approval_rate: Option<f64>,
    /// What a reviewer took for an item on average, in one sitting: moments of decision less than half an
    /// hour apart. Absent where there are no two of them.
    pub seconds_per_item: Option<f64>,
    /// Seconds from a decision to take access away to its effect: the middle one.
    pub median_seconds_to_removal: Option<f64>,
    /// The longest.
    pub longest_seconds_to_removal: Option<i32>,
}

impl AccessReviewFigures {
    pub(super) fn of(
        (population, hasty): (i32, &[Uuid]),
        counts: AccessReviewCounts,
        figures: &Figures,
        person: impl Fn(Uuid) -> PersonReference,
    ) -> Self {
        let mut left = i64::from(population - counts.carried_forward);
        let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
        let progress = figures.days.iter().map(|day| {
            left -= day.decided;
            AccessReviewDay {
                day: day.day.into(),
                decided: small(day.decided),
                left: small(left.max(0)),
            }
        });
        let reviewers = figures.reviewers.iter().map(|pace| AccessReviewReviewer {
            reviewer: person(pace.reviewer),
            decided: small(pace.decided),
            approval_rate: f64::from(small(pace.kept)) / f64::from(small(pace.decided).max(1)),
            seconds_per_item: pace.seconds_per_item,
            is_hasty: hasty.contains(&pace.reviewer),
        });
        let decided = counts.kept + counts.pending + counts.revoked + counts.changed;
        let decided = decided - counts.by_policy;
        let kept = (counts.kept - counts.kept_by_policy).max(0);
        Self {
            progress: progress.collect(),
            reviewers: reviewers.collect(),
            approval_rate: (decided > 0).then(|| f64::from(kept) / f64::from(decided)),
            seconds_per_item: figures.seconds_per_item,
            median_seconds_to_removal: figures.removal_median_s,
            longest_seconds_to_removal: figures.removal_longest_s.map(small),
        }
    }
}

/// The signature under a review.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessReviewAttestation {
    /// What was signed; absent where its version is not known any more.
    pub statement: Option<&'static str>,
    pub statement_version: String,
    /// The name as it was signed; absent once erased.
    pub name: Option<String>,
    pub signed_by: PersonReference,
    pub signed_at: DateTime,
}

/// A change after which access is reviewed at once (GN-15).
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessReviewOccasion {
    pub change: ReviewedChange,
    /// The event, for `node`.
    pub audit_event_id: ID,
}

/// What has somebody's access reviewed at once, beside the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::policies::ReviewedChange")]
pub enum ReviewedChange {
    /// Somebody became an administrator.
    NewAdministrator,
    /// A right was granted to somebody who had not signed in for 90 days.
    GrantedWhileDormant,
    /// An affiliation ended under which they worked for another organization.
    AffiliationEnded,
    /// They came from another organization.
    Moved,
    /// They were taken over from another portal.
    Imported,
}

/// A periodic review of who has access (CC-13). Its list is `accessReviewItems`.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessReview {
    pub id: ID,
    /// Of PLAN_STAFF, the health plan itself, which no `Organization` is; its id may go back as `organizationId`.
    pub organization: OrganizationReference,
    pub scope: AccessReviewScope,
    pub status: AccessReviewStatus,
    /// Whether only what changed since the last signed review of the same is to be decided.
    pub changed_only: bool,
    /// Of `changedOnly`, that review; absent where there was none, and then everything is to be decided.
    pub compared_with_id: Option<ID>,
    /// The campaign of which it is a part.
    pub review_campaign_id: Option<ID>,
    /// Absent where the schedule opened it, or a change did.
    pub opened_by: Option<PersonReference>,
    /// What happened after which the policy (`review.changes`) has it reviewed at once.
    pub opened_because: Option<AccessReviewOccasion>,
    pub opened_at: DateTime,
    pub due_at: DateTime,
    /// When it is escalated if nobody signs.
    pub grace_until: DateTime,
    pub escalated_at: Option<DateTime>,
    /// As the policy had it (`review.revocations`) when the review opened.
    pub revocations: ReviewRevocations,
    /// Of AT_CLOSE: since when nobody decides any more, what was decided is carried out, and the review
    /// waits to be signed.
    pub closing_at: Option<DateTime>,
    /// Who had it so.
    pub closing_by: Option<PersonReference>,
    /// Whether people are asked whether they need their own access still: `ownReviewItems`.
    pub self_attestation: bool,
    /// Who confirms what is decided: `confirmReviewItems`.
    pub second_reviewer: ReviewSecondReviewer,
    /// The place in the journal as of which the list was read.
    pub as_of_position: Position,
    /// How many items the list has, with what is carried forward.
    pub population: i32,
    /// SHA-256 of the list: each item as JSON, with a line feed after it.
    pub sha256: String,
    pub counts: AccessReviewCounts,
    /// How many members, or rights, came since the list was frozen, when it was signed; before that see
    /// `accessReviewJoiners`.
    pub joiners: Option<i32>,
    pub figures: AccessReviewFigures,
    pub attestation: Option<AccessReviewAttestation>,
    /// SHA-256 of the results, once signed.
    pub results_sha256: Option<String>,
    /// When it was signed or cancelled.
    pub closed_at: Option<DateTime>,
    /// Who signed or cancelled it.
    pub closed_by: Option<PersonReference>,
    /// The statement to sign, and its version.
    pub statement: &'static str,
    pub statement_version: &'static str,
    /// For `expectedVersion`.
    pub version: i32,
}

connection!(AccessReviewConnection, AccessReviewEdge, AccessReview);
