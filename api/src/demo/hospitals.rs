//! The 44 real California hospitals of the demo's enrolment (public CMS data; `demo_npi` is a
//! check-digit-valid number that is not the facility's).

use serde::Deserialize;

const FILE: &str = include_str!("california-hospitals.csv");

/// One line of the file.
#[derive(Clone, Debug, Deserialize)]
pub struct Hospital {
    pub name: String,
    pub address: String,
    pub city: String,
    pub state: String,
    pub zip: String,
    pub demo_npi: String,
}

/// All of them.
#[must_use]
pub fn hospitals() -> Vec<Hospital> {
    csv::Reader::from_reader(FILE.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("the embedded file is well-formed")
}

#[cfg(test)]
mod tests {
    use rollcall_domain::values::{Npi, Zip};

    use super::*;

    #[test]
    fn the_embedded_file_enrols_44_hospitals_with_valid_npis() {
        let hospitals = hospitals();
        assert_eq!(hospitals.len(), 44);
        for hospital in hospitals {
            Npi::parse(&hospital.demo_npi).unwrap();
            Zip::parse(&hospital.zip).unwrap();
        }
    }
}
