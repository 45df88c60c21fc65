//! Agreement texts of a tenant, versioned, each with its mandatory tick-boxes (MC-02).
//!
//! Invariant: an [`Acceptance`] is made here only, from the version in force with every box ticked,
//! so whoever holds one need not check again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::values::{Acceptance, AgreementKind};
use crate::{Code, Decider, Decision, Event, Facets, Refusal};

/// A box that must be ticked to accept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickBox {
    /// Short name, unique within the version, e.g. `READ_AND_AGREE`.
    pub key: String,
    /// The sentence beside the box.
    pub label: String,
}

/// What happened to one kind of agreement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum AgreementEvent {
    /// The plan published a version, in force from `effective_at` until a later one is.
    AgreementPublished {
        kind: AgreementKind,
        version: String,
        title: String,
        text: String,
        /// SHA-256 of the text's UTF-8 bytes, in hex.
        sha256: String,
        boxes: Vec<TickBox>,
        effective_at: DateTime<Utc>,
    },
}

impl Event for AgreementEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::AgreementPublished { .. } => "policies.agreement.agreement_published",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::AgreementPublished { effective_at, .. } => {
                Facets::default().effective_at(*effective_at)
            }
        }
    }
}

/// What may be asked of an agreement.
#[derive(Clone, Debug)]
pub enum AgreementCommand {
    PublishAgreement {
        kind: AgreementKind,
        version: String,
        title: String,
        text: String,
        boxes: Vec<TickBox>,
        /// In force from now if not given.
        effective_at: Option<DateTime<Utc>>,
    },
}

/// The longest text of an agreement, in characters.
pub const MAX_TEXT_CHARS: usize = 200_000;
const MAX_LINE_CHARS: usize = 500;
const MAX_VERSION_CHARS: usize = 40;

/// Why an agreement, or an acceptance of it, is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgreementRefusal {
    #[error("This version was published already. Give the new text a new version.")]
    VersionExists,
    #[error("Fill this field in.")]
    Empty(&'static str),
    #[error("Shorten this field to at most {max} characters.")]
    TooLong { field: &'static str, max: usize },
    #[error("Remove invisible control characters from this field.")]
    Hidden(&'static str),
    #[error("Give every tick-box a key of its own.")]
    BoxTwice,
    #[error("An agreement cannot be in force before it was published.")]
    BackDated,
    #[error("There is no such agreement in force.")]
    Unknown,
    #[error("A newer version is in force. Read it and accept that one.")]
    Superseded,
    #[error("Tick every box to go on.")]
    BoxNotTicked(Vec<String>),
    #[error("The agreement has no such box.")]
    BoxUnknown,
    #[error("Sign this statement with signAttestation: only holders of the feature may.")]
    SignedByHolders,
}

impl From<AgreementRefusal> for Refusal {
    fn from(refusal: AgreementRefusal) -> Self {
        use AgreementRefusal as R;
        let message = refusal.to_string();
        match refusal {
            R::VersionExists => Self::new(Code::VersionExists, message).at("version"),
            R::Empty(field) => Self::new(Code::FieldRequired, message).at(field),
            R::TooLong { field, .. } => Self::new(Code::FieldTooLong, message).at(field),
            R::Hidden(field) => Self::new(Code::FieldInvalid, message).at(field),
            R::BoxTwice | R::BoxUnknown => Self::new(Code::FieldInvalid, message).at("boxes"),
            R::BackDated => Self::new(Code::RangeInvalid, message).at("effectiveAt"),
            R::Unknown => Self::new(Code::AgreementUnknown, message).at("version"),
            R::Superseded => Self::new(Code::AgreementSuperseded, message).at("version"),
            R::SignedByHolders => Self::new(Code::FieldInvalid, message).at("kind"),
            R::BoxNotTicked(keys) => {
                Self::new(Code::BoxNotTicked, message).at("boxes").details(keys)
            }
        }
    }
}

/// A published version; its text is in the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    pub kind: AgreementKind,
    pub version: String,
    pub title: String,
    pub sha256: String,
    pub boxes: Vec<TickBox>,
    pub effective_at: DateTime<Utc>,
}

/// One kind of agreement with all its versions, in the order of publication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    editions: Vec<Edition>,
}

