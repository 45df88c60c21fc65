//! The verdict in plain words. Invariant: what is not proven is said as openly as what is.

use super::Proven;
use crate::proof::{bundle::Manifest, is_no_evidence};

/// The exit code of a good bundle whose log is no evidence.
pub const NOT_EVIDENCE_CODE: u8 = 30;

impl Proven {
    #[must_use]
    pub fn code(&self) -> u8 {
        if is_no_evidence(&self.manifest.origin) { NOT_EVIDENCE_CODE } else { 0 }
    }

    /// In plain words, what was proven and what was not.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        let Manifest {
            origin,
            report,
            from,
            to,
            checkpoint,
            occasion,
            presence_of,
            report_question,
            ..
        } = &self.manifest;
        let mut told = vec![
            format!("Log {origin}, checkpoint of {checkpoint} events: signed by a key you trust."),
            match presence_of {
                None => format!(
                    "Events {from} to {to}: every one is in the log, in this order, unaltered, and \
                     none is missing."
                ),
                Some(_) => format!(
                    "Every event told is in the log, between {from} and {to}, in its place, \
                     unaltered."
                ),
            },
            format!("Asked: {}", asked(&self.manifest)),
            match report_question {
                Some(question) => format!(
                    "Report {} version {}: its {} rows, and no others, follow from the events up to \
                     {}, computed anew.",
                    report.name, report.version, report.population, question.known_at
                ),
                None => format!(
                    "Report {} version {}: {} events answer the question{}.",
                    report.name,
                    report.version,
                    report.population,
                    if presence_of.is_none() {
                        ", and no other event of the range does"
                    } else {
                        ""
                    },
                ),
            },
            format!(
                "Sealed fields: {} open to what the log committed to; {} were erased or are not \
                 disclosed.",
                self.opened, self.erased
            ),
        ];
        if let Some(organization) = presence_of {
            told.push(format!(
                "Not proven: that these are all. The bundle was made for an auditor of organization \
                 {organization} alone, and other organizations' events are not shown."
            ));
        }
        told.push(if self.continues {
            "The log continues the checkpoint you held: nothing before it was changed.".to_owned()
        } else {
            "Not proven: that this log continues one you saw before (give --since a checkpoint you \
             kept)."
                .to_owned()
        });
        told.push(if self.witnesses.is_empty() {
            "Not proven: that nobody holding both the database and the signing key keeps a second \
             log for others; only a checkpoint kept by an outside party shows that."
                .to_owned()
        } else {
            format!(
                "Seen by {}, who sign no two logs of this name: nobody was shown another one, unless \
                 by all of them together with the log's keeper.",
                self.witnesses.join(", ")
            )
        });
        told.push(format!(
            "Said by the maker, not proven: made {} by {} for {} ({}).",
            occasion.produced_at, occasion.build, occasion.recipient, occasion.purpose
        ));
        if self.code() == NOT_EVIDENCE_CODE {
            told.push(
                "NOT EVIDENCE: this log is of a demonstration or of development, whose clock can \
                 be set."
                    .to_owned(),
            );
        }
        told
    }
}

/// The question as whoever asked put it, in the form of the manifest.
fn asked(manifest: &Manifest) -> String {
    let question = match &manifest.report_question {
        Some(report) => serde_json::to_string(report),
        None => serde_json::to_string(&manifest.question),
    };
    question.expect("a question that was read is JSON")
}
