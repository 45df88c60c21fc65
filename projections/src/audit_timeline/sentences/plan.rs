//! Sentences about the tenant, its staff, policy and agreements. Invariant: reasons are free text
//! about people and are never told.

use std::collections::BTreeSet;

use rollcall_domain::{
    attestations::AttestationEvent,
    audit::{EvidenceEvent, WorkspaceEvent},
    content::ClientGuidanceEvent,
    kernel::ids::OrganizationId,
    policies::{
        PolicyEvent, PolicyValue,
        agreement::AgreementEvent,
        proposal::{PolicyProposalEvent, ProposedChange},
    },
    tenants::{PlanRole, PlanStaffEvent, TenantEvent},
};

use super::{Telling, list, lower, time, title, until};

pub(super) fn tenant(event: &TenantEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    match event {
        TenantEvent::TenantCreated { slug, name, preset, .. } => {
            format!("{who} created the portal {name} ({slug}) with the preset {preset}.")
        }
        TenantEvent::TenantSuspended { .. } => format!("{who} suspended the portal."),
        TenantEvent::TenantResumed {} => format!("{who} let the portal run again."),
        TenantEvent::TenantClosed { .. } => format!("{who} closed the portal for good."),
    }
}

pub(crate) fn role(role: PlanRole) -> &'static str {
    match role {
        PlanRole::Operator => "Operator",
        PlanRole::Pa => "Plan administrator",
        PlanRole::Ps => "Plan support",
        PlanRole::Qi => "Quality team",
        PlanRole::Ce => "Content editor",
        PlanRole::Au => "Compliance auditor",
    }
}

/// ` for Mercy Clinic and Bay Clinic`; nothing for the whole plan.
fn reach(organizations: &BTreeSet<OrganizationId>, telling: Telling<'_>) -> String {
    if organizations.is_empty() {
        return String::new();
    }
    format!(" for {}", list(organizations.iter().map(|id| telling.organization(*id))))
}

pub(super) fn staff(event: &PlanStaffEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    match event {
        PlanStaffEvent::PlanStaffInvited { user, roles, until: end, organizations, .. } => {
            let reach = reach(organizations, telling);
            let person = telling.person(*user);
            let roles = list(roles.iter().map(|held| role(*held).to_owned()));
            format!("{who} invited {person} as {roles}{reach}{}.", until(end.as_ref()))
        }
        PlanStaffEvent::PlanRoleAssigned {
            user,
            role: held,
            from,
            until: end,
            organizations,
            ..
        } => {
            let reach = reach(organizations, telling);
            let person = telling.whom(*user);
            let (held, from, end) = (role(*held), time(from), until(end.as_ref()));
            format!("{who} gave {person} the plan role {held}{reach} from {from}{end}.")
        }
        PlanStaffEvent::PlanRoleScoped { user, role: held, new, effective_at, .. } => {
            let (whose, held, at) = (telling.whose(*user), role(*held), time(effective_at));
            let reach = match new.is_empty() {
                true => " for the whole plan".to_owned(),
                false => reach(new, telling),
            };
            format!("{who} let {whose} plan role {held} count{reach} from {at}.")
        }
        PlanStaffEvent::PlanRoleEnded { user, role: held, cause, effective_at, .. } => {
            let (whose, held) = (telling.whose(*user), role(*held));
            let (at, cause) = (time(effective_at), lower(cause));
            format!("{who} ended {whose} plan role {held} at {at} ({cause}).")
        }
    }
}

pub(super) fn policy(event: &PolicyEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    match event {
        PolicyEvent::PresetApplied { preset, effective_at, .. } => {
            format!(
                "{who} applied the policy preset {preset}, in force from {}.",
                time(effective_at)
            )
        }
        PolicyEvent::FeatureAvailabilityChanged { feature, old, new, effective_at, .. } => {
            let (feature, at) = (feature.label(), time(effective_at));
            let (old, new) = (lower(old), lower(new));
            format!("{who} changed the feature {feature} from {old} to {new}, in force from {at}.")
        }
        PolicyEvent::PolicyChanged { key, old, new, effective_at, .. } => {
            let (old, new, at) = (value(old), value(new), time(effective_at));
            format!("{who} changed the policy {key} from {old} to {new}, in force from {at}.")
        }
    }
}

