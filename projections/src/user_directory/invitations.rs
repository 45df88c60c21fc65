//! `directory_invitations`: how far an invitation came, and whether its mail came back.
//!
//! Invariant: whether a link has run out is asked with a time, so a status of SENT or OPENED past
//! `expires_at` reads as expired whether or not that has been recorded.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::{kernel::ids::TenantId, users::invitation::InvitationEvent};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    EmailFate,
    projection::{Entry, Fact},
};

#[derive(Clone, sqlx::FromRow)]
struct InvitationRow {
    invitation_id: Uuid,
    status: String,
    sent_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    email_bounced_at: Option<DateTime<Utc>>,
    last_delivery: Option<String>,
    last_delivery_at: Option<DateTime<Utc>>,
}

impl InvitationRow {
    fn email(&mut self, fate: EmailFate, at: DateTime<Utc>) {
        if fate == EmailFate::Bounced {
            self.email_bounced_at = Some(at);
        }
        self.last_delivery = Some(fate.as_str().to_owned());
        self.last_delivery_at = Some(at);
    }
}

/// What a fact says about an invitation.
enum Told<'a> {
    Invitation(&'a InvitationEvent),
    Email(EmailFate),
}

/// Which invitation a fact is about, and what it says; `None` where it is about none.
fn told<'a>((recorded, fact): &Entry<'a>) -> Option<(Uuid, DateTime<Utc>, Told<'a>)> {
    let at = recorded.occurred_at;
    match fact {
        Fact::Invitation(event) => Some((recorded.aggregate_id, at, Told::Invitation(event))),
        Fact::Delivery(event) => {
            let (fate, recipient) = EmailFate::told(event)?;
            Some((recipient.invitation?.0, at, Told::Email(fate)))
        }
        Fact::Roster(_)
        | Fact::Permissions(_)
        | Fact::Credential(_)
        | Fact::Session(_)
        | Fact::Account(_) => None,
    }
}

pub(super) async fn apply(
    tx: &mut PgConnection,
    tenant: TenantId,
    entries: &[Entry<'_>],
) -> Result<(), sqlx::Error> {
    let facts: Vec<(Uuid, DateTime<Utc>, Told<'_>)> = entries.iter().filter_map(told).collect();
    if facts.is_empty() {
        return Ok(());
    }
    let mut rows = load(tx, tenant, facts.iter().map(|(id, ..)| *id).collect()).await?;
    for (id, at, told) in facts {
        match told {
            Told::Invitation(event) => take_in(&mut rows, id, at, event),
            Told::Email(fate) => {
                if let Some(row) = rows.get_mut(&id) {
                    row.email(fate, at);
                }
            }
        }
    }
    store(tx, tenant, &rows.into_values().collect::<Vec<_>>()).await
}

fn take_in(
    rows: &mut BTreeMap<Uuid, InvitationRow>,
    id: Uuid,
    at: DateTime<Utc>,
    event: &InvitationEvent,
) {
    use InvitationEvent as E;
    let status = match event {
        E::UserInvited { expires_at, .. } | E::InvitationReissued { expires_at, .. } => {
            let (status, expires_at) = ("SENT".to_owned(), *expires_at);
            let row = InvitationRow {
                invitation_id: id,
                status,
                sent_at: at,
                expires_at,
                email_bounced_at: None,
                last_delivery: None,
                last_delivery_at: None,
            };
            rows.insert(id, row);
            return;
        }
        E::InvitationOpened { .. } => "OPENED",
        E::InvitationCompleted { .. } => "COMPLETED",
        E::InvitationExpired { .. } => "EXPIRED",
        E::InvitationCancelled { .. } => "CANCELLED",
        E::InvitedDetailsCorrected { .. }
        | E::AgreementAccepted { .. }
        | E::InviteeDetailsSubmitted { .. }
        | E::PasscodeVerified { .. } => return,
    };
    if let Some(row) = rows.get_mut(&id) {
        status.clone_into(&mut row.status);
    }
}

async fn load(
    tx: &mut PgConnection,
    tenant: TenantId,
    ids: Vec<Uuid>,
) -> Result<BTreeMap<Uuid, InvitationRow>, sqlx::Error> {
    let rows: Vec<InvitationRow> = sqlx::query_as(
        "SELECT invitation_id, status, sent_at, expires_at, email_bounced_at, last_delivery,
                last_delivery_at
           FROM directory_invitations WHERE tenant_id = $1 AND invitation_id = ANY($2)",
    )
    .bind(tenant.0)
    .bind(ids)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.invitation_id, row)).collect())
}

async fn store(
    tx: &mut PgConnection,
    tenant: TenantId,
    rows: &[InvitationRow],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO directory_invitations (tenant_id, invitation_id, status, sent_at, expires_at,
                                            email_bounced_at, last_delivery,
                                            last_delivery_at)
         SELECT $1, * FROM UNNEST($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[],
                                  $6::timestamptz[], $7::text[], $8::timestamptz[])
         ON CONFLICT (tenant_id, invitation_id) DO UPDATE
            SET status = excluded.status, sent_at = excluded.sent_at,
                expires_at = excluded.expires_at,
                email_bounced_at = excluded.email_bounced_at,
                last_delivery = excluded.last_delivery,
                last_delivery_at = excluded.last_delivery_at",
    )
    .bind(tenant.0)
    .bind(rows.iter().map(|row| row.invitation_id).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.status.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.sent_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.expires_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.email_bounced_at).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.last_delivery.clone()).collect::<Vec<_>>())
    .bind(rows.iter().map(|row| row.last_delivery_at).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}
