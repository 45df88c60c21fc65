//! `CreateTenant`: a portal with its policy, its agreement texts and its first administrators.
//!
//! Invariant: everything a portal needs to be used commits together: there is no portal without
//! rules, texts or somebody who can run it.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, Sealed,
    kernel::ids::{SubjectId, TenantId},
    policies::{Policy, PolicyCommand, PolicyHistory, Preset},
    tenants::{PlanRole, Tenant, TenantCommand},
    values::{OrganizationName, Reason, Slug},
};
use serde::{Deserialize, Serialize};

use super::staff::{self, PersonDetails};
use crate::{Access, Caller, Command, Context, Failure, policies::default_agreements};

/// How many active plan administrators a portal keeps once it is live (GN-31).
const ADMINISTRATORS_REQUIRED: u8 = 2;
/// No portal begins with a crowd.
const MOST_ADMINISTRATORS: usize = 10;

/// Opens a portal.
pub struct CreateTenant {
    pub slug: Slug,
    pub name: OrganizationName,
    pub preset: Preset,
    /// At least two, so that no portal hangs on one person.
    pub administrators: Vec<FirstAdministrator>,
}

/// A person invited as plan administrator with the portal.
pub type FirstAdministrator = PersonDetails;

/// What an operator learns of a new portal: nothing that is not public.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreatedTenant {
    pub tenant: TenantId,
}

#[async_trait]
impl Command for CreateTenant {
    const NAME: &'static str = "CreateTenant";
    type Output = CreatedTenant;

    fn access(&self) -> Access {
        Access::Operator
    }

    fn tenant(&self, _: &Caller) -> TenantId {
        TenantId::of_slug(self.slug.as_str())
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<CreatedTenant, Failure> {
        let tenant = cx.tenant();
        let create = TenantCommand::CreateTenant {
            tenant,
            slug: self.slug.clone(),
            name: self.name.clone(),
            preset: self.preset,
            administrators_required: ADMINISTRATORS_REQUIRED,
        };
        cx.decide::<Tenant>(tenant.0, create).await?;
        self.check_administrators()?;

        let reason = Reason::parse("The portal begins with this preset.").map_err(Refusal::from)?;
        let preset = PolicyCommand::ApplyPreset {
            preset: self.preset,
            effective_at: None,
            reason: Sealed::new(SubjectId(tenant.0), reason),
        };
        cx.decide::<PolicyHistory>(tenant.policy_stream(), preset).await?;
        // What follows is decided under the portal's own rules, which began a moment ago.
        cx.policy = Arc::new(Policy::from(self.preset));
        default_agreements::publish_all(cx, self.name.as_str()).await?;
        for person in &self.administrators {
            let roles = BTreeSet::from([PlanRole::Pa]);
            staff::invite(cx, person, roles, staff::Terms::default()).await?;
        }
        Ok(CreatedTenant { tenant })
    }
}

impl CreateTenant {
    fn check_administrators(&self) -> Result<(), Refusal> {
        let count = self.administrators.len();
        if !(usize::from(ADMINISTRATORS_REQUIRED)..=MOST_ADMINISTRATORS).contains(&count) {
            let message = format!(
                "Name {ADMINISTRATORS_REQUIRED} to {MOST_ADMINISTRATORS} first administrators."
            );
            return Err(Refusal::new(Code::FieldRequired, message).at("administrators"));
        }
        let distinct: BTreeSet<_> = self.administrators.iter().map(|p| p.email.key()).collect();
        if distinct.len() == count {
            return Ok(());
        }
        Err(Refusal::new(Code::EmailTaken, "Give every administrator an address of their own.")
            .at("administrators"))
    }
}

/// The operations tenant is no portal: it cannot be stopped from within.
pub(super) fn require_portal(tenant: TenantId) -> Result<(), Refusal> {
    if tenant == TenantId::OPERATIONS { Err(Refusal::not_found("tenantId")) } else { Ok(()) }
}
