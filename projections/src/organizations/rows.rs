//! The rows a batch of events touches: loaded, changed in memory, written back by one statement per
//! table.
//!
//! Invariant: what is written is what the events say on top of what stood there before.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

/// An organisation as the plan has it on file.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct OrganizationRow {
    pub id: Uuid,
    pub name: String,
    pub is_provider: bool,
    pub is_submitter: bool,
    /// `EIN` or `SSN`.
    pub tax_id_kind: String,
    pub tax_id_last4: String,
    /// `{line1, line2, city, state, zip}`.
    pub pay_to_address: Option<Value>,
    pub pay_to_zip: Option<String>,
    /// In order, from the enrolment to what is set for later.
    pub contract: Json<Vec<ContractPeriod>>,
    /// `ENROLLED`, `REGISTERED`, `SUSPENDED` or `CLOSED`.
    pub status: String,
    /// What a suspended organisation is again once reopened.
    pub was_registered: bool,
    /// Of the organisation's stream.
    pub version: i64,
    pub enrolled_at: DateTime<Utc>,
    pub registered_at: Option<DateTime<Utc>>,
    /// The organisation that takes it over, or has.
    pub successor_id: Option<Uuid>,
}

/// Since when a contract stands how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContractPeriod {
    /// `CONTRACTED`, `NOT_CONTRACTED` or `TERMINATED`.
    pub status: String,
    pub from: DateTime<Utc>,
}

impl OrganizationRow {
    /// What is said last holds from its beginning on, whatever was planned for later.
    pub(super) fn set_contract(&mut self, status: &str, from: DateTime<Utc>) {
        self.contract.retain(|period| period.from < from);
        self.contract.push(ContractPeriod { status: status.to_owned(), from });
    }

    /// How the contract stands at a moment.
    #[must_use]
    pub fn contract_at(&self, at: DateTime<Utc>) -> Option<&str> {
        let begun = self.contract.iter().rev().find(|period| period.from <= at);
        begun.or(self.contract.first()).map(|period| period.status.as_str())
    }
}

/// The columns of [`OrganizationRow`].
pub(super) const ORGANIZATION: &str = "id, name, is_provider, is_submitter, tax_id_kind,
    tax_id_last4, pay_to_address, pay_to_zip, contract, status, was_registered, version,
    enrolled_at, registered_at, successor_id";

/// A person on an organisation's roster.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct MemberRow {
    pub organization_id: Uuid,
    pub user_id: Uuid,
    pub role: String,
    pub standing: String,
    pub email_domain: String,
}

pub(super) type Organizations = BTreeMap<Uuid, OrganizationRow>;
/// By organisation and person.
pub(super) type Members = BTreeMap<(Uuid, Uuid), MemberRow>;

pub(super) async fn load_organizations(
    tx: &mut PgConnection,
    tenant: TenantId,
    ids: &[Uuid],
) -> Result<Organizations, sqlx::Error> {
    let rows: Vec<OrganizationRow> = sqlx::query_as(&format!(
        "SELECT {ORGANIZATION} FROM organizations WHERE tenant_id = $1 AND id = ANY($2)"
    ))
    .bind(tenant.0)
    .bind(ids)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

pub(super) async fn load_members(
    tx: &mut PgConnection,
    tenant: TenantId,
    keys: &[(Uuid, Uuid)],
) -> Result<Members, sqlx::Error> {
    let (organizations, users): (Vec<Uuid>, Vec<Uuid>) = keys.iter().copied().unzip();
    let rows: Vec<MemberRow> = sqlx::query_as(
        "SELECT organization_id, user_id, role, standing, email_domain
           FROM organization_members JOIN UNNEST($2::uuid[], $3::uuid[]) k(organization, person)
             ON organization_id = k.organization AND user_id = k.person
          WHERE tenant_id = $1",
    )
    .bind(tenant.0)
    .bind(organizations)
    .bind(users)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.organization_id, row.user_id), row)).collect())
}

pub(super) async fn store_organizations(
    tx: &mut PgConnection,
    tenant: TenantId,
    rows: &[OrganizationRow],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let text =
        |pick: fn(&OrganizationRow) -> &str| -> Vec<&str> { rows.iter().map(pick).collect() };
    sqlx::query(
        "INSERT INTO organizations (tenant_id, id, name, is_provider, is_submitter, tax_id_kind,
             tax_id_last4, pay_to_address, pay_to_zip, contract, status, was_registered,
             version, enrolled_at, registered_at, successor_id)
         SELECT $1, * FROM UNNEST($2::uuid[], $3::text[], $4::boolean[], $5::boolean[], $6::text[],
             $7::text[], $8::jsonb[], $9::text[], $10::jsonb[], $11::text[], $12::boolean[],
             $13::bigint[], $14::timestamptz[], $15::timestamptz[], $16::uuid[])
         ON CONFLICT (tenant_id, id) DO UPDATE
            SET name = excluded.name, is_provider = excluded.is_provider,
                is_submitter = excluded.is_submitter, tax_id_kind = excluded.tax_id_kind,
                tax_id_last4 = excluded.tax_id_last4, pay_to_address = excluded.pay_to_address,
                pay_to_zip = excluded.pay_to_zip, contract = excluded.contract,
                status = excluded.status, was_registered = excluded.was_registered,
                version = excluded.version, registered_at = excluded.registered_at,
                successor_id = excluded.successor_id",
    )
    .bind(tenant.0)
    .bind(rows.iter().map(|row| row.id).collect::<Vec<_>>())
    .bind(text(|row| &row.name))
    .bind(rows.iter().map(|row| row.is_provider).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.is_submitter).collect::<Vec<_>>())
    .bind(text(|row| &row.tax_id_kind))
    .bind(text(|row| &row.tax_id_last4))
    .bind(rows.iter().map(|row| row.pay_to_address.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.pay_to_zip.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.contract.clone()).collect::<Vec<_>>())
    .bind(text(|row| &row.status))
    .bind(rows.iter().map(|row| row.was_registered).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.version).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.enrolled_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.registered_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.successor_id).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) async fn store_members(
    tx: &mut PgConnection,
    tenant: TenantId,
    rows: &[MemberRow],
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let text = |pick: fn(&MemberRow) -> &str| -> Vec<&str> { rows.iter().map(pick).collect() };
    sqlx::query(
        "INSERT INTO organization_members (tenant_id, organization_id, user_id, role, standing,
                                           email_domain)
         SELECT $1, * FROM UNNEST($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[])
         ON CONFLICT (tenant_id, organization_id, user_id) DO UPDATE
            SET role = excluded.role, standing = excluded.standing,
                email_domain = excluded.email_domain",
    )
    .bind(tenant.0)
    .bind(rows.iter().map(|row| row.organization_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.user_id).collect::<Vec<_>>())
    .bind(text(|row| &row.role))
    .bind(text(|row| &row.standing))
    .bind(text(|row| &row.email_domain))
    .execute(tx)
    .await?;
    Ok(())
}
