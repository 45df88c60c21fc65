//! Log-ins of partner systems that count as a person's own (CX-11), and the partners a tenant trusts.
//!
//! Invariant: an identity is linked only by a token that a trusted partner signed; whose token it was
//! is checked outside, and a partner's subject belongs to one person at most.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::kernel::ids::UserId;
use crate::{Code, Decider, Decision, Event, Facets, Refusal, Sealed};

/// The longest issuer, key set and subject that are taken.
pub const LONGEST_ISSUER: usize = 255;
pub const LONGEST_KEY_SET: usize = 16 * 1024;
pub const LONGEST_SUBJECT: usize = 255;

/// A partner whose log-ins count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// As people know it: "Cigna SMS".
    pub name: String,
    /// Whom the partner's tokens have to be for.
    pub audience: String,
    /// The partner's public keys (RFC 7517), as JSON.
    pub key_set: String,
}

/// The partners that a tenant trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedIssuers(BTreeMap<String, TrustedIssuer>);

impl TrustedIssuers {
    /// The partner behind an issuer.
    #[must_use]
    pub fn get(&self, issuer: &str) -> Option<&TrustedIssuer> {
        self.0.get(issuer)
    }

    /// All of them, by issuer.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &TrustedIssuer)> {
        self.0.iter().map(|(issuer, trusted)| (issuer.as_str(), trusted))
    }
}

/// A command to stream `users.trusted_issuers`.
#[derive(Clone, Debug)]
pub enum TrustedIssuersCommand {
    /// Trust a partner, or take its new name, audience or keys.
    TrustIssuer { issuer: String, name: String, audience: String, key_set: String },
    /// Trust a partner no more; identities linked stay on file and count for nothing.
    DistrustIssuer { issuer: String },
}

/// An event of stream `users.trusted_issuers`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TrustedIssuersEvent {
    /// Log-ins of this partner count from now on.
    IssuerTrusted { issuer: String, name: String, audience: String, key_set: String },
    /// They count no more.
    IssuerDistrusted { issuer: String },
}

impl Event for TrustedIssuersEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::IssuerTrusted { .. } => "users.trusted_issuers.issuer_trusted",
            Self::IssuerDistrusted { .. } => "users.trusted_issuers.issuer_distrusted",
        }
    }

    fn facets(&self) -> Facets {
        Facets::default()
    }
}

/// Why an external identity or its issuer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExternalIdentityRefusal {
    #[error(
        "Give the issuer as the partner's tokens name it: an https address of up to 255 characters."
    )]
    IssuerInvalid,
    #[error("Give the partner's name and the audience of its tokens, up to 80 characters each.")]
    NameInvalid,
    #[error("Give the partner's public keys as a JSON Web Key Set of up to 16 KiB.")]
    KeysInvalid,
    #[error("This partner is not trusted here. Ask your health plan.")]
    NotTrusted,
    #[error("You have a log-in of this partner already. Unlink it first.")]
    AlreadyLinked,
    #[error("You have no log-in of this partner.")]
    NotLinked,
}

impl From<ExternalIdentityRefusal> for Refusal {
    fn from(refusal: ExternalIdentityRefusal) -> Self {
        use ExternalIdentityRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::IssuerInvalid => Self::new(Code::FieldInvalid, message).at("issuer"),
            R::NameInvalid => Self::new(Code::FieldInvalid, message).at("name"),
            R::KeysInvalid => Self::new(Code::FieldInvalid, message).at("keySet"),
            R::NotTrusted => Self::new(Code::IssuerNotTrusted, message),
            R::AlreadyLinked => Self::new(Code::AlreadyAssigned, message),
            R::NotLinked => Self::new(Code::NotFound, message).at("issuer"),
        }
    }
}

fn fits(text: &str, longest: usize) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= longest
        && !text.chars().any(char::is_control)
}

