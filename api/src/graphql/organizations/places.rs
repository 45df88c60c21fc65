//! Locations and tax ids of an organisation: `locations`, `taxIds`, `registerLocation`,
//! `setLocationCredentialed`, `terminateLocation`, `linkTaxId` (CX-02, CX-03, CC-02).

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use chrono::{DateTime as Instant, Utc};
use rollcall_commands::{
    Access, Command, Commands, Entity,
    organizations::{LinkTaxId, RegisterLocation, SetLocationCredentialed, TerminateLocation},
};
use rollcall_domain::{
    Refusal,
    api_keys::Scope,
    kernel::ids::{LocationId, OrganizationId},
    values::{Npi, OrganizationName, TaxId},
};
use rollcall_projections::organizations::{
    self as rows, LocationKey, LocationRow, TaxIdRow, locations_by_id,
};

use super::queries::READERS;
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::read,
    scalars::{DateTime, NpiScalar, Position},
    sending::{MutationMeta, as_seen, payload, send},
    vocabulary::{TaxIdKind, field},
};

/// A branch or site of an organisation.
#[derive(Clone, Debug, SimpleObject)]
pub struct Location {
    pub id: ID,
    pub organization_id: ID,
    /// As people read it: a "Z" stands before the name of a terminated one (CX-03).
    pub name: String,
    pub npi: Option<NpiScalar>,
    /// Only credentialed locations are granted or chosen (CX-02).
    pub credentialed: bool,
    /// The contract for it has ended: no new referrals and authorizations, still the search of its
    /// claims.
    pub terminated: bool,
    /// Since when, or from when on.
    pub terminated_from: Option<DateTime>,
}

impl Location {
    /// A location as it is at `now`.
    #[must_use]
    pub fn of(row: LocationRow, now: Instant<Utc>) -> Self {
        let terminated = row.terminated_from.is_some_and(|from| from <= now);
        let name = if terminated { format!("Z {}", row.name) } else { row.name };
        Self {
            id: ID(row.id.to_string()),
            organization_id: NodeType::Organization.id(row.organization_id),
            name,
            npi: row.npi.map(NpiScalar),
            credentialed: row.credentialed,
            terminated,
            terminated_from: row.terminated_from.map(DateTime::from),
        }
    }
}

connection!(LocationConnection, LocationEdge, Location);

/// One of an organisation's tax ids, with all that is ever shown of it (CC-02).
#[derive(Clone, Debug, SimpleObject)]
pub struct LinkedTaxId {
    pub id: ID,
    pub organization_id: ID,
    /// `EIN` or `SSN`.
    pub kind: String,
    pub last4: String,
}

impl From<TaxIdRow> for LinkedTaxId {
    fn from(row: TaxIdRow) -> Self {
        Self {
            id: ID(row.id.to_string()),
            organization_id: NodeType::Organization.id(row.organization_id),
            kind: row.kind,
            last4: row.last4,
        }
    }
}

/// A branch or site to put on file (CX-02).
#[derive(Debug, InputObject)]
pub struct RegisterLocationInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    /// No other location of the organisation has it.
    name: String,
    /// One that the organisation holds.
    npi: Option<NpiScalar>,
    credentialed: bool,
    /// The organisation's `version` as seen.
    expected_version: Option<i32>,
}

/// Whether a location is credentialed (CX-02).
#[derive(Debug, InputObject)]
pub struct SetLocationCredentialedInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    location_id: ID,
    credentialed: bool,
    /// The organisation's `version` as seen.
    expected_version: Option<i32>,
}

/// A location whose contract ends, for good (CX-03).
#[derive(Debug, InputObject)]
pub struct TerminateLocationInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    location_id: ID,
    /// Now if not given.
    from: Option<DateTime>,
    /// The organisation's `version` as seen.
    expected_version: Option<i32>,
}

/// A further tax id of an organisation (CC-02).
#[derive(InputObject)]
pub struct LinkTaxIdInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    kind: TaxIdKind,
    /// Nine digits, with or without hyphens; only the last four are kept in clear.
    tax_id: String,
    /// The organisation's `version` as seen.
    expected_version: Option<i32>,
}

payload! {
    /// What became of a location.
    LocationPayload { location: Location }
}
payload! {
    /// What became of a tax id.
    LinkTaxIdPayload { tax_id: LinkedTaxId }
}

/// Questions about locations and tax ids.
#[derive(Default)]
pub struct PlacesQuery;

