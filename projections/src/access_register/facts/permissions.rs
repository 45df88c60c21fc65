//! What a membership's permissions say about access, over time.
//!
//! Invariant: what ends with a membership's permissions is whatever its timelines hold, by name.

use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::{EntitlementChange, MembershipEvent, NpiLevel},
};

use super::{Change, nothing};
use crate::access_register::{cause::Cause, interval::Timeline, ledger::Held};

impl Change<'_> {
    fn entitlement(
        &mut self,
        user: UserId,
        organization: OrganizationId,
        change: &EntitlementChange,
    ) {
        let timeline = |entitlement| Timeline::Entitlement(user, organization, entitlement);
        match change {
            EntitlementChange::Granted { grant, cause } => {
                let cause = Cause::from(*cause);
                let held = Held { value: nothing(), until: grant.until, cause };
                self.begins(&timeline(grant.entitlement), held);
            }
            EntitlementChange::Revoked { entitlement, cause } => {
                self.ends(&timeline(*entitlement), Cause::from(*cause));
            }
            EntitlementChange::Expired { entitlement, .. } => {
                self.ends(&timeline(*entitlement), Cause::Expiry);
            }
        }
    }

    pub(super) fn membership(&mut self, event: &MembershipEvent) {
        use MembershipEvent as E;
        match event {
            E::NpiPermissionSet { user, organization, npi, new, until, cause, .. } => {
                // NONE is an entry as well: it overrides what is set for all NPIs.
                let word = match new {
                    NpiLevel::None => "NONE",
                    NpiLevel::Processor => "PROCESSOR",
                    NpiLevel::Admin => "ADMIN",
                };
                let held = Held {
                    value: vec![word.to_owned()],
                    until: *until,
                    cause: Cause::from(*cause),
                };
                self.begins(&Timeline::npi_level(*user, *organization, npi), held);
            }
            E::NpiPermissionEnded { user, organization, npi, cause, .. } => {
                let level = Timeline::npi_level(*user, *organization, npi);
                self.ends(&level, Cause::from(*cause));
            }
            E::CorrespondencePermissionSet { user, organization, npi, types, cause, .. } => {
                let value = types.iter().map(ToString::to_string).collect();
                let held = Held { value, until: None, cause: Cause::from(*cause) };
                self.begins(&Timeline::correspondence(*user, *organization, npi), held);
            }
            E::MembershipPermissionsEnded { user, organization, cause } => {
                for timeline in self.permissions(*user, *organization) {
                    self.ends(&timeline, Cause::from(*cause));
                }
            }
            E::FeatureGranted { user, organization, .. }
            | E::FeatureRevoked { user, organization, .. }
            | E::JobRoleAssigned { user, organization, .. }
            | E::JobRoleUnassigned { user, organization, .. }
            | E::LocationAccessGranted { user, organization, .. }
            | E::LocationAccessRevoked { user, organization, .. }
            | E::TaxIdAccessGranted { user, organization, .. }
            | E::TaxIdAccessRevoked { user, organization, .. }
            | E::GrantExpired { user, organization, .. } => {
                let change = event.entitlement().expect("these facts are about one");
                self.entitlement(*user, *organization, &change);
            }
            E::PermissionsAssigned { .. }
            | E::PermissionsDeferred { .. }
            | E::FormerPermissionsConfirmed { .. } => {}
        }
    }

    fn permissions(&self, user: UserId, organization: OrganizationId) -> Vec<Timeline> {
        let is_permission = |timeline: &&Timeline| {
            matches!(
                timeline,
                Timeline::NpiLevel(of, at, _)
                | Timeline::Correspondence(of, at, _)
                | Timeline::Entitlement(of, at, _)
                    if (*of, *at) == (user, organization)
            )
        };
        self.ledger.timelines().filter(is_permission).cloned().collect()
    }
}
