//! Questions to the register: who could see an NPI then, what a person could do then.
//!
//! Invariant: every answer comes of `ops.effective_access` at one moment and one position;
//! before the tenant's records begin there is no answer, which is not the same as nobody.

use chrono::{DateTime, Utc};
/// What somebody may do; the register's words are those of the rule.
pub use rollcall_domain::permissions::right_use::RightKind as AccessRight;
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Cause, ledger::never};
use crate::{Snapshot, people::full_name};

/// By which way somebody has a right (GN-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessSource {
    Direct,
    AllNpis,
    Role,
    JobRole,
    ImpliedByAdmin,
    PlanRole,
    Affiliation,
}

impl AccessSource {
    pub const ALL: [Self; 7] = [
        Self::Direct,
        Self::AllNpis,
        Self::Role,
        Self::JobRole,
        Self::ImpliedByAdmin,
        Self::PlanRole,
        Self::Affiliation,
    ];

    /// The name in answers of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "DIRECT",
            Self::AllNpis => "ALL_NPIS",
            Self::Role => "ROLE",
            Self::JobRole => "JOB_ROLE",
            Self::ImpliedByAdmin => "IMPLIED_BY_ADMIN",
            Self::PlanRole => "PLAN_ROLE",
            Self::Affiliation => "AFFILIATION",
        }
    }
}

/// When something was true, and as known at which position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub true_at: DateTime<Utc>,
    pub known_at: i64,
}

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Question {
    pub user: Option<Uuid>,
    pub organization: Option<Uuid>,
    pub npi: Option<String>,
    pub right: Option<AccessRight>,
    /// Only rights in these organisations, for plan staff kept to them (GN-31).
    pub within: Option<Vec<Uuid>>,
}

/// A row's key: person, organisation, NPI, right and what of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey(pub Uuid, pub Uuid, pub String, pub String, pub String);

/// One right of one person.
#[derive(Clone, Debug)]
pub struct AccessRow {
    pub key: AccessKey,
    pub right: AccessRight,
    pub user: Uuid,
    pub user_name: Option<String>,
    pub organization: Option<Uuid>,
    pub organization_name: Option<String>,
    pub npi: Option<String>,
    /// `*` for all types.
    pub correspondence_type: Option<String>,
    /// The level or role it is held at; of a feature its word, of a job role, location or tax id
    /// its id.
    pub level: String,
    /// What a job role, location or tax id is called.
    pub thing: Option<String>,
    pub source: AccessSource,
    pub valid_from: DateTime<Utc>,
    /// `None`: no end is known.
    pub valid_to: Option<DateTime<Utc>>,
    pub known_from: i64,
    pub known_from_at: DateTime<Utc>,
    pub cause: Cause,
    pub cause_position: i64,
}

#[derive(FromRow)]
struct Row {
    access_right: String,
    user_id: Uuid,
    organization_id: Option<Uuid>,
    npi: Option<String>,
    correspondence_type: Option<String>,
    level: String,
    source: String,
    valid_from: DateTime<Utc>,
    valid_to: DateTime<Utc>,
    known_from: i64,
    known_from_at: DateTime<Utc>,
    cause: String,
    cause_position: i64,
    first_name: Option<String>,
    last_name: Option<String>,
    organization_name: Option<String>,
    thing: Option<String>,
}

/// When the event at a tenant position was recorded; `None` where there is none.
///
/// # Errors
/// The database's.
pub async fn recorded_at(
    view: &mut Snapshot,
    position: i64,
) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT recorded_at FROM es.events WHERE tenant_id = $1 AND tenant_position = $2",
    )
    .bind(view.tenant().0)
    .bind(position)
    .fetch_optional(view.connection())
    .await
}

/// One page of rights in the order of their keys, `limit` rows at most.
///
/// # Errors
/// The database's.
pub async fn page(
    view: &mut Snapshot,
    moment: Moment,
    question: &Question,
    after: Option<&AccessKey>,
    limit: i64,
) -> Result<Vec<AccessRow>, sqlx::Error> {
    let tenant = view.tenant().0;
    let mut query = with_names(tenant, "level", |query| {
        rights(query, tenant, moment, question, after, Some(limit));
    });
    let rows: Vec<Row> = query.build_query_as().fetch_all(view.connection()).await?;
    let rows = rows.into_iter().map(Row::read);
    if view.pinned().is_none() {
        return rows.collect();
    }
    // Names are today's.
    let nameless = |row| AccessRow { user_name: None, organization_name: None, thing: None, ..row };
    rows.map(|row| row.map(nameless)).collect()
}

