//! What was there before a test begins: tenants, organisations and people, decided by the domain
//! and recorded thirty days before the test's first moment; the newcomer joined the day before.
//!
//! Invariant: everything here follows from the domain's own commands, so a seeded portal is one
//! that could have come about; how people get there is what the tests of those flows show.

use std::collections::BTreeSet;

use rollcall_commands::{authentication::SESSION_TOKEN, passwords::PasswordHasher};
use rollcall_domain::{
    Actor, Code, Decider, Decision, Refusal, Sealed,
    kernel::ids::{
        InvitationId, MembershipId, OrganizationId, RegistrationId, SessionId, SubjectId, TenantId,
        UserId, VaultRef,
    },
    organizations::{
        ContractStatus, MembershipOrigin, Organization, OrganizationCommand, OrganizationKind,
        PostalAddress, TaxIdRef,
        organization::{Enrolment, RosterCommand},
    },
    permissions::{
        Cause, Membership, MembershipCommand, NpiLevel, NpiScope,
        membership::{MembershipKey, NpiChange},
    },
    pins::{Pin, PinCommand},
    policies::{
        LoginIdentifier, Policy, PolicyCommand, PolicyHistory, Preset,
        agreement::{Agreement, AgreementCommand, TickBox},
    },
    sessions::{LoginMethod, Session, SessionCommand},
    tenants::{PlanRole, PlanScope, PlanStaff, PlanStaffCommand, Tenant, TenantCommand},
    users::{
        credential::{
            Credential, CredentialCommand, CredentialEvent, LoginAttempt, PasswordSource,
        },
        user::{Registration, User, UserCommand},
    },
    values::{
        AgreementKind, CodeChannel, EmailAddress, Npi, OrganizationName, Password, PersonName,
        PhoneNumber, ProviderCommunity, ProviderType, Reason, Slug, TaxIdKind, Username, Zip,
    },
};
use rollcall_journal::{Header, Journal, Work};
use serde_json::Value;
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The password of everybody who was seeded.
pub const PASSWORD: &str = "Correct-Horse-Battery-7!";

/// A seeded person.
#[derive(Clone, Debug)]
pub struct Person {
    pub user: UserId,
    pub email: String,
    /// Where people sign in by user name.
    pub username: Option<String>,
    /// Where the person is a member; `None` for plan staff and operators.
    pub organization: Option<OrganizationId>,
}

/// A seeded organisation.
#[derive(Clone, Debug)]
pub struct Company {
    pub id: OrganizationId,
    pub npis: Vec<String>,
}

/// A tenant with an organisation of each kind and somebody in each role.
#[derive(Clone, Debug)]
pub struct World {
    pub tenant: TenantId,
    pub slug: String,
    /// A provider with three NPIs and five people.
    pub clinic: Company,
    /// Another provider, with one NPI and an administrator.
    pub hospital: Company,
    /// A submitter with an administrator.
    pub biller: Company,
    pub clinic_admin: Person,
    /// A second administrator of the clinic, so that one may leave.
    pub clinic_second_admin: Person,
    /// Admin for the clinic's first NPI, nothing else.
    pub npi_admin: Person,
    /// Processor for the clinic's first NPI, nothing else.
    pub processor: Person,
    /// A member of the clinic without any permission.
    pub newcomer: Person,
    pub hospital_admin: Person,
    pub biller_admin: Person,
    pub plan_admin: Person,
    pub second_plan_admin: Person,
    pub plan_support: Person,
    pub auditor: Person,
}

/// Records a world into a tenant of this name and preset.
pub async fn world(journal: &Journal, slug: &str, preset: Preset) -> World {
    let tenant = TenantId::of_slug(slug);
    let mut seeder = Seeder::begin(journal, tenant, preset);
    seeder.tenant(slug, preset).await;
    let clinic = seeder.company("Redwood Clinic", OrganizationKind::Provider, &CLINIC_NPIS).await;
    let hospital =
        seeder.company("Bayview Hospital", OrganizationKind::Provider, &["1558598797"]).await;
    let biller = seeder.company("Golden Gate Billing", OrganizationKind::Submitter, &[]).await;
    let world = World {
        tenant,
        slug: slug.to_owned(),
        clinic_admin: seeder.first_admin(&clinic, "Ann", "Lee").await,
        clinic_second_admin: seeder.administrator(&clinic, "Abe", "Fox").await,
        npi_admin: seeder.member(&clinic, "Nora", "Diaz", Some(NpiLevel::Admin)).await,
        processor: seeder.member(&clinic, "Paul", "Kim", Some(NpiLevel::Processor)).await,
        newcomer: seeder.person("Nell", "Ortiz", Some(clinic.id)).await,
        hospital_admin: seeder.first_admin(&hospital, "Hana", "Wu").await,
        biller_admin: seeder.first_admin(&biller, "Bob", "Ray").await,
        plan_admin: seeder.staff("Pia", "Stone", PlanRole::Pa).await,
        second_plan_admin: seeder.staff("Pat", "Moss", PlanRole::Pa).await,
        plan_support: seeder.staff("Sam", "Hill", PlanRole::Ps).await,
        auditor: seeder.staff("Aya", "Nash", PlanRole::Au).await,
        clinic,
        hospital,
        biller,
    };
    seeder.commit().await;
    world
}

