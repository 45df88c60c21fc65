//! `importEnrolment`: the plan's file, in lines of structured input (GN-32).

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::organizations::{
    self, EnrolmentRow, ImportEnrolment, ImportOrigin, file_sha256,
};

use crate::graphql::{
    errors::UserError,
    ids::NodeType,
    sending::{MutationMeta, payload, send},
};

/// Up to 500 lines of the plan's file.
#[derive(Debug, InputObject)]
pub struct ImportEnrolmentInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    rows: Vec<EnrolmentRowInput>,
}

/// A line: an organisation, perhaps with one of its NPIs. Several lines may name one organisation.
#[derive(Debug, InputObject)]
pub struct EnrolmentRowInput {
    /// The line's number in its file; its place in `rows` if not given.
    line: Option<i32>,
    /// The plan's own number of the organisation; without one the tax id tells organisations apart.
    #[graphql(default)]
    reference: String,
    organization: String,
    /// `PROVIDER`, `SUBMITTER`, or both with a semicolon between.
    kinds: String,
    /// `EIN` or `SSN`.
    tax_id_type: String,
    #[graphql(secret)]
    tax_id: String,
    #[graphql(default)]
    pay_to_line1: String,
    #[graphql(default)]
    pay_to_line2: String,
    #[graphql(default)]
    pay_to_city: String,
    /// Two capital letters.
    #[graphql(default)]
    pay_to_state: String,
    #[graphql(default)]
    pay_to_zip: String,
    contact_email: String,
    /// `CONTRACTED` (also when blank), `NOT_CONTRACTED` or `TERMINATED`.
    #[graphql(default)]
    contract_status: String,
    /// Blank for a line without an NPI.
    #[graphql(default)]
    npi: String,
    /// The organisation's name when blank.
    #[graphql(default)]
    npi_name: String,
    #[graphql(default)]
    provider_type: String,
    #[graphql(default)]
    community: String,
}

impl From<EnrolmentRowInput> for EnrolmentRow {
    fn from(input: EnrolmentRowInput) -> Self {
        Self {
            reference: input.reference,
            organization: input.organization,
            kinds: input.kinds,
            tax_id_type: input.tax_id_type,
            tax_id: input.tax_id,
            pay_to_line1: input.pay_to_line1,
            pay_to_line2: input.pay_to_line2,
            pay_to_city: input.pay_to_city,
            pay_to_state: input.pay_to_state,
            pay_to_zip: input.pay_to_zip,
            contact_email: input.contact_email,
            contract_status: input.contract_status,
            npi: input.npi,
            npi_name: input.npi_name,
            provider_type: input.provider_type,
            community: input.community,
        }
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_commands::organizations::RowOutcome")]
pub enum EnrolmentOutcome {
    /// The organisation is new.
    Enrolled,
    /// Something differs from before and was recorded.
    Updated,
    /// Everything was on file already.
    Unchanged,
    /// Nothing of the line was recorded.
    Refused,
}

/// The result of one line.
#[derive(Clone, Debug, SimpleObject)]
pub struct EnrolmentResult {
    pub line: i32,
    pub outcome: EnrolmentOutcome,
    /// Absent when refused.
    pub organization_id: Option<ID>,
    /// Why it was refused; `field` is the column.
    pub error: Option<UserError>,
}

impl From<organizations::RowResult> for EnrolmentResult {
    fn from(result: organizations::RowResult) -> Self {
        Self {
            line: i32::try_from(result.line).unwrap_or(i32::MAX),
            outcome: result.outcome.into(),
            organization_id: result.organization.map(|id| NodeType::Organization.id(id)),
            error: result.refusal.map(UserError::from),
        }
    }
}

payload! {
    /// What became of an import: good lines are imported whatever the bad ones say.
    ImportEnrolmentPayload {
        /// One result per line, in their order.
        results: Vec<EnrolmentResult>,
    }
}

/// The enrolment's import (GN-32).
#[derive(Default)]
pub struct EnrolmentMutation;

#[Object]
impl EnrolmentMutation {
    /// Imports lines of the plan's enrolment file; the same lines again change nothing.
    async fn import_enrolment(
        &self,
        ctx: &Context<'_>,
        input: ImportEnrolmentInput,
    ) -> Result<ImportEnrolmentPayload> {
        let rows: Vec<(u32, EnrolmentRow)> = (1..)
            .zip(input.rows)
            .map(|(place, row)| {
                let line = row.line.and_then(|line| u32::try_from(line).ok()).unwrap_or(place);
                (line, row.into())
            })
            .collect();
        let command =
            ImportEnrolment { origin: ImportOrigin::Portal, file_sha256: file_sha256(&rows), rows };
        let mut sent = send(ctx, input.meta, Ok(command)).await?;
        let results =
            sent.output.take().map(|rows| rows.into_iter().map(EnrolmentResult::from).collect());
        Ok(ImportEnrolmentPayload::of(sent, results))
    }
}
