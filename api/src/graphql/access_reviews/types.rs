//! What a review looks like. Invariant: what people signed with is opened only when it was asked for.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_domain::access_reviews::{ReviewScope, ReviewStatus};
use rollcall_projections::access_reviews::Figures;
use uuid::Uuid;

use crate::graphql::{
    audit::{OrganizationReference, PersonReference},
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
    /// Of the items decided, the part that was kept, 0 to 1; absent while nothing is decided.
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
        let mut left = i64::from(population);
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
        Self {
            progress: progress.collect(),
            reviewers: reviewers.collect(),
            approval_rate: (decided > 0).then(|| f64::from(counts.kept) / f64::from(decided)),
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

/// A periodic review of who has access (CC-13). Its list is `accessReviewItems`.
#[derive(Clone, Debug, SimpleObject)]
pub struct AccessReview {
    pub id: ID,
    pub organization: OrganizationReference,
    pub scope: AccessReviewScope,
    pub status: AccessReviewStatus,
    /// The campaign of which it is a part.
    pub review_campaign_id: Option<ID>,
    /// Absent where the schedule opened it.
    pub opened_by: Option<PersonReference>,
    pub opened_at: DateTime,
    pub due_at: DateTime,
    /// When it is escalated if nobody signs.
    pub grace_until: DateTime,
    pub escalated_at: Option<DateTime>,
    /// The place in the journal as of which the list was read.
    pub as_of_position: Position,
    /// How many items the list has.
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
