//! What ends by itself ends on time, is written down once, and only by the injected clock.

use std::{collections::BTreeSet, time::Duration};

use chrono::TimeDelta;
use rollcall_domain::{
    kernel::ids::MembershipId,
    permissions::{
        Cause, Membership, MembershipCommand, MembershipEvent, NpiLevel, NpiScope,
        membership::{MembershipKey, NpiChange},
    },
    tenants::{PlanRole, PlanScope, PlanStaff, PlanStaffCommand, PlanStaffEvent},
    values::Npi,
};
use rollcall_journal::Clock;

use crate::support::Portal;

#[tokio::test]
async fn a_temporary_permission_is_written_down_as_ended_at_its_end_and_only_once() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let until = portal.clock.now() + TimeDelta::hours(8);
    let npi = Npi::parse(&world.clinic.npis[0]).expect("a valid NPI");
    let of = MembershipKey { user: world.newcomer.user, organization: world.clinic.id };
    let grant = MembershipCommand::SetNpiPermissions {
        of,
        changes: vec![NpiChange {
            npi: NpiScope::One(npi.clone()),
            level: NpiLevel::Processor,
            until: Some(until),
        }],
        held: BTreeSet::from([npi.clone()]),
        cause: Cause::Administrator,
    };
    let stream = MembershipId::of(world.tenant, of.user, of.organization);
    portal.decide::<Membership>(stream, grant).await;
    let ended = || async {
        portal.settle().await;
        let journal = &portal.service.commands.journal;
        let events = journal.events::<Membership>(world.tenant, stream.0).await.expect("readable");
        let ended = events.into_iter().filter_map(|event| match event {
            MembershipEvent::NpiPermissionEnded { effective_at, .. } => Some(effective_at),
            MembershipEvent::NpiPermissionSet { .. }
            | MembershipEvent::CorrespondencePermissionSet { .. }
            | MembershipEvent::FeatureGranted { .. }
            | MembershipEvent::FeatureRevoked { .. }
            | MembershipEvent::JobRoleAssigned { .. }
            | MembershipEvent::JobRoleUnassigned { .. }
            | MembershipEvent::LocationAccessGranted { .. }
            | MembershipEvent::LocationAccessRevoked { .. }
            | MembershipEvent::TaxIdAccessGranted { .. }
            | MembershipEvent::TaxIdAccessRevoked { .. }
            | MembershipEvent::GrantExpired { .. }
            | MembershipEvent::PermissionsAssigned { .. }
            | MembershipEvent::PermissionsDeferred { .. }
            | MembershipEvent::FormerPermissionsConfirmed { .. }
            | MembershipEvent::MembershipPermissionsEnded { .. } => None,
        });
        ended.collect::<Vec<_>>()
    };
    portal.advance(Duration::from_secs(8 * 3600 - 1));
    assert!(ended().await.is_empty());
    portal.advance(Duration::from_secs(1));
    assert_eq!(ended().await, [until]);
    portal.advance(Duration::from_secs(3600));
    assert_eq!(ended().await, [until]);
    portal.finish().await;
}

#[tokio::test]
async fn a_later_end_replaces_an_earlier_one() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let stream = world.tenant.plan_staff_stream(world.plan_support.user);
    let assign = |hours| PlanStaffCommand::AssignPlanRole {
        tenant: world.tenant,
        user: world.plan_support.user,
        role: PlanRole::Qi,
        from: None,
        until: Some(portal.clock.now() + TimeDelta::hours(hours)),
        scope: PlanScope::Whole,
        reason: None,
    };
    portal.decide::<PlanStaff>(stream, assign(1)).await;
    let ended = || async {
        portal.settle().await;
        let journal = &portal.service.commands.journal;
        let events = journal.events::<PlanStaff>(world.tenant, stream).await.expect("readable");
        let over = |event: &&PlanStaffEvent| matches!(event, PlanStaffEvent::PlanRoleEnded { .. });
        events.iter().filter(over).count()
    };
    portal.advance(Duration::from_secs(3600));
    assert_eq!(ended().await, 1);
    portal.decide::<PlanStaff>(stream, assign(5)).await;
    portal.advance(Duration::from_secs(4 * 3600));
    assert_eq!(ended().await, 1);
    portal.advance(Duration::from_secs(3600));
    assert_eq!(ended().await, 2);
    portal.finish().await;
}
