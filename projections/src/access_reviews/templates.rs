//! Templates of campaigns as rows, and how they are listed (GN-15).
//!
//! Invariant: what a template says stands in its row as its events have it; when it is opened next is
//! computed by the rule that opens it.

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    AnyEvent,
    access_reviews::template::{Calendar, ReviewTemplateEvent, TemplateTerms},
    values::TenantZone,
};
use rollcall_journal::Recorded;
use sqlx::{FromRow, PgConnection, QueryBuilder, types::Json};
use uuid::Uuid;

use crate::Snapshot;

/// One template.
#[derive(Clone, Debug, FromRow)]
pub struct TemplateRow {
    pub template_id: Uuid,
    pub terms: Json<TemplateTerms>,
    /// Tenant position of its making; the order of every list.
    pub created_position: i64,
    pub created_at: DateTime<Utc>,
    pub set_by: Uuid,
    pub set_at: DateTime<Utc>,
    /// The last date of its recurrence that was seen to, and why nothing was opened then.
    pub last_due: Option<NaiveDate>,
    pub last_skip: Option<String>,
    pub last_campaign_id: Option<Uuid>,
    pub last_opened_at: Option<DateTime<Utc>>,
    pub retired_at: Option<DateTime<Utc>>,
    pub version: i64,
}

impl TemplateRow {
    /// When it is opened next by itself.
    #[must_use]
    pub fn next_opening(&self, zone: TenantZone, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let recurrence = self.terms.recurrence.as_ref().filter(|_| self.retired_at.is_none())?;
        let last_due = self.last_due.map(Into::into);
        let calendar = Calendar { recurrence, zone, set_at: self.set_at, last_due };
        calendar.next(now).map(|date| zone.start_of_day(date))
    }
}

/// Takes an event in, if it is one of a template.
pub(super) async fn take_in(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
) -> Result<(), sqlx::Error> {
    use ReviewTemplateEvent as E;
    let AnyEvent::ReviewTemplate(event) = &recorded.event else { return Ok(()) };
    let of = "WHERE tenant_id = $1 AND template_id = $2";
    let statement = match event {
        E::ReviewTemplateCreated { .. } => {
            "INSERT INTO review_templates (tenant_id, template_id, version, terms, set_by, set_at,
               created_at, created_position)
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7)"
                .to_owned()
        }
        E::ReviewTemplateChanged { .. } => format!(
            "UPDATE review_templates SET version = $3, terms = $4, set_by = $5, set_at = $6 {of}"
        ),
        E::ReviewTemplateOpened { .. } => format!(
            "UPDATE review_templates SET version = $3, last_campaign_id = $4, last_opened_at = $5,
               last_due = coalesce($6, last_due),
               last_skip = CASE WHEN $6 IS NULL THEN last_skip END {of}"
        ),
        E::ReviewTemplateSkipped { .. } => {
            format!("UPDATE review_templates SET version = $3, last_due = $4, last_skip = $5 {of}")
        }
        E::ReviewTemplateRetired { .. } => {
            format!("UPDATE review_templates SET version = $3, retired_at = $4 {of}")
        }
    };
    let query = sqlx::query(&statement)
        .bind(recorded.tenant.0)
        .bind(recorded.aggregate_id)
        .bind(recorded.sequence);
    let query = match event {
        E::ReviewTemplateCreated { terms, by, created_at, .. } => {
            query.bind(Json(terms)).bind(by.0).bind(created_at).bind(recorded.tenant_position)
        }
        E::ReviewTemplateChanged { terms, by, changed_at } => {
            query.bind(Json(terms)).bind(by.0).bind(changed_at)
        }
        E::ReviewTemplateOpened { campaign, due_on, opened_at } => {
            query.bind(campaign.0).bind(opened_at).bind(due_on.map(|date| date.date()))
        }
        E::ReviewTemplateSkipped { due_on, reason } => {
            query.bind(due_on.date()).bind(reason.as_str())
        }
        E::ReviewTemplateRetired { retired_at, .. } => query.bind(retired_at),
    };
    query.execute(tx).await.map(drop)
}

/// Up to `first` templates, newest first, after that position; retired ones only where they are asked for.
///
/// # Errors
/// The database did not answer.
pub async fn templates(
    view: &mut Snapshot,
    with_retired: bool,
    (first, after): (i64, Option<i64>),
) -> Result<Vec<TemplateRow>, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT * FROM read.review_templates t WHERE t.tenant_id = ");
    query.push_bind(view.tenant().0);
    if !with_retired {
        query.push(" AND t.retired_at IS NULL");
    }
    if let Some(after) = after {
        query.push(" AND t.created_position < ").push_bind(after);
    }
    query.push(" ORDER BY t.created_position DESC LIMIT ").push_bind(first);
    query.build_query_as().fetch_all(view.connection()).await
}

/// The templates of these ids.
///
/// # Errors
/// The database did not answer.
pub async fn templates_by_id(
    view: &mut Snapshot,
    ids: &[Uuid],
) -> Result<Vec<TemplateRow>, sqlx::Error> {
    sqlx::query_as(
        "SELECT * FROM read.review_templates WHERE tenant_id = $1 AND template_id = ANY ($2)
          ORDER BY created_position DESC",
    )
    .bind(view.tenant().0)
    .bind(ids.to_vec())
    .fetch_all(view.connection())
    .await
}
