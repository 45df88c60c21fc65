//! What an administrator typed about an invited person, kept per invitation.
//!
//! Invariant: it is never mixed with what the person's own account says, so an invitation tells
//! nobody whether there is one.

use rollcall_domain::{AnyEvent, kernel::ids::TenantId, users::invitation::InvitationEvent};
use rollcall_journal::Recorded;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Person, projection::open};

/// The person as the invitation describes them.
pub(super) fn person(event: &InvitationEvent) -> Option<Person> {
    let InvitationEvent::UserInvited {
        user,
        email,
        first_name,
        last_name,
        mobile,
        business_phone,
        ..
    } = event
    else {
        return None;
    };
    Some(Person {
        user_id: user.0,
        first_name: open(first_name),
        last_name: open(last_name),
        email: open(email),
        mobile: open(mobile),
        business_phone: business_phone.as_ref().and_then(open),
        username: None,
        email_verified: false,
    })
}

/// Adds a row per invitation of the batch.
pub(super) async fn store(
    tx: &mut PgConnection,
    tenant: TenantId,
    batch: &[&Recorded<AnyEvent>],
) -> Result<(), sqlx::Error> {
    let invited: Vec<(Uuid, Person)> = batch
        .iter()
        .filter_map(|recorded| {
            let AnyEvent::Invitation(event) = &recorded.event else { return None };
            Some((recorded.aggregate_id, person(event)?))
        })
        .collect();
    if invited.is_empty() {
        return Ok(());
    }
    let column = |value: fn(&Person) -> &Option<String>| -> Vec<Option<String>> {
        invited.iter().map(|(_, person)| value(person).clone()).collect()
    };
    sqlx::query(
        "INSERT INTO invited_people (tenant_id, invitation_id, user_id, first_name, last_name,
                                     email, mobile, business_phone)
         SELECT $1, * FROM UNNEST($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[],
                                  $7::text[], $8::text[])",
    )
    .bind(tenant.0)
    .bind(invited.iter().map(|(invitation, _)| *invitation).collect::<Vec<_>>())
    .bind(invited.iter().map(|(_, person)| person.user_id).collect::<Vec<_>>())
    .bind(column(|person| &person.first_name))
    .bind(column(|person| &person.last_name))
    .bind(column(|person| &person.email))
    .bind(column(|person| &person.mobile))
    .bind(column(|person| &person.business_phone))
    .execute(tx)
    .await?;
    Ok(())
}
