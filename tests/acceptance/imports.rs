//! Existing people taken over from another portal (AL-02, GN-33).

use rollcall_commands::{
    DispatchError, imports::people_file::import_file, passwords::PasswordHasher,
};
use rollcall_domain::{
    imports::{LineOutcome, PeopleImport},
    kernel::ids::{OrganizationId, TenantId, UserId},
    policies::Preset,
    users::user::{User, UserEvent},
    values::Password,
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::{
    enrolment::{import as enrol, line},
    support::{Answer, Client, Portal, uuid_of},
};

/// What people typed in the other portal: too short for this one's rules.
const OLD_PASSWORD: &str = "Harbor9!";
const NEW_PASSWORD: &str = "Meadow-Lantern-42!";
const JOB: &str = "import { id total done completed fileSha256
    results { line outcome userId organizationId error { code field } } }";

/// An organisation on the plan's file that nobody has registered.
async fn enrolled(portal: &Portal) -> OrganizationId {
    let support = portal.client(&portal.world().plan_support).await;
    let results = enrol(&support, vec![line(json!({ "reference": "S-1" }))]).await;
    OrganizationId(uuid_of(results[0]["organizationId"].as_str().expect("enrolled")))
}

/// A line of the file of people; `overrides` are its other columns.
fn person(overrides: Value) -> Value {
    let mut row = json!({
        "organizationReference": "S-1",
        "legacyId": "u-17",
        "username": "rosa.sol",
        "email": "rosa@sierra.example",
        "firstName": "Rosa",
        "lastName": "Sol",
        "mobile": "+12025550190",
        "orgRole": "ADMIN",
        "npis": "1000000004=ADMIN",
        "correspondence": "1000000004=*",
    });
    row.as_object_mut().unwrap().extend(overrides.as_object().expect("columns").clone());
    row
}

async fn request(client: &Client, rows: Vec<Value>) -> Answer {
    client.mutate("importPeople", json!({ "rows": rows }), JOB).await
}

/// Has people imported and waits for the job's end.
async fn import(portal: &Portal, client: &Client, rows: Vec<Value>) -> Value {
    let answer = request(client, rows).await;
    let id = answer.done()["import"]["id"].clone();
    portal.settle().await;
    let document = format!("query($id: ID!) {{ peopleImport(id: $id) {} }}", &JOB[7..]);
    let job = client.send(&document, json!({ "id": id })).await;
    job.data()["peopleImport"].clone()
}

fn outcomes(job: &Value) -> Vec<&str> {
    let results = job["results"].as_array().expect("results");
    results.iter().map(|result| result["outcome"].as_str().expect("an outcome")).collect()
}

async fn old_hash() -> String {
    PasswordHasher::new().hash(&Password::new(OLD_PASSWORD)).await
}

#[tokio::test]
async fn al_02_a_migrated_account_signs_in_once_with_the_old_password_and_must_change_it() {
    for (slug, preset, identifier) in [
        ("alliance", Preset::Alliance, "rosa.sol"),
        ("medi-cal", Preset::MediCal, "rosa@sierra.example"),
    ] {
        let portal = Portal::seeded(slug, preset).await;
        enrolled(&portal).await;
        let admin = portal.client(&portal.world().plan_admin).await;
        let job =
            import(&portal, &admin, vec![person(json!({ "passwordHash": old_hash().await }))])
                .await;
        assert_eq!(outcomes(&job), ["IMPORTED"], "{job}");
        let mail = portal.mailbox("rosa@sierra.example").await;
        let ways_in = mail.iter().filter(|it| it["links"] != json!([]) || it["codes"] != json!([]));
        assert_eq!(ways_in.count(), 0, "nobody is mailed a way in: {mail:?}");

        let visitor = portal.anybody();
        let answer = visitor.try_to_sign_in(identifier, OLD_PASSWORD).await;
        assert_eq!(answer.done()["mustChangePassword"], true, "{slug}");
        let client = visitor.with_token(answer.done()["sessionToken"].as_str().expect("a token"));
        let me = client.send("{ me { mustChangePassword emailVerified } }", json!({})).await;
        assert_eq!(me.data()["me"], json!({ "mustChangePassword": true, "emailVerified": false }));
        let home = client.send("{ dashboard { tiles { kind } } }", json!({})).await;
        assert_eq!(home.body["errors"][0]["extensions"]["reason"], "PASSWORD_CHANGE_REQUIRED");
        let change = json!({ "currentPassword": OLD_PASSWORD, "newPassword": NEW_PASSWORD });
        client.mutate("changePassword", change, "").await.done();
        client.send("{ dashboard { tiles { kind } } }", json!({})).await.data();
        let old = visitor.try_to_sign_in(identifier, OLD_PASSWORD).await;
        assert_eq!(old.refused(), "CREDENTIALS_INVALID");
        visitor.sign_in(identifier, NEW_PASSWORD).await;
        portal.finish().await;
    }
}

