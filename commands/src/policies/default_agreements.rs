//! The texts a new portal begins with, one of each kind (MC-02); plan administrators replace them.
//!
//! Invariant: a portal has every kind of text from its first moment, so no flow ever meets a missing
//! one. `{plan}` stands for the portal's name.

use rollcall_domain::{
    policies::agreement::{Agreement, AgreementCommand, TickBox},
    values::AgreementKind,
};

use crate::{Context, Failure};

/// The version every portal begins with.
const FIRST_VERSION: &str = "1";

struct Template {
    kind: AgreementKind,
    title: &'static str,
    text: &'static str,
    boxes: &'static [(&'static str, &'static str)],
}

const TEMPLATES: &[Template] = &[
    Template {
        kind: AgreementKind::PortalTerms,
        title: "Portal Terms and Conditions",
        text: include_str!("texts/portal_terms.txt"),
        boxes: &[("READ_AND_AGREE", "I have read the Terms and Conditions and agree to them.")],
    },
    Template {
        kind: AgreementKind::OnlineConditionsOfUse,
        title: "Online Conditions of Use Agreement",
        text: include_str!("texts/online_conditions_of_use.txt"),
        boxes: &[
            ("READ_AND_AGREE", "I have read the Online Conditions of Use and agree to them."),
            ("AUTHORIZED", "I am authorized to accept these conditions for the organization."),
        ],
    },
    Template {
        kind: AgreementKind::SystemUseNotification,
        title: "System Use Notification",
        text: include_str!("texts/system_use_notification.txt"),
        boxes: &[
            ("READ_AND_AGREE", "I have read the System Use Notification and agree to it."),
            ("AUTHORIZED", "I am authorized to create an account for this organization."),
        ],
    },
    Template {
        kind: AgreementKind::AffiliationAgreement,
        title: "Provider and Submitter Affiliation Agreement",
        text: include_str!("texts/affiliation_agreement.txt"),
        boxes: &[("READ_AND_AGREE", "I have read the agreement and sign it for my organization.")],
    },
    Template {
        kind: AgreementKind::Electronic1099Consent,
        title: "Consent to Receive Form 1099 Electronically",
        text: include_str!("texts/electronic_1099_consent.txt"),
        boxes: &[("CONSENT", "I consent to receive Form 1099 electronically instead of on paper.")],
    },
    Template {
        kind: AgreementKind::PlanAttestation,
        title: "Attestation",
        text: include_str!("texts/plan_attestation.txt"),
        boxes: &[("ATTEST", "I attest to this for my organization and am authorized to do so.")],
    },
];

/// Publishes the first version of every text, in force at once.
pub(crate) async fn publish_all(cx: &mut Context<'_>, plan: &str) -> Result<(), Failure> {
    for template in TEMPLATES {
        let stream = cx.tenant().agreement_stream(template.kind);
        let boxes = template
            .boxes
            .iter()
            .map(|(key, label)| TickBox { key: (*key).to_owned(), label: (*label).to_owned() })
            .collect();
        let publish = AgreementCommand::PublishAgreement {
            kind: template.kind,
            version: FIRST_VERSION.to_owned(),
            title: template.title.to_owned(),
            text: template.text.replace("{plan}", plan),
            boxes,
            effective_at: None,
        };
        cx.decide::<Agreement>(stream, publish).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mc_02_every_kind_of_agreement_has_a_text_with_boxes() {
        for kind in AgreementKind::ALL {
            let template = TEMPLATES.iter().find(|t| t.kind == kind).expect("one per kind");
            assert!(template.text.len() > 400 && !template.boxes.is_empty(), "{kind:?}");
            assert!(template.text.contains("{plan}"), "{kind:?} names the plan");
        }
        assert_eq!(TEMPLATES.len(), AgreementKind::ALL.len());
    }
}
