//! Named reports for auditors: `auditReports`, `auditReport`, `exportAuditReport`, and the rules of
//! segregation of duties that one of them looks for (GN-26).
//!
//! Invariant: a report says what it holds for: the moment, the position, its definition's version and
//! the criteria in words; who asks is kept to what they may see by the question itself, which stands in
//! the answer.

mod asking;
mod cells;
mod definitions;
mod export;
mod reviews;
mod rows;
mod rules;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use rollcall_domain::api_keys::Scope;
use rollcall_projections::reports;

pub use self::{
    asking::Reach,
    export::AuditReportMutation,
    reviews::{ActivityReviewMutation, ActivityReviewQuery},
    rules::{SodRuleMutation, SodRuleQuery},
};
pub(super) use self::{
    asking::{AuditReportParameters, question},
    definitions::AuditReportName,
};
use self::{
    definitions::{AuditReportDefinition, criteria},
    rows::AuditReportRow,
};
use super::viewer;
use crate::graphql::{
    errors::{fault, top_level},
    paging::{Page, PageInfo, Rows, connection},
    scalars::{DateTime, Position},
};

connection!(AuditReportRows, AuditReportEdge, AuditReportRow);

/// One page of a report (Relay), and what it holds for.
#[derive(SimpleObject)]
pub struct AuditReport {
    pub name: AuditReportName,
    /// The version of the definition: rows of another version may mean something else.
    pub version: i32,
    pub title: &'static str,
    /// What was asked, in words.
    pub criteria: String,
    /// The moment at which all of this was true; of a report on a period, until when events count.
    pub as_of: DateTime,
    /// The place in the tenant's journal at which it was known.
    pub as_of_position: Position,
    /// The question as a recount takes it, as JSON: with it and the events anybody computes the same
    /// rows.
    pub question: String,
    pub edges: Vec<AuditReportEdge>,
    pub nodes: Vec<AuditReportRow>,
    pub page_info: PageInfo,
    /// The population: how many rows there are in all; counted only when selected.
    pub total_count: Option<i32>,
}

/// What auditors ask.
#[derive(Default)]
pub struct AuditReportQuery;

#[Object]
impl AuditReportQuery {
    /// The reports there are (GN-26), for everybody who may ask for one.
    async fn audit_reports(&self, ctx: &Context<'_>) -> Result<Vec<AuditReportDefinition>> {
        let (looking, reading) = viewer::reading(ctx, None, Scope::ReadAudit, None).await?;
        let reach = Reach::of(&looking, &reading.authority).map_err(top_level)?;
        Ok(AuditReportDefinition::all().filter(|it| reach.shows(it.name.into())).collect())
    }

    /// A report's rows (GN-26), for auditors and plan administrators; those kept to some organisations,
    /// and administrators of an organisation, get what concerns theirs. Before the tenant's records
    /// begin it answers BEFORE_RECORDS. Other refusals: FORBIDDEN, NOT_FOUND, RANGE_INVALID,
    /// DATE_INVALID, NPI_INVALID, FIELD_REQUIRED, FIELD_INVALID.
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn audit_report(
        &self,
        ctx: &Context<'_>,
        name: AuditReportName,
        parameters: Option<AuditReportParameters>,
        #[graphql(desc = "Only what concerns this organisation.")] organization_id: Option<ID>,
        #[graphql(desc = "1 to 100; 25 if not given.")] first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Read your writes: wait for the position a mutation answered.")]
        min_position: Option<Position>,
    ) -> Result<AuditReport> {
        let page = Page::<String>::new(first, after).map_err(top_level)?;
        let asked = (name.into(), parameters.unwrap_or_default(), organization_id);
        let (question, mut reading) = question(ctx, asked, min_position).await?;
        let view = &mut reading.view;
        let rows = reports::page(view, &question, page.after.as_deref(), page.first + 1).await;
        let rows = rows.map_err(|error| fault(&error))?;
        let total = if ctx.look_ahead().field("totalCount").exists() {
            let count = reports::count(view, &question).await;
            Some(count.map_err(|error| fault(&error))?)
        } else {
            None
        };
        let names = reports::names(view, &rows).await.map_err(|error| fault(&error))?;
        let mut told = Vec::with_capacity(rows.len());
        for row in rows {
            let node = AuditReportRow::of(question.report, &row, &names)?;
            told.push((row.key, node));
        }
        let definition = question.report.definition();
        let AuditReportRows { edges, nodes, page_info, total_count } =
            AuditReportRows::of(&page, Rows { rows: told, total });
        Ok(AuditReport {
            name,
            version: i32::try_from(definition.version).unwrap_or(i32::MAX),
            title: definition.title,
            criteria: criteria(&question),
            as_of: question.true_at.into(),
            as_of_position: Position(question.known_at),
            question: serde_json::to_string(&question).map_err(|error| fault(&error))?,
            edges,
            nodes,
            page_info,
            total_count,
        })
    }
}