#[tokio::test]
async fn gn_33_people_come_with_their_rights_and_the_file_is_named_as_the_cause() {
    let portal = Portal::medi_cal().await;
    let organization = enrolled(&portal).await;
    let world = portal.world();
    let admin = portal.client(&world.plan_admin).await;
    let rows = vec![
        person(json!({})),
        person(json!({ "line": 9, "email": "raul@sierra.example", "username": "",
            "firstName": "Raul", "orgRole": "", "npis": "*=PROCESSOR", "correspondence": "" })),
        person(json!({ "line": 10, "email": "bad@sierra.example", "npis": "1234567893=ADMIN" })),
        person(json!({ "line": 11, "email": "no address" })),
        person(json!({ "line": 12, "email": "lost@sierra.example",
            "organizationReference": "S-9" })),
    ];
    let job = import(&portal, &admin, rows.clone()).await;
    assert_eq!(outcomes(&job), ["IMPORTED", "IMPORTED", "REFUSED", "REFUSED", "REFUSED"]);
    assert_eq!((&job["done"], &job["completed"]), (&json!(5), &json!(true)));
    let errors: Vec<_> = (2..5)
        .map(|nth| {
            let error = &job["results"][nth]["error"];
            (error["code"].as_str().unwrap(), error["field"][0].as_str().unwrap())
        })
        .collect();
    let expected = [
        ("NPI_NOT_IN_ORG", "npis"),
        ("EMAIL_INVALID", "email"),
        ("NOT_FOUND", "organization_reference"),
    ];
    assert_eq!(errors, expected);

    let auditor = portal.client(&world.auditor).await;
    let document = "query($of: ID!) { accessRegister(organizationId: $of, first: 50) {
        nodes { right level user { name } cause { kind } } } }";
    let register = auditor.send(document, json!({ "of": organization })).await;
    let rows_found = register.data()["accessRegister"]["nodes"].as_array().expect("rows").clone();
    let holds = |name: &str, right: &str, level: &str| {
        rows_found.iter().any(|row| {
            row["user"]["name"] == name && row["right"] == right && row["level"] == level
        })
    };
    assert!(holds("Rosa Sol", "VIEW_NPI", "ADMIN") && holds("Raul Sol", "VIEW_NPI", "PROCESSOR"));
    assert!(holds("Rosa Sol", "READ_CORRESPONDENCE", "ADMIN"), "{rows_found:?}");
    assert!(!rows_found.iter().any(|row| row["user"]["name"] == "Bad"), "nothing of a bad line");
    let direct = rows_found.iter().filter(|row| row["right"] == "VIEW_ORGANIZATION");
    assert!(direct.clone().count() > 0);
    assert!(direct.clone().all(|row| row["cause"]["kind"] == "LEGACY_IMPORT"), "{rows_found:?}");

    let raul = uuid_of(job["results"][1]["userId"].as_str().expect("a user"));
    let events = portal.events::<User>(UserId(raul)).await;
    let Some(UserEvent::UserImported { source, .. }) = events.last() else {
        panic!("imported: {events:?}");
    };
    assert_eq!(
        (source.line, &source.file_sha256),
        (9, &job["fileSha256"].as_str().unwrap().into())
    );
    let told = "query($user: ID!) { auditEvents(filter: { subject: $user }) {
        nodes { type after sentence } } }";
    let told = auditor.send(told, json!({ "user": raul })).await;
    let nodes = told.data()["auditEvents"]["nodes"].as_array().expect("nodes").clone();
    let of = |kind: &str| nodes.iter().find(|node| node["type"] == kind).expect("it is told");
    let named = &of("users.user.user_imported")["after"]["source"];
    assert_eq!(*named, json!({ "file_sha256": source.file_sha256, "line": 9 }));
    let done = &of("imports.people_import.people_import_line_done")["sentence"];
    assert_eq!(*done, "Line 9 of a file of people was done: Raul Sol, imported.");

    let again = import(&portal, &admin, rows).await;
    assert_eq!(outcomes(&again)[..2], ["UNCHANGED", "UNCHANGED"], "{again}");
    let lower = import(&portal, &admin, vec![person(json!({ "orgRole": "", "npis": "" }))]).await;
    assert_eq!(outcomes(&lower), ["UNCHANGED"], "no right is lowered");
    let more = person(json!({ "npis": "*=PROCESSOR" }));
    assert_eq!(outcomes(&import(&portal, &admin, vec![more]).await), ["UPDATED"]);
    portal.finish().await;
}

