//! A registration as its stream tells it, for whoever holds its id (MC-05).

use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, RegistrationId, TenantId},
    organizations::{Organization, Registration, registration::RegistrationStep},
};

use uuid::Uuid;

use crate::{Commands, Failure};

/// Where a registration stands. Says the same for people with and without an account.
#[derive(Clone, Debug)]
pub struct RegistrationView {
    pub registration: RegistrationId,
    pub step: RegistrationStep,
    /// `None` once the registrant's data was erased.
    pub email: Option<String>,
    /// Vain tries left for the details.
    pub tries_left: u32,
    /// Known to the registrant once their details matched.
    pub organization: Option<(OrganizationId, String)>,
}

impl Commands {
    /// A registration by its id, which only its registrant holds.
    ///
    /// # Errors
    /// `NOT_FOUND`, or the database did not answer.
    pub async fn registration(
        &self,
        tenant: TenantId,
        id: RegistrationId,
    ) -> Result<RegistrationView, Failure> {
        let state = self.journal.load_fresh::<Registration>(tenant, id.0).await?.state;
        let shown = self.registration_shown(tenant, id, &state).await?;
        shown.ok_or_else(|| Refusal::not_found("id").into())
    }

    /// The registrations of these ids, those that never began left out.
    ///
    /// # Errors
    /// The database did not answer.
    pub async fn registrations(
        &self,
        tenant: TenantId,
        ids: &[Uuid],
    ) -> Result<Vec<RegistrationView>, Failure> {
        let mut shown = Vec::new();
        for (id, state) in self.journal.load_all::<Registration>(tenant, ids).await? {
            shown.extend(self.registration_shown(tenant, RegistrationId(id), &state).await?);
        }
        Ok(shown)
    }

    async fn registration_shown(
        &self,
        tenant: TenantId,
        id: RegistrationId,
        state: &Registration,
    ) -> Result<Option<RegistrationView>, Failure> {
        let Some(progress) = state.progress() else { return Ok(None) };
        let matched = progress.step > RegistrationStep::SubmitDetails;
        let organization = if matched {
            let organization =
                self.journal.load::<Organization>(tenant, progress.organization.0).await?.state;
            organization.record().map(|record| (progress.organization, record.name.to_string()))
        } else {
            None
        };
        Ok(Some(RegistrationView {
            registration: id,
            step: progress.step,
            email: progress.email.get().map(ToString::to_string),
            tries_left: state.tries_left(),
            organization,
        }))
    }
}
