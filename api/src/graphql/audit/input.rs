//! Filters and order of audit events. Invariant: ids are read as given; what they lead to is bound
//! to the tenant by the query.

use async_graphql::{Enum, ID, InputObject};
use ipnet::IpNet;
use rollcall_domain::{Code, Refusal, kernel::ids::OrganizationId, values::Npi};
use rollcall_projections::audit_timeline::{Filter, MAX_WORDS, Order, Outcome, Sight, words};
use uuid::Uuid;

use crate::{
    graphql::{
        access_register::AccessRight,
        ids::NodeType,
        paging::OrderDirection,
        scalars::{DateTime, NpiScalar},
        vocabulary::ActorKind,
    },
    proxies,
};

/// Whether what was asked for was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AuditOutcome {
    /// It was done.
    Succeeded,
    /// It was refused; nothing changed but this record.
    Refused,
}

impl From<AuditOutcome> for Outcome {
    fn from(outcome: AuditOutcome) -> Self {
        match outcome {
            AuditOutcome::Succeeded => Self::Succeeded,
            AuditOutcome::Refused => Self::Refused,
        }
    }
}

/// Which events; every field given must fit.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AuditEventFilter {
    /// The person who acted, or the machine's `ApiKey`.
    pub actor: Option<ID>,
    /// The role in which they acted.
    pub actor_kind: Option<ActorKind>,
    /// The person it was about.
    pub subject: Option<ID>,
    /// The NPI it was about.
    pub npi: Option<NpiScalar>,
    /// The organisation acted for or about; an administrator of several names one of them.
    pub organization: Option<ID>,
    /// Stored names of events, e.g. `permissions.membership.npi_permission_set`.
    pub types: Option<Vec<String>>,
    /// The command's name, e.g. `SetNpiPermissions`.
    pub command: Option<String>,
    pub outcome: Option<AuditOutcome>,
    /// Recorded at or after.
    pub from: Option<DateTime>,
    /// Recorded before.
    pub to: Option<DateTime>,
    /// Everything that came of one request.
    pub correlation_id: Option<Uuid>,
    /// Everything that one event caused.
    pub causation_id: Option<Uuid>,
    /// Everything done in one session.
    pub session: Option<ID>,
    /// What gave, changed, ended or used rights of this kind, and what happened to what they stand
    /// on; with `npi`, `subject` or `organization` those of one. Requests are not among them.
    pub right: Option<AccessRight>,
    /// What led to this `AuditEvent`, step by step up to what somebody did.
    pub causes_of: Option<ID>,
    /// What this `AuditEvent` led to, and that to again; the nearest 50,000.
    pub consequences_of: Option<ID>,
    /// Words that an event must all have, in any order, of three letters or more their beginnings:
    /// of its type, of what changed, its NPI, and the names of who acted, whom and which
    /// organisations it is about. Up to eight. Names are today's; a person who was erased is found no
    /// more, and by addresses and telephones nobody is.
    pub text: Option<String>,
    /// Everything done from an IP address such as `192.0.2.7`, or from a network such as
    /// `192.0.2.0/24`; auditors and plan administrators ask by it. Of a person who was erased no
    /// address is known.
    pub client_address: Option<String>,
}