#[tokio::test]
async fn gn_33_a_file_is_imported_line_by_line_and_a_repeated_one_imports_nobody_twice() {
    let portal = Portal::medi_cal().await;
    enrolled(&portal).await;
    let (commands, tenant) = (&portal.service.commands, portal.world().tenant);
    let header = "organization_reference,email,first_name,last_name,mobile,org_role,npis\n";
    let lines = |count: usize| {
        let line = |nth| {
            format!("S-1,p{nth}@sierra.example,Ada,Row,+1202555{:04},NONE,*=PROCESSOR\n", 100 + nth)
        };
        let all: String = (0..count).map(line).collect();
        format!("{header}{all}too,few\n")
    };
    // Killed half-way: what was done so far is whole.
    let half = import_file(commands, tenant, lines(3).as_bytes(), |_, _| ()).await.expect("fits");
    assert_eq!(half.len(), 4);
    let mut told = Vec::new();
    let all = import_file(commands, tenant, lines(6).as_bytes(), |result, total| {
        told.push((result.line, total));
    })
    .await
    .expect("fits");
    assert_eq!(told, (2..=8).map(|line| (line, 7)).collect::<Vec<_>>());
    let expected = [
        [LineOutcome::Unchanged; 3].as_slice(),
        [LineOutcome::Imported; 3].as_slice(),
        &[LineOutcome::Refused],
    ];
    let outcomes: Vec<_> = all.iter().map(|result| result.outcome).collect();
    assert_eq!(outcomes, expected.concat());
    let people: std::collections::BTreeSet<_> = all.iter().filter_map(|it| it.user).collect();
    assert_eq!(people.len(), 6);
    let nowhere = TenantId::of_slug("nowhere");
    let unknown = import_file(commands, nowhere, lines(1).as_bytes(), |_, _| ()).await;
    assert_eq!(unknown.unwrap_err().code().map(|code| code.as_str()), Some("NOT_FOUND"));
    portal.finish().await;
}

#[tokio::test]
async fn gn_33_only_plan_administrators_import_and_no_secret_is_in_the_job() {
    let portal = Portal::medi_cal().await;
    enrolled(&portal).await;
    let world = portal.world();
    for who in [&world.plan_support, &world.clinic_admin, &world.auditor] {
        let client = portal.client(who).await;
        assert_eq!(request(&client, vec![person(json!({}))]).await.refused(), "FORBIDDEN");
    }
    let admin = portal.client(&world.plan_admin).await;
    assert_eq!(request(&admin, Vec::new()).await.refused(), "PAGE_SIZE_EXCEEDED");
    let plain = request(&admin, vec![person(json!({ "passwordHash": "hunter2" }))]).await;
    assert_eq!(plain.refused(), "FIELD_INVALID");
    assert_eq!(plain.refusal()["field"], json!(["rows", "0", "password_hash"]));

    let hash = old_hash().await;
    let row = person(json!({ "passwordHash": hash, "organizationReference": "",
        "taxIdType": "EIN", "taxId": "12-3456789" }));
    let job = import(&portal, &admin, vec![row]).await;
    assert_eq!(outcomes(&job), ["IMPORTED"], "named by its tax id");
    let id = uuid_of(job["id"].as_str().expect("an id"));
    let events = portal.events::<PeopleImport>(id).await;
    let stored = serde_json::to_string(&events).expect("json");
    assert!(!stored.contains("argon2") && !stored.contains("3456789"), "{stored}");
    let refused = portal.service.commands.journal.events::<PeopleImport>(world.tenant, id).await;
    assert_eq!(refused.expect("events").len(), 3, "asked, done, completed");
    portal.finish().await;
}

#[tokio::test]
async fn gn_33_an_import_that_meets_with_a_fault_is_over_when_it_says_so() {
    let portal = Portal::medi_cal().await;
    enrolled(&portal).await;
    let mut owner = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let refuse_the_first_line = "
        CREATE FUNCTION es.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON es.events FOR EACH ROW
          WHEN (NEW.event_type = 'users.user.user_imported'
                AND NEW.payload -> 'UserImported' -> 'source' ->> 'line' = '2')
          EXECUTE FUNCTION es.refuse()";
    sqlx::raw_sql(refuse_the_first_line).execute(&mut owner).await.expect("sound statements");
    let mut imported = async || -> i64 {
        let count = "SELECT count(*) FROM es.events WHERE event_type = 'users.user.user_imported'";
        sqlx::query_scalar(count).fetch_one(&mut owner).await.expect("a number")
    };
    let mut file = "organization_reference,email,first_name,last_name,mobile\n".to_owned();
    for nth in 0..60 {
        file += &format!("S-1,p{nth}@sierra.example,Ada,Row,+1202555{:04}\n", 100 + nth);
    }
    let (commands, tenant) = (&portal.service.commands, portal.world().tenant);
    let mut told = 0;
    let failed = import_file(commands, tenant, file.as_bytes(), |_, _| told += 1).await;
    let at_once = imported().await;
    assert!(matches!(failed, Err(DispatchError::Fault(_))), "{failed:?}");
    assert_eq!(at_once, told, "whoever was imported is told of");
    portal.settle().await;
    assert_eq!(imported().await, at_once, "nothing comes after the answer");
    sqlx::raw_sql("DROP TRIGGER refuse ON es.events").execute(&mut owner).await.expect("dropped");
    let again = import_file(commands, tenant, file.as_bytes(), |_, _| ()).await.expect("fits");
    let unchanged = again.iter().filter(|it| it.outcome == LineOutcome::Unchanged).count();
    assert_eq!((again.len(), unchanged as i64), (60, at_once));
    owner.close().await.expect("the session ends");
    portal.finish().await;
}
