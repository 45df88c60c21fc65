//! `SignAttestation`: a member who holds the feature signs the plan's statement (CC-14).
//!
//! Invariant: whether somebody holds the feature is decided by the domain's rule on streams that the
//! append re-checks, so a right revoked a moment ago signs nothing.

use async_trait::async_trait;
use rollcall_domain::{
    Refusal,
    attestations::{Attestation, AttestationCommand, AttestationRefusal},
    kernel::ids::{MembershipId, OrganizationId, UserId},
    organizations::Organization,
    permissions::{JobRole, JobRoles, Membership, Situation},
    policies::{Feature, agreement::Agreement},
    values::AgreementKind,
};

use crate::{Access, Command, Context, Failure};

/// Signs the version in force for the organisation acted for.
pub struct SignAttestation {
    pub organization: OrganizationId,
    /// The version that was read.
    pub version: String,
    /// Keys of the boxes ticked.
    pub boxes: Vec<String>,
}

#[async_trait]
impl Command for SignAttestation {
    const NAME: &'static str = "SignAttestation";
    const FEATURE: Option<Feature> = Some(Feature::Attestation);
    type Output = ();

    fn access(&self) -> Access {
        Access::Member(self.organization)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let user = cx.person()?;
        if !holds_the_feature(cx, user, self.organization).await? {
            return Err(Refusal::from(AttestationRefusal::FeatureNotGranted).into());
        }
        let stream = cx.tenant().agreement_stream(AgreementKind::PlanAttestation);
        let statement = cx.load::<Agreement>(stream).await?;
        let accepted = statement.check_acceptance(&self.version, &self.boxes, cx.now);
        let accepted = accepted.map_err(Refusal::from)?;
        // What was accepted is the edition in force.
        let sha256 = statement.current(cx.now).map(|edition| edition.sha256.clone());
        let sign = AttestationCommand::SignAttestation {
            user,
            organization: self.organization,
            accepted,
            sha256: sha256.unwrap_or_default(),
        };
        let stream = cx.tenant().attestation_stream(user, self.organization);
        cx.decide::<Attestation>(stream, sign).await?;
        Ok(())
    }
}

async fn holds_the_feature(
    cx: &mut Context<'_>,
    user: UserId,
    organization: OrganizationId,
) -> Result<bool, Failure> {
    let membership = MembershipId::of(cx.tenant(), user, organization);
    let membership = cx.load::<Membership>(membership).await?;
    let mut job_roles = JobRoles::new();
    for role in membership.job_roles(cx.now) {
        job_roles.insert(role, cx.load::<JobRole>(role).await?);
    }
    let organization = cx.load::<Organization>(organization).await?;
    let situation = Situation {
        user,
        // Whoever is deactivated has no live session.
        account_active: true,
        organization: &organization,
        membership: &membership,
        policy: &cx.policy,
        job_roles: &job_roles,
        types: &[],
        now: cx.now,
    };
    Ok(situation.may_use(Feature::Attestation))
}
