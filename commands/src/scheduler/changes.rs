//! Changes after which somebody's access may be reviewed at once (GN-15), by event.
//!
//! Invariant: what a review, a registration, an import or a merger does by itself is no such change but
//! for the import or merger as a whole.

use std::fmt;

use chrono::TimeDelta;
use rollcall_domain::{
    AnyEvent,
    access_requests::MoveRequestEvent,
    affiliations::AffiliationEvent,
    imports::{LineOutcome, PeopleImportEvent},
    kernel::ids::{OrganizationId, UserId},
    organizations::{MembershipOrigin, OrgRole, OrganizationEvent},
    permissions::{Cause, MembershipEvent},
    policies::ReviewedChange,
};
use rollcall_journal::Recorded;
use uuid::Uuid;

use super::{due::End, kind::Kind};

/// How long after a line of an import it is looked whether the import is done.
const AFTER_A_LINE: TimeDelta = TimeDelta::minutes(1);

/// What a row says of a change: `NEW_ADMINISTRATOR/<organization>/<user>`; the last is absent where the
/// stream tells who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChangeDetail {
    pub change: ReviewedChange,
    pub organization: OrganizationId,
    pub user: Option<UserId>,
}

impl fmt::Display for ChangeDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.change.as_str(), self.organization)?;
        self.user.map_or(Ok(()), |user| write!(f, "/{user}"))
    }
}

impl ChangeDetail {
    /// Reads one back.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let word = parts.next()?;
        let change = ReviewedChange::ALL.iter().copied().find(|change| change.as_str() == word)?;
        let mut ids = parts.map(|part| Uuid::parse_str(part).ok());
        let organization = OrganizationId(ids.next()??);
        let user = match ids.next() {
            Some(id) => Some(UserId(id?)),
            None => None,
        };
        Some(Self { change, organization, user })
    }

    fn of(change: ReviewedChange, organization: OrganizationId) -> Self {
        Self { change, organization, user: None }
    }

    fn who(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }
}

/// What the event has looked into, and when.
pub(super) fn of(recorded: &Recorded<AnyEvent>) -> Option<End> {
    let now = recorded.occurred_at;
    if let AnyEvent::Affiliation(event) = &recorded.event {
        return of_affiliation(event);
    }
    if let AnyEvent::PeopleImport(PeopleImportEvent::PeopleImportLineDone { result, .. }) =
        &recorded.event
    {
        let is_brought = matches!(result.outcome, LineOutcome::Imported | LineOutcome::Updated);
        let organization = result.organization.filter(|_| is_brought)?;
        let detail = ChangeDetail::of(ReviewedChange::Imported, organization);
        return Some(End::at(Kind::ReviewedChange, now + AFTER_A_LINE).of(detail));
    }
    at_once(&recorded.event).map(|detail| End::at(Kind::ReviewedChange, now).of(detail))
}

fn at_once(event: &AnyEvent) -> Option<ChangeDetail> {
    if let AnyEvent::MoveRequest(MoveRequestEvent::MoveRequestApproved { moved, .. }) = event {
        return Some(ChangeDetail::of(ReviewedChange::Moved, moved.to).who(moved.user));
    }
    if let AnyEvent::Organization(event) = event {
        return of_organization(event);
    }
    let AnyEvent::Membership(event) = event else { return None };
    let (user, organization) = granted(event)?;
    let detail = ChangeDetail::of(ReviewedChange::GrantedWhileDormant, organization);
    Some(detail.who(user))
}

/// Looked at when it is over, unless that is called off.
fn of_affiliation(event: &AffiliationEvent) -> Option<End> {
    use AffiliationEvent as E;
    let of = |submitter| ChangeDetail::of(ReviewedChange::AffiliationEnded, submitter);
    if let E::AffiliationTerminated { pair, ends_at, .. } = event {
        return Some(End::at(Kind::ReviewedChange, *ends_at).of(of(pair.submitter)));
    }
    let E::AffiliationTerminationCancelled { pair, .. } = event else { return None };
    Some(End::no_more(Kind::ReviewedChange).of(of(pair.submitter)))
}

fn of_organization(event: &OrganizationEvent) -> Option<ChangeDetail> {
    use OrganizationEvent as E;
    use ReviewedChange as C;
    if let E::OrganizationMerged { into, .. } = event {
        return Some(ChangeDetail::of(C::Moved, *into));
    }
    let (organization, user) = new_administrator(event)?;
    Some(ChangeDetail::of(C::NewAdministrator, organization).who(user))
}

fn new_administrator(event: &OrganizationEvent) -> Option<(OrganizationId, UserId)> {
    use MembershipOrigin as O;
    use OrganizationEvent as E;
    if let E::OrgRoleAssigned { organization, user, new: OrgRole::Admin, cause, .. } = event {
        return is_by_somebody(*cause).then_some((*organization, *user));
    }
    let E::MembershipAdded { organization, user, role: OrgRole::Admin, by, .. } = event else {
        return None;
    };
    let is_new = matches!(by, O::Token | O::Invitation | O::Plan);
    is_new.then_some((*organization, *user))
}

/// To whom something was granted, not taken back, and where.
fn granted(event: &MembershipEvent) -> Option<(UserId, OrganizationId)> {
    use MembershipEvent as E;
    if let E::NpiPermissionSet { user, organization, old, new, cause, .. } = event {
        return (old < new && is_by_somebody(*cause)).then_some((*user, *organization));
    }
    if let E::CorrespondencePermissionSet { user, organization, added, cause, .. } = event {
        return (!added.is_empty() && is_by_somebody(*cause)).then_some((*user, *organization));
    }
    if let E::FeatureGranted { user, organization, cause, .. }
    | E::JobRoleAssigned { user, organization, cause, .. }
    | E::LocationAccessGranted { user, organization, cause, .. }
    | E::TaxIdAccessGranted { user, organization, cause, .. } = event
    {
        return is_by_somebody(*cause).then_some((*user, *organization));
    }
    None
}

fn is_by_somebody(cause: Cause) -> bool {
    match cause {
        Cause::Administrator | Cause::Plan | Cause::Request => true,
        Cause::Registration
        | Cause::Review
        | Cause::LegacyImport
        | Cause::NpiPermissionRemoved
        | Cause::Merge => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_read_back_as_it_was_written() {
        let organization = OrganizationId(Uuid::from_u128(7));
        for change in ReviewedChange::ALL {
            let detail = ChangeDetail::of(*change, organization);
            for detail in [detail, detail.who(UserId(Uuid::from_u128(8)))] {
                assert_eq!(ChangeDetail::parse(&detail.to_string()), Some(detail));
            }
        }
        for bad in
            ["", "MOVED", "MOVED/x", "MOVED/00000000-0000-0000-0000-000000000007/x", "GONE/1"]
        {
            assert_eq!(ChangeDetail::parse(bad), None, "{bad}");
        }
    }
}
