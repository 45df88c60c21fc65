//! Notices in the portal: who finds which, in what order, and what becomes of them.

use std::{collections::BTreeSet, time::Duration};

use rollcall_domain::{
    affiliations::{
        Affiliation, AffiliationCommand, AffiliationScope, NpiSelection, Pair, RequestAffiliation,
        Side, Signature,
    },
    kernel::ids::{AffiliationId, LinkId, UserId, VaultRef},
    notifications::{Frequency, NotificationType},
    organizations::OrganizationKind,
    pins::{Pin, PinCommand, ResetBy},
    users::{
        credential::{Credential, CredentialCommand, UnlockCause},
        user::{User, UserCommand},
    },
    values::{Npi, PersonName, PhoneNumber, TransactionType},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Client, Person, Portal};

const LIST: &str = "query($search: String, $from: Date, $to: Date, $unread: Boolean!, $first: Int, $after: String) {
  notifications(search: $search, from: $from, to: $to, unreadOnly: $unread, first: $first, after: $after) {
    nodes { id type title text npi raisedAt readAt organizationName }
    pageInfo { hasNextPage endCursor }
    totalCount
  }
  unreadCount
}";

async fn list(client: &Client, mut variables: Value) -> Value {
    let given = variables.as_object_mut().expect("variables are an object");
    given.entry("unread").or_insert(json!(false));
    client.send(LIST, variables).await.data().clone()
}

async fn types(client: &Client) -> Vec<String> {
    let data = list(client, json!({})).await;
    let nodes = data["notifications"]["nodes"].as_array().expect("nodes").clone();
    nodes.iter().map(|node| node["type"].as_str().expect("a type").to_owned()).collect()
}

async fn reset_pin(portal: &Portal, npi: &str) {
    let npi = Npi::parse(npi).expect("a valid NPI");
    let world = portal.world();
    let reset = PinCommand::ResetPin {
        organization: world.clinic.id,
        pin_ref: VaultRef(Uuid::new_v4()),
        by: ResetBy::User,
        caller: None,
    };
    portal.decide::<Pin>(world.tenant.pin_stream(&npi), reset).await;
    portal.settle().await;
}

/// The biller asks the clinic for an affiliation and signs.
async fn ask_for_affiliation(portal: &Portal) -> AffiliationId {
    let world = portal.world();
    let affiliation = AffiliationId(Uuid::new_v4());
    let request = RequestAffiliation {
        affiliation,
        pair: Pair { submitter: world.biller.id, provider: world.clinic.id },
        initiator: Side::Submitter,
        scope: AffiliationScope {
            npis: NpiSelection::All,
            transaction_types: TransactionType::ALL.iter().copied().take(1).collect(),
        },
        submitter_kinds: BTreeSet::from([OrganizationKind::Submitter]),
        provider_kinds: BTreeSet::from([OrganizationKind::Provider]),
        signature: Some(signature(world.biller_admin.user)),
    };
    portal.decide::<Affiliation>(affiliation, AffiliationCommand::Request(Box::new(request))).await;
    portal.settle().await;
    affiliation
}

fn signature(user: UserId) -> Signature {
    Signature {
        user,
        first_name: Some(PersonName::parse("Ann").expect("a valid name")),
        last_name: Some(PersonName::parse("Lee").expect("a valid name")),
        role: "OWNER".to_owned(),
        eligibility_confirmed: true,
        agreement_version: "2026-01".to_owned(),
        sha256: "ab".repeat(32),
    }
}

