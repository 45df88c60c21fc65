//! How facts about tenants, staff, policies and agreements become rows.
//!
//! Invariant: each fact is one statement; these streams are short, so nothing is folded.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rollcall_domain::{
    AnyEvent,
    content::ClientGuidanceEvent,
    kernel::ids::{OrganizationId, TenantId},
    policies::{FeatureState, PolicyEvent, agreement::AgreementEvent},
    tenants::{PlanStaffEvent, TenantEvent},
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::proposals;
use crate::readers;

/// Keeps `read.portals`, `read.tenants`, `read.plan_staff`, `read.plan_roles`,
/// `read.policy_changes`, `read.agreements` and `read.client_guidance`.
pub struct Tenancy;

#[async_trait]
impl Projection<AnyEvent> for Tenancy {
    fn name(&self) -> &'static str {
        "tenancy"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "portals",
            "tenants",
            "plan_staff",
            "plan_roles",
            "policy_changes",
            "agreements",
            "client_guidance",
            "policy_proposals",
        ]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        for recorded in batch {
            if let AnyEvent::Tenant(event) = &recorded.event {
                tenant(tx, recorded, event).await?;
            } else if let AnyEvent::PlanStaff(event) = &recorded.event {
                plan_staff(tx, recorded, event).await?;
            } else if let AnyEvent::Policy(event) = &recorded.event {
                policy(tx, recorded, event).await?;
            } else if let AnyEvent::Agreement(event) = &recorded.event {
                agreement(tx, recorded, event).await?;
            } else if let AnyEvent::PolicyProposal(event) = &recorded.event {
                proposals::apply(tx, recorded, event).await?;
            } else if let AnyEvent::ClientGuidance(event) = &recorded.event {
                guidance(tx, recorded, event).await?;
            }
        }
        Ok(())
    }
}

type Stored = Recorded<AnyEvent>;

async fn tenant(
    tx: &mut PgConnection,
    recorded: &Stored,
    event: &TenantEvent,
) -> Result<(), sqlx::Error> {
    match event {
        TenantEvent::TenantCreated { tenant, slug, name, preset, administrators_required } => {
            sqlx::query(
                "INSERT INTO portals (tenant_id, slug, name, state, administrators_required)
                 VALUES ($1, $2, $3, 'ACTIVE', $4)",
            )
            .bind(tenant.0)
            .bind(slug.as_str())
            .bind(name.as_str())
            .bind(i32::from(*administrators_required))
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "INSERT INTO tenants (tenant_id, id, slug, name, preset, state, created_at)
                 VALUES ($1, $2, $3, $4, $5, 'ACTIVE', $6)",
            )
            .bind(TenantId::OPERATIONS.0)
            .bind(tenant.0)
            .bind(slug.as_str())
            .bind(name.as_str())
            .bind(preset.name())
            .bind(recorded.occurred_at)
            .execute(tx)
            .await?;
            Ok(())
        }
        TenantEvent::TenantSuspended { .. } => state(tx, recorded.tenant, "SUSPENDED").await,
        TenantEvent::TenantResumed {} => state(tx, recorded.tenant, "ACTIVE").await,
        TenantEvent::TenantClosed { .. } => state(tx, recorded.tenant, "CLOSED").await,
    }
}

async fn state(tx: &mut PgConnection, tenant: TenantId, state: &str) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE portals SET state = $2 WHERE tenant_id = $1")
        .bind(tenant.0)
        .bind(state)
        .execute(&mut *tx)
        .await?;
    sqlx::query("UPDATE tenants SET state = $3 WHERE tenant_id = $1 AND id = $2")
        .bind(TenantId::OPERATIONS.0)
        .bind(tenant.0)
        .bind(state)
        .execute(tx)
        .await?;
    Ok(())
}

