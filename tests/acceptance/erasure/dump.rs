//! Nothing of an erased person is in a dump of the whole database or in the data folder.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use rollcall_domain::kernel::ids::UserId;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{erase, keep_until_the_end};
use crate::support::{Client, GOOD_PASSWORD, Portal};

/// Words that stand nowhere else: names, addresses, telephones, and what was typed about the person.
const WORDS: [&str; 13] = [
    "Quillion",
    "Brankovar",
    "Quillianne",
    "quillion.brankovar",
    "brankovar.new",
    "2025550147",
    "2025550148",
    "2025550149",
    "canarywhy",
    "canarydenied",
    "canaryleft",
    "canarycorrected",
    HOME,
];
/// Where the person sits.
const HOME: &str = "198.51.100.77";
const EMAIL: &str = "quillion.brankovar@elsewhere.example";

/// How a word may stand in text: as it is, in hexadecimal digits, and in base64 at each of the three
/// places where it can begin.
fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_lowercase()];
    for text in [word.to_owned(), word.to_lowercase()] {
        forms.push(text.bytes().map(|byte| format!("{byte:02x}")).collect());
        for before in 0..3 {
            let shifted = format!("{}{text}", "x".repeat(before));
            let encoded = STANDARD_NO_PAD.encode(&shifted);
            // Without the characters that what stands around it has a part in.
            let from = [0, 2, 3][before];
            let whole = shifted.len() / 3 * 4;
            forms.push(encoded[from..whole].to_lowercase());
        }
    }
    forms
}

/// Where the words stand, in any form.
fn found_in(place: &str, text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let hit = |word: &&&str| forms(word).iter().any(|form| text.contains(form));
    WORDS.iter().filter(hit).map(|word| format!("{word} in {place}")).collect()
}

/// Every table of every schema as text, bytes in hexadecimal digits.
async fn in_the_database(portal: &Portal) -> Vec<String> {
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let tables: Vec<(String,)> = sqlx::query_as(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          ORDER BY 1",
    )
    .fetch_all(&mut session)
    .await
    .expect("tables");
    assert!(tables.len() > 60, "{} tables", tables.len());
    let mut found = Vec::new();
    for (table,) in tables {
        let rows: Vec<String> = sqlx::query_scalar(&format!("SELECT t::text FROM {table} t"))
            .fetch_all(&mut session)
            .await
            .expect("rows");
        found.extend(found_in(&table, &rows.join("\n")));
    }
    session.close().await.expect("the session ends");
    found
}

/// Every file of the data folder, by name and content.
fn in_the_folder(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(in_the_folder(&path));
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            let name = path.display().to_string();
            found.extend(found_in(&name, &format!("{name}\n{}", String::from_utf8_lossy(&bytes))));
        }
    }
    found
}

/// A visitor asks to join and is denied.
async fn asks_in_vain(portal: &Portal, admin: &Client) {
    let input = json!({ "npi": portal.world().clinic.npis[0], "firstName": "Quillion",
        "lastName": "Brankovar", "email": EMAIL, "phone": "+12025550149", "why": "canarywhy" });
    portal.anybody().from(HOME).mutate("requestToJoin", input, "position").await.done();
    portal.settle().await;
    let document = "query($of: ID!) { accessRequests(organizationId: $of, view: TO_DECIDE) {
        nodes { id } } }";
    let of = json!({ "of": portal.world().clinic.id });
    let found = admin.send(document, of).await;
    let request = found.data()["accessRequests"]["nodes"][0]["id"].clone();
    deny(portal, admin, request).await;
}

async fn deny(portal: &Portal, admin: &Client, request: Value) {
    let input = json!({ "organizationId": portal.world().clinic.id, "accessRequestId": request,
        "decision": "DENY", "reason": "canarydenied" });
    admin.mutate("decideAccessRequest", input, "position").await.done();
}

