//! Reads the rows that some people's rights of one kind rest on: in two statements, three where
//! affiliations count, however many people there are.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::permissions::{Entitlement, right_use::RightKind};
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    super::{
        Cause,
        interval::{End, Timeline},
    },
    AskedRight,
    record::{Record, Records},
};
use crate::Snapshot;

/// A person in an organisation; without one in the whole plan.
pub type Place = (Uuid, Option<Uuid>);

#[derive(FromRow)]
struct Row {
    known_from: i64,
    kind: String,
    holder_id: Uuid,
    user_id: Option<Uuid>,
    organization_id: Option<Uuid>,
    npi: Option<String>,
    name: Option<String>,
    value: Vec<String>,
    valid_from: DateTime<Utc>,
    valid_to: DateTime<Utc>,
    known_from_at: DateTime<Utc>,
    known_to: Option<i64>,
    known_to_at: Option<DateTime<Utc>>,
    cause: String,
    cause_position: i64,
    end_position: Option<i64>,
    end_cause: Option<String>,
}

const COLUMNS: &str =
    "i.known_from, i.kind, i.holder_id, i.user_id, i.organization_id, i.npi, i.name,
   i.value, i.valid_from, i.valid_to, i.known_from_at, i.known_to, i.known_to_at, i.cause,
   i.cause_position, i.end_position, i.end_cause";

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

/// As [`load`], for one person.
///
/// # Errors
/// The database's.
pub async fn load_one(
    view: &mut Snapshot,
    right: &AskedRight,
    place: Place,
    up_to: i64,
) -> Result<Records, sqlx::Error> {
    load(view, right, &[place], up_to).await
}

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
    for row in own(view, right, places, up_to).await? {
        row.read_into(&mut records)?;
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
        .filter(|row| row.kind == "AFFILIATION")
        .filter_map(|row| row.value.first()?.parse().ok())
        .filter(|provider| !places.iter().any(|(_, of)| *of == Some(*provider)))
        .collect();
    for row in shared {
        row.read_into(&mut records)?;
    }
    if !providers.is_empty() {
        for row in self::shared(view, right, providers, up_to).await? {
            row.read_into(&mut records)?;
        }
    }
    Ok(records)
}

async fn own(
    view: &mut Snapshot,
    right: &AskedRight,
    places: &[Place],
    up_to: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let users: BTreeSet<Uuid> = places.iter().map(|(user, _)| *user).collect();
    let organizations: BTreeSet<Uuid> = places.iter().filter_map(|(_, of)| *of).collect();
    let npis: Vec<&str> = right.npi().into_iter().chain(["*"]).collect();
    // Job roles may bundle what is asked about, whatever they are called.
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.access_intervals i
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
    .await
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
) -> Result<Vec<Row>, sqlx::Error> {
    if right.kind() == RightKind::PlanRole {
        return Ok(Vec::new());
    }
    sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM read.access_intervals i
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
    .await
}

impl Row {
    fn read_into(self, records: &mut Records) -> Result<(), sqlx::Error> {
        let unknown = |what: &str| sqlx::Error::Decode(format!("{what} is not known").into());
        let parse = |cause: &str| Cause::parse(cause).ok_or_else(|| unknown(cause));
        let timeline = Timeline::stored(
            (&self.kind, self.holder_id),
            self.user_id,
            self.organization_id,
            self.npi,
            self.name.as_deref(),
        );
        let end = match (self.end_position, self.end_cause) {
            (Some(position), Some(cause)) => Some(End { position, cause: parse(&cause)? }),
            (Some(_) | None, _) => None,
        };
        let record = Record {
            value: self.value,
            valid_from: self.valid_from,
            valid_to: self.valid_to,
            known_from: self.known_from,
            known_from_at: self.known_from_at,
            known_to: self.known_to.zip(self.known_to_at),
            cause: parse(&self.cause)?,
            cause_position: self.cause_position,
            end,
        };
        records.add(timeline.ok_or_else(|| unknown(&self.kind))?, record);
        Ok(())
    }
}
