//! Where each stream with a natural key is found.
//!
//! Invariant: these derivations are frozen by the first stored event; a changed one would lose the
//! streams written before.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::{
    affiliations::Pair,
    kernel::ids::{OrganizationId, ReviewTemplateId, TenantId, UserId},
    values::{AgreementKind, Npi},
};

impl TenantId {
    /// The tenant behind a slug: slugs are unique because two tenants of one slug would be one.
    #[must_use]
    pub fn of_slug(slug: &str) -> Self {
        if slug == Self::OPERATIONS_SLUG {
            return Self::OPERATIONS;
        }
        Self(Self::OPERATIONS.derive("tenant", slug))
    }

    /// The slug of the tenant in which operators live.
    pub const OPERATIONS_SLUG: &'static str = "operations";

    /// `policies.policy`: one per tenant.
    #[must_use]
    pub fn policy_stream(&self) -> Uuid {
        self.derive("policy", "")
    }

    /// `policies.agreement`: one per kind.
    #[must_use]
    pub fn agreement_stream(&self, kind: AgreementKind) -> Uuid {
        self.derive("agreement", kind.as_str())
    }

    /// `content.client_guidance`: one per tenant.
    #[must_use]
    pub fn client_guidance_stream(&self) -> Uuid {
        self.derive("client_guidance", "")
    }

    /// `audit.legal_holds`: one per tenant.
    #[must_use]
    pub fn legal_holds_stream(&self) -> Uuid {
        self.derive("legal_holds", "")
    }

    /// `audit.erasure`: one per person.
    #[must_use]
    pub fn erasure_stream(&self, user: UserId) -> Uuid {
        self.derive("erasure", &user.to_string())
    }

    /// `tenants.plan_staff`: one per person.
    #[must_use]
    pub fn plan_staff_stream(&self, user: UserId) -> Uuid {
        self.derive("plan_staff", &user.to_string())
    }

    /// The plan itself, where what is an organisation's elsewhere is its own: reviews of its staff (GN-15). No
    /// organisation has this id, so no narrower scope of a plan role covers it and nobody is a member there.
    #[must_use]
    pub fn plan_itself(&self) -> OrganizationId {
        OrganizationId(self.derive("plan_itself", ""))
    }

    /// `users.credential`: one per person.
    #[must_use]
    pub fn credential_stream(&self, user: UserId) -> Uuid {
        self.derive("credential", &user.to_string())
    }

    /// `users.authenticator`: one per person.
    #[must_use]
    pub fn authenticator_stream(&self, user: UserId) -> Uuid {
        self.derive("authenticator", &user.to_string())
    }

    /// `users.trusted_issuers`: one per tenant.
    #[must_use]
    pub fn trusted_issuers_stream(&self) -> Uuid {
        self.derive("trusted_issuers", "")
    }

    /// `users.external_identities`: one per person.
    #[must_use]
    pub fn external_identities_stream(&self, user: UserId) -> Uuid {
        self.derive("external_identities", &user.to_string())
    }

    /// `users.credential` of an identifier nobody has, so that it locks and answers like a known
    /// one; `identifier_hash` is the keyed hash in hexadecimal.
    #[must_use]
    pub fn shadow_credential_stream(&self, identifier_hash: &str) -> Uuid {
        self.derive("credential.shadow", identifier_hash)
    }

    /// `access_requests.join_request`: one per organisation, address and time around, counted from
    /// 0; `address_hash` is the keyed hash in hexadecimal.
    #[must_use]
    pub fn join_request_stream(
        &self,
        organization: OrganizationId,
        address_hash: &str,
        n: u32,
    ) -> Uuid {
        self.derive("join_request", &format!("{organization}/{address_hash}/{n}"))
    }

    /// `access_reviews.access_review` that the schedule opens: one per organisation and day on which
    /// its period begins.
    #[must_use]
    pub fn access_review_stream(&self, organization: OrganizationId, begins: NaiveDate) -> Uuid {
        self.derive("access_review", &format!("{organization}/{begins}"))
    }

