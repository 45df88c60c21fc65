//! What is asked. Invariant: every question has an answer, and pages are not empty.

use chrono::{TimeDelta, Utc};
use serde_json::json;

use super::{
    population::Population,
    portal::Portal,
    question::{Question, Variables, document},
};

const EVENTS: &str = "nodes { id position sentence recordedAt actor { name } subject { name }
    organization { name } } pageInfo { hasNextPage endCursor }";
const RIGHTS: &str = "nodes { user { id name } organization { name } npi right level validFrom
    validTo source cause { kind sentence } } pageInfo { hasNextPage endCursor }";

pub async fn all(portal: &Portal) -> Vec<Question> {
    let Population { world, practices, events, .. } = &portal.population;
    let auditor = portal.client(&world.auditor).await;
    let first = &practices[0];
    let administrator = portal.client(&first.people[0]).await;
    let as_of = (Utc::now() - TimeDelta::days(5)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let npis: Vec<String> =
        practices.iter().flat_map(|practice| practice.company.npis.clone()).collect();
    let people: Vec<_> =
        practices.iter().flat_map(|practice| &practice.people).map(|who| who.user).collect();

    let before =
        format!("query($at: Position!) {{ auditEvents(asOfPosition: $at) {{ {EVENTS} }} }}");
    let middle = auditor.ask(&before, &json!({ "at": (events / 2).to_string() })).await;
    let cursor = middle["auditEvents"]["pageInfo"]["endCursor"].clone();
    let event = |name, arguments: &str, variables: Variables| Question {
        name,
        client: auditor.clone(),
        document: document(arguments, "auditEvents", EVENTS),
        variables,
        page: Some("auditEvents"),
    };
    let right = |name, arguments: &str, variables: Variables| Question {
        name,
        client: auditor.clone(),
        document: document(arguments, "accessRegister", RIGHTS),
        variables,
        page: Some("accessRegister"),
    };
    let (by_npi, by_person) = (npis.clone(), people.clone());
    let (at, at_too, at_all) = (as_of.clone(), as_of.clone(), as_of);
    let organization = first.company.id;
    vec![
        Question {
            name: "__typename",
            client: auditor.clone(),
            document: "{ __typename }".to_owned(),
            variables: Box::new(|_| json!({})),
            page: None,
        },
        event("auditEvents first page", "", Box::new(|_| json!({}))),
        event(
            "auditEvents deep page",
            "$after: String! | after: $after",
            Box::new(move |_| json!({ "after": cursor })),
        ),
        event(
            "auditEvents by subject",
            "$id: ID! | filter: { subject: $id }",
            Box::new(move |nth| json!({ "id": by_person[nth % by_person.len()] })),
        ),
        event(
            "auditEvents by NPI",
            "$npi: NPI! | filter: { npi: $npi }",
            Box::new(move |nth| json!({ "npi": by_npi[nth % by_npi.len()] })),
        ),
        right(
            "accessRegister of an NPI",
            "$at: DateTime!, $npi: NPI! | asOf: $at, npi: $npi",
            Box::new(move |nth| json!({ "at": at, "npi": npis[nth % npis.len()] })),
        ),
        right(
            "accessRegister of a person",
            "$at: DateTime!, $id: ID! | asOf: $at, userId: $id",
            Box::new(move |nth| json!({ "at": at_too, "id": people[nth % people.len()] })),
        ),
        right(
            "accessRegister first page",
            "$at: DateTime! | asOf: $at",
            Box::new(move |_| json!({ "at": at_all })),
        ),
        Question {
            name: "users by search",
            client: administrator,
            document: document(
                "$of: ID!, $search: String! | organizationId: $of, search: $search",
                "users",
                "nodes { id firstName lastName email status orgRole } pageInfo { hasNextPage }",
            ),
            variables: Box::new(move |nth| {
                let search = ["ald", "birch", "ton", "li"][nth % 4];
                json!({ "of": organization, "search": search })
            }),
            page: Some("users"),
        },
    ]
}
