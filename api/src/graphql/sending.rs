//! How a mutation sends its command: one path for idempotency, refusals and positions.

use async_graphql::{Context, InputObject, Result};
use rollcall_commands::{
    Command, Commands, DispatchError, Entity, IdempotencyKey, Seen,
    authorization::{not_signed_in, out_of_scope},
};
use rollcall_domain::Refusal;
use serde_json::Value;

use super::{
    errors::{UserError, dispatch_error, is_authentication, top_level},
    reading::{RequestView, caller},
    scalars::Position,
};

/// What every mutation's input carries besides the command's own fields.
#[derive(Clone, Debug, Default, InputObject)]
pub struct MutationMeta {
    /// Repeating a command with the same key and input takes effect once (GN-28).
    pub idempotency_key: Option<String>,
    /// Echoed back (Relay).
    pub client_mutation_id: Option<String>,
}

/// What became of a command.
pub struct Sent<T> {
    /// `None` when refused.
    pub output: Option<T>,
    pub position: Option<Position>,
    pub client_mutation_id: Option<String>,
    pub user_errors: Vec<UserError>,
}

/// Sends the command, or answers why its input made none.
///
/// # Errors
/// Only top-level errors: who is calling, or a fault of the service.
pub async fn send<C: Command>(
    ctx: &Context<'_>,
    meta: MutationMeta,
    command: Result<C, Refusal>,
) -> Result<Sent<C::Output>> {
    let commands = ctx.data::<Commands>()?;
    let caller = caller(ctx)?;
    let key = meta
        .idempotency_key
        .map(|key| IdempotencyKey { fingerprint: fingerprint(ctx, commands), key });
    reset(ctx).await?;
    let outcome = match command {
        // On the heap: the future of a command would otherwise be part of every resolver's.
        Ok(command) => Box::pin(commands.dispatch(caller, key.as_ref(), &command)).await,
        // Who is calling comes first: a visitor or a machine learns nothing about the validity of an input.
        Err(_) if !C::FOR_VISITORS && caller.is_visitor() => Err(not_signed_in().into()),
        Err(_) if C::SCOPE.is_none() && caller.key().is_some() => Err(out_of_scope().into()),
        Err(refusal) => Err(refusal.into()),
    };
    let mut sent = Sent {
        output: None,
        position: None,
        client_mutation_id: meta.client_mutation_id,
        user_errors: Vec::new(),
    };
    match outcome {
        Ok(receipt) => {
            sent.position = Some(Position(receipt.position));
            sent.output = Some(receipt.output);
        }
        Err(DispatchError::Refused(refusal)) if is_authentication(&refusal) => {
            return Err(top_level(refusal));
        }
        Err(DispatchError::Refused(refusal)) => sent.user_errors.push(refusal.into()),
        Err(fault @ DispatchError::Fault(_)) => return Err(dispatch_error(fault)),
    }
    Ok(sent)
}

/// The keyed hash of a mutation's input.
pub fn fingerprint(ctx: &Context<'_>, commands: &Commands) -> [u8; 32] {
    commands.journal.secrets().fingerprint(input(ctx).to_string().as_bytes())
}

/// Lets go of what was read before a command, so that what is read after it shows its effect.
///
/// # Errors
/// The request has no view.
pub async fn reset(ctx: &Context<'_>) -> Result<()> {
    ctx.data::<std::sync::Arc<RequestView>>()?.reset().await;
    Ok(())
}

/// Ties a command to the version of what it changes that the client saw (GN-28).
///
/// # Errors
/// Those of the input.
pub fn as_seen<C: Command>(
    command: Result<C, Refusal>,
    expected_version: Option<i32>,
    entity: impl FnOnce(&C) -> Entity,
) -> Result<Seen<C>, Refusal> {
    command.map(|command| {
        let (entity, version) = (entity(&command), expected_version.map(i64::from));
        Seen { command, entity, version }
    })
}

/// The mutation's input as sent, without what does not make the command another one.
fn input(ctx: &Context<'_>) -> Value {
    let arguments = ctx.field().arguments().unwrap_or_default();
    let mut input = arguments
        .into_iter()
        .find(|(name, _)| name == "input")
        .and_then(|(_, value)| value.into_json().ok())
        .unwrap_or_default();
    if let Value::Object(fields) = &mut input {
        fields.remove("clientMutationId");
        fields.remove("idempotencyKey");
        fields.sort_keys();
    }
    input
}

/// Declares a mutation's payload: the entity (nullable, absent when refused), `position`,
/// `clientMutationId` and `userErrors`, and how it is made of what was sent.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// The tenant position that holds the effect; pass it as `minPosition`.
            pub position: Option<$crate::graphql::scalars::Position>,
            pub client_mutation_id: Option<String>,
            /// Why it was refused; empty when it was done.
            pub user_errors: Vec<$crate::graphql::errors::UserError>,
        }

        impl $name {
            /// Builds the payload from what was sent and the entities read back.
            pub fn of<T>(sent: $crate::graphql::sending::Sent<T> $(, $field: Option<$type>)*) -> Self {
                Self {
                    $($field,)*
                    position: sent.position,
                    client_mutation_id: sent.client_mutation_id,
                    user_errors: sent.user_errors,
                }
            }
        }
    };
}
pub(crate) use payload;
