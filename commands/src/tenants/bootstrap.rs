//! The way in on an empty database: the operations tenant and the link for its first operator.
//!
//! Invariant: the link works until an operator exists and never afterwards; whoever can start the
//! service can derive it again, nobody else can.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal, Sealed,
    kernel::ids::{SubjectId, TenantId},
    policies::{PolicyCommand, PolicyHistory, PolicyKey, PolicyValue, Preset},
    tenants::{Tenant, TenantCommand},
    values::{OrganizationName, Reason, Slug},
};
use rollcall_journal::{Journal, JournalError};
use uuid::Uuid;

use crate::{
    Access, Caller, Command, Commands, Context, DispatchError, Failure, links::LinkPurpose,
};

/// The reservation that the first operator takes: there is one, once.
pub(super) const FIRST_OPERATOR: &str = "first_operator";

/// Makes the operations tenant where it is missing and gives the link by which the first operator
/// registers; `None` once there is one. Repeatable.
///
/// # Errors
/// The database did not answer.
pub async fn bootstrap(
    commands: &Commands,
    public_url: &str,
) -> Result<Option<String>, DispatchError> {
    let caller = Caller::system(TenantId::OPERATIONS, Uuid::now_v7(), None);
    commands.dispatch(&caller, None, &OpenOperations).await?;
    if has_operator(&commands.journal).await? {
        return Ok(None);
    }
    Ok(Some(LinkPurpose::FirstOperator.url(public_url, &token(&commands.journal))))
}

/// Whether the first operator has registered.
pub(super) async fn has_operator(journal: &Journal) -> Result<bool, JournalError> {
    Ok(journal.owner_of(TenantId::OPERATIONS, FIRST_OPERATOR, "").await?.is_some())
}

/// The secret part of the link.
pub(super) fn token(journal: &Journal) -> String {
    LinkPurpose::FirstOperator.token(journal.secrets(), TenantId::OPERATIONS.0)
}

/// Opens the tenant in which operators live, with the hardened preset.
struct OpenOperations;

#[async_trait]
impl Command for OpenOperations {
    const NAME: &'static str = "OpenOperations";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let tenant = TenantId::OPERATIONS;
        if cx.load::<Tenant>(tenant.0).await?.profile().is_some() {
            return Ok(());
        }
        let create = TenantCommand::CreateTenant {
            tenant,
            slug: Slug::parse(TenantId::OPERATIONS_SLUG).map_err(Refusal::from)?,
            name: OrganizationName::parse("Operations").map_err(Refusal::from)?,
            preset: Preset::Hardened,
            administrators_required: 1,
        };
        cx.decide::<Tenant>(tenant.0, create).await?;
        let begin = "The operations tenant begins with the hardened rules.";
        apply(
            cx,
            |reason| PolicyCommand::ApplyPreset {
                preset: Preset::Hardened,
                effective_at: None,
                reason,
            },
            begin,
        )
        .await?;
        // The hardened preset asks for an authenticator app at sign-in. Who sets the service up has
        // none at hand and nobody who could help, so the long password stands alone here.
        let alone = "Operators set the service up before they have a second factor.";
        for (key, value) in [
            (PolicyKey::OtpStepUpActions, PolicyValue::Words(Vec::new())),
            (PolicyKey::ResetBy, PolicyValue::Text("LINK".to_owned())),
            (PolicyKey::OtpEnabled, PolicyValue::Boolean(false)),
        ] {
            apply(
                cx,
                |reason| PolicyCommand::ChangePolicy { key, value, effective_at: None, reason },
                alone,
            )
            .await?;
        }
        Ok(())
    }
}

async fn apply(
    cx: &mut Context<'_>,
    command: impl FnOnce(Sealed<Reason>) -> PolicyCommand,
    reason: &str,
) -> Result<(), Failure> {
    let tenant = cx.tenant();
    let reason = Reason::parse(reason).map_err(Refusal::from)?;
    let command = command(Sealed::new(SubjectId(tenant.0), reason));
    cx.decide::<PolicyHistory>(tenant.policy_stream(), command).await?;
    Ok(())
}
