//! `npi_permissions` and `correspondence_permissions`: what each membership was granted.
//!
//! Invariant: a row is what the newest fact about its scope says; the end of a membership's
//! permissions removes them all before what comes later is added.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::TenantId,
    permissions::{MembershipEvent, NpiLevel},
};
use serde::Serialize;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// Organisation and person.
type Membership = (Uuid, Uuid);

#[derive(Serialize)]
struct LevelRow {
    tenant_id: Uuid,
    organization_id: Uuid,
    user_id: Uuid,
    npi: String,
    level: &'static str,
    until: Option<DateTime<Utc>>,
    set_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct TypesRow {
    tenant_id: Uuid,
    organization_id: Uuid,
    user_id: Uuid,
    npi: String,
    types: Vec<String>,
}

struct Level {
    level: NpiLevel,
    until: Option<DateTime<Utc>>,
    set_at: DateTime<Utc>,
}

/// What a batch changes; `None` removes a level.
#[derive(Default)]
pub(super) struct Changes {
    ended: BTreeSet<Membership>,
    levels: BTreeMap<(Membership, String), Option<Level>>,
    types: BTreeMap<(Membership, String), Vec<String>>,
}

impl Changes {
    pub(super) fn take_in(&mut self, event: &MembershipEvent, at: DateTime<Utc>) {
        use MembershipEvent as E;
        match event {
            E::NpiPermissionSet { user, organization, npi, new, until, .. } => {
                let level = Level { level: *new, until: *until, set_at: at };
                let key = ((organization.0, user.0), npi.to_string());
                self.levels.insert(key, Some(level));
            }
            E::NpiPermissionEnded { user, organization, npi, .. } => {
                self.levels.insert(((organization.0, user.0), npi.to_string()), None);
            }
            E::CorrespondencePermissionSet { user, organization, npi, types, .. } => {
                let types = types.iter().map(ToString::to_string).collect();
                self.types.insert(((organization.0, user.0), npi.to_string()), types);
            }
            E::MembershipPermissionsEnded { user, organization, .. } => {
                let membership = (organization.0, user.0);
                self.levels.retain(|(of, _), _| *of != membership);
                self.types.retain(|(of, _), _| *of != membership);
                self.ended.insert(membership);
            }
            E::PermissionsAssigned { .. }
            | E::PermissionsDeferred { .. }
            | E::FormerPermissionsConfirmed { .. } => {}
        }
    }

    pub(super) async fn store(
        self,
        tx: &mut PgConnection,
        tenant: TenantId,
    ) -> Result<(), sqlx::Error> {
        self.remove(tx, tenant).await?;
        let tenant_id = tenant.0;
        let levels: Vec<LevelRow> = self
            .levels
            .into_iter()
            .filter_map(|(((organization_id, user_id), npi), level)| {
                let Level { level, until, set_at } = level?;
                let level = level.as_str();
                Some(LevelRow { tenant_id, organization_id, user_id, npi, level, until, set_at })
            })
            .collect();
        let types: Vec<TypesRow> = self
            .types
            .into_iter()
            .map(|(((organization_id, user_id), npi), types)| TypesRow {
                tenant_id,
                organization_id,
                user_id,
                npi,
                types,
            })
            .collect();
        if !levels.is_empty() {
            sqlx::query(
                "INSERT INTO npi_permissions
                 SELECT * FROM jsonb_populate_recordset(NULL::npi_permissions, $1)
                 ON CONFLICT (tenant_id, organization_id, user_id, npi) DO UPDATE
                    SET level = excluded.level, until = excluded.until, set_at = excluded.set_at",
            )
            .bind(Json(levels))
            .execute(&mut *tx)
            .await?;
        }
        if !types.is_empty() {
            sqlx::query(
                "INSERT INTO correspondence_permissions
                 SELECT * FROM jsonb_populate_recordset(NULL::correspondence_permissions, $1)
                 ON CONFLICT (tenant_id, organization_id, user_id, npi) DO UPDATE
                    SET types = excluded.types",
            )
            .bind(Json(types))
            .execute(tx)
            .await?;
        }
        Ok(())
    }

    async fn remove(&self, tx: &mut PgConnection, tenant: TenantId) -> Result<(), sqlx::Error> {
        let (organizations, users): (Vec<Uuid>, Vec<Uuid>) = self.ended.iter().copied().unzip();
        for statement in [
            "DELETE FROM npi_permissions WHERE tenant_id = $1 AND (organization_id, user_id) IN
                    (SELECT * FROM UNNEST($2::uuid[], $3::uuid[]))",
            "DELETE FROM correspondence_permissions
              WHERE tenant_id = $1 AND (organization_id, user_id) IN
                    (SELECT * FROM UNNEST($2::uuid[], $3::uuid[]))",
        ] {
            if !organizations.is_empty() {
                sqlx::query(statement)
                    .bind(tenant.0)
                    .bind(&organizations)
                    .bind(&users)
                    .execute(&mut *tx)
                    .await?;
            }
        }
        let gone: Vec<_> = self.levels.iter().filter(|(_, level)| level.is_none()).collect();
        if gone.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "DELETE FROM npi_permissions WHERE tenant_id = $1 AND (organization_id, user_id, npi) IN
                    (SELECT * FROM UNNEST($2::uuid[], $3::uuid[], $4::text[]))",
        )
        .bind(tenant.0)
        .bind(gone.iter().map(|(((organization, _), _), _)| *organization).collect::<Vec<_>>())
        .bind(gone.iter().map(|(((_, user), _), _)| *user).collect::<Vec<_>>())
        .bind(gone.iter().map(|((_, npi), _)| npi.as_str()).collect::<Vec<_>>())
        .execute(tx)
        .await?;
        Ok(())
    }
}