/// Lets the newcomer join the clinic.
pub async fn newcomer(journal: &Journal, preset: Preset, world: &World) {
    let mut seeder = Seeder::begin(journal, world.tenant, preset);
    seeder.join(&world.clinic, &world.newcomer).await;
    seeder.commit().await;
}

/// Records an operator.
pub async fn operator(journal: &Journal) -> Person {
    let mut seeder = Seeder::begin(journal, TenantId::OPERATIONS, Preset::Hardened);
    seeder.tenant(TenantId::OPERATIONS_SLUG, Preset::Hardened).await;
    let person = seeder.staff("Olga", "Petrov", PlanRole::Operator).await;
    seeder.commit().await;
    person
}

/// Publishes a version of an agreement, with boxes of these keys, in force at once.
pub async fn publish(
    journal: &Journal,
    tenant: TenantId,
    kind: AgreementKind,
    version: &str,
    boxes: &[&str],
) {
    let mut seeder = Seeder::begin(journal, tenant, Preset::MediCal);
    let tick = |key: &&str| TickBox { key: (*key).to_owned(), label: "I agree.".to_owned() };
    let publish = AgreementCommand::PublishAgreement {
        kind,
        version: version.to_owned(),
        title: "An agreement".to_owned(),
        text: "What is agreed.".to_owned(),
        boxes: boxes.iter().map(tick).collect(),
        effective_at: None,
    };
    seeder.decide::<Agreement>(tenant.agreement_stream(kind), publish).await;
    seeder.commit().await;
}

/// Records somebody who joined an organisation and never set the first password.
pub async fn without_password(
    journal: &Journal,
    tenant: TenantId,
    preset: Preset,
    of: &Company,
) -> Person {
    let mut seeder = Seeder::begin(journal, tenant, preset);
    seeder.people = 50;
    let person = seeder.account("Wanda", "Late", Some(of.id)).await;
    seeder.join(of, &person).await;
    seeder.commit().await;
    person
}

/// Opens a session for a seeded person; answers its token.
pub async fn sign_in(journal: &Journal, tenant: TenantId, preset: Preset, who: &Person) -> String {
    let mut seeder = Seeder::begin(journal, tenant, preset);
    let session = SessionId(Uuid::new_v4());
    let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let attempt = LoginAttempt {
        user: Some(who.user),
        session,
        matched: Some(hash_ref(who.user)),
        bar: None,
        challenge: None,
    };
    let credential = tenant.credential_stream(who.user);
    seeder.decide::<Credential>(credential, CredentialCommand::AttemptLogin(attempt)).await;
    let start = SessionCommand::StartSession {
        user: who.user,
        method: LoginMethod::Password,
        organization: who.organization,
        must_change_password: false,
        must_enrol: false,
        absolute_expires_at: journal.now() + seeder.policy.session().absolute,
    };
    seeder.decide::<Session>(session.0, start).await;
    let hash = journal.secrets().link_hash(&token);
    seeder.work.reserve_hash(SESSION_TOKEN, hash, session.0, taken());
    seeder.commit().await;
    token
}

/// Lets an aggregate decide on a command and records what follows, as the service itself would.
pub async fn decide<A: Decider>(
    journal: &Journal,
    (tenant, preset): (TenantId, Preset),
    stream: impl Into<Uuid>,
    command: A::Command,
) {
    let mut seeder = Seeder::begin(journal, tenant, preset);
    seeder.decide::<A>(stream.into(), command).await;
    seeder.commit().await;
}

/// The clinic's NPIs, all with valid check digits.
pub const CLINIC_NPIS: [&str; 3] = ["1234567893", "1245319599", "1679576722"];

/// Commands of one commit.
pub(super) struct Seeder {
    pub(super) work: Work,
    policy: Policy,
    /// How many people it has recorded; tells their numbers apart.
    pub(super) people: u32,
}

impl Seeder {
    pub(super) fn begin(journal: &Journal, tenant: TenantId, preset: Preset) -> Self {
        let header = Header {
            tenant,
            actor: Actor::SYSTEM,
            organization: None,
            session: None,
            client_address: None,
            correlation_id: Uuid::new_v4(),
            causation_id: None,
            command_id: Uuid::new_v4(),
            request_hash: [0; 32],
            policy_version: 1,
            reason: None,
            occurred_at: journal.now(),
            command: "Seed",
        };
        Self { work: journal.begin(header), policy: Policy::from(preset), people: 0 }
    }

