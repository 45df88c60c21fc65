//! `requestEvidence`: a bundle that a third party can check offline (GN-35).

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::audit::RequestEvidence;
use rollcall_domain::{
    Code, Refusal,
    audit::{EvidenceQuestion, ReportQuestion},
    values::{Npi, Reason},
};
use uuid::Uuid;

use super::{
    input,
    reports::{AuditReportName, AuditReportParameters, question},
};
use crate::{
    documents::bundle_path,
    graphql::{
        ids::NodeType,
        scalars::{DateTime, NpiScalar, Position},
        sending::{MutationMeta, payload, send},
    },
};

/// What is asked of the log; every field given must fit.
#[derive(Clone, Debug, Default, InputObject)]
pub struct EvidenceQuestionInput {
    /// Stored names of events, e.g. `permissions.membership.npi_permission_set`; all if not given.
    pub types: Option<Vec<String>>,
    /// The person who acted, or the machine's `ApiKey`.
    pub actor: Option<ID>,
    /// The person it was about.
    pub subject: Option<ID>,
    /// The organisation acted for or acted on.
    pub organization: Option<ID>,
    pub npi: Option<NpiScalar>,
    /// The review of access whose events they are: its opening, its list, what was decided, executed
    /// and signed (GN-15).
    pub access_review: Option<ID>,
    /// Recorded at or after.
    pub from: Option<DateTime>,
    /// Recorded before.
    pub to: Option<DateTime>,
}

/// A named report, as `auditReport` answers it.
#[derive(Debug, InputObject)]
pub struct EvidenceReportInput {
    pub name: AuditReportName,
    pub parameters: Option<AuditReportParameters>,
    /// Only what concerns this organisation.
    pub organization_id: Option<ID>,
}

/// Asks for evidence to take away.
#[derive(InputObject)]
pub struct RequestEvidenceInput {
    /// Which events; all, where neither this nor a report is asked for.
    pub question: Option<EvidenceQuestionInput>,
    /// A named report instead of events: its rows, and the events from which anybody computes them anew.
    pub report: Option<EvidenceReportInput>,
    /// Whom it is for; stands in the bundle.
    pub recipient: String,
    /// What it is for; stands in the bundle.
    pub purpose: String,
    /// The position of a checkpoint that the recipient holds: the bundle proves that the log
    /// continues it.
    pub since: Option<Position>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A bundle that may be fetched.
#[derive(Clone, Debug, SimpleObject)]
pub struct Evidence {
    pub id: Uuid,
    /// A path of this service: GET it with a session of whoever asked for it. A ZIP archive for
    /// `rollcall verify`; each time is on record.
    pub url: String,
    pub expires_at: DateTime,
}

payload! {
    /// The outcome of asking for evidence.
    RequestEvidencePayload { evidence: Evidence }
}

/// Evidence.
#[derive(Default)]
pub struct EvidenceMutation;

#[Object]
impl EvidenceMutation {
    /// Asks for the events that answer a question, with the proof that they are in the log, unaltered,
    /// and that no other event answers it; for auditors and administrators of the plan. Who is kept to
    /// some organisations names one of them, and is given its events with the proof that each is in
    /// the log, but none that these are all, since that would show other organisations' events.
    /// Refusals: FIELD_REQUIRED, REASON_REQUIRED, FIELD_TOO_LONG, RANGE_INVALID, NPI_INVALID, DATE_INVALID.
    async fn request_evidence(
        &self,
        ctx: &Context<'_>,
        input: RequestEvidenceInput,
    ) -> Result<RequestEvidencePayload> {
        let report = match input.report {
            Some(asked) if input.question.is_none() => {
                let parameters = asked.parameters.unwrap_or_default();
                let asked = (asked.name.into(), parameters, asked.organization_id);
                Ok(Some(Box::new(question(ctx, asked, None).await?.0)))
            }
            Some(_) => {
                let message = "Ask for events or for a report, not for both.";
                Err(Refusal::new(Code::FieldInvalid, message).at("report"))
            }
            None => Ok(None),
        };
        let asked = input.question.unwrap_or_default();
        let (to, purpose) = (&input.recipient, &input.purpose);
        let command = report.and_then(|report| command(asked, report, (to, purpose), input.since));
        let mut sent = send(ctx, input.meta, command).await?;
        let evidence = sent.output.take().map(|asked| Evidence {
            id: asked.evidence.0,
            url: bundle_path(asked.evidence.0),
            expires_at: asked.expires_at.into(),
        });
        Ok(RequestEvidencePayload::of(sent, evidence))
    }
}

fn command(
    asked: EvidenceQuestionInput,
    report: Option<Box<ReportQuestion>>,
    (recipient, purpose): (&str, &str),
    since: Option<Position>,
) -> std::result::Result<RequestEvidence, Refusal> {
    let npi = asked
        .npi
        .map(|npi| Npi::parse(&npi.0).map_err(|invalid| Refusal::from(invalid).at("question.npi")));
    let moment = |at: Option<DateTime>, field| at.map(|at| at.parse(field)).transpose();
    let text =
        |text: &str, field| Reason::parse(text).map_err(|invalid| Refusal::from(invalid).at(field));
    let subject = input::id(NodeType::User, asked.subject, "question.subject")?;
    let organization =
        input::id(NodeType::Organization, asked.organization, "question.organization")?;
    let access_review =
        input::id(NodeType::AccessReview, asked.access_review, "question.accessReview")?;
    let since =
        since.map(|Position(size)| match size {
            1.. => Ok(size),
            _ => Err(Refusal::new(Code::FieldInvalid, "A checkpoint has one event at least.")
                .at("since")),
        });
    Ok(RequestEvidence {
        question: EvidenceQuestion {
            types: asked.types.unwrap_or_default(),
            actor: asked.actor.map(|id| input::actor(id, "question.actor")).transpose()?,
            subject: subject.map(Into::into),
            organization: organization.map(Into::into),
            npi: npi.transpose()?,
            access_review: access_review.map(Into::into),
            from: moment(asked.from, "question.from")?,
            to: moment(asked.to, "question.to")?,
        },
        report,
        recipient: text(recipient, "recipient")?,
        purpose: text(purpose, "purpose")?,
        since: since.transpose()?,
    })
}
