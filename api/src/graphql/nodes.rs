//! `node(id)` and `nodes(ids)`: any object by its global id (Relay).
//!
//! Invariant: another tenant's id, one that never was and one the caller may not see all answer
//! null; each type is looked up once however many ids of it there are, under the right of the
//! query that lists it.

use std::collections::HashMap;

use async_graphql::{Context, ID, Interface, Object, Result};
use rollcall_domain::{Code, Refusal};
use uuid::Uuid;

use super::{
    access_requests::{self, AccessRequest},
    access_reviews::{self, AccessReview, campaigns::ReviewCampaign, templates::ReviewTemplate},
    affiliations::{self, Affiliation},
    api_keys::{self, ApiKey},
    audit::{self, AuditEvent},
    errors::top_level,
    ids::{NodeType, decode},
    imports::{self, PeopleImport},
    notifications::{self, Notification},
    organizations::{
        self, Organization, RegistrationToken, account_requests::AccountRequest,
        registrations::Registration,
    },
    paging::MAX_PAGE,
    pins::{self, Pin},
    policies::{self, Agreement},
    reading::caller,
    sessions::{self, Session},
    tenants::{self, PlanStaff, Tenant},
    user_directory::{self, User},
    users::invitations::Invitation,
};

/// An object with a global id.
#[derive(Clone, Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "The global id."))]
pub enum Node {
    AccountRequest(Box<AccountRequest>),
    ApiKey(Box<ApiKey>),
    AccessRequest(Box<AccessRequest>),
    AccessReview(Box<AccessReview>),
    Affiliation(Box<Affiliation>),
    Agreement(Box<Agreement>),
    AuditEvent(Box<AuditEvent>),
    Invitation(Box<Invitation>),
    Notification(Box<Notification>),
    Organization(Box<Organization>),
    PeopleImport(Box<PeopleImport>),
    Pin(Box<Pin>),
    PlanStaff(Box<PlanStaff>),
    Registration(Box<Registration>),
    RegistrationToken(Box<RegistrationToken>),
    ReviewCampaign(Box<ReviewCampaign>),
    ReviewTemplate(Box<ReviewTemplate>),
    Session(Box<Session>),
    Tenant(Box<Tenant>),
    User(Box<User>),
}

/// Objects by id.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object of this id; null where there is none for the caller. A person is shown in the
    /// organisation the session acts for, to plan staff in the one that lists them.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        Ok(find(ctx, &[id]).await?.pop().flatten())
    }

    /// The objects of these ids, at most 100, in their order, each null where there is none for the
    /// caller.
    #[graphql(complexity = "ids.len() * child_complexity + 1")]
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        if i32::try_from(ids.len()).is_ok_and(|count| count <= MAX_PAGE) {
            return find(ctx, &ids).await;
        }
        let message = format!("Ask for {MAX_PAGE} objects at a time at most.");
        Err(top_level(Refusal::new(Code::PageSizeExceeded, message).at("ids")))
    }
}

async fn find(ctx: &Context<'_>, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    caller(ctx)?;
    let wanted: Vec<Option<(NodeType, Uuid)>> = ids.iter().map(decode).collect();
    let mut found = HashMap::new();
    for kind in NodeType::ALL {
        let of_kind = wanted.iter().flatten().filter(|(of, _)| *of == kind);
        let ids: Vec<Uuid> = of_kind.map(|(_, id)| *id).collect();
        if !ids.is_empty() {
            let nodes = Box::pin(of_type(ctx, kind, &ids)).await?;
            found.extend(nodes.into_iter().map(|(id, node)| ((kind, id), node)));
        }
    }
    Ok(wanted.into_iter().map(|wanted| found.get(&wanted?).cloned()).collect())
}

async fn of_type(ctx: &Context<'_>, kind: NodeType, ids: &[Uuid]) -> Result<Vec<(Uuid, Node)>> {
    Ok(match kind {
        NodeType::Tenant => each(tenants::nodes::tenants(ctx, ids).await?, Node::Tenant),
        NodeType::PlanStaff => each(tenants::nodes::plan_staff(ctx, ids).await?, Node::PlanStaff),
        NodeType::Agreement => each(policies::nodes::agreements(ctx, ids).await?, Node::Agreement),
        NodeType::Organization => {
            each(organizations::nodes::organizations(ctx, ids).await?, Node::Organization)
        }
        NodeType::RegistrationToken => {
            let found = organizations::nodes::registration_tokens(ctx, ids).await?;
            each(found, Node::RegistrationToken)
        }
        NodeType::Registration => {
            each(organizations::nodes::registrations(ctx, ids).await?, Node::Registration)
        }
        NodeType::User => each(user_directory::nodes::users(ctx, ids).await?, Node::User),
        NodeType::Invitation => {
            each(user_directory::nodes::invitations(ctx, ids).await?, Node::Invitation)
        }
        NodeType::Session => each(sessions::nodes::sessions(ctx, ids).await?, Node::Session),
        NodeType::Pin => each(pins::nodes::pins(ctx, ids).await?, Node::Pin),
        NodeType::Affiliation => {
            each(affiliations::nodes::affiliations(ctx, ids).await?, Node::Affiliation)
        }
        NodeType::AccessRequest => {
            each(access_requests::nodes::access_requests(ctx, ids).await?, Node::AccessRequest)
        }
        NodeType::AccessReview => {
            each(access_reviews::nodes::access_reviews(ctx, ids).await?, Node::AccessReview)
        }
        NodeType::ReviewCampaign => {
            let found = access_reviews::campaigns::nodes::review_campaigns(ctx, ids).await?;
            each(found, Node::ReviewCampaign)
        }
        NodeType::ReviewTemplate => {
            let found = access_reviews::templates::review_templates(ctx, ids).await?;
            each(found, Node::ReviewTemplate)
        }
        NodeType::Notification => {
            each(notifications::nodes::notifications(ctx, ids).await?, Node::Notification)
        }
        NodeType::AccountRequest => {
            each(organizations::account_requests::by_ids(ctx, ids).await?, Node::AccountRequest)
        }
        NodeType::PeopleImport => each(imports::by_ids(ctx, ids).await?, Node::PeopleImport),
        NodeType::ApiKey => each(api_keys::by_ids(ctx, ids).await?, Node::ApiKey),
        NodeType::AuditEvent => each(audit::nodes::by_ids(ctx, ids).await?, Node::AuditEvent),
    })
}

fn each<T>(found: HashMap<Uuid, T>, node: fn(Box<T>) -> Node) -> Vec<(Uuid, Node)> {
    found.into_iter().map(|(id, object)| (id, node(Box::new(object)))).collect()
}
