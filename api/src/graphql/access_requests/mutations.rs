//! `requestAccess`, `decideAccessRequest`, `escalateAccessRequest`, `withdrawAccessRequest`.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use rollcall_commands::{
    Command, Entity,
    access_requests::{
        DecideAccessRequest, Decision, EscalateAccessRequest, Found, RequestAccess, Resolution,
        WithdrawAccessRequest,
    },
};
use rollcall_domain::{
    Code, Refusal,
    access_requests::RequestItem,
    kernel::ids::{AccessRequestId, OrganizationId},
    organizations::TaxIdRef,
    permissions::Entitlement,
    values::{Npi, OrganizationName, Reason},
};

use super::{queries::request_of, types::AccessRequest};
use crate::graphql::{
    ids::NodeType,
    scalars::{DateTime, NpiScalar},
    sending::{MutationMeta, as_seen, payload, send},
    vocabulary::{Feature, NpiLevel, TaxIdKind, field},
};

/// One thing to ask for: exactly one of its fields, and for an NPI its level.
#[derive(Clone, Debug, InputObject)]
pub struct AccessRequestItemInput {
    pub npi: Option<NpiScalar>,
    /// PROCESSOR or ADMIN; PROCESSOR if not given.
    pub level: Option<NpiLevel>,
    pub feature: Option<Feature>,
    pub job_role_id: Option<ID>,
    pub location_id: Option<ID>,
    /// A location that the organisation's list lacks (CX-13).
    pub location_name: Option<String>,
    pub tax_id_id: Option<ID>,
    /// A tax id that the organisation's list lacks (CC-02).
    pub missing_tax_id: Option<MissingTaxIdInput>,
}

/// A tax id that the organisation's list lacks: never more of it than this.
#[derive(Clone, Debug, InputObject)]
pub struct MissingTaxIdInput {
    pub kind: TaxIdKind,
    /// Its last four digits.
    pub last4: String,
}

impl MissingTaxIdInput {
    fn reference(&self, path: &str) -> Result<TaxIdRef, Refusal> {
        let last4 = self.last4.trim();
        if last4.len() != 4 || !last4.bytes().all(|byte| byte.is_ascii_digit()) {
            let message = "Enter the last four digits of the tax id.";
            let field = format!("{path}.missingTaxId.last4");
            return Err(Refusal::new(Code::TaxIdInvalid, message).at(&field));
        }
        Ok(TaxIdRef { kind: self.kind.into(), last4: last4.to_owned() })
    }
}

impl AccessRequestItemInput {
    fn item(&self, at: usize) -> Result<RequestItem, Refusal> {
        let path = format!("items.{at}");
        let mut named: Vec<Result<RequestItem, Refusal>> = Vec::new();
        named.extend(self.npi.as_ref().map(|npi| {
            let level = self.level.unwrap_or(NpiLevel::Processor).into();
            let npi = field(&format!("{path}.npi"), Npi::parse(&npi.0))?;
            Ok(RequestItem::Npi { npi, level })
        }));
        let granted = |entitlement| Ok(RequestItem::Grant(entitlement));
        named.extend(self.feature.map(|feature| granted(Entitlement::Feature(feature.into()))));
        named.extend(self.job_role_id.as_ref().map(|id| {
            let id = NodeType::parse_bare(id, &format!("{path}.jobRoleId"))?;
            granted(Entitlement::JobRole(id))
        }));
        named.extend(self.location_id.as_ref().map(|id| {
            let id = NodeType::parse_bare(id, &format!("{path}.locationId"))?;
            granted(Entitlement::Location(id))
        }));
        named.extend(self.tax_id_id.as_ref().map(|id| {
            let id = NodeType::parse_bare(id, &format!("{path}.taxIdId"))?;
            granted(Entitlement::TaxId(id))
        }));
        named.extend(self.location_name.as_ref().map(|name| {
            let name = field(&format!("{path}.locationName"), OrganizationName::parse(name))?;
            Ok(RequestItem::NewLocation { name })
        }));
        named.extend(
            self.missing_tax_id
                .as_ref()
                .map(|tax_id| Ok(RequestItem::NewTaxId { reference: tax_id.reference(&path)? })),
        );
        match <[_; 1]>::try_from(named) {
            Ok([item]) => item,
            Err(_) => {
                let message = "Name exactly one thing per item: an NPI, a feature, a job role, a \
                               location or a tax id.";
                Err(Refusal::new(Code::FieldRequired, message).at(&path))
            }
        }
    }
}

/// Asks for access in the organisation acted for (CC-11, AL-07, GN-13).
#[derive(Debug, InputObject)]
pub struct RequestAccessInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    /// One to twenty.
    items: Vec<AccessRequestItemInput>,
    /// Why it is needed.
    why: String,
    /// The access asked for ends here by itself (GN-13).
    until: Option<DateTime>,
}

