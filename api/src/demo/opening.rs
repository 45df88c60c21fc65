//! Act one: an operator opens a portal, the plan gets its staff, and organisations come on file.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_commands::{
    Caller,
    organizations::{EnrolmentRow, ImportEnrolment, ImportOrigin},
    policies::ChangePolicy,
    tenants::{CreateTenant, InvitePlanStaff, PersonDetails, RegisterFirstOperator, bootstrap},
};
use rollcall_domain::{
    kernel::ids::{OrganizationId, TenantId},
    policies::{PolicyKey, PolicyValue, Preset},
    tenants::{PlanRole, PlanStaff},
    values::{EmailAddress, Npi, OrganizationName, Password, Reason, Slug},
};

use super::{
    cast::{self, Character},
    firms::{Firm, user_of},
    hospitals::hospitals,
    stage::{PASSWORD, Stage, StepError},
};

/// A member of the plan's staff.
#[derive(Clone, Debug)]
pub struct Official {
    pub role: PlanRole,
    pub who: Character,
}

/// The first operator registers through the one-time link and signs in.
///
/// # Errors
/// The refusal of any step.
pub async fn operator(stage: &Stage, who: &Character) -> Result<Caller, StepError> {
    let operations = stage.of(TenantId::OPERATIONS_SLUG);
    let link = bootstrap(&stage.commands, "")
        .await
        .map_err(|source| StepError::Command { step: "bootstrap", source })?
        .ok_or(StepError::Missing("the link for the first operator"))?;
    let token = link.rsplit('/').next().unwrap_or_default().to_owned();
    let register =
        RegisterFirstOperator { token, person: details(who)?, password: Password::new(PASSWORD) };
    operations.run(&operations.visitor(), &register).await?;
    operations.sign_in(&who.email).await
}

fn details(who: &Character) -> Result<PersonDetails, StepError> {
    Ok(PersonDetails::parse("", &who.email, who.first, who.last, &who.mobile)?)
}

/// Opens a portal; its two first administrators follow their invitations.
///
/// # Errors
/// The refusal of any step.
pub async fn portal(
    stage: &Stage,
    operator: &Caller,
    slug: &str,
    name: &str,
    preset: Preset,
    administrators: [Character; 2],
) -> Result<(Stage, Vec<Official>), StepError> {
    let create = CreateTenant {
        slug: Slug::parse(slug)?,
        name: OrganizationName::parse(name)?,
        preset,
        administrators: administrators.iter().map(details).collect::<Result<_, _>>()?,
    };
    stage.of(TenantId::OPERATIONS_SLUG).run(operator, &create).await?;
    let portal = stage.of(slug);
    let mut staff = Vec::new();
    for who in administrators {
        let user = user_of(&portal, &EmailAddress::parse(&who.email)?).await?;
        let stream = portal.tenant.plan_staff_stream(user);
        let state = portal.commands.journal.load::<PlanStaff>(portal.tenant, stream).await?.state;
        let invitation =
            state.invitation().ok_or(StepError::Missing("an administrator's invitation"))?;
        portal.follow_invitation(invitation.invitation, &who).await?;
        staff.push(Official { role: PlanRole::Pa, who });
    }
    Ok((portal, staff))
}

/// Invites somebody of the plan into a role; they follow the invitation.
///
/// # Errors
/// The refusal of any step.
pub async fn official(
    stage: &Stage,
    admin: &Caller,
    role: PlanRole,
    who: Character,
) -> Result<Official, StepError> {
    let invite = InvitePlanStaff {
        person: details(&who)?,
        roles: [role].into(),
        until: None,
        organizations: BTreeSet::new(),
        reason: Reason::parse("Staff of the demonstration.")?,
    };
    let invited = stage.run(admin, &invite).await?;
    stage.follow_invitation(invited.invitation, &who).await?;
    Ok(Official { role, who })
}

/// Lets those stay who do not sign in: the demonstration tells of two years in few scenes.
///
/// # Errors
/// The refusal of any step.
pub async fn keep_the_absent(stage: &Stage, admin: &Caller) -> Result<(), StepError> {
    let change = ChangePolicy {
        key: PolicyKey::DormantDeactivateDays,
        value: PolicyValue::Off,
        effective_at: None,
        reason: Reason::parse("People of the demonstration seldom sign in.")?,
        expected_version: None,
    };
    stage.run(admin, &change).await?;
    Ok(())
}

/// An organisation to be put on file, with the lines of the file that say so.
struct OnFile {
    firm: Firm,
    rows: Vec<EnrolmentRow>,
}

/// Numbers that pass the NPI check and come from a range no facility of the demo has.
struct NpiSource(u32);

impl NpiSource {
    fn next(&mut self) -> Npi {
        loop {
            self.0 += 1;
            let candidates = (0..10).map(|digit| format!("1{:08}{digit}", self.0));
            if let Some(npi) = candidates.filter_map(|text| Npi::parse(&text).ok()).next() {
                return npi;
            }
        }
    }
}

