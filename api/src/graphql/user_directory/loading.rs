//! How users are assembled from the read models.
//!
//! Invariant: for any number of users each table is read once.

use async_graphql::{Context, ID, Lookahead, Result};
use chrono::{DateTime, Utc};
use rollcall_commands::{Caller, Commands, permissions::access_to_user};
use rollcall_domain::{
    Refusal,
    api_keys::Scope,
    kernel::ids::{OrganizationId, UserId},
};
use rollcall_projections::{
    Snapshot, organizations,
    people::former_details,
    permission_matrix::{grants_of, held_npis, matrix_rows},
    user_directory::{UserRow, histories, users_by_id},
};

use super::types::{EmailDomain, FormerDetail, MemberHistoryEntry, User};
use crate::graphql::{
    errors::fault,
    ids::NodeType,
    permissions::{PermissionMatrix, grants::grants_of_people},
    reading::read,
    sending::Sent,
};

/// How many facts of a history are shown.
const HISTORY: i64 = 50;

/// Which parts of a user the client selected.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selected {
    permissions: bool,
    grants: bool,
    history: bool,
    former_details: bool,
}

impl Selected {
    /// `user` stands on the field that answers the user.
    #[must_use]
    pub fn of(user: Lookahead<'_>) -> Self {
        Self {
            permissions: user.field("permissions").exists(),
            grants: user.field("grants").exists(),
            history: user.field("history").exists(),
            former_details: user.field("formerDetails").exists(),
        }
    }

    /// `list` stands on a connection of users.
    #[must_use]
    pub fn of_connection(list: &Lookahead<'_>) -> Self {
        Self::of(list.field("nodes")).or(Self::of(list.field("edges").field("node")))
    }

    /// `list` stands on a connection whose nodes answer a user as their field `user`.
    #[must_use]
    pub fn of_connection_of_user(list: &Lookahead<'_>) -> Self {
        let nodes = Self::of(list.field("nodes").field("user"));
        nodes.or(Self::of(list.field("edges").field("node").field("user")))
    }

    fn or(self, other: Self) -> Self {
        Self {
            permissions: self.permissions || other.permissions,
            grants: self.grants || other.grants,
            history: self.history || other.history,
            former_details: self.former_details || other.former_details,
        }
    }
}

/// An organisation's email domains (MC-14).
///
/// # Errors
/// A fault.
pub(super) async fn domains(
    view: &mut Snapshot,
    organization: OrganizationId,
) -> Result<Vec<EmailDomain>> {
    let of = organizations::email_domains(view, &[organization.0]).await;
    let rows = of.map_err(|error| fault(&error))?.remove(&organization.0).unwrap_or_default();
    Ok(rows.into_iter().map(EmailDomain::from).collect())
}

/// Completes users of one organisation with what was selected.
///
/// # Errors
/// The database did not answer.
pub async fn assemble(
    view: &mut Snapshot,
    organization: OrganizationId,
    rows: Vec<UserRow>,
    selected: Selected,
    now: DateTime<Utc>,
) -> Result<Vec<User>, sqlx::Error> {
    let ids: Vec<UserId> = rows.iter().map(|row| UserId(row.person.user_id)).collect();
    let joined: Vec<_> = rows.iter().map(|row| row.joined_at).collect();
    let mut users: Vec<User> = rows.into_iter().map(User::of).collect();
    if selected.permissions {
        let npis = held_npis(view, organization, now).await?;
        let mut grants = grants_of(view, organization, &ids, now).await?;
        for (user, id) in users.iter_mut().zip(&ids) {
            let rows = matrix_rows(&npis, &grants.remove(id).unwrap_or_default());
            user.permissions = Some(PermissionMatrix::of(user, rows));
        }
    }
    if selected.grants {
        let mut grants = grants_of_people(view, organization, &ids, now).await?;
        for (user, id) in users.iter_mut().zip(&ids) {
            user.grants = Some(grants.remove(id).unwrap_or_default());
        }
    }
    if selected.history {
        let mut told = histories(view, organization, &ids, HISTORY).await?;
        for (user, id) in users.iter_mut().zip(&ids) {
            let facts = told.remove(id).unwrap_or_default();
            user.history = Some(facts.into_iter().map(MemberHistoryEntry::from).collect());
        }
    }
    if selected.former_details {
        let found = former_details(view, &ids).await?;
        for ((user, id), joined) in users.iter_mut().zip(&ids).zip(joined) {
            // What they had before they came is none of the organisation's business.
            let own = found.iter().filter(|detail| {
                detail.user == *id && joined.is_some_and(|joined| joined <= detail.replaced_at)
            });
            user.former_details = Some(own.cloned().map(FormerDetail::from).collect());
        }
    }
    Ok(users)
}

/// Organisation and user that an input names.
///
/// # Errors
/// `NOT_FOUND` at the field of an id that cannot be.
pub fn user_of_input(
    organization_id: &ID,
    user_id: &ID,
) -> Result<(OrganizationId, UserId), Refusal> {
    let organization = NodeType::Organization.parse(organization_id, "organizationId")?;
    Ok((organization, NodeType::User.parse(user_id, "userId")?))
}

/// The user a mutation was about, as it stands now, where the client selected it. Who took away
/// their own right to see it gets none.
///
/// # Errors
/// The read models did not answer.
pub async fn read_back(
    ctx: &Context<'_>,
    organization_id: &ID,
    sent: &Sent<UserId>,
) -> Result<Option<User>> {
    let look = ctx.look_ahead().field("user");
    let (Some(user), true) = (sent.output, look.exists()) else { return Ok(None) };
    let Ok(organization) = NodeType::Organization.parse(organization_id, "organizationId") else {
        return Ok(None);
    };
    let caller = ctx.data::<Caller>()?;
    let access = access_to_user(caller, organization, user);
    let mut reading = match read(ctx, access.or_key(Scope::ReadDirectory), sent.position).await {
        Ok(reading) => reading,
        Err(_) if caller.user() == Some(user) => return Ok(None),
        Err(error) => return Err(error),
    };
    let now = ctx.data::<Commands>()?.journal.now();
    one(&mut reading.view, organization, user, Selected::of(look), now).await
}

/// One user of an organisation.
pub(super) async fn one(
    view: &mut Snapshot,
    organization: OrganizationId,
    user: UserId,
    selected: Selected,
    now: DateTime<Utc>,
) -> Result<Option<User>> {
    let rows = users_by_id(view, organization, &[user], now).await.map_err(|e| fault(&e))?;
    let rows = rows.into_values().collect();
    let users = assemble(view, organization, rows, selected, now).await.map_err(|e| fault(&e))?;
    Ok(users.into_iter().next())
}
