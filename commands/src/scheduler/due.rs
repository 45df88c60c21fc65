//! `ops.due_times`. Invariant: one row per stream, kind and detail; a later end replaces an earlier
//! one.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use rollcall_domain::{
    AnyEvent,
    kernel::ids::{OrganizationId, TenantId, UserId},
    notifications::Frequency,
    policies::{PolicyEvent, PolicyKey},
};
use rollcall_journal::Recorded;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// How long a failed command waits.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

/// What ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An invitation's link (MC-16).
    Invitation,
    /// A registration token (MC-04).
    RegistrationToken,
    /// A request for an affiliation (GN-18).
    AffiliationRequest,
    /// A request for access (CC-11).
    AccessRequest,
    /// An account's lock (CX-08).
    Lock,
    /// A temporary NPI permission (GN-13); `detail` is the NPI.
    NpiPermission,
    /// A plan role with an end (GN-31); `detail` is the role.
    PlanRole,
    /// A temporary feature, job role, location or tax id (GN-13); `detail` is the grant.
    Grant,
    /// The time until a person's next digest (MC-65); `detail` is the frequency.
    Digest,
    /// A password's age, looked at again and again (CC-04).
    PasswordAge,
    /// A member who waits for a first permission (MC-32); `detail` is the person.
    Unassigned,
    /// A member who does not sign in (MC-32); `detail` is the person.
    Dormant,
    /// The next line of an import of people (GN-33).
    PeopleImport,
    /// The end of an NPI's holding, planned ahead (GN-04); `detail` is the NPI.
    NpiEnd,
    /// The end of a membership, planned ahead (GN-04); `detail` is the person.
    MembershipEnd,
    /// The next step of a merger (GN-03).
    OrganizationMerge,
    /// The longest time for which dependent files lag behind a PIN (GN-17); `detail` is the version.
    PinPropagation,
    /// The next review of activity, looked at again and again (GN-34).
    ActivityReview,
    /// An organisation's next review of access, looked at again and again (CC-13).
    ReviewOpening,
    /// The next portion of a campaign of reviews (GN-15).
    ReviewCampaign,
    /// The next date of a template of campaigns (GN-15).
    ReviewTemplate,
    /// A review's next reminder, and whether it is too late (CC-13).
    AccessReview,
    /// Whether what a review decided is so (GN-15); `detail` is the portion of its items.
    ReviewExecution,
    /// A change after which access may be reviewed at once (GN-15); `detail` is a
    /// [`super::changes::ChangeDetail`].
    ReviewedChange,
    /// The next portion of what a review has carried out at its closing, or its policy decides (GN-15).
    ReviewClosing,
}

impl Kind {
    const ALL: [Self; 25] = [
        Self::Invitation,
        Self::RegistrationToken,
        Self::AffiliationRequest,
        Self::AccessRequest,
        Self::Lock,
        Self::NpiPermission,
        Self::PlanRole,
        Self::Grant,
        Self::Digest,
        Self::PasswordAge,
        Self::Unassigned,
        Self::Dormant,
        Self::PeopleImport,
        Self::NpiEnd,
        Self::MembershipEnd,
        Self::OrganizationMerge,
        Self::PinPropagation,
        Self::ActivityReview,
        Self::ReviewOpening,
        Self::ReviewCampaign,
        Self::ReviewTemplate,
        Self::AccessReview,
        Self::ReviewExecution,
        Self::ReviewedChange,
        Self::ReviewClosing,
    ];

