//! Reads the rows that some people's rights of one kind rest on: in two statements, three where
//! affiliations count, however many people there are.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::permissions::{Entitlement, right_use::RightKind};
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    super::{
        interval::Timeline,
        projection::{self, COLUMNS},
    },
    AskedRight,
    record::{Record, Records},
};
use crate::Snapshot;

/// A person in an organisation; without one in the whole plan.
pub type Place = (Uuid, Option<Uuid>);

/// A stored row, and since when it is held otherwise.
#[derive(FromRow)]
struct Row {
    #[sqlx(flatten)]
    row: projection::Row,
    known_to: Option<i64>,
    known_to_at: Option<DateTime<Utc>>,
}

/// What a person's own rows of a right are.
const fn own_kinds(right: RightKind) -> &'static [&'static str] {
    match right {
        RightKind::PlanRole => &["ACCOUNT_ACTIVE", "PLAN_ROLE"],
        RightKind::ViewOrganization => &["ACCOUNT_ACTIVE", "MEMBERSHIP_ACTIVE", "ORG_ROLE"],
        RightKind::ManageUsers | RightKind::UseFeature | RightKind::HoldJobRole => {
            &["ACCOUNT_ACTIVE", "MEMBERSHIP_ACTIVE", "ORG_ROLE", "FEATURE", "JOB_ROLE"]
        }
        RightKind::ViewNpi | RightKind::ManagePin => {
            &["ACCOUNT_ACTIVE", "MEMBERSHIP_ACTIVE", "ORG_ROLE", "NPI_LEVEL"]
        }
        RightKind::ReadCorrespondence => {
            &["ACCOUNT_ACTIVE", "MEMBERSHIP_ACTIVE", "ORG_ROLE", "NPI_LEVEL", "CORRESPONDENCE"]
        }
        RightKind::ViewLocation | RightKind::ChooseLocation => {
            &["ACCOUNT_ACTIVE", "MEMBERSHIP_ACTIVE", "ORG_ROLE", "LOCATION"]
        }
        RightKind::ReadTaxId => &["ACCOUNT_ACTIVE", "MEMBERSHIP_ACTIVE", "TAX_ID"],
        RightKind::SubmitTransactions => &["ACCOUNT_ACTIVE", "MEMBERSHIP_ACTIVE", "SUBMISSION"],
    }
}

const SHARED_KINDS: &[&str] = &[
    "ORGANIZATION_ACTIVE",
    "CONTRACTED",
    "NPI_HELD",
    "LOCATION_STATE",
    "TAX_ID_HELD",
    "JOB_ROLE_BUNDLE",
    "AFFILIATION",
    "POLICY",
];

/// The rows that these people's right rests on, of all time, as written down up to a position.
///
/// # Errors
/// The database's.
pub async fn load(
    view: &mut Snapshot,
    right: &AskedRight,
    places: &[Place],
    up_to: i64,
) -> Result<Records, sqlx::Error> {
    let mut records = Records::default();
    let organizations: BTreeSet<Uuid> = places.iter().filter_map(|(_, of)| *of).collect();
    for (timeline, row) in own(view, right, places, up_to).await? {
        records.add(timeline, row);
    }
    let mut holders = organizations;
    holders.insert(view.tenant().0);
    for timeline in records.timelines() {
        if let Timeline::Entitlement(_, _, Entitlement::JobRole(role)) = timeline {
            holders.insert(role.0);
        } else if let Timeline::Submission(.., affiliation) = timeline {
            holders.insert(affiliation.0);
        }
    }
    if let super::Of::JobRole(id) = right.of() {
        holders.insert(id.0);
    }
    let shared = shared(view, right, holders, up_to).await?;
    let providers: BTreeSet<Uuid> = shared
        .iter()
        .filter(|(timeline, _)| matches!(timeline, Timeline::Affiliation(..)))
        .filter_map(|(_, row)| row.value.first()?.parse().ok())
        .filter(|provider| !places.iter().any(|(_, of)| *of == Some(*provider)))
        .collect();
    for (timeline, row) in shared {
        records.add(timeline, row);
    }
    if !providers.is_empty() {
        for (timeline, row) in self::shared(view, right, providers, up_to).await? {
            records.add(timeline, row);
        }
    }
    Ok(records)
}

