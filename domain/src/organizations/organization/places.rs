//! Branches and sites of an organisation, and its further tax ids (CX-02, CX-03, CC-02).
//!
//! Invariant: a location is never removed; one that was terminated stays known as a "Z" location.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Organization, OrganizationEvent, OrganizationRefusal};
use crate::Decision;
use crate::kernel::ids::{LocationId, OrganizationId, TaxIdId};
use crate::organizations::TaxIdRef;
use crate::policies::LocationMode;
use crate::values::{Npi, OrganizationName};

/// A wish to change an organisation's locations or tax ids.
#[derive(Clone, Debug)]
pub enum PlaceCommand {
    RegisterLocation {
        location: LocationId,
        name: OrganizationName,
        npi: Option<Npi>,
        credentialed: bool,
    },
    SetLocationCredentialed {
        location: LocationId,
        credentialed: bool,
    },
    /// For good; the location stays open to the search of its claims (CX-03).
    TerminateLocation {
        location: LocationId,
        from: DateTime<Utc>,
    },
    /// That no other organisation has the number is reserved at the append.
    LinkTaxId {
        tax_id: TaxIdId,
        reference: TaxIdRef,
    },
}

/// A branch or site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    pub name: OrganizationName,
    pub npi: Option<Npi>,
    /// Only credentialed locations are granted or chosen (CX-02).
    pub credentialed: bool,
    pub terminated_from: Option<DateTime<Utc>>,
}

impl Location {
    /// Whether the contract for it has ended: a "Z" location (CX-03).
    #[must_use]
    pub fn is_terminated(&self, now: DateTime<Utc>) -> bool {
        self.terminated_from.is_some_and(|from| from <= now)
    }
}

impl TaxIdId {
    /// The tax id under which an organisation is enrolled.
    #[must_use]
    pub fn of_enrolment(organization: OrganizationId) -> Self {
        Self(organization.0)
    }
}

impl Organization {
    /// Its locations by id, terminated ones included.
    pub fn locations(&self) -> impl Iterator<Item = (LocationId, &Location)> {
        self.locations.iter().map(|(id, location)| (*id, location))
    }

    #[must_use]
    pub fn location(&self, id: LocationId) -> Option<&Location> {
        self.locations.get(&id)
    }

    /// Its tax ids: the one of its enrolment and those linked later (CC-02).
    #[must_use]
    pub fn tax_ids(&self) -> BTreeMap<TaxIdId, TaxIdRef> {
        let enrolled = self.record.as_ref();
        let enrolled = enrolled
            .map(|record| (TaxIdId::of_enrolment(record.organization), record.tax_id.clone()));
        let linked = self.tax_ids.iter().map(|(id, reference)| (*id, reference.clone()));
        linked.chain(enrolled).collect()
    }

    /// The location, if people may be granted it now.
    ///
    /// # Errors
    /// `NOT_FOUND`, `LOCATION_TERMINATED`, `LOCATION_NOT_CREDENTIALED`.
    pub fn grantable_location(
        &self,
        id: LocationId,
        now: DateTime<Utc>,
    ) -> Result<&Location, OrganizationRefusal> {
        let location = self.location(id).ok_or(OrganizationRefusal::LocationUnknown)?;
        if location.is_terminated(now) {
            return Err(OrganizationRefusal::LocationTerminated);
        }
        if !location.credentialed {
            return Err(OrganizationRefusal::LocationNotCredentialed);
        }
        Ok(location)
    }
}

