//! What organisations, NPIs and registration tokens look like.

use async_graphql::{Enum, ID, SimpleObject};
use rollcall_commands::{Authority, organizations::tokens::ISSUERS};
use rollcall_projections::{
    organizations::{self, DomainRow, NpiRow, OrganizationRow, TokenRow},
    people::Person,
};

use crate::documents;
pub use crate::graphql::vocabulary::OrganizationKind;
use crate::graphql::{
    ids::NodeType,
    paging::connection,
    scalars::{Date, DateTime, EmailScalar, NpiScalar},
};

/// Whether the plan has a contract with an organisation (CC-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::organizations::ContractStatus")]
pub enum ContractStatus {
    Contracted,
    NotContracted,
    Terminated,
}

/// Since when a contract stands how.
#[derive(Clone, Debug, SimpleObject)]
pub struct ContractPeriod {
    pub status: ContractStatus,
    pub from: DateTime,
}

impl ContractStatus {
    fn parse(name: &str) -> Self {
        match name {
            "NOT_CONTRACTED" => Self::NotContracted,
            "TERMINATED" => Self::Terminated,
            _ => Self::Contracted,
        }
    }
}

/// Where an organisation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum OrganizationStatus {
    /// On file, not yet registered by its letter token.
    Enrolled,
    /// Open to its members.
    Registered,
    /// Stopped by the plan for the time being.
    Suspended,
    /// Ended for good.
    Closed,
}

impl OrganizationStatus {
    /// The name in the read table.
    pub fn stored(self) -> &'static str {
        match self {
            Self::Enrolled => "ENROLLED",
            Self::Registered => "REGISTERED",
            Self::Suspended => "SUSPENDED",
            Self::Closed => "CLOSED",
        }
    }

    fn parse(name: &str) -> Self {
        [Self::Registered, Self::Suspended, Self::Closed]
            .into_iter()
            .find(|status| status.stored() == name)
            .unwrap_or(Self::Enrolled)
    }
}

/// A provider or submitter organisation.
#[derive(Clone, Debug, SimpleObject)]
pub struct Organization {
    pub id: ID,
    pub name: String,
    pub kinds: Vec<OrganizationKind>,
    pub status: OrganizationStatus,
    /// As it stands now.
    pub contract_status: ContractStatus,
    /// How the contract stood since when, in order, and what is set for later.
    pub contract: Vec<ContractPeriod>,
    /// The active administrators.
    pub admins: Vec<OrganizationAdmin>,
    /// The first hundred NPIs held, by number; `npis` pages through all.
    pub npis: Vec<OrganizationNpi>,
    /// The email domains of its people (MC-14).
    pub email_domains: Vec<EmailDomain>,
    /// Kind and last four digits of its tax id; for its administrators and plan staff.
    pub tax_id: Option<TaxIdShown>,
    /// Where letters go; for plan staff.
    pub pay_to_address: Option<PayToAddress>,
    pub enrolled_at: DateTime,
    pub registered_at: Option<DateTime>,
    /// The organisation that takes this one over, or has, once it is closed (GN-03).
    pub successor_id: Option<ID>,
    /// For `expectedVersion`.
    pub version: i32,
}

/// An administrator of an organisation; names are absent once erased.
#[derive(Clone, Debug, SimpleObject)]
pub struct OrganizationAdmin {
    pub user_id: ID,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<EmailScalar>,
}

/// All that is ever shown of a tax id.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(name = "TaxId")]
pub struct TaxIdShown {
    /// `EIN` or `SSN`.
    pub kind: String,
    pub last4: String,
}

/// The address on file for letters (MC-03).
#[derive(Clone, Debug, SimpleObject, serde::Deserialize)]
pub struct PayToAddress {
    pub line1: String,
    pub line2: Option<String>,
    pub city: String,
    pub state: String,
    pub zip: String,
}

/// An email domain of an organisation (MC-14).
#[derive(Clone, Debug, SimpleObject)]
pub struct EmailDomain {
    pub domain: String,
    /// How many active users have an address of it; it can be removed when there is none.
    pub active_users: i32,
}

/// An NPI held by an organisation (MC-13).
#[derive(Clone, Debug, SimpleObject)]
pub struct OrganizationNpi {
    pub npi: NpiScalar,
    /// The provider's name: a check digit misses some mistypings.
    pub name: String,
    pub provider_type: String,
    pub community: String,
    pub attached_at: DateTime,
    pub detached_at: Option<DateTime>,
}

/// What a reader may see beyond what every member sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    pub tax_id: bool,
    pub address: bool,
}

/// What was read beside the row.
#[derive(Debug, Default)]
pub struct Belongings {
    pub admins: Vec<Person>,
    pub npis: Vec<NpiRow>,
    pub domains: Vec<DomainRow>,
}

