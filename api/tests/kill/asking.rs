//! One person's questions and mutations, wherever the service answers by now.

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{ground::Ground, portals::Plan};

/// Asks as somebody of the plan.
pub struct Asking<'a> {
    pub ground: &'a Ground,
    runtime: Runtime,
    slug: &'static str,
    token: String,
}

impl<'a> Asking<'a> {
    pub fn new(ground: &'a Ground, (runtime, slug): (Runtime, &'static str), plan: Plan) -> Self {
        Self { ground, runtime, slug, token: plan.token }
    }

    /// The answer's field `done`.
    pub fn ask(&self, document: &str, variables: Value) -> Value {
        let url = format!("http://{}/graphql", *self.ground.address().borrow());
        let request = reqwest::Client::new()
            .post(url)
            .header("accept", "application/graphql-response+json")
            .header("rollcall-tenant", self.slug)
            .bearer_auth(&self.token)
            .json(&json!({ "query": document, "variables": variables }));
        let mut answer: Value = self.runtime.block_on(async {
            let answer = request.send().await.expect("the service answers");
            answer.json().await.expect("in JSON")
        });
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"]["done"].take()
    }

    /// As [`Self::ask`], of a mutation by its name.
    ///
    /// # Panics
    /// When it is refused.
    pub fn mutate(&self, name: &str, input: Value, fields: &str) -> Value {
        let (first, rest) = name.split_at(1);
        let document = format!(
            "mutation($input: {}{rest}Input!) {{ done: {name}(input: $input)
               {{ {fields} userErrors {{ code message }} }} }}",
            first.to_ascii_uppercase()
        );
        let done = self.ask(&document, json!({ "input": input }));
        assert_eq!(done["userErrors"], json!([]), "{name}");
        done
    }
}
