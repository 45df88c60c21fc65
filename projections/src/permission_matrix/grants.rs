//! `npi_permissions`, `correspondence_permissions` and `entitlements`: what each membership was granted.
//!
//! Invariant: a row is what the newest fact about its scope says; the end of a membership's
//! permissions removes them all before what comes later is added.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::TenantId,
    permissions::{Entitlement, EntitlementChange, MembershipEvent, NpiLevel},
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
struct EntitlementRow {
    tenant_id: Uuid,
    organization_id: Uuid,
    user_id: Uuid,
    kind: &'static str,
    key: String,
    until: Option<DateTime<Utc>>,
    granted_at: DateTime<Utc>,
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
    entitlements: BTreeMap<(Membership, Entitlement), Option<Granted>>,
}

struct Granted {
    until: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
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
                self.entitlements.retain(|(of, _), _| *of != membership);
                self.ended.insert(membership);
            }
            E::FeatureGranted { user, organization, .. }
            | E::FeatureRevoked { user, organization, .. }
            | E::JobRoleAssigned { user, organization, .. }
            | E::JobRoleUnassigned { user, organization, .. }
            | E::LocationAccessGranted { user, organization, .. }
            | E::LocationAccessRevoked { user, organization, .. }
            | E::TaxIdAccessGranted { user, organization, .. }
            | E::TaxIdAccessRevoked { user, organization, .. }
            | E::GrantExpired { user, organization, .. } => {
                let change = event.entitlement().expect("these facts are about one");
                self.entitlement((organization.0, user.0), change, at);
            }
            E::PermissionsAssigned { .. }
            | E::PermissionsDeferred { .. }
            | E::FormerPermissionsConfirmed { .. } => {}
        }
    }

    fn entitlement(
        &mut self,
        membership: Membership,
        change: EntitlementChange,
        at: DateTime<Utc>,
    ) {
        let (entitlement, granted) = match change {
            EntitlementChange::Granted { grant, .. } => {
                (grant.entitlement, Some(Granted { until: grant.until, at }))
            }
            EntitlementChange::Revoked { entitlement, .. }
            | EntitlementChange::Expired { entitlement, .. } => (entitlement, None),
        };
        self.entitlements.insert((membership, entitlement), granted);
    }

    pub(super) async fn store(
        self,
        tx: &mut PgConnection,
        tenant: TenantId,
    ) -> Result<(), sqlx::Error> {
        self.remove(tx, tenant).await?;
        let tenant_id = tenant.0;
        let entitlements: Vec<EntitlementRow> = self
            .entitlements
            .into_iter()
            .filter_map(|(((organization_id, user_id), entitlement), granted)| {
                let Granted { until, at: granted_at } = granted?;
                let (kind, key) = (entitlement.kind().as_str(), entitlement.key());
                Some(EntitlementRow {
                    tenant_id,
                    organization_id,
                    user_id,
                    kind,
                    key,
                    until,
                    granted_at,
                })
            })
            .collect();
        if !entitlements.is_empty() {
            sqlx::query(
                "INSERT INTO entitlements
                 SELECT * FROM jsonb_populate_recordset(NULL::entitlements, $1)
                 ON CONFLICT (tenant_id, organization_id, user_id, kind, key) DO UPDATE
                    SET until = excluded.until, granted_at = excluded.granted_at",
            )
            .bind(Json(entitlements))
            .execute(&mut *tx)
            .await?;
        }
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
            "DELETE FROM entitlements WHERE tenant_id = $1 AND (organization_id, user_id) IN
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
        self.remove_entitlements(tx, tenant).await?;
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

    async fn remove_entitlements(
        &self,
        tx: &mut PgConnection,
        tenant: TenantId,
    ) -> Result<(), sqlx::Error> {
        let gone = self.entitlements.iter().filter(|(_, granted)| granted.is_none());
        let gone: Vec<_> = gone.map(|(key, _)| key).collect();
        if gone.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "DELETE FROM entitlements
              WHERE tenant_id = $1 AND (organization_id, user_id, kind, key) IN
                    (SELECT * FROM UNNEST($2::uuid[], $3::uuid[], $4::text[], $5::text[]))",
        )
        .bind(tenant.0)
        .bind(gone.iter().map(|((organization, _), _)| *organization).collect::<Vec<_>>())
        .bind(gone.iter().map(|((_, user), _)| *user).collect::<Vec<_>>())
        .bind(gone.iter().map(|(_, it)| it.kind().as_str()).collect::<Vec<_>>())
        .bind(gone.iter().map(|(_, it)| it.key()).collect::<Vec<_>>())
        .execute(tx)
        .await
        .map(drop)
    }
}
