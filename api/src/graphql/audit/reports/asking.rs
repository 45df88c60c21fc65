//! From arguments to a question. Invariant: what somebody may see is part of the question, so that its
//! rows are theirs whoever computes them; a moment before the records is refused.

use std::collections::BTreeSet;

use async_graphql::{Context, ID, InputObject, Result};
use chrono::{DateTime as Instant, Utc};
use rollcall_commands::{Authority, Commands, audit::REPORT_READERS, authorization::forbidden};
use rollcall_domain::{
    Code, Refusal,
    api_keys::Scope,
    audit::{ReportName, ReportParameter, ReportQuestion},
    kernel::ids::OrganizationId,
    values::Npi,
};
use rollcall_projections::{Snapshot, audit_timeline::Viewer, reports};
use uuid::Uuid;

use crate::graphql::{
    access_register::Records,
    audit::viewer::{self, Looking},
    errors::{fault, top_level},
    ids::NodeType,
    reading::{Reading, policy, within},
    scalars::{DateTime, NpiScalar, Position},
};

/// What a report is asked with; `auditReports` says which report takes what.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AuditReportParameters {
    /// True then; now if not given.
    pub as_of: Option<DateTime>,
    /// Known then: no event after this position counts.
    pub as_of_position: Option<Position>,
    /// Recorded, or held, at or after.
    pub from: Option<DateTime>,
    /// Recorded, or held, before.
    pub to: Option<DateTime>,
    pub npi: Option<NpiScalar>,
    /// Days without sign-in; 90 if not given.
    pub days: Option<i32>,
    /// From how many hours on disabling took too long; 24 if not given.
    pub limit_hours: Option<i32>,
    /// One rule of segregation of duties; all in force if not given.
    pub rule_id: Option<Uuid>,
}

/// Which organisations somebody gets reports of.
#[derive(Clone, Debug)]
pub struct Reach {
    /// `None` for the whole plan.
    within: Option<BTreeSet<OrganizationId>>,
    /// Whether the records' own readers are shown.
    of_plan: bool,
}

impl Reach {
    /// What the viewer may ask for.
    ///
    /// # Errors
    /// FORBIDDEN for whoever neither audits, nor administers the plan or an organisation.
    pub fn of(looking: &Looking, authority: &Authority) -> Result<Self, Refusal> {
        let of_plan = |within: Option<Vec<Uuid>>| {
            let within = within.map(|ids| ids.into_iter().map(OrganizationId).collect());
            Ok(Self { within, of_plan: true })
        };
        match looking.viewer {
            Viewer::Auditor
            | Viewer::PlanAdministrator
            | Viewer::RecordsOfficer
            | Viewer::PlanSupport => {
                // A machine of the plan sees what its administrators do.
                if authority.person().is_err() {
                    return of_plan(None);
                }
                let holds = |role| authority.plan_roles.contains_key(role);
                if !REPORT_READERS.iter().any(holds) {
                    return Err(forbidden());
                }
                of_plan(within(authority, REPORT_READERS))
            }
            Viewer::OrgAdmin { organization, .. } | Viewer::OrganizationKey(organization) => {
                Ok(Self { within: Some([organization].into()), of_plan: false })
            }
            Viewer::Person(_) => Err(forbidden()),
        }
    }

    /// Whether a report is one for them.
    #[must_use]
    pub fn shows(&self, report: ReportName) -> bool {
        self.of_plan || report != ReportName::AuditReads
    }

    /// Whether a question asked before asks for no more than they may see.
    #[must_use]
    pub fn covers(&self, question: &ReportQuestion) -> bool {
        let inside = |within: &BTreeSet<OrganizationId>| {
            question.within.as_ref().is_some_and(|asked| asked.is_subset(within))
        };
        self.shows(question.report) && self.within.as_ref().is_none_or(inside)
    }

    /// The organisations of a question about one, or about all.
    fn narrowed(
        &self,
        organization: Option<OrganizationId>,
    ) -> Result<Option<BTreeSet<OrganizationId>>, Refusal> {
        match (organization, &self.within) {
            (None, within) => Ok(within.clone()),
            (Some(asked), Some(within)) if !within.contains(&asked) => {
                Err(Refusal::not_found("organizationId"))
            }
            (Some(asked), _) => Ok(Some([asked].into())),
        }
    }
}

/// A question as the caller may ask it, and the view it is answered in.
///
/// # Errors
/// UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, or what is wrong with the parameters.
pub(in crate::graphql::audit) async fn question<'a>(
    ctx: &Context<'a>,
    (report, parameters, organization): (ReportName, AuditReportParameters, Option<ID>),
    min_position: Option<Position>,
) -> Result<(ReportQuestion, Reading<'a>)> {
    let organization = organization
        .map(|id| NodeType::Organization.parse::<OrganizationId>(&id, "organizationId"))
        .transpose()
        .map_err(top_level)?;
    let (looking, mut reading) =
        viewer::reading(ctx, organization, Scope::ReadAudit, min_position).await?;
    let reach = Reach::of(&looking, &reading.authority).map_err(top_level)?;
    if !reach.shows(report) {
        return Err(top_level(forbidden()));
    }
    let within = reach.narrowed(organization).map_err(top_level)?;
    let asked = parse(report, &parameters).map_err(top_level)?;
    let now = ctx.data::<Commands>()?.journal.now();
    let time_zone = policy(ctx).await?.time_zone().name().to_owned();
    let question = settle(&mut reading.view, (report, asked), now).await?;
    Ok((ReportQuestion { within, time_zone, ..question }, reading))
}

