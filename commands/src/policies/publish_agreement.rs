//! `PublishAgreement`: a new version of one of the tenant's texts (MC-02).

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rollcall_domain::{
    policies::agreement::{Agreement, AgreementCommand, TickBox},
    tenants::PlanRole,
    values::AgreementKind,
};

use crate::{Access, Command, Context, Failure};

/// Publishes a version, in force from `effective_at` on, or at once.
pub struct PublishAgreement {
    pub kind: AgreementKind,
    pub version: String,
    pub title: String,
    pub text: String,
    pub boxes: Vec<TickBox>,
    pub effective_at: Option<DateTime<Utc>>,
}

#[async_trait]
impl Command for PublishAgreement {
    const NAME: &'static str = "PublishAgreement";
    type Output = ();

    fn access(&self) -> Access {
        Access::Plan(&[PlanRole::Pa])
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let stream = cx.tenant().agreement_stream(self.kind);
        let publish = AgreementCommand::PublishAgreement {
            kind: self.kind,
            version: self.version.trim().to_owned(),
            title: self.title.trim().to_owned(),
            text: self.text.clone(),
            boxes: self.boxes.clone(),
            effective_at: self.effective_at,
        };
        cx.decide::<Agreement>(stream, publish).await?;
        Ok(())
    }
}
