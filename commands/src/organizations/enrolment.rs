//! One line of the plan's enrolment file: an organisation, perhaps with one of its NPIs (GN-32).
//!
//! Invariant: a line is parsed as a whole before anything is recorded, so a bad line leaves nothing.

use rollcall_domain::{
    Code, Refusal,
    organizations::{ContractStatus, OrganizationKinds, PostalAddress},
    values::{
        EmailAddress, Invalid, Npi, OrganizationName, ProviderCommunity, ProviderType, TaxId,
        TaxIdKind, Zip,
    },
};
use serde::{Deserialize, Serialize};

use super::{NpiDetails, parse_contract_status, parse_kinds};

/// A line as it stands in the file; blank text where a column is empty. The names of the fields are
/// the names of the columns.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnrolmentRow {
    /// The plan's own number of the organisation; without one the tax id tells organisations apart.
    pub reference: String,
    pub organization: String,
    /// `PROVIDER`, `SUBMITTER`, or both with a semicolon between.
    pub kinds: String,
    /// `EIN` or `SSN`.
    pub tax_id_type: String,
    pub tax_id: String,
    pub pay_to_line1: String,
    pub pay_to_line2: String,
    pub pay_to_city: String,
    pub pay_to_state: String,
    pub pay_to_zip: String,
    pub contact_email: String,
    pub contract_status: String,
    pub npi: String,
    pub npi_name: String,
    pub provider_type: String,
    pub community: String,
}

impl std::fmt::Debug for EnrolmentRow {
    /// Shows nothing that is secret or personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolmentRow").field("organization", &self.organization).finish()
    }
}

/// A line that can be imported.
pub(super) struct ParsedRow {
    pub reference: Option<String>,
    pub name: OrganizationName,
    pub kinds: OrganizationKinds,
    pub tax_id: TaxId,
    pub pay_to_address: Option<PostalAddress>,
    pub pay_to_zip: Option<Zip>,
    pub contact_email: EmailAddress,
    pub contract_status: ContractStatus,
    pub npi: Option<NpiDetails>,
}

const MAX_REFERENCE_CHARS: usize = 60;

impl EnrolmentRow {
    /// Parses the line.
    ///
    /// # Errors
    /// The first column at fault, as the refusal's field.
    pub(super) fn parse(&self) -> Result<ParsedRow, Refusal> {
        let kind = TaxIdKind::parse(self.tax_id_type.trim()).map_err(at("tax_id_type"))?;
        let reference = self.reference.trim();
        if reference.chars().count() > MAX_REFERENCE_CHARS {
            let message = format!("Shorten the reference to {MAX_REFERENCE_CHARS} characters.");
            return Err(Refusal::new(Code::FieldTooLong, message).at("reference"));
        }
        let name = OrganizationName::parse(&self.organization).map_err(at("organization"))?;
        let address = self.address()?;
        Ok(ParsedRow {
            reference: (!reference.is_empty()).then(|| reference.to_owned()),
            kinds: parse_kinds(self.kinds.split(';')).map_err(|refusal| refusal.at("kinds"))?,
            tax_id: TaxId::parse(kind, self.tax_id.trim()).map_err(at("tax_id"))?,
            pay_to_zip: self.zip(address.as_ref())?,
            pay_to_address: address,
            contact_email: EmailAddress::parse(self.contact_email.trim())
                .map_err(at("contact_email"))?,
            contract_status: match self.contract_status.trim() {
                "" => ContractStatus::Contracted,
                status => parse_contract_status(status)
                    .map_err(|refusal| refusal.at("contract_status"))?,
            },
            npi: self.npi(&name)?,
            name,
        })
    }

    /// The pay-to address, unless all its columns but the ZIP are blank.
    fn address(&self) -> Result<Option<PostalAddress>, Refusal> {
        let [line1, line2, city, state] =
            [&self.pay_to_line1, &self.pay_to_line2, &self.pay_to_city, &self.pay_to_state]
                .map(|text| text.trim());
        if [line1, line2, city, state].iter().all(|text| text.is_empty()) {
            return Ok(None);
        }
        let parsed = PostalAddress::parse(line1, line2, city, state, self.pay_to_zip.trim());
        parsed.map(Some).map_err(at("pay_to_line1"))
    }

    fn zip(&self, address: Option<&PostalAddress>) -> Result<Option<Zip>, Refusal> {
        match (address, self.pay_to_zip.trim()) {
            (Some(address), _) => Ok(Some(address.zip.clone())),
            (None, "") => Ok(None),
            (None, zip) => Zip::parse(zip).map(Some).map_err(at("pay_to_zip")),
        }
    }

    fn npi(&self, organization: &OrganizationName) -> Result<Option<NpiDetails>, Refusal> {
        if self.npi.trim().is_empty() {
            return Ok(None);
        }
        let name = match self.npi_name.trim() {
            "" => organization.clone(),
            name => OrganizationName::parse(name).map_err(at("npi_name"))?,
        };
        Ok(Some(NpiDetails {
            npi: Npi::parse(self.npi.trim()).map_err(at("npi"))?,
            name,
            provider_type: ProviderType::parse(&self.provider_type).map_err(at("provider_type"))?,
            community: ProviderCommunity::parse(&self.community).map_err(at("community"))?,
        }))
    }
}

fn at(column: &str) -> impl Fn(Invalid) -> Refusal {
    move |invalid| Refusal::from(invalid).at(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> EnrolmentRow {
        EnrolmentRow {
            organization: "Redwood Clinic".into(),
            kinds: "PROVIDER;SUBMITTER".into(),
            tax_id_type: "EIN".into(),
            tax_id: "12-3456789".into(),
            pay_to_line1: "1 Main St".into(),
            pay_to_city: "Fresno".into(),
            pay_to_state: "CA".into(),
            pay_to_zip: "93701".into(),
            contact_email: "office@redwood.example".into(),
            npi: "1234567893".into(),
            provider_type: "GROUP".into(),
            community: "PHYSICIANS".into(),
            ..EnrolmentRow::default()
        }
    }

    #[test]
    fn gn_32_a_line_without_reference_status_and_npi_name_has_careful_defaults() {
        let parsed = row().parse().expect("a good line");
        assert_eq!(parsed.kinds.len(), 2);
        assert_eq!(parsed.contract_status, ContractStatus::Contracted);
        assert_eq!(parsed.npi.expect("an NPI").name.as_str(), "Redwood Clinic");
        assert_eq!(parsed.pay_to_zip.expect("a ZIP").as_str(), "93701");
        assert!(parsed.reference.is_none());
    }

    #[test]
    fn gn_32_a_bad_line_names_its_column() {
        let fault = |change: fn(&mut EnrolmentRow)| {
            let mut row = row();
            change(&mut row);
            let refusal = row.parse().err().expect("a bad line");
            (refusal.code, refusal.field.join("."))
        };
        assert_eq!(fault(|r| r.tax_id = "07-1234567".into()).1, "tax_id");
        assert_eq!(fault(|r| r.npi = "1234567890".into()), (Code::NpiInvalid, "npi".into()));
        assert_eq!(fault(|r| r.kinds.clear()).1, "kinds");
        assert_eq!(fault(|r| r.pay_to_zip = "9370".into()).1, "pay_to_line1");
        assert_eq!(fault(|r| r.community.clear()), (Code::FieldRequired, "community".into()));
    }

    #[test]
    fn a_line_shows_no_tax_id_when_it_is_logged() {
        assert!(!format!("{:?}", row()).contains("3456789"));
    }
}