    /// `access_reviews.access_review` of what an event changed in an organisation, the `nth` one for it.
    #[must_use]
    pub fn review_of_change_stream(
        &self,
        event: Uuid,
        organization: OrganizationId,
        nth: usize,
    ) -> Uuid {
        self.derive("review_of_change", &format!("{event}/{organization}/{nth}"))
    }

    /// `access_reviews.review_campaign` that a template opens by itself: one per date.
    #[must_use]
    pub fn review_campaign_stream(&self, template: ReviewTemplateId, due_on: NaiveDate) -> Uuid {
        self.derive("review_campaign", &format!("{template}/{due_on}"))
    }

    /// `access_reviews.review_substitutes`: one per organisation.
    #[must_use]
    pub fn review_substitutes_stream(&self, organization: OrganizationId) -> Uuid {
        self.derive("review_substitutes", &organization.to_string())
    }

    /// `attestations.attestation`: one per member of an organisation.
    #[must_use]
    pub fn attestation_stream(&self, user: UserId, organization: OrganizationId) -> Uuid {
        self.derive("attestation", &format!("{organization}/{user}"))
    }

    /// `pins.pin`: one per NPI.
    #[must_use]
    pub fn pin_stream(&self, npi: &Npi) -> Uuid {
        self.derive("pins.pin", npi.as_str())
    }

    /// `affiliations.affiliation`: one per pair and time around, counted from 0.
    #[must_use]
    pub fn affiliation_stream(&self, pair: &Pair, n: u32) -> Uuid {
        self.derive("affiliation", &format!("{}/{}/{n}", pair.submitter, pair.provider))
    }

    /// `affiliations.submitter_profile`: one per organisation.
    #[must_use]
    pub fn submitter_profile_stream(&self, organization: OrganizationId) -> Uuid {
        self.derive("submitter_profile", &organization.to_string())
    }

    /// `permissions.right_use`: one per person and organisation, and one for their plan roles.
    #[must_use]
    pub fn right_use_stream(&self, user: UserId, organization: Option<OrganizationId>) -> Uuid {
        let of = organization.map_or_else(|| "plan".to_owned(), |id| id.to_string());
        self.derive("right_use", &format!("{user}/{of}"))
    }

    /// `audit.sod_rules`: one per tenant.
    #[must_use]
    pub fn sod_rules_stream(&self) -> Uuid {
        self.derive("sod_rules", "")
    }

    /// `audit.activity_reviews`: one per tenant.
    #[must_use]
    pub fn activity_reviews_stream(&self) -> Uuid {
        self.derive("activity_reviews", "")
    }

    /// `audit.sinks`: one per tenant.
    #[must_use]
    pub fn audit_sinks_stream(&self) -> Uuid {
        self.derive("audit_sinks", "")
    }

    /// `notifications.inbox`: one per person.
    #[must_use]
    pub fn inbox_stream(&self, user: UserId) -> Uuid {
        self.derive("inbox", &user.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operations_slug_leads_to_the_operations_tenant_and_no_other_does() {
        assert_eq!(TenantId::of_slug("operations"), TenantId::OPERATIONS);
        assert_ne!(TenantId::of_slug("medi-cal"), TenantId::of_slug("cencal"));
    }

    #[test]
    fn derived_streams_are_frozen() {
        let tenant = TenantId::of_slug("medi-cal");
        assert_eq!(tenant.to_string(), "02edc4bf-eb01-5578-bf00-44d079d1578c");
        assert_eq!(tenant.policy_stream().to_string(), "8e0f0242-a3a1-5db2-8ddb-cf948f29375b");
        let begins = NaiveDate::from_ymd_opt(2026, 1, 12).expect("a day");
        let review = tenant.access_review_stream(OrganizationId(Uuid::from_u128(10)), begins);
        assert_eq!(review.to_string(), "54426c04-8c7f-5962-85fb-e4a0738cd21d");
        assert_eq!(tenant.plan_itself().to_string(), "7499e8af-c5a9-5d5b-ba6b-6e42ff25b037");
        assert_ne!(tenant.plan_itself(), TenantId::of_slug("cencal").plan_itself());
    }
}
