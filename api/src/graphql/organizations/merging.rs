//! `mergeOrganizations`: an organisation becomes part of another one (GN-03).

use std::collections::BTreeSet;

use async_graphql::{Context, Enum, ID, InputObject, Object, Result};
use rollcall_commands::organizations::merging::MergeOrganizations;
use rollcall_domain::{Refusal, organizations::MergePart as Part, values::Reason};

use super::mutations::{OrganizationPayload, change};
use crate::graphql::{ids::NodeType, sending::MutationMeta, vocabulary::field};

/// What of an organisation goes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::organizations::MergePart")]
pub enum MergePart {
    /// Active members, with what they may do for what goes over.
    People,
    Npis,
    TaxIds,
    Locations,
    EmailDomains,
    /// Those in force.
    Affiliations,
}

/// Whether people who come with a merger keep their organisation-wide role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::organizations::MergedRoles")]
pub enum MergedRoles {
    /// They are administrators and Processors of the whole successor.
    Keep,
    /// They have what they were given for NPIs, features, locations and tax ids, and nothing else.
    Drop,
}

/// An organisation to merge into another one (GN-03).
#[derive(Debug, InputObject)]
pub struct MergeOrganizationsInput {
    #[graphql(flatten)]
    meta: MutationMeta,
    from_organization_id: ID,
    into_organization_id: ID,
    reason: String,
    roles: MergedRoles,
    /// What goes over; everything if not given. The rest ends with the organisation.
    parts: Option<Vec<MergePart>>,
    /// The `version` of `fromOrganizationId` as seen.
    expected_version: Option<i32>,
}

impl MergeOrganizationsInput {
    fn command(&self) -> Result<MergeOrganizations, Refusal> {
        let parts: BTreeSet<Part> = match &self.parts {
            None => Part::ALL.into(),
            Some(parts) => parts.iter().map(|part| (*part).into()).collect(),
        };
        let organization = |id, field| NodeType::Organization.parse(id, field);
        Ok(MergeOrganizations {
            from: organization(&self.from_organization_id, "fromOrganizationId")?,
            into: organization(&self.into_organization_id, "intoOrganizationId")?,
            parts,
            roles: self.roles.into(),
            reason: field("reason", Reason::parse(&self.reason))?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// Plan administrators' commands about mergers.
#[derive(Default)]
pub struct MergingMutation;

#[Object]
impl MergingMutation {
    /// Merges an organisation into another one, step by step: NPIs, places and affiliations begin at
    /// the successor, people go over one by one with their rights and their sessions end, then the
    /// organisation is closed, and `successorId` names the other one. The same once more changes
    /// nothing. Refusals: FORBIDDEN, NOT_FOUND, FIELD_INVALID, ORG_NOT_ACTIVE, ORG_KIND_WRONG,
    /// NOT_CONTRACTED, ALREADY_DECIDED (merged elsewhere, or an NPI's end is planned),
    /// VERSION_CONFLICT.
    async fn merge_organizations(
        &self,
        ctx: &Context<'_>,
        input: MergeOrganizationsInput,
    ) -> Result<OrganizationPayload> {
        let command = input.command();
        change(ctx, input.meta, command).await
    }
}
