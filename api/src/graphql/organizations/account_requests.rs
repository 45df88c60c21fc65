//! `submitAccountRequest`, `fulfilAccountRequest`, `rejectAccountRequest`, `accountRequests` (AL-01).

use std::collections::HashMap;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use chrono::TimeDelta;
use rollcall_commands::{
    Access, Commands,
    organizations::{
        Agreed, ENROLMENT_STAFF, FulfilAccountRequest, RejectAccountRequest, SubmitAccountRequest,
    },
};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::AccountRequestId,
    organizations::{TaxIdRef, account_request::AccountWish},
    values::{
        EmailAddress, Npi, OrganizationName, PersonName, PhoneNumber, Reason, TaxId, TaxIdKind,
    },
};
use rollcall_projections::account_requests::{
    AccountRequestFilter, AccountRequestRow, account_requests, account_requests_by_id,
};
use uuid::Uuid;

use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    reading::{read, read_if_permitted},
    scalars::{DateTime, EmailScalar, NpiScalar, PhoneScalar, Position},
    sending::{MutationMeta, payload, send},
    users::invitations::{Invitation, invitation},
    vocabulary::{OrgRole, field},
};

/// The form by which anybody asks for an account.
#[derive(InputObject)]
pub struct SubmitAccountRequestInput {
    pub organization_name: String,
    /// An NPI, a tax id or both.
    pub npi: Option<NpiScalar>,
    /// `EIN` or `SSN`.
    pub tax_id_type: Option<String>,
    #[graphql(secret)]
    pub tax_id: Option<String>,
    pub first_name: String,
    pub last_name: String,
    pub email: EmailScalar,
    pub phone: PhoneScalar,
    /// The portal's terms as read and ticked, where the portal has any.
    pub agreement: Option<AgreedInput>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A version of the portal's terms with its boxes.
#[derive(InputObject)]
pub struct AgreedInput {
    pub version: String,
    /// Keys of the boxes ticked; all of the version's must be.
    pub boxes: Vec<String>,
}

impl SubmitAccountRequestInput {
    fn command(&self) -> Result<SubmitAccountRequest, Refusal> {
        let npi = self.npi.as_ref().map(|npi| Npi::parse(&npi.0)).transpose();
        let npi = field("npi", npi)?;
        let tax_id = self.tax_id()?;
        if npi.is_none() && tax_id.is_none() {
            let message = "Enter an NPI or a tax identifier of the office.";
            return Err(Refusal::new(Code::FieldRequired, message).at("npi"));
        }
        let wish = AccountWish {
            request: AccountRequestId(Uuid::now_v7()),
            organization_name: field(
                "organizationName",
                OrganizationName::parse(&self.organization_name),
            )?,
            npi,
            tax_id,
            first_name: field("firstName", PersonName::parse(&self.first_name))?,
            last_name: field("lastName", PersonName::parse(&self.last_name))?,
            email: field("email", EmailAddress::parse(&self.email.0))?,
            phone: field("phone", PhoneNumber::parse(&self.phone.0))?,
            accepted: None,
        };
        let agreed = self.agreement.as_ref().map(|agreement| Agreed {
            version: agreement.version.clone(),
            boxes: agreement.boxes.clone(),
        });
        Ok(SubmitAccountRequest { wish, agreed })
    }

