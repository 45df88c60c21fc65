//! What is reviewed, in words. Invariant: sentences, files and paper say the same.

use rollcall_domain::{
    access_reviews::{ReviewScope, ReviewedAccess},
    organizations::OrgRole,
};

/// What the items were chosen by: `all active members`.
#[must_use]
pub fn scope_words(scope: &ReviewScope) -> String {
    match scope {
        ReviewScope::Roster => "all active members".to_owned(),
        ReviewScope::Administrators => "the administrators".to_owned(),
        ReviewScope::Dormant { days } => {
            format!("members who have not signed in for {days} days")
        }
    }
}

/// The access of an item: `Member, Administrator`.
#[must_use]
pub fn access_words(access: &ReviewedAccess) -> String {
    match access {
        ReviewedAccess::Membership { role } => format!("Member{}", role_words(*role)),
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
