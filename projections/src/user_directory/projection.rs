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

use super::{accounts, history, invitations, members};
use crate::readers;

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
        &["directory_members", "directory_accounts", "directory_invitations", "directory_history"]
    }

    fn reads(&self, event: &AnyEvent) -> bool {
        readers::of(event).contains(&self.name())
    }

    async fn apply(
        &self,
        tx: &mut PgConnection,
        batch: &[&Recorded<AnyEvent>],
    ) -> Result<(), ProjectionError> {
        let entries: Vec<Entry<'_>> =
            batch.iter().filter_map(|&recorded| Some((recorded, fact(&recorded.event)?))).collect();
        let Some((Recorded { tenant, .. }, _)) = entries.first() else { return Ok(()) };
        members::apply(tx, *tenant, &entries).await?;
        accounts::apply(tx, *tenant, &entries).await?;
        invitations::apply(tx, *tenant, &entries).await?;
        history::apply(tx, *tenant, &entries).await?;
        Ok(())
    }
}

fn fact(event: &AnyEvent) -> Option<Fact<'_>> {
    if let AnyEvent::Organization(event) = event {
        Some(Fact::Roster(event))
    } else if let AnyEvent::Membership(event) = event {
        Some(Fact::Permissions(event))
    } else if let AnyEvent::Invitation(event) = event {
        Some(Fact::Invitation(event))
    } else if let AnyEvent::Credential(event) = event {
        Some(Fact::Credential(event))
    } else if let AnyEvent::Session(event) = event {
        Some(Fact::Session(event))
    } else if let AnyEvent::User(event) = event {
        Some(Fact::Account(event))
    } else if let AnyEvent::Delivery(event) = event {
        Some(Fact::Delivery(event))
    } else {
        None
    }
}
