//! What a registrant must know of the enrolment record behind a token: tax id, pay-to ZIP and contact
//! email (MC-07).
//!
//! Invariant: the tax id is kept as a keyed hash only, in the vault; nobody can read it back.

use rollcall_domain::{
    kernel::ids::{OrganizationId, TenantId},
    organizations::Organization,
    values::{EmailAddress, TaxId, Zip},
};
use rollcall_journal::Journal;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::{Context, Failure};

/// The vault kind; the id is the organisation's.
pub const VAULT_KIND: &str = "contact";
/// The reservation kind under which one organisation holds a tax id.
pub(crate) const TAX_ID: &str = "tax_id";

/// The keyed hashes kept of an enrolment record.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Contact {
    /// Also the key of the tax id's reservation.
    pub tax_id: [u8; 32],
    pub contact_email: [u8; 32],
}

impl Contact {
    pub fn of(journal: &Journal, tenant: TenantId, tax_id: &TaxId, email: &EmailAddress) -> Self {
        let secrets = journal.secrets();
        Self {
            tax_id: secrets.lookup_key(tenant, TAX_ID, &tax_id.normalized()),
            contact_email: secrets.lookup_key(tenant, "contact_email", &email.key()),
        }
    }

    /// What is kept for an organisation.
    pub async fn load(
        journal: &Journal,
        tenant: TenantId,
        organization: OrganizationId,
    ) -> Result<Option<Self>, Failure> {
        let kept = journal.vault_get(tenant, VAULT_KIND, organization.0).await?;
        Ok(kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    pub fn keep(&self, cx: &mut Context<'_>, organization: OrganizationId) {
        let bytes = serde_json::to_vec(self).expect("two hashes are representable as JSON");
        cx.work.vault_put(VAULT_KIND, organization.0, &bytes);
    }
}

/// How many of the three details differ from the enrolment record; all three for an organisation
/// without one. Compares all, whatever the first says, in time that does not depend on them.
///
/// # Errors
/// The database did not answer.
pub async fn mismatches(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    tax_id: &TaxId,
    pay_to_zip: &Zip,
    contact_email: &EmailAddress,
) -> Result<u8, Failure> {
    let tenant = cx.tenant();
    let given = Contact::of(cx.journal(), tenant, tax_id, contact_email);
    let kept = Contact::load(cx.journal(), tenant, organization).await?;
    let enrolled = cx.load::<Organization>(organization).await?;
    let zip = enrolled.record().and_then(|record| record.pay_to_zip.clone());
    let same = |pick: fn(&Contact) -> &[u8; 32]| {
        kept.as_ref().is_some_and(|kept| bool::from(pick(kept).ct_eq(pick(&given))))
    };
    let right = [
        same(|contact| &contact.tax_id),
        zip.is_some_and(|zip| zip.matches(pay_to_zip)),
        same(|contact| &contact.contact_email),
    ];
    Ok(right.into_iter().map(|right| u8::from(!right)).sum())
}
