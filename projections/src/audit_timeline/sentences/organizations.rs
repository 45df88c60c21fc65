//! Sentences about organisations and their rosters. Invariant: an organisation is told by its name,
//! a person by theirs, an NPI by its digits with the name it was attached under where that is known.

use rollcall_domain::organizations::{DeactivationCause, EnrolmentChanges, OrganizationEvent};

use super::{Telling, left_on, list, lower, time, title};

pub(super) fn sentence(event: &OrganizationEvent, telling: Telling<'_>) -> String {
    use OrganizationEvent as E;
    let who = telling.who();
    let named = |id| telling.organization(id);
    match event {
        E::OrganizationEnrolled { name, kinds, contract_status, .. } => {
            let kinds = list(kinds.iter().map(lower));
            format!("{who} put {name} on file as {kinds} ({}).", lower(contract_status))
        }
        E::EnrolmentUpdated { organization, changes, .. } => {
            format!("{who} updated the file of {}: {}.", named(*organization), changed(changes))
        }
        E::OrganizationContractStatusChanged { organization, status, from } => {
            let (name, status, from) = (named(*organization), lower(status), time(from));
            format!("{who} set the contract of {name} to {status} from {from}.")
        }
        E::OrganizationKindsChanged { organization, old, new } => {
            let kinds = |kinds: &std::collections::BTreeSet<_>| list(kinds.iter().map(lower));
            let (old, new) = (kinds(old), kinds(new));
            format!("{who} changed {} from {old} to {new}.", named(*organization))
        }
        E::NpiAttached { organization, npi, name, effective_at, .. } => {
            let (holder, at) = (named(*organization), time(effective_at));
            format!("{who} attached NPI {npi} ({name}) to {holder} from {at}.")
        }
        E::NpiDetached { organization, npi, effective_at, .. } => {
            let (holder, at) = (named(*organization), time(effective_at));
            format!("{who} detached NPI {npi} from {holder} as of {at}.")
        }
        E::NpiEndPlanned { organization, npi, to, effective_at, .. } => {
            let (holder, at) = (named(*organization), time(effective_at));
            match to {
                None => format!("{who} planned the end of NPI {npi} at {holder} for {at}."),
                Some(to) => {
                    format!(
                        "{who} planned the move of NPI {npi} from {holder} to {} for {at}.",
                        named(*to)
                    )
                }
            }
        }
        E::NpiEndCancelled { organization, npi, effective_at } => {
            let (holder, at) = (named(*organization), time(effective_at));
            format!("{who} called off what was planned for NPI {npi} at {holder} for {at}.")
        }
        E::NpiMoveFailed { organization, npi, to, code } => {
            let (holder, to, code) = (named(*organization), named(*to), code.as_str());
            format!("NPI {npi} left {holder} as planned, but {to} could not take it ({code}).")
        }
        E::MembershipEndPlanned { organization, user, left_on: day, .. } => {
            let (person, name) = (telling.whom(*user), named(*organization));
            format!("{who} planned to deactivate {person} at {name}{}.", left_on(Some(day)))
        }
        E::MembershipEndCancelled { organization, user, .. } => {
            let (person, name) = (telling.person(*user), named(*organization));
            format!("{who} called off the planned deactivation of {person} at {name}.")
        }
        E::MemberMoved { organization, user, into, .. } => {
            let (person, from, into) = (telling.person(*user), named(*organization), named(*into));
            format!("{person} went over from {from} to {into}.")
        }
        E::OrganizationMergeBegun { organization, into, .. } => {
            format!("{who} had {} merged into {}.", named(*organization), named(*into))
        }
        E::OrganizationMergeAdvanced { organization, into, stage, count } => {
            let (from, into, stage) = (named(*organization), named(*into), lower(stage));
            format!("The merger of {from} into {into} went on ({stage}: {count}).")
        }
        E::OrganizationMerged { organization, into } => {
            let (from, into) = (named(*organization), named(*into));
            format!("{from} was closed for good; {into} is its successor.")
        }
        E::OrganizationAbsorptionBegun { organization, from } => {
            format!("{} began to take {} over.", named(*organization), named(*from))
        }
        E::OrganizationAbsorbed { organization, from } => {
            format!("{} has taken {} over.", named(*organization), named(*from))
        }
        E::OrganizationRegistered { name, .. } => format!("{name} was registered."),
        E::MemberInvited { organization, user, .. } => {
            format!("{who} asked {} to join {}.", telling.person(*user), named(*organization))
        }
        E::MemberInvitationEnded { organization, user, cause, .. } => {
            let (person, name, cause) = (telling.person(*user), named(*organization), lower(cause));
            format!("The invitation of {person} to {name} ended without a member ({cause}).")
        }
        E::MembershipAdded { organization, user, by, .. } => {
            let (person, name, by) = (telling.person(*user), named(*organization), lower(by));
            format!("{person} became a member of {name} (by {by}).")
        }
        E::OrgRoleAssigned { organization, user, old, new, .. } => {
            let (whose, name) = (telling.whose(*user), named(*organization));
            let (old, new) = (title(old), title(new));
            format!("{who} set {whose} organisation role at {name} from {old} to {new}.")
        }
        E::UserDeactivated { organization, user, left_on: day, .. } => {
            let (person, name) = (telling.whom(*user), named(*organization));
            format!("{who} deactivated {person} at {name}{}.", left_on(day.as_ref()))
        }
        E::UserDeactivationWarned { organization, user, cause, deactivates_at: end } => {
            let (person, name, end) = (telling.person(*user), named(*organization), time(end));
            let lacks = match cause {
                DeactivationCause::NoPermissions => "has no permissions",
                DeactivationCause::Dormant => "does not sign in",
            };
            format!("{person} {lacks} at {name} and will be deactivated at {end}.")
        }
        E::UserAutoDeactivated { organization, user, cause, .. } => {
            let (person, name) = (telling.person(*user), named(*organization));
            let lack = match cause {
                DeactivationCause::NoPermissions => "for want of permissions",
                DeactivationCause::Dormant => "for not signing in",
            };
            format!("{person} was deactivated at {name} {lack}.")
        }
        E::PlanEvidenceRecorded { organization, user, .. } => {
            let (whose, name) = (telling.whose(*user), named(*organization));
            format!("{who} recorded evidence for the change of {whose} role at {name}.")
        }
        E::AdminRequestSubmitted { organization, user, .. } => {
            let (person, name) = (telling.person(*user), named(*organization));
            format!("{who} asked the health plan to make {person} administrator of {name}.")
        }
        E::AdminRequestDeclined { organization, user, .. } => {
            let (person, name) = (telling.person(*user), named(*organization));
            format!("{who} declined to make {person} administrator of {name}.")
        }
        E::UserReactivated { organization, user, .. } => {
            format!("{who} reactivated {} at {}.", telling.person(*user), named(*organization))
        }
        E::MemberEmailDomainChanged { organization, user, old, new } => {
            let (whose, name) = (telling.whose(*user), named(*organization));
            format!("{who} moved {whose} address at {name} from {old} to {new}.")
        }
        E::EmailDomainAdded { organization, domain } => {
            format!("The email domain {domain} was added to {}.", named(*organization))
        }
        E::EmailDomainRemoved { organization, domain } => {
            format!("{who} removed the email domain {domain} from {}.", named(*organization))
        }
        E::LocationRegistered { organization, name, credentialed, .. } => {
            let kind = if *credentialed { "credentialed" } else { "not credentialed" };
            format!("{who} registered the location {name} of {} ({kind}).", named(*organization))
        }
        E::LocationCredentialingChanged { organization, location, credentialed } => {
            let (place, at) = (telling.thing("location", location.0), named(*organization));
            let now = if *credentialed { "credentialed" } else { "no longer credentialed" };
            format!("{who} noted that the location {place} of {at} is {now}.")
        }
        E::LocationTerminated { organization, location, from } => {
            let (place, at) = (telling.thing("location", location.0), named(*organization));
            format!(
                "{who} ended the contract for the location {place} of {at} from {}.",
                time(from)
            )
        }
        E::TaxIdLinked { organization, reference, .. } => {
            let (kind, last4) = (reference.kind.as_str(), &reference.last4);
            format!("{who} linked the {kind} ending in {last4} to {}.", named(*organization))
        }
        E::OrganizationSuspended { organization, .. } => {
            format!("{who} suspended the access of {}.", named(*organization))
        }
        E::OrganizationReopened { organization } => {
            format!("{who} gave {} its access back.", named(*organization))
        }
        E::OrganizationClosed { organization, .. } => {
            format!("{who} closed {} for good.", named(*organization))
        }
    }
}

fn changed(changes: &EnrolmentChanges) -> String {
    let fields = [
        ("name", changes.name.is_some()),
        ("tax id", changes.tax_id.is_some()),
        ("pay-to address", changes.pay_to_address.is_some()),
        ("pay-to ZIP", changes.pay_to_zip.is_some()),
        ("contact email", changes.contact_email.is_some()),
    ];
    list(fields.into_iter().filter(|(_, changed)| *changed).map(|(field, _)| field.to_owned()))
}
