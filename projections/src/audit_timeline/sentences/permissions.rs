//! Sentences about permissions, PINs and denials. Invariant: a change of a permission tells what it
//! was and what it is.

use std::collections::BTreeSet;

use rollcall_domain::{
    audit::DenialEvent,
    kernel::ids::{OrganizationId, UserId},
    permissions::{
        CorrespondenceScope, Entitlement, EntitlementChange, JobRoleEvent, MembershipEvent,
        NpiScope,
    },
    pins::{PinEvent, ResetBy},
};

use super::{Telling, list, lower, time, title, until};

pub(super) fn scope(scope: &NpiScope) -> String {
    match scope {
        NpiScope::All => "all NPIs".to_owned(),
        NpiScope::One(npi) => format!("NPI {npi}"),
    }
}

fn types(types: &BTreeSet<CorrespondenceScope>) -> String {
    list(types.iter().map(|kind| match kind {
        CorrespondenceScope::All => "all types".to_owned(),
        CorrespondenceScope::One(kind) => kind.to_string(),
    }))
}

/// What was granted, by name where it has one.
pub(super) fn thing(entitlement: &Entitlement, telling: Telling<'_>) -> String {
    match entitlement {
        Entitlement::Feature(feature) => format!("the feature {}", feature.label()),
        Entitlement::JobRole(role) => {
            format!("the job role {}", telling.thing("job role", role.0))
        }
        Entitlement::Location(location) => {
            format!("the location {}", telling.thing("location", location.0))
        }
        Entitlement::TaxId(tax_id) => format!("the {}", telling.thing("tax id", tax_id.0)),
    }
}

fn entitlement(
    change: &EntitlementChange,
    (user, organization): (UserId, OrganizationId),
    telling: Telling<'_>,
) -> String {
    let (who, at) = (telling.who(), telling.organization(organization));
    match change {
        EntitlementChange::Granted { grant, .. } => {
            let (person, thing) = (telling.whom(user), thing(&grant.entitlement, telling));
            format!("{who} granted {person} {thing} ({at}){}.", until(grant.until.as_ref()))
        }
        EntitlementChange::Revoked { entitlement, .. } => {
            let (person, thing) = (telling.whom(user), thing(entitlement, telling));
            format!("{who} took {thing} ({at}) from {person}.")
        }
        EntitlementChange::Expired { entitlement, effective_at } => {
            let (person, thing) = (telling.person(user), thing(entitlement, telling));
            format!("{person} held {thing} ({at}) to its end at {}.", time(effective_at))
        }
    }
}

pub(super) fn job_role(event: &JobRoleEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    let of = |organization: &Option<_>| match organization {
        Some(id) => format!(" ({})", telling.organization(*id)),
        None => " (all organizations)".to_owned(),
    };
    match event {
        JobRoleEvent::JobRoleDefined { organization, name, features, .. } => {
            let features = list(features.iter().map(|feature| feature.label().to_owned()));
            format!("{who} defined the job role {name}{} as {features}.", of(organization))
        }
        JobRoleEvent::JobRoleRetired { role, organization } => {
            let name = telling.thing("job role", role.0);
            format!("{who} retired the job role {name}{}.", of(organization))
        }
    }
}

pub(super) fn membership(event: &MembershipEvent, telling: Telling<'_>) -> String {
    use MembershipEvent as E;
    let who = telling.who();
    let named = |id| telling.organization(id);
    match event {
        E::NpiPermissionSet { user, organization, npi, old, new, until: end, .. } => {
            let (whose, at) = (telling.whose(*user), named(*organization));
            let (npi, old, new) = (scope(npi), title(old), title(new));
            let end = until(end.as_ref());
            format!("{who} set {whose} permission for {npi} ({at}) from {old} to {new}{end}.")
        }
        E::NpiPermissionEnded { user, organization, npi, cause, effective_at, .. } => {
            let (person, at) = (telling.person(*user), named(*organization));
            let (npi, cause, end) = (scope(npi), lower(cause), time(effective_at));
            format!("{person}'s permission for {npi} ({at}) ended at {end} ({cause}).")
        }
        E::CorrespondencePermissionSet { user, organization, npi, types: now, .. } => {
            let (whose, at) = (telling.whose(*user), named(*organization));
            let (npi, now) = (scope(npi), types(now));
            format!("{who} set {whose} correspondence for {npi} ({at}) to {now}.")
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
            entitlement(&change, (*user, *organization), telling)
        }
        E::PermissionsAssigned { user, organization, .. } => {
            let (whose, at) = (telling.whose(*user), named(*organization));
            format!("{who} finished assigning {whose} permissions at {at}.")
        }
        E::PermissionsDeferred { user, organization } => {
            let (whose, at) = (telling.whose(*user), named(*organization));
            format!("{who} put off assigning {whose} permissions at {at}.")
        }
        E::FormerPermissionsConfirmed { user, organization } => {
            let (whose, at) = (telling.whose(*user), named(*organization));
            format!("{who} confirmed {whose} former permissions at {at}.")
        }
        E::MembershipPermissionsEnded { user, organization, cause } => {
            let (person, at) = (telling.person(*user), named(*organization));
            format!("All permissions of {person} at {at} ended ({}).", lower(cause))
        }
    }
}

pub(super) fn pin(event: &PinEvent, telling: Telling<'_>) -> String {
    let who = telling.who();
    let named = |id| telling.organization(id);
    match event {
        PinEvent::PinIssued { npi, organization, version, .. } => {
            let at = named(*organization);
            format!("NPI {npi} ({at}) was given a PIN, version {version}.")
        }
        PinEvent::PinReset { npi, organization, version, by, .. } => {
            let for_whom = match by {
                ResetBy::User => "",
                ResetBy::Support => " for a caller",
            };
            let at = named(*organization);
            format!("{who} reset the PIN of NPI {npi} ({at}){for_whom}; it is version {version}.")
        }
        PinEvent::PinPropagationPending { npi, organization, due_at, .. } => {
            let (at, end) = (named(*organization), time(due_at));
            format!("Files that depend on the PIN of NPI {npi} ({at}) take it over until {end}.")
        }
        PinEvent::PinPropagationCompleted { npi, organization, version } => {
            let at = named(*organization);
            format!("Every file that depends on the PIN of NPI {npi} ({at}) has version {version}.")
        }
        PinEvent::PinRevealed { npi, organization, user, .. } => {
            let (person, at) = (telling.person(*user), named(*organization));
            format!("{person} was shown the PIN of NPI {npi} ({at}).")
        }
    }
}

pub(super) fn denial(event: &DenialEvent, telling: Telling<'_>) -> String {
    let DenialEvent::AccessDenied(denied) = event;
    let about = denied.npi.as_ref().map(|npi| format!(" for NPI {npi}")).unwrap_or_default();
    let at = telling.at("at", denied.organization);
    let who = telling.who();
    format!("{who} was refused {}{about}{at} ({}).", denied.command, denied.code.as_str())
}
