//! `eventAppended`: first what was, then what comes, without a gap between the two.
//!
//! Invariant: the cursor moves only over positions that were read from one view; rights are judged
//! anew at every look, so a right that is revoked ends the stream within seconds (GN-11).

use std::collections::VecDeque;

use async_graphql::{Context, Result, Subscription};
use futures_util::{Stream, stream};
use rollcall_commands::{Caller, Commands};
use rollcall_domain::api_keys::Scope;
use rollcall_projections::{
    Ask, NAMES, ReadError, ReadStore,
    audit_timeline::{self, Filter, Order, PageRequest},
};

use super::{
    input::{AuditEventFilter, may_ask, organization_of},
    types::AuditEvent,
    viewer,
};
use crate::graphql::{
    errors::{fault, top_level},
    reading::authorised,
    scalars::Position,
    tailing::Beat,
};

/// Events of one look.
const BATCH: i64 = 100;

/// What happens.
#[derive(Default)]
pub struct AuditSubscription;

#[Subscription]
impl AuditSubscription {
    /// Events that the subscriber may see, in order: those after `afterPosition`, or from now on if
    /// it is not given, then each as it is appended.
    async fn event_appended(
        &self,
        ctx: &Context<'_>,
        filter: Option<AuditEventFilter>,
        #[graphql(desc = "The last position seen; what came after it is replayed.")]
        after_position: Option<Position>,
    ) -> Result<impl Stream<Item = Result<AuditEvent>> + use<>> {
        let commands = ctx.data::<Commands>()?.clone();
        let caller = viewer::caller(ctx)?.clone();
        let filter = filter.unwrap_or_default().parse().map_err(top_level)?;
        let beat = Beat::of(&commands);
        let cursor = match after_position {
            Some(position) => position.0,
            None => commands
                .journal
                .tenant_position(caller.tenant)
                .await
                .map_err(|error| fault(&error))?,
        };
        let tail = Tail {
            commands,
            reads: ctx.data::<ReadStore>()?.clone(),
            caller,
            filter,
            cursor,
            beat,
            found: VecDeque::new(),
            noted: false,
            over: false,
        };
        Ok(stream::unfold(tail, Tail::next))
    }
}

struct Tail {
    commands: Commands,
    reads: ReadStore,
    caller: Caller,
    filter: Filter,
    /// Everything up to here was looked at.
    cursor: i64,
    beat: Beat,
    found: VecDeque<AuditEvent>,
    /// Whether the use of the right was noted: following is one use, however long it lasts (GN-16).
    noted: bool,
    over: bool,
}

impl Tail {
    async fn next(mut self) -> Option<(Result<AuditEvent>, Self)> {
        while !self.over {
            if let Some(event) = self.found.pop_front() {
                return Some((Ok(event), self));
            }
            self.beat.looking();
            match self.look().await {
                Ok(true) => {}
                Ok(false) => self.over = !self.beat.next().await,
                Err(error) => {
                    self.over = true;
                    return Some((Err(error), self));
                }
            }
        }
        None
    }

    /// Reads on from the cursor; `true` if it moved.
    async fn look(&mut self) -> Result<bool> {
        let tenant = self.caller.tenant;
        let head =
            self.commands.journal.tenant_position(tenant).await.map_err(|error| fault(&error))?;
        let organization = organization_of(&self.filter);
        let scope = Scope::ReadAudit;
        let right = viewer::choose(&self.commands, &self.caller, organization, scope).await?;
        let ask = Ask { tenant, projections: NAMES, min_position: Some(head) };
        let mut view = match self.reads.snapshot(ask).await {
            Ok(view) => view,
            // The projections are behind: the next look finds what they took in.
            Err(ReadError::Lagging(_)) => return Ok(false),
            Err(ReadError::Database(error)) => return Err(fault(&error)),
        };
        let demand = right.demand();
        let authority = authorised(&self.commands, &self.caller, demand, &mut view).await?;
        let looking = right.looking(&authority)?;
        may_ask(&self.filter, &looking.sight, false).map_err(top_level)?;
        if !self.noted {
            self.commands.note_question(tenant, "eventAppended", &authority, Vec::new()).await;
            self.noted = true;
        }
        let reached = view.position_of(audit_timeline::NAME);
        if reached <= self.cursor {
            return Ok(false);
        }
        let request =
            PageRequest { order: Order::OldestFirst, after: Some(self.cursor), limit: BATCH };
        let filter = Filter { up_to: Some(reached), ..self.filter.clone() };
        let entries = audit_timeline::page(&mut view, &looking.sight, &filter, request)
            .await
            .map_err(|error| fault(&error))?;
        self.cursor = match entries.last() {
            Some(last) if entries.len() as i64 == BATCH => last.position,
            Some(_) | None => reached,
        };
        self.found.extend(entries.into_iter().map(AuditEvent::from));
        Ok(true)
    }
}
