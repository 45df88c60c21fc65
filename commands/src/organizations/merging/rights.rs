//! A member's rights go over with them.
//!
//! Invariant: nobody has more than before beyond what they were given in the successor, and nothing
//! lasts longer than it did. A right for all NPIs becomes one for each that came along, and what the
//! successor gave already is neither lowered nor shortened.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{MembershipId, UserId},
    organizations::Organization,
    permissions::{
        Cause, CorrespondenceScope, Entitlement, EntitlementGrant, JobRole, Membership,
        MembershipCommand, NpiLevel, NpiScope,
        membership::{MembershipKey, NpiChange, NpiGrant},
    },
    values::Npi,
};

use super::{Scene, outlasts};
use crate::{Context, Failure};

/// What somebody held in the former organisation.
pub(super) struct Rights {
    pub user: UserId,
    /// By when all of it ends, where the membership in the successor does not end by then.
    pub until: Option<DateTime<Utc>>,
}

impl Rights {
    pub(super) async fn carry(self, cx: &mut Context<'_>, scene: &Scene) -> Result<(), Failure> {
        let (tenant, now) = (cx.tenant(), cx.now);
        let of = MembershipKey { user: self.user, organization: scene.merger.into };
        let stream = MembershipId::of(tenant, self.user, of.organization);
        let before = cx.load::<Membership>(MembershipId::of(tenant, self.user, scene.from)).await?;
        let there = cx.load::<Membership>(stream).await?;
        let former = cx.load::<Organization>(scene.from).await?;
        let held = kept(&*cx.load::<Organization>(of.organization).await?, now);
        let common: BTreeSet<Npi> =
            kept(&former, now).into_iter().filter(|npi| held.contains(npi)).collect();
        let changes = self.levels(&before, &there, &common, now);
        if !changes.is_empty() {
            let set =
                MembershipCommand::SetNpiPermissions { of, changes, held, cause: Cause::Merge };
            cx.decide::<Membership>(stream, set).await?;
        }
        for (types, npis) in correspondence(&before, &common, now) {
            let known = types.iter().filter_map(|scope| match scope {
                CorrespondenceScope::All => None,
                CorrespondenceScope::One(kind) => Some(kind.clone()),
            });
            let set = MembershipCommand::SetCorrespondencePermissions {
                of,
                npis,
                known: known.collect(),
                add: types,
                remove: BTreeSet::new(),
                cause: Cause::Merge,
            };
            cx.decide::<Membership>(stream, set).await?;
        }
        let grants = self.entitlements(cx, scene, (&before, &there)).await?;
        if !grants.is_empty() {
            let give = MembershipCommand::Grant { of, grants, cause: Cause::Merge };
            cx.decide::<Membership>(stream, give).await?;
        }
        Ok(())
    }

    /// The end of a right that had this one.
    fn capped(&self, until: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
        if outlasts(until, self.until) { self.until } else { until }
    }

    /// The level of each NPI that came along, where it adds to what the successor gave.
    fn levels(
        &self,
        before: &Membership,
        there: &Membership,
        npis: &BTreeSet<Npi>,
        now: DateTime<Utc>,
    ) -> Vec<NpiChange> {
        let change = |npi: &Npi| {
            let (_, NpiGrant { level, until }) = before.deciding_entry(npi, now)?;
            let until = self.capped(until);
            let adds = adds_to(there.deciding_entry(npi, now), NpiGrant { level, until });
            adds.then(|| NpiChange { npi: NpiScope::One(npi.clone()), level, until })
        };
        npis.iter().filter_map(change).collect()
    }

    /// Features, job roles, locations and tax ids that mean something in the successor; a job role of
    /// the former organisation's own becomes the features it bundles.
    async fn entitlements(
        &self,
        cx: &mut Context<'_>,
        scene: &Scene,
        (before, there): (&Membership, &Membership),
    ) -> Result<Vec<EntitlementGrant>, Failure> {
        let successor = cx.load::<Organization>(scene.merger.into).await?;
        let tax_ids = successor.tax_ids();
        let mut grants = Longest::default();
        for EntitlementGrant { entitlement, until } in before.entitlements() {
            if !before.holds(&entitlement, cx.now) {
                continue;
            }
            let until = self.capped(until);
            match entitlement {
                Entitlement::Feature(_) => grants.note(entitlement, until),
                Entitlement::JobRole(role) => {
                    let role = cx.load::<JobRole>(role).await?;
                    match role.bundle() {
                        Some(bundle) if bundle.organization.is_some() => {
                            for feature in &bundle.features {
                                grants.note(Entitlement::Feature(*feature), until);
                            }
                        }
                        Some(_) => grants.note(entitlement, until),
                        None => {}
                    }
                }
                Entitlement::Location(location) => {
                    if successor.location(location).is_some() {
                        grants.note(entitlement, until);
                    }
                }
                Entitlement::TaxId(tax_id) => {
                    if tax_ids.contains_key(&tax_id) {
                        grants.note(entitlement, until);
                    }
                }
            }
        }
        let held = there.entitlements().filter(|grant| there.holds(&grant.entitlement, cx.now));
        let held: BTreeMap<_, _> = held.map(|grant| (grant.entitlement, grant.until)).collect();
        let mut grants = grants.0;
        grants.retain(|entitlement, until| {
            held.get(entitlement).is_none_or(|held| outlasts(*until, *held))
        });
        let grant = |(entitlement, until)| EntitlementGrant { entitlement, until };
        Ok(grants.into_iter().map(grant).collect())
    }
}

