//! `sodRules`, `defineSodRule` and `retireSodRule` (GN-26). Invariant: what is listed is in force; what
//! is retired stands in the timeline.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Commands,
    audit::{DefineSodRule, REPORT_READERS, RetireSodRule},
};
use rollcall_domain::{
    Refusal,
    audit::{SodRight, SodRules, SodTerms},
    kernel::ids::{SodRuleId, TenantId},
    values::{Reason, SodRuleName},
};

use crate::graphql::{
    access_register::AccessRight,
    errors::fault,
    ids::NodeType,
    reading::read,
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// Where two rights are in conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::audit::SodScope")]
pub enum SodScope {
    /// Both for one NPI, in whichever organisations.
    SameNpi,
    /// Both in one organisation.
    SameOrganization,
    /// Both anywhere.
    Anywhere,
}

/// One of the two rights of a rule.
#[derive(Debug, InputObject)]
pub struct SodRightInput {
    pub right: AccessRight,
    /// The type of correspondence, the feature or plan role by its word, or the id of what it is a right
    /// to; any of its kind if not given.
    pub of: Option<String>,
}

impl From<SodRightInput> for SodRight {
    fn from(given: SodRightInput) -> Self {
        Self { kind: given.right.into(), of: given.of }
    }
}

/// A rule to define.
#[derive(Debug, InputObject)]
pub struct DefineSodRuleInput {
    /// 1 to 80 characters; no other rule in force has it.
    pub name: String,
    pub first: SodRightInput,
    pub second: SodRightInput,
    pub scope: SodScope,
    pub reason: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A rule to retire.
#[derive(Debug, InputObject)]
pub struct RetireSodRuleInput {
    pub rule_id: ID,
    pub reason: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// One of the two rights of a rule.
#[derive(Clone, Debug, SimpleObject)]
pub struct SodRuleRight {
    pub right: AccessRight,
    /// What of it; any of its kind if absent.
    pub of: Option<String>,
}

/// A rule in force: nobody should hold both rights.
#[derive(Clone, Debug, SimpleObject)]
pub struct SodRule {
    pub id: ID,
    pub name: String,
    pub first: SodRuleRight,
    pub second: SodRuleRight,
    pub scope: SodScope,
}

impl SodRule {
    fn of(id: SodRuleId, terms: &SodTerms) -> Self {
        let right =
            |right: &SodRight| SodRuleRight { right: right.kind.into(), of: right.of.clone() };
        Self {
            id: ID(id.to_string()),
            name: terms.name.as_str().to_owned(),
            first: right(&terms.first),
            second: right(&terms.second),
            scope: terms.scope.into(),
        }
    }
}

async fn in_force(commands: &Commands, tenant: TenantId) -> Result<SodRules> {
    let stream = tenant.sod_rules_stream();
    let loaded = commands.journal.load_fresh::<SodRules>(tenant, stream).await;
    Ok(loaded.map_err(|error| fault(&error))?.state.as_ref().clone())
}

/// Which rights exclude each other.
#[derive(Default)]
pub struct SodRuleQuery;

#[Object]
impl SodRuleQuery {
    /// The rules of segregation of duties in force, a hundred at most, for auditors and plan
    /// administrators; `auditReport(name: SOD_CONFLICTS)` looks for who breaks them.
    async fn sod_rules(&self, ctx: &Context<'_>) -> Result<Vec<SodRule>> {
        let reading = read(ctx, Access::PlanWithin(REPORT_READERS), None).await?;
        let tenant = reading.view.tenant();
        let rules = in_force(ctx.data::<Commands>()?, tenant).await?;
        Ok(rules.rules.iter().map(|(id, terms)| SodRule::of(*id, terms)).collect())
    }
}

payload! {
    /// The rule in force now.
    DefineSodRulePayload {
        sod_rule: SodRule,
    }
}

payload! {
    /// The rule that is looked for no more.
    RetireSodRulePayload {
        retired_rule_id: ID,
    }
}

/// Commands on rules.
#[derive(Default)]
pub struct SodRuleMutation;

#[Object]
impl SodRuleMutation {
    /// Defines which two rights nobody should hold together, for plan administrators. A rule never
    /// changes: retire it and define another one. Refusals: FORBIDDEN, FIELD_REQUIRED, NAME_INVALID,
    /// FIELD_INVALID, RANGE_INVALID, REASON_REQUIRED.
    async fn define_sod_rule(
        &self,
        ctx: &Context<'_>,
        input: DefineSodRuleInput,
    ) -> Result<DefineSodRulePayload> {
        let parsed = || -> Result<DefineSodRule, Refusal> {
            let name = field("name", SodRuleName::parse(&input.name))?;
            let (first, second) = (input.first.into(), input.second.into());
            let terms = SodTerms { name, first, second, scope: input.scope.into() };
            Ok(DefineSodRule { terms, reason: field("reason", Reason::parse(&input.reason))? })
        };
        let command = parsed();
        let terms = command.as_ref().ok().map(|command| command.terms.clone());
        let sent = send(ctx, input.meta, command).await?;
        let rule = sent.output.zip(terms).map(|(id, terms)| SodRule::of(id, &terms));
        Ok(DefineSodRulePayload::of(sent, rule))
    }

    /// Retires a rule, for plan administrators; what was found under it stays found. Refusals:
    /// FORBIDDEN, NOT_FOUND, REASON_REQUIRED.
    async fn retire_sod_rule(
        &self,
        ctx: &Context<'_>,
        input: RetireSodRuleInput,
    ) -> Result<RetireSodRulePayload> {
        let command =
            NodeType::parse_bare::<SodRuleId>(&input.rule_id, "ruleId").and_then(|rule| {
                Ok(RetireSodRule { rule, reason: field("reason", Reason::parse(&input.reason))? })
            });
        let sent = send(ctx, input.meta, command).await?;
        let rule = sent.output.map(|rule| ID(rule.to_string()));
        Ok(RetireSodRulePayload::of(sent, rule))
    }
}
