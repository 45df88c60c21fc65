//! The plan's own attestation, as a member signed it for an organisation (CC-14).
//!
//! Invariant: a version is signed once by each member, and what is signed is the version in force
//! with every box ticked: an [`Acceptance`] is made by the check against the published text alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::kernel::ids::{OrganizationId, UserId};
use crate::values::{Acceptance, AgreementKind};
use crate::{Code, Decider, Decision, Event, Facets, Refusal};

/// What happened between a member and the plan's statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttestationEvent {
    /// The member signed a version for the organisation.
    AttestationSigned {
        user: UserId,
        organization: OrganizationId,
        /// Which of the plan's texts.
        statement: AgreementKind,
        version: String,
        /// Of the text signed, so that the signature stands whatever is published later.
        sha256: String,
        /// Keys of the boxes ticked.
        boxes: Vec<String>,
    },
}

impl Event for AttestationEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::AttestationSigned { .. } => "attestations.attestation.attestation_signed",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::AttestationSigned { user, organization, .. } => {
                Facets::default().subject(*user).organization(*organization)
            }
        }
    }
}

/// What may be asked: to sign what was checked against the version in force.
#[derive(Clone, Debug)]
pub enum AttestationCommand {
    SignAttestation {
        user: UserId,
        organization: OrganizationId,
        accepted: Acceptance,
        sha256: String,
    },
}

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttestationRefusal {
    #[error("You have signed this version already.")]
    AlreadySigned,
    #[error(
        "You were not granted the attestation feature. Ask an administrator of the organization for it."
    )]
    FeatureNotGranted,
}

impl From<AttestationRefusal> for Refusal {
    fn from(refusal: AttestationRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            AttestationRefusal::AlreadySigned => {
                Self::new(Code::AlreadySigned, message).at("version")
            }
            AttestationRefusal::FeatureNotGranted => Self::new(Code::FeatureNotGranted, message),
        }
    }
}

/// The versions a member has signed for an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attestation {
    signed: BTreeSet<String>,
}

impl Decider for Attestation {
    const TYPE: &'static str = "attestations.attestation";
    type Command = AttestationCommand;
    type Event = AttestationEvent;
    type Refusal = AttestationRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: AttestationCommand,
    ) -> Result<Vec<AttestationEvent>, AttestationRefusal> {
        let AttestationCommand::SignAttestation { user, organization, accepted, sha256 } = command;
        let Acceptance { kind: statement, version, boxes } = accepted;
        if self.signed.contains(&version) {
            return Err(AttestationRefusal::AlreadySigned);
        }
        Ok(vec![AttestationEvent::AttestationSigned {
            user,
            organization,
            statement,
            version,
            sha256,
            boxes,
        }])
    }

    fn evolve(&mut self, event: &AttestationEvent) {
        match event {
            AttestationEvent::AttestationSigned { version, .. } => {
                self.signed.insert(version.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{given, id};

    fn sign(version: &str) -> AttestationCommand {
        let accepted = Acceptance {
            kind: AgreementKind::PlanAttestation,
            version: version.into(),
            boxes: vec!["ATTEST".into()],
        };
        AttestationCommand::SignAttestation {
            user: id(1),
            organization: id(10),
            accepted,
            sha256: "ab".repeat(32),
        }
    }

    fn signed(version: &str) -> AttestationEvent {
        AttestationEvent::AttestationSigned {
            user: id(1),
            organization: id(10),
            statement: AgreementKind::PlanAttestation,
            version: version.into(),
            sha256: "ab".repeat(32),
            boxes: vec!["ATTEST".into()],
        }
    }

    #[test]
    fn each_version_is_signed_once() {
        given::<Attestation>(&[]).when(sign("1")).then(&[signed("1")]);
        given::<Attestation>(&[signed("1")]).when(sign("1")).refused(Code::AlreadySigned);
        given::<Attestation>(&[signed("1")]).when(sign("2")).then(&[signed("2")]);
    }
}
