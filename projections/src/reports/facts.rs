//! What rows are made of besides intervals.
//!
//! Invariant: each of these follows from events up to one position and one moment, however it was read.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    Actor,
    audit::SodTerms,
    kernel::ids::{AffiliationId, OrganizationId, SodRuleId, UserId},
    permissions::right_use::RightKind,
};

/// Whose use of what: the person, the organisation (none for roles of the plan), the kind, and what of
/// it where a report tells that apart.
pub(crate) type UseOf = (UserId, Option<OrganizationId>, RightKind, String);

/// For which NPIs and transactions an affiliation is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// `None`: all of the provider's, those attached later included.
    pub npis: Option<BTreeSet<String>>,
    pub transaction_types: BTreeSet<String>,
}

/// The facts that reports need.
#[derive(Default)]
pub(crate) struct Facts {
    /// When the records begin.
    pub begins: Option<DateTime<Utc>>,
    /// When each person last signed in.
    pub sign_ins: HashMap<UserId, DateTime<Utc>>,
    /// The last day of use.
    pub uses: HashMap<UseOf, NaiveDate>,
    /// Who caused what is at a position.
    pub actors: HashMap<i64, Actor>,
    pub scopes: HashMap<AffiliationId, Scope>,
    pub rules: BTreeMap<SodRuleId, SodTerms>,
}

/// What of a kind a report tells apart.
pub(crate) fn told_apart(kind: RightKind, of: &str) -> String {
    match kind {
        RightKind::PlanRole | RightKind::UseFeature => of.to_owned(),
        RightKind::ViewOrganization
        | RightKind::ManageUsers
        | RightKind::ViewNpi
        | RightKind::ManagePin
        | RightKind::ReadCorrespondence
        | RightKind::HoldJobRole
        | RightKind::ViewLocation
        | RightKind::ChooseLocation
        | RightKind::ReadTaxId
        | RightKind::SubmitTransactions => String::new(),
    }
}

impl Facts {
    pub fn note_use(
        &mut self,
        (user, organization): (UserId, Option<OrganizationId>),
        (kind, of): (RightKind, &str),
        day: NaiveDate,
    ) {
        let of = told_apart(kind, of);
        let last = self.uses.entry((user, organization, kind, of)).or_insert(day);
        *last = (*last).max(day);
    }
}
