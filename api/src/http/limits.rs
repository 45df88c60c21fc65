//! Limits on documents, enforced inside the schema so that every way in has them.
//!
//! Invariant: a document is counted before it is parsed and weighed before anything of the
//! library walks its fragments; what passes validation has every required variable.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_graphql::{
    ObjectType, Request, SchemaBuilder, ServerError, ServerResult, SubscriptionType,
    ValidationResult, Variables,
    extensions::{
        Extension, ExtensionContext, ExtensionFactory, NextParseQuery, NextPrepareRequest,
        NextValidation,
    },
    parser::types::{ExecutableDocument, OperationDefinition},
};

use super::{
    document::{Unweighable, Weight, weigh},
    errors::{ErrorCode, TransportError, from_validation},
    nulls::NullsFactory,
    operation, tokens,
};

/// What a document may ask for (API conventions, item 13).
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Levels of fields. Standard introspection needs 13 and more.
    pub depth: usize,
    /// Aliases in one operation, fragments spread.
    pub aliases: usize,
    /// Fields on the outermost level of an operation.
    pub root_fields: usize,
    /// Selections and directives of one operation, fragments spread.
    pub selections: usize,
    /// Levels of fields and fragments together.
    pub nesting: usize,
    /// Tokens of the document.
    pub tokens: usize,
    /// Sum of the fields' complexities; a list's is its page size times its children's.
    pub complexity: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 20,
            aliases: 50,
            root_fields: 20,
            selections: 10_000,
            nesting: 32,
            tokens: 10_000,
            complexity: 10_000,
        }
    }
}

/// Puts `limits` on the schema, and null in the place of failed fields. The transport relies on
/// it: a schema without it reports errors found before execution with the codes of defects.
pub fn limited<Q, M, S>(builder: SchemaBuilder<Q, M, S>, limits: Limits) -> SchemaBuilder<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    builder.extension(GuardFactory(limits)).extension(NullsFactory)
}

/// Shared with the schema through the request's data: was the operation admitted to execution?
#[derive(Clone, Debug, Default)]
pub(super) struct Admission(Arc<AtomicBool>);

impl Admission {
    pub(super) fn admitted(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Refuses text that is too much to parse: the parser goes as deep as the text does.
///
/// # Errors
/// QUERY_TOO_COMPLEX.
pub fn check_text(document: &str, limits: &Limits) -> Result<(), TransportError> {
    within("TOKEN_LIMIT", "tokens", tokens::count(document), limits.tokens)
}

fn check_weight(document: &ExecutableDocument, limits: &Limits) -> Result<(), TransportError> {
    let weight = weigh(document, limits.nesting).map_err(|cause| match cause {
        Unweighable::Cycle(name) => TransportError::new(
            ErrorCode::GraphqlValidationFailed,
            format!("Fragment \"{name}\" spreads itself. Remove the circle."),
        ),
        Unweighable::TooDeep => TransportError::new(
            ErrorCode::QueryTooComplex,
            format!(
                "Fields and fragments are nested more than {} levels deep. Ask for less at once.",
                limits.nesting
            ),
        )
        .reason("DEPTH_LIMIT"),
    })?;
    let Weight { selections, aliases, root_fields, depth, nesting: _ } = weight;
    within("DEPTH_LIMIT", "levels of fields", depth, limits.depth)?;
    within("ALIAS_LIMIT", "aliases", aliases, limits.aliases)?;
    within("ROOT_FIELD_LIMIT", "root fields", root_fields, limits.root_fields)?;
    within("SELECTION_LIMIT", "selections", selections, limits.selections)
}

fn within(
    reason: &'static str,
    what: &str,
    found: usize,
    limit: usize,
) -> Result<(), TransportError> {
    if found > limit { Err(too_complex(reason, what, found, limit)) } else { Ok(()) }
}

fn too_complex(reason: &'static str, what: &str, found: usize, limit: usize) -> TransportError {
    TransportError::new(
        ErrorCode::QueryTooComplex,
        format!("The document has {found} {what}; the limit is {limit}. Split it."),
    )
    .reason(reason)
}

/// The first variable that the operation requires and the request leaves out. The library would
/// find out during execution, when it is too late for a request error.
fn missing_variable(
    operation: &OperationDefinition,
    variables: &Variables,
) -> Option<TransportError> {
    operation.variable_definitions.iter().map(|definition| &definition.node).find_map(|wanted| {
        let kind = &wanted.var_type.node;
        let name = &wanted.name.node;
        let problem = match variables.get(name) {
            Some(async_graphql::Value::Null) if !kind.nullable => "must not be null",
            None if !kind.nullable && wanted.default_value.is_none() => "was not provided",
            _ => return None,
        };
        Some(TransportError::new(
            ErrorCode::BadUserInput,
            format!("Variable \"${name}\" of required type \"{kind}\" {problem}."),
        ))
    })
}

struct GuardFactory(Limits);

impl ExtensionFactory for GuardFactory {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Guard { limits: self.0, missing: Mutex::new(None) })
    }
}

/// One per request.
struct Guard {
    limits: Limits,
    missing: Mutex<Option<TransportError>>,
}

#[async_trait::async_trait]
impl Extension for Guard {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        // Others first: a persisted document replaces the text.
        let mut request = next.run(ctx, request).await?;
        check_text(&request.query, &self.limits)?;
        let (name, variables) = (request.operation_name.clone(), request.variables.clone());
        let document =
            request.parsed_query().map_err(|error| ErrorCode::GraphqlParseFailed.mark(error))?;
        check_weight(document, &self.limits)?;
        let (_, operation) = operation::select(document, name.as_deref())?;
        let missing = missing_variable(operation, &variables);
        *self.missing.lock().expect("no panic while held") = missing;
        Ok(request)
    }

    async fn parse_query(
        &self,
        ctx: &ExtensionContext<'_>,
        query: &str,
        variables: &Variables,
        next: NextParseQuery<'_>,
    ) -> ServerResult<ExecutableDocument> {
        next.run(ctx, query, variables)
            .await
            .map_err(|error| ErrorCode::GraphqlParseFailed.mark(error))
    }

    async fn validation(
        &self,
        ctx: &ExtensionContext<'_>,
        next: NextValidation<'_>,
    ) -> Result<ValidationResult, Vec<ServerError>> {
        let result = next
            .run(ctx)
            .await
            .map_err(|errors| errors.into_iter().map(from_validation).collect::<Vec<_>>())?;
        within(
            "COMPLEXITY_LIMIT",
            "points of complexity",
            result.complexity,
            self.limits.complexity,
        )
        .map_err(ServerError::from)?;
        if let Some(missing) = self.missing.lock().expect("no panic while held").take() {
            return Err(vec![missing.into()]);
        }
        if let Some(Admission(admitted)) = ctx.data_opt::<Admission>() {
            admitted.store(true, Ordering::Release);
        }
        Ok(result)
    }
}
