//! Evidence for an auditor of one organisation: presence, and nothing of others (GN-35, GN-31).

use reqwest::StatusCode;
use rollcall_domain::permissions::NpiLevel;
use rollcall_projections::proof::bundle::{LOG, MANIFEST, REPORT};
use serde_json::{Value, json};

use super::{
    evidence::{REQUEST, altered, bundle, checked, fetch, file, policy, request},
    set_level,
    transparency::signed_up_to,
};
use crate::support::{Client, Company, Portal};

/// Keeps the auditor to one organisation.
async fn keep_to(portal: &Portal, company: &Company) -> Client {
    let world = portal.world();
    let admin = portal.client(&world.plan_admin).await;
    let input = json!({ "userId": world.auditor.user, "role": "AU",
        "organizationIds": [company.id], "reason": "Audits this office." });
    admin.mutate("scopePlanRole", input, "position").await.done();
    portal.client(&world.auditor).await
}

/// Something happens at the clinic and at the hospital; the auditor is of the clinic alone.
async fn of_the_clinic(portal: &Portal) -> (Client, Value) {
    let world = portal.world();
    let npi = &world.clinic.npis[1];
    set_level(portal, &world.clinic_admin, &world.newcomer, npi, NpiLevel::Processor).await;
    let invite = json!({ "organizationId": world.clinic.id, "email": "ines@redwood.example",
        "firstName": "Ines", "lastName": "Vega", "mobile": "+12025550177" });
    let admin = portal.client(&world.clinic_admin).await;
    admin.mutate("inviteUser", invite, "position").await.done();
    let auditor = keep_to(portal, &world.clinic).await;
    let log = signed_up_to(&auditor, portal.position().await).await;
    (auditor, log)
}

#[tokio::test]
async fn gn_35_an_auditor_of_one_organization_is_given_its_events_and_learns_nothing_of_others() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (auditor, log) = of_the_clinic(&portal).await;
    let question = json!({ "organization": world.clinic.id });
    let bytes = bundle(&auditor, question.clone(), None).await;
    let proven = checked(&bytes, &policy(&log), None).expect("a good bundle");
    let population = proven.manifest.report.population;
    assert!(population > 0);
    let told = proven.told().join("\n");
    assert!(told.contains("Not proven: that these are all."), "{told}");
    assert!(!told.contains("none is missing"), "{told}");

    // As many as the timeline shows of it.
    let document = "query($of: ID!, $at: Position!) { auditEvents(asOfPosition: $at,
        filter: { organization: $of }) { totalCount } }";
    let at = proven.manifest.checkpoint.to_string();
    let answer = auditor.send(document, json!({ "of": world.clinic.id, "at": at })).await;
    assert_eq!(answer.data()["auditEvents"]["totalCount"], population);

    // Each is of the clinic; nothing names the hospital or its people, not even hidden.
    let text = [file(&bytes, LOG), file(&bytes, REPORT), file(&bytes, MANIFEST)].concat();
    let clinic = world.clinic.id.to_string();
    assert!(file(&bytes, REPORT).lines().skip(1).all(|row| row.contains(&clinic)));
    assert_eq!(file(&bytes, LOG).lines().count() as u64, population);
    for other in [world.hospital.id.to_string(), world.hospital_admin.user.to_string()] {
        assert!(!text.contains(&other), "{other}");
    }
    // What is sealed about the clinic's people is open, what is sealed about the plan's is not.
    assert!(proven.opened > 0);
    let subject_of = |line: &Value| {
        let open = line["open"]["subject"]["value"].as_str().unwrap_or_default().to_owned();
        let actor = line["open"]["actor"]["value"].as_str().unwrap_or_default().to_owned();
        (open, actor)
    };
    for line in file(&bytes, LOG).lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let (subject, actor) = subject_of(&line);
        let acted_for = line["open"]["organization"]["value"] == clinic.as_str();
        let payload = line["open"]["payload"]["value"].as_str().expect("a payload");
        let payload: Value = serde_json::from_str(payload).expect("JSON");
        for pointer in line["secrets"].as_object().into_iter().flat_map(|it| it.keys()) {
            let Some(sealed) = payload.pointer(pointer) else { continue };
            let of = sealed["$sealed"]["subject"].as_str().expect("a subject");
            assert!(of == subject || acted_for && actor.ends_with(of), "{line}");
        }
    }
    // On record like any other.
    portal.settle().await;
    let events = "{ auditEvents(filter: { types: [\"audit.evidence.evidence_opened\"] }) {
        totalCount } }";
    let admin = portal.client(&world.plan_admin).await.send(events, json!({})).await;
    assert_eq!(admin.data()["auditEvents"]["totalCount"], 1);
    portal.finish().await;
}