impl Organization {
    /// `now` decides which contract status is told.
    pub fn of(
        row: OrganizationRow,
        belongings: Belongings,
        sight: Sight,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Self {
        let kinds = [
            row.is_provider.then_some(OrganizationKind::Provider),
            row.is_submitter.then_some(OrganizationKind::Submitter),
        ];
        let contract_status = ContractStatus::parse(row.contract_at(now).unwrap_or_default());
        let tax_id = TaxIdShown { kind: row.tax_id_kind, last4: row.tax_id_last4 };
        let address = row.pay_to_address.and_then(|json| serde_json::from_value(json).ok());
        Self {
            id: NodeType::Organization.id(row.id),
            name: row.name,
            kinds: kinds.into_iter().flatten().collect(),
            status: OrganizationStatus::parse(&row.status),
            contract_status,
            contract: row.contract.0.into_iter().map(Into::into).collect(),
            admins: belongings.admins.into_iter().map(OrganizationAdmin::from).collect(),
            npis: belongings.npis.into_iter().map(OrganizationNpi::from).collect(),
            email_domains: belongings.domains.into_iter().map(EmailDomain::from).collect(),
            tax_id: sight.tax_id.then_some(tax_id),
            pay_to_address: address.filter(|_| sight.address),
            enrolled_at: row.enrolled_at.into(),
            registered_at: row.registered_at.map(DateTime::from),
            successor_id: row.successor_id.map(|id| NodeType::Organization.id(id)),
            version: i32::try_from(row.version).unwrap_or(i32::MAX),
        }
    }
}

impl From<organizations::ContractPeriod> for ContractPeriod {
    fn from(period: organizations::ContractPeriod) -> Self {
        Self { status: ContractStatus::parse(&period.status), from: period.from.into() }
    }
}

impl From<Person> for OrganizationAdmin {
    fn from(person: Person) -> Self {
        Self {
            user_id: NodeType::User.id(person.user_id),
            first_name: person.first_name,
            last_name: person.last_name,
            email: person.email.map(EmailScalar),
        }
    }
}

impl From<NpiRow> for OrganizationNpi {
    fn from(row: NpiRow) -> Self {
        Self {
            npi: NpiScalar(row.npi),
            name: row.name,
            provider_type: row.provider_type,
            community: row.community,
            attached_at: row.attached_at.into(),
            detached_at: row.detached_at.map(DateTime::from),
        }
    }
}

impl From<DomainRow> for EmailDomain {
    fn from(row: DomainRow) -> Self {
        let active_users = i32::try_from(row.active_users).unwrap_or(i32::MAX);
        Self { domain: row.domain, active_users }
    }
}

connection!(OrganizationConnection, OrganizationEdge, Organization);
connection!(OrganizationNpiConnection, OrganizationNpiEdge, OrganizationNpi);

/// Where a registration token stands (MC-04).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum RegistrationTokenStatus {
    /// It works.
    Issued,
    /// An organisation registered with it.
    Redeemed,
    /// Its last day is over.
    Expired,
    /// The plan took it back.
    Revoked,
}

impl RegistrationTokenStatus {
    /// The name in the read table.
    pub fn stored(self) -> &'static str {
        match self {
            Self::Issued => "ISSUED",
            Self::Redeemed => "REDEEMED",
            Self::Expired => "EXPIRED",
            Self::Revoked => "REVOKED",
        }
    }

    fn parse(name: &str) -> Self {
        [Self::Redeemed, Self::Expired, Self::Revoked]
            .into_iter()
            .find(|status| status.stored() == name)
            .unwrap_or(Self::Issued)
    }
}

/// A document outside GraphQL.
#[derive(Clone, Debug, SimpleObject)]
pub struct DocumentLink {
    /// A path of this service: GET it with the session that asked for it.
    pub url: String,
}

/// A registration token; its text is on the letter and nowhere else (MC-03).
#[derive(Clone, Debug, SimpleObject)]
pub struct RegistrationToken {
    pub id: ID,
    pub organization_id: ID,
    pub organization_name: String,
    pub status: RegistrationTokenStatus,
    /// The day from which its days count, in the portal's time zone.
    pub issued_on: Date,
    /// The first second at which it works no longer.
    pub expires_at: DateTime,
    /// Whether the postal service returned the letter.
    pub letter_returned: bool,
    /// When it was used, taken back or found expired.
    pub ended_at: Option<DateTime>,
    /// The letter as a PDF, while the token is ISSUED, for those who issue tokens; each opening is
    /// on record, since it shows the token.
    pub letter: Option<DocumentLink>,
}

impl RegistrationToken {
    /// As this reader sees it.
    pub fn of(row: TokenRow, reader: &Authority) -> Self {
        // A letter is opened by its token alone, which takes a role for the whole plan.
        let may_open = reader.acts_for_plan() && reader.plan_scope(ISSUERS).is_whole();
        let status = RegistrationTokenStatus::parse(&row.status);
        let is_open = may_open && status == RegistrationTokenStatus::Issued;
        Self {
            id: NodeType::RegistrationToken.id(row.id),
            organization_id: NodeType::Organization.id(row.organization_id),
            organization_name: row.organization_name,
            status,
            issued_on: row.issued_on.into(),
            expires_at: row.expires_at.into(),
            letter_returned: row.letter_returned,
            ended_at: row.ended_at.map(DateTime::from),
            letter: is_open.then(|| DocumentLink { url: documents::letter_path(row.id) }),
        }
    }
}

connection!(RegistrationTokenConnection, RegistrationTokenEdge, RegistrationToken);
