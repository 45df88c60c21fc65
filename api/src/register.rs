//! The access register, as reviews of access ask it whether what they took away is gone (GN-15).
//!
//! Invariant: it is asked as everybody asks it, in a view that has come to the place asked for.

use async_trait::async_trait;
use rollcall_commands::access_reviews::{Register, RegisterQuestion, Registered};
use rollcall_projections::{
    Ask, ReadStore,
    access_register::{self, Moment},
};

/// Answers from views.
pub struct RegisterOfViews(pub ReadStore);

#[async_trait]
impl Register for RegisterOfViews {
    async fn registered(&self, question: RegisterQuestion) -> Option<Registered> {
        let RegisterQuestion { tenant, user, organization, at, position } = question;
        let ask =
            Ask { tenant, projections: &[access_register::NAME], min_position: Some(position) };
        let mut view = self.0.snapshot(ask).await.ok()?;
        let moment = Moment { true_at: at, known_at: view.position_of(access_register::NAME) };
        let found = access_register::standing(&mut view, moment, (user, organization)).await;
        let (has_access, role) = found.inspect_err(|error| tracing::error!(%error)).ok()?;
        Some(Registered { has_access, role })
    }
}