fn value(value: &PolicyValue) -> String {
    match value {
        PolicyValue::Off => "off".to_owned(),
        PolicyValue::Boolean(true) => "yes".to_owned(),
        PolicyValue::Boolean(false) => "no".to_owned(),
        PolicyValue::Integer(number) => number.to_string(),
        PolicyValue::Words(words) => list(words.iter().cloned()),
        PolicyValue::Integers(numbers) => list(numbers.iter().map(ToString::to_string)),
        PolicyValue::Text(text) => text.clone(),
    }
}

pub(super) fn proposal(event: &PolicyProposalEvent, telling: Telling<'_>) -> String {
    use PolicyProposalEvent as E;
    let who = telling.who();
    match event {
        E::PolicyChangeProposed { change, .. } => {
            let change = match change {
                ProposedChange::Preset { preset } => format!("the policy preset {preset}"),
                ProposedChange::Parameter { key, value: new } => {
                    format!("the value {} for the policy {key}", value(new))
                }
                ProposedChange::Feature { feature, state, .. } => {
                    format!("the feature {} as {}", feature.label(), lower(state))
                }
            };
            format!("{who} proposed {change}.")
        }
        E::PolicyChangeApproved { .. } => format!("{who} approved a proposed change of policy."),
        E::PolicyChangeRejected { .. } => format!("{who} rejected a proposed change of policy."),
        E::PolicyChangeWithdrawn { .. } => format!("{who} withdrew a proposed change of policy."),
    }
}

pub(super) fn guidance(event: &ClientGuidanceEvent, telling: Telling<'_>) -> String {
    match event {
        ClientGuidanceEvent::ClientGuidanceSet { guidance } => {
            let (who, hints) = (telling.who(), guidance.hints.len());
            format!("{who} set the guidance for people's clients, with {hints} hints.")
        }
    }
}

pub(super) fn agreement(event: &AgreementEvent, telling: Telling<'_>) -> String {
    match event {
        AgreementEvent::AgreementPublished { kind, version, effective_at, .. } => {
            let (who, kind, at) = (telling.who(), title(kind), time(effective_at));
            format!("{who} published version {version} of the {kind}, in force from {at}.")
        }
    }
}

pub(super) fn evidence(event: &EvidenceEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    match event {
        EvidenceEvent::EvidenceRequested { .. } => {
            format!("{who} asked for evidence to take away.")
        }
        EvidenceEvent::EvidenceOpened { checkpoint, population, .. } => format!(
            "{who} took evidence of {population} events away, proven under the checkpoint of \
             {checkpoint} events."
        ),
    }
}

pub(super) fn workspace(event: &WorkspaceEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    match event {
        WorkspaceEvent::WorkspaceOpened { name, position, .. } => {
            format!("{who} opened the audit workspace {name} at position {position}.")
        }
        WorkspaceEvent::WorkspaceRenamed { old, new, .. } => {
            format!("{who} renamed the audit workspace {old} to {new}.")
        }
        WorkspaceEvent::WorkspaceQuestionSaved { name, .. } => {
            format!("{who} saved the question {name} in an audit workspace.")
        }
        WorkspaceEvent::WorkspaceQuestionRemoved { name, .. } => {
            format!("{who} removed the question {name} from an audit workspace.")
        }
        WorkspaceEvent::WorkspaceClosed { name, .. } => {
            format!("{who} closed the audit workspace {name}.")
        }
    }
}

pub(super) fn attestation(event: &AttestationEvent, telling: Telling<'_>) -> String {
    match event {
        AttestationEvent::AttestationSigned { organization, statement, version, .. } => {
            let (who, statement) = (telling.who(), title(statement));
            let organization = telling.organization(*organization);
            format!("{who} signed version {version} of the {statement} for {organization}.")
        }
    }
}
