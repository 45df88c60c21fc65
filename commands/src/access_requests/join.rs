//! `RequestToJoin`: somebody without an account asks the administrators of their organisation for one,
//! and what these make of it (CC-11).
//!
//! Invariant: the visitor is answered the same, at the same time, whether or not the organisation or
//! the address is known and whether or not the same waits already (GN-09); both roads lead through an
//! append, and no mail leaves before an administrator decides.

use async_trait::async_trait;
use chrono::TimeDelta;
use rollcall_domain::{
    Decider, Refusal,
    access_requests::{JoinRequest, JoinRequestCommand, JoinWish, Side},
    hex,
    kernel::ids::{AccessRequestId, InvitationId, OrganizationId},
    organizations::{OrgRole, Organization, OrganizationCommand, organization::RosterCommand},
    policies::Feature,
    values::{EmailAddress, Npi, OrganizationName},
};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::Decision;
use crate::{
    Access, Command, Context, Failure,
    organizations::NPI,
    rate_limit::Limit,
    sessions::limits,
    users::{
        invitation::{NewPerson, person_of, send},
        links, user_of,
    },
};

// Chosen here: an office asks from one address, a person a few times, an organisation hears of its
// new people in a day and not of a flood.
const BY_ADDRESS: Limit =
    Limit { name: "request_to_join.address", tries: 20, window: TimeDelta::hours(1) };
const BY_EMAIL: Limit =
    Limit { name: "request_to_join.email", tries: 5, window: TimeDelta::days(1) };
const BY_ORGANIZATION: Limit =
    Limit { name: "request_to_join.organization", tries: 50, window: TimeDelta::days(1) };

/// Organisations that somebody named by their address may have been in: reading them is a visitor's
/// to cause.
const MOST_PLACES: usize = 100;
/// Requests of one address to one organisation, each decided or run out before the next.
const MOST_REQUESTS: u32 = 100;

/// By what a colleague knows the organisation.
#[derive(Clone, Debug)]
pub enum Named {
    /// An NPI that it holds.
    Npi(Npi),
    /// The address of one of its administrators, with the organisation's name where that person
    /// administers several.
    Administrator { email: EmailAddress, organization: Option<OrganizationName> },
}

impl Named {
    fn key(&self) -> String {
        match self {
            Self::Npi(npi) => npi.to_string(),
            Self::Administrator { email, .. } => email.key(),
        }
    }
}

/// Asks to join.
pub struct RequestToJoin {
    named: Named,
    wish: JoinWish,
    /// A try counts once, however often it is decided.
    counted: OnceCell<()>,
}

impl RequestToJoin {
    #[must_use]
    pub fn new(named: Named, wish: JoinWish) -> Self {
        Self { named, wish, counted: OnceCell::new() }
    }

    async fn count(&self, cx: &Context<'_>) -> Result<(), Failure> {
        let count = async || {
            limits::count_address(cx, BY_ADDRESS).await?;
            limits::count(cx, BY_EMAIL, &self.wish.email.key()).await?;
            limits::count(cx, BY_ORGANIZATION, &self.named.key()).await
        };
        self.counted.get_or_try_init(count).await.copied()
    }

    /// The organisation meant, if it is one that takes people in.
    async fn organization(&self, cx: &mut Context<'_>) -> Result<Option<OrganizationId>, Failure> {
        match &self.named {
            Named::Npi(npi) => {
                let holder = cx.journal().owner_of(cx.tenant(), NPI, npi.as_str()).await?;
                // An id that no organisation has costs the same load.
                let id = OrganizationId(holder.unwrap_or(cx.tenant().0));
                let organization = cx.load::<Organization>(id).await?;
                Ok(takes_people(&organization, cx).then_some(id))
            }
            Named::Administrator { email, organization } => {
                administered(cx, email, organization.as_ref()).await
            }
        }
    }
}

#[async_trait]
impl Command for RequestToJoin {
    const NAME: &'static str = "RequestToJoin";
    const FOR_VISITORS: bool = true;
    const ANSWERS_ON_THE_BEAT: bool = true;
    const FEATURE: Option<Feature> = Some(Feature::AccessRequests);
    type Output = ();

    fn access(&self) -> Access {
        Access::Public
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        self.count(cx).await?;
        let free = match self.organization(cx).await? {
            Some(organization) => {
                let request = free_stream(cx, organization, &self.wish.email).await?;
                request.map(|request| (organization, request))
            }
            None => None,
        };
        let Some((organization, request)) = free else {
            links::decoy(cx);
            return Ok(());
        };
        let is_adminless = cx.load::<Organization>(organization).await?.is_adminless(cx.now);
        let wish = Box::new(self.wish.clone());
        let ask = JoinRequestCommand::Ask { request, organization, wish, is_adminless };
        cx.decide::<JoinRequest>(request, ask).await?;
        Ok(())
    }
}

