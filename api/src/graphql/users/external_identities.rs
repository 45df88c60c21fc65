//! Log-ins of partner systems (CX-11).

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Caller, Commands, Failure,
    users::{
        DistrustIssuer, LinkExternalIdentity, ShownIdentity, TrustIssuer, UnlinkExternalIdentity,
    },
};
use rollcall_domain::{
    kernel::ids::UserId, tenants::PlanRole, users::external_identity::TrustedIssuers,
};

use crate::graphql::{
    errors::fault,
    reading::{caller, read},
    scalars::DateTime,
    sending::{MutationMeta, payload, send},
};

/// A log-in of a partner system that counts as the person's own.
#[derive(Clone, Debug, SimpleObject)]
pub struct ExternalIdentity {
    /// As the partner's tokens name it.
    pub issuer: String,
    /// The partner's name; absent while the plan does not trust it, and then the log-in counts for
    /// nothing.
    pub name: Option<String>,
    /// Who the person is there.
    pub subject: Option<String>,
    pub linked_at: DateTime,
}

impl From<ShownIdentity> for ExternalIdentity {
    fn from(shown: ShownIdentity) -> Self {
        let ShownIdentity { issuer, name, subject, linked_at } = shown;
        Self { issuer, name, subject, linked_at: linked_at.into() }
    }
}

/// A person's log-ins of partner systems.
///
/// # Errors
/// A fault.
pub(in crate::graphql) async fn identities_of(
    commands: &Commands,
    caller: &Caller,
    user: UserId,
) -> Result<Vec<ExternalIdentity>> {
    match commands.external_identities(caller.tenant, user).await {
        Ok(shown) => Ok(shown.into_iter().map(Into::into).collect()),
        Err(Failure::Refused(error) | Failure::RefusedOnRecord(error)) => Err(fault(&error)),
        Err(Failure::Journal(error)) => Err(fault(&error)),
        Err(Failure::Database(error)) => Err(fault(&error)),
    }
}

/// A partner whose log-ins count.
#[derive(Clone, Debug, SimpleObject)]
pub struct TrustedIssuer {
    pub issuer: String,
    pub name: String,
    /// Whom its tokens have to be for.
    pub audience: String,
    /// Its public keys (RFC 7517), as JSON.
    pub key_set: String,
}

/// Questions about partners.
#[derive(Default)]
pub struct ExternalIdentityQuery;

#[Object]
impl ExternalIdentityQuery {
    /// The partners whose log-ins count, for the plan.
    async fn trusted_issuers(&self, ctx: &Context<'_>) -> Result<Vec<TrustedIssuer>> {
        const READERS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps, PlanRole::Au];
        drop(read(ctx, Access::Plan(READERS), None).await?);
        let (journal, tenant) = (&ctx.data::<Commands>()?.journal, caller(ctx)?.tenant);
        let stream = tenant.trusted_issuers_stream();
        let state = journal.load_fresh::<TrustedIssuers>(tenant, stream).await;
        let state = state.map_err(|error| fault(&error))?.state;
        let shown = state.iter().map(|(issuer, trusted)| TrustedIssuer {
            issuer: issuer.to_owned(),
            name: trusted.name.clone(),
            audience: trusted.audience.clone(),
            key_set: trusted.key_set.clone(),
        });
        Ok(shown.collect())
    }
}

/// A partner to trust.
#[derive(InputObject)]
pub struct TrustIssuerInput {
    /// As the partner's tokens name it: an https address.
    pub issuer: String,
    /// As people know it.
    pub name: String,
    /// Whom its tokens have to be for.
    pub audience: String,
    /// Its public keys: a JSON Web Key Set, as text.
    pub key_set: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A partner to trust no more.
#[derive(InputObject)]
pub struct DistrustIssuerInput {
    pub issuer: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A log-in to link.
#[derive(InputObject)]
pub struct LinkExternalIdentityInput {
    /// A JWT that the partner signed for this portal.
    #[graphql(secret)]
    pub token: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A log-in to unlink.
#[derive(InputObject)]
pub struct UnlinkExternalIdentityInput {
    pub issuer: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of trusting a partner.
    TrustIssuerPayload {}
}
payload! {
    /// The outcome of trusting a partner no more.
    DistrustIssuerPayload {}
}
payload! {
    /// The outcome of linking a log-in; read it with `me`.
    LinkExternalIdentityPayload {}
}
payload! {
    /// The outcome of unlinking a log-in.
    UnlinkExternalIdentityPayload {}
}

/// Partners and their log-ins.
#[derive(Default)]
pub struct ExternalIdentityMutation;

#[Object]
impl ExternalIdentityMutation {
    /// Counts log-ins of a partner, for plan administrators; sent again it replaces name, audience
    /// and keys.
    async fn trust_issuer(
        &self,
        ctx: &Context<'_>,
        input: TrustIssuerInput,
    ) -> Result<TrustIssuerPayload> {
        let TrustIssuerInput { issuer, name, audience, key_set, meta } = input;
        let command = TrustIssuer { issuer, name, audience, key_set };
        Ok(TrustIssuerPayload::of(send(ctx, meta, Ok(command)).await?))
    }

    /// Counts log-ins of a partner no more, for plan administrators.
    async fn distrust_issuer(
        &self,
        ctx: &Context<'_>,
        input: DistrustIssuerInput,
    ) -> Result<DistrustIssuerPayload> {
        let command = DistrustIssuer { issuer: input.issuer };
        Ok(DistrustIssuerPayload::of(send(ctx, input.meta, Ok(command)).await?))
    }

    /// Links the caller's log-in of a partner by a token of that partner. Refusals:
    /// ISSUER_NOT_TRUSTED, TOKEN_INVALID, TOKEN_EXPIRED, ALREADY_ASSIGNED.
    async fn link_external_identity(
        &self,
        ctx: &Context<'_>,
        input: LinkExternalIdentityInput,
    ) -> Result<LinkExternalIdentityPayload> {
        let command = LinkExternalIdentity { token: input.token };
        Ok(LinkExternalIdentityPayload::of(send(ctx, input.meta, Ok(command)).await?))
    }

    /// Unlinks the caller's log-in of a partner.
    async fn unlink_external_identity(
        &self,
        ctx: &Context<'_>,
        input: UnlinkExternalIdentityInput,
    ) -> Result<UnlinkExternalIdentityPayload> {
        let command = UnlinkExternalIdentity { issuer: input.issuer };
        Ok(UnlinkExternalIdentityPayload::of(send(ctx, input.meta, Ok(command)).await?))
    }
}
