//! Legal holds, and who may know of them (GN-26).

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Commands,
    audit::{
        HOLD_KEEPERS, NameRecordsOfficer, PlaceLegalHold, ReleaseLegalHold, RelieveRecordsOfficer,
    },
    authorization::{forbidden, knows_of_holds},
};
use rollcall_domain::{
    Code, Refusal,
    audit::{HoldScope, LegalHolds},
    kernel::ids::{LegalHoldId, UserId},
    tenants::PlanRole,
    values::{ContentLine, Npi, Reason},
};
use rollcall_projections::people::persons;

use super::types::PersonReference;
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    reading::{Reading, caller, read},
    scalars::{DateTime, NpiScalar, Position},
    sending::{MutationMeta, payload, send},
    vocabulary::field,
};

/// A claim of a legal matter on records: whom it covers is not erased.
#[derive(Clone, Debug, SimpleObject)]
pub struct LegalHold {
    pub id: ID,
    pub scope: LegalHoldScope,
    /// The person covered.
    pub user_id: Option<ID>,
    /// Everybody who is or ever was on its roster.
    pub organization_id: Option<ID>,
    /// Everybody who ever had a right to it, or belongs to whoever ever held it.
    pub npi: Option<NpiScalar>,
    /// The matter's name or reference.
    pub matter: Option<String>,
    pub reason: Option<String>,
    pub placed_by: PersonReference,
    pub placed_at: DateTime,
}

/// What a hold covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum LegalHoldScope {
    /// The person of `userId`.
    Person,
    /// Everybody who is or ever was on the roster of `organizationId`.
    Organization,
    /// Everybody who ever had a right to `npi`, or belongs to whoever ever held it.
    Npi,
    /// Everybody.
    Tenant,
}

fn scope(input: &PlaceLegalHoldInput) -> std::result::Result<HoldScope, Refusal> {
    let missing = |name: &str| {
        let message = "Say what the hold covers: the field that belongs to the scope.";
        Refusal::new(Code::FieldRequired, message).at(name)
    };
    Ok(match input.scope {
        LegalHoldScope::Person => {
            let id = input.user_id.as_ref().ok_or_else(|| missing("userId"))?;
            HoldScope::Person { user: NodeType::User.parse(id, "userId")? }
        }
        LegalHoldScope::Organization => {
            let id = input.organization_id.as_ref().ok_or_else(|| missing("organizationId"))?;
            let organization = NodeType::Organization.parse(id, "organizationId")?;
            HoldScope::Organization { organization }
        }
        LegalHoldScope::Npi => {
            let npi = input.npi.as_ref().ok_or_else(|| missing("npi"))?;
            HoldScope::Npi { npi: field("npi", Npi::parse(&npi.0))? }
        }
        LegalHoldScope::Tenant => HoldScope::Tenant,
    })
}

/// Claims records for a legal matter.
#[derive(InputObject)]
pub struct PlaceLegalHoldInput {
    pub scope: LegalHoldScope,
    /// Read where the scope is PERSON.
    pub user_id: Option<ID>,
    /// Read where the scope is ORGANIZATION.
    pub organization_id: Option<ID>,
    /// Read where the scope is NPI.
    pub npi: Option<NpiScalar>,
    /// The matter's name or reference.
    pub matter: String,
    pub reason: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Ends a claim.
#[derive(InputObject)]
pub struct ReleaseLegalHoldInput {
    pub hold_id: ID,
    pub reason: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A plan administrator.
#[derive(InputObject)]
pub struct RecordsOfficerInput {
    pub user_id: ID,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// The outcome of placing a hold.
    PlaceLegalHoldPayload {
        /// The hold's id; read it with `legalHolds`.
        hold_id: ID,
    }
}
payload! {
    /// The outcome of releasing a hold.
    ReleaseLegalHoldPayload {}
}
payload! {
    /// The outcome of naming or relieving somebody who may know of holds.
    RecordsOfficerPayload {}
}

/// Questions about legal holds.
#[derive(Default)]
pub struct LegalHoldQuery;

#[Object]
impl LegalHoldQuery {
    /// The holds in force, oldest first, 500 at most; for auditors and the plan administrators who
    /// are named to know of them. Those released stand in `auditEvents`.
    async fn legal_holds(
        &self,
        ctx: &Context<'_>,
        min_position: Option<Position>,
    ) -> Result<Vec<LegalHold>> {
        let (mut reading, holds) = look(ctx, min_position).await?;
        if !knows_of_holds(&reading.authority, &holds) {
            return Err(top_level(forbidden()));
        }
        let placed: Vec<UserId> = holds.holds().map(|(_, hold)| hold.placed_by).collect();
        let people = persons(&mut reading.view, &placed).await.map_err(|error| fault(&error))?;
        let named = |user: UserId| {
            PersonReference::new(user.0, people.get(&user).and_then(|it| it.full_name()))
        };
        let shown = holds.holds().map(|(id, hold)| {
            let mut shown = LegalHold {
                id: ID(id.to_string()),
                scope: LegalHoldScope::Tenant,
                user_id: None,
                organization_id: None,
                npi: None,
                matter: hold.matter.get().map(ToString::to_string),
                reason: hold.reason.get().map(ToString::to_string),
                placed_by: named(hold.placed_by),
                placed_at: hold.placed_at.into(),
            };
            match &hold.scope {
                HoldScope::Person { user } => {
                    shown.scope = LegalHoldScope::Person;
                    shown.user_id = Some(NodeType::User.id(user.0));
                }
                HoldScope::Organization { organization } => {
                    shown.scope = LegalHoldScope::Organization;
                    shown.organization_id = Some(NodeType::Organization.id(organization.0));
                }
                HoldScope::Npi { npi } => {
                    shown.scope = LegalHoldScope::Npi;
                    shown.npi = Some(NpiScalar(npi.to_string()));
                }
                HoldScope::Tenant => {}
            }
            shown
        });
        Ok(shown.collect())
    }

