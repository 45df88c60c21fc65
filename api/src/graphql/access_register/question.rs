//! From arguments to a question about a moment. Invariant: a moment before the tenant's records is
//! refused, since no rows there would read as "nobody".

use async_graphql::{Context, ID, Result};
use chrono::{DateTime as Instant, Utc};
use rollcall_domain::{
    Code, Refusal,
    api_keys::Scope,
    kernel::ids::{OrganizationId, UserId},
    values::Npi,
};
use rollcall_projections::{
    Snapshot,
    access_register::{self, InForce, Moment, Question, Span, Window},
    access_reviews, affiliations,
    audit_timeline::{self, Viewer},
    right_use, sessions,
};

use super::types::AccessRight;
use crate::graphql::{
    audit::viewer::{self, Looking},
    errors::{fault, top_level},
    ids::NodeType,
    reading::Reading,
    scalars::{DateTime, NpiScalar, Position},
};

/// What was asked, parsed.
pub(super) struct Asked {
    pub as_of: Option<Instant<Utc>>,
    pub as_of_position: Option<i64>,
    pub npi: Option<Npi>,
    pub user: Option<UserId>,
    pub organization: Option<OrganizationId>,
    pub right: Option<AccessRight>,
}

impl Asked {
    pub fn parse(
        as_of: Option<DateTime>,
        as_of_position: Option<Position>,
        npi: Option<NpiScalar>,
        user: Option<&ID>,
        organization: Option<&ID>,
        right: Option<AccessRight>,
    ) -> Result<Self, Refusal> {
        let npi =
            npi.map(|npi| Npi::parse(&npi.0).map_err(|invalid| Refusal::from(invalid).at("npi")));
        let organization =
            organization.map(|id| NodeType::Organization.parse(id, "organizationId"));
        Ok(Self {
            as_of: as_of.map(|at| at.parse("asOf")).transpose()?,
            as_of_position: as_of_position.map(|position| position.0),
            npi: npi.transpose()?,
            user: user.map(|id| NodeType::User.parse(id, "userId")).transpose()?,
            organization: organization.transpose()?,
            right,
        })
    }

    /// Opens the view as whoever asks: as administrator of the organisation asked about or signed in to;
    /// a question about oneself is asked for oneself.
    pub async fn reading<'a>(
        &self,
        ctx: &Context<'a>,
        min_position: Option<Position>,
    ) -> Result<(Looking, Reading<'a>)> {
        let caller = viewer::caller(ctx)?;
        let about_oneself = self.user.is_some() && self.user == caller.user();
        let signed_in_to = caller.organization().filter(|_| !about_oneself);
        let organization = self.organization.or(signed_in_to);
        viewer::reading(ctx, organization, Scope::ReadAccess, min_position).await
    }

    /// The question as far as the viewer may ask it.
    pub fn within(&self, looking: &Looking) -> Result<Question, Refusal> {
        let (mut user, mut organization) = (self.user, self.organization);
        match looking.viewer {
            Viewer::Auditor
            | Viewer::PlanAdministrator
            | Viewer::RecordsOfficer
            | Viewer::PlanSupport => {}
            Viewer::OrgAdmin { organization: own, .. } | Viewer::OrganizationKey(own) => {
                organization = Some(own);
            }
            Viewer::Person(own) if user.is_none_or(|asked| asked == own) => user = Some(own),
            Viewer::Person(_) => {
                return Err(Refusal::new(
                    Code::NotOrgAdmin,
                    "Only administrators see the access of others. Ask about yourself.",
                )
                .at("userId"));
            }
        }
        Ok(Question {
            user: user.map(|id| id.0),
            organization: organization.map(|id| id.0),
            npi: self.npi.as_ref().map(ToString::to_string),
            right: self.right.map(Into::into),
            within: looking.within.clone(),
        })
    }

    /// The moment asked about: `asOf` as known now, `asOfPosition` as true and known then, both
    /// together as true at the one and known at the other, neither now.
    pub async fn moment(&self, view: &mut Snapshot, now: Instant<Utc>) -> Result<Moment> {
        let records = Records::read(view, self.as_of_position).await?;
        let true_at = self.as_of.unwrap_or(records.last(now));
        records.begun_at(true_at, "asOf")?;
        Ok(Moment { true_at, known_at: records.known_at })
    }

    /// The time from `from` to `asOf`, or to where [`Self::moment`] would be without it.
    pub async fn span(
        &self,
        from: Instant<Utc>,
        view: &mut Snapshot,
        now: Instant<Utc>,
    ) -> Result<Span> {
        let records = Records::read(view, self.as_of_position).await?;
        let to = self.as_of.unwrap_or(records.last(now));
        if to < from {
            let message = "Give a beginning of the range that does not lie after its end.";
            return Err(top_level(Refusal::new(Code::RangeInvalid, message).at("from")));
        }
        records.begun_at(from, "from")?;
        Ok(Span { from, to, known_at: records.known_at })
    }

    /// The time asked about, as known now or at the position; what was enforced is known up to then.
    pub async fn window(
        &self,
        (from, to): (Option<Instant<Utc>>, Option<Instant<Utc>>),
        view: &mut Snapshot,
        now: Instant<Utc>,
    ) -> Result<Window> {
        let records = Records::read(view, self.as_of_position).await?;
        if let Some(from) = from {
            records.begun_at(from, "during.from")?;
        }
        if let Some(to) = to {
            records.begun_at(to, "during.to")?;
        }
        Ok(Window { from, to, known_at: records.known_at, now: records.last(now) })
    }

    /// The time for which a rule is taken to have been in force; it ends now at the latest.
    pub async fn in_force(
        &self,
        (from, to): (Instant<Utc>, Option<Instant<Utc>>),
        view: &mut Snapshot,
        now: Instant<Utc>,
    ) -> Result<InForce> {
        let records = Records::read(view, self.as_of_position).await?;
        records.begun_at(from, "from")?;
        let now = records.last(now);
        let to = to.map_or(now, |to| to.min(now));
        if to <= from {
            let message = "Give a time that begins before it ends, and before now.";
            return Err(top_level(Refusal::new(Code::RangeInvalid, message).at("from")));
        }
        Ok(InForce { from, to, known_at: records.known_at, now })
    }
}

