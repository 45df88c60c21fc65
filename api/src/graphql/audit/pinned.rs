//! Answers that never move: a document is run with its views kept to a place of the log (GN-14).
//!
//! Invariant: only questions whose answers follow from that place are run; whoever asks sees in them what
//! they may see, and no names, which are known as they are today only.

use std::sync::Arc;

use async_graphql::{
    Context, Request, Response, Value as GraphqlValue, Variables,
    parser::{
        parse_query,
        types::{OperationType, Selection},
    },
};
use rollcall_commands::{Caller, Commands};
use rollcall_domain::{Code, Refusal};
use rollcall_projections::{Pin, ReadStore};
use serde_json::Value;

use crate::{
    graphql::{errors::fault, reading::RequestView, schema::Schema},
    http::{Limits, check_text},
};

/// The questions that are answered as of a place of the log.
const QUESTIONS: [&str; 6] = [
    "accessDifference",
    "accessExplanation",
    "accessExposure",
    "accessRegister",
    "auditEvents",
    "policySimulation",
];

/// Refuses a document that does more than ask questions of this kind.
///
/// # Errors
/// `FIELD_INVALID` at `document`.
pub(super) fn check(document: &str) -> Result<(), Refusal> {
    let refuse = |message: String| Refusal::new(Code::FieldInvalid, message).at("document");
    check_text(document, &Limits::default()).map_err(|error| refuse(error.message.to_string()))?;
    let parsed = parse_query(document)
        .map_err(|error| refuse(format!("Give a GraphQL document. This one is none: {error}.")))?;
    let mut operations = parsed.operations.iter().map(|(_, operation)| operation);
    let (Some(operation), None) = (operations.next(), operations.next()) else {
        return Err(refuse("Save one query at a time.".to_owned()));
    };
    if operation.node.ty != OperationType::Query {
        return Err(refuse("Save a query: a workspace changes nothing.".to_owned()));
    }
    for selection in &operation.node.selection_set.node.items {
        let Selection::Field(field) = &selection.node else {
            return Err(refuse("Name the questions themselves, outside of fragments.".to_owned()));
        };
        let name = field.node.name.node.as_str();
        if !QUESTIONS.contains(&name) {
            let all = QUESTIONS.join(", ");
            return Err(refuse(format!(
                "Ask one of {all}; {name} has no answer as of a position."
            )));
        }
    }
    Ok(())
}

/// Runs a document as whoever asks, as of the place.
///
/// # Errors
/// A fault.
pub(super) async fn run(
    ctx: &Context<'_>,
    pin: Pin,
    (document, variables): (&str, Value),
) -> async_graphql::Result<Response> {
    let schema = ctx.data::<Schema>()?;
    let request = Request::new(document)
        .variables(Variables::from_json(variables))
        .data(ctx.data::<Caller>()?.clone())
        .data(ctx.data::<Commands>()?.clone())
        .data(ctx.data::<ReadStore>()?.clone())
        .data(Arc::new(RequestView::pinned(pin)));
    // On the heap: the future of a whole request would otherwise be part of every resolver's.
    Ok(Box::pin(schema.execute(request)).await)
}

/// The data of an answer, or the first error.
///
/// # Errors
/// The answer's.
pub(super) fn data(response: Response) -> async_graphql::Result<GraphqlValue> {
    let Some(first) = response.errors.into_iter().next() else { return Ok(response.data) };
    let mut error = async_graphql::Error::new(first.message);
    error.extensions = first.extensions;
    Err(error)
}

/// Saved variables with those of the asking laid over them.
///
/// # Errors
/// `FIELD_INVALID` for what is no object; a fault for what was saved otherwise.
pub(super) fn laid_over(
    saved: &str,
    given: Option<Value>,
) -> async_graphql::Result<Result<Value, Refusal>> {
    let mut all: Value = serde_json::from_str(saved).map_err(|error| fault(&error))?;
    match (&mut all, given) {
        (_, None) => {}
        (Value::Object(all), Some(Value::Object(given))) => all.extend(given),
        (_, Some(_)) => {
            let message = "Give the variables as an object.";
            return Ok(Err(Refusal::new(Code::FieldInvalid, message).at("variables")));
        }
    }
    Ok(Ok(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_as_of_a_place_pass_and_everything_else_is_refused() {
        check("query($n: NPI) { accessRegister(npi: $n) { totalCount } auditEvents { nodes { sentence } } }")
            .expect("two questions");
        check("{ events: auditEvents { ...Some } } fragment Some on AuditEventConnection { totalCount }")
            .expect("fragments inside a question");
        for document in [
            "{ me { id } }",
            "mutation { resetPin(input: {}) { position } }",
            "subscription { eventAppended { type } }",
            "query A { auditEvents { totalCount } } query B { auditEvents { totalCount } }",
            "{ ...Root } fragment Root on Query { me { id } }",
            "{ auditWorkspaces { nodes { name } } }",
            "{ auditEvents {",
        ] {
            let refusal = check(document).expect_err(document);
            assert_eq!(
                (refusal.code, &refusal.field[..]),
                (Code::FieldInvalid, &["document".to_owned()][..])
            );
        }
    }
}
