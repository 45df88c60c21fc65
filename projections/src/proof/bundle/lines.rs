//! What is written of an event. Invariant: everything but secrets of what answers the question, of
//! other events the fields that show that they do not.

use std::{collections::BTreeMap, io};

use rollcall_domain::{
    audit::EvidenceQuestion,
    hex,
    kernel::ids::{OrganizationId, SubjectId, TenantId},
};
use rollcall_journal::{
    keys::KeyRing,
    seal::{self, Part},
};
use uuid::Uuid;

use super::{BundleError, Line, answers, question::fields_of};
use crate::proof::leaf::{Hidden, StoredEvent};

/// The event's leaf with what the question needs, and everything but secrets where it answers it.
fn opened(event: &StoredEvent, question: &EvidenceQuestion) -> Result<Line, BundleError> {
    let mut line = Line {
        leaf: event.envelope(),
        open: BTreeMap::new(),
        secrets: BTreeMap::new(),
        place: None,
    };
    line.leaf.to_bytes()?;
    line.open.extend(fields_of(question).into_iter().map(|field| (field, event.opening(field))));
    if answers(&line, question) == Some(true) {
        line.open.extend(Hidden::ALL.map(|field| (field, event.opening(field))));
    }
    Ok(line)
}

/// Whether a line answers the question it was made for.
pub(super) fn is_answer(line: &Line) -> bool {
    line.open.contains_key(&Hidden::Payload)
}

/// Whose sealed fields are disclosed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Disclosure {
    Everybody,
    /// Whom an event is about, and who acted for the organisation.
    Of(OrganizationId),
}

impl Disclosure {
    fn covers(self, event: &StoredEvent, subject: Uuid) -> bool {
        match self {
            Self::Everybody => true,
            Self::Of(organization) => {
                let acted = event.organization_id == Some(organization.0);
                event.subject_id == Some(subject) || acted && event.actor_id == Some(subject)
            }
        }
    }
}

/// The lines of a batch, with the secrets of sealed fields as far as they are not erased.
pub(super) async fn lines(
    events: &[StoredEvent],
    question: &EvidenceQuestion,
    (tenant, keys, disclosure): (TenantId, &KeyRing, Disclosure),
) -> Result<Vec<Line>, BundleError> {
    let mut lines = Vec::with_capacity(events.len());
    let mut sealed = Vec::new();
    for (nth, event) in events.iter().enumerate() {
        let line = opened(event, question)?;
        if is_answer(&line) {
            for (part, stored) in
                [(Part::Payload, &event.payload), (Part::Metadata, &event.metadata)]
            {
                let document = serde_json::from_str(stored).map_err(io::Error::from)?;
                let fields = seal::fields(part, &document)?.into_iter();
                let fields = fields.filter(|(_, field)| disclosure.covers(event, field.subject));
                sealed.extend(fields.map(|(pointer, field)| (nth, pointer, field)));
            }
        }
        lines.push(line);
    }
    // The keys of everybody in the batch by one query; each field then finds its own at hand.
    let subjects: Vec<_> = sealed.iter().map(|(.., field)| SubjectId(field.subject)).collect();
    keys.prefetch(tenant, &subjects).await;
    for (nth, pointer, field) in sealed {
        let of = (SubjectId(field.subject), field.v);
        if let Some(secret) = keys.disclose(tenant, events[nth].event_id, &pointer, of).await? {
            lines[nth].secrets.insert(pointer, hex(secret.as_bytes()));
        }
    }
    Ok(lines)
}
