//! A member's rights go over with them.
//!
//! Invariant: nobody has more than before beyond what they were given in the successor. A right for all
//! NPIs becomes one for each that came along, and one that the successor gave already is not lowered.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_domain::{
    kernel::ids::{MembershipId, UserId},
    organizations::Organization,
    permissions::{
        Cause, CorrespondenceScope, Entitlement, EntitlementGrant, JobRole, Membership,
        MembershipCommand, NpiLevel, NpiScope,
        membership::{MembershipKey, NpiChange},
    },
    values::Npi,
};

use super::Scene;
use crate::{Context, Failure};

pub(super) async fn carry(
    cx: &mut Context<'_>,
    scene: &Scene,
    user: UserId,
) -> Result<(), Failure> {
    let (tenant, now) = (cx.tenant(), cx.now);
    let of = MembershipKey { user, organization: scene.merger.into };
    let stream = MembershipId::of(tenant, user, of.organization);
    let before = cx.load::<Membership>(MembershipId::of(tenant, user, scene.from)).await?;
    let there = cx.load::<Membership>(stream).await?;
    let former = cx.load::<Organization>(scene.from).await?;
    let held = cx.load::<Organization>(of.organization).await?.npis_at(now);
    let common: BTreeSet<Npi> =
        former.npis_at(now).into_iter().filter(|npi| held.contains(npi)).collect();
    let changes = levels(&before, &there, &common, now);
    if !changes.is_empty() {
        let set = MembershipCommand::SetNpiPermissions { of, changes, held, cause: Cause::Merge };
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
    let grants = entitlements(cx, scene, (&before, &there)).await?;
    if !grants.is_empty() {
        let give = MembershipCommand::Grant { of, grants, cause: Cause::Merge };
        cx.decide::<Membership>(stream, give).await?;
    }
    Ok(())
}

/// The level of each NPI that came along, where the successor gave no higher one.
fn levels(
    before: &Membership,
    there: &Membership,
    npis: &BTreeSet<Npi>,
    now: DateTime<Utc>,
) -> Vec<NpiChange> {
    let change = |npi: &Npi| {
        let (_, grant) = before.deciding_entry(npi, now)?;
        let is_more = grant.level > there.level(npi, now);
        let npi = NpiScope::One(npi.clone());
        is_more.then_some(NpiChange { npi, level: grant.level, until: grant.until })
    };
    npis.iter().filter_map(change).collect()
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

/// Features, job roles, locations and tax ids that mean something in the successor; a job role of the
/// former organisation's own becomes the features it bundles.
async fn entitlements(
    cx: &mut Context<'_>,
    scene: &Scene,
    (before, there): (&Membership, &Membership),
) -> Result<Vec<EntitlementGrant>, Failure> {
    let successor = cx.load::<Organization>(scene.merger.into).await?;
    let tax_ids = successor.tax_ids();
    let mut grants = BTreeMap::new();
    for EntitlementGrant { entitlement, until } in before.entitlements() {
        if !before.holds(&entitlement, cx.now) {
            continue;
        }
        match entitlement {
            Entitlement::Feature(_) => {
                grants.insert(entitlement, until);
            }
            Entitlement::JobRole(role) => {
                let role = cx.load::<JobRole>(role).await?;
                match role.bundle() {
                    Some(bundle) if bundle.organization.is_some() => {
                        for feature in &bundle.features {
                            grants.entry(Entitlement::Feature(*feature)).or_insert(until);
                        }
                    }
                    Some(_) => {
                        grants.insert(entitlement, until);
                    }
                    None => {}
                }
            }
            Entitlement::Location(location) => {
                if successor.location(location).is_some() {
                    grants.insert(entitlement, until);
                }
            }
            Entitlement::TaxId(tax_id) => {
                if tax_ids.contains_key(&tax_id) {
                    grants.insert(entitlement, until);
                }
            }
        }
    }
    grants.retain(|entitlement, _| !there.holds(entitlement, cx.now));
    let grant = |(entitlement, until)| EntitlementGrant { entitlement, until };
    Ok(grants.into_iter().map(grant).collect())
}