    pub(super) async fn commit(self) {
        self.work.commit(Value::Null).await.expect("the seed is appended");
    }

    pub(super) async fn decide<A: Decider>(&mut self, id: Uuid, command: A::Command) {
        let decision =
            Decision { now: self.work.now(), actor: Actor::SYSTEM, policy: &self.policy };
        self.work.decide::<A>(id, &decision, command).await.expect("the seed is allowed");
    }

    fn id(&self) -> TenantId {
        self.work.header().tenant
    }

    async fn tenant(&mut self, slug: &str, preset: Preset) {
        let tenant = self.id();
        let create = TenantCommand::CreateTenant {
            tenant,
            slug: Slug::parse(slug).expect("a valid slug"),
            name: name(&format!("{slug} portal")),
            preset,
            administrators_required: 2,
        };
        self.decide::<Tenant>(tenant.0, create).await;
        let reason = Reason::parse("The tenant begins.").expect("a valid reason");
        let apply = PolicyCommand::ApplyPreset {
            preset,
            effective_at: None,
            reason: Sealed::new(SubjectId(tenant.0), reason),
        };
        self.decide::<PolicyHistory>(tenant.policy_stream(), apply).await;
    }

    pub(super) async fn company(
        &mut self,
        label: &str,
        kind: OrganizationKind,
        npis: &[&str],
    ) -> Company {
        let id = OrganizationId(self.id().derive("seed.organization", label));
        let address = PostalAddress::parse("1 Main St", "", "Fresno", "CA", "93701");
        let enrolment = Enrolment {
            organization: id,
            name: name(label),
            kinds: BTreeSet::from([kind]),
            tax_id: TaxIdRef { kind: TaxIdKind::Ein, last4: "6789".to_owned() },
            pay_to_address: Some(address.expect("a valid address")),
            pay_to_zip: Some(Zip::parse("93701").expect("a valid ZIP")),
            contact_email: EmailAddress::parse("office@redwood.example").expect("valid"),
            contract_status: ContractStatus::Contracted,
            source: None,
        };
        let record = OrganizationCommand::RecordEnrolment(Box::new(enrolment));
        self.decide::<Organization>(id.0, record).await;
        for npi in npis {
            self.npi(id, npi, label).await;
        }
        Company { id, npis: npis.iter().map(|npi| (*npi).to_owned()).collect() }
    }

    async fn npi(&mut self, organization: OrganizationId, npi: &str, label: &str) {
        let npi = Npi::parse(npi).expect("a valid NPI");
        let attach = OrganizationCommand::AttachNpi {
            npi: npi.clone(),
            name: name(label),
            provider_type: ProviderType::parse("GROUP").expect("a valid provider type"),
            community: ProviderCommunity::parse("PHYSICIANS").expect("a valid community"),
            effective_at: self.work.now(),
        };
        self.decide::<Organization>(organization.0, attach).await;
        self.work.reserve("npi", npi.as_str(), organization.0, taken());
        if self.policy.pins().enabled {
            let pin_ref = VaultRef(Uuid::new_v4());
            self.work.vault_put("pin", pin_ref.0, b"4711007");
            let issue = PinCommand::IssuePin { npi: npi.clone(), organization, pin_ref };
            self.decide::<Pin>(self.id().pin_stream(&npi), issue).await;
        }
    }

    /// The registrant: administrator with everything (MC-08).
    pub(super) async fn first_admin(&mut self, of: &Company, first: &str, last: &str) -> Person {
        let person = self.person(first, last, Some(of.id)).await;
        let register = RosterCommand::RegisterOrganization {
            registration: RegistrationId(Uuid::new_v4()),
            user: person.user,
            email_domain: "portal.example".to_owned(),
            signed_in: false,
            by: MembershipOrigin::Registration,
        };
        self.decide::<Organization>(of.id.0, register.into()).await;
        let key = MembershipKey { user: person.user, organization: of.id };
        for command in MembershipCommand::grant_everything(key) {
            self.decide::<Membership>(self.membership(&person), command).await;
        }
        person
    }

    async fn administrator(&mut self, of: &Company, first: &str, last: &str) -> Person {
        use rollcall_domain::organizations::{Authority, OrgRole};
        let person = self.member(of, first, last, None).await;
        let assign = RosterCommand::AssignOrgRole {
            user: person.user,
            role: OrgRole::Admin,
            cause: Cause::Administrator,
            authority: Authority::Organization,
        };
        self.decide::<Organization>(of.id.0, assign.into()).await;
        person
    }

