//! Members go over. Invariant: each in the append in which they leave, with their rights, and their
//! sessions for the former organisation end in it.

use rollcall_domain::{
    kernel::ids::UserId,
    organizations::{
        Authority, MergePart, OrgRole, Organization, OrganizationCommand,
        organization::{MergeCommand, RosterCommand, Standing, TakeMember},
    },
    sessions::EndCause,
};

use super::{Scene, rights::Rights};
use crate::{Context, Failure, sessions::end_sessions_of};

pub(super) async fn take(
    cx: &mut Context<'_>,
    scene: &Scene,
    most: usize,
) -> Result<usize, Failure> {
    let former = cx.load::<Organization>(scene.from).await?;
    let next: Vec<UserId> = former.members_left().take(most).collect();
    for user in &next {
        take_one(cx, scene, *user).await?;
        end_sessions_of(cx, *user, Some(scene.from), EndCause::Revoked).await?;
    }
    Ok(next.len())
}

async fn take_one(cx: &mut Context<'_>, scene: &Scene, user: UserId) -> Result<(), Failure> {
    let former = cx.load::<Organization>(scene.from).await?;
    let successor = cx.load::<Organization>(scene.merger.into).await?;
    let Some(member) = former.member(user) else { return Ok(()) };
    let there = successor.member(user).map(|member| member.standing);
    // Whoever the successor's administrators deactivated stays so; it is theirs to decide.
    let is_barred = matches!(there, Some(Standing::Inactive { .. }));
    if is_barred || !scene.takes(MergePart::People) || !member.is_active(cx.now) {
        let leave = RosterCommand::DeactivateUser {
            user,
            confirmed: true,
            reason: None,
            left_on: None,
            authority: Authority::Plan,
        };
        cx.decide::<Organization>(scene.from, OrganizationCommand::from(leave)).await?;
        return Ok(());
    }
    let join = TakeMember {
        user,
        email_domain: member.email_domain.clone(),
        role: if scene.keeps_roles() { member.role } else { OrgRole::None },
        planned_end: member.planned_end.clone(),
    };
    // A newcomer's rights end with their membership; those of others have to end by themselves.
    let is_new = matches!(there, None | Some(Standing::Ended { .. }));
    let until = member.ends_at().filter(|_| !is_new);
    let (leave, join) =
        (MergeCommand::MoveMember { user }, MergeCommand::TakeMember(Box::new(join)));
    cx.decide::<Organization>(scene.from, leave.into()).await?;
    cx.decide::<Organization>(scene.merger.into, join.into()).await?;
    Rights { user, until }.carry(cx, scene).await
}
