//! A question, asked again and again with other values.
//!
//! Invariant: an answer that is checked has no errors, and its page something.

use serde_json::Value;

use super::portal::{Client, data};

pub type Variables = Box<dyn Fn(usize) -> Value + Send + Sync>;

pub struct Question {
    pub name: &'static str,
    pub client: Client,
    pub document: String,
    /// Of the n-th time it is asked.
    pub variables: Variables,
    /// Which field has nodes.
    pub page: Option<&'static str>,
}

impl Question {
    /// Asks and gives the answer unread, for [`Self::check`].
    pub async fn ask(&self, nth: usize) -> Vec<u8> {
        self.client.send(&self.document, &(self.variables)(nth)).await
    }

    /// # Panics
    /// When the answer has errors, or a page nothing.
    pub fn check(&self, answer: &[u8]) {
        let data = data(answer);
        if let Some(field) = self.page {
            let nodes = data[field]["nodes"].as_array().map_or(0, Vec::len);
            assert!(nodes > 0, "{} has an empty answer: {data}", self.name);
        }
    }
}

/// A query of one field; `arguments` are those of the document and of the field.
pub fn document(arguments: &str, field: &str, selection: &str) -> String {
    match arguments.split_once(" | ") {
        Some((of_document, of_field)) => {
            format!("query({of_document}) {{ {field}({of_field}) {{ {selection} }} }}")
        }
        None => format!("{{ {field} {{ {selection} }} }}"),
    }
}
