//! How facts about accounts become rows of `read.people`.
//!
//! Invariant: the newest fact wins field by field, so a batch is folded in memory on the rows that
//! stand and written by one statement. Erasure is the last fact about a person.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rollcall_domain::{
    AnyEvent, Sealed,
    audit::ErasureEvent,
    kernel::ids::{TenantId, UserId},
    users::{
        invitation::InvitationEvent,
        user::{DetailChanges, UserEvent},
    },
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;

use super::{Person, former, invited};
use crate::readers;

/// Keeps `read.people`.
pub struct People;

#[async_trait]
impl Projection<AnyEvent> for People {
    fn name(&self) -> &'static str {
        "people"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &["people", "invited_people", "former_details"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let changes: Vec<(UserId, Change<'_>)> =
            batch.iter().filter_map(|recorded| change(&recorded.event)).collect();
        let Some(Recorded { tenant, .. }) = batch.first() else { return Ok(()) };
        invited::store(tx, *tenant, batch).await?;
        former::store(tx, *tenant, batch).await?;
        let erased: Vec<UserId> =
            batch.iter().filter_map(|recorded| erased(&recorded.event)).collect();
        forget(tx, *tenant, &erased).await?;
        if changes.is_empty() {
            return Ok(());
        }
        let mut people = load(tx, *tenant, &changes).await?;
        for (user, change) in changes {
            let person = people.entry(user).or_insert_with(|| Person::unknown(user));
            change.apply(person);
        }
        people.retain(|user, _| !erased.contains(user));
        Ok(store(tx, *tenant, people.into_values().collect()).await?)
    }
}

/// Who is a person no more by an event.
fn erased(event: &AnyEvent) -> Option<UserId> {
    let AnyEvent::Erasure(event) = event else { return None };
    match event {
        ErasureEvent::PersonErased { user, .. } => Some(*user),
        ErasureEvent::ErasureRequested { .. } | ErasureEvent::ErasureRefused { .. } => None,
    }
}

/// Takes the rows of people who are erased away; nothing about them follows.
async fn forget(
    tx: &mut PgConnection,
    tenant: TenantId,
    erased: &[UserId],
) -> Result<(), sqlx::Error> {
    if erased.is_empty() {
        return Ok(());
    }
    for statement in [
        "DELETE FROM people WHERE tenant_id = $1 AND user_id = ANY ($2)",
        "DELETE FROM invited_people WHERE tenant_id = $1 AND user_id = ANY ($2)",
        "DELETE FROM former_details WHERE tenant_id = $1 AND user_id = ANY ($2)",
    ] {
        let users: Vec<_> = erased.iter().map(|user| user.0).collect();
        sqlx::query(statement).bind(tenant.0).bind(users).execute(&mut *tx).await?;
    }
    Ok(())
}

/// What an event says about a person.
enum Change<'a> {
    /// Everything anew.
    Whole(Box<Person>),
    Details(&'a DetailChanges),
    /// What was typed about somebody invited was corrected.
    Invited(&'a DetailChanges, Option<Option<String>>),
    Mobile(Option<String>),
    /// A new address, and whether it is verified.
    Email(Option<String>, bool),
    EmailVerified,
    /// The account was imported: its address has not been verified.
    EmailUnverified,
}

impl Change<'_> {
    fn apply(self, person: &mut Person) {
        match self {
            Self::Whole(whole) => *person = *whole,
            Self::Mobile(mobile) => person.mobile = mobile,
            Self::Email(email, verified) => {
                person.email = email;
                person.email_verified = verified;
            }
            Self::EmailVerified => person.email_verified = true,
            Self::EmailUnverified => person.email_verified = false,
            Self::Invited(changed, mobile) => {
                Self::Details(changed).apply(person);
                if let Some(mobile) = mobile {
                    person.mobile = mobile;
                }
            }
            Self::Details(changed) => {
                if let Some(change) = &changed.first_name {
                    person.first_name = open(&change.new);
                }
                if let Some(change) = &changed.last_name {
                    person.last_name = open(&change.new);
                }
                if let Some(change) = &changed.business_phone {
                    person.business_phone = change.new.as_ref().and_then(open);
                }
            }
        }
    }
}

pub(super) fn open<T: ToString>(sealed: &Sealed<T>) -> Option<String> {
    sealed.get().map(ToString::to_string)
}

/// The first and the last name that an event gives somebody, as far as it gives any; `Some(None)` where
/// the key of it was destroyed.
pub(crate) fn names_given(event: &AnyEvent) -> Option<(UserId, [Option<Option<String>>; 2])> {
    let (user, change) = change(event)?;
    match change {
        Change::Whole(person) => Some((user, [Some(person.first_name), Some(person.last_name)])),
        Change::Details(changed) | Change::Invited(changed, _) => {
            let first = changed.first_name.as_ref().map(|change| open(&change.new));
            Some((user, [first, changed.last_name.as_ref().map(|change| open(&change.new))]))
        }
        Change::Mobile(_) | Change::Email(..) | Change::EmailVerified | Change::EmailUnverified => {
            None
        }
    }
}

fn change(event: &AnyEvent) -> Option<(UserId, Change<'_>)> {
    if let AnyEvent::User(event) = event {
        account(event)
    } else if let AnyEvent::Invitation(event) = event {
        invitation(event)
    } else {
        None
    }
}

fn account(event: &UserEvent) -> Option<(UserId, Change<'_>)> {
    match event {
        UserEvent::UserRegistered {
            user,
            email,
            first_name,
            last_name,
            mobile,
            business_phone,
            username,
            preferred_channel: _,
        } => {
            let person = Person {
                user_id: user.0,
                first_name: open(first_name),
                last_name: open(last_name),
                email: open(email),
                mobile: open(mobile),
                business_phone: business_phone.as_ref().and_then(open),
                username: username.as_ref().and_then(open),
                email_verified: true,
            };
            Some((*user, Change::Whole(Box::new(person))))
        }
        UserEvent::ProfileUpdated { user, changed }
        | UserEvent::UserDetailsCorrected { user, changed } => {
            Some((*user, Change::Details(changed)))
        }
        UserEvent::PhoneChanged { user, new, .. } => Some((*user, Change::Mobile(open(new)))),
        UserEvent::EmailChanged { user, new, verified, .. } => {
            Some((*user, Change::Email(open(new), *verified)))
        }
        UserEvent::EmailVerified { user, .. } => Some((*user, Change::EmailVerified)),
        UserEvent::UserImported { user, .. } => Some((*user, Change::EmailUnverified)),
        UserEvent::EmailVerificationSent { .. }
        | UserEvent::UsernameDisclosed { .. }
        | UserEvent::UserErased { .. }
        | UserEvent::AgreementAccepted { .. }
        | UserEvent::NotificationPreferenceChanged { .. } => None,
    }
}

/// Somebody without an account is known by what the invitation says; an account knows better.
fn invitation(event: &InvitationEvent) -> Option<(UserId, Change<'_>)> {
    match event {
        InvitationEvent::UserInvited { user, existing_account: false, .. } => {
            invited::person(event).map(|person| (*user, Change::Whole(Box::new(person))))
        }
        InvitationEvent::InvitedDetailsCorrected {
            user,
            changed,
            mobile,
            existing_account: false,
            ..
        } => {
            let mobile = mobile.as_ref().map(|change| open(&change.new));
            Some((*user, Change::Invited(changed, mobile)))
        }
        InvitationEvent::UserInvited { existing_account: true, .. }
        | InvitationEvent::InvitedDetailsCorrected { existing_account: true, .. }
        | InvitationEvent::InvitationReissued { .. }
        | InvitationEvent::InvitationOpened { .. }
        | InvitationEvent::AgreementAccepted { .. }
        | InvitationEvent::InviteeDetailsSubmitted { .. }
        | InvitationEvent::PasscodeVerified { .. }
        | InvitationEvent::InvitationCompleted { .. }
        | InvitationEvent::InvitationExpired { .. }
        | InvitationEvent::InvitationCancelled { .. } => None,
    }
}

async fn load(
    tx: &mut PgConnection,
    tenant: TenantId,
    changes: &[(UserId, Change<'_>)],
) -> Result<BTreeMap<UserId, Person>, sqlx::Error> {
    let users: Vec<_> = changes.iter().map(|(user, _)| user.0).collect();
    let rows: Vec<Person> = sqlx::query_as(
        "SELECT user_id, first_name, last_name, email, mobile, business_phone, username,
                email_verified
           FROM people WHERE tenant_id = $1 AND user_id = ANY($2)",
    )
    .bind(tenant.0)
    .bind(users)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|person| (UserId(person.user_id), person)).collect())
}

async fn store(
    tx: &mut PgConnection,
    tenant: TenantId,
    people: Vec<Person>,
) -> Result<(), sqlx::Error> {
    let column = |value: fn(&Person) -> &Option<String>| -> Vec<Option<String>> {
        people.iter().map(|person| value(person).clone()).collect()
    };
    sqlx::query(
        "INSERT INTO people (tenant_id, user_id, first_name, last_name, email, mobile,
                             business_phone, username, email_verified)
         SELECT $1, * FROM UNNEST($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
                                  $7::text[], $8::text[], $9::bool[])
         ON CONFLICT (tenant_id, user_id) DO UPDATE
            SET first_name = excluded.first_name, last_name = excluded.last_name,
                email = excluded.email, mobile = excluded.mobile,
                business_phone = excluded.business_phone, username = excluded.username,
                email_verified = excluded.email_verified",
    )
    .bind(tenant.0)
    .bind(people.iter().map(|person| person.user_id).collect::<Vec<_>>())
    .bind(column(|person| &person.first_name))
    .bind(column(|person| &person.last_name))
    .bind(column(|person| &person.email))
    .bind(column(|person| &person.mobile))
    .bind(column(|person| &person.business_phone))
    .bind(column(|person| &person.username))
    .bind(people.iter().map(|person| person.email_verified).collect::<Vec<_>>())
    .execute(tx)
    .await?;
    Ok(())
}
