//! `reportRightUse`: external systems say which rights people used in them (GN-16).

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::permissions::right_use::{ReportRightUse, ReportedUse};
use rollcall_domain::{Refusal, permissions::right_use::UsedRight, values::Npi};

use crate::graphql::{
    access_register::AccessRight,
    ids::NodeType,
    scalars::{Date, NpiScalar},
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// A right that a person used in an external system.
#[derive(InputObject)]
pub struct ReportedRightUse {
    pub user_id: ID,
    pub right: AccessRight,
    /// For rights to an NPI.
    pub npi: Option<NpiScalar>,
    /// Of a correspondence type or feature its word, of a job role, location or tax id its id.
    pub of: Option<String>,
    /// A day of the portal's time zone, today at the latest.
    pub on: Date,
}

/// What people used.
#[derive(InputObject)]
pub struct ReportRightUseInput {
    pub organization_id: ID,
    /// 1 to 100.
    pub uses: Vec<ReportedRightUse>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl ReportedRightUse {
    fn used(&self) -> Result<ReportedUse, Refusal> {
        let npi = self.npi.as_ref().map(|npi| Npi::parse(&npi.0)).transpose();
        Ok(ReportedUse {
            user: NodeType::User.parse(&self.user_id, "userId")?,
            right: UsedRight::reported(self.right.into(), field("npi", npi)?, self.of.as_deref())?,
            day: self.on.parse("on")?.into(),
        })
    }
}

impl ReportRightUseInput {
    fn command(&self) -> Result<ReportRightUse, Refusal> {
        let organization = NodeType::Organization.parse(&self.organization_id, "organizationId")?;
        let used = |(index, used): (usize, &ReportedRightUse)| {
            used.used().map_err(|refusal| {
                let field = format!("uses.{index}.{}", refusal.field.join("."));
                refusal.at(&field)
            })
        };
        let uses = self.uses.iter().enumerate().map(used).collect::<Result<_, _>>()?;
        Ok(ReportRightUse { organization, uses })
    }
}

payload! {
    /// The outcome of a report.
    ReportRightUsePayload {
        /// How many of the uses were news: later than the last one known of the right.
        recorded: i32,
    }
}

/// Reports of external systems.
#[derive(Default)]
pub struct RightUseMutation;

#[Object]
impl RightUseMutation {
    /// Tells which rights people used in an external system, by an API key with the scope
    /// REPORT_RIGHT_USE. Refusals: FORBIDDEN, NOT_FOUND, DATE_INVALID, FIELD_REQUIRED,
    /// FIELD_INVALID, NPI_INVALID.
    async fn report_right_use(
        &self,
        ctx: &Context<'_>,
        input: ReportRightUseInput,
    ) -> Result<ReportRightUsePayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let recorded = sent.output.map(|recorded| i32::try_from(recorded).unwrap_or(i32::MAX));
        Ok(ReportRightUsePayload::of(sent, recorded))
    }
}