async fn plan_staff(
    tx: &mut PgConnection,
    recorded: &Stored,
    event: &PlanStaffEvent,
) -> Result<(), sqlx::Error> {
    let tenant = recorded.tenant.0;
    match event {
        PlanStaffEvent::PlanStaffInvited {
            user, invitation, roles, until, organizations, ..
        } => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            sqlx::query(
                "INSERT INTO plan_staff (tenant_id, user_id, invitation_id, invited_roles,
                                         invited_until, invited_at, version,
                                         invited_organizations)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (tenant_id, user_id) DO UPDATE
                    SET invitation_id = excluded.invitation_id,
                        invited_roles = excluded.invited_roles,
                        invited_until = excluded.invited_until,
                        invited_at = excluded.invited_at, version = excluded.version,
                        invited_organizations = excluded.invited_organizations",
            )
            .bind(tenant)
            .bind(user.0)
            .bind(invitation.0)
            .bind(roles)
            .bind(until)
            .bind(recorded.occurred_at)
            .bind(recorded.sequence)
            .bind(ids(organizations))
            .execute(tx)
            .await?;
        }
        PlanStaffEvent::PlanRoleAssigned { user, role, from, until, organizations, .. } => {
            // A role that begins is no longer waiting for its invitation's completion.
            sqlx::query(
                "INSERT INTO plan_staff (tenant_id, user_id, version) VALUES ($1, $2, $3)
                 ON CONFLICT (tenant_id, user_id) DO UPDATE
                    SET version = excluded.version,
                        invited_roles = array_remove(plan_staff.invited_roles, $4)",
            )
            .bind(tenant)
            .bind(user.0)
            .bind(recorded.sequence)
            .bind(role.as_str())
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "INSERT INTO plan_roles (tenant_id, user_id, role, valid_from, valid_until,
                                         organizations)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (tenant_id, user_id, role) DO UPDATE
                    SET valid_from = excluded.valid_from, valid_until = excluded.valid_until,
                        organizations = excluded.organizations",
            )
            .bind(tenant)
            .bind(user.0)
            .bind(role.as_str())
            .bind(from)
            .bind(until)
            .bind(ids(organizations))
            .execute(tx)
            .await?;
        }
        PlanStaffEvent::PlanRoleScoped { user, role, new, .. } => {
            sqlx::query("UPDATE plan_staff SET version = $3 WHERE tenant_id = $1 AND user_id = $2")
                .bind(tenant)
                .bind(user.0)
                .bind(recorded.sequence)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "UPDATE plan_roles SET organizations = $4
                  WHERE tenant_id = $1 AND user_id = $2 AND role = $3",
            )
            .bind(tenant)
            .bind(user.0)
            .bind(role.as_str())
            .bind(ids(new))
            .execute(tx)
            .await?;
        }
        PlanStaffEvent::PlanRoleEnded { user, role, .. } => {
            sqlx::query("UPDATE plan_staff SET version = $3 WHERE tenant_id = $1 AND user_id = $2")
                .bind(tenant)
                .bind(user.0)
                .bind(recorded.sequence)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "DELETE FROM plan_roles WHERE tenant_id = $1 AND user_id = $2 AND role = $3",
            )
            .bind(tenant)
            .bind(user.0)
            .bind(role.as_str())
            .execute(tx)
            .await?;
        }
    }
    Ok(())
}

fn ids(organizations: &BTreeSet<OrganizationId>) -> Vec<Uuid> {
    organizations.iter().map(|id| id.0).collect()
}

async fn policy(
    tx: &mut PgConnection,
    recorded: &Stored,
    event: &PolicyEvent,
) -> Result<(), sqlx::Error> {
    let (preset, change) = match event {
        PolicyEvent::PresetApplied { preset, .. } => (Some(preset.name()), None),
        PolicyEvent::FeatureAvailabilityChanged { feature, old, new, .. } => {
            let word = |state: &FeatureState| Value::from(state.as_str());
            (None, Some((feature.policy_name(), word(old), word(new))))
        }
        PolicyEvent::PolicyChanged { key, old, new, .. } => {
            (None, Some((key.name(), old.to_json(), new.to_json())))
        }
    };
    let (key, old, new) =
        change.map_or((None, None, None), |(k, o, n)| (Some(k), Some(o), Some(n)));
    let message = match event {
        PolicyEvent::FeatureAvailabilityChanged { message, .. } => message.as_ref(),
        PolicyEvent::PresetApplied { .. } | PolicyEvent::PolicyChanged { .. } => None,
    };
    sqlx::query(
        "INSERT INTO policy_changes (tenant_id, sequence, preset, key, old_value, new_value,
                                     effective_at, recorded_at, actor_kind, actor_id, message)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.sequence)
    .bind(preset)
    .bind(key)
    .bind(old)
    .bind(new)
    .bind(event.effective_at())
    .bind(recorded.recorded_at)
    .bind(recorded.actor.kind.as_str())
    .bind(recorded.actor.id)
    .bind(message.map(ToString::to_string))
    .execute(tx)
    .await?;
    Ok(())
}

async fn guidance(
    tx: &mut PgConnection,
    recorded: &Stored,
    event: &ClientGuidanceEvent,
) -> Result<(), ProjectionError> {
    let ClientGuidanceEvent::ClientGuidanceSet { guidance } = event;
    let guidance = serde_json::to_value(guidance)
        .map_err(|error| ProjectionError::Contradiction(error.to_string()))?;
    sqlx::query(
        "INSERT INTO client_guidance (tenant_id, guidance, set_at) VALUES ($1, $2, $3)
         ON CONFLICT (tenant_id) DO UPDATE
            SET guidance = excluded.guidance, set_at = excluded.set_at",
    )
    .bind(recorded.tenant.0)
    .bind(guidance)
    .bind(recorded.occurred_at)
    .execute(tx)
    .await?;
    Ok(())
}

async fn agreement(
    tx: &mut PgConnection,
    recorded: &Stored,
    event: &AgreementEvent,
) -> Result<(), ProjectionError> {
    let AgreementEvent::AgreementPublished {
        kind,
        version,
        title,
        text,
        sha256,
        boxes,
        effective_at,
    } = event;
    let boxes = serde_json::to_value(boxes)
        .map_err(|error| ProjectionError::Contradiction(error.to_string()))?;
    sqlx::query(
        "INSERT INTO agreements (tenant_id, kind, sequence, version, title, text, sha256, boxes,
                                 effective_at, published_at, event_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(recorded.tenant.0)
    .bind(kind.as_str())
    .bind(recorded.sequence)
    .bind(version)
    .bind(title)
    .bind(text)
    .bind(sha256)
    .bind(boxes)
    .bind(effective_at)
    .bind(recorded.recorded_at)
    .bind(recorded.event_id)
    .execute(tx)
    .await?;
    Ok(())
}
