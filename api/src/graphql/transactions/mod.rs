//! Transaction Services in the schema: options for an NPI and the hand-off (MC-38).

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Caller, Commands, Failure,
    authorization::not_signed_in,
    transactions::{RedeemTransactionHandoff, StartTransactionHandoff},
};
use rollcall_domain::{
    Refusal, kernel::ids::OrganizationId, transactions::TransactionOption as OptionState,
    values::Npi,
};

use super::{
    errors::{fault, top_level},
    ids::NodeType,
    reading::caller,
    scalars::{DateTime, NpiScalar},
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// Where the portal is found; the issuer of its tokens.
#[derive(Clone)]
pub struct PublicUrl(pub Arc<str>);

/// Whether a transaction counts (ISA15).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::transactions::TransactionUsage")]
pub enum TransactionUsage {
    /// It counts.
    Production,
    /// The plan tests it; nothing of it counts.
    Test,
}

/// A transaction on offer for an NPI.
#[derive(Clone, Debug, SimpleObject)]
pub struct TransactionOption {
    /// A code such as `837P`.
    #[graphql(name = "type")]
    pub kind: String,
    pub usage: TransactionUsage,
    /// The provider that it is done for.
    pub provider_id: ID,
}

impl From<OptionState> for TransactionOption {
    fn from(option: OptionState) -> Self {
        Self {
            kind: option.kind.code().to_owned(),
            usage: option.usage.into(),
            provider_id: NodeType::Organization.id(option.provider),
        }
    }
}

/// Goes on to Transaction Services with an NPI.
#[derive(InputObject)]
pub struct StartTransactionHandoffInput {
    pub organization_id: ID,
    pub npi: NpiScalar,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Takes somebody in; sent by Transaction Services.
#[derive(InputObject)]
pub struct RedeemTransactionHandoffInput {
    /// What the person brought.
    #[graphql(secret)]
    pub token: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// A hand-off to Transaction Services.
    StartTransactionHandoffPayload {
        /// A JWT signed by a key of `/.well-known/jwks.json`; it serves once.
        token: String,
        /// Before when it has to be redeemed.
        expires_at: DateTime,
        /// What the person may do there.
        options: Vec<TransactionOption>,
    }
}

payload! {
    /// Who was handed over, and for what.
    RedeemTransactionHandoffPayload {
        user_id: ID,
        organization_id: ID,
        npi: NpiScalar,
        /// What the person may do; what was taken away since the hand-off is not among it.
        options: Vec<TransactionOption>,
    }
}

/// Questions about transactions.
#[derive(Default)]
pub struct TransactionQuery;

#[Object]
impl TransactionQuery {
    /// What the caller may do in Transaction Services for an NPI; nothing at all is
    /// NPI_NOT_PERMITTED.
    async fn transaction_options(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        npi: NpiScalar,
    ) -> Result<Vec<TransactionOption>> {
        let (organization, npi) = target(&organization_id, &npi).map_err(top_level)?;
        let (commands, caller): (&Commands, &Caller) = (ctx.data::<Commands>()?, caller(ctx)?);
        if caller.user().is_none() {
            return Err(top_level(not_signed_in()));
        }
        match Box::pin(commands.transaction_options(caller, organization, &npi)).await {
            Ok(options) => Ok(options.into_iter().map(Into::into).collect()),
            Err(Failure::Refused(refusal) | Failure::RefusedOnRecord(refusal)) => {
                Err(top_level(refusal))
            }
            Err(Failure::Journal(error)) => Err(fault(&error)),
            Err(Failure::Database(error)) => Err(fault(&error)),
        }
    }
}

/// Hand-offs.
#[derive(Default)]
pub struct TransactionMutation;

#[Object]
impl TransactionMutation {
    /// Hands the caller over to Transaction Services for an NPI. Refusals: NPI_NOT_PERMITTED,
    /// FEATURE_DISABLED.
    async fn start_transaction_handoff(
        &self,
        ctx: &Context<'_>,
        input: StartTransactionHandoffInput,
    ) -> Result<StartTransactionHandoffPayload> {
        let issuer = Arc::clone(&ctx.data::<PublicUrl>()?.0);
        let command = target(&input.organization_id, &input.npi)
            .map(|(organization, npi)| StartTransactionHandoff { organization, npi, issuer });
        let mut sent = send(ctx, input.meta, command).await?;
        let Some(issued) = sent.output.take() else {
            return Ok(StartTransactionHandoffPayload::of(sent, None, None, None));
        };
        let options = issued.options.into_iter().map(Into::into).collect();
        Ok(StartTransactionHandoffPayload::of(
            sent,
            Some(issued.token),
            Some(issued.expires_at.into()),
            Some(options),
        ))
    }

    /// Takes a hand-off, for Transaction Services. Refusals: HANDOFF_INVALID, HANDOFF_EXPIRED,
    /// HANDOFF_USED, NPI_NOT_PERMITTED.
    async fn redeem_transaction_handoff(
        &self,
        ctx: &Context<'_>,
        input: RedeemTransactionHandoffInput,
    ) -> Result<RedeemTransactionHandoffPayload> {
        let command = RedeemTransactionHandoff { token: input.token };
        let mut sent = send(ctx, input.meta, Ok(command)).await?;
        let Some(taken) = sent.output.take() else {
            return Ok(RedeemTransactionHandoffPayload::of(sent, None, None, None, None));
        };
        let options = taken.options.into_iter().map(Into::into).collect();
        Ok(RedeemTransactionHandoffPayload::of(
            sent,
            Some(NodeType::User.id(taken.user)),
            Some(NodeType::Organization.id(taken.organization)),
            Some(NpiScalar::from(&taken.npi)),
            Some(options),
        ))
    }
}

fn target(organization: &ID, npi: &NpiScalar) -> Result<(OrganizationId, Npi), Refusal> {
    let organization = NodeType::Organization.parse(organization, "organizationId")?;
    Ok((organization, field("npi", Npi::parse(&npi.0))?))
}