impl RequestAccessInput {
    fn command(&self) -> Result<RequestAccess, Refusal> {
        let items = self.items.iter().enumerate().map(|(at, input)| input.item(at));
        Ok(RequestAccess {
            organization: organization(&self.organization_id)?,
            items: items.collect::<Result<_, _>>()?,
            why: field("why", Reason::parse(&self.why))?,
            until: self.until.as_ref().map(|until| until.parse("until")).transpose()?,
        })
    }
}

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AccessDecision {
    Approve,
    Deny,
}

/// What the plan added for an item that the organisation's list lacked.
#[derive(Clone, Debug, InputObject)]
pub struct ResolutionInput {
    /// The item's place in the request, from 0.
    item: i32,
    location_id: Option<ID>,
    tax_id_id: Option<ID>,
}

impl ResolutionInput {
    fn resolution(&self, at: usize) -> Result<Resolution, Refusal> {
        let path = format!("resolutions.{at}");
        let item = usize::try_from(self.item).unwrap_or(usize::MAX);
        match (&self.location_id, &self.tax_id_id) {
            (Some(id), None) => {
                let location = NodeType::parse_bare(id, &format!("{path}.locationId"))?;
                Ok(Resolution::Location { item, location })
            }
            (None, Some(id)) => {
                let tax_id = NodeType::parse_bare(id, &format!("{path}.taxIdId"))?;
                Ok(Resolution::TaxId { item, tax_id })
            }
            (Some(_), Some(_)) | (None, None) => {
                let message = "Name either the location or the tax id that was added.";
                Err(Refusal::new(Code::FieldRequired, message).at(&path))
            }
        }
    }
}

/// Approves or denies a request (CC-12).
#[derive(Debug, InputObject)]
pub struct DecideAccessRequestInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    access_request_id: ID,
    decision: AccessDecision,
    /// Required for a denial.
    reason: Option<String>,
    /// For items that the organisation's list lacked, what was added.
    resolutions: Option<Vec<ResolutionInput>>,
    /// For a move, what the request does not say (AL-08).
    #[graphql(name = "move")]
    moving: Option<MoveInput>,
    /// The request's `version` as seen.
    expected_version: Option<i32>,
}

/// What the plan found out about a move.
#[derive(Clone, Debug, Default, InputObject)]
pub struct MoveInput {
    /// Who moves, where nobody has the address named.
    user_id: Option<ID>,
    /// Which organisation is left, where the person belongs to several.
    from_organization_id: Option<ID>,
    /// Which organisation is joined, where nobody on file holds the NPI named.
    to_organization_id: Option<ID>,
    /// Required where an administrator is taken away from their organisation (CC-07).
    evidence: Option<String>,
}

impl MoveInput {
    /// As the commands take it.
    pub(super) fn found(&self) -> Result<Found, Refusal> {
        let of = |id: &Option<ID>, field: &str| {
            id.as_ref().map(|id| NodeType::Organization.parse(id, field)).transpose()
        };
        let user = self.user_id.as_ref().map(|id| NodeType::User.parse(id, "move.userId"));
        let evidence =
            self.evidence.as_deref().map(|text| field("move.evidence", Reason::parse(text)));
        Ok(Found {
            user: user.transpose()?,
            from: of(&self.from_organization_id, "move.fromOrganizationId")?,
            to: of(&self.to_organization_id, "move.toOrganizationId")?,
            evidence: evidence.transpose()?,
        })
    }
}

