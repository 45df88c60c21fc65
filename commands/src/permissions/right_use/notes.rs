//! `ops.right_uses`: what was used today. Invariant: a row per person, right and day; what this
//! process has noted it does not write again.

use std::{collections::HashSet, sync::Mutex};

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    kernel::ids::{OrganizationId, TenantId, UserId},
    permissions::right_use::{RightKind, UsedRight},
    policies::PolicyHistory,
    values::TenantZone,
};
use sqlx::PgPool;
use uuid::Uuid;

use crate::{Authority, Commands, Failure};

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

/// Notes uses.
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
    let kinds = [RightKind::ViewOrganization, RightKind::ManageUsers];
    let in_organization = authority.organization.into_iter().flat_map(|organization| {
        kinds.into_iter().filter(|kind| kind.is_used_by(operation)).map(move |kind| Noted {
            user,
            organization: Some(organization),
            right: UsedRight::of_kind(kind),
        })
    });
    roles.chain(in_organization).chain(said).collect()
}

impl Commands {
    /// Notes what a question uses, by its name and as `said` beside that.
    ///
    /// # Errors
    /// The journal's.
    pub async fn note_question(
        &self,
        tenant: TenantId,
        question: &str,
        authority: &Authority,
        said: Vec<UsedRight>,
    ) -> Result<(), Failure> {
        let used = used(question, authority, said);
        if used.is_empty() {
            return Ok(());
        }
        let now = self.journal.now();
        let policies = self.journal.load::<PolicyHistory>(tenant, tenant.policy_stream()).await?;
        let zone = policies.state.at(now).1.time_zone();
        self.right_uses.note(tenant, zone, now, used).await;
        Ok(())
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
        if let Err(error) = self.write(tenant, (day, zone.next_midnight(now)), &new).await {
            tracing::warn!(%error, "the use of a right was not noted");
            let mut known = self.known.lock().expect("nobody panics while holding it");
            for noted in new {
                known.remove(&(tenant, day, noted));
            }
        }
    }

    fn unknown(&self, tenant: TenantId, day: NaiveDate, uses: Vec<Noted>) -> Vec<Noted> {
        let mut known = self.known.lock().expect("nobody panics while holding it");
        if known.len() > MOST {
            known.clear();
        }
        uses.into_iter().filter(|noted| known.insert((tenant, day, noted.clone()))).collect()
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
