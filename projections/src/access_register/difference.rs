//! What effective access was gained, lost and changed between two moments, when, and by what (GN-14).
//!
//! Invariant: a difference is one of what `ops.effective_access` answers at the two moments, both as
//! known at one position; no event is read, none replayed.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::{
    AccessKey, AccessRight, AccessSource, Cause, Question,
    queries::{push_page, with_names},
};
use crate::{Snapshot, people::full_name};

/// What became of a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    Gained,
    Lost,
    /// Held at both moments, at another level or by another way.
    Changed,
}

impl Change {
    pub const ALL: [Self; 3] = [Self::Gained, Self::Lost, Self::Changed];

    /// The name in answers of the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gained => "GAINED",
            Self::Lost => "LOST",
            Self::Changed => "CHANGED",
        }
    }
}

/// Two moments, the later one second, and as known at which position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub known_at: i64,
}

/// Which differences, beyond what the question to the register says.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChangeFilter {
    pub change: Option<Change>,
    pub cause: Option<Cause>,
}

/// One right of one person that differs.
#[derive(Clone, Debug)]
pub struct AccessChange {
    pub key: AccessKey,
    pub change: Change,
    pub right: AccessRight,
    pub user: Uuid,
    pub user_name: Option<String>,
    pub organization: Option<Uuid>,
    pub organization_name: Option<String>,
    pub npi: Option<String>,
    /// `*` for all types.
    pub correspondence_type: Option<String>,
    /// What a job role, location or tax id is called.
    pub thing: Option<String>,
    /// At which level and by which way it was held; `None`: it was not.
    pub before: Option<(String, AccessSource)>,
    pub after: Option<(String, AccessSource)>,
    /// Since when it is as it is at the end.
    pub happened_at: DateTime<Utc>,
    pub cause: Cause,
    pub cause_position: i64,
}

/// How many rights differ in one way by one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeCount {
    pub change: Change,
    pub cause: Cause,
    pub count: i64,
}

#[derive(FromRow)]
struct Row {
    change: String,
    access_right: String,
    user_id: Uuid,
    organization_id: Option<Uuid>,
    npi: Option<String>,
    detail: String,
    level_before: Option<String>,
    source_before: Option<String>,
    level_after: Option<String>,
    source_after: Option<String>,
    happened_at: DateTime<Utc>,
    cause: String,
    cause_position: i64,
    first_name: Option<String>,
    last_name: Option<String>,
    organization_name: Option<String>,
    thing: Option<String>,
}

/// One page of differences in the order of their keys, `limit` rows at most.
///
/// # Errors
/// The database's.
pub async fn changes(
    view: &mut Snapshot,
    span: Span,
    (question, filter): (&Question, ChangeFilter),
    after: Option<&AccessKey>,
    limit: i64,
) -> Result<Vec<AccessChange>, sqlx::Error> {
    let tenant = view.tenant().0;
    let mut query = with_names(tenant, "detail", |query| {
        differences(query, tenant, span, (question, filter), after, Some(limit));
    });
    let rows: Vec<Row> = query.build_query_as().fetch_all(view.connection()).await?;
    let rows = rows.into_iter().map(Row::read);
    if view.pinned().is_none() {
        return rows.collect();
    }
    // Names are today's.
    let nameless =
        |row| AccessChange { user_name: None, organization_name: None, thing: None, ..row };
    rows.map(|row| row.map(nameless)).collect()
}

/// The most people whose differences are counted; it takes a millisecond or so for each.
const MOST_COUNTED: i64 = 5_000;

/// Why differences are not counted.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Something changed for more people than are looked at to count.
    #[error("{people} people are concerned")]
    TooMany { people: i64 },
}

