//! What an administrator typed about an invited person, kept per invitation.
//!
//! Invariant: it is never mixed with what the person's own account says, so an invitation tells
//! nobody whether there is one.

use rollcall_domain::{
    AnyEvent,
    kernel::ids::TenantId,
    users::{invitation::InvitationEvent, user::Change},
};
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

/// Adds a row per invitation of the batch, and takes corrections in.
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
    if !invited.is_empty() {
        add(tx, tenant, &invited).await?;
    }
    for recorded in batch {
        correct(tx, recorded).await?;
    }
    Ok(())
}

/// Applies one correction, after the invitations of the batch are there.
async fn correct(tx: &mut PgConnection, recorded: &Recorded<AnyEvent>) -> Result<(), sqlx::Error> {
    let AnyEvent::Invitation(InvitationEvent::InvitedDetailsCorrected { changed, mobile, .. }) =
        &recorded.event
    else {
        return Ok(());
    };
    let name = |change: &Option<Change<_>>| change.as_ref().map(|change| open(&change.new));
    let (first_name, last_name) = (name(&changed.first_name), name(&changed.last_name));
    let mobile = mobile.as_ref().map(|change| open(&change.new));
    let business = changed.business_phone.as_ref().map(|change| change.new.as_ref().and_then(open));
    sqlx::query(
        "UPDATE invited_people
            SET first_name = CASE WHEN $3 THEN $4 ELSE first_name END,
                last_name = CASE WHEN $5 THEN $6 ELSE last_name END,
                mobile = CASE WHEN $7 THEN $8 ELSE mobile END,
                business_phone = CASE WHEN $9 THEN $10 ELSE business_phone END
          WHERE tenant_id = $1 AND invitation_id = $2",
    )
    .bind(recorded.tenant.0)
    .bind(recorded.aggregate_id)
    .bind(first_name.is_some())
    .bind(first_name.flatten())
    .bind(last_name.is_some())
    .bind(last_name.flatten())
    .bind(mobile.is_some())
    .bind(mobile.flatten())
    .bind(business.is_some())
    .bind(business.flatten())
    .execute(tx)
    .await?;
    Ok(())
}

async fn add(
    tx: &mut PgConnection,
    tenant: TenantId,
    invited: &[(Uuid, Person)],
) -> Result<(), sqlx::Error> {
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
