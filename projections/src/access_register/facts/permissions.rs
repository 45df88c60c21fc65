//! What a membership's permissions say about access, over time.
//!
//! Invariant: what ends with a membership's permissions is whatever its timelines hold, by name.

use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::{Entitlement, EntitlementChange, MembershipEvent, NpiLevel},
    policies::Feature,
};

use super::{Change, nothing};
use crate::access_register::{
    cause::Cause,
    interval::Timeline,
    ledger::{Held, Ledger},
};

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
                for timeline in permissions(self.ledger, *user, *organization) {
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
}

/// All that a membership's permissions ever gave, as held now: by its place in the ledger, since there
/// may be very many others.
fn permissions(ledger: &Ledger, user: UserId, organization: OrganizationId) -> Vec<Timeline> {
    let least = Entitlement::Feature(Feature::ALL[0]);
    let firsts = [
        Timeline::NpiLevel(user, organization, String::new()),
        Timeline::Correspondence(user, organization, String::new()),
        Timeline::Entitlement(user, organization, least),
    ];
    let of = |first: &Timeline| -> Vec<Timeline> {
        let is_theirs = |it: &&Timeline| {
            std::mem::discriminant(*it) == std::mem::discriminant(first)
                && (it.user(), it.organization()) == (Some(user), Some(organization))
        };
        ledger.timelines_from(first).take_while(is_theirs).cloned().collect()
    };
    firsts.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use rollcall_domain::{
        kernel::ids::{JobRoleId, LocationId, TaxIdId},
        tenants::PlanRole,
    };
    use uuid::Uuid;

    use super::*;
    use crate::access_register::ledger::Happening;

    #[test]
    fn the_permissions_of_one_membership_are_found_all_and_no_other() {
        let id = |n: u128| Uuid::from_u128(n);
        let (users, places) = ([1, 2, 3], [4, 5, 6]);
        let of = |user: u128, place: u128| -> Vec<Timeline> {
            let (user, place) = (UserId(id(user)), OrganizationId(id(place)));
            let levels = ["*", "1245319599", "1999999984"].map(ToOwned::to_owned);
            let scopes = levels.clone();
            let features = Feature::ALL.iter().copied().map(Entitlement::Feature);
            let others = [0, u128::MAX].into_iter().flat_map(|n| {
                [
                    Entitlement::JobRole(JobRoleId(id(n))),
                    Entitlement::Location(LocationId(id(n))),
                    Entitlement::TaxId(TaxIdId(id(n))),
                ]
            });
            let mut all: Vec<Timeline> =
                levels.into_iter().map(|npi| Timeline::NpiLevel(user, place, npi)).collect();
            all.extend(scopes.into_iter().map(|npi| Timeline::Correspondence(user, place, npi)));
            let entitlements = features.chain(others);
            all.extend(entitlements.map(|it| Timeline::Entitlement(user, place, it)));
            all.sort();
            all
        };
        let mut ledger = Ledger::default();
        let by = Happening { position: 1, recorded_at: DateTime::<Utc>::UNIX_EPOCH };
        let mut hold = |timeline: &Timeline| {
            let held = Held { value: nothing(), until: None, cause: Cause::Plan };
            ledger.set(by, timeline, DateTime::<Utc>::UNIX_EPOCH, held);
        };
        for (user, place) in users.iter().flat_map(|user| places.map(|place| (*user, place))) {
            of(user, place).iter().for_each(&mut hold);
            let (user, place) = (UserId(id(user)), OrganizationId(id(place)));
            hold(&Timeline::OrgRole(user, place));
            hold(&Timeline::MembershipActive(user, place));
            hold(&Timeline::PlanRole(user, PlanRole::Au.as_str(), Some(place)));
        }
        for (user, place) in users.iter().flat_map(|user| places.map(|place| (*user, place))) {
            let found = permissions(&ledger, UserId(id(user)), OrganizationId(id(place)));
            assert_eq!(found, of(user, place));
        }
    }
}
