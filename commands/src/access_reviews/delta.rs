//! What of a list is carried forward of the last signed review of the same (GN-15).
//!
//! Invariant: the list itself is guarded by the append, and what happened since is read after it; what somebody
//! does in between has the append refused and the list made anew.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::{
    Code, Refusal,
    access_reviews::{
        AccessReview, AccessReviewEvent, Baseline, Changes, ReviewScope, Reviewed, Since, Split,
        job_roles_of,
    },
    kernel::ids::{AccessReviewId, MembershipId, OrganizationId, UserId},
    organizations::Organization,
    permissions::{JobRole, Membership},
};
use rollcall_journal::After;
use uuid::Uuid;

use super::plan_staff;
use crate::{Context, Failure};

/// The most openings that are read at once.
const SIGNED_AT_ONCE: usize = 200;

/// Who does not sign in is found anew each time: nothing of it is certified.
///
/// # Errors
/// `FIELD_INVALID`.
pub(super) fn check_changed_only(scope: &ReviewScope, changed_only: bool) -> Result<(), Refusal> {
    if changed_only && matches!(scope, ReviewScope::Dormant { .. }) {
        let message = "A review of who does not sign in is always about everybody found. Leave \
                       changedOnly out, or choose another scope.";
        return Err(Refusal::new(Code::FieldInvalid, message).at("changedOnly"));
    }
    Ok(())
}

/// The list as far as it is to be decided and as far as it is carried forward.
pub(super) async fn split(
    cx: &mut Context<'_>,
    (organization, scope): (OrganizationId, &ReviewScope),
    list: Vec<Reviewed>,
    changed_only: bool,
) -> Result<(Split, Changes), Failure> {
    if !changed_only {
        return Ok((Split::all_of(list), Changes::All));
    }
    let Some(since) = last_signed(cx, organization, scope).await? else {
        return Ok((Split::all_of(list), Changes::Only { since: None }));
    };
    let told = cx.journal().told::<AccessReview>(cx.tenant(), since.0).await?;
    let baseline = Baseline::of(&told);
    let matching: Vec<(&Reviewed, i64)> = baseline.matching(&list).collect();
    let history = if *scope == ReviewScope::PlanStaff {
        plan_staff::history(cx, &matching).await?
    } else {
        history(cx, organization, &matching).await?
    };
    Ok((baseline.split(list, &history), Changes::Only { since: Some(since) }))
}

/// The newest signed review of the same choice.
async fn last_signed(
    cx: &Context<'_>,
    organization: OrganizationId,
    scope: &ReviewScope,
) -> Result<Option<AccessReviewId>, Failure> {
    let (journal, tenant) = (cx.journal(), cx.tenant());
    let signed = journal.signed_reviews(tenant, organization).await?;
    // Newest first, in portions: one that is asked for again and again is among the first.
    for some in signed.chunks(SIGNED_AT_ONCE) {
        let places: Vec<i64> = some.iter().map(|(_, begun)| *begun).collect();
        let openings = journal.events_at::<AccessReview>(tenant, &places).await?;
        let is_of = |begun: &i64| {
            matches!(openings.get(begun), Some(AccessReviewEvent::AccessReviewOpened {
                scope: of, ..
            }) if of == scope)
        };
        if let Some((review, _)) = some.iter().find(|(_, begun)| is_of(begun)) {
            return Ok(Some(AccessReviewId(*review)));
        }
    }
    Ok(None)
}

/// What happened since to the access of these people: in the organisation, to their permissions and to
/// the job roles that they have.
async fn history(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    matching: &[(&Reviewed, i64)],
) -> Result<Since, Failure> {
    let tenant = cx.tenant();
    let Some(since) = matching.iter().map(|(_, since)| *since).min() else {
        return Ok(Since::default());
    };
    let of_rights = matching.iter().map(|(reviewed, _)| *reviewed);
    // A key that works is as it was made.
    let is_of_members = |it: &&Reviewed| it.access.is_right() && it.access.is_of_member();
    let of_rights: Vec<&Reviewed> = of_rights.filter(is_of_members).collect();
    let users: BTreeSet<UserId> = of_rights.iter().map(|reviewed| reviewed.user).collect();
    let streams: BTreeMap<Uuid, UserId> = users
        .into_iter()
        .map(|user| (MembershipId::of(tenant, user, organization).0, user))
        .collect();
    let roles: Vec<Uuid> =
        job_roles_of(of_rights.into_iter()).into_iter().map(|role| role.0).collect();
    // What they open is no part of a list, and guarded here.
    cx.load_all::<JobRole>(&roles).await?;
    let journal = cx.journal();
    let after = |ids| After { tenant, ids, position: since };
    let roster = journal.told_after::<Organization>(after(vec![organization.0])).await?;
    let ids = streams.keys().copied().collect();
    let permissions = journal.told_after::<Membership>(after(ids)).await?;
    let job_roles = journal.told_after::<JobRole>(after(roles)).await?;
    let of_user = permissions.into_iter().filter_map(|(id, told)| Some((*streams.get(&id)?, told)));
    let roster = roster.into_values().flatten().collect();
    let job_roles = job_roles.into_values().flatten().collect();
    Ok(Since::of(roster, of_user.collect(), job_roles))
}
