//! What is chosen to be reviewed, as it comes in; of one review and of campaigns alike.

use async_graphql::{ID, InputObject};
use rollcall_domain::{Code, Refusal, access_reviews::ReviewScope, values::Npi};

use super::types::ReviewChoice;
use crate::graphql::{
    ids::NodeType,
    scalars::NpiScalar,
    vocabulary::{Feature, field},
};

/// What is chosen to be reviewed.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ReviewScopeInput {
    /// ROSTER if not given.
    scope: Option<ReviewChoice>,
    /// For DORMANT: 1 to 3650.
    dormant_days: Option<i32>,
    /// For NPI: one that the organization holds; any if not given.
    npi: Option<NpiScalar>,
    /// For FEATURE; any if not given.
    feature: Option<Feature>,
    /// For JOB_ROLE; any if not given.
    job_role_id: Option<ID>,
    /// For LOCATION: one of the organization's; any if not given.
    location_id: Option<ID>,
    /// For AFFILIATIONS: one in force in which the organization is the submitter; any if not given.
    affiliation_id: Option<ID>,
    /// For PEOPLE: 1 to 1000 active members.
    user_ids: Option<Vec<ID>>,
}

impl ReviewScopeInput {
    /// What is reviewed in each of many organisations.
    ///
    /// # Errors
    /// As [`ReviewScopeInput::parse`], and `FIELD_INVALID` for what is one organisation's.
    pub fn parse_for_many(&self) -> Result<ReviewScope, Refusal> {
        let of_one = |message: &str, field: &str| {
            Err(Refusal::new(Code::FieldInvalid, message.to_owned()).at(field))
        };
        if self.scope == Some(ReviewChoice::People) {
            let message = "A campaign reviews organizations. Open a review of these people where they \
                work instead.";
            return of_one(message, "scope");
        }
        if self.scope == Some(ReviewChoice::PlanStaff) {
            let message = "A campaign reviews organizations, and the plan's own people are none's. Open a \
                review of them by openReview instead.";
            return of_one(message, "scope");
        }
        if self.affiliation_id.is_some() {
            let message =
                "An affiliation is of one submitter. Leave it out, or open a review there.";
            return of_one(message, "affiliationId");
        }
        self.parse()
    }

    /// # Errors
    /// `FIELD_REQUIRED`, `NPI_INVALID` or `NOT_FOUND`.
    pub fn parse(&self) -> Result<ReviewScope, Refusal> {
        Ok(match (self.scope.unwrap_or_default(), self.dormant_days) {
            (ReviewChoice::Roster, _) => ReviewScope::Roster,
            (ReviewChoice::Administrators, _) => ReviewScope::Administrators,
            (ReviewChoice::Dormant, Some(days)) => {
                ReviewScope::Dormant { days: u32::try_from(days).unwrap_or(0) }
            }
            (ReviewChoice::Dormant, None) => {
                let message = "Enter for how many days nobody has signed in.";
                return Err(Refusal::new(Code::FieldRequired, message).at("dormantDays"));
            }
            (ReviewChoice::Rights, _) => ReviewScope::Rights,
            (ReviewChoice::Npi, _) => {
                let npi = self.npi.as_ref().map(|npi| Npi::parse(&npi.0));
                ReviewScope::Npi { npi: field("npi", npi.transpose())? }
            }
            (ReviewChoice::Feature, _) => {
                ReviewScope::Feature { feature: self.feature.map(Into::into) }
            }
            (ReviewChoice::JobRole, _) => {
                let role = self.job_role_id.as_ref();
                let role = role.map(|id| NodeType::parse_bare(id, "jobRoleId"));
                ReviewScope::JobRole { role: role.transpose()? }
            }
            (ReviewChoice::Location, _) => {
                let location = self.location_id.as_ref();
                let location = location.map(|id| NodeType::parse_bare(id, "locationId"));
                ReviewScope::Location { location: location.transpose()? }
            }
            (ReviewChoice::Affiliations, _) => {
                let id = self.affiliation_id.as_ref();
                let one = id.map(|id| NodeType::Affiliation.parse(id, "affiliationId"));
                ReviewScope::Affiliations { affiliation: one.transpose()? }
            }
            (ReviewChoice::People, _) => {
                let ids = self.user_ids.as_deref().unwrap_or_default().iter();
                let users = ids.map(|id| NodeType::User.parse(id, "userIds"));
                ReviewScope::People { users: users.collect::<Result<_, Refusal>>()? }
            }
            (ReviewChoice::ApiKeys, _) => ReviewScope::ApiKeys,
            (ReviewChoice::PlanStaff, _) => ReviewScope::PlanStaff,
        })
    }
}