/// Puts the hospitals and the invented organisations on file in one import each.
///
/// # Errors
/// A line was refused.
pub async fn enrol(stage: &Stage, plan: &Caller) -> Result<Vec<Firm>, StepError> {
    let mut source = NpiSource(77_000_000);
    let clinics = cast::CLINICS.iter().map(|clinic| provider(*clinic, &mut source));
    let submitters = cast::SUBMITTERS.iter().map(|name| submitter(name));
    let mut on_file: Vec<OnFile> = clinics.chain(submitters).collect();
    on_file.extend(hospitals().into_iter().enumerate().map(|(n, hospital)| {
        let npi = Npi::parse(&hospital.demo_npi).expect("tested with the file");
        let name = title_case(&hospital.name);
        let tax_id = format!("95-{:07}", 4_100_000 + n);
        let row = EnrolmentRow {
            pay_to_line1: title_case(&hospital.address),
            pay_to_city: title_case(&hospital.city),
            pay_to_state: hospital.state.clone(),
            pay_to_zip: hospital.zip.clone(),
            npi: npi.to_string(),
            npi_name: name.clone(),
            provider_type: "HOSPITAL".to_owned(),
            community: "HOSPITALS".to_owned(),
            ..base(&name, "PROVIDER", &tax_id)
        };
        let firm = firm(&row, "PROVIDER", false, vec![npi]);
        OnFile { firm, rows: vec![row] }
    }));
    import(stage, plan, on_file).await
}

/// Puts the second tenant's organisations on file.
///
/// # Errors
/// A line was refused.
pub async fn enrol_second(stage: &Stage, plan: &Caller) -> Result<Vec<Firm>, StepError> {
    let mut source = NpiSource(78_000_000);
    let on_file = cast::CENCAL.iter().map(|clinic| provider(*clinic, &mut source)).collect();
    import(stage, plan, on_file).await
}

fn base(name: &str, kinds: &str, tax_id: &str) -> EnrolmentRow {
    EnrolmentRow {
        organization: name.to_owned(),
        kinds: kinds.to_owned(),
        tax_id_type: "EIN".to_owned(),
        tax_id: tax_id.to_owned(),
        pay_to_line1: "100 Demonstration Way".to_owned(),
        pay_to_city: "Sacramento".to_owned(),
        pay_to_state: "CA".to_owned(),
        pay_to_zip: "95814".to_owned(),
        contact_email: format!("invented-contact@{}.example", cast::place(name)),
        contract_status: "CONTRACTED".to_owned(),
        ..EnrolmentRow::default()
    }
}

fn provider(
    (name, provider_type, community, count): (&str, &str, &str, usize),
    source: &mut NpiSource,
) -> OnFile {
    let npis: Vec<Npi> = (0..count).map(|_| source.next()).collect();
    let tax_id = format!("94-{:07}", source.0 % 10_000_000);
    let rows: Vec<EnrolmentRow> = npis
        .iter()
        .enumerate()
        .map(|(n, npi)| EnrolmentRow {
            npi: npi.to_string(),
            npi_name: if n == 0 { name.to_owned() } else { format!("{name}, site {}", n + 1) },
            provider_type: provider_type.to_owned(),
            community: community.to_owned(),
            ..base(name, "PROVIDER", &tax_id)
        })
        .collect();
    OnFile { firm: firm(&rows[0], "PROVIDER", true, npis), rows }
}

fn submitter(name: &str) -> OnFile {
    let number: usize = name.bytes().map(usize::from).sum();
    let row = base(name, "SUBMITTER", &format!("93-{number:07}"));
    OnFile { firm: firm(&row, "SUBMITTER", true, Vec::new()), rows: vec![row] }
}

fn firm(row: &EnrolmentRow, kind: &'static str, fictional: bool, npis: Vec<Npi>) -> Firm {
    Firm {
        // Known once the import has answered.
        id: OrganizationId(uuid::Uuid::nil()),
        name: row.organization.clone(),
        kind,
        fictional,
        npis,
        tax_id: row.tax_id.clone(),
        zip: row.pay_to_zip.clone(),
        contact_email: row.contact_email.clone(),
        members: Vec::new(),
    }
}

async fn import(
    stage: &Stage,
    plan: &Caller,
    on_file: Vec<OnFile>,
) -> Result<Vec<Firm>, StepError> {
    let rows: Vec<(u32, EnrolmentRow)> =
        (2..).zip(on_file.iter().flat_map(|one| one.rows.clone())).collect();
    let command =
        ImportEnrolment { origin: ImportOrigin::Portal, file_sha256: "0".repeat(64), rows };
    let results = stage.run(plan, &command).await?;
    let mut ids = BTreeMap::new();
    for result in results {
        if let Some(refusal) = result.refusal {
            return Err(refusal.into());
        }
        if let Some(id) = result.organization {
            ids.insert(result.line, id);
        }
    }
    let mut line = 2;
    let mut firms = Vec::new();
    for OnFile { mut firm, rows } in on_file {
        firm.id = *ids.get(&line).ok_or(StepError::Missing("a line's organisation"))?;
        line += u32::try_from(rows.len()).unwrap_or(u32::MAX);
        firms.push(firm);
    }
    Ok(firms)
}

/// `SAINT FRANCIS` as people write it.
fn title_case(capitals: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().into_iter().chain(letters.flat_map(char::to_lowercase)).collect::<String>()
    };
    capitals.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_npis_pass_the_check_and_never_repeat() {
        let mut source = NpiSource(77_000_000);
        let mut npis: Vec<_> = (0..100).map(|_| source.next().to_string()).collect();
        npis.dedup();
        assert_eq!(npis.len(), 100);
    }

    #[test]
    fn names_in_capitals_become_readable() {
        assert_eq!(title_case("SAINT FRANCIS MEMORIAL"), "Saint Francis Memorial");
    }
}
