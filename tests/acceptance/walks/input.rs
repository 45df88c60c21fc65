//! Inputs made from the schema: well-formed, with ids of the given world where the name says which.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::support::{Client, World};

const INTROSPECTION: &str = "{ __schema {
  mutationType { fields { name args { name type { ...T } } } }
  types { name kind enumValues { name } inputFields { name defaultValue type { ...T } } } } }
fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

/// What the schema says about mutations and input types.
pub struct Shapes {
    mutations: BTreeMap<String, String>,
    inputs: BTreeMap<String, Vec<(String, Value)>>,
    enums: BTreeMap<String, String>,
}

impl Shapes {
    /// Asks the service.
    pub async fn read(client: &Client) -> Self {
        let answer = client.send(INTROSPECTION, json!({})).await;
        let schema = &answer.data()["__schema"];
        let mut shapes =
            Self { mutations: BTreeMap::new(), inputs: BTreeMap::new(), enums: BTreeMap::new() };
        for field in list(&schema["mutationType"]["fields"]) {
            if let Some(argument) = list(&field["args"]).iter().find(|arg| arg["name"] == "input") {
                shapes.mutations.insert(text(&field["name"]), named(&argument["type"]));
            }
        }
        for kind in list(&schema["types"]) {
            let name = text(&kind["name"]);
            if kind["kind"] == "INPUT_OBJECT" {
                let fields = list(&kind["inputFields"])
                    .iter()
                    .map(|field| (text(&field["name"]), field["type"].clone()))
                    .collect();
                shapes.inputs.insert(name, fields);
            } else if kind["kind"] == "ENUM" {
                shapes.enums.insert(name, text(&kind["enumValues"][0]["name"]));
            }
        }
        shapes
    }

    /// Every mutation with an input.
    pub fn mutations(&self) -> impl Iterator<Item = &str> {
        self.mutations.keys().map(String::as_str)
    }

    pub fn has(&self, mutation: &str) -> bool {
        self.mutations.contains_key(mutation)
    }

    pub fn input_type(&self, mutation: &str) -> &str {
        &self.mutations[mutation]
    }

    /// Whether its input names something by id.
    pub fn takes_an_id(&self, mutation: &str) -> bool {
        self.inputs[self.input_type(mutation)].iter().any(|(_, kind)| named(kind) == "ID")
    }

    /// Whether its input has a field of this name.
    pub fn takes(&self, mutation: &str, field: &str) -> bool {
        self.inputs[self.input_type(mutation)].iter().any(|(name, _)| name == field)
    }

    /// A well-formed input.
    pub fn sample(&self, mutation: &str, world: &World) -> Value {
        self.object(self.input_type(mutation), world)
    }

    fn object(&self, name: &str, world: &World) -> Value {
        let fields = self.inputs[name]
            .iter()
            .filter(|(field, _)| field != "idempotencyKey" && field != "expectedVersion")
            .map(|(field, kind)| (field.clone(), self.value(field, kind, world)));
        Value::Object(fields.collect::<Map<_, _>>())
    }

    fn value(&self, field: &str, kind: &Value, world: &World) -> Value {
        match kind["kind"].as_str().unwrap_or_default() {
            "NON_NULL" => self.value(field, &kind["ofType"], world),
            "LIST" => json!([self.value(field, &kind["ofType"], world)]),
            "INPUT_OBJECT" => self.object(kind["name"].as_str().unwrap_or_default(), world),
            "ENUM" => json!(self.enums[kind["name"].as_str().unwrap_or_default()]),
            _ => scalar(field, kind["name"].as_str().unwrap_or_default(), world),
        }
    }
}

fn scalar(field: &str, kind: &str, world: &World) -> Value {
    match kind {
        "Boolean" => json!(true),
        "Int" => json!(1),
        "Float" => json!(1.0),
        "Position" => json!("1"),
        "UUID" => json!(Uuid::new_v4()),
        "ID" => match field {
            "organizationId" => json!(world.clinic.id.to_string()),
            "counterpartyId" => json!(world.biller.id.to_string()),
            "userId" => json!(world.newcomer.user.to_string()),
            _ => json!(Uuid::new_v4()),
        },
        "NPI" => json!(world.clinic.npis[0]),
        "EmailAddress" => json!("somebody@elsewhere.example"),
        "PhoneNumber" => json!("+12025550188"),
        "DateTime" => json!("2026-02-01T00:00:00Z"),
        "Date" => json!("2026-02-01"),
        _ => match field {
            "email" => json!("somebody@elsewhere.example"),
            "npi" => json!(world.clinic.npis[0]),
            _ => json!("sample"),
        },
    }
}

/// Puts `text` into every string of the input but ids and enums; `false` when there is none.
pub fn spoil(input: &mut Value, text: &str) -> bool {
    match input {
        Value::Object(fields) => fields.iter_mut().fold(false, |any, (name, value)| {
            let is_id = name.ends_with("Id") || name.ends_with("Ids");
            (!is_id && spoil(value, text)) || any
        }),
        Value::Array(items) => {
            items.iter_mut().map(|item| spoil(item, text)).max().unwrap_or(false)
        }
        Value::String(current) => {
            let is_enum = current.len() > 1
                && current
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit())
                && !current.chars().all(|c| c.is_ascii_digit());
            if !is_enum {
                text.clone_into(current);
            }
            !is_enum
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn named(kind: &Value) -> String {
    match kind["name"].as_str() {
        Some(name) => name.to_owned(),
        None => named(&kind["ofType"]),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
