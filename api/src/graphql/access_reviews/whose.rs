//! Whose review a mutation is about: an organisation's, or where none is named the plan's own (GN-15).
//!
//! Invariant: who names no organisation and has no part in the plan is told to name one, and learns nothing else.

use async_graphql::{Context, ID, Result};
use rollcall_commands::Command;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OrganizationId, TenantId},
};

use crate::graphql::{
    ids::NodeType,
    sending::{MutationMeta, Sent, send},
};

/// The organisation that was named, or the plan itself.
///
/// # Errors
/// `NOT_FOUND`.
pub(super) fn whose(
    id: Option<&ID>,
    tenant: TenantId,
) -> std::result::Result<OrganizationId, Refusal> {
    match id {
        Some(id) => NodeType::Organization.parse(id, "organizationId"),
        None => Ok(tenant.plan_itself()),
    }
}

/// As [`send`], of a command about the review of whom was named.
///
/// # Errors
/// As [`send`].
pub(super) async fn send_of<C: Command>(
    ctx: &Context<'_>,
    meta: MutationMeta,
    command: std::result::Result<C, Refusal>,
    named: Option<&ID>,
) -> Result<Sent<C::Output>> {
    let mut sent = send(ctx, meta, command).await?;
    for error in &mut sent.user_errors {
        if is_unnamed(error.code.0, &error.field, named) {
            *error = name_it().into();
        }
    }
    Ok(sent)
}

/// What is refused, to whom it may say so.
pub(super) fn told(refusal: Refusal, named: Option<&ID>) -> Refusal {
    if is_unnamed(refusal.code, &refusal.field, named) { name_it() } else { refusal }
}

fn is_unnamed(code: Code, field: &[String], named: Option<&ID>) -> bool {
    named.is_none() && code == Code::NotFound && field == ["organizationId"]
}

fn name_it() -> Refusal {
    let message = "Name the organization. Without one it is a review of the health plan's own people, which \
                   its administrators hold.";
    Refusal::new(Code::FieldRequired, message).at("organizationId")
}
