//! Act two: two years of ordinary life, so that every question has something to answer.
//!
//! Invariant: what is unfavourable (locks, denials, deactivations) happens to invented organisations
//! only.

use rollcall_commands::{
    Caller,
    affiliations::{
        ApproveAffiliation, Counterparty, DenyAffiliation, GivenSignature, RequestAffiliation,
        Target, TerminateAffiliation, TypedSignature,
    },
    organizations::members::{AssignOrgRole, DeactivateUser, FormerPermissions, ReactivateUser},
    permissions::{
        DeferPermissions, FinishPermissionWizard, QuickAssignNpis, SetCorrespondencePermissions,
        SetNpiPermissions,
    },
    pins::{ResetPin, RevealPin},
};
use rollcall_domain::{
    affiliations::{AffiliationScope, NpiSelection},
    kernel::ids::{AffiliationId, UserId},
    organizations::OrgRole,
    permissions::{CorrespondenceScope, NpiLevel, NpiScope, membership::NpiChange},
    values::{AgreementKind, CorrespondenceType, Reason, TransactionType},
};

use super::{
    cast::{self, Character},
    firms::{Firm, Member, hire, invite, register},
    stage::{Stage, StepError},
};

/// Deals out names that nobody in the tenant has yet.
pub struct Casting(usize);

impl Casting {
    #[must_use]
    pub fn new() -> Self {
        Self(0)
    }

    /// The next character, with an address at `organization`.
    pub fn next(&mut self, organization: &str) -> Character {
        self.0 += 1;
        cast::character(self.0 - 1, &cast::place(organization))
    }
}

impl Default for Casting {
    fn default() -> Self {
        Self::new()
    }
}

/// Staffs a firm: `count` people join, each with a part to play.
///
/// # Errors
/// The refusal of any step.
pub async fn staff(
    stage: &Stage,
    firm: &mut Firm,
    casting: &mut Casting,
    count: usize,
) -> Result<(), StepError> {
    let admin = firm.administrator(stage).await?;
    for n in 0..count {
        let who = casting.next(&firm.name);
        let user = hire(stage, &admin, firm, who).await?;
        part(stage, &admin, firm, user, n).await?;
    }
    Ok(())
}

/// What the `n`-th person of a firm may do.
async fn part(
    stage: &Stage,
    admin: &Caller,
    firm: &Firm,
    user: UserId,
    n: usize,
) -> Result<(), StepError> {
    let organization = firm.id;
    match n % 6 {
        0 => {
            let assign = AssignOrgRole {
                organization,
                user,
                role: OrgRole::Admin,
                reason: None,
                evidence: None,
                expected_version: None,
            };
            stage.run(admin, &assign).await?;
        }
        1 if !firm.npis.is_empty() => {
            let quick = QuickAssignNpis {
                organization,
                user,
                level: NpiLevel::Processor,
                expected_version: None,
            };
            stage.run(admin, &quick).await?;
            letters(stage, admin, firm, user).await?;
        }
        2 | 3 if !firm.npis.is_empty() => {
            let level = if n % 6 == 2 { NpiLevel::Admin } else { NpiLevel::Processor };
            set_level(stage, admin, firm, user, n, level).await?;
        }
        4 => {
            let assign = AssignOrgRole {
                organization,
                user,
                role: OrgRole::Processor,
                reason: None,
                evidence: None,
                expected_version: None,
            };
            stage.run(admin, &assign).await?;
        }
        _ => {
            let defer = DeferPermissions { organization, user, expected_version: None };
            stage.run(admin, &defer).await?;
        }
    }
    Ok(())
}

async fn set_level(
    stage: &Stage,
    admin: &Caller,
    firm: &Firm,
    user: UserId,
    n: usize,
    level: NpiLevel,
) -> Result<(), StepError> {
    let npi = firm.npis[n % firm.npis.len()].clone();
    let set = SetNpiPermissions {
        organization: firm.id,
        user,
        changes: vec![NpiChange { npi: NpiScope::One(npi), level, until: None }],
        expected_version: None,
    };
    stage.run(admin, &set).await?;
    let finish =
        FinishPermissionWizard { organization: firm.id, user, steps: None, expected_version: None };
    stage.run(admin, &finish).await.map(drop)
}

async fn letters(
    stage: &Stage,
    admin: &Caller,
    firm: &Firm,
    user: UserId,
) -> Result<(), StepError> {
    let kind = CorrespondenceType::parse("RAD")?;
    let set = SetCorrespondencePermissions {
        organization: firm.id,
        user,
        npis: firm.npis.iter().take(2).cloned().map(NpiScope::One).collect(),
        types: [CorrespondenceScope::One(kind)].into(),
        expected_version: None,
    };
    stage.run(admin, &set).await.map(drop)
}

/// A quarter at an invented provider: PINs, a joiner, a leaver, a forgotten password.
///
/// # Errors
/// The refusal of any step.
pub async fn quarter(
    stage: &Stage,
    firm: &mut Firm,
    casting: &mut Casting,
    number: usize,
) -> Result<(), StepError> {
    let admin = firm.administrator(stage).await?;
    let organization = firm.id;
    if !firm.npis.is_empty() {
        let npi = firm.npis[number % firm.npis.len()].clone();
        let reveal = RevealPin { organization, npi: npi.clone(), otp_challenge: None };
        stage.run(&admin, &reveal).await?;
        if number.is_multiple_of(2) {
            stage
                .run(
                    &admin,
                    &ResetPin { organization, npi, otp_challenge: None, expected_version: None },
                )
                .await?;
        }
    }
    let who = casting.next(&firm.name);
    let user = hire(stage, &admin, firm, who).await?;
    part(stage, &admin, firm, user, number + 1).await?;
    stage.wait(3 * 24 * 60);
    leaver(stage, firm, number).await
}

