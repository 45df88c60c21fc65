//! Machines' keys as a review's items: which there are, and how one is revoked (GN-15, GN-28).
//!
//! Invariant: a key is its organisation's, and whoever made it may have left; so the key's own stream decides
//! whether it works and nobody's membership does. What was revoked never works again.

use std::collections::BTreeSet;

use rollcall_domain::{
    Refusal,
    access_reviews::{AccessReviewRefusal, Item, ReviewDecision, Reviewed},
    api_keys::{ApiKey, ApiKeyCommand, Grant},
    kernel::ids::{ApiKeyId, OrganizationId},
    values::Reason,
};
use uuid::Uuid;

use super::rights::{Right, over_already};
use crate::{Context, Failure};

/// The keys of an organisation that work now, each stream read once and guarded.
pub(super) async fn working(
    cx: &mut Context<'_>,
    organization: OrganizationId,
) -> Result<Vec<Grant>, Failure> {
    let keys = cx.streams_with::<ApiKey>(organization, None).await?;
    let (keys, now) = (cx.load_all::<ApiKey>(&keys).await?, cx.now);
    let usable = keys.iter().filter_map(|key| key.usable(now).ok());
    let own = usable.filter(|grant| grant.organization == Some(organization));
    Ok(own.cloned().collect())
}

/// They as a list, in its order.
pub(super) async fn keys_of(
    cx: &mut Context<'_>,
    organization: OrganizationId,
) -> Result<Vec<Reviewed>, Failure> {
    let grants = working(cx, organization).await?;
    let mut keys: Vec<Reviewed> = grants.iter().map(Reviewed::of_key).collect();
    keys.sort_unstable();
    Ok(keys)
}

/// Whether a key works now.
pub(super) async fn works(cx: &mut Context<'_>, key: ApiKeyId) -> Result<bool, Failure> {
    let now = cx.now;
    Ok(cx.load::<ApiKey>(key).await?.usable(now).is_ok())
}

/// Which of the keys among these items work now, all read at once.
pub(super) async fn working_of(
    cx: &mut Context<'_>,
    items: impl Iterator<Item = &Item>,
) -> Result<BTreeSet<ApiKeyId>, Failure> {
    let keys: Vec<ApiKeyId> = items.filter_map(|item| item.access.key()).collect();
    let streams: Vec<Uuid> = keys.iter().map(|key| key.0).collect();
    let (found, now) = (cx.load_all::<ApiKey>(&streams).await?, cx.now);
    let keys = keys.into_iter().zip(found).filter(|(_, state)| state.usable(now).is_ok());
    Ok(keys.map(|(key, _)| key).collect())
}

/// Does what is decided about a key; of one that was revoked nothing is given back.
pub(super) async fn follow(
    cx: &mut Context<'_>,
    (right, key): (&Right<'_>, ApiKeyId),
    (former, new): (Option<ReviewDecision>, ReviewDecision),
) -> Result<(), Failure> {
    use ReviewDecision as D;
    match (former, new) {
        // For another reason alone.
        (Some(D::Revoke { .. }), D::Revoke { .. }) => Ok(()),
        (Some(D::Revoke { .. }), D::Keep | D::Change { .. } | D::ChangeLevel { .. }) => {
            Err(Refusal::from(AccessReviewRefusal::KeyRevoked(right.item)).into())
        }
        (_, D::Revoke { .. }) => revoke(cx, right, key).await,
        (_, D::Keep | D::Change { .. } | D::ChangeLevel { .. }) => Ok(()),
    }
}

/// Revokes a key in the name of whoever has it done; at the closing, of who decided so.
async fn revoke(cx: &mut Context<'_>, right: &Right<'_>, key: ApiKeyId) -> Result<(), Failure> {
    if !works(cx, key).await? {
        return Err(over_already(right.item).into());
    }
    let decided = right.review.item(right.item).and_then(|item| item.decided.as_ref()?.by);
    let by = cx.person().ok().or(decided);
    let reason: Option<Reason> = right.reason.cloned();
    cx.decide::<ApiKey>(key, ApiKeyCommand::RevokeApiKey { by, reason }).await.map(drop)
}
