//! The last day of use, asked of `read.right_uses`, and since when uses are noted at all.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::Snapshot;

/// A right of a person whose last use is asked for, by the words of the access register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    pub user: Uuid,
    /// `None` for roles of the plan.
    pub organization: Option<Uuid>,
    /// The kind's stored word.
    pub kind: &'static str,
    pub npi: Option<String>,
    /// What of it, where there are several; `*` for any.
    pub detail: Option<String>,
}

/// As of which day, and as known where.
#[derive(Clone, Copy, Debug)]
pub struct AsOf {
    /// A day of the tenant.
    pub day: NaiveDate,
    pub known_at: i64,
}

/// The last day each of these rights was used, up to the moment; those without one are absent.
///
/// # Errors
/// The database did not answer.
pub async fn last_uses(
    view: &mut Snapshot,
    rights: &[Asked],
    as_of: AsOf,
) -> Result<HashMap<Asked, NaiveDate>, sqlx::Error> {
    if rights.is_empty() {
        return Ok(HashMap::new());
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let organization = |asked: &Asked| asked.organization.unwrap_or(Uuid::nil());
    let found: Vec<(i64, NaiveDate)> = sqlx::query_as(
        "SELECT asked.number, used.day
           FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])
                WITH ORDINALITY asked(user_id, organization_id, kind, npi, detail, number)
          CROSS JOIN LATERAL (
                SELECT u.day FROM read.right_uses u
                 WHERE u.tenant_id = $1 AND u.user_id = asked.user_id
                   AND u.organization_id = asked.organization_id AND u.kind = asked.kind
                   AND u.npi = asked.npi AND (asked.detail = '*' OR u.detail = asked.detail)
                   AND u.day <= $7 AND u.recorded_position <= $8
                 ORDER BY u.day DESC LIMIT 1) used",
    )
    .bind(view.tenant().0)
    .bind(rights.iter().map(|asked| asked.user).collect::<Vec<_>>())
    .bind(rights.iter().map(organization).collect::<Vec<_>>())
    .bind(rights.iter().map(|asked| asked.kind).collect::<Vec<_>>())
    .bind(rights.iter().map(|asked| text(&asked.npi)).collect::<Vec<_>>())
    .bind(rights.iter().map(|asked| text(&asked.detail)).collect::<Vec<_>>())
    .bind(as_of.day)
    .bind(as_of.known_at)
    .fetch_all(view.connection())
    .await?;
    let numbered = found.into_iter().filter_map(|(number, day)| {
        let index = usize::try_from(number - 1).ok()?;
        Some((rights.get(index)?.clone(), day))
    });
    Ok(numbered.collect())
}

/// Since when the tenant notes uses of each kind.
#[derive(Clone, Debug, Default)]
pub struct Noting {
    /// When the tenant's records begin.
    begins: Option<DateTime<Utc>>,
    /// Kinds whose noting began later.
    later: HashMap<String, DateTime<Utc>>,
}

impl Noting {
    /// Reads it.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn read(view: &mut Snapshot) -> Result<Self, sqlx::Error> {
        let rows: Vec<(Option<String>, DateTime<Utc>)> = sqlx::query_as(
            "SELECT kind, since FROM ops.right_use_noting WHERE tenant_id = $1
              UNION ALL
             SELECT NULL, recorded_at FROM es.events WHERE tenant_id = $1 AND tenant_position = 1",
        )
        .bind(view.tenant().0)
        .fetch_all(view.connection())
        .await?;
        let mut noting = Self::default();
        for (kind, since) in rows {
            match kind {
                Some(kind) => {
                    noting.later.insert(kind, since);
                }
                None => noting.begins = Some(since),
            }
        }
        Ok(noting)
    }

    /// The moment from which on a right held since then would have been seen to be used.
    #[must_use]
    pub fn watched_since(&self, kind: &str, held: DateTime<Utc>) -> DateTime<Utc> {
        watched_since((self.begins, self.later.get(kind).copied()), held)
    }
}

/// The moment from which on the use of a right held since then would have been seen: not before the
/// records begin, nor before uses of its kind are noted.
pub(crate) fn watched_since(
    (begins, noted): (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    held: DateTime<Utc>,
) -> DateTime<Utc> {
    begins.into_iter().chain(noted).fold(held, DateTime::max)
}
