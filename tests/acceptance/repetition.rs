//! Commands sent twice, and commands on an outdated view (GN-28).

use futures_util::future::join_all;
use rollcall_domain::{
    kernel::ids::MembershipId,
    organizations::{Authority, OrgRole, Organization, organization::RosterCommand},
    permissions::{Cause, Membership},
};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Portal};

const INVITE: &str = "mutation($input: InviteUserInput!) { inviteUser(input: $input) {
  position clientMutationId invitation { id } userErrors { code message field details } } }";

fn invitation(portal: &Portal, email: &str, key: &str) -> Value {
    json!({
        "organizationId": portal.world().clinic.id.to_string(),
        "email": email,
        "firstName": "Rita",
        "lastName": "Voss",
        "mobile": "+12025550177",
        "idempotencyKey": key,
        "clientMutationId": "mine",
    })
}

async fn invite(client: &Client, input: Value) -> Answer {
    client.send(INVITE, json!({ "input": input })).await
}

#[tokio::test]
async fn gn_28_a_command_repeated_under_its_key_takes_effect_once() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    let input = invitation(&portal, "rita.voss@redwood.example", "once");
    let first = invite(&admin, input.clone()).await;
    let clinic = portal.world().clinic.id;
    let after_first = portal.events::<Organization>(clinic.0).await.len();
    let second = invite(&admin, input).await;
    assert_eq!(first.done()["invitation"]["id"], second.done()["invitation"]["id"]);
    assert_eq!(first.done()["position"], second.done()["position"]);
    assert_eq!(second.done()["clientMutationId"], "mine");
    let after_second = portal.events::<Organization>(clinic.0).await.len();
    assert_eq!(after_second, after_first, "the repetition appended something");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_many_commands_on_one_organisation_at_once_do_not_fight() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    let other = portal.another_process().await;
    let clients = [admin.clone(), admin.through(&other)];
    let invited = join_all((0..60).map(|n| {
        let email = format!("rita.voss.{n}@redwood.example");
        invite(&clients[n % 2], invitation(&portal, &email, &email))
    }))
    .await;
    for answer in &invited {
        answer.done();
    }
    portal.settle().await;
    other.stop().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_another_input_under_the_same_key_is_refused() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    invite(&admin, invitation(&portal, "rita.voss@redwood.example", "k")).await.done();
    let other = invite(&admin, invitation(&portal, "other@redwood.example", "k")).await;
    assert_eq!(other.refused(), "IDEMPOTENCY_KEY_REUSED");
    // The key is the actor's own: somebody else's is another.
    let colleague = portal.client(&portal.world().clinic_second_admin).await;
    invite(&colleague, invitation(&portal, "third@redwood.example", "k")).await.done();
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_repetition_is_authorised_again() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let input = invitation(&portal, "rita.voss@redwood.example", "again");
    invite(&admin, input.clone()).await.done();
    let demote = RosterCommand::AssignOrgRole {
        user: world.clinic_admin.user,
        role: OrgRole::None,
        cause: Cause::Administrator,
        authority: Authority::Organization,
    };
    portal.decide::<Organization>(world.clinic.id.0, demote.into()).await;
    assert_eq!(invite(&admin, input).await.refused(), "NOT_ORG_ADMIN");
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_command_that_changed_nothing_undoes_nothing_when_it_is_repeated() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let admin = portal.client(&world.clinic_admin).await;
    let set = async |level: &str, key: &str| {
        let input = json!({
            "organizationId": world.clinic.id,
            "userId": world.processor.user,
            "permissions": [{ "npi": world.clinic.npis[0], "level": level }],
            "idempotencyKey": key,
        });
        let answer = admin.mutate("setNpiPermissions", input, "position").await;
        answer.done()["position"].clone()
    };
    let unchanged = set("PROCESSOR", "first").await;
    set("ADMIN", "second").await;
    let membership = MembershipId::of(world.tenant, world.processor.user, world.clinic.id);
    let before = portal.events::<Membership>(membership).await.len();
    assert_eq!(set("PROCESSOR", "first").await, unchanged);
    assert_eq!(portal.events::<Membership>(membership).await.len(), before);
    portal.finish().await;
}

#[tokio::test]
async fn gn_28_a_key_of_no_or_too_many_characters_is_refused() {
    let portal = Portal::medi_cal().await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    let long = "k".repeat(256);
    for key in ["", long.as_str()] {
        let answer = invite(&admin, invitation(&portal, "rita.voss@redwood.example", key)).await;
        assert_eq!(answer.refused(), "FIELD_INVALID");
    }
    portal.finish().await;
}