/// A question for the rows of a function that gives them in the order of their keys, each with the
/// names of its person and organisation, and of the thing whose id stands in the column `id`.
pub(super) fn with_names<'a>(
    tenant: Uuid,
    id: &str,
    function: impl FnOnce(&mut QueryBuilder<'a, Postgres>),
) -> QueryBuilder<'a, Postgres> {
    let mut query = QueryBuilder::new(format!(
        "SELECT a.*, p.first_name, p.last_name, o.name AS organization_name,
                CASE a.access_right
                  WHEN 'HOLD_JOB_ROLE' THEN (SELECT j.name FROM read.job_roles j
                    WHERE j.tenant_id = o.tenant_id AND j.id = a.{id}::uuid)
                  WHEN 'READ_TAX_ID' THEN (SELECT t.kind || ' ' || t.last4 FROM read.tax_ids t
                    WHERE t.tenant_id = o.tenant_id AND t.id = a.{id}::uuid)
                  WHEN 'VIEW_LOCATION' THEN (SELECT l.name FROM read.locations l
                    WHERE l.tenant_id = o.tenant_id AND l.id = a.{id}::uuid)
                  WHEN 'CHOOSE_LOCATION' THEN (SELECT l.name FROM read.locations l
                    WHERE l.tenant_id = o.tenant_id AND l.id = a.{id}::uuid)
                END AS thing FROM "
    ));
    function(&mut query);
    // Joining must not lose the order.
    query.push(" WITH ORDINALITY a LEFT JOIN read.people p ON p.tenant_id = ").push_bind(tenant);
    query.push(" AND p.user_id = a.user_id LEFT JOIN read.organizations o ON o.tenant_id = ");
    query.push_bind(tenant).push(" AND o.id = a.organization_id ORDER BY a.ordinality");
    query
}

/// The last arguments of such a function: the key that a page begins after, and its length.
pub(super) fn push_page(
    query: &mut QueryBuilder<'_, Postgres>,
    after: Option<&AccessKey>,
    limit: Option<i64>,
) {
    query.push(", ").push_bind(after.map(|key| key.0));
    query.push(", ").push_bind(after.map(|key| key.1));
    query.push(", ").push_bind(after.map(|key| key.2.clone()));
    query.push(", ").push_bind(after.map(|key| key.3.clone()));
    query.push(", ").push_bind(after.map(|key| key.4.clone()));
    query.push(", ").push_bind(limit).push(")");
}

/// How many rights there are in all.
///
/// # Errors
/// The database's.
pub async fn count(
    view: &mut Snapshot,
    moment: Moment,
    question: &Question,
) -> Result<i64, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM ");
    rights(&mut query, view.tenant().0, moment, question, None, None);
    query.build_query_scalar().fetch_one(view.connection()).await
}

/// The call of the function that answers.
fn rights(
    query: &mut QueryBuilder<'_, Postgres>,
    tenant: Uuid,
    moment: Moment,
    question: &Question,
    after: Option<&AccessKey>,
    limit: Option<i64>,
) {
    query.push("ops.access_page(").push_bind(tenant);
    query.push(", ").push_bind(moment.true_at);
    query.push(", ").push_bind(moment.known_at);
    query.push(", ").push_bind(question.user);
    query.push(", ").push_bind(question.organization);
    query.push(", ").push_bind(question.npi.clone());
    query.push(", ").push_bind(question.right.map(AccessRight::as_str));
    query.push(", ").push_bind(question.within.clone());
    push_page(query, after, limit);
}

impl Row {
    fn read(self) -> Result<AccessRow, sqlx::Error> {
        let unknown = |what: &str| sqlx::Error::Decode(format!("{what} is not known").into());
        let right = AccessRight::parse(&self.access_right);
        let source = AccessSource::ALL.into_iter().find(|source| source.as_str() == self.source);
        let of = self.correspondence_type.as_ref().unwrap_or(&self.level);
        Ok(AccessRow {
            key: AccessKey(
                self.user_id,
                self.organization_id.unwrap_or_default(),
                self.npi.clone().unwrap_or_default(),
                self.access_right.clone(),
                format!("{of}:{}", self.source),
            ),
            right: right.ok_or_else(|| unknown(&self.access_right))?,
            source: source.ok_or_else(|| unknown(&self.source))?,
            cause: Cause::parse(&self.cause).ok_or_else(|| unknown(&self.cause))?,
            user: self.user_id,
            user_name: full_name(self.first_name.as_deref(), self.last_name.as_deref()),
            organization: self.organization_id,
            organization_name: self.organization_name,
            npi: self.npi,
            correspondence_type: self.correspondence_type,
            level: self.level,
            thing: self.thing,
            valid_from: self.valid_from,
            valid_to: Some(self.valid_to).filter(|end| *end < never()),
            known_from: self.known_from,
            known_from_at: self.known_from_at,
            cause_position: self.cause_position,
        })
    }
}