/// How many rights differ in all, by what became of them and by cause; the most first.
///
/// # Errors
/// See [`CountError`].
pub async fn change_counts(
    view: &mut Snapshot,
    span: Span,
    asked: (&Question, ChangeFilter),
) -> Result<Vec<ChangeCount>, CountError> {
    let people = changed_people(view, span, asked.0).await?;
    if people > MOST_COUNTED {
        return Err(CountError::TooMany { people });
    }
    let mut query = QueryBuilder::new("SELECT d.change, d.cause, count(*) FROM ");
    differences(&mut query, view.tenant().0, span, asked, None, None);
    query.push(" d GROUP BY d.change, d.cause ORDER BY count(*) DESC, d.change, d.cause");
    let rows: Vec<(String, String, i64)> =
        query.build_query_as().fetch_all(view.connection()).await?;
    let counted = rows.into_iter().map(|(change, cause, count)| -> Result<_, sqlx::Error> {
        Ok(ChangeCount { change: read_change(&change)?, cause: read_cause(&cause)?, count })
    });
    Ok(counted.collect::<Result<_, _>>()?)
}

/// How many people there are whose rights may differ.
async fn changed_people(
    view: &mut Snapshot,
    span: Span,
    question: &Question,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT cardinality(ops.access_changed_people($1, $2, $3, $4, $5, $6, $7, $8, $9,
                '00000000-0000-0000-0000-000000000000'))::bigint",
    )
    .bind(view.tenant().0)
    .bind(span.from)
    .bind(span.to)
    .bind(span.known_at)
    .bind(question.user)
    .bind(question.organization)
    .bind(question.npi.clone())
    .bind(question.right.map(AccessRight::as_str))
    .bind(question.within.clone())
    .fetch_one(view.connection())
    .await
}

/// The call of the function that answers.
fn differences(
    query: &mut QueryBuilder<'_, Postgres>,
    tenant: Uuid,
    span: Span,
    (question, filter): (&Question, ChangeFilter),
    after: Option<&AccessKey>,
    limit: Option<i64>,
) {
    query.push("ops.access_difference(").push_bind(tenant);
    query.push(", ").push_bind(span.from);
    query.push(", ").push_bind(span.to);
    query.push(", ").push_bind(span.known_at);
    query.push(", ").push_bind(question.user);
    query.push(", ").push_bind(question.organization);
    query.push(", ").push_bind(question.npi.clone());
    query.push(", ").push_bind(question.right.map(AccessRight::as_str));
    query.push(", ").push_bind(question.within.clone());
    query.push(", ").push_bind(filter.change.map(Change::as_str));
    query.push(", ").push_bind(filter.cause.map(Cause::as_str));
    push_page(query, after, limit);
}

fn unknown(what: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{what} is not known").into())
}

fn read_change(name: &str) -> Result<Change, sqlx::Error> {
    let known = Change::ALL.into_iter().find(|change| change.as_str() == name);
    known.ok_or_else(|| unknown(name))
}

fn read_cause(name: &str) -> Result<Cause, sqlx::Error> {
    Cause::parse(name).ok_or_else(|| unknown(name))
}

fn read_side(
    level: Option<String>,
    source: Option<String>,
) -> Result<Option<(String, AccessSource)>, sqlx::Error> {
    let Some((level, source)) = level.zip(source) else { return Ok(None) };
    let known = AccessSource::ALL.into_iter().find(|known| known.as_str() == source);
    Ok(Some((level, known.ok_or_else(|| unknown(&source))?)))
}

impl Row {
    fn read(self) -> Result<AccessChange, sqlx::Error> {
        let right = AccessRight::parse(&self.access_right);
        let right = right.ok_or_else(|| unknown(&self.access_right))?;
        let of_type = right == AccessRight::ReadCorrespondence;
        Ok(AccessChange {
            key: AccessKey(
                self.user_id,
                self.organization_id.unwrap_or_default(),
                self.npi.clone().unwrap_or_default(),
                self.access_right,
                self.detail.clone(),
            ),
            change: read_change(&self.change)?,
            right,
            user: self.user_id,
            user_name: full_name(self.first_name.as_deref(), self.last_name.as_deref()),
            organization: self.organization_id,
            organization_name: self.organization_name,
            npi: self.npi,
            correspondence_type: of_type.then_some(self.detail),
            thing: self.thing,
            before: read_side(self.level_before, self.source_before)?,
            after: read_side(self.level_after, self.source_after)?,
            happened_at: self.happened_at,
            cause: read_cause(&self.cause)?,
            cause_position: self.cause_position,
        })
    }
}