    /// The parameters that decide when it is looked at again.
    const fn parameters(self) -> &'static [PolicyKey] {
        match self {
            Self::PasswordAge => {
                &[PolicyKey::PasswordMaxAgeDays, PolicyKey::PasswordWarnDays, PolicyKey::TimeZone]
            }
            Self::Unassigned => &[
                PolicyKey::UnassignedDeactivateDays,
                PolicyKey::UnassignedWarnDays,
                PolicyKey::TimeZone,
            ],
            Self::Dormant => &[
                PolicyKey::DormantDeactivateDays,
                PolicyKey::UnassignedWarnDays,
                PolicyKey::TimeZone,
            ],
            Self::ActivityReview => {
                &[PolicyKey::ActivityReviewDays, PolicyKey::ActivityReviewGraceDays]
            }
            Self::ReviewOpening => &[PolicyKey::ReviewCadenceDays, PolicyKey::TimeZone],
            Self::ReviewTemplate => &[PolicyKey::TimeZone],
            Self::AccessReview => &[PolicyKey::ReviewRemindDays, PolicyKey::TimeZone],
            Self::Invitation
            | Self::RegistrationToken
            | Self::AffiliationRequest
            | Self::Lock
            | Self::NpiPermission
            | Self::AccessRequest
            | Self::PlanRole
            | Self::Grant
            | Self::Digest
            | Self::PeopleImport
            | Self::NpiEnd
            | Self::MembershipEnd
            | Self::OrganizationMerge
            | Self::PinPropagation
            | Self::ReviewCampaign
            | Self::ReviewExecution
            | Self::ReviewedChange
            | Self::ReviewClosing => &[],
        }
    }

    /// What may come at another time by a change of the policy.
    fn moved_by(change: &PolicyEvent) -> Vec<Self> {
        let is_moved = |kind: &Self| match change {
            PolicyEvent::PresetApplied { .. } => !kind.parameters().is_empty(),
            PolicyEvent::PolicyChanged { key, .. } => kind.parameters().contains(key),
            PolicyEvent::FeatureAvailabilityChanged { .. } => false,
        };
        Self::ALL.into_iter().filter(is_moved).collect()
    }

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "INVITATION",
            Self::RegistrationToken => "REGISTRATION_TOKEN",
            Self::AffiliationRequest => "AFFILIATION_REQUEST",
            Self::AccessRequest => "ACCESS_REQUEST",
            Self::Lock => "LOCK",
            Self::NpiPermission => "NPI_PERMISSION",
            Self::PlanRole => "PLAN_ROLE",
            Self::Grant => "GRANT",
            Self::Digest => "DIGEST",
            Self::PasswordAge => "PASSWORD_AGE",
            Self::Unassigned => "UNASSIGNED",
            Self::Dormant => "DORMANT",
            Self::PeopleImport => "PEOPLE_IMPORT",
            Self::NpiEnd => "NPI_END",
            Self::MembershipEnd => "MEMBERSHIP_END",
            Self::OrganizationMerge => "ORGANIZATION_MERGE",
            Self::PinPropagation => "PIN_PROPAGATION",
            Self::ActivityReview => "ACTIVITY_REVIEW",
            Self::ReviewOpening => "REVIEW_OPENING",
            Self::ReviewCampaign => "REVIEW_CAMPAIGN",
            Self::ReviewTemplate => "REVIEW_TEMPLATE",
            Self::AccessReview => "ACCESS_REVIEW",
            Self::ReviewExecution => "REVIEW_EXECUTION",
            Self::ReviewedChange => "REVIEWED_CHANGE",
            Self::ReviewClosing => "REVIEW_CLOSING",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Something that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub kind: Kind,
    pub detail: String,
    /// `None` when nothing ends any more.
    pub at: Option<DateTime<Utc>>,
}

impl End {
    pub fn at(kind: Kind, at: DateTime<Utc>) -> Self {
        Self { kind, detail: String::new(), at: Some(at) }
    }

    pub fn no_more(kind: Kind) -> Self {
        Self { kind, detail: String::new(), at: None }
    }

    pub fn of(mut self, detail: impl ToString) -> Self {
        self.detail = detail.to_string();
        self
    }
}

/// A row that is due.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Due {
    #[sqlx(try_from = "Uuid", rename = "tenant_id")]
    pub tenant: TenantId,
    kind: String,
    pub stream_id: Uuid,
    pub detail: String,
    subject_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    pub due_at: DateTime<Utc>,
    pub source_event: Uuid,
    pub correlation_id: Uuid,
}

impl Due {
    /// `None` for a kind that this version does not know.
    pub fn kind(&self) -> Option<Kind> {
        Kind::parse(&self.kind)
    }

    pub fn subject(&self) -> Option<UserId> {
        self.subject_id.map(UserId)
    }

    pub fn organization(&self) -> Option<OrganizationId> {
        self.organization_id.map(OrganizationId)
    }

    /// The same end is the same command, however often it is sent. What brought it about is part of
    /// it: two changes of a policy at one moment are looked into twice.
    pub fn command_id(&self) -> Uuid {
        let end = format!(
            "{}/{}/{}/{}/{}",
            self.kind,
            self.stream_id,
            self.detail,
            self.due_at.timestamp_micros(),
            self.source_event
        );
        self.tenant.derive("scheduler", &end)
    }
}

