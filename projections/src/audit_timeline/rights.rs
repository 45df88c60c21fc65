//! Which events concern a kind of right (GN-26): what gave, changed, ended or used it, and what
//! happened to that on which it stands.
//!
//! Invariant: each stored name here is one of an event, and each fact of a membership's stream
//! about a right is here; tests hold both. Requests for rights are not among them.

use rollcall_domain::permissions::right_use::RightKind;
use sqlx::{Postgres, QueryBuilder};

/// Whose place in an organisation changed, and all rights there with it.
const PLACE: &[&str] = &[
    "organizations.organization.membership_added",
    "organizations.organization.member_moved",
    "organizations.organization.org_role_assigned",
    "organizations.organization.user_auto_deactivated",
    "organizations.organization.user_deactivated",
    "organizations.organization.user_reactivated",
];
const ENDED: &str = "permissions.membership.membership_permissions_ended";
const NPI: &[&str] = &[
    ENDED,
    "organizations.organization.npi_attached",
    "organizations.organization.npi_detached",
    "permissions.membership.npi_permission_ended",
    "permissions.membership.npi_permission_set",
];
const PIN: &[&str] = &["pins.pin.pin_reset", "pins.pin.pin_revealed"];
const CORRESPONDENCE: &[&str] = &["permissions.membership.correspondence_permission_set"];
const FEATURE: &[&str] = &[
    ENDED,
    "permissions.membership.feature_granted",
    "permissions.membership.feature_revoked",
    "policies.policy.feature_availability_changed",
];
const JOB_ROLE: &[&str] = &[
    "permissions.job_role.job_role_defined",
    "permissions.job_role.job_role_retired",
    "permissions.membership.job_role_assigned",
    "permissions.membership.job_role_unassigned",
];
const LOCATION: &[&str] = &[
    ENDED,
    "organizations.organization.location_credentialing_changed",
    "organizations.organization.location_registered",
    "organizations.organization.location_terminated",
    "permissions.membership.location_access_granted",
    "permissions.membership.location_access_revoked",
];
const TAX_ID: &[&str] = &[
    ENDED,
    "organizations.organization.tax_id_linked",
    "permissions.membership.tax_id_access_granted",
    "permissions.membership.tax_id_access_revoked",
];
const STAFF: &[&str] = &[
    "tenants.plan_staff.plan_role_assigned",
    "tenants.plan_staff.plan_role_ended",
    "tenants.plan_staff.plan_role_scoped",
    "tenants.plan_staff.plan_staff_invited",
];
const SUBMISSION: &[&str] = &[
    "affiliations.affiliation.affiliation_approved",
    "affiliations.affiliation.affiliation_npis_assigned",
    "affiliations.affiliation.affiliation_renewed",
    "affiliations.affiliation.affiliation_taken_over",
    "affiliations.affiliation.affiliation_terminated",
    "affiliations.affiliation.affiliation_termination_cancelled",
    "transactions.handoff.transaction_handoff_issued",
    "transactions.handoff.transaction_handoff_redeemed",
];
/// A grant whose day came; which, stands in it.
const EXPIRED: &str = "permissions.membership.grant_expired";
/// What people did with rights in a day; with which, stands in it.
const USED: &str = "permissions.right_use.right_used";

/// The types of events that concern a kind, whatever they say.
fn types(right: RightKind) -> Vec<&'static str> {
    let lists: &[&[&str]] = match right {
        RightKind::ViewOrganization | RightKind::ManageUsers => &[PLACE],
        RightKind::ViewNpi => &[NPI],
        RightKind::ManagePin => &[NPI, PIN],
        RightKind::ReadCorrespondence => &[NPI, CORRESPONDENCE],
        RightKind::UseFeature => &[FEATURE, JOB_ROLE],
        RightKind::HoldJobRole => &[&[ENDED], JOB_ROLE],
        RightKind::ViewLocation | RightKind::ChooseLocation => &[LOCATION],
        RightKind::ReadTaxId => &[TAX_ID],
        RightKind::PlanRole => &[STAFF],
        RightKind::SubmitTransactions => &[SUBMISSION],
    };
    lists.concat()
}

/// The types of events among which those are that concern a kind.
pub(super) fn all_types(right: RightKind) -> Vec<&'static str> {
    [types(right).as_slice(), &[EXPIRED, USED]].concat()
}

/// The grants that give a kind, as `grant_expired` names them.
const fn grants(right: RightKind) -> &'static [&'static str] {
    match right {
        RightKind::UseFeature => &["FEATURE", "JOB_ROLE"],
        RightKind::HoldJobRole => &["JOB_ROLE"],
        RightKind::ViewLocation | RightKind::ChooseLocation => &["LOCATION"],
        RightKind::ReadTaxId => &["TAX_ID"],
        RightKind::ViewOrganization
        | RightKind::ManageUsers
        | RightKind::ViewNpi
        | RightKind::ManagePin
        | RightKind::ReadCorrespondence
        | RightKind::PlanRole
        | RightKind::SubmitTransactions => &[],
    }
}

/// Demands that `t` concerns rights of the kind.
pub(super) fn concerned(query: &mut QueryBuilder<'_, Postgres>, right: RightKind) {
    query.push(" AND (t.event_type = ANY (").push_bind(types(right));
    query.push(") OR t.event_type = ").push_bind(EXPIRED);
    query.push(" AND t.after -> 'grant' ?| ").push_bind(grants(right));
    query.push(" OR t.event_type = ").push_bind(USED);
    query.push(" AND t.after #>> '{right,kind}' = ").push_bind(right.as_str()).push(")");
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn stored() -> BTreeSet<String> {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/events");
        let files = fs::read_dir(golden).expect("golden events").flatten();
        let name = |file: fs::DirEntry| file.file_name().into_string().expect("a name");
        files.map(name).filter_map(|it| Some(it.split_once(".v")?.0.to_owned())).collect()
    }

    #[test]
    fn each_name_is_an_events_and_each_fact_about_a_right_concerns_one() {
        let stored = stored();
        let concerned: BTreeSet<&str> =
            RightKind::ALL.into_iter().flat_map(types).chain([EXPIRED, USED]).collect();
        for name in &concerned {
            assert!(stored.contains(*name), "{name} is no event");
        }
        // How far the wizard for permissions has come, and words of an administrator: no right.
        let about_none =
            ["former_permissions_confirmed", "permissions_assigned", "permissions_deferred"];
        for name in stored.iter().filter(|name| name.starts_with("permissions.membership.")) {
            let is_about_none = about_none.iter().any(|fact| name.ends_with(&format!(".{fact}")));
            assert_ne!(concerned.contains(name.as_str()), is_about_none, "{name}");
        }
    }
}
