//! Refusals as clients see them: `userErrors` in mutations, top-level errors in queries.
//!
//! Invariant: `extensions.code` comes from the transport's closed list; the catalogue's own code
//! stands in `extensions.reason`.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, Error, ErrorExtensions, OutputType, Positioned, ServerResult,
    SimpleObject, Value, parser::types::Field, registry,
};
use rollcall_commands::DispatchError;
use rollcall_domain::{Code, Refusal};

use super::scalars::DateTime;
use crate::http::ErrorCode as TopLevel;

/// A refusal by the domain; nothing has changed.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// The stable code.
    pub code: UserErrorCode,
    /// One sentence that says what to do.
    pub message: String,
    /// Path of the input field at fault; empty when it is none's.
    pub field: Vec<String>,
    /// Key of the help page for this code.
    pub help_key: String,
    /// When trying again makes sense, if that is known.
    pub retry_at: Option<DateTime>,
    /// What else the code names, e.g. the password rules violated.
    pub details: Vec<String>,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: UserErrorCode(refusal.code),
            message: refusal.message,
            field: refusal.field,
            help_key: refusal.code.help_key(),
            retry_at: refusal.retry_at.map(DateTime::from),
            details: refusal.details,
        }
    }
}

/// The catalogue's codes as a GraphQL enum, taken from the domain's list so that the two cannot
/// drift apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserErrorCode(pub Code);

impl OutputType for UserErrorCode {
    fn type_name() -> Cow<'static, str> {
        "UserErrorCode".into()
    }

    fn create_type_info(registry: &mut registry::Registry) -> String {
        registry.create_output_type::<Self, _>(registry::MetaTypeId::Enum, |_| {
            registry::MetaType::Enum {
                name: "UserErrorCode".into(),
                description: Some("Stable refusal codes (requirements, section 6).".into()),
                enum_values: Code::ALL.iter().map(|code| meta_value(code.as_str())).collect(),
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: Some(std::any::type_name::<Self>()),
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            }
        })
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::Enum(async_graphql::Name::new(self.0.as_str())))
    }
}

fn meta_value(name: &str) -> (String, registry::MetaEnumValue) {
    let value = registry::MetaEnumValue {
        name: name.into(),
        description: None,
        deprecation: registry::Deprecation::NoDeprecated,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        directive_invocations: Vec::new(),
    };
    (name.to_owned(), value)
}

/// A refusal outside a mutation's payload: a query's, or one of authentication.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "every other code is about the input")]
pub fn top_level(refusal: Refusal) -> Error {
    let code = match refusal.code {
        Code::NotSignedIn
        | Code::SessionEnded
        | Code::SessionExpired
        | Code::ApiKeyRevoked
        | Code::ApiKeyExpired => TopLevel::Unauthenticated,
        Code::Forbidden
        | Code::NotOrgAdmin
        | Code::NotAMember
        | Code::NpiNotPermitted
        | Code::FeatureNotGranted
        | Code::NotCounterparty
        | Code::NotContracted
        | Code::OrganizationNotSelected
        | Code::PasswordChangeRequired
        | Code::PasswordExpired
        | Code::SecondFactorRequired
        | Code::TenantInactive => TopLevel::Forbidden,
        Code::NotFound => TopLevel::NotFound,
        Code::RateLimited => TopLevel::RateLimited,
        _ => TopLevel::BadUserInput,
    };
    let reason = refusal.code.as_str();
    Error::new(refusal.message).extend_with(|_, extensions| {
        extensions.set("code", code.as_str());
        extensions.set("reason", reason);
        if !refusal.field.is_empty() {
            extensions.set("field", refusal.field.clone());
        }
    })
}

/// Whether a refusal is about who is calling rather than about the command.
#[must_use]
pub fn is_authentication(refusal: &Refusal) -> bool {
    matches!(
        refusal.code,
        Code::NotSignedIn
            | Code::SessionEnded
            | Code::SessionExpired
            | Code::ApiKeyRevoked
            | Code::ApiKeyExpired
    )
}

/// A fault of the service: logged here, opaque outside.
#[must_use]
pub fn fault(error: &dyn std::fmt::Display) -> Error {
    tracing::error!(%error, "the request failed");
    Error::new("The service could not answer. Try again; if it persists, quote the request id.")
        .extend_with(|_, extensions| extensions.set("code", TopLevel::InternalServerError.as_str()))
}

/// The top-level form of whatever dispatch answered.
#[must_use]
pub fn dispatch_error(error: DispatchError) -> Error {
    match error {
        DispatchError::Refused(refusal) => top_level(refusal),
        DispatchError::Fault(text) => fault(&text),
    }
}