#[Object]
impl PlacesQuery {
    /// An organisation's locations by name, for its members and plan staff; `search` is part of a
    /// name (CX-02).
    #[graphql(complexity = "crate::graphql::paging::cost(first, child_complexity)")]
    async fn locations(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        search: Option<String>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<LocationConnection> {
        let organization = organization(&organization_id).map_err(top_level)?;
        let page: Page<LocationKey> = Page::new(first, after).map_err(top_level)?;
        let access = Access::MemberOrPlan(organization, READERS).or_key(Scope::ReadDirectory);
        let mut reading = read(ctx, access, min_position).await?;
        let now = ctx.data::<Commands>()?.journal.now();
        let search = search.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let asked = (page.first + 1, page.after.as_ref());
        let found = rows::locations(&mut reading.view, organization, search, asked).await;
        let found = found.map_err(|error| fault(&error))?;
        let rows = found.into_iter().map(|row| (row.key(), Location::of(row, now))).collect();
        Ok(LocationConnection::of(&page, Rows { rows, total: None }))
    }

    /// An organisation's tax ids, the one of its enrolment first, for its administrators and plan
    /// staff (CC-02).
    async fn tax_ids(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        min_position: Option<Position>,
    ) -> Result<Vec<LinkedTaxId>> {
        let organization = organization(&organization_id).map_err(top_level)?;
        let access = Access::OrgAdminOrPlan(organization, READERS);
        let mut reading = read(ctx, access, min_position).await?;
        let found = rows::tax_ids(&mut reading.view, organization).await;
        let found = found.map_err(|error| fault(&error))?;
        Ok(found.into_iter().map(LinkedTaxId::from).collect())
    }
}

/// Plan staff's commands about locations and tax ids.
#[derive(Default)]
pub struct PlacesMutation;

#[Object]
impl PlacesMutation {
    /// Puts a branch or site on file (CX-02). Refusals: FORBIDDEN, FEATURE_DISABLED, NAME_INVALID,
    /// NPI_NOT_IN_ORG.
    async fn register_location(
        &self,
        ctx: &Context<'_>,
        input: RegisterLocationInput,
    ) -> Result<LocationPayload> {
        let command = || {
            let npi = input.npi.as_ref();
            Ok(RegisterLocation {
                organization: organization(&input.organization_id)?,
                name: field("name", OrganizationName::parse(&input.name))?,
                npi: npi.map(|npi| field("npi", Npi::parse(&npi.0))).transpose()?,
                credentialed: input.credentialed,
            })
        };
        let command =
            as_seen(command(), input.expected_version, |it| Entity::Organization(it.organization));
        change(ctx, input.meta, command).await
    }

    /// Says whether a location is credentialed (CX-02). Refusals: FORBIDDEN, FEATURE_DISABLED,
    /// NOT_FOUND, LOCATION_TERMINATED.
    async fn set_location_credentialed(
        &self,
        ctx: &Context<'_>,
        input: SetLocationCredentialedInput,
    ) -> Result<LocationPayload> {
        let command = || {
            Ok(SetLocationCredentialed {
                organization: organization(&input.organization_id)?,
                location: NodeType::parse_bare(&input.location_id, "locationId")?,
                credentialed: input.credentialed,
            })
        };
        let command =
            as_seen(command(), input.expected_version, |it| Entity::Organization(it.organization));
        change(ctx, input.meta, command).await
    }

    /// Ends the contract for a location, for good: a "Z" location (CX-03). Refusals: FORBIDDEN,
    /// FEATURE_DISABLED, NOT_FOUND, LOCATION_TERMINATED.
    async fn terminate_location(
        &self,
        ctx: &Context<'_>,
        input: TerminateLocationInput,
    ) -> Result<LocationPayload> {
        let command = || {
            Ok(TerminateLocation {
                organization: organization(&input.organization_id)?,
                location: NodeType::parse_bare(&input.location_id, "locationId")?,
                from: input.from.as_ref().map(|from| from.parse("from")).transpose()?,
            })
        };
        let command =
            as_seen(command(), input.expected_version, |it| Entity::Organization(it.organization));
        change(ctx, input.meta, command).await
    }

    /// Notes that a further tax id is the organisation's (CC-02). Refusals: FORBIDDEN,
    /// TAX_ID_INVALID, TAX_ID_TAKEN.
    async fn link_tax_id(
        &self,
        ctx: &Context<'_>,
        input: LinkTaxIdInput,
    ) -> Result<LinkTaxIdPayload> {
        let command = || {
            Ok(LinkTaxId {
                organization: organization(&input.organization_id)?,
                tax_id: field("taxId", TaxId::parse(input.kind.into(), &input.tax_id))?,
            })
        };
        let command =
            as_seen(command(), input.expected_version, |it| Entity::Organization(it.organization));
        let organization = organization(&input.organization_id);
        let sent = send(ctx, input.meta, command).await?;
        let (Some(id), Ok(organization), true) =
            (sent.output, organization, ctx.look_ahead().field("taxId").exists())
        else {
            return Ok(LinkTaxIdPayload::of(sent, None));
        };
        let mut reading = read(ctx, Access::PlanOf(organization, READERS), sent.position).await?;
        let found = rows::tax_ids(&mut reading.view, organization).await;
        let found = found.map_err(|error| fault(&error))?.into_iter().find(|row| row.id == id.0);
        Ok(LinkTaxIdPayload::of(sent, found.map(LinkedTaxId::from)))
    }
}

async fn change<C: Command<Output = LocationId>>(
    ctx: &Context<'_>,
    meta: MutationMeta,
    command: Result<C, Refusal>,
) -> Result<LocationPayload> {
    let sent = send(ctx, meta, command).await?;
    let (Some(id), true) = (sent.output, ctx.look_ahead().field("location").exists()) else {
        return Ok(LocationPayload::of(sent, None));
    };
    let mut reading = read(ctx, Access::PlanWithin(READERS), sent.position).await?;
    let now = ctx.data::<Commands>()?.journal.now();
    let found = locations_by_id(&mut reading.view, &[id.0]).await;
    let found = found.map_err(|error| fault(&error))?.pop();
    Ok(LocationPayload::of(sent, found.map(|row| Location::of(row, now))))
}

fn organization(id: &ID) -> Result<OrganizationId, Refusal> {
    NodeType::Organization.parse(id, "organizationId")
}
