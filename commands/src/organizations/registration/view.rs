//! A registration as its stream tells it, for whoever holds its id (MC-05).

use rollcall_domain::{
    Refusal,
    kernel::ids::{OrganizationId, RegistrationId, TenantId},
    organizations::{Organization, Registration, registration::RegistrationStep},
};

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
        let Some(progress) = state.progress() else {
            return Err(Refusal::not_found("id").into());
        };
        let matched = progress.step > RegistrationStep::SubmitDetails;
        let organization = if matched {
            let organization =
                self.journal.load::<Organization>(tenant, progress.organization.0).await?.state;
            organization.record().map(|record| (progress.organization, record.name.to_string()))
        } else {
            None
        };
        Ok(RegistrationView {
            registration: id,
            step: progress.step,
            email: progress.email.get().map(ToString::to_string),
            tries_left: state.tries_left(),
            organization,
        })
    }
}