impl Decider for TrustedIssuers {
    const TYPE: &'static str = "users.trusted_issuers";
    type Command = TrustedIssuersCommand;
    type Event = TrustedIssuersEvent;
    type Refusal = ExternalIdentityRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: TrustedIssuersCommand,
    ) -> Result<Vec<TrustedIssuersEvent>, ExternalIdentityRefusal> {
        match command {
            TrustedIssuersCommand::TrustIssuer { issuer, name, audience, key_set } => {
                if !issuer.starts_with("https://") || !fits(&issuer, LONGEST_ISSUER) {
                    return Err(ExternalIdentityRefusal::IssuerInvalid);
                }
                if !fits(&name, 80) || !fits(&audience, 80) {
                    return Err(ExternalIdentityRefusal::NameInvalid);
                }
                if key_set.len() > LONGEST_KEY_SET {
                    return Err(ExternalIdentityRefusal::KeysInvalid);
                }
                let trusted = TrustedIssuer { name, audience, key_set };
                if self.get(&issuer) == Some(&trusted) {
                    return Ok(Vec::new());
                }
                let TrustedIssuer { name, audience, key_set } = trusted;
                Ok(vec![TrustedIssuersEvent::IssuerTrusted { issuer, name, audience, key_set }])
            }
            TrustedIssuersCommand::DistrustIssuer { issuer } => match self.get(&issuer) {
                Some(_) => Ok(vec![TrustedIssuersEvent::IssuerDistrusted { issuer }]),
                None => Err(ExternalIdentityRefusal::NotTrusted),
            },
        }
    }

    fn evolve(&mut self, event: &TrustedIssuersEvent) {
        match event {
            TrustedIssuersEvent::IssuerTrusted { issuer, name, audience, key_set } => {
                let (name, audience) = (name.clone(), audience.clone());
                let trusted = TrustedIssuer { name, audience, key_set: key_set.clone() };
                self.0.insert(issuer.clone(), trusted);
            }
            TrustedIssuersEvent::IssuerDistrusted { issuer } => {
                self.0.remove(issuer);
            }
        }
    }
}

/// A log-in of a partner system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedIdentity {
    /// Who the person is there.
    pub subject: Sealed<String>,
    pub linked_at: DateTime<Utc>,
}

/// A person's log-ins of partner systems, one of each partner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalIdentities(BTreeMap<String, LinkedIdentity>);

impl ExternalIdentities {
    /// The log-in of a partner.
    #[must_use]
    pub fn get(&self, issuer: &str) -> Option<&LinkedIdentity> {
        self.0.get(issuer)
    }

    /// All of them, by issuer.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &LinkedIdentity)> {
        self.0.iter().map(|(issuer, identity)| (issuer.as_str(), identity))
    }
}

/// A command to stream `users.external_identities`.
#[derive(Clone, Debug)]
pub enum ExternalIdentitiesCommand {
    /// The person showed a token of the partner that names them `subject`.
    LinkExternalIdentity { user: UserId, issuer: String, subject: String },
    /// The log-in counts no more.
    UnlinkExternalIdentity { user: UserId, issuer: String },
}

/// An event of stream `users.external_identities`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ExternalIdentitiesEvent {
    /// A log-in of a partner system counts as the person's own.
    ExternalIdentityLinked {
        user: UserId,
        issuer: String,
        subject: Sealed<String>,
        linked_at: DateTime<Utc>,
    },
    /// It counts no more.
    ExternalIdentityUnlinked { user: UserId, issuer: String },
}

impl Event for ExternalIdentitiesEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::ExternalIdentityLinked { .. } => {
                "users.external_identities.external_identity_linked"
            }
            Self::ExternalIdentityUnlinked { .. } => {
                "users.external_identities.external_identity_unlinked"
            }
        }
    }

    fn facets(&self) -> Facets {
        let (Self::ExternalIdentityLinked { user, .. }
        | Self::ExternalIdentityUnlinked { user, .. }) = self;
        Facets::default().subject(*user)
    }
}

