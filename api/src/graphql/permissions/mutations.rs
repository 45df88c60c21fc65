//! `setNpiPermissions`, `quickAssignNpis`, `setCorrespondencePermissions`, `finishPermissionWizard`,
//! `deferPermissions`.

use std::collections::BTreeSet;

use async_graphql::{Context, ID, InputObject, Object, Result};
use rollcall_commands::permissions::{
    DeferPermissions, FinishPermissionWizard, QuickAssignNpis, SetCorrespondencePermissions,
    SetNpiPermissions,
};
use rollcall_domain::{
    Refusal,
    permissions::{CorrespondenceScope, NpiScope, membership::NpiChange},
    values::{CorrespondenceType, Npi},
};

use super::types::WizardStep;
use crate::graphql::{
    scalars::{DateTime, NpiScalar},
    sending::{MutationMeta, payload, send},
    user_directory::{User, read_back, user_of_input},
    vocabulary::{NpiLevel, field},
};

/// "All NPIs", "all types".
const ALL: &str = "*";

/// The level wished for one NPI.
#[derive(InputObject)]
pub struct NpiPermissionInput {
    /// `*` for all NPIs, those attached later included.
    pub npi: NpiScalar,
    pub level: NpiLevel,
    /// The level ends here by itself (GN-13).
    pub until: Option<DateTime>,
}

impl NpiPermissionInput {
    fn change(&self, at: usize) -> Result<NpiChange, Refusal> {
        let until_field = format!("permissions.{at}.until");
        Ok(NpiChange {
            npi: npi_scope(&self.npi, &format!("permissions.{at}.npi"))?,
            level: self.level.into(),
            until: self.until.as_ref().map(|until| until.parse(&until_field)).transpose()?,
        })
    }
}

