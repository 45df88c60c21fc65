//! What can be asked of an affiliation. Invariant: each command names the organisation acted for;
//! on which side it stands is for the aggregate to say.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::events::{AffiliationScope, Pair, Side};
use super::{Affiliated, Ending};
use crate::kernel::ids::{AffiliationId, OrganizationId, UserId};
use crate::organizations::OrganizationKinds;
use crate::permissions::Cause;
use crate::values::{Npi, PersonName, Reason};

/// A command to stream `affiliations.affiliation`.
#[derive(Clone, Debug)]
pub enum AffiliationCommand {
    /// Ask for it, signed at once or in the next step (MC-54, MC-56).
    Request(Box<RequestAffiliation>),
    /// Sign for the side that asked (MC-55), or for the other, which approves; once it is in force,
    /// for either side under a newer version of the agreement (GN-18).
    Sign { organization: OrganizationId, signature: Signature },
    /// The other side approves by signing (MC-59).
    Approve { organization: OrganizationId, signature: Signature },
    /// The other side refuses, after a prompt (MC-60). `user` is who decides.
    Deny { organization: OrganizationId, user: UserId, confirm: bool, reason: Option<Reason> },
    /// The side that asked takes it back.
    Withdraw { organization: OrganizationId, user: UserId, reason: Option<Reason> },
    /// The scheduler found it undecided; too early, it is no error.
    Expire,
    /// Either side ends it with the last day given, after a prompt.
    Terminate {
        organization: OrganizationId,
        user: UserId,
        confirm: bool,
        ends_on: NaiveDate,
        reason: Option<Reason>,
    },
    /// The side that ended it takes that back before its last day is over (GN-04).
    CancelTermination { organization: OrganizationId },
    /// One of the two organisations was closed: whatever is open between them ends at once (GN-03).
    /// Where nothing is, it is no error.
    EndWithOrganization { organization: OrganizationId },
    /// A successor goes on with an affiliation of the organisation merged into it (GN-03).
    TakeOver(Box<TakeOver>),
    /// The submitter lets one of its people work for exactly these NPIs of the provider (GN-18).
    AssignNpis(Box<AssignNpis>),
}

/// An affiliation to go on with.
#[derive(Clone, Debug)]
pub struct TakeOver {
    pub affiliation: AffiliationId,
    /// With the successor in the place of the former organisation.
    pub pair: Pair,
    pub side: Side,
    pub predecessor: AffiliationId,
    pub affiliated: Affiliated,
    /// The end that the predecessor was given, and that the new one has as well.
    pub ending: Option<Ending>,
}

/// For which of the provider's NPIs a person of the submitter works.
#[derive(Clone, Debug)]
pub struct AssignNpis {
    pub organization: OrganizationId,
    pub user: UserId,
    pub npis: BTreeSet<Npi>,
    /// The NPIs that the provider holds now.
    pub held: BTreeSet<Npi>,
    /// Absent where an administrator of the submitter wishes it.
    pub cause: Option<Cause>,
}

/// Who wants to be affiliated with whom, and for what.
#[derive(Clone, Debug)]
pub struct RequestAffiliation {
    pub affiliation: AffiliationId,
    pub pair: Pair,
    pub initiator: Side,
    pub scope: AffiliationScope,
    pub submitter_kinds: OrganizationKinds,
    pub provider_kinds: OrganizationKinds,
    pub signature: Option<Signature>,
}

/// A signature as given (MC-57).
#[derive(Clone, Debug)]
pub struct Signature {
    pub user: UserId,
    pub first_name: Option<PersonName>,
    pub last_name: Option<PersonName>,
    /// A name of [`super::SignerRole::ALL`].
    pub role: String,
    pub eligibility_confirmed: bool,
    /// The version in force and the hash of its text.
    pub agreement_version: String,
    pub sha256: String,
}
