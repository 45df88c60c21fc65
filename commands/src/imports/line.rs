//! A line of the file of people, parsed (GN-33). Invariant: as a whole, before anything is recorded.

use std::collections::BTreeSet;

use rollcall_domain::{
    Code, Refusal,
    imports::PersonRow,
    organizations::OrgRole,
    permissions::{CorrespondenceScope, NpiLevel, NpiScope},
    values::{
        CorrespondenceType, EmailAddress, Invalid, Npi, PersonName, PhoneNumber, TaxId, TaxIdKind,
        Username,
    },
};

/// A line that can be imported.
pub(super) struct ParsedPerson {
    pub legacy_id: Option<String>,
    pub username: Option<Username>,
    pub email: EmailAddress,
    pub first_name: PersonName,
    pub last_name: PersonName,
    pub mobile: PhoneNumber,
    pub business_phone: Option<PhoneNumber>,
    pub role: OrgRole,
    pub npis: Vec<(NpiScope, NpiLevel)>,
    pub correspondence: Vec<(NpiScope, BTreeSet<CorrespondenceScope>)>,
}

const MAX_LEGACY_ID_CHARS: usize = 100;

/// Parses a line.
///
/// # Errors
/// The first column at fault, as the refusal's field.
pub(super) fn parse(row: &PersonRow) -> Result<ParsedPerson, Refusal> {
    let legacy_id = row.legacy_id.trim();
    if legacy_id.chars().count() > MAX_LEGACY_ID_CHARS {
        let message = format!("Shorten the id to {MAX_LEGACY_ID_CHARS} characters.");
        return Err(Refusal::new(Code::FieldTooLong, message).at("legacy_id"));
    }
    let business_phone = filled(&row.business_phone).map(PhoneNumber::parse).transpose();
    let username = filled(&row.username).map(Username::parse).transpose();
    Ok(ParsedPerson {
        legacy_id: filled(legacy_id).map(str::to_owned),
        username: username.map_err(at("username"))?,
        email: EmailAddress::parse(row.email.trim()).map_err(at("email"))?,
        first_name: PersonName::parse(&row.first_name).map_err(at("first_name"))?,
        last_name: PersonName::parse(&row.last_name).map_err(at("last_name"))?,
        mobile: PhoneNumber::parse(row.mobile.trim()).map_err(at("mobile"))?,
        business_phone: business_phone.map_err(at("business_phone"))?,
        role: match filled(&row.org_role) {
            None => OrgRole::None,
            Some(word) => OrgRole::parse(word).ok_or_else(|| unclear("org_role"))?,
        },
        npis: pairs(&row.npis, "npis", NpiLevel::parse)?,
        correspondence: pairs(&row.correspondence, "correspondence", |types| {
            types.split('+').map(kind).collect()
        })?,
    })
}

/// The tax id by which a line names its organisation; `None` where it names none so.
///
/// # Errors
/// `TAX_ID_INVALID` at its column.
pub(super) fn tax_id(row: &PersonRow) -> Result<Option<TaxId>, Refusal> {
    let Some(text) = filled(&row.tax_id) else { return Ok(None) };
    let kind = TaxIdKind::parse(row.tax_id_type.trim()).map_err(at("tax_id_type"))?;
    TaxId::parse(kind, text).map(Some).map_err(at("tax_id"))
}

fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn at(column: &'static str) -> impl Fn(Invalid) -> Refusal {
    move |invalid| Refusal::from(invalid).at(column)
}

fn unclear(column: &'static str) -> Refusal {
    let message = "Write NPI=VALUE with semicolons between, * for all NPIs, and words of the API.";
    Refusal::new(Code::FieldInvalid, message).at(column)
}

fn kind(word: &str) -> Option<CorrespondenceScope> {
    match word.trim() {
        "*" => Some(CorrespondenceScope::All),
        word => CorrespondenceType::parse(word).ok().map(CorrespondenceScope::One),
    }
}

fn pairs<T>(
    text: &str,
    column: &'static str,
    value: impl Fn(&str) -> Option<T>,
) -> Result<Vec<(NpiScope, T)>, Refusal> {
    let parts = text.split(';').filter_map(filled);
    parts
        .map(|part| {
            let (npi, word) = part.split_once('=').ok_or_else(|| unclear(column))?;
            let npi = match npi.trim() {
                "*" => NpiScope::All,
                npi => NpiScope::One(Npi::parse(npi).map_err(at(column))?),
            };
            Ok((npi, value(word.trim()).ok_or_else(|| unclear(column))?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> PersonRow {
        PersonRow {
            email: "ann@clinic.example".into(),
            first_name: "Ann".into(),
            last_name: "Lee".into(),
            mobile: "+12025550123".into(),
            npis: "1234567893=ADMIN; *=PROCESSOR".into(),
            correspondence: "1234567893=RAD+TAX;*=*".into(),
            ..PersonRow::default()
        }
    }

    #[test]
    fn gn_33_rights_are_read_from_their_columns() {
        let parsed = parse(&row()).expect("a good line");
        assert_eq!(parsed.role, OrgRole::None);
        let one = NpiScope::One(Npi::parse("1234567893").expect("valid"));
        assert_eq!(parsed.npis, [(one, NpiLevel::Admin), (NpiScope::All, NpiLevel::Processor)]);
        assert_eq!(parsed.correspondence.len(), 2);
        assert_eq!(parsed.correspondence[1].1, BTreeSet::from([CorrespondenceScope::All]));
    }

    #[test]
    fn gn_33_a_bad_line_names_its_column() {
        let fault = |change: fn(&mut PersonRow)| {
            let mut row = row();
            change(&mut row);
            parse(&row).err().expect("a bad line").field.join(".")
        };
        assert_eq!(fault(|r| r.email = "no address".into()), "email");
        assert_eq!(fault(|r| r.first_name.clear()), "first_name");
        assert_eq!(fault(|r| r.mobile.clear()), "mobile");
        assert_eq!(fault(|r| r.org_role = "KING".into()), "org_role");
        assert_eq!(fault(|r| r.npis = "1234567890=ADMIN".into()), "npis");
        assert_eq!(fault(|r| r.npis = "1234567893".into()), "npis");
        assert_eq!(fault(|r| r.correspondence = "*=".into()), "correspondence");
    }
}
