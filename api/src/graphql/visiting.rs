//! How a visitor's query reads: what a token or an unguessable id opens is answered from its stream.
//!
//! Invariant: nothing but what the token or id is for is ever read this way.

use async_graphql::{Context, Result};
use rollcall_commands::{Caller, Commands, Failure, authorization::not_signed_in};
use rollcall_domain::Code;

use super::errors::{fault, top_level};

/// A visitor, or somebody signed in, of one tenant.
pub struct Visit<'a> {
    pub commands: &'a Commands,
    pub caller: &'a Caller,
}

impl<'a> Visit<'a> {
    /// The request's caller.
    ///
    /// # Errors
    /// UNAUTHENTICATED when the request names no tenant.
    pub fn of(ctx: &Context<'a>) -> Result<Self> {
        let caller = ctx.data_opt::<Caller>().ok_or_else(|| top_level(not_signed_in()))?;
        Ok(Self { commands: ctx.data::<Commands>()?, caller })
    }
}

/// What was found; `None` for an id that leads nowhere.
///
/// # Errors
/// Every other refusal, or a fault.
pub fn absent<T>(found: Result<T, Failure>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
            if refusal.code == Code::NotFound { Ok(None) } else { Err(top_level(refusal)) }
        }
        Err(Failure::Journal(error)) => Err(fault(&error)),
        Err(Failure::Database(error)) => Err(fault(&error)),
    }
}
