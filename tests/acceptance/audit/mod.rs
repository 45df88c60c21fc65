//! The audit timeline and the access register, through the API.

mod activity_reviews;
mod addresses;
pub mod evidence;
mod evidence_of_one;
mod evidence_of_reports;
mod explanation;
mod exports;
mod exposure;
mod inclusion;
mod log_keys;
mod order;
mod register;
mod register_difference;
mod register_rule;
mod reports;
mod searching;
mod simulation;
mod sinks;
pub mod statements;
mod subscription;
mod timeline;
pub mod transparency;
mod visibility;
mod witness;
mod workspaces;

use rollcall_domain::{
    kernel::ids::MembershipId,
    permissions::{
        Cause, Membership, MembershipCommand, NpiLevel, NpiScope,
        membership::{MembershipKey, NpiChange},
    },
    values::Npi,
};

use serde_json::json;

use crate::support::{Company, Person, Portal};

/// An administrator of the clinic sets a member's level for an NPI.
async fn set_level(portal: &Portal, by: &Person, of: &Person, npi: &str, level: NpiLevel) -> i64 {
    let world = portal.world();
    let organization = world.clinic.id;
    let npi = Npi::parse(npi).expect("a valid NPI");
    let command = MembershipCommand::SetNpiPermissions {
        of: MembershipKey { user: of.user, organization },
        changes: vec![NpiChange { npi: NpiScope::One(npi.clone()), level, until: None }],
        held: [npi].into(),
        cause: Cause::Administrator,
    };
    let stream = MembershipId::of(world.tenant, of.user, organization).0;
    portal.record::<Membership>(rollcall_domain::Actor::user(by.user), stream, command).await
}

/// Keeps somebody's role as auditor to one organisation.
async fn keep_to(portal: &Portal, who: &Person, company: &Company) {
    let admin = portal.client(&portal.world().plan_admin).await;
    let input = json!({ "userId": who.user, "role": "AU", "organizationIds": [company.id],
                        "reason": "Audits this office." });
    admin.mutate("scopePlanRole", input, "position").await.done();
    portal.settle().await;
}
