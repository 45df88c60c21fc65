//! The plan's own affairs, its records, and messages.

use rollcall_domain::{
    attestations::AttestationEvent,
    audit::{
        ActivityReviewsEvent, AuditExportEvent, AuditSinksEvent, DenialEvent, ErasureEvent,
        EvidenceEvent, LegalHoldsEvent, SodRulesEvent, WorkspaceEvent,
    },
    content::ClientGuidanceEvent,
    imports::PeopleImportEvent,
    notifications::{DeliveryEvent, InboxEvent, NotificationEvent},
    policies::{PolicyEvent, agreement::AgreementEvent, proposal::PolicyProposalEvent},
    tenants::{PlanRole, PlanStaffEvent, TenantEvent},
};

use super::{AccessAct, Act, Thing, UseAct, Verb, permissions::word};

pub(super) fn tenant(event: &TenantEvent) -> Act {
    let verb = match event {
        TenantEvent::TenantCreated { .. } => Verb::Created,
        TenantEvent::TenantSuspended { .. } => Verb::Suspended,
        TenantEvent::TenantResumed {} => Verb::Resumed,
        TenantEvent::TenantClosed { .. } => Verb::Deleted,
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn staff(event: &PlanStaffEvent) -> Act {
    use PlanStaffEvent as E;
    let named = |role: &PlanRole| vec![format!("plan role {}", word(role))];
    match event {
        E::PlanStaffInvited { .. } => Act::Managed(Verb::Enrolled, Thing::Person),
        E::PlanRoleAssigned { role, .. } => Act::Access(AccessAct::Assigned, named(role)),
        E::PlanRoleScoped { role, .. } => Act::Access(AccessAct::Changed, named(role)),
        E::PlanRoleEnded { role, .. } => Act::Access(AccessAct::Revoked, named(role)),
    }
}

pub(super) fn policy(event: &PolicyEvent) -> Act {
    match event {
        PolicyEvent::PresetApplied { .. }
        | PolicyEvent::PolicyChanged { .. }
        | PolicyEvent::FeatureAvailabilityChanged { .. } => {
            Act::Managed(Verb::Updated, Thing::Policy)
        }
    }
}

pub(super) fn proposal(event: &PolicyProposalEvent) -> Act {
    use PolicyProposalEvent as E;
    let verb = match event {
        E::PolicyChangeProposed { .. } => Verb::Created,
        E::PolicyChangeApproved { .. } => Verb::Activated,
        E::PolicyChangeRejected { .. } | E::PolicyChangeWithdrawn { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn agreement(event: &AgreementEvent) -> Act {
    match event {
        AgreementEvent::AgreementPublished { .. } => Act::Managed(Verb::Created, Thing::Own),
    }
}

pub(super) fn guidance(event: &ClientGuidanceEvent) -> Act {
    match event {
        ClientGuidanceEvent::ClientGuidanceSet { .. } => Act::Managed(Verb::Updated, Thing::Own),
    }
}

pub(super) fn attestation(event: &AttestationEvent) -> Act {
    match event {
        AttestationEvent::AttestationSigned { .. } => Act::Managed(Verb::Created, Thing::Own),
    }
}

pub(super) fn evidence(event: &EvidenceEvent) -> Act {
    match event {
        EvidenceEvent::EvidenceRequested { .. } => Act::Use(UseAct::Read),
        EvidenceEvent::EvidenceOpened { .. } => Act::Use(UseAct::Exported),
    }
}

pub(super) fn holds(event: &LegalHoldsEvent) -> Act {
    use LegalHoldsEvent as E;
    match event {
        E::LegalHoldPlaced { hold, .. } => {
            Act::Managed(Verb::Created, Thing::Part("legal hold", hold.0))
        }
        E::LegalHoldReleased { hold, .. } => {
            Act::Managed(Verb::Deleted, Thing::Part("legal hold", hold.0))
        }
        E::RecordsOfficerNamed { .. } | E::RecordsOfficerRelieved { .. } => {
            Act::Managed(Verb::Updated, Thing::Person)
        }
    }
}

pub(super) fn erasure(event: &ErasureEvent) -> Act {
    match event {
        ErasureEvent::ErasureRequested { .. } => Act::Managed(Verb::Created, Thing::Own),
        ErasureEvent::ErasureRefused { .. } => Act::Managed(Verb::Deactivated, Thing::Own),
        ErasureEvent::PersonErased { .. } => Act::Managed(Verb::Deleted, Thing::Person),
    }
}

pub(super) fn workspace(event: &WorkspaceEvent) -> Act {
    let verb = match event {
        WorkspaceEvent::WorkspaceOpened { .. } => Verb::Created,
        WorkspaceEvent::WorkspaceRenamed { .. }
        | WorkspaceEvent::WorkspaceQuestionSaved { .. }
        | WorkspaceEvent::WorkspaceQuestionRemoved { .. } => Verb::Updated,
        WorkspaceEvent::WorkspaceClosed { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn denial(event: &DenialEvent) -> Act {
    match event {
        DenialEvent::AccessDenied(_) => Act::Use(UseAct::Denied),
    }
}

pub(super) fn export(event: &AuditExportEvent) -> Act {
    match event {
        AuditExportEvent::AuditExportRequested { .. } => Act::Use(UseAct::Read),
        AuditExportEvent::AuditExportGiven { .. } => Act::Use(UseAct::Exported),
    }
}

pub(super) fn sod_rules(event: &SodRulesEvent) -> Act {
    let verb = match event {
        SodRulesEvent::SodRuleDefined { .. } => Verb::Created,
        SodRulesEvent::SodRuleRetired { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn activity_review(event: &ActivityReviewsEvent) -> Act {
    let verb = match event {
        ActivityReviewsEvent::ActivityReviewCompleted(_) => Verb::Created,
        ActivityReviewsEvent::ActivityReviewOverdue { .. } => Verb::Updated,
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn sinks(event: &AuditSinksEvent) -> Act {
    use AuditSinksEvent as E;
    let verb = match event {
        E::AuditSinkCreated { .. } => Verb::Created,
        E::AuditSinkSecretRotated { .. } => Verb::Updated,
        E::AuditSinkPaused { .. } => Verb::Suspended,
        E::AuditSinkResumed { .. } => Verb::Resumed,
        E::AuditSinkDeleted { .. } => Verb::Deleted,
        E::AuditSinkDelivered { .. } => return Act::Use(UseAct::Exported),
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn import(event: &PeopleImportEvent) -> Act {
    let verb = match event {
        PeopleImportEvent::PeopleImportRequested { .. } => Verb::Created,
        PeopleImportEvent::PeopleImportLineDone { .. } => Verb::Updated,
        PeopleImportEvent::PeopleImportCompleted { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}

pub(super) fn notification(event: &NotificationEvent) -> Act {
    match event {
        NotificationEvent::NotificationRaised(_) => Act::Managed(Verb::Created, Thing::Own),
    }
}

pub(super) fn inbox(event: &InboxEvent) -> Act {
    match event {
        InboxEvent::NotificationRead { .. } | InboxEvent::DigestSent { .. } => {
            Act::Managed(Verb::Updated, Thing::Own)
        }
    }
}

pub(super) fn delivery(event: &DeliveryEvent) -> Act {
    use DeliveryEvent as E;
    let verb = match event {
        E::MessageQueued(_) => Verb::Created,
        E::EmailSent { .. }
        | E::SmsSent { .. }
        | E::VoiceCallPlaced { .. }
        | E::LetterPrinted { .. }
        | E::MessageRetried { .. } => Verb::Activated,
        E::EmailBounced { .. }
        | E::EmailGaveUp { .. }
        | E::SmsGaveUp { .. }
        | E::VoiceCallGaveUp { .. }
        | E::LetterGaveUp { .. } => Verb::Deactivated,
    };
    Act::Managed(verb, Thing::Own)
}
