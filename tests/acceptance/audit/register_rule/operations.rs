//! What may happen to a clinic's rights, at random. Invariant: what the domain refuses is no event,
//! so any sequence is a history that could have been.

#![expect(clippy::wildcard_enum_match_arm, reason = "operations are sorted by what they are about")]

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rollcall_domain::{
    Actor, Decider, Sealed,
    kernel::ids::{JobRoleId, LocationId, MembershipId, OrganizationId, SubjectId, TaxIdId},
    organizations::{
        Authority, ContractStatus, OrgRole, Organization, OrganizationCommand, TaxIdRef,
        organization::{PlaceCommand, RosterCommand},
    },
    permissions::{
        Cause, CorrespondenceScope, Entitlement, EntitlementGrant, GrantEnd, JobRole,
        JobRoleCommand, Membership, MembershipCommand, NpiLevel, NpiScope, PermissionsEnd,
        membership::{MembershipKey, NpiChange},
    },
    policies::{Feature, FeatureState, PolicyCommand, PolicyHistory, Preset, parse_change},
    values::{
        CalendarDate, ContentLine, CorrespondenceType, JobRoleName, Npi, OrganizationName,
        ProviderCommunity, ProviderType, Reason, TaxIdKind,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Person, Portal, World};

/// The correspondence types that the tests' tenant knows.
pub const TYPES: [&str; 2] = ["REMITTANCE_ADVICE_DETAIL", "CLAIM_LETTER"];

/// Something that may happen.
#[derive(Clone, Debug)]
pub enum Operation {
    Level { who: usize, npi: usize, level: NpiLevel, hours: Option<i64> },
    LevelEnds { who: usize, npi: usize, expired: bool },
    Types { who: usize, npi: usize, add: Option<usize>, remove: Option<usize> },
    Role { who: usize, role: OrgRole },
    Leave { who: usize, days_ago: Option<i64> },
    Return { who: usize },
    LoseEverything { who: usize },
    Suspend,
    Reopen,
    Detach { npi: usize, hours: i64 },
    Attach { npi: usize, hours: i64 },
    Contract { status: ContractStatus, hours: i64 },
    Grant { who: usize, what: usize, hours: Option<i64> },
    Take { who: usize, what: usize },
    DefineRole { role: usize, features: usize },
    RetireRole { role: usize },
    Location { which: usize, credentialed: bool },
    Terminate { which: usize, hours: i64 },
    LinkTaxId,
    Availability { feature: usize, state: FeatureState, hours: i64 },
    Policy { change: usize, hours: i64 },
    Preset { preset: Preset, hours: i64 },
    Wait { hours: u64 },
}

impl Operation {
    /// Whether it says something new about the past.
    pub fn is_back_dated(&self) -> bool {
        matches!(self, Self::Leave { days_ago: Some(_), .. })
    }
}

/// The features that operations are about: granted ones, PINs and correspondence.
const FEATURES: [Feature; 4] =
    [Feature::UserManagement, Feature::EopReports, Feature::Pins, Feature::Correspondence];

/// What may be granted: two features, two job roles, two locations, two tax ids.
fn entitlement(clinic: OrganizationId, what: usize) -> Entitlement {
    match what {
        0 | 1 => Entitlement::Feature(FEATURES[what]),
        2 | 3 => Entitlement::JobRole(JobRoleId(of(clinic, what))),
        4 | 5 => Entitlement::Location(LocationId(of(clinic, what))),
        6 => Entitlement::TaxId(TaxIdId::of_enrolment(clinic)),
        _ => Entitlement::TaxId(TaxIdId(of(clinic, what))),
    }
}

fn of(clinic: OrganizationId, what: usize) -> Uuid {
    Uuid::new_v5(&clinic.0, &[u8::try_from(what).expect("a small number")])
}

fn policies() -> [(&'static str, Value); 13] {
    [
        ("features.per_user", json!(true)),
        ("job_roles.enabled", json!(true)),
        ("locations.mode", json!("LOCATIONS")),
        ("portal.features", json!(["EOP_REPORTS"])),
        ("admin.implied", json!(["USER_MANAGEMENT", "LOCATIONS"])),
        ("admin.implied", json!([])),
        ("admin.implied", json!(["ALL_NPIS", "ALL_CORRESPONDENCE", "USER_MANAGEMENT"])),
        ("admin.implied", json!(["ALL_CORRESPONDENCE"])),
        ("pins.enabled", json!(false)),
        ("pins.enabled", json!(true)),
        ("pins.roles", json!(["NPI_ADMIN", "NPI_PROCESSOR"])),
        ("portal.contracted_only", json!(true)),
        ("portal.contracted_only", json!(false)),
    ]
}

/// Any of them; changes of permissions most often.
pub fn operation() -> impl Strategy<Value = Operation> {
    use Operation as O;
    let (who, npi) = (0..5_usize, 0..4_usize);
    let level = prop_oneof![Just(NpiLevel::None), Just(NpiLevel::Processor), Just(NpiLevel::Admin)];
    let role = prop_oneof![Just(OrgRole::None), Just(OrgRole::Processor), Just(OrgRole::Admin)];
    let some_type = prop::option::of(0..3_usize);
    let preset = prop_oneof![
        Just(Preset::MediCal),
        Just(Preset::Cencal),
        Just(Preset::Carecentrix),
        Just(Preset::Hardened)
    ];
    let state = prop_oneof![
        Just(FeatureState::On),
        Just(FeatureState::Off),
        Just(FeatureState::ComingSoon)
    ];
    let contract =
        prop_oneof![2 => Just(ContractStatus::Contracted), 1 => Just(ContractStatus::Terminated)];
    let later = || 0..30_i64;
    prop_oneof![
        6 => (who.clone(), npi.clone(), level, prop::option::of(1..40_i64))
            .prop_map(|(who, npi, level, hours)| O::Level { who, npi, level, hours }),
        2 => (who.clone(), npi.clone(), any::<bool>())
            .prop_map(|(who, npi, expired)| O::LevelEnds { who, npi, expired }),
        5 => (who.clone(), npi.clone(), some_type.clone(), some_type)
            .prop_map(|(who, npi, add, remove)| O::Types { who, npi, add, remove }),
        3 => (who.clone(), role).prop_map(|(who, role)| O::Role { who, role }),
        2 => (who.clone(), prop::option::weighted(0.3, 1..5_i64))
            .prop_map(|(who, days_ago)| O::Leave { who, days_ago }),
        2 => who.clone().prop_map(|who| O::Return { who }),
        6 => (who.clone(), 0..8_usize, prop::option::of(1..40_i64))
            .prop_map(|(who, what, hours)| O::Grant { who, what, hours }),
        3 => (who.clone(), 0..8_usize).prop_map(|(who, what)| O::Take { who, what }),
        3 => (2..4_usize, 1..4_usize)
            .prop_map(|(role, features)| O::DefineRole { role, features }),
        1 => (2..4_usize).prop_map(|role| O::RetireRole { role }),
        3 => (4..6_usize, any::<bool>())
            .prop_map(|(which, credentialed)| O::Location { which, credentialed }),
        1 => (4..6_usize, later()).prop_map(|(which, hours)| O::Terminate { which, hours }),
        1 => Just(O::LinkTaxId),
        3 => (0..4_usize, state, later())
            .prop_map(|(feature, state, hours)| O::Availability { feature, state, hours }),
        1 => who.prop_map(|who| O::LoseEverything { who }),
        1 => Just(O::Suspend),
        2 => Just(O::Reopen),
        2 => (npi.clone(), later()).prop_map(|(npi, hours)| O::Detach { npi, hours }),
        2 => (npi, later()).prop_map(|(npi, hours)| O::Attach { npi, hours }),
        4 => (0..13_usize, later()).prop_map(|(change, hours)| O::Policy { change, hours }),
        2 => (contract, later()).prop_map(|(status, hours)| O::Contract { status, hours }),
        1 => (preset, later()).prop_map(|(preset, hours)| O::Preset { preset, hours }),
        4 => (1..50_u64).prop_map(|hours| O::Wait { hours }),
    ]
}

/// The clinic of one case.
struct Clinic<'a> {
    portal: &'a Portal,
    world: &'a World,
}

/// Lets it happen, unless the domain refuses.
pub async fn apply(portal: &Portal, world: &World, operation: &Operation) {
    use Operation as O;
    let clinic = Clinic { portal, world };
    let now = portal.service.commands.journal.now();
    match operation {
        O::Level { .. }
        | O::LevelEnds { .. }
        | O::Types { .. }
        | O::Grant { .. }
        | O::Take { .. }
        | O::LoseEverything { .. } => clinic.permission(operation).await,
        O::DefineRole { .. } | O::RetireRole { .. } => clinic.job_role(operation).await,
        O::Location { .. } | O::Terminate { .. } | O::LinkTaxId => clinic.place(operation).await,
        O::Availability { feature, state, hours } => {
            let message = ContentLine::parse("In spring.").expect("a valid line");
            let command = PolicyCommand::SetFeatureAvailability {
                feature: FEATURES[*feature],
                state: *state,
                message: Some(message),
                effective_at: Some(in_hours(now, *hours)),
                reason: clinic.sealed_reason(),
            };
            clinic.policy(command).await;
        }
        O::Role { .. } | O::Leave { .. } | O::Return { .. } => clinic.roster(operation).await,
        O::Suspend => {
            let reason = reason();
            clinic.organization(OrganizationCommand::SuspendOrganization { reason }).await;
        }
        O::Reopen => clinic.organization(OrganizationCommand::ReopenOrganization).await,
        O::Detach { npi, hours } => {
            let (npi, effective_at) = (clinic.npi(*npi), in_hours(now, *hours));
            let detach = OrganizationCommand::DetachNpi { npi, effective_at, reason: None };
            clinic.organization(detach).await;
        }
        O::Attach { npi, hours } => {
            let attach = OrganizationCommand::AttachNpi {
                npi: clinic.npi(*npi),
                name: OrganizationName::parse("Redwood Clinic").expect("valid"),
                provider_type: ProviderType::parse("GROUP").expect("valid"),
                community: ProviderCommunity::parse("PHYSICIANS").expect("valid"),
                effective_at: in_hours(now, *hours),
            };
            clinic.organization(attach).await;
        }
        O::Contract { status, hours } => {
            let (status, from) = (*status, in_hours(now, *hours));
            clinic.organization(OrganizationCommand::SetContractStatus { status, from }).await;
        }
        O::Policy { change, hours } => {
            let (key, value) = &policies()[*change];
            let (key, value) = parse_change(key, value).expect("an admitted value");
            let effective_at = Some(in_hours(now, *hours));
            let reason = clinic.sealed_reason();
            clinic.policy(PolicyCommand::ChangePolicy { key, value, effective_at, reason }).await;
        }
        O::Preset { preset, hours } => {
            let (preset, effective_at) = (*preset, Some(in_hours(now, *hours)));
            let reason = clinic.sealed_reason();
            clinic.policy(PolicyCommand::ApplyPreset { preset, effective_at, reason }).await;
        }
        O::Wait { hours } => portal.advance(Duration::from_secs(hours * 3600)),
    }
}

impl Clinic<'_> {
    fn person(&self, who: usize) -> &Person {
        let world = self.world;
        [
            &world.clinic_admin,
            &world.clinic_second_admin,
            &world.npi_admin,
            &world.processor,
            &world.newcomer,
        ][who]
    }

    /// One of the clinic's NPIs; the fourth is one it does not begin with.
    fn npi(&self, npi: usize) -> Npi {
        let known = self.world.clinic.npis.get(npi).map_or("1993999998", String::as_str);
        Npi::parse(known).expect("a valid NPI")
    }

    /// The fourth stands for all.
    fn scope(&self, npi: usize) -> NpiScope {
        if npi < 3 { NpiScope::One(self.npi(npi)) } else { NpiScope::All }
    }

    async fn decide<A: Decider>(&self, id: Uuid, command: A::Command) {
        let tenant = self.world.tenant;
        // Refused is as good as not asked.
        let _ = self.portal.try_record::<A>(tenant, Actor::SYSTEM, id, command).await;
    }

    async fn organization(&self, command: OrganizationCommand) {
        self.decide::<Organization>(self.world.clinic.id.0, command).await;
    }

    async fn policy(&self, command: PolicyCommand) {
        self.decide::<PolicyHistory>(self.world.tenant.policy_stream(), command).await;
    }

    fn sealed_reason(&self) -> Sealed<Reason> {
        Sealed::new(SubjectId(self.world.tenant.0), reason())
    }

    async fn job_role(&self, operation: &Operation) {
        let clinic = self.world.clinic.id;
        let (role, command) = match operation {
            Operation::DefineRole { role, features } => {
                let features =
                    FEATURES.iter().enumerate().filter(|(at, _)| features & (1 << at) > 0);
                let define = JobRoleCommand::DefineJobRole {
                    role: JobRoleId(of(clinic, *role)),
                    organization: Some(clinic),
                    name: JobRoleName::parse("Front desk").expect("a valid name"),
                    features: features.map(|(_, feature)| *feature).collect(),
                    is_own: false,
                };
                (role, define)
            }
            Operation::RetireRole { role } => (role, JobRoleCommand::RetireJobRole),
            other => unreachable!("{other:?} is not about a job role"),
        };
        self.decide::<JobRole>(of(clinic, *role), command).await;
    }

    async fn place(&self, operation: &Operation) {
        let clinic = self.world.clinic.id;
        let now = self.portal.service.commands.journal.now();
        let command = match operation {
            Operation::Location { which, credentialed } => {
                let location = LocationId(of(clinic, *which));
                let organization = self
                    .portal
                    .service
                    .commands
                    .journal
                    .load::<Organization>(self.world.tenant, clinic.0);
                let known =
                    organization.await.expect("it loads").state.location(location).is_some();
                let credentialed = *credentialed;
                if known {
                    PlaceCommand::SetLocationCredentialed { location, credentialed }
                } else {
                    let name = format!("Branch {which}");
                    let name = OrganizationName::parse(&name).expect("a valid name");
                    PlaceCommand::RegisterLocation { location, name, npi: None, credentialed }
                }
            }
            Operation::Terminate { which, hours } => PlaceCommand::TerminateLocation {
                location: LocationId(of(clinic, *which)),
                from: in_hours(now, *hours),
            },
            Operation::LinkTaxId => PlaceCommand::LinkTaxId {
                tax_id: TaxIdId(of(clinic, 7)),
                reference: TaxIdRef { kind: TaxIdKind::Ein, last4: "4321".to_owned() },
            },
            other => unreachable!("{other:?} is not about a place"),
        };
        self.organization(command.into()).await;
    }

    async fn roster(&self, operation: &Operation) {
        use Operation as O;
        let now = self.portal.service.commands.journal.now();
        let command = match operation {
            O::Role { who, role } => RosterCommand::AssignOrgRole {
                user: self.person(*who).user,
                role: *role,
                cause: Cause::Administrator,
                authority: Authority::Plan,
            },
            O::Leave { who, days_ago } => RosterCommand::DeactivateUser {
                user: self.person(*who).user,
                confirmed: true,
                reason: None,
                left_on: days_ago
                    .map(|days| CalendarDate::from((now - TimeDelta::days(days)).date_naive())),
                authority: Authority::Plan,
            },
            O::Return { who } => RosterCommand::ReactivateUser {
                user: self.person(*who).user,
                confirmed: true,
                permissions_reviewed: true,
            },
            other => unreachable!("{other:?} is not about the roster"),
        };
        self.organization(command.into()).await;
    }

    async fn permission(&self, operation: &Operation) {
        use Operation as O;
        let now = self.portal.service.commands.journal.now();
        let of = |who: usize| MembershipKey {
            user: self.person(who).user,
            organization: self.world.clinic.id,
        };
        let held: BTreeSet<Npi> = (0..4).map(|npi| self.npi(npi)).collect();
        let (who, command) = match operation {
            O::Level { who, npi, level, hours } => {
                let until = hours.map(|hours| in_hours(now, hours));
                let change = NpiChange { npi: self.scope(*npi), level: *level, until };
                let cause = Cause::Administrator;
                let (of, changes) = (of(*who), vec![change]);
                (who, MembershipCommand::SetNpiPermissions { of, changes, held, cause })
            }
            O::LevelEnds { who, npi, expired } => {
                let cause = if *expired { GrantEnd::Expired } else { GrantEnd::NpiDetached };
                let (of, npi) = (of(*who), self.scope(*npi));
                (who, MembershipCommand::EndNpiPermission { of, npi, cause, effective_at: now })
            }
            O::Types { who, npi, add, remove } => {
                let known: BTreeSet<_> = TYPES.iter().map(|name| kind(name)).collect();
                let command = MembershipCommand::SetCorrespondencePermissions {
                    of: of(*who),
                    npis: vec![self.scope(*npi)],
                    add: add.iter().map(|index| types_scope(*index)).collect(),
                    remove: remove.iter().map(|index| types_scope(*index)).collect(),
                    known,
                    cause: Cause::Administrator,
                };
                (who, command)
            }
            O::Grant { who, what, hours } => {
                let until = hours.map(|hours| in_hours(now, hours));
                let entitlement = entitlement(self.world.clinic.id, *what);
                let grants = vec![EntitlementGrant { entitlement, until }];
                let (of, cause) = (of(*who), Cause::Administrator);
                (who, MembershipCommand::Grant { of, grants, cause })
            }
            O::Take { who, what } => {
                let entitlements = vec![entitlement(self.world.clinic.id, *what)];
                let (of, cause) = (of(*who), Cause::Administrator);
                (who, MembershipCommand::Revoke { of, entitlements, cause })
            }
            O::LoseEverything { who } => {
                let (of, cause) = (of(*who), PermissionsEnd::NotConfirmed);
                (who, MembershipCommand::EndMembershipPermissions { of, cause })
            }
            other => unreachable!("{other:?} is not about permissions"),
        };
        let user = self.person(*who).user;
        let stream = MembershipId::of(self.world.tenant, user, self.world.clinic.id).0;
        self.decide::<Membership>(stream, command).await;
    }
}

fn kind(name: &str) -> CorrespondenceType {
    CorrespondenceType::parse(name).expect("a valid type")
}

/// The third stands for all.
fn types_scope(index: usize) -> CorrespondenceScope {
    TYPES.get(index).map_or(CorrespondenceScope::All, |name| CorrespondenceScope::One(kind(name)))
}

fn reason() -> Reason {
    Reason::parse("It had to be.").expect("a valid reason")
}

/// When something planned begins.
fn in_hours(now: DateTime<Utc>, hours: i64) -> DateTime<Utc> {
    now + TimeDelta::hours(hours)
}
