//! How facts about account requests become rows of `read.account_requests`.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{AnyEvent, Sealed, audit::ErasureEvent, organizations::AccountRequestEvent};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::readers;

/// Keeps `read.account_requests`.
pub struct AccountRequests;

/// A request; the names are the table's columns.
#[derive(Clone, Debug, Serialize, Deserialize, sqlx::FromRow)]
pub struct AccountRequestRow {
    pub tenant_id: Uuid,
    pub request_id: Uuid,
    /// `SUBMITTED`, `FULFILLED` or `REJECTED`.
    pub status: String,
    pub organization_name: String,
    pub npi: Option<String>,
    /// `EIN` or `SSN`.
    pub tax_id_kind: Option<String>,
    pub tax_id_last4: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<String>,
    /// E.164.
    pub phone: Option<String>,
    pub submitted_position: i64,
    pub submitted_at: DateTime<Utc>,
    pub due_at: DateTime<Utc>,
    pub decided_at: Option<DateTime<Utc>>,
    pub organization_id: Option<Uuid>,
    pub user_id: Option<Uuid>,
}

#[async_trait]
impl Projection<AnyEvent> for AccountRequests {
    fn name(&self) -> &'static str {
        "account_requests"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["account_requests"]
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
            if let AnyEvent::Erasure(event) = &recorded.event {
                forget(tx, recorded, event).await?;
            }
            let AnyEvent::AccountRequest(event) = &recorded.event else { continue };
            match event {
                AccountRequestEvent::AccountRequestSubmitted { .. } => {
                    insert(tx, row(recorded, event)).await?;
                }
                AccountRequestEvent::AccountRequestFulfilled { organization, user, .. } => {
                    let whom = Some((organization.0, user.0));
                    decide(tx, recorded, "FULFILLED", whom).await?;
                }
                AccountRequestEvent::AccountRequestRejected { .. } => {
                    decide(tx, recorded, "REJECTED", None).await?;
                }
            }
        }
        Ok(())
    }
}

/// What an erased person said of themself is known no more.
async fn forget(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    event: &ErasureEvent,
) -> Result<(), sqlx::Error> {
    let subjects = match event {
        ErasureEvent::PersonErased { subjects, .. } => subjects,
        ErasureEvent::ErasureRequested { .. } | ErasureEvent::ErasureRefused { .. } => {
            return Ok(());
        }
    };
    sqlx::query(
        "UPDATE account_requests
            SET first_name = NULL, last_name = NULL, email = NULL, phone = NULL
          WHERE tenant_id = $1 AND request_id = ANY ($2)",
    )
    .bind(recorded.tenant.0)
    .bind(subjects.iter().map(|subject| subject.0).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}

fn open<T: ToString>(sealed: &Sealed<T>) -> Option<String> {
    sealed.get().map(ToString::to_string)
}

fn row(recorded: &Recorded<AnyEvent>, event: &AccountRequestEvent) -> Option<AccountRequestRow> {
    let AccountRequestEvent::AccountRequestSubmitted {
        request,
        organization_name,
        npi,
        tax_id,
        requester,
        terms: _,
        due_at,
    } = event
    else {
        return None;
    };
    Some(AccountRequestRow {
        tenant_id: recorded.tenant.0,
        request_id: request.0,
        status: "SUBMITTED".to_owned(),
        organization_name: organization_name.as_str().to_owned(),
        npi: npi.as_ref().map(ToString::to_string),
        tax_id_kind: tax_id.as_ref().map(|it| it.kind.as_str().to_owned()),
        tax_id_last4: tax_id.as_ref().map(|it| it.last4.clone()),
        first_name: open(&requester.first_name),
        last_name: open(&requester.last_name),
        email: open(&requester.email),
        phone: open(&requester.phone),
        submitted_position: recorded.tenant_position,
        submitted_at: recorded.occurred_at,
        due_at: *due_at,
        decided_at: None,
        organization_id: None,
        user_id: None,
    })
}

async fn insert(tx: &mut PgConnection, row: Option<AccountRequestRow>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO account_requests
         SELECT * FROM jsonb_populate_recordset(NULL::account_requests, $1)",
    )
    .bind(Json(Vec::from_iter(row)))
    .execute(tx)
    .await?;
    Ok(())
}

async fn decide(
    tx: &mut PgConnection,
    recorded: &Recorded<AnyEvent>,
    status: &str,
    whom: Option<(Uuid, Uuid)>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE account_requests
            SET status = $3, decided_at = $4, organization_id = $5, user_id = $6
          WHERE tenant_id = $1 AND request_id = $2",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.aggregate_id)
    .bind(status)
    .bind(recorded.occurred_at)
    .bind(whom.map(|(organization, _)| organization))
    .bind(whom.map(|(_, user)| user))
    .execute(tx)
    .await?;
    Ok(())
}