impl Decider for ExternalIdentities {
    const TYPE: &'static str = "users.external_identities";
    type Command = ExternalIdentitiesCommand;
    type Event = ExternalIdentitiesEvent;
    type Refusal = ExternalIdentityRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: ExternalIdentitiesCommand,
    ) -> Result<Vec<ExternalIdentitiesEvent>, ExternalIdentityRefusal> {
        match command {
            ExternalIdentitiesCommand::LinkExternalIdentity { user, issuer, subject } => {
                if self.get(&issuer).is_some() {
                    return Err(ExternalIdentityRefusal::AlreadyLinked);
                }
                Ok(vec![ExternalIdentitiesEvent::ExternalIdentityLinked {
                    user,
                    issuer,
                    subject: Sealed::new(user, subject),
                    linked_at: decision.now,
                }])
            }
            ExternalIdentitiesCommand::UnlinkExternalIdentity { user, issuer } => {
                if self.get(&issuer).is_none() {
                    return Err(ExternalIdentityRefusal::NotLinked);
                }
                Ok(vec![ExternalIdentitiesEvent::ExternalIdentityUnlinked { user, issuer }])
            }
        }
    }

    fn evolve(&mut self, event: &ExternalIdentitiesEvent) {
        match event {
            ExternalIdentitiesEvent::ExternalIdentityLinked {
                issuer, subject, linked_at, ..
            } => {
                let (subject, linked_at) = (subject.clone(), *linked_at);
                self.0.insert(issuer.clone(), LinkedIdentity { subject, linked_at });
            }
            ExternalIdentitiesEvent::ExternalIdentityUnlinked { issuer, .. } => {
                self.0.remove(issuer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{given, id, start};

    const ISSUER: &str = "https://sms.partner.example";

    fn trust(issuer: &str, name: &str) -> TrustedIssuersCommand {
        TrustedIssuersCommand::TrustIssuer {
            issuer: issuer.to_owned(),
            name: name.to_owned(),
            audience: "portal".to_owned(),
            key_set: "{}".to_owned(),
        }
    }

    fn trusted() -> TrustedIssuersEvent {
        TrustedIssuersEvent::IssuerTrusted {
            issuer: ISSUER.to_owned(),
            name: "SMS".to_owned(),
            audience: "portal".to_owned(),
            key_set: "{}".to_owned(),
        }
    }

    #[test]
    fn cx_11_a_partner_is_trusted_until_it_is_not() {
        let distrust = || TrustedIssuersCommand::DistrustIssuer { issuer: ISSUER.to_owned() };
        let distrusted = TrustedIssuersEvent::IssuerDistrusted { issuer: ISSUER.to_owned() };
        given::<TrustedIssuers>(&[]).when(trust(ISSUER, "SMS")).then(&[trusted()]);
        given::<TrustedIssuers>(&[trusted()]).when(trust(ISSUER, "SMS")).then(&[]);
        given::<TrustedIssuers>(&[trusted()]).when(distrust()).then(&[distrusted]);
        given::<TrustedIssuers>(&[]).when(distrust()).refused(Code::IssuerNotTrusted);
        for (issuer, name) in [("http://partner.example", "SMS"), ("", "SMS"), (ISSUER, " ")] {
            given::<TrustedIssuers>(&[]).when(trust(issuer, name)).refused(Code::FieldInvalid);
        }
    }

    #[test]
    fn cx_11_a_person_has_one_log_in_of_each_partner() {
        let link = || ExternalIdentitiesCommand::LinkExternalIdentity {
            user: id(1),
            issuer: ISSUER.to_owned(),
            subject: "ann-77".to_owned(),
        };
        let linked = ExternalIdentitiesEvent::ExternalIdentityLinked {
            user: id(1),
            issuer: ISSUER.to_owned(),
            subject: Sealed::new(id::<UserId>(1), "ann-77".to_owned()),
            linked_at: start(),
        };
        let unlink = || ExternalIdentitiesCommand::UnlinkExternalIdentity {
            user: id(1),
            issuer: ISSUER.to_owned(),
        };
        let unlinked = ExternalIdentitiesEvent::ExternalIdentityUnlinked {
            user: id(1),
            issuer: ISSUER.to_owned(),
        };
        given::<ExternalIdentities>(&[]).when(link()).then(std::slice::from_ref(&linked));
        let history = [linked];
        given::<ExternalIdentities>(&history).when(link()).refused(Code::AlreadyAssigned);
        given::<ExternalIdentities>(&history).when(unlink()).then(&[unlinked]);
        given::<ExternalIdentities>(&[]).when(unlink()).refused(Code::NotFound);
    }
}
