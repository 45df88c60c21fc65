//! The home page (MC-37).

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Caller, Commands,
    sessions::{Home, Tile},
};
use rollcall_domain::{affiliations::Side, kernel::ids::UserId};
use rollcall_projections::{
    Snapshot,
    affiliations::{AffiliationFilter, Viewpoint, count_affiliations},
    notifications::unread_count,
};

use crate::graphql::{
    errors::{fault, top_level},
    reading::{caller, read, refused},
    scalars::Position,
};

/// A place to go from the home page.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
#[graphql(remote = "rollcall_commands::sessions::Tile")]
pub enum DashboardTileKind {
    /// The home page itself.
    MyDashboard,
    /// In-portal notices.
    Notifications,
    /// Users of the organisation and their permissions.
    Users,
    /// PINs of the NPIs that the person may view and reset.
    Pins,
    /// A provider's submitters (MC-12).
    SubmitterManagement,
    /// The providers a submitter submits for (MC-12).
    ProviderNetwork,
    /// Who had and has access to what.
    AccessRegister,
    /// What happened.
    AuditTrail,
    /// Organisations, their NPIs and registration tokens.
    Organizations,
    /// The health plan's own people.
    PlanStaff,
    /// The portal's parameters and agreements.
    Policy,
    /// The portals of this service.
    Tenants,
    /// The end of the session.
    SignOut,
}

/// A tile of the home page.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct DashboardTile {
    pub kind: DashboardTileKind,
    /// What waits there: unread notices, people invited who have not come yet, affiliations to
    /// decide; absent where nothing is counted.
    pub count: Option<i32>,
}

/// The home page.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub struct Dashboard {
    /// What the person's rights allow, in the order to show it.
    pub tiles: Vec<DashboardTile>,
}

/// The home page's question.
#[derive(Default)]
pub struct DashboardQuery;

#[Object]
impl DashboardQuery {
    /// The signed-in person's home page, for the organisation the session acts for.
    async fn dashboard(
        &self,
        ctx: &Context<'_>,
        min_position: Option<Position>,
    ) -> Result<Dashboard> {
        let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
        let mut reading = read(ctx, Access::SignedIn, min_position).await?;
        let user = reading.authority.person().map_err(top_level)?;
        Dashboard::of((commands, caller), &mut reading.view, user).await
    }
}

impl Dashboard {
    /// What the caller's home page shows in this view.
    ///
    /// # Errors
    /// A top-level error: who is calling, or a fault.
    pub(super) async fn of(
        (commands, caller): (&Commands, &Caller),
        view: &mut Snapshot,
        user: UserId,
    ) -> Result<Self> {
        let home = commands.home(caller).await.map_err(refused)?;
        let now = commands.journal.now();
        let waiting = Waiting::of(view, (user, now), &home).await;
        let waiting = waiting.map_err(|error| fault(&error))?;
        let tiles = home
            .tiles
            .iter()
            .map(|tile| {
                let kind = DashboardTileKind::from(*tile);
                DashboardTile { kind, count: waiting.at(kind) }
            })
            .collect();
        Ok(Self { tiles })
    }
}

/// What waits for somebody.
struct Waiting {
    unread: i64,
    /// Requests by submitters that the organisation as a provider decides; none is counted without
    /// the tile.
    from_submitters: Option<i64>,
    /// Requests by providers that it decides as a submitter.
    from_providers: Option<i64>,
    invited: i64,
}

impl Waiting {
    async fn of(
        view: &mut Snapshot,
        (user, now): (UserId, chrono::DateTime<chrono::Utc>),
        home: &Home,
    ) -> Result<Self, sqlx::Error> {
        let unread = unread_count(view, user, home.organization).await?;
        let provider = (Tile::SubmitterManagement, Side::Provider);
        let from_submitters = to_decide(view, now, home, provider).await?;
        let submitter = (Tile::ProviderNetwork, Side::Submitter);
        let from_providers = to_decide(view, now, home, submitter).await?;
        Ok(Self {
            unread,
            from_submitters,
            from_providers,
            invited: i64::try_from(home.invited).unwrap_or(i64::MAX),
        })
    }

    fn at(&self, kind: DashboardTileKind) -> Option<i32> {
        let count = match kind {
            DashboardTileKind::Notifications => Some(self.unread),
            DashboardTileKind::Users => Some(self.invited),
            DashboardTileKind::SubmitterManagement => self.from_submitters,
            DashboardTileKind::ProviderNetwork => self.from_providers,
            DashboardTileKind::MyDashboard
            | DashboardTileKind::Pins
            | DashboardTileKind::AccessRegister
            | DashboardTileKind::AuditTrail
            | DashboardTileKind::Organizations
            | DashboardTileKind::PlanStaff
            | DashboardTileKind::Policy
            | DashboardTileKind::Tenants
            | DashboardTileKind::SignOut => None,
        };
        count.map(|count| i32::try_from(count).unwrap_or(i32::MAX))
    }
}

/// How many requests wait for the organisation where it stands on this side.
async fn to_decide(
    view: &mut Snapshot,
    now: chrono::DateTime<chrono::Utc>,
    home: &Home,
    (tile, side): (Tile, Side),
) -> Result<Option<i64>, sqlx::Error> {
    let Some(organization) = home.organization.filter(|_| home.tiles.contains(&tile)) else {
        return Ok(None);
    };
    let all = AffiliationFilter::all(Viewpoint::Party(organization));
    let filter = AffiliationFilter { to_decide: true, side: Some(side), ..all };
    Ok(Some(count_affiliations(view, &filter, now).await?))
}
