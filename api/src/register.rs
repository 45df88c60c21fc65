//! The access register, as reviews of access ask it whether what they took away is gone (GN-15).
//!
//! Invariant: it is asked as everybody asks it, in a view that has come to the place asked for.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use rollcall_commands::access_reviews::{Register, RegisterQuestion, Registered};
use rollcall_domain::kernel::ids::UserId;
use rollcall_projections::{
    Ask, ReadStore,
    access_register::{self, Moment, Standing},
};

/// Nobody waits for what is looked up in the background, but what is due next.
const PATIENCE: Duration = Duration::from_secs(20);

/// Answers from views.
pub struct RegisterOfViews(pub ReadStore);

#[async_trait]
impl Register for RegisterOfViews {
    async fn registered(&self, question: RegisterQuestion) -> BTreeMap<UserId, Registered> {
        let RegisterQuestion { tenant, organization, users, at, position } = question;
        let projections = &[access_register::NAME];
        if self.0.progress().wait(projections, tenant, position, PATIENCE).await.is_err() {
            return BTreeMap::new();
        }
        let ask = Ask { tenant, projections, min_position: Some(position) };
        let Ok(mut view) = self.0.snapshot(ask).await else { return BTreeMap::new() };
        let moment = Moment { true_at: at, known_at: view.position_of(access_register::NAME) };
        let users: Vec<UserId> = users.into_iter().collect();
        let said = access_register::standings(&mut view, moment, (&users, organization)).await;
        let said = said.inspect_err(|error| tracing::error!(%error)).unwrap_or_default();
        let registered = |Standing { has_access, role }: Standing| Registered { has_access, role };
        said.into_iter().map(|(user, standing)| (user, registered(standing))).collect()
    }
}
