//! Sentences about permissions, PINs and denials. Invariant: a change of a permission tells what it
//! was and what it is.

use std::collections::BTreeSet;

use rollcall_domain::{
    audit::DenialEvent,
    permissions::{CorrespondenceScope, MembershipEvent, NpiScope},
    pins::{PinEvent, ResetBy},
};

use super::{Telling, list, lower, time, title, until};

fn scope(scope: &NpiScope) -> String {
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
