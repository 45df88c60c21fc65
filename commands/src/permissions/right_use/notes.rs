//! `ops.right_uses`: what was used today. Invariant: a row per person, right and day; what this
//! process has written it does not write again.

use std::{collections::HashSet, sync::Mutex};

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    kernel::ids::{OrganizationId, TenantId, UserId},
    organizations::OrgRole,
    permissions::right_use::{RightKind, UsedRight},
    policies::PolicyHistory,
    values::TenantZone,
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{Authority, Commands};

/// How many uses a process remembers before it begins anew.
const MOST: usize = 50_000;

/// A right that somebody used just now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Noted {
    pub user: UserId,
    /// `None` for roles of the plan.
    pub organization: Option<OrganizationId>,
    pub right: UsedRight,
}

/// Notes uses. Invariant: `known` holds what was written and nothing else, so that a write that
/// failed, or was given up with its request, is made good by the next use.
pub struct RightUseNotes {
    pool: PgPool,
    known: Mutex<HashSet<(TenantId, NaiveDate, Noted)>>,
}

/// What an operation uses: what its name tells, and what its handler says beside that.
///
/// Machines use nobody's rights.
#[must_use]
pub fn used(operation: &str, authority: &Authority, said: Vec<UsedRight>) -> Vec<Noted> {
    let Some(user) = authority.user else { return Vec::new() };
    debug_assert!(
        said.iter().all(|right| right.kind.is_used_by(operation)),
        "{operation} is not among the operations that use {said:?}"
    );
    let organization = authority.organization;
    let said = said.into_iter().map(|right| Noted { user, organization, right });
    let roles = authority.acting_roles.iter().map(|role| Noted {
        user,
        organization: None,
        right: UsedRight::plan_role(*role),
    });
    let views = matches!(authority.org_role, Some(OrgRole::Admin | OrgRole::Processor));
    let in_organization = authority.organization.and_then(|organization| {
        let kind = RightKind::told_by(operation, views)?;
        Some(Noted { user, organization: Some(organization), right: UsedRight::of_kind(kind) })
    });
    roles.chain(in_organization).chain(said).collect()
}

impl Commands {
    /// Notes what a question uses, by its name and as `said` beside that. It never fails the
    /// question: what could not be noted is logged.
    pub async fn note_question(
        &self,
        tenant: TenantId,
        question: &str,
        authority: &Authority,
        said: Vec<UsedRight>,
    ) {
        let used = used(question, authority, said);
        if used.is_empty() {
            return;
        }
        let now = self.journal.now();
        match self.journal.load::<PolicyHistory>(tenant, tenant.policy_stream()).await {
            Ok(policies) => {
                let zone = policies.state.at(now).1.time_zone();
                self.right_uses.note(tenant, zone, now, used).await;
            }
            Err(error) => tracing::warn!(%error, "the use of a right was not noted"),
        }
    }
}

impl RightUseNotes {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self { pool, known: Mutex::default() }
    }

    /// Notes what was used at `now`. A failure is logged: what was done is done.
    pub async fn note(
        &self,
        tenant: TenantId,
        zone: TenantZone,
        now: DateTime<Utc>,
        uses: Vec<Noted>,
    ) {
        let day = zone.local_date(now);
        let new = self.unknown(tenant, day, uses);
        if new.is_empty() {
            return;
        }
        match self.write(tenant, (day, zone.next_midnight(now)), &new).await {
            Ok(()) => self.remember(tenant, day, new),
            Err(error) => tracing::warn!(%error, "the use of a right was not noted"),
        }
    }

    fn unknown(&self, tenant: TenantId, day: NaiveDate, uses: Vec<Noted>) -> Vec<Noted> {
        let known = self.known.lock().expect("nobody panics while holding it");
        let is_new = |noted: &Noted| !known.contains(&(tenant, day, noted.clone()));
        uses.into_iter().filter(is_new).collect()
    }

    fn remember(&self, tenant: TenantId, day: NaiveDate, written: Vec<Noted>) {
        let mut known = self.known.lock().expect("nobody panics while holding it");
        if known.len() > MOST {
            known.clear();
        }
        known.extend(written.into_iter().map(|noted| (tenant, day, noted)));
    }

    async fn write(
        &self,
        tenant: TenantId,
        (day, due_at): (NaiveDate, DateTime<Utc>),
        uses: &[Noted],
    ) -> Result<(), sqlx::Error> {
        let organization = |noted: &Noted| noted.organization.map_or(Uuid::nil(), |id| id.0);
        let npi = |noted: &Noted| noted.right.npi.as_ref().map(ToString::to_string);
        let detail = |noted: &Noted| noted.right.of.clone().unwrap_or_default();
        sqlx::query(
            "INSERT INTO ops.right_uses
               (tenant_id, user_id, organization_id, kind, npi, detail, day, due_at)
             SELECT $1, used.*, $7, $8
               FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[]) used
             ON CONFLICT DO NOTHING",
        )
        .bind(tenant.0)
        .bind(uses.iter().map(|noted| noted.user.0).collect::<Vec<_>>())
        .bind(uses.iter().map(organization).collect::<Vec<_>>())
        .bind(uses.iter().map(|noted| noted.right.kind.as_str()).collect::<Vec<_>>())
        .bind(uses.iter().map(|noted| npi(noted).unwrap_or_default()).collect::<Vec<_>>())
        .bind(uses.iter().map(detail).collect::<Vec<_>>())
        .bind(day)
        .bind(due_at)
        .execute(&self.pool)
        .await
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rollcall_domain::permissions::right_use::RightKind;
    use sqlx::postgres::PgPoolOptions;

    use super::*;

    #[tokio::test]
    async fn a_use_that_was_not_written_is_not_remembered() {
        let nowhere = PgPoolOptions::new()
            .acquire_timeout(Duration::from_millis(50))
            .connect_lazy("postgres://nobody@127.0.0.1:1/none")
            .unwrap();
        let notes = RightUseNotes::new(nowhere);
        let tenant = TenantId::of_slug("medi-cal");
        let right = UsedRight::of_kind(RightKind::ManageUsers);
        let noted = Noted { user: UserId(Uuid::from_u128(1)), organization: None, right };
        let (zone, now) = (TenantZone::parse("America/Los_Angeles").unwrap(), Utc::now());
        notes.note(tenant, zone, now, vec![noted.clone()]).await;
        let day = zone.local_date(now);
        assert_eq!(notes.unknown(tenant, day, vec![noted.clone()]), std::slice::from_ref(&noted));
        notes.remember(tenant, day, vec![noted.clone()]);
        assert_eq!(notes.unknown(tenant, day, vec![noted]), []);
    }
}