/// The person is invited, joins, and signs in.
async fn joins(portal: &Portal, admin: &Client) -> (UserId, Client) {
    let input = json!({ "organizationId": portal.world().clinic.id, "email": EMAIL,
        "firstName": "Quillion", "lastName": "Brankovar", "mobile": "+12025550147",
        "businessPhone": "+12025550148" });
    let invited = admin.mutate("inviteUser", input, "invitation { id }").await;
    let id = invited.done()["invitation"]["id"].as_str().expect("an id").to_owned();
    let token = portal.invitation_token(&id).await;
    let visitor = portal.anybody().from(HOME);
    visitor.accept_system_use(&token).await.done();
    let details = json!({ "token": token, "firstName": "Quillion", "lastName": "Brankovar",
        "phone": "+12025550147", "channel": "SMS" });
    visitor.mutate("submitInviteeDetails", details, "position").await.done();
    let challenge = visitor.challenge(json!({ "invitationToken": token })).await;
    portal.type_code(&visitor, &challenge).await.done();
    let user = portal.invited_user(&id).await;
    let setup = portal.setup_token(user).await;
    let challenge = portal.passcode_for_password(&setup).await;
    visitor.set_password(&setup, GOOD_PASSWORD, Some(&challenge)).await.done();
    portal.settle().await;
    let client = visitor.sign_in(EMAIL, GOOD_PASSWORD).await;
    (user, client)
}

/// What people do, and what is done about them.
async fn lives(portal: &Portal, (user, client): (UserId, &Client), admin: &Client) {
    let world = portal.world();
    let profile = json!({ "firstName": "Quillianne" });
    client.mutate("updateProfile", profile, "position").await.done();
    let wish = json!({ "organizationId": world.clinic.id, "why": "canarywhy",
        "items": [{ "npi": world.clinic.npis[0], "level": "PROCESSOR" }] });
    let asked = client.mutate("requestAccess", wish, "accessRequest { id }").await;
    deny(portal, admin, asked.done()["accessRequest"]["id"].clone()).await;
    let correction = json!({ "organizationId": world.clinic.id, "userId": user,
        "lastName": "Brankovar-Quillion", "reason": "canarycorrected" });
    admin.mutate("correctUserDetails", correction, "position").await.done();
    let words = json!({ "filter": { "text": "Quillianne" }, "format": "CSV" });
    client.mutate("exportAuditEvents", words, "position").await.done();
    let evidence = json!({ "question": { "subject": user }, "recipient": "Office for Civil Rights",
        "purpose": "Investigation 12" });
    let auditor = portal.client(&world.auditor).await;
    auditor.mutate("requestEvidence", evidence, "position").await.done();
    portal.anybody().from(HOME).try_to_sign_in(EMAIL, "not the password at all").await;
    let input = json!({ "organizationId": world.clinic.id, "userId": user, "confirm": true,
        "reason": "canaryleft" });
    admin.mutate("deactivateUser", input, "position").await.done();
    portal.settle().await;
}

#[tokio::test]
async fn gn_27_no_word_of_an_erased_person_is_in_a_dump_or_in_the_data_folder() {
    let portal = Portal::medi_cal().await;
    portal.publish_agreements().await;
    let admin = portal.client(&portal.world().clinic_admin).await;
    asks_in_vain(&portal, &admin).await;
    let (user, client) = joins(&portal, &admin).await;
    lives(&portal, (user, &client), &admin).await;
    // They are there to be found, or the test would prove nothing.
    let before = in_the_database(&portal).await;
    assert!(before.iter().any(|hit| hit.contains("read.people")), "{before:?}");
    assert!(before.iter().any(|hit| hit.contains("read.former_details")), "{before:?}");
    assert!(before.iter().any(|hit| hit.contains("read.audit_timeline")), "{before:?}");
    assert!(in_the_folder(portal.folder()).iter().any(|hit| hit.contains(".eml")));

    keep_until_the_end(&portal, user.0).await;
    erase(&portal, user.0).await;
    let heard = std::time::Instant::now();
    while !in_the_folder(portal.folder()).is_empty() {
        let left = in_the_folder(portal.folder());
        assert!(heard.elapsed() < std::time::Duration::from_secs(5), "{left:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(in_the_database(&portal).await, Vec::<String>::new());
    let ledger = std::fs::read_to_string(portal.folder().join("erasures.txt")).expect("a ledger");
    assert!(ledger.contains(&user.to_string()), "{ledger}");
    portal.finish().await;
}

#[test]
fn gn_27_the_search_for_words_finds_them_in_every_form() {
    let hex: String = "Quillion".bytes().map(|byte| format!("{byte:02x}")).collect();
    for text in ["x Quillion y", "QUILLION", hex.as_str()] {
        assert_eq!(found_in("here", text), ["Quillion in here"]);
    }
    for around in ["", "a", "ab"] {
        let encoded = STANDARD_NO_PAD.encode(format!("{around}Quillion and more"));
        assert_eq!(found_in("here", &encoded), ["Quillion in here"], "{encoded}");
    }
    assert!(found_in("here", "somebody else").is_empty());
}
