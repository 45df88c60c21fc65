//! What is looked up for many lines at once before they are imported (GN-33).
//!
//! Invariant: it saves questions and decides nothing. What a line rests on is reserved or guarded at
//! its append, and what would refuse it is asked again.

use std::collections::HashMap;

use rollcall_domain::{
    imports::PersonRow,
    kernel::ids::{OrganizationId, TenantId, UserId},
    users::user::User,
    values::{EmailAddress, Username},
};
use rollcall_journal::{Journal, JournalError};
use uuid::Uuid;

use super::{
    line::tax_id,
    request_import::{derived_person, person_of_line},
};
use crate::{
    Context, Failure,
    organizations::{REFERENCE, TAX_ID},
    users::{EMAIL, USERNAME},
};

/// What was found for one line.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found {
    /// The organisation it names.
    pub(super) organization: Option<OrganizationId>,
    person: Person,
    pub(super) username_is_free: bool,
}

/// Who has the line's address.
#[derive(Clone, Copy, Debug, Default)]
enum Person {
    #[default]
    NotAsked,
    Nobody,
    Somebody(UserId),
}

impl Found {
    /// Whose line it is: whoever has the address, or will have it.
    pub(super) async fn person_of(
        &self,
        cx: &mut Context<'_>,
        email: &EmailAddress,
    ) -> Result<UserId, Failure> {
        match self.person {
            // Where somebody took it meanwhile, the append says so.
            Person::Nobody => return Ok(derived_person(cx.journal(), cx.tenant(), email)),
            Person::Somebody(user) => {
                let state = cx.load::<User>(user).await?;
                let address = state.profile().and_then(|profile| profile.email.get());
                if address.is_some_and(|address| address.key() == email.key()) {
                    return Ok(user);
                }
            }
            Person::NotAsked => {}
        }
        person_of_line(cx, email).await
    }
}

/// Who owns what some lines name. Names go by their hashes: a tax id stays nowhere in the clear.
pub(super) struct Ahead<'a> {
    names: Names<'a>,
    owners: [HashMap<[u8; 32], Uuid>; KINDS.len()],
}

/// The names on a line, in the order of [`KINDS`].
#[derive(Clone, Copy)]
struct Names<'a> {
    journal: &'a Journal,
    tenant: TenantId,
}

const KINDS: [&str; 4] = [REFERENCE, TAX_ID, EMAIL, USERNAME];

impl Names<'_> {
    fn of(&self, row: &PersonRow) -> [Option<[u8; 32]>; KINDS.len()] {
        let hash = |kind, name: &str| self.journal.secrets().lookup_key(self.tenant, kind, name);
        let reference = Some(row.organization_reference.trim()).filter(|it| !it.is_empty());
        let tax_id = tax_id(row).ok().flatten().filter(|_| reference.is_none());
        [
            reference.map(|reference| hash(REFERENCE, reference)),
            tax_id.map(|tax_id| hash(TAX_ID, &tax_id.normalized())),
            email_key(row).map(|key| hash(EMAIL, &key)),
            username_key(row).map(|key| hash(USERNAME, &key)),
        ]
    }
}

impl<'a> Ahead<'a> {
    /// Looks up what the lines name, by one query for each kind of name.
    pub(super) async fn of(
        (journal, tenant): (&'a Journal, TenantId),
        rows: impl Iterator<Item = &PersonRow>,
    ) -> Result<Self, JournalError> {
        let names = Names { journal, tenant };
        let mut named: [Vec<[u8; 32]>; KINDS.len()] = Default::default();
        for row in rows {
            for (kind, name) in names.of(row).into_iter().enumerate() {
                named[kind].extend(name);
            }
        }
        let mut owners: [HashMap<[u8; 32], Uuid>; KINDS.len()] = Default::default();
        for (nth, kind) in KINDS.into_iter().enumerate() {
            owners[nth] = journal.owners_of_hashes(tenant, kind, &named[nth]).await?;
        }
        Ok(Self { names, owners })
    }

    pub(super) fn found(&self, row: &PersonRow) -> Found {
        let names = self.names.of(row);
        let owner = |nth: usize| names[nth].map(|name| self.owners[nth].get(&name).copied());
        let [reference, tax_id, email, username] = [owner(0), owner(1), owner(2), owner(3)];
        Found {
            organization: reference.or(tax_id).flatten().map(OrganizationId),
            person: match email {
                None => Person::NotAsked,
                Some(None) => Person::Nobody,
                Some(Some(user)) => Person::Somebody(UserId(user)),
            },
            username_is_free: username == Some(None),
        }
    }
}

/// By which the line's address is known, if it is one.
pub(super) fn email_key(row: &PersonRow) -> Option<String> {
    Some(EmailAddress::parse(row.email.trim()).ok()?.key())
}

/// By which the line's user name is known, if it is one.
pub(super) fn username_key(row: &PersonRow) -> Option<String> {
    Some(Username::parse(row.username.trim()).ok()?.key())
}
