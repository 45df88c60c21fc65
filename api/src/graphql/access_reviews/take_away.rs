//! `exportAccessReview`: a review as a file to be filed (GN-15). Invariant: it is given to whom the whole
//! review is shown.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use rollcall_commands::{Commands, access_reviews::ExportAccessReview};
use rollcall_domain::{Refusal, api_keys::Scope, audit::ExportFormat, kernel::ids::AccessReviewId};

use super::whose::{send_of, whose};
use crate::{
    documents::Holds,
    graphql::{
        audit::{AuditExport, link, viewer},
        ids::NodeType,
        sending::{MutationMeta, payload},
    },
};

/// How a review is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AccessReviewFileFormat {
    /// A line an item (RFC 4180), with a header. Cells that a spreadsheet would take for a formula begin
    /// with an apostrophe.
    Csv,
    /// Everything, from which the hashes of list and results are computed again.
    Json,
    /// A document to be filed.
    Pdf,
}

impl From<AccessReviewFileFormat> for ExportFormat {
    fn from(format: AccessReviewFileFormat) -> Self {
        match format {
            AccessReviewFileFormat::Csv => Self::Csv,
            AccessReviewFileFormat::Json => Self::Json,
            AccessReviewFileFormat::Pdf => Self::Pdf,
        }
    }
}

/// Which review, and how.
#[derive(Debug, InputObject)]
pub struct ExportAccessReviewInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    /// Whose review it is; left out where it is of the plan's own people.
    organization_id: Option<ID>,
    access_review_id: ID,
    format: AccessReviewFileFormat,
}

payload! {
    /// Where the file is.
    ExportAccessReviewPayload { audit_export: AuditExport }
}

/// Reviews as files.
#[derive(Default)]
pub struct AccessReviewFileMutation;

#[Object]
impl AccessReviewFileMutation {
    /// Gives a review as a file (GN-15), for administrators of the organization, plan staff and auditors: one
    /// that is signed or cancelled as it ended, any other as it stands when it is fetched, and it says that it is
    /// not signed. Who asked for it, and each file that was given with its SHA-256, is on record.
    /// Refusals: NOT_FOUND, NOT_ORG_ADMIN.
    async fn export_access_review(
        &self,
        ctx: &Context<'_>,
        input: ExportAccessReviewInput,
    ) -> Result<ExportAccessReviewPayload> {
        let (commands, caller) = (ctx.data::<Commands>()?, viewer::caller(ctx)?);
        let named = input.organization_id.as_ref();
        let (organization, format) = (whose(named, caller.tenant), input.format.into());
        let asked = organization.as_ref().ok().copied();
        let right = viewer::choose(commands, caller, asked, Scope::ReadAccess).await?;
        let command = organization.and_then(|organization| {
            Ok(ExportAccessReview {
                reader: right.reader(),
                organization,
                review: review(&input.access_review_id)?,
                format,
            })
        });
        let sent = send_of(ctx, input.meta, command, named).await?;
        let export = sent.output.map(|asked| link(commands, (Holds::Review, format), asked));
        Ok(ExportAccessReviewPayload::of(sent, export))
    }
}

fn review(id: &ID) -> std::result::Result<AccessReviewId, Refusal> {
    NodeType::AccessReview.parse(id, "accessReviewId")
}