async fn own(
    view: &mut Snapshot,
    right: &AskedRight,
    places: &[Place],
    up_to: i64,
) -> Result<Vec<(Timeline, Record)>, sqlx::Error> {
    let users: BTreeSet<Uuid> = places.iter().map(|(user, _)| *user).collect();
    let organizations: BTreeSet<Uuid> = places.iter().filter_map(|(_, of)| *of).collect();
    let npis: Vec<&str> = right.npi().into_iter().chain(["*"]).collect();
    // Job roles may bundle what is asked about, whatever they are called.
    let rows: Vec<Row> = sqlx::query_as(&format!(
        "SELECT {COLUMNS}, known_to, known_to_at FROM read.access_intervals i
          WHERE i.tenant_id = $1 AND i.user_id = ANY ($2) AND i.kind = ANY ($3) AND i.known_from <= $4
            AND (i.organization_id IS NULL OR i.organization_id = ANY ($5))
            AND (i.npi IS NULL OR i.npi = ANY ($6))
            AND (i.name IS NULL OR i.kind = 'JOB_ROLE' OR i.name = $7)"
    ))
    .bind(view.tenant().0)
    .bind(users.into_iter().collect::<Vec<_>>())
    .bind(own_kinds(right.kind()).to_vec())
    .bind(up_to)
    .bind(organizations.into_iter().collect::<Vec<_>>())
    .bind(npis)
    .bind(named(right))
    .fetch_all(view.connection())
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// Under which name the right's own rows stand.
fn named(right: &AskedRight) -> Option<String> {
    match right.kind() {
        RightKind::ManageUsers => Some("USER_MANAGEMENT".to_owned()),
        RightKind::ViewOrganization
        | RightKind::ViewNpi
        | RightKind::ManagePin
        | RightKind::ReadCorrespondence
        | RightKind::UseFeature
        | RightKind::HoldJobRole
        | RightKind::ViewLocation
        | RightKind::ChooseLocation
        | RightKind::ReadTaxId
        | RightKind::PlanRole
        | RightKind::SubmitTransactions => right.word(),
    }
}

async fn shared(
    view: &mut Snapshot,
    right: &AskedRight,
    holders: BTreeSet<Uuid>,
    up_to: i64,
) -> Result<Vec<(Timeline, Record)>, sqlx::Error> {
    if right.kind() == RightKind::PlanRole {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = sqlx::query_as(&format!(
        "SELECT {COLUMNS}, known_to, known_to_at FROM read.access_intervals i
          WHERE i.tenant_id = $1 AND i.holder_id = ANY ($2) AND i.kind = ANY ($3) AND i.known_from <= $4
            AND i.user_id IS NULL AND (i.npi IS NULL OR i.npi = $5)
            AND (i.name IS NULL OR i.kind = 'POLICY' OR i.name = $6)"
    ))
    .bind(view.tenant().0)
    .bind(holders.into_iter().collect::<Vec<_>>())
    .bind(SHARED_KINDS.to_vec())
    .bind(up_to)
    .bind(right.npi())
    .bind(right.word())
    .fetch_all(view.connection())
    .await?;
    rows.into_iter().map(Row::read).collect()
}

impl Row {
    fn read(self) -> Result<(Timeline, Record), sqlx::Error> {
        let Self { row, known_to, known_to_at } = self;
        let unknown = || sqlx::Error::Decode("an interval of no known kind".into());
        let (timeline, interval) = row.read().ok_or_else(unknown)?;
        let record = Record {
            value: interval.value,
            valid_from: interval.valid_from,
            valid_to: interval.valid_to,
            known_from: interval.known_from,
            known_from_at: interval.known_from_at,
            known_to: known_to.zip(known_to_at),
            cause: interval.cause,
            cause_position: interval.cause_position,
            end: interval.end,
        };
        Ok((timeline, record))
    }
}