pub(super) fn decide(
    state: &Organization,
    organization: OrganizationId,
    decision: &Decision<'_>,
    command: PlaceCommand,
) -> Result<Vec<OrganizationEvent>, OrganizationRefusal> {
    use OrganizationEvent as E;
    let has_locations = decision.policy.locations() != LocationMode::Off;
    let offered = has_locations.then_some(()).ok_or(OrganizationRefusal::NoLocations);
    let standing = |id| {
        let location = state.location(id).ok_or(OrganizationRefusal::LocationUnknown)?;
        if location.terminated_from.is_some() {
            return Err(OrganizationRefusal::LocationTerminated);
        }
        Ok(location)
    };
    match command {
        PlaceCommand::RegisterLocation { location, name, npi, credentialed } => {
            offered?;
            if npi.as_ref().is_some_and(|npi| !state.holds_npi(npi, decision.now)) {
                return Err(OrganizationRefusal::NpiNotInOrg);
            }
            let same = |(_, other): (LocationId, &Location)| other.name == name;
            if state.locations().any(same) {
                return Err(OrganizationRefusal::LocationNameTaken);
            }
            Ok(vec![E::LocationRegistered { organization, location, name, npi, credentialed }])
        }
        PlaceCommand::SetLocationCredentialed { location, credentialed } => {
            if standing(location)?.credentialed == credentialed {
                return Ok(Vec::new());
            }
            Ok(vec![E::LocationCredentialingChanged { organization, location, credentialed }])
        }
        PlaceCommand::TerminateLocation { location, from } => {
            standing(location)?;
            Ok(vec![E::LocationTerminated { organization, location, from }])
        }
        PlaceCommand::LinkTaxId { tax_id, reference } => {
            if state.tax_ids().contains_key(&tax_id) {
                return Ok(Vec::new());
            }
            Ok(vec![E::TaxIdLinked { organization, tax_id, reference }])
        }
    }
}

pub(super) fn evolve(state: &mut Organization, event: &OrganizationEvent) {
    use OrganizationEvent as E;
    match event {
        E::LocationRegistered { location, name, npi, credentialed, .. } => {
            let made = Location {
                name: name.clone(),
                npi: npi.clone(),
                credentialed: *credentialed,
                terminated_from: None,
            };
            state.locations.insert_mut(*location, made);
        }
        E::LocationCredentialingChanged { location, credentialed, .. } => {
            if let Some(location) = state.locations.get_mut(location) {
                location.credentialed = *credentialed;
            }
        }
        E::LocationTerminated { location, from, .. } => {
            if let Some(location) = state.locations.get_mut(location) {
                location.terminated_from = Some(*from);
            }
        }
        E::TaxIdLinked { tax_id, reference, .. } => {
            state.tax_ids.insert(*tax_id, reference.clone());
        }
        E::OrganizationEnrolled { .. }
        | E::EnrolmentUpdated { .. }
        | E::OrganizationContractStatusChanged { .. }
        | E::OrganizationKindsChanged { .. }
        | E::NpiAttached { .. }
        | E::NpiDetached { .. }
        | E::OrganizationRegistered { .. }
        | E::MemberInvited { .. }
        | E::MemberInvitationEnded { .. }
        | E::MembershipAdded { .. }
        | E::OrgRoleAssigned { .. }
        | E::UserDeactivated { .. }
        | E::UserReactivated { .. }
        | E::UserDeactivationWarned { .. }
        | E::UserAutoDeactivated { .. }
        | E::PlanEvidenceRecorded { .. }
        | E::AdminRequestSubmitted { .. }
        | E::AdminRequestDeclined { .. }
        | E::MemberEmailDomainChanged { .. }
        | E::EmailDomainAdded { .. }
        | E::EmailDomainRemoved { .. }
        | E::OrganizationSuspended { .. }
        | E::OrganizationReopened { .. }
        | E::NpiEndPlanned { .. }
        | E::NpiEndCancelled { .. }
        | E::NpiMoveFailed { .. }
        | E::MembershipEndPlanned { .. }
        | E::MembershipEndCancelled { .. }
        | E::MemberMoved { .. }
        | E::OrganizationMergeBegun { .. }
        | E::OrganizationMergeAdvanced { .. }
        | E::OrganizationMerged { .. }
        | E::OrganizationAbsorptionBegun { .. }
        | E::OrganizationAbsorbed { .. }
        | E::OrganizationClosed { .. } => {}
    }
}