    /// A member with a level for the organisation's first NPI.
    pub(super) async fn member(
        &mut self,
        of: &Company,
        first: &str,
        last: &str,
        level: Option<NpiLevel>,
    ) -> Person {
        let person = self.person(first, last, Some(of.id)).await;
        self.join(of, &person).await;
        if let Some(level) = level {
            let held: BTreeSet<Npi> =
                of.npis.iter().map(|npi| Npi::parse(npi).expect("a valid NPI")).collect();
            let first = Npi::parse(&of.npis[0]).expect("a valid NPI");
            let set = MembershipCommand::SetNpiPermissions {
                of: MembershipKey { user: person.user, organization: of.id },
                changes: vec![NpiChange { npi: NpiScope::One(first), level, until: None }],
                held,
                cause: Cause::Administrator,
            };
            self.decide::<Membership>(self.membership(&person), set).await;
        }
        person
    }

    /// An invitation, completed at once.
    async fn join(&mut self, of: &Company, person: &Person) {
        let invitation = InvitationId(Uuid::new_v4());
        let invite = RosterCommand::InviteMember {
            user: person.user,
            invitation,
            email_domain: "portal.example".to_owned(),
        };
        self.decide::<Organization>(of.id.0, invite.into()).await;
        let join =
            RosterCommand::JoinByInvitation { user: person.user, invitation, signed_in: false };
        self.decide::<Organization>(of.id.0, join.into()).await;
    }

    async fn staff(&mut self, first: &str, last: &str, role: PlanRole) -> Person {
        let person = self.person(first, last, None).await;
        let tenant = self.id();
        let assign = PlanStaffCommand::AssignPlanRole {
            tenant,
            user: person.user,
            role,
            from: None,
            until: None,
            scope: PlanScope::Whole,
            reason: Some(Reason::parse("First staff.").expect("a valid reason")),
        };
        self.decide::<PlanStaff>(tenant.plan_staff_stream(person.user), assign).await;
        person
    }

    /// An account with [`PASSWORD`].
    async fn person(
        &mut self,
        first: &str,
        last: &str,
        organization: Option<OrganizationId>,
    ) -> Person {
        let person = self.account(first, last, organization).await;
        let user = person.user;
        let hash_ref = hash_ref(user);
        self.work.vault_put("password", hash_ref.0, password_hash().await.as_bytes());
        let set = CredentialEvent::PasswordSet {
            user,
            hash_ref,
            set_by: Actor::user(user),
            source: PasswordSource::Setup,
            link_id: None,
            set_at: self.work.now(),
        };
        let credential = self.id().credential_stream(user);
        self.work.record::<Credential>(credential, vec![set]).await.expect("recordable");
        person
    }

    /// An account without a password.
    async fn account(
        &mut self,
        first: &str,
        last: &str,
        organization: Option<OrganizationId>,
    ) -> Person {
        self.people += 1;
        let tenant = self.id();
        let address = format!("{}.{}@portal.example", first.to_lowercase(), last.to_lowercase());
        let email = EmailAddress::parse(&address).expect("a valid address");
        let user = UserId(tenant.derive("seed.user", &address));
        let username = match self.policy.login_identifier() {
            LoginIdentifier::Email => None,
            LoginIdentifier::Username => {
                Some(Username::parse(&format!("{first}.{last}")).expect("a valid user name"))
            }
        };
        let mobile = format!("+1{}", 2_025_550_100_u64 + u64::from(self.people));
        let registration = Registration {
            user,
            email: email.clone(),
            first_name: PersonName::parse(first).expect("a valid name"),
            last_name: PersonName::parse(last).expect("a valid name"),
            mobile: PhoneNumber::parse(&mobile).expect("a valid number"),
            business_phone: None,
            username: username.clone(),
            preferred_channel: CodeChannel::Sms,
        };
        self.decide::<User>(user.0, UserCommand::RegisterUser(Box::new(registration))).await;
        self.work.reserve("email", &email.key(), user.0, taken());
        if let Some(username) = &username {
            self.work.reserve("username", &username.key(), user.0, taken());
        }
        let username = username.map(|username| username.to_string());
        Person { user, email: address, username, organization }
    }

    fn membership(&self, person: &Person) -> Uuid {
        let organization = person.organization.expect("a member's organisation");
        MembershipId::of(self.id(), person.user, organization).0
    }
}

/// Everybody's first password has the reference derived from their id.
pub(super) fn hash_ref(user: UserId) -> VaultRef {
    VaultRef(Uuid::new_v5(&user.0, b"password"))
}

/// The hash of [`PASSWORD`], made once per run.
async fn password_hash() -> &'static str {
    static HASH: OnceCell<String> = OnceCell::const_new();
    HASH.get_or_init(|| async { PasswordHasher::new().hash(&Password::new(PASSWORD)).await }).await
}

fn name(text: &str) -> OrganizationName {
    OrganizationName::parse(text).expect("a valid name")
}

fn taken() -> Refusal {
    Refusal::new(Code::EmailTaken, "Seeded twice.")
}