#[tokio::test]
async fn mc_58_the_requester_is_told_of_the_decision_by_mail_and_by_notice() {
    for (approves, subject) in [
        (true, "Redwood Clinic approved the affiliation"),
        (false, "Redwood Clinic denied the affiliation"),
    ] {
        let portal = Portal::medi_cal().await;
        let world = portal.world().clone();
        let requester = portal.client(&world.biller_admin).await;
        let decider = portal.client(&world.clinic_admin).await;
        let affiliation = ask_for_affiliation(&portal).await;
        assert_eq!(types(&decider).await[0], "AFFILIATION_REQUEST");
        assert!(!types(&requester).await.contains(&"AFFILIATION_DECISION".to_owned()));
        let asked = portal.mailbox(&world.clinic_admin.email).await;
        Portal::newest(&asked, "Golden Gate Billing asks for an affiliation");

        let organization = world.clinic.id;
        let decision = if approves {
            let signature = signature(world.clinic_admin.user);
            AffiliationCommand::Approve { organization, signature }
        } else {
            let user = world.clinic_admin.user;
            AffiliationCommand::Deny { organization, user, confirm: true, reason: None }
        };
        portal.decide::<Affiliation>(affiliation, decision).await;
        let told = portal.mailbox(&world.biller_admin.email).await;
        Portal::newest(&told, subject);
        assert_eq!(types(&requester).await[0], "AFFILIATION_DECISION");
        let at_decider = types(&decider).await;
        assert!(!at_decider.contains(&"AFFILIATION_DECISION".to_owned()), "{at_decider:?}");
        portal.finish().await;
    }
}

#[tokio::test]
async fn mc_64_notices_are_always_in_the_portal_and_mail_follows_only_where_it_was_chosen() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let subject = "A notice from medi-cal portal";
    let noticed = |messages: &[Value]| {
        messages.iter().filter(|message| message["subject"] == subject).count()
    };
    let chooses = UserCommand::SetNotificationPreference {
        notification_type: NotificationType::UserActivity,
        email: true,
        frequency: Frequency::Immediate,
        is_org_admin: true,
    };
    let before = noticed(&portal.mailbox(&world.clinic_admin.email).await);
    portal.decide::<User>(world.clinic_admin.user, chooses).await;
    lock(&portal, &world.processor).await;
    for admin in [&world.clinic_admin, &world.clinic_second_admin] {
        assert_eq!(types(&portal.client(admin).await).await[0], "USER_ACTIVITY");
    }
    assert_eq!(noticed(&portal.mailbox(&world.clinic_admin.email).await), before + 1);
    assert_eq!(noticed(&portal.mailbox(&world.clinic_second_admin.email).await), 0);
    portal.finish().await;
}

/// Locks an account by failed sign-ins.
async fn lock(portal: &Portal, who: &Person) {
    use rollcall_domain::{kernel::ids::SessionId, users::credential::LoginAttempt};
    let stream = portal.world().tenant.credential_stream(who.user);
    for _ in 0..5 {
        let attempt = LoginAttempt {
            user: Some(who.user),
            session: SessionId(Uuid::new_v4()),
            matched: None,
            bar: None,
            challenge: None,
        };
        portal.decide::<Credential>(stream, CredentialCommand::AttemptLogin(attempt)).await;
    }
    portal.settle().await;
}

#[tokio::test]
async fn mc_67_the_list_shows_read_and_unread_notices_newest_first_page_by_page() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let before = list(&portal.client(&world.npi_admin).await, json!({})).await;
    let already = before["unreadCount"].as_i64().expect("a number");
    for _ in 0..3 {
        portal.advance(Duration::from_secs(24 * 3600));
        reset_pin(&portal, &world.clinic.npis[0]).await;
    }
    let npi_admin = portal.client(&world.npi_admin).await;
    let all = list(&npi_admin, json!({})).await;
    assert_eq!(all["unreadCount"], already + 3);
    let nodes = all["notifications"]["nodes"].as_array().expect("nodes");
    let times: Vec<&str> =
        nodes.iter().map(|node| node["raisedAt"].as_str().expect("a time")).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    assert_eq!(nodes[0]["type"], "PIN_RESET");
    assert_eq!(nodes[0]["text"], "The PIN of NPI 1234567893 of Redwood Clinic was reset.");

    let first = list(&npi_admin, json!({ "first": 2 })).await;
    let page = &first["notifications"];
    assert_eq!(page["nodes"].as_array().expect("nodes").len(), 2);
    assert_eq!(page["pageInfo"]["hasNextPage"], true);
    assert_eq!(page["totalCount"], already + 3);
    let after = json!({ "first": 100, "after": page["pageInfo"]["endCursor"] });
    let rest = list(&npi_admin, after).await;
    assert_eq!(rest["notifications"]["nodes"][0]["id"], nodes[2]["id"]);

    let mark = "mutation($id: ID!) { markNotificationRead(input: { notificationId: $id }) {
      notification { id readAt } position userErrors { code field } } }";
    let id = json!({ "id": nodes[0]["id"] });
    let answer = npi_admin.send(mark, id.clone()).await;
    assert_eq!(answer.done()["notification"]["readAt"], "2026-01-15T17:00:00Z");
    npi_admin.send(mark, id.clone()).await.done();
    let unread = list(&npi_admin, json!({ "unread": true })).await;
    assert_eq!(unread["unreadCount"], already + 2);
    assert_eq!(unread["notifications"]["totalCount"], already + 2);
    assert_eq!(list(&npi_admin, json!({})).await["notifications"]["totalCount"], already + 3);

    let stranger = portal.client(&world.newcomer).await;
    assert_eq!(stranger.send(mark, id).await.refused(), "NOT_FOUND");
    let unknown = json!({ "id": Uuid::new_v4() });
    assert_eq!(npi_admin.send(mark, unknown).await.refused(), "NOT_FOUND");
    portal.finish().await;
}

