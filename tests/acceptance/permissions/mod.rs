//! What people may do for which NPI: grants, the wizard, and what follows from them.

mod correspondence;
mod effective;
mod features;
mod levels;
mod locations;
mod wizard;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Person, World};

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
    client.mutate(mutation, input, "user { version setupState setupSteps unassigned }").await
}

/// Sets levels of a member of the clinic.
async fn set_levels(client: &Client, about: (&World, &Person), levels: &[(&str, &str)]) -> Answer {
    let permissions: Vec<_> =
        levels.iter().map(|(npi, level)| json!({ "npi": npi, "level": level })).collect();
    change(client, "setNpiPermissions", about, json!({ "permissions": permissions })).await
}

/// Sets correspondence types of a member of the clinic.
async fn set_types(
    client: &Client,
    about: (&World, &Person),
    npis: &[&str],
    types: &[&str],
) -> Answer {
    let fields = json!({ "npis": npis, "types": types });
    change(client, "setCorrespondencePermissions", about, fields).await
}

/// The rows of a member's matrix.
async fn matrix(client: &Client, world: &World, who: &Person) -> Vec<Value> {
    let document = "query($user: ID!, $organization: ID!) {
        permissionMatrix(userId: $user, organizationId: $organization) {
          npis { npi level source until correspondence } } }";
    let variables = json!({ "user": who.user, "organization": world.clinic.id });
    let answer = client.send(document, variables).await;
    answer.data()["permissionMatrix"]["npis"].as_array().expect("rows").clone()
}

/// `npi level` of each row.
fn levels(rows: &[Value]) -> Vec<String> {
    let text = |row: &Value, field: &str| row[field].as_str().expect("text").to_owned();
    rows.iter().map(|row| format!("{} {}", text(row, "npi"), text(row, "level"))).collect()
}
