//! `acceptances`: which agreements somebody accepted (MC-06, MC-18).

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use rollcall_domain::values;
use rollcall_projections::acceptances::{self as rows, AcceptanceRow};

use crate::graphql::{
    about::about,
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows, connection},
    scalars::{DateTime, Position},
    vocabulary::AgreementKind,
};

/// In which course an agreement was accepted.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_projections::acceptances::Occasion")]
pub enum AcceptanceOccasion {
    /// Registering an organisation.
    Registration,
    /// Following an invitation.
    Invitation,
    /// Signed in, of one's own accord.
    Account,
}

/// An agreement accepted with every box ticked.
#[derive(Clone, Debug, SimpleObject)]
pub struct Acceptance {
    pub kind: AgreementKind,
    /// The version accepted; its text is in `agreementHistory`.
    pub version: String,
    /// Keys of the boxes ticked.
    pub boxes: Vec<String>,
    pub accepted_at: DateTime,
    pub occasion: AcceptanceOccasion,
    /// The organisation it was accepted for; absent for plan roles and of one's own accord.
    pub organization_id: Option<ID>,
    /// The tenant position of the event behind it.
    pub position: Position,
}

connection!(AcceptanceConnection, AcceptanceEdge, Acceptance);

/// Questions about acceptances.
#[derive(Default)]
pub struct AcceptanceQuery;

#[Object]
impl AcceptanceQuery {
    /// Agreements a person accepted, newest first: all of one's own and, for plan staff, anybody's;
    /// an administrator sees what members accepted for the organisation acted for (MC-06, MC-18).
    async fn acceptances(
        &self,
        ctx: &Context<'_>,
        user_id: ID,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<AcceptanceConnection> {
        let page = Page::<i64>::new(first, after).map_err(top_level)?;
        let mut about = about(ctx, &user_id, min_position).await?;
        let (user, of) = (about.user, about.as_administrator_of());
        let view = &mut about.reading.view;
        let found = rows::acceptances(view, user, of, (page.first, page.after)).await;
        let found = found.map_err(|error| fault(&error))?;
        let total = match ctx.look_ahead().field("totalCount").exists() {
            true => Some(rows::count_acceptances(view, user, of).await.map_err(|e| fault(&e))?),
            false => None,
        };
        let rows = found.into_iter().filter_map(|row| Some((row.position, acceptance(row)?)));
        Ok(AcceptanceConnection::of(&page, Rows { rows: rows.collect(), total }))
    }
}

fn acceptance(row: AcceptanceRow) -> Option<Acceptance> {
    Some(Acceptance {
        kind: values::AgreementKind::parse(&row.kind)?.into(),
        version: row.version,
        boxes: row.boxes,
        accepted_at: row.accepted_at.into(),
        occasion: row.occasion.into(),
        organization_id: row.organization_id.map(|id| NodeType::Organization.id(id)),
        position: Position(row.position),
    })
}
