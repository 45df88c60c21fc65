//! What the caller may do in Transaction Services for an NPI, by the streams as they stand.
//!
//! Invariant: a submitter's people have an NPI by an affiliation in force, an assignment under it, an
//! open provider that holds it, and nothing else (GN-18).

use rollcall_domain::{
    Code, Decider, Refusal,
    affiliations::{Affiliation, SubmitterProfile},
    kernel::ids::{MembershipId, OrganizationId, UserId},
    organizations::Organization,
    permissions::{
        Membership, NO_JOB_ROLES, NpiLevel, Situation,
        right_use::{RightKind, UsedRight},
    },
    transactions::{HandoffRefusal, TransactionOption, as_provider, as_submitter},
    values::Npi,
};
use uuid::Uuid;

use crate::{
    Access, Caller, Commands, Context, Failure,
    authorization::authorise,
    context::{header, load_policy, version_conflict},
    dispatch::NO_KEY,
};

/// Attempts before a busy tenant's answer is given up.
const ATTEMPTS: usize = 5;

impl Commands {
    /// The caller's options for an NPI, in the organisation that the session acts for.
    ///
    /// # Errors
    /// What authorisation refuses, `FEATURE_DISABLED`, `NPI_NOT_PERMITTED`, or a fault.
    pub async fn transaction_options(
        &self,
        caller: &Caller,
        organization: OrganizationId,
        npi: &Npi,
    ) -> Result<Vec<TransactionOption>, Failure> {
        let (tenant, now) = (caller.tenant, self.journal.now());
        let access = Access::Member(organization);
        for _ in 0..ATTEMPTS {
            let (authority, _) = authorise(&self.journal, caller, access, now).await?;
            let user = authority.person()?;
            let ids = (Uuid::now_v7(), NO_KEY);
            let mut work =
                self.journal.begin(header(caller, tenant, "TransactionOptions", ids, now));
            let (_, policy) = load_policy(&mut work, now).await?;
            let used = Vec::new();
            let mut cx = Context { commands: self, caller, authority, work, now, policy, used };
            let found = options(&mut cx, (user, organization), npi).await;
            // An answer on an outdated state is none.
            if cx.work.still_holds().await? {
                let found = found?;
                let used = uses(&found, organization, npi);
                self.note_question(tenant, "transactionOptions", &cx.authority, used).await;
                return Ok(found);
            }
        }
        Err(version_conflict(None).into())
    }
}

/// What `user` may do for `npi` when acting for `organization`.
///
/// # Errors
/// `FEATURE_DISABLED`, `NPI_NOT_PERMITTED`, or the database did not answer.
pub(super) async fn options(
    cx: &mut Context<'_>,
    (user, organization): (UserId, OrganizationId),
    npi: &Npi,
) -> Result<Vec<TransactionOption>, Failure> {
    if !cx.policy.transactions_enabled() {
        let message = "This portal has no Transaction Services.";
        return Err(Refusal::new(Code::FeatureDisabled, message).into());
    }
    let own = cx.load::<Organization>(organization).await?;
    if !own.is_active() || !own.is_active_member(user, cx.now) {
        return Err(Refusal::from(HandoffRefusal::NotPermitted).into());
    }
    let mut found: Vec<TransactionOption> = Vec::new();
    let membership = MembershipId::of(cx.tenant(), user, organization);
    let membership = cx.load::<Membership>(membership).await?;
    let situation = Situation {
        user,
        account_active: true,
        organization: &own,
        membership: &membership,
        policy: &cx.policy,
        job_roles: &NO_JOB_ROLES,
        types: &[],
        now: cx.now,
    };
    if situation.level(npi).0 > NpiLevel::None {
        found.extend(as_provider(organization));
    }
    under_affiliations(cx, (user, organization), npi, &mut found).await?;
    found.sort();
    found.dedup();
    if found.is_empty() {
        return Err(Refusal::from(HandoffRefusal::NotPermitted).into());
    }
    Ok(found)
}

/// By which rights somebody has these options: their own organisation's NPI, or affiliations.
pub(super) fn uses(
    options: &[TransactionOption],
    organization: OrganizationId,
    npi: &Npi,
) -> Vec<UsedRight> {
    let own = |option: &TransactionOption| option.provider == organization;
    let mut used = Vec::new();
    if options.iter().any(own) {
        used.push(UsedRight::to_npi(RightKind::ViewNpi, npi));
    }
    if !options.iter().all(own) {
        used.push(UsedRight::to_npi(RightKind::SubmitTransactions, npi));
    }
    used
}

async fn under_affiliations(
    cx: &mut Context<'_>,
    (user, organization): (UserId, OrganizationId),
    npi: &Npi,
    found: &mut Vec<TransactionOption>,
) -> Result<(), Failure> {
    let streams = cx.journal().streams_about(cx.tenant(), user, Affiliation::TYPE).await?;
    for stream in streams {
        let affiliation = cx.load::<Affiliation>(stream).await?;
        let Some(affiliated) = affiliation.in_force(cx.now) else { continue };
        let assigned = affiliated.npis_of(user).is_some_and(|npis| npis.contains(npi));
        if affiliated.pair.submitter != organization || !assigned {
            continue;
        }
        let id = affiliated.pair.provider;
        let provider = cx.load::<Organization>(id).await?;
        if !provider.is_active() || !provider.holds_npi(npi, cx.now) {
            continue;
        }
        let profile = cx.tenant().submitter_profile_stream(organization);
        let profile = cx.load::<SubmitterProfile>(profile).await?;
        found.extend(as_submitter(id, &affiliated.scope.transaction_types, &profile));
    }
    Ok(())
}