impl Agreement {
    /// The version in force: the latest effective one, of several the last published.
    #[must_use]
    pub fn current(&self, now: DateTime<Utc>) -> Option<&Edition> {
        self.editions.iter().filter(|e| e.effective_at <= now).max_by_key(|e| e.effective_at)
    }

    /// Every version, in the order of publication.
    #[must_use]
    pub fn editions(&self) -> &[Edition] {
        &self.editions
    }

    /// Accepts `version` with the boxes `ticked`, at `now`.
    ///
    /// # Errors
    /// `AGREEMENT_UNKNOWN`, `AGREEMENT_SUPERSEDED`, `BOX_NOT_TICKED` naming the missing boxes, or
    /// `FIELD_INVALID` for a box that the version does not have.
    pub fn check_acceptance(
        &self,
        version: &str,
        ticked: &[String],
        now: DateTime<Utc>,
    ) -> Result<Acceptance, AgreementRefusal> {
        let asked = self.editions.iter().find(|e| e.version == version && e.effective_at <= now);
        let (Some(asked), Some(current)) = (asked, self.current(now)) else {
            return Err(AgreementRefusal::Unknown);
        };
        if asked.version != current.version {
            return Err(AgreementRefusal::Superseded);
        }
        let keys: Vec<String> = current.boxes.iter().map(|tick| tick.key.clone()).collect();
        if ticked.iter().any(|key| !keys.contains(key)) {
            return Err(AgreementRefusal::BoxUnknown);
        }
        let missing: Vec<_> = keys.iter().filter(|key| !ticked.contains(key)).cloned().collect();
        if !missing.is_empty() {
            return Err(AgreementRefusal::BoxNotTicked(missing));
        }
        Ok(Acceptance { kind: current.kind, version: current.version.clone(), boxes: keys })
    }
}

impl Decider for Agreement {
    const TYPE: &'static str = "policies.agreement";
    type Command = AgreementCommand;
    type Event = AgreementEvent;
    type Refusal = AgreementRefusal;

    fn decide(
        &self,
        decision: &Decision<'_>,
        command: AgreementCommand,
    ) -> Result<Vec<AgreementEvent>, AgreementRefusal> {
        let AgreementCommand::PublishAgreement { kind, version, title, text, boxes, effective_at } =
            command;
        check_text("version", &version, MAX_VERSION_CHARS)?;
        check_text("title", &title, MAX_LINE_CHARS)?;
        check_text("text", &text, MAX_TEXT_CHARS)?;
        if boxes.is_empty() {
            return Err(AgreementRefusal::Empty("boxes"));
        }
        for (at, tick) in boxes.iter().enumerate() {
            check_text("boxes", &tick.key, MAX_VERSION_CHARS)?;
            check_text("boxes", &tick.label, MAX_LINE_CHARS)?;
            if boxes[..at].iter().any(|earlier| earlier.key == tick.key) {
                return Err(AgreementRefusal::BoxTwice);
            }
        }
        if self.editions.iter().any(|edition| edition.version == version) {
            return Err(AgreementRefusal::VersionExists);
        }
        let effective_at = effective_at.unwrap_or(decision.now);
        if effective_at < decision.now {
            return Err(AgreementRefusal::BackDated);
        }
        let sha256 = format!("{:x}", Sha256::digest(text.as_bytes()));
        Ok(vec![AgreementEvent::AgreementPublished {
            kind,
            version,
            title,
            text,
            sha256,
            boxes,
            effective_at,
        }])
    }

    fn evolve(&mut self, event: &AgreementEvent) {
        match event {
            AgreementEvent::AgreementPublished {
                kind,
                version,
                title,
                text: _,
                sha256,
                boxes,
                effective_at,
            } => self.editions.push(Edition {
                kind: *kind,
                version: version.clone(),
                title: title.clone(),
                sha256: sha256.clone(),
                boxes: boxes.clone(),
                effective_at: *effective_at,
            }),
        }
    }
}

fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), AgreementRefusal> {
    if text.trim().is_empty() {
        return Err(AgreementRefusal::Empty(field));
    }
    if text.chars().count() > max {
        return Err(AgreementRefusal::TooLong { field, max });
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(AgreementRefusal::Hidden(field));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{after, given, start};

    /// Of the three letters "abc" (FIPS 180-4, appendix).
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn boxes(keys: &[&str]) -> Vec<TickBox> {
        keys.iter().map(|key| TickBox { key: (*key).into(), label: "I agree".into() }).collect()
    }

    fn publish(version: &str, boxes: Vec<TickBox>, at: i64) -> AgreementCommand {
        AgreementCommand::PublishAgreement {
            kind: AgreementKind::OnlineConditionsOfUse,
            version: version.into(),
            title: "Conditions".into(),
            text: "abc".into(),
            boxes,
            effective_at: Some(after(at)),
        }
    }

    fn published(version: &str, at: i64) -> AgreementEvent {
        AgreementEvent::AgreementPublished {
            kind: AgreementKind::OnlineConditionsOfUse,
            version: version.into(),
            title: "Conditions".into(),
            text: "abc".into(),
            sha256: ABC.into(),
            boxes: boxes(&["READ", "AUTHORISED"]),
            effective_at: after(at),
        }
    }

    fn accept(
        state: &Agreement,
        version: &str,
        keys: &[&str],
        at: i64,
    ) -> Result<Acceptance, Code> {
        let ticked: Vec<_> = keys.iter().map(ToString::to_string).collect();
        state
            .check_acceptance(version, &ticked, after(at))
            .map_err(|refusal| Refusal::from(refusal).code)
    }

    #[test]
    fn a_version_is_published_once_with_the_hash_of_its_text() {
        let two = || boxes(&["READ", "AUTHORISED"]);
        given::<Agreement>(&[]).when(publish("1", two(), 0)).then(&[published("1", 0)]);
        given::<Agreement>(&[published("1", 0)])
            .when(publish("1", two(), 5))
            .refused(Code::VersionExists);
    }

    #[test]
    fn a_version_needs_boxes_with_keys_of_their_own_and_no_past() {
        let publish = |version: &str, keys: &[&str], at| {
            given::<Agreement>(&[]).when(publish(version, boxes(keys), at))
        };
        publish("1", &[], 0).refused(Code::FieldRequired);
        publish("1", &["READ", "READ"], 0).refused(Code::FieldInvalid);
        publish(" ", &["READ"], 0).refused(Code::FieldRequired);
        publish(&"1".repeat(41), &["READ"], 0).refused(Code::FieldTooLong);
        publish("1", &["READ"], -1).refused(Code::RangeInvalid);
        publish("1\u{0}", &["READ"], 0).refused(Code::FieldInvalid);
    }

    #[test]
    fn a_later_version_takes_over_at_its_second() {
        let state = given::<Agreement>(&[published("1", 0), published("2", 60)]).state();
        assert_eq!(state.current(start()).unwrap().version, "1");
        assert_eq!(state.current(after(59)).unwrap().version, "1");
        assert_eq!(state.current(after(60)).unwrap().version, "2");
        let all = ["READ", "AUTHORISED"];
        assert_eq!(accept(&state, "2", &all, 59), Err(Code::AgreementUnknown));
        assert_eq!(accept(&state, "1", &all, 60), Err(Code::AgreementSuperseded));
        assert!(accept(&state, "1", &all, 59).is_ok());
    }

    #[test]
    fn every_box_and_no_other_is_ticked() {
        let state = given::<Agreement>(&[published("1", 0)]).state();
        let refusal = state.check_acceptance("1", &["READ".into()], start()).unwrap_err();
        assert_eq!(Refusal::from(refusal).details, ["AUTHORISED"]);
        assert_eq!(accept(&state, "1", &["READ"], 0), Err(Code::BoxNotTicked));
        let more = ["READ", "AUTHORISED", "MORE"];
        assert_eq!(accept(&state, "1", &more, 0), Err(Code::FieldInvalid));
        assert_eq!(accept(&state, "9", &["READ"], 0), Err(Code::AgreementUnknown));
        let accepted = accept(&state, "1", &["AUTHORISED", "READ"], 0).unwrap();
        assert_eq!(accepted.boxes, ["READ", "AUTHORISED"]);
    }
}
