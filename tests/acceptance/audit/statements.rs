//! No query per row: a page costs the same number of statements however long it is, and so do
//! objects by their ids.

use std::{sync::Arc, time::Duration};

use async_graphql::{ID, Request};
use rollcall_api::graphql::{ids::NodeType, reading::RequestView, schema};
use rollcall_commands::{Caller, Identity, authentication::Presented};
use rollcall_domain::{
    organizations::{Organization, OrganizationCommand},
    values::Reason,
};
use rollcall_tests::statements::Statements;
use tracing::instrument::WithSubscriber;
use uuid::Uuid;

use crate::support::{Client, Portal};

pub async fn caller(portal: &Portal, client: &Client) -> Caller {
    let presented = Presented {
        token: client.token.as_deref().expect("a signed-in client"),
        tenant: None,
        address: None,
        correlation_id: Uuid::now_v7(),
        is_activity: false,
    };
    let commands = &portal.service.commands;
    let caller = commands.authenticate(presented).await.expect("the session is live");
    assert!(matches!(caller.identity, Identity::Person { .. }));
    caller
}

/// How many statements a document takes: the least of some answers, since a new connection of a
/// pool takes some of its own and the first answer fills caches. None at all means that the reports
/// were not heard, which happens while another test makes them known to `tracing`.
pub async fn fewest(portal: &Portal, caller: &Caller, document: &str) -> usize {
    let mut fewest = usize::MAX;
    for _ in 0..4 {
        let heard = statements(portal, caller, document).await;
        fewest = if heard > 0 { fewest.min(heard) } else { fewest };
    }
    fewest
}

async fn statements(portal: &Portal, caller: &Caller, document: &str) -> usize {
    let counter = Statements::default();
    let request = Request::new(document)
        .data(caller.clone())
        .data(portal.service.commands.clone())
        .data(portal.service.reads.clone())
        .data(Arc::new(RequestView::default()));
    let schema = schema();
    let response = schema.execute(request).with_subscriber(counter.clone()).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    counter.heard()
}

#[tokio::test]
async fn a_page_takes_the_same_few_statements_however_long_it_is() {
    let portal = Portal::medi_cal().await;
    let auditor = portal.client(&portal.world().auditor).await;
    let caller = caller(&portal, &auditor).await;
    let from = portal.service.commands.journal.now().to_rfc3339();
    portal.advance(Duration::from_secs(1));
    let reason = Reason::parse("Under investigation.").expect("a valid reason");
    let suspend = OrganizationCommand::SuspendOrganization { reason };
    portal.decide::<Organization>(portal.world().clinic.id, suspend).await;
    portal.settle().await;
    let events = |first: u32| {
        format!(
            "{{ auditEvents(first: {first}) {{ nodes {{ sentence actor {{ name }} subject {{ name }}
                organization {{ name }} before after }} }} }}"
        )
    };
    let words = |first: u32| {
        format!(
            "{{ auditEvents(first: {first}, filter: {{ text: \"redwood\" }}) {{ nodes {{ sentence
                actor {{ name }} subject {{ name }} organization {{ name }} }} }} }}"
        )
    };
    let rights = |first: u32| {
        format!(
            "{{ accessRegister(first: {first}) {{ nodes {{ user {{ name }} organization {{ name }}
                right cause {{ sentence }} }} }} }}"
        )
    };
    let differences = |first: u32| {
        format!(
            "{{ accessDifference(from: \"{from}\", first: {first}) {{ nodes {{ user {{ name }}
                organization {{ name }} right cause {{ kind sentence }} }} }} }}"
        )
    };
    for document in [&events as &dyn Fn(u32) -> String, &words, &rights, &differences] {
        let short = fewest(&portal, &caller, &document(2)).await;
        let long = fewest(&portal, &caller, &document(60)).await;
        assert_eq!(short, long, "{}", document(60));
        assert!((4..=16).contains(&long), "{long} statements for {}", document(60));
    }
    portal.finish().await;
}

#[tokio::test]
async fn nodes_of_a_type_take_the_same_few_statements_however_many_there_are() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    let plan = portal.client(&world.plan_support).await;
    let caller = caller(&portal, &plan).await;
    portal.settle().await;
    let people = [
        &world.clinic_admin,
        &world.hospital_admin,
        &world.biller_admin,
        &world.npi_admin,
        &world.processor,
        &world.newcomer,
    ];
    let users: Vec<_> = people.iter().map(|person| NodeType::User.id(person.user)).collect();
    let organizations = [&world.clinic, &world.hospital, &world.biller];
    let organizations: Vec<_> =
        organizations.iter().map(|company| NodeType::Organization.id(company.id)).collect();
    let nodes = |ids: Vec<&ID>| {
        let ids: Vec<_> = ids.iter().map(|id| format!("\"{}\"", id.as_str())).collect();
        format!(
            "{{ nodes(ids: [{}]) {{ ... on User {{ email }} ... on Organization {{ name
                admins {{ lastName }} }} }} }}",
            ids.join(", ")
        )
    };
    let few = nodes(vec![&users[0], &organizations[0]]);
    let many = nodes(users.iter().chain(&organizations).collect());
    let (few, many) = (fewest(&portal, &caller, &few).await, fewest(&portal, &caller, &many).await);
    assert_eq!(few, many);
    assert!((4..=16).contains(&many), "{many} statements");
    portal.finish().await;
}