#[tokio::test]
async fn gn_35_an_auditor_of_one_organization_names_it_and_gets_no_other() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (auditor, _) = of_the_clinic(&portal).await;
    let ask = async |question: Value| {
        let input = json!({ "question": question, "recipient": "R", "purpose": "P" });
        auditor.send(REQUEST, json!({ "input": input })).await
    };
    let unnamed = ask(json!({})).await;
    assert_eq!(unnamed.refused(), "FIELD_REQUIRED");
    let error = &unnamed.body["data"]["done"]["userErrors"][0];
    assert_eq!(
        error["field"].as_array().and_then(|path| path.last()),
        Some(&json!("organization"))
    );
    let other = ask(json!({ "organization": world.hospital.id })).await;
    assert_eq!(other.refused(), "FORBIDDEN");
    // What was asked for is not fetched any more once the organization is another one.
    let asked = request(&auditor, json!({ "organization": world.clinic.id }), None).await;
    let auditor = keep_to(&portal, &world.hospital).await;
    assert_eq!(fetch(&auditor, &asked).await.0, StatusCode::NOT_FOUND);
    portal.finish().await;
}

#[tokio::test]
async fn gn_35_whatever_is_done_to_a_bundle_of_one_organization_shows() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let (auditor, log) = of_the_clinic(&portal).await;
    let bytes = bundle(&auditor, json!({ "organization": world.clinic.id }), None).await;
    let trusted = policy(&log);
    let code = |bundle: &[u8]| checked(bundle, &trusted, None).err().map(|fault| fault.code());
    assert_eq!(code(&bytes), None);
    let edited = |change: &dyn Fn(&mut Vec<Value>)| {
        altered(&bytes, LOG, |text| {
            let mut lines: Vec<Value> =
                text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
            change(&mut lines);
            lines.iter().map(|line| format!("{line}\n")).collect()
        })
    };
    // Another time, another place, another order.
    let time =
        edited(&|lines| lines[2]["leaf"]["recorded_at"] = json!("2020-01-01T00:00:00.000000Z"));
    assert_eq!(code(&time), Some(10));
    let place = edited(&|lines| {
        let at = lines[2]["place"]["position"].as_i64().expect("a position");
        lines[2]["place"]["position"] = json!(at - 1);
    });
    assert!(matches!(code(&place), Some(10 | 20)));
    assert_eq!(code(&edited(&|lines| lines.swap(0, 1))), Some(20));
    // Another organization's name on an event.
    let other = edited(&|lines| {
        lines[2]["open"]["organization"]["value"] = json!(world.hospital.id.to_string());
    });
    assert_eq!(code(&other), Some(13));
    // One left out: the report does not follow any more.
    assert_eq!(code(&edited(&|lines| drop(lines.remove(1)))), Some(14));
    // Said to be a range, of which none is missing.
    let range = altered(&bytes, MANIFEST, |text| {
        let mut manifest: Value = serde_json::from_str(text).expect("JSON");
        manifest.as_object_mut().expect("a manifest").remove("presence_of");
        manifest.to_string()
    });
    assert!(code(&range).is_some());
    portal.finish().await;
}