/// The NPIs that an organisation holds, or will, and whose end has not come.
fn kept(organization: &Organization, now: DateTime<Utc>) -> BTreeSet<Npi> {
    organization
        .open_npis()
        .filter(|(_, holding)| holding.planned_end.as_ref().is_none_or(|end| now < end.at))
        .map(|(npi, _)| npi.clone())
        .collect()
}

/// Whether a level for one NPI adds to what decides there now and takes nothing of it away, at no
/// time. Below an entry for all NPIs nothing is lost: it counts again when the NPI's own one is over.
fn adds_to(there: Option<(NpiScope, NpiGrant)>, grant: NpiGrant) -> bool {
    let Some((scope, held)) = there else { return grant.level > NpiLevel::None };
    let longer = outlasts(grant.until, held.until);
    if grant.level == held.level {
        return longer && grant.level > NpiLevel::None;
    }
    let replaces = matches!(scope, NpiScope::One(_)) && held.level > NpiLevel::None;
    grant.level > held.level && !(replaces && outlasts(held.until, grant.until))
}

/// The types of each NPI that came along, NPIs of the same types together.
fn correspondence(
    before: &Membership,
    npis: &BTreeSet<Npi>,
    now: DateTime<Utc>,
) -> BTreeMap<BTreeSet<CorrespondenceScope>, Vec<NpiScope>> {
    let mut groups: BTreeMap<BTreeSet<CorrespondenceScope>, Vec<NpiScope>> = BTreeMap::new();
    for npi in npis.iter().filter(|npi| before.level(npi, now) > NpiLevel::None) {
        let types = before.correspondence(npi);
        if !types.is_empty() {
            groups.entry(types).or_default().push(NpiScope::One(npi.clone()));
        }
    }
    groups
}

/// What is given, each for the longest time that anything gives it.
#[derive(Default)]
struct Longest(BTreeMap<Entitlement, Option<DateTime<Utc>>>);

impl Longest {
    fn note(&mut self, entitlement: Entitlement, until: Option<DateTime<Utc>>) {
        let noted = self.0.entry(entitlement).or_insert(until);
        if outlasts(until, *noted) {
            *noted = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn gn_03_a_right_that_goes_over_adds_and_takes_nothing_away() {
        let day = |day| Utc.with_ymd_and_hms(2026, 3, day, 0, 0, 0).single();
        let grant = |level, until| NpiGrant { level, until };
        let own = NpiScope::One(Npi::parse("1234567893").expect("a valid NPI"));
        let (none, processor, admin) = (NpiLevel::None, NpiLevel::Processor, NpiLevel::Admin);
        assert!(adds_to(None, grant(processor, day(9))));
        assert!(!adds_to(None, grant(none, None)));
        for scope in [own.clone(), NpiScope::All] {
            let there = |level, until| Some((scope.clone(), grant(level, until)));
            assert!(adds_to(there(processor, day(8)), grant(processor, day(9))), "for longer");
            assert!(adds_to(there(processor, day(8)), grant(processor, None)), "for good");
            assert!(!adds_to(there(processor, None), grant(processor, day(9))));
            assert!(!adds_to(there(processor, day(9)), grant(processor, day(9))));
            assert!(adds_to(there(processor, day(8)), grant(admin, day(9))));
            assert!(!adds_to(there(admin, day(8)), grant(processor, None)), "none is lowered");
            assert!(!adds_to(there(none, None), grant(none, None)));
        }
        let shorter = grant(admin, day(9));
        assert!(!adds_to(Some((own, grant(processor, None))), shorter), "nor shortened");
        assert!(adds_to(Some((NpiScope::All, grant(processor, None))), shorter));
    }
}