#[tokio::test]
async fn mc_68_notices_are_searched_by_words_and_by_days_of_the_portal() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    // 23:00 on 12 January in California is the 13th in UTC.
    portal.advance(Duration::from_secs(14 * 3600));
    reset_pin(&portal, &world.clinic.npis[0]).await;
    portal.advance(Duration::from_secs(24 * 3600));
    reset_pin(&portal, &world.clinic.npis[1]).await;

    let admin = portal.client(&world.clinic_admin).await;
    let found = |variables: Value| {
        let admin = admin.clone();
        async move { list(&admin, variables).await["notifications"]["totalCount"].as_i64() }
    };
    assert_eq!(found(json!({ "search": "pin reset" })).await, Some(2));
    assert_eq!(found(json!({ "search": "RESET redwood 1245319599" })).await, Some(1));
    assert_eq!(found(json!({ "search": "reset 1%" })).await, Some(0));
    assert_eq!(found(json!({ "search": "bayview" })).await, Some(0));
    let one_day = |day: &str| json!({ "search": "pin", "from": day, "to": day });
    assert_eq!(found(one_day("2026-01-12")).await, Some(1));
    assert_eq!(found(one_day("2026-01-13")).await, Some(1));
    assert_eq!(found(one_day("2026-01-14")).await, Some(0));
    assert_eq!(found(json!({ "search": "pin", "from": "2026-01-13" })).await, Some(1));

    let turned = json!({ "unread": false, "from": "2026-01-13", "to": "2026-01-12" });
    let answer = admin.send(LIST, turned).await;
    assert_eq!(answer.error_code(), "BAD_USER_INPUT");
    assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "RANGE_INVALID");
    portal.finish().await;
}

#[tokio::test]
async fn mc_68_days_are_the_portals_own_in_the_week_the_clocks_change_too() {
    let portal = Portal::medi_cal().await;
    let who = portal.world().processor.clone();
    // The last second of 7 March 2026 in California, both ends of the 8th, which has 23 hours, and
    // the first instant of the 9th.
    let instants = [
        "2026-03-08T07:59:59Z",
        "2026-03-08T08:00:00Z",
        "2026-03-09T06:59:59Z",
        "2026-03-09T07:00:00Z",
    ];
    for (n, instant) in instants.into_iter().enumerate() {
        portal.clock.set(instant.parse().expect("a time"));
        let mobile = PhoneNumber::parse(&format!("+1202555017{n}")).expect("a valid number");
        portal.decide::<User>(who.user, UserCommand::ChangePhone { mobile }).await;
        portal.settle().await;
    }
    let client = portal.client(&who).await;
    let found = |from: Option<&'static str>, to: Option<&'static str>| {
        let client = client.clone();
        let variables = json!({ "search": "telephone number changed", "from": from, "to": to });
        async move { list(&client, variables).await["notifications"]["totalCount"].as_i64() }
    };
    let [saturday, sunday, monday] = ["2026-03-07", "2026-03-08", "2026-03-09"];
    assert_eq!(found(Some(saturday), Some(saturday)).await, Some(1));
    assert_eq!(found(Some(sunday), Some(sunday)).await, Some(2));
    assert_eq!(found(Some(monday), Some(monday)).await, Some(1));
    assert_eq!(found(Some(sunday), None).await, Some(3));
    assert_eq!(found(None, Some(sunday)).await, Some(3));
    assert_eq!(found(None, None).await, Some(4));
    let nonsense = json!({ "unread": false, "from": "2026-02-30" });
    let answer = client.send(LIST, nonsense).await;
    assert_eq!(answer.body["errors"][0]["extensions"]["reason"], "DATE_INVALID");
    portal.finish().await;
}