/// Who leaves, in the order in which people joined: somebody with a part to play, as who was skipped
/// is deactivated anyway (MC-32), and nobody of those whose sign-ins are told.
const LEAVERS: [usize; 4] = [4, 5, 7, 8];

/// Somebody leaves; every other one comes back a month later.
async fn leaver(stage: &Stage, firm: &Firm, number: usize) -> Result<(), StepError> {
    let nth = LEAVERS[number % LEAVERS.len()];
    let Some(Member { user, .. }) = firm.members.get(nth) else { return Ok(()) };
    let admin = firm.administrator(stage).await?;
    let organization = firm.id;
    let deactivate = DeactivateUser {
        organization,
        user: *user,
        confirmed: true,
        reason: Reason::parse("No longer works here.")?,
        evidence: None,
        left_on: None,
        expected_version: None,
    };
    stage.run(&admin, &deactivate).await?;
    if number.is_multiple_of(2) {
        stage.wait(30 * 24 * 60);
        let admin = firm.administrator(stage).await?;
        let reactivate = ReactivateUser {
            organization,
            user: *user,
            confirmed: true,
            permissions: Some(FormerPermissions::Confirmed),
            expected_version: None,
        };
        stage.run(&admin, &reactivate).await?;
    }
    Ok(())
}

/// Somebody mistypes a password once, and somebody else until the account locks.
///
/// # Errors
/// A fault.
pub async fn bad_day(stage: &Stage, firm: &Firm) -> Result<(), StepError> {
    if let Some(member) = firm.members.get(1) {
        stage.mistype(&member.who.email).await?;
        stage.sign_in(&member.who.email).await?;
    }
    if let Some(member) = firm.members.last() {
        for _ in 0..stage.policy().await?.lockout().threshold {
            stage.mistype(&member.who.email).await?;
        }
    }
    Ok(())
}

/// How an affiliation ends up in the demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Approved,
    Denied,
    /// Approved, and terminated later.
    Terminated,
    /// Waiting for the provider.
    Pending,
}

/// A submitter asks a provider for an affiliation.
///
/// # Errors
/// The refusal of any step.
pub async fn affiliate(
    stage: &Stage,
    submitter: &Firm,
    provider: &Firm,
    outcome: Outcome,
) -> Result<AffiliationId, StepError> {
    let asking = submitter.administrator(stage).await?;
    let request = RequestAffiliation {
        organization: submitter.id,
        counterparty: Counterparty::Organization(provider.id),
        side: None,
        scope: AffiliationScope {
            npis: NpiSelection::All,
            transaction_types: TransactionType::ALL.iter().copied().take(4).collect(),
        },
        signature: Some(signature(stage, submitter).await?),
    };
    let affiliation = stage.run(&asking, &request).await?;
    if outcome == Outcome::Pending {
        return Ok(affiliation);
    }
    stage.wait(4 * 24 * 60);
    let deciding = provider.administrator(stage).await?;
    let target = Target { organization: provider.id, affiliation, expected_version: None };
    if outcome == Outcome::Denied {
        let reason = Some(Reason::parse("We bill ourselves.")?);
        stage.run(&deciding, &DenyAffiliation { target, confirm: true, reason }).await?;
        return Ok(affiliation);
    }
    let signature = signature(stage, provider).await?;
    stage.run(&deciding, &ApproveAffiliation { target, signature }).await?;
    if outcome == Outcome::Terminated {
        stage.wait(90 * 24 * 60);
        let deciding = provider.administrator(stage).await?;
        let ends_on = stage.policy().await?.time_zone().local_date(stage.now());
        let reason = Some(Reason::parse("Another agent from next month.")?);
        let end = TerminateAffiliation { target, confirm: true, ends_on, reason };
        stage.run(&deciding, &end).await?;
    }
    Ok(affiliation)
}

async fn signature(stage: &Stage, firm: &Firm) -> Result<GivenSignature, StepError> {
    let (agreement_version, boxes) = stage.agreement(AgreementKind::AffiliationAgreement).await?;
    let who = &firm.admin().who;
    Ok(GivenSignature::parse(TypedSignature {
        eligibility_confirmed: true,
        first_name: who.first.to_owned(),
        last_name: who.last.to_owned(),
        role: "OWNER".to_owned(),
        agreement_version,
        boxes,
        otp_challenge: None,
    })?)
}

/// An invitation that nobody follows.
///
/// # Errors
/// It was refused.
pub async fn unanswered(
    stage: &Stage,
    firm: &Firm,
    casting: &mut Casting,
) -> Result<(), StepError> {
    let admin = firm.administrator(stage).await?;
    let who = casting.next(&firm.name);
    stage.run(&admin, &invite(firm.id, &who)?).await.map(drop)
}

/// Registers a firm whose registrant is the next of the cast.
///
/// # Errors
/// The refusal of any step.
pub async fn open(
    stage: &Stage,
    plan: &Caller,
    firm: &mut Firm,
    casting: &mut Casting,
) -> Result<(), StepError> {
    let registrant = casting.next(&firm.name);
    register(stage, plan, firm, registrant).await
}
