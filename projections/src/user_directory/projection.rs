//! The projection `user_directory`: which events it reads, and in which order its tables take them.
//!
//! Invariant: every table folds its part of the batch in memory and writes once.

use async_trait::async_trait;
use rollcall_domain::{
    AnyEvent,
    notifications::DeliveryEvent,
    organizations::OrganizationEvent,
    permissions::MembershipEvent,
    sessions::SessionEvent,
    users::{credential::CredentialEvent, invitation::InvitationEvent, user::UserEvent},
};
use rollcall_journal::{Projection, ProjectionError, Recorded};
use sqlx::PgConnection;

use super::{accounts, domains, history, invitations, members};

/// Keeps the `directory_*` tables.
pub struct UserDirectory;

/// An event the directory reads.
#[derive(Clone, Copy)]
pub(super) enum Fact<'a> {
    Roster(&'a OrganizationEvent),
    Permissions(&'a MembershipEvent),
    Invitation(&'a InvitationEvent),
    Credential(&'a CredentialEvent),
    Session(&'a SessionEvent),
    Account(&'a UserEvent),
    Delivery(&'a DeliveryEvent),
}

/// A fact with what stands around it.
pub(super) type Entry<'a> = (&'a Recorded<AnyEvent>, Fact<'a>);

#[async_trait]
impl Projection<AnyEvent> for UserDirectory {
    fn name(&self) -> &'static str {
        "user_directory"
    }

    fn version(&self) -> i32 {
        1
    }

    fn tables(&self) -> &'static [&'static str] {
        &[
            "directory_members",
            "directory_accounts",
            "directory_invitations",
            "directory_domains",
            "directory_history",
        ]
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let entries: Vec<Entry<'_>> =
            batch.iter().filter_map(|recorded| Some((recorded, fact(&recorded.event)?))).collect();
        let Some((Recorded { tenant, .. }, _)) = entries.first() else { return Ok(()) };
        members::apply(tx, *tenant, &entries).await?;
        accounts::apply(tx, *tenant, &entries).await?;
        invitations::apply(tx, *tenant, &entries).await?;
        domains::apply(tx, *tenant, &entries).await?;
        history::apply(tx, *tenant, &entries).await?;
        Ok(())
    }
}

fn fact(event: &AnyEvent) -> Option<Fact<'_>> {
    match event {
        AnyEvent::Organization(event) => Some(Fact::Roster(event)),
        AnyEvent::Membership(event) => Some(Fact::Permissions(event)),
        AnyEvent::Invitation(event) => Some(Fact::Invitation(event)),
        AnyEvent::Credential(event) => Some(Fact::Credential(event)),
        AnyEvent::Session(event) => Some(Fact::Session(event)),
        AnyEvent::User(event) => Some(Fact::Account(event)),
        AnyEvent::Delivery(event) => Some(Fact::Delivery(event)),
        AnyEvent::Tenant(_)
        | AnyEvent::PlanStaff(_)
        | AnyEvent::Policy(_)
        | AnyEvent::Agreement(_)
        | AnyEvent::RegistrationToken(_)
        | AnyEvent::Registration(_)
        | AnyEvent::OneTimePasscode(_)
        | AnyEvent::Pin(_)
        | AnyEvent::Affiliation(_)
        | AnyEvent::Notification(_)
        | AnyEvent::Inbox(_)
        | AnyEvent::Denial(_) => None,
    }
}