    fn tax_id(&self) -> Result<Option<TaxIdRef>, Refusal> {
        let Some(text) = self.tax_id.as_deref().filter(|text| !text.trim().is_empty()) else {
            return Ok(None);
        };
        let kind = TaxIdKind::parse(self.tax_id_type.as_deref().unwrap_or_default());
        let tax_id = field("taxId", TaxId::parse(field("taxIdType", kind)?, text.trim()))?;
        Ok(Some(TaxIdRef { kind: tax_id.kind(), last4: tax_id.last4().to_owned() }))
    }
}

/// The organisation in which a request is fulfilled.
#[derive(InputObject)]
pub struct FulfilAccountRequestInput {
    pub request_id: ID,
    /// On the plan's file; one that nobody has registered is opened.
    pub organization_id: ID,
    /// What waits for the person; NONE if not given.
    pub role: Option<OrgRole>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// A request that is not granted.
#[derive(InputObject)]
pub struct RejectAccountRequestInput {
    pub request_id: ID,
    /// Required.
    pub reason: Option<String>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum AccountRequestStatus {
    Submitted,
    Fulfilled,
    Rejected,
}

impl AccountRequestStatus {
    const fn stored(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Fulfilled => "FULFILLED",
            Self::Rejected => "REJECTED",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "FULFILLED" => Self::Fulfilled,
            "REJECTED" => Self::Rejected,
            _ => Self::Submitted,
        }
    }
}

/// A request for a portal account, for plan staff.
#[derive(Clone, SimpleObject)]
pub struct AccountRequest {
    pub id: ID,
    pub status: AccountRequestStatus,
    pub organization_name: String,
    pub npi: Option<NpiScalar>,
    /// `EIN` or `SSN`.
    pub tax_id_type: Option<String>,
    pub tax_id_last4: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<EmailScalar>,
    pub phone: Option<PhoneScalar>,
    pub submitted_at: DateTime,
    /// When the plan's answer is due: the end of a business day.
    pub due_at: DateTime,
    pub decided_at: Option<DateTime>,
    /// Where it was fulfilled.
    pub organization_id: Option<ID>,
    pub user_id: Option<ID>,
}

impl From<AccountRequestRow> for AccountRequest {
    fn from(row: AccountRequestRow) -> Self {
        Self {
            id: NodeType::AccountRequest.id(row.request_id),
            status: AccountRequestStatus::parse(&row.status),
            organization_name: row.organization_name,
            npi: row.npi.map(NpiScalar),
            tax_id_type: row.tax_id_kind,
            tax_id_last4: row.tax_id_last4,
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email.map(EmailScalar),
            phone: row.phone.map(PhoneScalar),
            submitted_at: row.submitted_at.into(),
            due_at: row.due_at.into(),
            decided_at: row.decided_at.map(DateTime::from),
            organization_id: row.organization_id.map(|id| NodeType::Organization.id(id)),
            user_id: row.user_id.map(|id| NodeType::User.id(id)),
        }
    }
}

connection!(AccountRequestConnection, AccountRequestEdge, AccountRequest);

payload! {
    /// The outcome of filing the form; a receipt goes to the address given.
    SubmitAccountRequestPayload {
        /// The request's number.
        request_id: ID,
    }
}
payload! {
    /// The outcome of fulfilling a request: the invitation that went to the person.
    FulfilAccountRequestPayload { invitation: Invitation }
}
payload! {
    /// The outcome of declining a request.
    RejectAccountRequestPayload { request: AccountRequest }
}

/// Questions about account requests.
#[derive(Default)]
pub struct AccountRequestQuery;

#[Object]
impl AccountRequestQuery {
    /// Requests for portal accounts, oldest first, for plan staff.
    async fn account_requests(
        &self,
        ctx: &Context<'_>,
        status: Option<AccountRequestStatus>,
        #[graphql(desc = "Only those submitted at least so many days ago.")] age_days: Option<i32>,
        #[graphql(desc = "Only undecided ones whose answer is overdue.", default)] overdue: bool,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AccountRequestConnection> {
        let page = Page::<i64>::new(first, after).map_err(top_level)?;
        let mut reading = read(ctx, Access::Plan(ENROLMENT_STAFF), min_position).await?;
        let now = ctx.data::<Commands>()?.journal.now();
        let filter = AccountRequestFilter {
            status: status.map(AccountRequestStatus::stored),
            submitted_by: age_days.map(|days| now - TimeDelta::days(i64::from(days))),
            due_by: overdue.then_some(now),
        };
        let view = &mut reading.view;
        let found = account_requests(view, &filter, page.after, page.first + 1).await;
        let found = found.map_err(|error| fault(&error))?;
        let keyed = |row: AccountRequestRow| (row.submitted_position, AccountRequest::from(row));
        let rows = found.into_iter().map(keyed).collect();
        Ok(AccountRequestConnection::of(&page, Rows { rows, total: None }))
    }
}

/// Commands on account requests.
#[derive(Default)]
pub struct AccountRequestMutation;

#[Object]
impl AccountRequestMutation {
    /// Asks for a portal account, without one. Refusals: FEATURE_DISABLED, AGREEMENT_REQUIRED,
    /// AGREEMENT_SUPERSEDED, BOX_NOT_TICKED, DUPLICATE_REQUEST, RATE_LIMITED, field formats.
    async fn submit_account_request(
        &self,
        ctx: &Context<'_>,
        input: SubmitAccountRequestInput,
    ) -> Result<SubmitAccountRequestPayload> {
        let command = input.command();
        let mut sent = send(ctx, input.meta, command).await?;
        // Two of them would tell a visitor what others had recorded in between.
        sent.position = None;
        let id = sent.output.map(|id| NodeType::AccountRequest.id(id));
        Ok(SubmitAccountRequestPayload::of(sent, id))
    }