impl DecideAccessRequestInput {
    fn command(&self) -> Result<DecideAccessRequest, Refusal> {
        let reason = |text: &str| field("reason", Reason::parse(text));
        let decision = match (self.decision, self.reason.as_deref()) {
            (AccessDecision::Deny, text) => {
                Decision::Deny { reason: reason(text.unwrap_or_default())? }
            }
            (AccessDecision::Approve, text) => {
                Decision::Approve { note: text.map(reason).transpose()? }
            }
        };
        let resolutions = self.resolutions.iter().flatten().enumerate();
        let resolutions = resolutions.map(|(at, input)| input.resolution(at));
        Ok(DecideAccessRequest {
            organization: organization(&self.organization_id)?,
            request: request(&self.access_request_id)?,
            decision,
            resolutions: resolutions.collect::<Result<_, _>>()?,
            found: self.moving.as_ref().map(MoveInput::found).transpose()?.unwrap_or_default(),
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// Hands a request on to the health plan (AL-08).
#[derive(Debug, InputObject)]
pub struct EscalateAccessRequestInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    access_request_id: ID,
    note: Option<String>,
    /// The request's `version` as seen.
    expected_version: Option<i32>,
}

impl EscalateAccessRequestInput {
    fn command(&self) -> Result<EscalateAccessRequest, Refusal> {
        let note = self.note.as_deref().map(|text| field("note", Reason::parse(text)));
        Ok(EscalateAccessRequest {
            organization: organization(&self.organization_id)?,
            request: request(&self.access_request_id)?,
            note: note.transpose()?,
        })
    }
}

/// Takes one's own request back (CC-11).
#[derive(Debug, InputObject)]
pub struct WithdrawAccessRequestInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    organization_id: ID,
    access_request_id: ID,
    /// The request's `version` as seen.
    expected_version: Option<i32>,
}

impl WithdrawAccessRequestInput {
    fn command(&self) -> Result<WithdrawAccessRequest, Refusal> {
        Ok(WithdrawAccessRequest {
            organization: organization(&self.organization_id)?,
            request: request(&self.access_request_id)?,
        })
    }
}

pub(super) fn organization(id: &ID) -> Result<OrganizationId, Refusal> {
    NodeType::Organization.parse(id, "organizationId")
}

pub(super) fn request(id: &ID) -> Result<AccessRequestId, Refusal> {
    NodeType::AccessRequest.parse(id, "accessRequestId")
}

payload! {
    /// What became of a request for access.
    AccessRequestPayload {
        /// The request as it stands now.
        access_request: AccessRequest,
    }
}

/// Commands on requests for access.
#[derive(Default)]
pub struct AccessRequestMutation;

#[Object]
impl AccessRequestMutation {
    /// Asks for access, for oneself; it waits for an administrator, or at once for the health plan
    /// where the organisation cannot give it (CC-11, AL-08). Refusals: DUPLICATE_REQUEST,
    /// ALREADY_ASSIGNED, FEATURE_DISABLED, ROLE_UNKNOWN, LOCATION_NOT_CREDENTIALED, RANGE_INVALID.
    async fn request_access(
        &self,
        ctx: &Context<'_>,
        input: RequestAccessInput,
    ) -> Result<AccessRequestPayload> {
        let command = input.command();
        change(ctx, input.meta, &input.organization_id, command).await
    }

    /// Approves a request, which gives what was asked for at once, or denies it (CC-12). An
    /// administrator's yes to what the organisation lacks hands it on to the health plan (CX-13).
    /// A request for an account sends its invitation (CC-11); a move is the plan's to approve: the
    /// membership there ends with its rights, the one here begins without any (AL-08). Refusals:
    /// SELF_APPROVAL, ALREADY_DECIDED, NOT_ORG_ADMIN, FORBIDDEN, REASON_REQUIRED, NPI_NOT_IN_ORG,
    /// LOCATION_NOT_CREDENTIALED, EMAIL_TAKEN_IN_ORG, USER_UNKNOWN, EVIDENCE_REQUIRED,
    /// VERSION_CONFLICT.
    async fn decide_access_request(
        &self,
        ctx: &Context<'_>,
        input: DecideAccessRequestInput,
    ) -> Result<AccessRequestPayload> {
        let command = input.command();
        change(ctx, input.meta, &input.organization_id, command).await
    }

    /// Hands a request on to the health plan (AL-08). Refusals: NOT_ORG_ADMIN, ALREADY_DECIDED,
    /// FORBIDDEN.
    async fn escalate_access_request(
        &self,
        ctx: &Context<'_>,
        input: EscalateAccessRequestInput,
    ) -> Result<AccessRequestPayload> {
        let command = as_seen(input.command(), input.expected_version, |it| {
            Entity::AccessRequest(it.request)
        });
        change(ctx, input.meta, &input.organization_id, command).await
    }

    /// Takes one's own request back. Refusals: NOT_FOUND, ALREADY_DECIDED.
    async fn withdraw_access_request(
        &self,
        ctx: &Context<'_>,
        input: WithdrawAccessRequestInput,
    ) -> Result<AccessRequestPayload> {
        let command = as_seen(input.command(), input.expected_version, |it| {
            Entity::AccessRequest(it.request)
        });
        change(ctx, input.meta, &input.organization_id, command).await
    }
}

pub(super) async fn change<C: Command<Output = AccessRequestId>>(
    ctx: &Context<'_>,
    meta: MutationMeta,
    organization_id: &ID,
    command: Result<C, Refusal>,
) -> Result<AccessRequestPayload> {
    let sent = send(ctx, meta, command).await?;
    let look = ctx.look_ahead().field("accessRequest");
    let (Some(id), Ok(organization), true) =
        (sent.output, organization(organization_id), look.exists())
    else {
        return Ok(AccessRequestPayload::of(sent, None));
    };
    let found = request_of(ctx, organization, id, sent.position, &look).await?;
    Ok(AccessRequestPayload::of(sent, found))
}
