//! What is reviewed, in words. Invariant: sentences, files and paper say the same.

use rollcall_domain::{
    access_reviews::{ReviewScope, ReviewedAccess},
    organizations::OrgRole,
    permissions::{CorrespondenceScope, NpiScope},
    policies::ReviewedChange,
};

use crate::audit_timeline::sentences::{list, may, plan_role};

/// What the plan itself is called, where an organisation is named elsewhere.
pub const THE_PLAN: &str = "the health plan";

/// What the items were chosen by: `all active members`.
#[must_use]
pub fn scope_words(scope: &ReviewScope) -> String {
    match scope {
        ReviewScope::Roster => "all active members".to_owned(),
        ReviewScope::Administrators => "the administrators".to_owned(),
        ReviewScope::Dormant { days } => {
            format!("members who have not signed in for {days} days")
        }
        ReviewScope::Rights => "all rights of its members".to_owned(),
        ReviewScope::Npi { npi } => narrowed("NPI", npi.as_ref()),
        ReviewScope::Feature { feature } => narrowed("feature", feature.as_ref()),
        ReviewScope::JobRole { role } => narrowed("job role", role.as_ref()),
        ReviewScope::Location { location } => narrowed("location", location.as_ref()),
        ReviewScope::Affiliations { affiliation: None } => {
            "work for NPIs of providers under affiliations".to_owned()
        }
        ReviewScope::Affiliations { affiliation: Some(affiliation) } => {
            format!("work for NPIs of the provider under affiliation {affiliation}")
        }
        ReviewScope::People { users } => people_words(users.len()),
        ReviewScope::ApiKeys => "machines' keys".to_owned(),
        ReviewScope::PlanStaff => "the roles of the plan's own people".to_owned(),
    }
}

/// `all that one person has`.
#[must_use]
pub fn people_words(count: usize) -> String {
    match count {
        1 => "all that one person has".to_owned(),
        more => format!("all that {more} people have"),
    }
}

/// Why a review was opened that nobody asked for: `after an import of people`.
#[must_use]
pub const fn change_words(change: ReviewedChange) -> &'static str {
    match change {
        ReviewedChange::NewAdministrator => "after somebody became an administrator",
        ReviewedChange::GrantedWhileDormant => {
            "after a right was granted to somebody who had not signed in for long"
        }
        ReviewedChange::AffiliationEnded => "after an affiliation ended",
        ReviewedChange::Moved => "after people came from another organization",
        ReviewedChange::Imported => "after an import of people",
    }
}

/// `rights by any NPI`, or by one.
fn narrowed(what: &str, one: Option<&impl ToString>) -> String {
    match one {
        Some(one) => format!("rights by {what} {}", one.to_string()),
        None => format!("rights by any {what}"),
    }
}

/// The access of an item: `Member, Administrator`, or a right by its names.
#[must_use]
pub fn access_words(access: &ReviewedAccess) -> String {
    match access {
        ReviewedAccess::Membership { role } => format!("Member{}", role_words(*role)),
        ReviewedAccess::Npi { npi, level, .. } => {
            format!("{} for {}", title(level.as_str()), npi_words(npi))
        }
        ReviewedAccess::Correspondence { npi, types } => {
            let types = match types {
                CorrespondenceScope::All => "All correspondence".to_owned(),
                CorrespondenceScope::One(kind) => format!("Correspondence {kind}"),
            };
            format!("{types} for {}", npi_words(npi))
        }
        ReviewedAccess::Submission { npi, .. } => format!("Transactions for NPI {npi}"),
        ReviewedAccess::Grant { grant, .. } => {
            let kind = title(&grant.kind().as_str().replace('_', " "));
            format!("{kind} {}", grant.key())
        }
        ReviewedAccess::ApiKey { name, scopes, .. } => {
            let scopes = list(scopes.iter().map(|scope| may(*scope).to_owned()));
            format!("API key \"{name}\" (may {scopes})")
        }
        ReviewedAccess::PlanRole { role, organizations, .. } => {
            let reach = match organizations.len() {
                0 => "the whole plan".to_owned(),
                1 => "1 organization".to_owned(),
                more => format!("{more} organizations"),
            };
            format!("Plan role {} for {reach}", plan_role(*role))
        }
    }
}

/// `Job role` of `JOB ROLE`.
fn title(capitals: &str) -> String {
    let small = capitals.to_lowercase();
    let mut letters = small.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn npi_words(npi: &NpiScope) -> String {
    match npi {
        NpiScope::All => "all NPIs".to_owned(),
        NpiScope::One(npi) => format!("NPI {npi}"),
    }
}

/// What an organisation-wide permission adds to that.
fn role_words(role: OrgRole) -> &'static str {
    match role {
        OrgRole::None => "",
        OrgRole::Processor => ", Processor",
        OrgRole::Admin => ", Administrator",
    }
}