    /// Makes the account: invites the person into an organisation on file, for plan staff. Refusals:
    /// FORBIDDEN, NOT_FOUND, ALREADY_DECIDED, EMAIL_TAKEN_IN_ORG, ORG_NOT_ACTIVE.
    async fn fulfil_account_request(
        &self,
        ctx: &Context<'_>,
        input: FulfilAccountRequestInput,
    ) -> Result<FulfilAccountRequestPayload> {
        let command = request_id(&input.request_id).and_then(|request| {
            let organization =
                NodeType::Organization.parse(&input.organization_id, "organizationId")?;
            let role = input.role.unwrap_or(OrgRole::None).into();
            Ok(FulfilAccountRequest { request, organization, role })
        });
        let sent = send(ctx, input.meta, command).await?;
        let shown = invitation(ctx, sent.output).await?;
        Ok(FulfilAccountRequestPayload::of(sent, shown))
    }

    /// Declines a request, for plan staff; whoever asked is mailed. Refusals: FORBIDDEN, NOT_FOUND,
    /// ALREADY_DECIDED, REASON_REQUIRED.
    async fn reject_account_request(
        &self,
        ctx: &Context<'_>,
        input: RejectAccountRequestInput,
    ) -> Result<RejectAccountRequestPayload> {
        let command = request_id(&input.request_id).and_then(|request| {
            let reason = Reason::parse(input.reason.as_deref().unwrap_or_default());
            Ok(RejectAccountRequest { request, reason: field("reason", reason)? })
        });
        let sent = send(ctx, input.meta, command).await?;
        let request = match sent.output {
            Some(id) => {
                let access = Access::Plan(ENROLMENT_STAFF);
                let mut reading = read(ctx, access, sent.position).await?;
                let found = account_requests_by_id(&mut reading.view, &[id.0]).await;
                found.map_err(|error| fault(&error))?.pop().map(AccountRequest::from)
            }
            None => None,
        };
        Ok(RejectAccountRequestPayload::of(sent, request))
    }
}

fn request_id(id: &ID) -> Result<AccountRequestId, Refusal> {
    NodeType::AccountRequest.parse(id, "requestId")
}

/// The requests of these ids, for plan staff.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn by_ids(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, AccountRequest>> {
    let Some(mut reading) = read_if_permitted(ctx, Access::Plan(ENROLMENT_STAFF)).await? else {
        return Ok(HashMap::new());
    };
    let found = account_requests_by_id(&mut reading.view, ids).await;
    let found = found.map_err(|error| fault(&error))?;
    Ok(found.into_iter().map(|row| (row.request_id, AccountRequest::from(row))).collect())
}
