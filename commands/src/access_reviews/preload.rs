//! What carrying decisions out, and seeing that it was done, looks up of many people.
//!
//! Invariant: each stream is read once and guarded, by a few queries however many people there are.

use std::collections::BTreeSet;

use rollcall_domain::{
    access_reviews::Item,
    kernel::ids::{OrganizationId, UserId},
    users::credential::Credential,
};
use uuid::Uuid;

use super::{keys::working_of, plan_staff::held_of, rights::memberships};
use crate::{Context, Failure};

/// Reads the keys and the plan's roles among these items, the permissions of the people of the others, and the
/// accounts of those whose membership it is.
pub(super) async fn preload(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    items: &[&Item],
) -> Result<(), Failure> {
    working_of(cx, items.iter().copied()).await?;
    held_of(cx, items.iter().copied()).await?;
    let of_people = || items.iter().filter(|item| item.access.is_of_member());
    let people: BTreeSet<UserId> = of_people().map(|item| item.user).collect();
    memberships(cx, organization, &people.into_iter().collect::<Vec<_>>()).await?;
    let members = of_people().filter(|item| !item.access.is_right());
    let accounts: BTreeSet<Uuid> =
        members.map(|item| cx.tenant().credential_stream(item.user)).collect();
    cx.load_all::<Credential>(&accounts.into_iter().collect::<Vec<_>>()).await.map(drop)
}