#[tokio::test]
async fn mc_69_a_reset_pin_is_told_to_administrators_and_npi_admins_and_to_nobody_else() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    reset_pin(&portal, &world.clinic.npis[0]).await;
    let told = [&world.clinic_admin, &world.clinic_second_admin, &world.npi_admin];
    let others = [&world.processor, &world.newcomer, &world.hospital_admin];
    for (people, expected) in [(&told[..], 1), (&others[..], 0)] {
        for person in people {
            let types = types(&portal.client(person).await).await;
            let notices = types.iter().filter(|kind| *kind == "PIN_RESET").count();
            let mail = portal.mailbox(&person.email).await;
            let mail = mail.iter().filter(|mail| mail["subject"] == "A PIN was reset").count();
            assert_eq!((notices, mail), (expected, expected), "{}", person.email);
        }
    }
    portal.finish().await;
}

#[tokio::test]
async fn mc_69_every_type_whose_object_exists_leaves_its_notice_on_record() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    ask_for_affiliation(&portal).await;
    reset_pin(&portal, &world.clinic.npis[0]).await;
    lock(&portal, &world.processor).await;
    let admin = portal.client(&world.clinic_admin).await;
    let promote = json!({
        "organizationId": world.clinic.id, "userId": world.newcomer.user, "role": "PROCESSOR",
    });
    admin.mutate("assignOrgRole", promote, "user { id }").await.done();
    let support = portal.client(&world.plan_support).await;
    let stop = json!({ "organizationId": world.hospital.id, "reason": "Suspected misuse." });
    support.mutate("suspendOrganization", stop, "organization { id }").await.done();
    portal.settle().await;
    let query = "{ auditEvents(first: 100, filter: {
      types: [\"notifications.notification.notification_raised\"] }) { nodes { sentence } } }";
    let auditor = portal.client(&world.auditor).await;
    let told = auditor.send(query, json!({})).await.data().to_string();
    for kind in [
        "affiliation request",
        "pin reset",
        "account security",
        "user activity",
        "permission change",
        "system alert",
    ] {
        assert!(told.contains(&format!("A notice of {kind} about ")), "{kind}: {told}");
    }
    portal.finish().await;
}

#[tokio::test]
async fn a_notice_of_another_organization_is_not_listed_for_this_one() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let admin = portal.client(&world.clinic_admin).await;
    let query = "query($id: ID!) { notifications(organizationId: $id) { totalCount } }";
    let foreign = json!({ "id": world.hospital.id.0 });
    assert_eq!(admin.send(query, foreign).await.error_code(), "NOT_FOUND");
    let visitor = portal.visitor(&world.slug);
    let own = json!({ "id": world.clinic.id.0 });
    assert_eq!(visitor.send(query, own).await.error_code(), "UNAUTHENTICATED");
    portal.finish().await;
}

#[tokio::test]
async fn an_unlocked_account_and_a_link_to_it_are_mailed_to_its_owner_alone() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let stream = world.tenant.credential_stream(world.processor.user);
    lock(&portal, &world.processor).await;
    let unlock = CredentialCommand::UnlockUser { by: UnlockCause::Admin };
    portal.decide::<Credential>(stream, unlock).await;
    let link = CredentialCommand::RequestPasswordReset {
        user: world.processor.user,
        link_id: LinkId(Uuid::new_v4()),
        method: rollcall_domain::users::credential::ResetMethod::Admin,
    };
    portal.decide::<Credential>(stream, link).await;
    let mail = portal.mailbox(&world.processor.email).await;
    for subject in [
        "Your account is locked",
        "Your account is unlocked",
        "An administrator reset your password",
    ] {
        Portal::newest(&mail, subject);
    }
    let others = portal.mailbox(&world.clinic_admin.email).await;
    assert!(others.iter().all(|message| message["subject"] != "Your account is unlocked"));
    portal.finish().await;
}