fn takes_people(organization: &Organization, cx: &Context<'_>) -> bool {
    organization.is_active() && organization.check_contract(&cx.policy, cx.now).is_ok()
}

/// The organisation that the person with this address administers; of several the one of that name.
/// Who has been in more than [`MOST_PLACES`] names none.
async fn administered(
    cx: &mut Context<'_>,
    email: &EmailAddress,
    name: Option<&OrganizationName>,
) -> Result<Option<OrganizationId>, Failure> {
    let Some(user) = user_of(cx, email).await? else { return Ok(None) };
    let places = cx.journal().streams_about(cx.tenant(), user, Organization::TYPE).await?;
    if places.len() > MOST_PLACES {
        return Ok(None);
    }
    let rosters = cx.load_all::<Organization>(&places).await?;
    let is_meant = |organization: &Organization| {
        let Some(record) = organization.record() else { return false };
        let own = record.name.as_str().to_lowercase();
        name.is_none_or(|name| name.as_str().to_lowercase() == own)
            && organization.role_of(user, cx.now) == OrgRole::Admin
            && takes_people(organization, cx)
    };
    let meant = places.into_iter().zip(rosters).filter(|(_, it)| is_meant(it));
    let meant: Vec<_> = meant.map(|(id, _)| OrganizationId(id)).collect();
    Ok(match meant[..] {
        [only] => Some(only),
        [] | [_, _, ..] => None,
    })
}

/// Where a request of this address to the organisation is recorded; `None` while one waits, and after
/// [`MOST_REQUESTS`]. The stream follows from both, so that of two at once one finds the other.
async fn free_stream(
    cx: &mut Context<'_>,
    organization: OrganizationId,
    email: &EmailAddress,
) -> Result<Option<AccessRequestId>, Failure> {
    let tenant = cx.tenant();
    let hash = cx.journal().secrets().lookup_key(tenant, "request_to_join", &email.key());
    let stream = |n| tenant.join_request_stream(organization, &hex(&hash), n);
    let streams: Vec<Uuid> = (0..MOST_REQUESTS).map(stream).collect();
    let made = cx.journal().begun(tenant, JoinRequest::TYPE, &streams).await?;
    // One is made when the one before is closed, so that only the newest may wait.
    let newest = streams.iter().take_while(|it| made.contains(it)).count().saturating_sub(1);
    for request in streams.into_iter().skip(newest).map(AccessRequestId) {
        match &*cx.load::<JoinRequest>(request).await? {
            JoinRequest::NotMade => return Ok(Some(request)),
            JoinRequest::Open(joining) if cx.now < joining.expires_at => return Ok(None),
            // Run out unnoticed: that is closed on record first.
            JoinRequest::Open(_) => {
                cx.decide::<JoinRequest>(request, JoinRequestCommand::Expire).await?;
            }
            JoinRequest::Closed(_) => {}
        }
    }
    Ok(None)
}

/// The answer to a request to join; a yes invites the person in the same append.
pub(super) async fn decide(
    cx: &mut Context<'_>,
    (request, organization): (AccessRequestId, OrganizationId),
    decision: &Decision,
) -> Result<(), Failure> {
    let roster = cx.load::<Organization>(organization).await?;
    let side = match cx.authority.acts_for_plan() {
        true => Side::Plan { is_adminless: roster.is_adminless(cx.now) },
        false => Side::Administrator,
    };
    match decision {
        Decision::Deny { reason } => {
            let deny = JoinRequestCommand::Deny { side, reason: reason.clone() };
            cx.decide::<JoinRequest>(request, deny).await?;
        }
        Decision::Approve { note } => {
            let person = person(cx, request).await?;
            let invitation = InvitationId(Uuid::new_v4());
            let user = person_of(cx, &person.email).await?;
            let note = note.clone();
            let approve = JoinRequestCommand::Approve { side, user, invitation, note };
            cx.decide::<JoinRequest>(request, approve).await?;
            let email_domain = person.email.domain().to_owned();
            let invite = RosterCommand::InviteMember { user, invitation, email_domain };
            cx.decide::<Organization>(organization, OrganizationCommand::from(invite)).await?;
            send(cx, invitation, user, Some(organization), person).await?;
        }
    }
    Ok(())
}

/// Whom to invite; somebody erased cannot be.
async fn person(cx: &mut Context<'_>, request: AccessRequestId) -> Result<NewPerson, Failure> {
    let state = cx.load::<JoinRequest>(request).await?;
    let visitor = &state.pending(cx.now).map_err(Refusal::from)?.visitor;
    let erased = || Refusal::not_found("accessRequestId");
    Ok(NewPerson {
        email: visitor.email.get().ok_or_else(erased)?.clone(),
        first_name: visitor.first_name.get().ok_or_else(erased)?.clone(),
        last_name: visitor.last_name.get().ok_or_else(erased)?.clone(),
        mobile: visitor.phone.get().ok_or_else(erased)?.clone(),
        business_phone: None,
    })
}