/// Sets a person's level for each NPI named; the others stay as they are (MC-39).
#[derive(InputObject)]
pub struct SetNpiPermissionsInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub permissions: Vec<NpiPermissionInput>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl SetNpiPermissionsInput {
    fn command(&self) -> Result<SetNpiPermissions, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        let changes = self.permissions.iter().enumerate();
        Ok(SetNpiPermissions {
            organization,
            user,
            changes: changes.map(|(at, input)| input.change(at)).collect::<Result<_, _>>()?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// "Quick Assign to All NPIs" (MC-42).
#[derive(InputObject)]
pub struct QuickAssignNpisInput {
    pub organization_id: ID,
    pub user_id: ID,
    pub level: NpiLevel,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl QuickAssignNpisInput {
    fn command(&self) -> Result<QuickAssignNpis, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        let expected_version = self.expected_version.map(i64::from);
        Ok(QuickAssignNpis { organization, user, level: self.level.into(), expected_version })
    }
}

/// Sets exactly these types for each NPI named (MC-45, MC-46).
#[derive(InputObject)]
pub struct SetCorrespondencePermissionsInput {
    pub organization_id: ID,
    pub user_id: ID,
    /// NPIs the person is assigned; `*` for all.
    pub npis: Vec<NpiScalar>,
    /// Keys of `correspondenceTypes`; `*` for all, none at all to take them away.
    pub types: Vec<String>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl SetCorrespondencePermissionsInput {
    fn command(&self) -> Result<SetCorrespondencePermissions, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        let npis = self.npis.iter().enumerate();
        let npis = npis.map(|(at, npi)| npi_scope(npi, &format!("npis.{at}")));
        let types = self.types.iter().enumerate();
        let types = types.map(|(at, kind)| type_scope(kind, &format!("types.{at}")));
        Ok(SetCorrespondencePermissions {
            organization,
            user,
            npis: npis.collect::<Result<_, _>>()?,
            types: types.collect::<Result<BTreeSet<_>, _>>()?,
            expected_version: self.expected_version.map(i64::from),
        })
    }
}

/// Finishes the permission wizard (MC-43).
#[derive(InputObject)]
pub struct FinishPermissionWizardInput {
    pub organization_id: ID,
    pub user_id: ID,
    /// The steps done; by default those that left something behind.
    pub steps: Option<Vec<WizardStep>>,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl FinishPermissionWizardInput {
    fn command(&self) -> Result<FinishPermissionWizard, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        let steps = self.steps.as_ref();
        let steps = steps.map(|steps| steps.iter().map(|step| (*step).into()).collect());
        let expected_version = self.expected_version.map(i64::from);
        Ok(FinishPermissionWizard { organization, user, steps, expected_version })
    }
}

/// "Skip For Now" (MC-44).
#[derive(InputObject)]
pub struct DeferPermissionsInput {
    pub organization_id: ID,
    pub user_id: ID,
    /// The user's `version` as seen.
    pub expected_version: Option<i32>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

impl DeferPermissionsInput {
    fn command(&self) -> Result<DeferPermissions, Refusal> {
        let (organization, user) = user_of_input(&self.organization_id, &self.user_id)?;
        let expected_version = self.expected_version.map(i64::from);
        Ok(DeferPermissions { organization, user, expected_version })
    }
}

fn npi_scope(npi: &NpiScalar, path: &str) -> Result<NpiScope, Refusal> {
    if npi.0 == ALL {
        return Ok(NpiScope::All);
    }
    field(path, Npi::parse(&npi.0)).map(NpiScope::One)
}

fn type_scope(kind: &str, path: &str) -> Result<CorrespondenceScope, Refusal> {
    if kind == ALL {
        return Ok(CorrespondenceScope::All);
    }
    field(path, CorrespondenceType::parse(kind)).map(CorrespondenceScope::One)
}

payload! {
    /// What became of `setNpiPermissions`.
    SetNpiPermissionsPayload { user: User }
}
payload! {
    /// What became of `quickAssignNpis`.
    QuickAssignNpisPayload { user: User }
}
payload! {
    /// What became of `setCorrespondencePermissions`.
    SetCorrespondencePermissionsPayload { user: User }
}
payload! {
    /// What became of `finishPermissionWizard`.
    FinishPermissionWizardPayload { user: User }
}
payload! {
    /// What became of `deferPermissions`.
    DeferPermissionsPayload { user: User }
}

/// Commands on permissions.
#[derive(Default)]
pub struct PermissionMutation;

#[Object]
impl PermissionMutation {
    /// Sets levels per NPI. Refusals: NOT_ORG_ADMIN, NPI_NOT_IN_ORG, SELF_GRANT, RANGE_INVALID,
    /// VERSION_CONFLICT.
    async fn set_npi_permissions(
        &self,
        ctx: &Context<'_>,
        input: SetNpiPermissionsInput,
    ) -> Result<SetNpiPermissionsPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(SetNpiPermissionsPayload::of(sent, user))
    }

    /// Sets one level on every NPI of the organisation; one fact per NPI. Refusals: NOT_ORG_ADMIN,
    /// NPI_NOT_IN_ORG, SELF_GRANT, VERSION_CONFLICT.
    async fn quick_assign_npis(
        &self,
        ctx: &Context<'_>,
        input: QuickAssignNpisInput,
    ) -> Result<QuickAssignNpisPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(QuickAssignNpisPayload::of(sent, user))
    }

    /// Sets correspondence types for one or several NPIs. Refusals: NOT_ORG_ADMIN,
    /// NPI_NOT_ASSIGNED, TYPE_UNKNOWN, SELF_GRANT, VERSION_CONFLICT.
    async fn set_correspondence_permissions(
        &self,
        ctx: &Context<'_>,
        input: SetCorrespondencePermissionsInput,
    ) -> Result<SetCorrespondencePermissionsPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(SetCorrespondencePermissionsPayload::of(sent, user))
    }

    /// Finishes the wizard. Refusals: NOT_ORG_ADMIN, NPI_STEP_REQUIRED, VERSION_CONFLICT.
    async fn finish_permission_wizard(
        &self,
        ctx: &Context<'_>,
        input: FinishPermissionWizardInput,
    ) -> Result<FinishPermissionWizardPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(FinishPermissionWizardPayload::of(sent, user))
    }

    /// Skips the wizard for now. Refusals: NOT_ORG_ADMIN, VERSION_CONFLICT.
    async fn defer_permissions(
        &self,
        ctx: &Context<'_>,
        input: DeferPermissionsInput,
    ) -> Result<DeferPermissionsPayload> {
        let command = input.command();
        let sent = send(ctx, input.meta, command).await?;
        let user = read_back(ctx, &input.organization_id, &sent).await?;
        Ok(DeferPermissionsPayload::of(sent, user))
    }
}