/// Parameters that were read.
struct Asked {
    as_of: Option<Instant<Utc>>,
    as_of_position: Option<i64>,
    from: Option<Instant<Utc>>,
    to: Option<Instant<Utc>>,
    npi: Option<Npi>,
    days: Option<u32>,
    limit_hours: Option<u32>,
    rule: Option<Uuid>,
}

fn parse(report: ReportName, given: &AuditReportParameters) -> Result<Asked, Refusal> {
    use ReportParameter as P;
    let takes = report.definition().parameters;
    let named = [
        (P::AsOf, given.as_of.is_some(), "asOf"),
        (P::AsOfPosition, given.as_of_position.is_some(), "asOfPosition"),
        (P::From, given.from.is_some(), "from"),
        (P::To, given.to.is_some(), "to"),
        (P::Npi, given.npi.is_some(), "npi"),
        (P::Days, given.days.is_some(), "days"),
        (P::LimitHours, given.limit_hours.is_some(), "limitHours"),
        (P::Rule, given.rule_id.is_some(), "ruleId"),
    ];
    let path = |field: &str| format!("parameters.{field}");
    if let Some((.., field)) =
        named.iter().find(|(it, is_given, _)| *is_given && !takes.contains(it))
    {
        let message =
            "This report does not take it. Leave it out; auditReports says what it takes.";
        return Err(Refusal::new(Code::FieldInvalid, message).at(&path(field)));
    }
    let moment = |at: &Option<DateTime>, field: &str| {
        at.as_ref().map(|at| at.parse(&path(field))).transpose()
    };
    let npi = given.npi.as_ref().map(|npi| {
        Npi::parse(&npi.0).map_err(|invalid| Refusal::from(invalid).at("parameters.npi"))
    });
    let asked = Asked {
        as_of: moment(&given.as_of, "asOf")?,
        as_of_position: given.as_of_position.map(|position| position.0),
        from: moment(&given.from, "from")?,
        to: moment(&given.to, "to")?,
        npi: npi.transpose()?,
        days: whole(given.days, (1, 3_660), "parameters.days")?,
        limit_hours: whole(given.limit_hours, (0, 8_784), "parameters.limitHours")?,
        rule: given.rule_id,
    };
    if asked.npi.is_none() && report == ReportName::AccessToNpi {
        let message = "Name the NPI to which access is asked for.";
        return Err(Refusal::new(Code::FieldRequired, message).at("parameters.npi"));
    }
    if asked.as_of.is_some() && (asked.from.is_some() || asked.to.is_some()) {
        let message = "Ask for a moment or for a period, not for both.";
        return Err(Refusal::new(Code::RangeInvalid, message).at("parameters.asOf"));
    }
    Ok(asked)
}

fn whole(
    given: Option<i32>,
    (least, most): (u32, u32),
    field: &str,
) -> Result<Option<u32>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    let number = u32::try_from(given).ok().filter(|it| (least..=most).contains(it));
    let message = || format!("Give a whole number from {least} to {most}.");
    number.map(Some).ok_or_else(|| Refusal::new(Code::RangeInvalid, message()).at(field))
}

/// Fixes the moment and the position that a question holds for.
async fn settle(
    view: &mut Snapshot,
    (report, asked): (ReportName, Asked),
    now: Instant<Utc>,
) -> Result<ReportQuestion> {
    let records = Records::read(view, asked.as_of_position).await?;
    let last = records.last(now);
    let true_at = asked.as_of.unwrap_or(last);
    records.begun_at(true_at, "parameters.asOf")?;
    let period = asked.from.is_some() || asked.to.is_some();
    // A period that is open on a side ends with what is known, or begins with the records.
    let from = asked.from.or(period.then(|| records.beginning()));
    let to = asked.to.or(period.then_some(last));
    if let Some((from, to)) = from.zip(to) {
        if to <= from {
            let message = "Give an end of the period that lies after its beginning.";
            return Err(top_level(Refusal::new(Code::RangeInvalid, message).at("parameters.to")));
        }
        records.begun_at(from, "parameters.from")?;
    }
    let is_state = !report.is_of_events();
    if is_state && to.is_some_and(|to| to > last) {
        let message = "Give an end of the period that does not lie in the future.";
        return Err(top_level(Refusal::new(Code::RangeInvalid, message).at("parameters.to")));
    }
    let noted_since = reports::noted_since(view).await.map_err(|error| fault(&error))?;
    let days = (report == ReportName::Dormant).then(|| asked.days.unwrap_or(ReportQuestion::DAYS));
    let limit_hours = (report == ReportName::Terminations)
        .then(|| asked.limit_hours.unwrap_or(ReportQuestion::LIMIT_HOURS));
    Ok(ReportQuestion {
        report,
        version: report.definition().version,
        true_at,
        known_at: records.known_at(),
        from,
        to,
        within: None,
        npi: asked.npi,
        days,
        limit_hours,
        rule: asked.rule,
        time_zone: String::new(),
        noted_since: if report == ReportName::ActiveAccounts {
            noted_since
        } else {
            Default::default()
        },
    })
}
