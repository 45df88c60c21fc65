//! The parameters of a GraphQL request, from a JSON body, a URL or a WebSocket message.
//!
//! Invariant: one request, one operation. Arrays of requests are refused: they evade the limits on
//! documents and the audit trail reads better without them.

use std::collections::HashMap;

use async_graphql::{Request, Variables};
use axum::{extract::Query, http::Uri};
use serde_json::{Map, Value};

use super::{
    errors::{ErrorCode, TransportError},
    persisted::{DOCUMENT_ID, PERSISTED_QUERY},
};

/// Reads the JSON text of a POST body.
pub(super) fn from_body(body: &[u8]) -> Result<Request, TransportError> {
    if body.is_empty() {
        return Err(malformed("The body is empty. Send a JSON object with a query."));
    }
    let value = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("The body is not JSON in UTF-8: {error}.")))?;
    from_json(value)
}

/// Reads a JSON object with `query` or `documentId`, `operationName`, `variables` and `extensions`;
/// others are ignored (GraphQL over HTTP, section 5.1). The query may be missing where a document
/// is named by its hash.
pub(super) fn from_json(value: Value) -> Result<Request, TransportError> {
    let mut fields = match value {
        Value::Object(fields) => fields,
        Value::Array(_) => {
            return Err(malformed(
                "Batches are not supported. Send one operation per request; a document may hold \
                 several root fields.",
            )
            .reason("BATCH_NOT_SUPPORTED"));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Err(malformed("The request is not a JSON object."));
        }
    };
    let query = string(&mut fields, "query")?;
    let document = string(&mut fields, DOCUMENT_ID)?;
    if query.is_some() && document.is_some() {
        return Err(malformed("Send query or documentId, not both."));
    }
    let is_named_elsewhere = query.is_none();
    let mut request = Request::new(query.unwrap_or_default());
    request.operation_name = string(&mut fields, "operationName")?;
    if let Some(variables) = object(&mut fields, "variables")? {
        request.variables = Variables::from_json(Value::Object(variables));
    }
    if let Some(extensions) = object(&mut fields, "extensions")? {
        request.extensions.0 = extensions
            .into_iter()
            .map(|(key, value)| Ok((key, async_graphql::Value::from_json(value)?)))
            .collect::<serde_json::Result<HashMap<_, _>>>()
            .map_err(|error| malformed(format!("The parameter extensions: {error}.")))?;
    }
    // What an extension of this name says is none of ours.
    request.extensions.0.remove(DOCUMENT_ID);
    if let Some(id) = document {
        request.extensions.0.insert(DOCUMENT_ID.to_owned(), id.into());
    } else if is_named_elsewhere && !request.extensions.0.contains_key(PERSISTED_QUERY) {
        return Err(malformed("The parameter query is missing."));
    }
    Ok(request)
}

/// Reads the query of a URL; `variables` and `extensions` are JSON texts there.
pub(super) fn from_url(uri: &Uri) -> Result<Request, TransportError> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| malformed("The query of the URL is not URL-encoded UTF-8."))?;
    let mut fields = Map::new();
    for (name, text) in pairs {
        let value = match name.as_str() {
            "query" | DOCUMENT_ID | "operationName" => Value::String(text),
            "variables" | "extensions" if text.is_empty() => Value::Null,
            "variables" | "extensions" => serde_json::from_str(&text).map_err(|error| {
                malformed(format!("The parameter {name} is not JSON: {error}."))
            })?,
            _ => continue,
        };
        if fields.insert(name.clone(), value).is_some() {
            return Err(malformed(format!("The parameter {name} stands twice in the URL.")));
        }
    }
    from_json(Value::Object(fields))
}

fn string(fields: &mut Map<String, Value>, name: &str) -> Result<Option<String>, TransportError> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(malformed(format!("The parameter {name} must be a string.")))
        }
    }
}

fn object(
    fields: &mut Map<String, Value>,
    name: &str,
) -> Result<Option<Map<String, Value>>, TransportError> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::String(_)) => {
            Err(malformed(format!("The parameter {name} must be a JSON object.")))
        }
    }
}

fn malformed(message: impl Into<String>) -> TransportError {
    TransportError::new(ErrorCode::BadUserInput, message).reason("MALFORMED_REQUEST")
}