/// The projections whose tables answer questions about access, reports included. Each follows the log
/// for itself; what all of them hold is on record.
const READ: [&str; 6] = [
    access_register::NAME,
    access_reviews::NAME,
    audit_timeline::NAME,
    affiliations::NAME,
    right_use::NAME,
    sessions::NAME,
];

/// What is on record at the position asked about.
pub struct Records {
    beginning: Instant<Utc>,
    /// When the position was recorded.
    recorded: Instant<Utc>,
    /// Whether the position was named, or the answer is pinned to it.
    is_past: bool,
    known_at: i64,
    held: i64,
}

impl Records {
    /// Looks it up; without a position, at the one that the view holds.
    ///
    /// # Errors
    /// RANGE_INVALID for a position to come, BEFORE_RECORDS where there is none yet.
    pub async fn read(view: &mut Snapshot, as_of_position: Option<i64>) -> Result<Self> {
        let held = READ.iter().map(|name| view.position_of(name)).min().unwrap_or(0);
        let held = view.pinned().map_or(held, |pin| pin.position);
        let known_at = as_of_position.unwrap_or(held);
        if known_at > held {
            return Err(top_level(beyond(held)));
        }
        let recorded = access_register::recorded_at(view, known_at).await;
        let recorded = recorded.map_err(|error| fault(&error))?;
        let beginning = access_register::recorded_at(view, 1).await;
        let beginning = beginning.map_err(|error| fault(&error))?;
        let (Some(recorded), Some(beginning)) = (recorded, beginning) else {
            return Err(top_level(before_records(beginning, held).at("asOf")));
        };
        let is_past = as_of_position.is_some() || view.pinned().is_some();
        Ok(Self { beginning, recorded, is_past, known_at, held })
    }

    /// The position.
    #[must_use]
    pub const fn known_at(&self) -> i64 {
        self.known_at
    }

    /// When the records begin.
    #[must_use]
    pub const fn beginning(&self) -> Instant<Utc> {
        self.beginning
    }

    /// When the position was recorded, or now where none was named. Many events of one microsecond are
    /// recorded one after another: what is on record is never later than now.
    pub fn last(&self, now: Instant<Utc>) -> Instant<Utc> {
        if self.is_past { self.recorded } else { self.recorded.max(now) }
    }

    /// Refuses a moment before the records.
    ///
    /// # Errors
    /// BEFORE_RECORDS at the field.
    pub fn begun_at(&self, moment: Instant<Utc>, field: &str) -> Result<()> {
        if moment < self.beginning {
            return Err(top_level(before_records(Some(self.beginning), self.held).at(field)));
        }
        Ok(())
    }
}

fn before_records(beginning: Option<Instant<Utc>>, held: i64) -> Refusal {
    let since = match beginning {
        Some(at) => format!("The records begin at {}.", DateTime::from(at).0),
        None => "There are no records yet.".to_owned(),
    };
    let message = format!(
        "{since} Nothing is known of who had access before; that is not the same as nobody. \
         This holds for position {held}."
    );
    Refusal::new(Code::BeforeRecords, message)
}

fn beyond(held: i64) -> Refusal {
    let message = format!("Ask for a position up to {held}; nothing was recorded after it.");
    Refusal::new(Code::RangeInvalid, message).at("asOfPosition")
}