impl AuditEventFilter {
    /// Reads the filter.
    ///
    /// # Errors
    /// `NPI_INVALID`, `DATE_INVALID`, `RANGE_INVALID`, `FIELD_INVALID` or `NOT_FOUND` at its field.
    pub fn parse(self) -> Result<Filter, Refusal> {
        let npi = self.npi.map(|npi| {
            Npi::parse(&npi.0).map_err(|invalid| Refusal::from(invalid).at("filter.npi"))
        });
        let moment = |at: Option<DateTime>, field| at.map(|at| at.parse(field)).transpose();
        let (from, to) = (moment(self.from, "filter.from")?, moment(self.to, "filter.to")?);
        if from.zip(to).is_some_and(|(from, to)| to <= from) {
            let message = "Give an end of the range that lies after its beginning.";
            return Err(Refusal::new(Code::RangeInvalid, message).at("filter.to"));
        }
        Ok(Filter {
            actor: self.actor.map(|id| actor(id, "filter.actor")).transpose()?,
            actor_kind: self.actor_kind.map(Into::into),
            subject: id(NodeType::User, self.subject, "filter.subject")?,
            npi: npi.transpose()?.map(|npi| npi.to_string()),
            organization: id(NodeType::Organization, self.organization, "filter.organization")?,
            types: self.types.unwrap_or_default(),
            command: self.command,
            outcome: self.outcome.map(Into::into),
            from,
            to,
            correlation: self.correlation_id,
            causation: self.causation_id,
            session: id(NodeType::Session, self.session, "filter.session")?,
            right: self.right.map(Into::into),
            causes_of: id(NodeType::AuditEvent, self.causes_of, "filter.causesOf")?,
            consequences_of: {
                id(NodeType::AuditEvent, self.consequences_of, "filter.consequencesOf")?
            },
            words: self.text.as_deref().map(text).transpose()?.unwrap_or_default(),
            client_address: self.client_address.as_deref().map(network).transpose()?,
            up_to: None,
        })
    }
}

/// The longest text that is looked for, in bytes.
const MAX_TEXT: usize = 300;

fn text(text: &str) -> Result<Vec<String>, Refusal> {
    let words = if text.len() <= MAX_TEXT { words(text) } else { Vec::new() };
    if (1..=MAX_WORDS).contains(&words.len()) {
        return Ok(words);
    }
    let message = "Give one to eight words of letters or digits to look for.";
    Err(Refusal::new(Code::FieldInvalid, message).at("filter.text"))
}

fn network(text: &str) -> Result<IpNet, Refusal> {
    proxies::network(text).ok_or_else(|| {
        let message = "Give an IP address such as 192.0.2.7 or 2001:db8::7, or a network such as \
                       192.0.2.0/24.";
        Refusal::new(Code::FieldInvalid, message).at(CLIENT_ADDRESS)
    })
}

const CLIENT_ADDRESS: &str = "filter.clientAddress";

/// Refuses to look for addresses for whom they are not shown, and where an answer is to stay as it is.
///
/// # Errors
/// FORBIDDEN or FIELD_INVALID.
pub(super) fn may_ask(filter: &Filter, sight: &Sight, is_pinned: bool) -> Result<(), Refusal> {
    if filter.client_address.is_none() {
        return Ok(());
    }
    if is_pinned {
        let message =
            "Leave `clientAddress` out here: an erasure takes addresses out of the records.";
        return Err(Refusal::new(Code::FieldInvalid, message).at(CLIENT_ADDRESS));
    }
    if !sight.shows_addresses() {
        let message = "Only auditors and plan administrators look for addresses. Leave \
                       `clientAddress` out.";
        return Err(Refusal::new(Code::Forbidden, message).at(CLIENT_ADDRESS));
    }
    Ok(())
}

pub(super) fn actor(id: ID, field: &str) -> Result<Uuid, Refusal> {
    NodeType::ApiKey.parse(&id, field).or_else(|_| NodeType::User.parse(&id, field))
}

pub(super) fn id(kind: NodeType, id: Option<ID>, field: &str) -> Result<Option<Uuid>, Refusal> {
    id.map(|id| kind.parse::<Uuid>(&id, field)).transpose()
}

/// The organisation a filter names.
pub fn organization_of(filter: &Filter) -> Option<OrganizationId> {
    filter.organization.map(OrganizationId)
}

/// By what audit events are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum AuditEventOrderField {
    /// The place in the tenant's journal, which is the order in which events were recorded.
    Position,
}

/// The order of audit events.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct AuditEventOrder {
    pub field: AuditEventOrderField,
    pub direction: OrderDirection,
}

impl AuditEventOrder {
    /// The query's order; newest first when none is given.
    #[must_use]
    pub fn of(order: Option<Self>) -> Order {
        let Some(Self { field: AuditEventOrderField::Position, direction }) = order else {
            return Order::NewestFirst;
        };
        match direction {
            OrderDirection::Asc => Order::OldestFirst,
            OrderDirection::Desc => Order::NewestFirst,
        }
    }
}
