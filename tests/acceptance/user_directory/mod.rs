//! An organisation's people: search, roles, deactivation and return.

mod appointments;
mod corrections;
mod creation;
mod deactivation;
mod domains;
mod dormant;
mod notices;
mod roles;
mod search;
mod unassigned;
mod usernames;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, World};

/// What tests look at of a user after a mutation.
const USER: &str = "user { id status statusLabel orgRole unassigned version }";

/// Sends a mutation about a member of the clinic; `fields` are the input's further fields.
async fn change(
    client: &Client,
    mutation: &str,
    (world, who): (&World, &Person),
    fields: Value,
) -> Answer {
    let mut input = json!({ "organizationId": world.clinic.id, "userId": who.user });
    let (Value::Object(all), Value::Object(fields)) = (&mut input, fields) else {
        panic!("fields are an object");
    };
    all.extend(fields);
    client.mutate(mutation, input, USER).await
}

/// One member of the clinic, with these fields.
async fn user(client: &Client, world: &World, who: &Person, fields: &str) -> Answer {
    let document = format!(
        "query($id: ID!, $organization: ID!, $position: Position) {{ user(id: $id, organizationId: $organization, minPosition: $position) {{ {fields} }} }}"
    );
    let variables = json!({ "id": who.user, "organization": world.clinic.id });
    client.send(&document, variables).await
}
