//! Null where a field failed, as the GraphQL specification asks (section 6.4.4).
//!
//! async-graphql 7.2 leaves a failed field out of its object and lets a failure in a non-null
//! place go no further. Clients with a cache read a missing field as "not asked for" and ask
//! again, so a failed field becomes null here, and null in a non-null place its parent's failure.
//!
//! Invariant: every field asked for is in the answer, and no non-null place holds null.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_graphql::{
    QueryPathSegment, Response, ServerError, ServerResult, Value,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo,
    },
};

pub(super) struct NullsFactory;

impl ExtensionFactory for NullsFactory {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Nulls::default())
    }
}

/// One per request; each result of a subscription empties it.
#[derive(Default)]
struct Nulls {
    /// Saves the fields of a sound request from building their paths.
    failed: AtomicBool,
    found: Mutex<Found>,
}

type Path = Vec<String>;

#[derive(Default)]
struct Found {
    errors: Vec<ServerError>,
    /// Objects that hold null in a non-null field.
    broken: HashSet<Path>,
    /// Elements of lists that are null by a failure. The library does not tell whether they may
    /// be, so their field decides, which knows its type.
    elements: Vec<Path>,
}

impl Nulls {
    fn with<T>(&self, act: impl FnOnce(&mut Found) -> T) -> T {
        act(&mut self.found.lock().expect("no panic while held"))
    }

    /// Reports null at `path`, a field's, to the object around it.
    fn break_parent(&self, mut path: Path) {
        path.pop();
        self.with(|found| found.broken.insert(path));
    }

    /// Lets the failed elements of the list at `path` stay null where its type allows it, or makes
    /// the innermost list around them null that may be.
    fn settle(&self, path: Path, list_type: &str, mut value: Value) -> Value {
        let mine: Vec<Path> = self.with(|found| {
            let all = std::mem::take(&mut found.elements);
            let (mine, others) = all.into_iter().partition(|element| element.starts_with(&path));
            found.elements = others;
            mine
        });
        for element in mine {
            let indices = &element[path.len()..];
            match (0..=indices.len()).rev().find(|level| nullable_at(list_type, *level)) {
                Some(level) => set_null(&mut value, &indices[..level]),
                None => {
                    self.break_parent(path);
                    return Value::Null;
                }
            }
        }
        value
    }
}

/// Whether the element `level` lists deep in `list_type` may be null.
fn nullable_at(list_type: &str, level: usize) -> bool {
    let element = (0..level).fold(list_type, |outer, _| {
        let bare = outer.strip_suffix('!').unwrap_or(outer);
        bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(bare)
    });
    !element.ends_with('!')
}

fn set_null(value: &mut Value, indices: &[String]) {
    let mut place = value;
    for index in indices {
        let Value::List(elements) = place else { return };
        let Some(element) = index.parse().ok().and_then(|at: usize| elements.get_mut(at)) else {
            return;
        };
        place = element;
    }
    *place = Value::Null;
}

#[async_trait::async_trait]
impl Extension for Nulls {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let (node, field_type) = (info.path_node, info.return_type);
        let is_element = matches!(node.segment, QueryPathSegment::Index(_));
        let path = match next.run(ctx, info).await {
            Ok(value) if !self.failed.load(Ordering::Acquire) => return Ok(value),
            Ok(value) => {
                let path = node.to_string_vec();
                if !self.with(|found| found.broken.remove(&path)) {
                    return Ok(match value {
                        Some(list @ Value::List(_)) if !is_element => {
                            Some(self.settle(path, field_type, list))
                        }
                        other => other,
                    });
                }
                path
            }
            Err(error) => {
                self.with(|found| found.errors.push(error));
                self.failed.store(true, Ordering::Release);
                node.to_string_vec()
            }
        };
        if is_element {
            self.with(|found| found.elements.push(path));
        } else if field_type.ends_with('!') {
            self.break_parent(path);
        }
        Ok(Some(Value::Null))
    }

    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(ctx, operation_name).await;
        self.failed.store(false, Ordering::Release);
        let Found { errors, broken, .. } = self.with(std::mem::take);
        response.errors.extend(errors);
        if broken.contains(&Vec::new()) {
            response.data = Value::Null;
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_allowed_where_the_type_says_so() {
        let allowed = |kind: &str| [0, 1, 2].map(|level| nullable_at(kind, level));
        assert_eq!(allowed("[[Thing!]]!"), [false, true, false]);
        assert_eq!(allowed("[[Thing]!]"), [true, false, true]);
    }

    #[test]
    fn null_is_set_at_its_place() {
        let mut value = async_graphql::value!([[1, 2], [3, 4]]);
        set_null(&mut value, &["1".to_owned(), "0".to_owned()]);
        assert_eq!(value, async_graphql::value!([[1, 2], [null, 4]]));
        set_null(&mut value, &["0".to_owned()]);
        assert_eq!(value, async_graphql::value!([null, [null, 4]]));
        set_null(&mut value, &[]);
        assert_eq!(value, Value::Null);
    }
}
