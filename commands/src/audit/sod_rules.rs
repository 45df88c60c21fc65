//! `DefineSodRule` and `RetireSodRule`: which rights nobody should hold together (GN-26).

use async_trait::async_trait;
use rollcall_domain::{
    Sealed,
    audit::{SodRules, SodRulesCommand, SodTerms},
    kernel::ids::SodRuleId,
    tenants::PlanRole,
    values::Reason,
};
use uuid::Uuid;

use crate::{Access, Command, Context, Failure};

/// Who says which rights exclude each other.
const RULE_MAKERS: &[PlanRole] = &[PlanRole::Pa];

/// Defines a rule.
pub struct DefineSodRule {
    pub terms: SodTerms,
    pub reason: Reason,
}

/// Retires a rule.
pub struct RetireSodRule {
    pub rule: SodRuleId,
    pub reason: Reason,
}

#[async_trait]
impl Command for DefineSodRule {
    const NAME: &'static str = "DefineSodRule";
    type Output = SodRuleId;

    fn access(&self) -> Access {
        Access::Plan(RULE_MAKERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<SodRuleId, Failure> {
        let rule = SodRuleId(Uuid::now_v7());
        let reason = Sealed::new(cx.person()?, self.reason.clone());
        let define = SodRulesCommand::Define { rule, terms: self.terms.clone(), reason };
        cx.decide::<SodRules>(cx.tenant().sod_rules_stream(), define).await?;
        Ok(rule)
    }
}

#[async_trait]
impl Command for RetireSodRule {
    const NAME: &'static str = "RetireSodRule";
    type Output = SodRuleId;

    fn access(&self) -> Access {
        Access::Plan(RULE_MAKERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<SodRuleId, Failure> {
        let reason = Sealed::new(cx.person()?, self.reason.clone());
        let retire = SodRulesCommand::Retire { rule: self.rule, reason };
        cx.decide::<SodRules>(cx.tenant().sod_rules_stream(), retire).await?;
        Ok(self.rule)
    }
}
