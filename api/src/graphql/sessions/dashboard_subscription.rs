//! `dashboardChanged`: the home page as it is, and again whenever it is another one (GN-28).
//!
//! Invariant: rights are judged anew at every look, for the organisation that the session acts for
//! then; the stream ends within seconds of the session. What other tenants do makes nobody look.

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, stream};
use rollcall_commands::{Access, Caller, Commands};
use rollcall_projections::{Ask, NAMES, ReadError, ReadStore};

use super::dashboard::Dashboard;
use crate::graphql::{
    errors::{fault, top_level},
    reading::{authorised, caller, refused},
    tailing::Beat,
};

/// The home page, as it changes.
#[derive(Default)]
pub struct DashboardSubscription;

#[Subscription]
impl DashboardSubscription {
    /// The signed-in person's home page: as it is now, then whenever a tile comes or goes or a count
    /// changes. It ends with the session.
    async fn dashboard_changed(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<Dashboard>> + use<>> {
        let commands = ctx.data::<Commands>()?.clone();
        let watched = Watched {
            beat: Beat::of(&commands),
            commands,
            reads: ctx.data::<ReadStore>()?.clone(),
            caller: caller(ctx)?.clone(),
            looked_at: None,
            shown: None,
            over: false,
        };
        Ok(stream::unfold(watched, Watched::next))
    }
}

struct Watched {
    commands: Commands,
    reads: ReadStore,
    caller: Caller,
    beat: Beat,
    /// The tenant's position at the last look.
    looked_at: Option<i64>,
    /// What the subscriber saw last.
    shown: Option<Dashboard>,
    over: bool,
}

impl Watched {
    async fn next(mut self) -> Option<(Result<Dashboard>, Self)> {
        while !self.over {
            match self.look().await {
                Ok(Some(dashboard)) if self.shown.as_ref() != Some(&dashboard) => {
                    self.shown = Some(dashboard.clone());
                    return Some((Ok(dashboard), self));
                }
                Ok(_) => self.over = !self.beat.next().await,
                Err(error) => {
                    self.over = true;
                    return Some((Err(error), self));
                }
            }
        }
        None
    }

    /// The home page now; `None` where there is nothing to look at and while the projections are
    /// behind.
    async fn look(&mut self) -> Result<Option<Dashboard>> {
        let tenant = self.caller.tenant;
        self.beat.listening();
        let head =
            self.commands.journal.tenant_position(tenant).await.map_err(|error| fault(&error))?;
        if self.looked_at == Some(head) && !self.beat.is_due() {
            return Ok(None);
        }
        self.beat.looks();
        let ask = Ask { tenant, projections: NAMES, min_position: Some(head) };
        let mut view = match self.reads.snapshot(ask).await {
            Ok(view) => view,
            Err(ReadError::Lagging(_)) => return Ok(None),
            Err(ReadError::Database(error)) => return Err(fault(&error)),
        };
        self.looked_at = Some(head);
        let caller = self.commands.caller_now(&self.caller).await.map_err(refused)?;
        let access = Access::SignedIn;
        let authority = authorised(&self.commands, &caller, access, &mut view).await?;
        let user = authority.person().map_err(top_level)?;
        Dashboard::of((&self.commands, &caller), &mut view, user).await.map(Some)
    }
}
