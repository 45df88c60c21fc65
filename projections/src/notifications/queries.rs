//! What is asked of notices. Invariant: every question names the person whose list it is.

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{NotificationId, OrganizationId, UserId},
    notifications::NotificationType,
};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::sentence;
use crate::Snapshot;

/// A notice as its person finds it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Notice {
    pub notification_id: Uuid,
    pub raised_position: i64,
    pub raised_at: DateTime<Utc>,
    #[sqlx(rename = "type")]
    pub kind: String,
    pub organization_id: Option<Uuid>,
    pub organization_name: Option<String>,
    pub subject_kind: String,
    pub subject_id: Uuid,
    /// The person it is about, where it is about one whose name is known.
    pub subject_name: Option<String>,
    pub npi: Option<String>,
    pub happening: Option<String>,
    /// The other organisation of an affiliation.
    pub counterparty_name: Option<String>,
    pub read_at: Option<DateTime<Utc>>,
}

/// Which of a person's notices.
#[derive(Clone, Debug)]
pub struct NoticeFilter<'a> {
    pub user: UserId,
    /// Those of this organisation and the person's own; `None` for the person's own only.
    pub organization: Option<OrganizationId>,
    /// Words that all occur in what is shown: title, sentence, organisation, NPI or name (MC-68).
    pub search: Option<&'a str>,
    pub from: Option<DateTime<Utc>>,
    /// Exclusive.
    pub to: Option<DateTime<Utc>>,
    pub unread_only: bool,
}

/// Which page of them.
#[derive(Clone, Copy, Debug)]
pub struct NoticePage {
    pub first: i64,
    /// The position of the last notice of the page before.
    pub after: Option<i64>,
}

/// What notices of a type are called; searched, and shown as the title.
#[must_use]
pub const fn title(kind: NotificationType) -> &'static str {
    match kind {
        NotificationType::AccessRequest => "Access request",
        NotificationType::NewCorrespondence => "New correspondence",
        NotificationType::AffiliationRequest => "Affiliation request",
        NotificationType::AffiliationDecision => "Affiliation decision",
        NotificationType::PinReset => "PIN reset",
        NotificationType::PermissionChange => "Permission change",
        NotificationType::UserActivity => "User activity",
        NotificationType::AccountSecurity => "Account security",
        NotificationType::ReviewDue => "Review due",
        NotificationType::ReportReleased => "Report released",
        NotificationType::SystemAlert => "System alert",
    }
}

const COLUMNS: &str = "SELECT n.notification_id, n.raised_position, n.raised_at, n.type,
    n.organization_id, o.name AS organization_name, n.subject_kind, n.subject_id,
    nullif(concat_ws(' ', p.first_name, p.last_name), '') AS subject_name, n.npi, n.happening,
    c.name AS counterparty_name, n.read_at";

// Who was merely invited is not named: the name would be of an account they may have elsewhere
// (GN-09).
const TABLES: &str = " FROM read.notifications n
    LEFT JOIN read.notification_organizations o
      ON o.tenant_id = n.tenant_id AND o.organization_id = n.organization_id
    LEFT JOIN read.notification_organizations c
      ON c.tenant_id = n.tenant_id AND c.organization_id = n.counterparty_id
    LEFT JOIN read.people p
      ON p.tenant_id = n.tenant_id AND p.user_id = n.subject_id AND n.subject_kind = 'USER'
     AND n.happening IS DISTINCT FROM 'INVITED'
    WHERE n.tenant_id = ";

/// The notices of a page, newest first, and one more where there are more.
///
/// # Errors
/// The database did not answer.
pub async fn notices(
    view: &mut Snapshot,
    filter: &NoticeFilter<'_>,
    page: NoticePage,
) -> Result<Vec<Notice>, sqlx::Error> {
    let mut query = filtered(view, COLUMNS, filter);
    if let Some(after) = page.after {
        query.push(" AND n.raised_position < ").push_bind(after);
    }
    query.push(" ORDER BY n.raised_position DESC LIMIT ").push_bind(page.first + 1);
    query.build_query_as().fetch_all(view.connection()).await
}

/// How many notices there are.
///
/// # Errors
/// The database did not answer.
pub async fn count(view: &mut Snapshot, filter: &NoticeFilter<'_>) -> Result<i64, sqlx::Error> {
    filtered(view, "SELECT count(*)", filter)
        .build_query_scalar()
        .fetch_one(view.connection())
        .await
}

/// How many of them are unread.
///
/// # Errors
/// The database did not answer.
pub async fn unread_count(
    view: &mut Snapshot,
    user: UserId,
    organization: Option<OrganizationId>,
) -> Result<i64, sqlx::Error> {
    let filter =
        NoticeFilter { user, organization, search: None, from: None, to: None, unread_only: true };
    count(view, &filter).await
}

/// Those of a person's notices that have these ids, of whichever organisation.
///
/// # Errors
/// The database did not answer.
pub async fn notices_by_id(
    view: &mut Snapshot,
    user: UserId,
    ids: &[NotificationId],
) -> Result<Vec<Notice>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut query = QueryBuilder::new(COLUMNS);
    query.push(TABLES).push_bind(view.tenant().0);
    query.push(" AND n.user_id = ").push_bind(user.0);
    query.push(" AND n.notification_id = ANY(").push_bind(ids).push(")");
    query.build_query_as().fetch_all(view.connection()).await
}

fn filtered<'a>(
    view: &Snapshot,
    columns: &str,
    filter: &NoticeFilter<'a>,
) -> QueryBuilder<'a, Postgres> {
    let mut query = QueryBuilder::new(columns);
    query.push(TABLES).push_bind(view.tenant().0);
    query.push(" AND n.user_id = ").push_bind(filter.user.0);
    match filter.organization {
        Some(organization) => query
            .push(" AND (n.organization_id IS NULL OR n.organization_id = ")
            .push_bind(organization.0)
            .push(")"),
        None => query.push(" AND n.organization_id IS NULL"),
    };
    if let Some(from) = filter.from {
        query.push(" AND n.raised_at >= ").push_bind(from);
    }
    if let Some(to) = filter.to {
        query.push(" AND n.raised_at < ").push_bind(to);
    }
    if filter.unread_only {
        query.push(" AND n.read_at IS NULL");
    }
    for word in filter.search.unwrap_or_default().split_whitespace() {
        search(&mut query, word);
    }
    query
}

/// The word occurs somewhere in what is shown: in a name, or in what is always said of such a type
/// and happening.
fn search(query: &mut QueryBuilder<'_, Postgres>, word: &str) {
    let folded = word.to_lowercase();
    let said: Vec<String> = sentence::fixed_words()
        .filter(|(_, words)| words.contains(&folded))
        .map(|(what, _)| what)
        .collect();
    query
        .push(" AND (concat_ws('/', n.type, n.happening) = ANY(")
        .push_bind(said)
        .push(") OR position(")
        .push_bind(folded)
        .push(" IN lower(concat_ws(' ', o.name, c.name, n.npi, p.first_name, p.last_name))) > 0)");
}
