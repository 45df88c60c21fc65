//! Words that several contexts share in the schema, and how their inputs name a field at fault.
//!
//! Invariant: an enum here is the domain's, value by value; the derive fails to compile when the two
//! differ.

use async_graphql::Enum;
use rollcall_domain::{Refusal, values::Invalid};

/// The texts a tenant publishes and people accept (MC-02).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::values::AgreementKind")]
pub enum AgreementKind {
    /// Terms and Conditions of the portal.
    PortalTerms,
    /// Online Conditions of Use Agreement.
    OnlineConditionsOfUse,
    /// System Use Notification.
    SystemUseNotification,
    /// Telecommunications Provider and Biller Application/Agreement.
    AffiliationAgreement,
    /// Consent to electronic 1099 forms.
    #[graphql(name = "ELECTRONIC_1099_CONSENT")]
    Electronic1099Consent,
}

/// How a passcode reaches a telephone (MC-19).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::values::CodeChannel")]
pub enum CodeChannel {
    /// Text message.
    Sms,
    /// Voice call, for lines that take no messages.
    Voice,
}

/// Which number an organisation or person is taxed under (MC-07).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::values::TaxIdKind")]
pub enum TaxIdKind {
    /// Employer identification number.
    Ein,
    /// Social security number.
    Ssn,
}

/// A person's organisation-wide permission (MC-47).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::organizations::OrgRole")]
pub enum OrgRole {
    /// Only what other permissions give.
    None,
    /// Sees organisation-wide notifications and lists, changes nothing.
    Processor,
    /// Adds, removes and modifies users.
    Admin,
}

/// A person's level for one NPI (MC-39).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::permissions::NpiLevel")]
pub enum NpiLevel {
    /// No access.
    None,
    /// Receives notifications; searches, reads and exports correspondence (MC-41).
    Processor,
    /// Also views and resets PINs and views tax documents granted (MC-40).
    Admin,
}

/// A part of the portal that is switched as a whole (MC-01).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::policies::Feature")]
pub enum Feature {
    /// Add, remove and modify users (CC-08).
    UserManagement,
    /// Ask for access and decide requests (CC-11).
    AccessRequests,
    /// PINs of NPIs (MC-50).
    Pins,
    /// Affiliations of submitters and providers (MC-54).
    Affiliations,
    /// Correspondence by NPI and type (MC-45).
    Correspondence,
    /// Tax documents (MC-78).
    TaxDocuments,
    /// The way into Transaction Services (MC-38).
    TransactionServices,
    /// Eligibility of members (AL-12).
    Eligibility,
    /// Search of claims (AL-13).
    Claims,
    /// Authorizations (AL-17).
    Authorizations,
    /// Referrals (AL-16, CX-14).
    Referrals,
    /// Explanation of payment reports (CC-15).
    EopReports,
    /// Electronic funds transfer reports (CC-15).
    EftReports,
    /// The plan's own attestation (CC-14).
    Attestation,
    /// Quality reports (AL-27).
    QualityReports,
    /// Uploads to the data submission tool (AL-19).
    DataSubmission,
    /// Provider change requests (AL-09).
    ProviderChangeRequests,
    /// Chat with the care center (CX-25).
    Chat,
}

/// Whether a feature can be used (MC-01).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::policies::FeatureState")]
pub enum FeatureState {
    On,
    Off,
    /// Announced, with a text; using it is refused.
    ComingSoon,
}

/// What an organisation does (MC-12).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::organizations::OrganizationKind")]
pub enum OrganizationKind {
    /// Treats patients and bills under its NPIs.
    Provider,
    /// Submits for providers it is affiliated with.
    Submitter,
}

/// A role of the health plan's own people (GN-31).
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::tenants::PlanRole")]
pub enum PlanRole {
    /// Runs the service; sees no tenant's data.
    Operator,
    /// Plan administrator.
    Pa,
    /// Plan support staff.
    Ps,
    /// Quality team.
    Qi,
    /// Content editor.
    Ce,
    /// Compliance auditor.
    Au,
}

/// In which role somebody acted.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_domain::kernel::ActorKind")]
pub enum ActorKind {
    /// A visitor who has not signed in.
    Anonymous,
    /// A person acting for a provider or submitter organisation, or for themself.
    User,
    /// A person of the health plan acting in a plan role.
    PlanStaff,
    /// A person who runs the service.
    Operator,
    /// The scheduler or a process of the service itself.
    System,
    /// A machine by its key (GN-28).
    ApiKey,
}

/// A parsed field, or the refusal that names it.
///
/// # Errors
/// What the value refused, at `field`.
pub fn field<T>(field: &str, parsed: Result<T, Invalid>) -> Result<T, Refusal> {
    parsed.map_err(|invalid| Refusal::from(invalid).at(field))
}
