//! The last use of rights, read for a whole page at once (GN-16).
//!
//! Invariant: as of the moment that the page holds for, by days of the tenant.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use chrono::{DateTime, NaiveDate, Utc};
use rollcall_commands::Commands;
use rollcall_domain::{
    kernel::ids::{OrganizationId, UserId},
    permissions::{
        Right,
        right_use::{RightKind, UsedRight},
    },
    values::TenantZone,
};
use rollcall_projections::{
    Snapshot,
    access_register::{self, AccessRow, Moment, Question},
    right_use::{AsOf, Asked, Noting, last_uses},
};

use crate::graphql::{
    errors::fault,
    permissions::last_use::LastUse,
    reading::{policy, policy_at},
};

/// The last uses of a page's rights.
pub(super) struct Uses {
    days: HashMap<Asked, NaiveDate>,
    noting: Noting,
    zone: TenantZone,
}

impl Uses {
    pub(super) async fn of(
        ctx: &Context<'_>,
        view: &mut Snapshot,
        moment: Moment,
        rows: &[AccessRow],
    ) -> Result<Self> {
        let policy = match view.pinned() {
            Some(pin) => policy_at(ctx, pin.recorded_at).await?,
            None => policy(ctx).await?,
        };
        let zone = policy.time_zone();
        let as_of = AsOf { day: zone.local_date(moment.true_at), known_at: moment.known_at };
        let asked: Vec<Asked> = rows.iter().map(asked).collect();
        let days = last_uses(view, &asked, as_of).await.map_err(|error| fault(&error))?;
        let noting = Noting::read(view).await.map_err(|error| fault(&error))?;
        Ok(Self { days, noting, zone })
    }

    pub(super) fn last(&self, row: &AccessRow) -> LastUse {
        self.told(row.right, Some((&asked(row), row.valid_from)))
    }

    /// Of a right and since when it is held.
    fn told(&self, kind: RightKind, held: Option<(&Asked, DateTime<Utc>)>) -> LastUse {
        let used = held.and_then(|(asked, _)| self.days.get(asked)).copied();
        let watched = held.map(|(_, since)| self.noting.watched_since(kind.as_str(), since));
        LastUse::of(kind, used, watched, self.zone)
    }
}

/// A right by its words: kind, NPI, and what else it is of.
type Words = (RightKind, Option<String>, Option<String>);

/// The last uses of one person's rights in an organisation, now.
pub struct UsesOfPerson {
    uses: Uses,
    /// Since when each right is held, by its words.
    held: HashMap<Words, (Asked, DateTime<Utc>)>,
}

impl UsesOfPerson {
    /// Reads them in two statements.
    ///
    /// # Errors
    /// A fault.
    pub async fn read(
        ctx: &Context<'_>,
        view: &mut Snapshot,
        (organization, user): (OrganizationId, UserId),
    ) -> Result<Self> {
        let now = ctx.data::<Commands>()?.journal.now();
        let moment = Moment { true_at: now, known_at: view.position_of(access_register::NAME) };
        let question = Question {
            user: Some(user.0),
            organization: Some(organization.0),
            ..Question::default()
        };
        let rows = access_register::page(view, moment, &question, None, i64::MAX).await;
        let rows = rows.map_err(|error| fault(&error))?;
        let uses = Uses::of(ctx, view, moment, &rows).await?;
        let mut held = HashMap::new();
        for row in &rows {
            let asked = asked(row);
            let words = (row.right, asked.npi.clone(), asked.detail.clone());
            let since = held.entry(words).or_insert_with(|| (asked, row.valid_from));
            since.1 = since.1.min(row.valid_from);
        }
        Ok(Self { uses, held })
    }

    /// The last use of a right in force.
    #[must_use]
    pub fn last(&self, right: &Right) -> LastUse {
        let UsedRight { kind, npi, of } = UsedRight::of_right(right);
        let npi = npi.map(|npi| npi.to_string());
        let any = of.as_ref().map(|_| "*".to_owned());
        // Who may read all types holds one row for them.
        let held =
            self.held.get(&(kind, npi.clone(), of)).or_else(|| self.held.get(&(kind, npi, any)));
        self.uses.told(kind, held.map(|(asked, since)| (asked, *since)))
    }
}

fn asked(row: &AccessRow) -> Asked {
    let detail = match row.right {
        RightKind::ReadCorrespondence => row.correspondence_type.clone(),
        RightKind::UseFeature
        | RightKind::HoldJobRole
        | RightKind::ViewLocation
        | RightKind::ChooseLocation
        | RightKind::ReadTaxId
        | RightKind::PlanRole => Some(row.level.clone()),
        RightKind::ViewOrganization
        | RightKind::ManageUsers
        | RightKind::ViewNpi
        | RightKind::ManagePin
        | RightKind::SubmitTransactions => None,
    };
    Asked {
        user: row.user,
        organization: row.organization,
        kind: row.right.as_str(),
        npi: row.npi.clone(),
        detail,
    }
}