    /// The plan administrators who are named to know of legal holds, for auditors and administrators
    /// of the whole plan.
    async fn records_officers(
        &self,
        ctx: &Context<'_>,
        min_position: Option<Position>,
    ) -> Result<Vec<PersonReference>> {
        let (mut reading, holds) = look(ctx, min_position).await?;
        let officers: Vec<UserId> = holds.officers().iter().copied().collect();
        let people = persons(&mut reading.view, &officers).await.map_err(|error| fault(&error))?;
        let named = |user: UserId| {
            PersonReference::new(user.0, people.get(&user).and_then(|it| it.full_name()))
        };
        Ok(officers.into_iter().map(named).collect())
    }
}

async fn look<'a>(
    ctx: &Context<'a>,
    min_position: Option<Position>,
) -> Result<(Reading<'a>, LegalHolds)> {
    const READERS: &[PlanRole] = HOLD_KEEPERS;
    let reading = read(ctx, Access::Plan(READERS), min_position).await?;
    let (journal, tenant) = (&ctx.data::<Commands>()?.journal, caller(ctx)?.tenant);
    let holds = journal.load_fresh::<LegalHolds>(tenant, tenant.legal_holds_stream()).await;
    let holds = holds.map_err(|error| fault(&error))?.state;
    Ok((reading, (*holds).clone()))
}

/// Legal holds, and who may know of them.
#[derive(Default)]
pub struct LegalHoldMutation;

#[Object]
impl LegalHoldMutation {
    /// Claims records for a legal matter: nobody whom it covers is erased. For auditors and the plan
    /// administrators who are named to know of holds. Refusals: NOT_FOUND, NPI_INVALID,
    /// FIELD_REQUIRED, FIELD_INVALID, REASON_REQUIRED.
    async fn place_legal_hold(
        &self,
        ctx: &Context<'_>,
        input: PlaceLegalHoldInput,
    ) -> Result<PlaceLegalHoldPayload> {
        let command = || {
            Ok(PlaceLegalHold {
                scope: scope(&input)?,
                matter: field("matter", ContentLine::parse(&input.matter))?,
                reason: field("reason", Reason::parse(&input.reason))?,
            })
        };
        let command = command();
        let sent = send(ctx, input.meta, command).await?;
        let hold = sent.output.map(|hold: LegalHoldId| ID(hold.to_string()));
        Ok(PlaceLegalHoldPayload::of(sent, hold))
    }

    /// Ends the claim of a legal matter, for those who may place one. Refusals: NOT_FOUND,
    /// REASON_REQUIRED.
    async fn release_legal_hold(
        &self,
        ctx: &Context<'_>,
        input: ReleaseLegalHoldInput,
    ) -> Result<ReleaseLegalHoldPayload> {
        let command = || {
            Ok(ReleaseLegalHold {
                hold: NodeType::parse_bare(&input.hold_id, "holdId")?,
                reason: field("reason", Reason::parse(&input.reason))?,
            })
        };
        Ok(ReleaseLegalHoldPayload::of(send(ctx, input.meta, command()).await?))
    }

    /// Lets another plan administrator know of legal holds. Refusals: SELF_GRANT, ALREADY_ASSIGNED,
    /// NOT_FOUND, FIELD_INVALID.
    async fn name_records_officer(
        &self,
        ctx: &Context<'_>,
        input: RecordsOfficerInput,
    ) -> Result<RecordsOfficerPayload> {
        let user = NodeType::User.parse(&input.user_id, "userId");
        let command = user.map(|user| NameRecordsOfficer { user });
        Ok(RecordsOfficerPayload::of(send(ctx, input.meta, command).await?))
    }

    /// Ends that a plan administrator knows of legal holds. Refusals: NOT_FOUND.
    async fn relieve_records_officer(
        &self,
        ctx: &Context<'_>,
        input: RecordsOfficerInput,
    ) -> Result<RecordsOfficerPayload> {
        let user = NodeType::User.parse(&input.user_id, "userId");
        let command = user.map(|user| RelieveRecordsOfficer { user });
        Ok(RecordsOfficerPayload::of(send(ctx, input.meta, command).await?))
    }
}
