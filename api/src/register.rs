//! The access register, as reviews of access ask it whether what they took away is gone (GN-15).
//!
//! Invariant: it is asked as everybody asks it, in a view that has come to the place asked for.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use rollcall_commands::access_reviews::{Register, RegisterQuestion, Registered};
use rollcall_domain::kernel::ids::UserId;
use rollcall_projections::{
    Ask, ReadStore,
    access_register::{self, Moment},
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
        let mut said = BTreeMap::new();
        if self.0.progress().wait(projections, tenant, position, PATIENCE).await.is_err() {
            return said;
        }
        let ask = Ask { tenant, projections, min_position: Some(position) };
        let Ok(mut view) = self.0.snapshot(ask).await else { return said };
        let moment = Moment { true_at: at, known_at: view.position_of(access_register::NAME) };
        for user in users {
            let of = (user, organization);
            match access_register::standing(&mut view, moment, of).await {
                Ok((has_access, role)) => said.insert(user, Registered { has_access, role }),
                Err(error) => {
                    tracing::error!(%error, "the access register does not answer");
                    break;
                }
            };
        }
        said
    }
}