/// Notes when something ends, or that it does not.
pub(super) async fn note(
    tx: &mut PgConnection,
    event: &Recorded<AnyEvent>,
    end: &End,
) -> Result<(), sqlx::Error> {
    let Some(at) = end.at else {
        sqlx::query(
            "DELETE FROM ops.due_times
              WHERE tenant_id = $1 AND kind = $2 AND stream_id = $3 AND detail = $4",
        )
        .bind(event.tenant.0)
        .bind(end.kind.as_str())
        .bind(event.aggregate_id)
        .bind(&end.detail)
        .execute(tx)
        .await?;
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO ops.due_times (tenant_id, kind, stream_id, detail, subject_id,
           organization_id, due_at, attempt_at, source_event, correlation_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)
         ON CONFLICT (tenant_id, kind, stream_id, detail) DO UPDATE SET
           due_at = excluded.due_at, attempt_at = excluded.attempt_at,
           source_event = excluded.source_event, correlation_id = excluded.correlation_id",
    )
    .bind(event.tenant.0)
    .bind(end.kind.as_str())
    .bind(event.aggregate_id)
    .bind(&end.detail)
    .bind(event.subject.map(|user| user.0))
    .bind(event.subject_organization.map(|organization| organization.0))
    .bind(at)
    .bind(event.event_id)
    .bind(event.correlation_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes when a person's next digest is due; an earlier time stands. Should the row be carried out
/// this moment, this waits for that and notes the next one.
pub async fn note_digest(
    tx: &mut PgConnection,
    event: &Recorded<AnyEvent>,
    (people, frequency): (&[UserId], Frequency),
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO ops.due_times (tenant_id, kind, stream_id, detail, subject_id, due_at,
           attempt_at, source_event, correlation_id)
         SELECT $1, $2, p.inbox, $4, p.user_id, $6, $6, $7, $8
           FROM unnest($3::uuid[], $5::uuid[]) p(inbox, user_id)
         ON CONFLICT (tenant_id, kind, stream_id, detail) DO UPDATE SET
           due_at = least(due_times.due_at, excluded.due_at),
           attempt_at = least(due_times.attempt_at, excluded.attempt_at)",
    )
    .bind(event.tenant.0)
    .bind(Kind::Digest.as_str())
    .bind(people.iter().map(|user| event.tenant.inbox_stream(*user)).collect::<Vec<_>>())
    .bind(frequency.as_str())
    .bind(people.iter().map(|user| user.0).collect::<Vec<_>>())
    .bind(at)
    .bind(event.event_id)
    .bind(event.correlation_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Has what depends on the policy looked at when the policy changes, if not before.
pub(super) async fn hasten(
    tx: &mut PgConnection,
    event: &Recorded<AnyEvent>,
    change: &PolicyEvent,
) -> Result<(), sqlx::Error> {
    let kinds = Kind::moved_by(change);
    if kinds.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE ops.due_times
            SET due_at = $3, attempt_at = $3, source_event = $4, correlation_id = $5
          WHERE tenant_id = $1 AND kind = ANY($2) AND due_at > $3",
    )
    .bind(event.tenant.0)
    .bind(kinds.into_iter().map(Kind::as_str).collect::<Vec<_>>())
    .bind(change.effective_at())
    .bind(event.event_id)
    .bind(event.correlation_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Has the open reviews of an organisation looked at now.
pub(super) async fn hasten_reviews(
    tx: &mut PgConnection,
    event: &Recorded<AnyEvent>,
    organization: OrganizationId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.due_times
            SET due_at = $3, attempt_at = $3, source_event = $4, correlation_id = $5
          WHERE tenant_id = $1 AND organization_id = $2 AND kind = 'ACCESS_REVIEW' AND due_at > $3",
    )
    .bind(event.tenant.0)
    .bind(organization.0)
    .bind(event.occurred_at)
    .bind(event.event_id)
    .bind(event.correlation_id)
    .execute(tx)
    .await
    .map(drop)
}

/// Locks the end that is overdue longest, if one is due.
pub(super) async fn claim(
    tx: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Option<Due>, sqlx::Error> {
    sqlx::query_as(
        "SELECT tenant_id, kind, stream_id, detail, subject_id, organization_id, due_at,
                source_event, correlation_id
           FROM ops.due_times WHERE attempt_at <= $1
          ORDER BY attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED",
    )
    .bind(now)
    .fetch_optional(tx)
    .await
}

/// Takes a row away that was carried out.
pub(super) async fn done(tx: &mut PgConnection, due: &Due) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM ops.due_times
          WHERE tenant_id = $1 AND kind = $2 AND stream_id = $3 AND detail = $4",
    )
    .bind(due.tenant.0)
    .bind(&due.kind)
    .bind(due.stream_id)
    .bind(&due.detail)
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps a row for the next time it matters; without one, until the policy changes.
pub(super) async fn again(
    tx: &mut PgConnection,
    due: &Due,
    at: Option<DateTime<Utc>>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.due_times SET due_at = $5, attempt_at = $5 WHERE tenant_id = $1
            AND kind = $2 AND stream_id = $3 AND detail = $4",
    )
    .bind(due.tenant.0)
    .bind(&due.kind)
    .bind(due.stream_id)
    .bind(&due.detail)
    .bind(at.unwrap_or_else(far_away))
    .execute(tx)
    .await?;
    Ok(())
}

/// Later than anything that has an end.
fn far_away() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(9999, 1, 1, 0, 0, 0).single().unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Puts a row off that could not be carried out.
pub(super) async fn put_off(
    tx: &mut PgConnection,
    due: &Due,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE ops.due_times SET attempt_at = $5 WHERE tenant_id = $1 AND kind = $2
            AND stream_id = $3 AND detail = $4",
    )
    .bind(due.tenant.0)
    .bind(&due.kind)
    .bind(due.stream_id)
    .bind(&due.detail)
    .bind(now + PAUSE)
    .execute(tx)
    .await?;
    Ok(())
}

/// How much is due at `now`, what is being carried out included.
///
/// # Errors
/// The database did not answer.
pub async fn count(pool: &PgPool, now: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT count(*) FROM ops.due_times WHERE attempt_at <= $1")
        .bind(now)
        .fetch_one(pool)
        .await
}
