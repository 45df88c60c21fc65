//! An organisation on file and the token on the letter to it.

use rollcall_commands::{
    Caller, Command,
    authentication::Presented,
    organizations::{
        EnrolmentRow, ImportEnrolment, ImportOrigin,
        tokens::{IssueRegistrationToken, token_text},
    },
};
use rollcall_domain::kernel::ids::OrganizationId;
use uuid::Uuid;

use super::{Person, Portal};

/// Tax id, ZIP and contact address of the organisation that [`Portal::enrol`] puts on file.
pub const TAX_ID: &str = "12-3456789";
pub const PAY_TO_ZIP: &str = "93701";
pub const CONTACT: &str = "office@willow.example";

impl Portal {
    /// A seeded person as the dispatcher meets them.
    pub async fn caller(&self, who: &Person) -> Caller {
        let client = self.client(who).await;
        let presented = Presented {
            token: client.token.as_deref().expect("signed in"),
            tenant: None,
            address: None,
            correlation_id: Uuid::new_v4(),
            is_activity: true,
        };
        self.service.commands.authenticate(presented).await.expect("a live session")
    }

    /// Dispatches a command of the plan administrator.
    pub async fn plan<C: Command>(&self, command: &C) -> C::Output {
        let caller = self.caller(&self.world().plan_admin).await;
        let receipt = self.service.commands.dispatch(&caller, None, command).await;
        receipt.expect("the plan administrator may").output
    }

    /// Puts an organisation on file that nobody has registered yet.
    pub async fn enrol(&self) -> OrganizationId {
        let row = EnrolmentRow {
            organization: "Willow Clinic".into(),
            kinds: "PROVIDER".into(),
            tax_id_type: "EIN".into(),
            tax_id: TAX_ID.into(),
            pay_to_line1: "9 Elm St".into(),
            pay_to_city: "Fresno".into(),
            pay_to_state: "CA".into(),
            pay_to_zip: PAY_TO_ZIP.into(),
            contact_email: CONTACT.into(),
            npi: "2000000002".into(),
            provider_type: "GROUP".into(),
            community: "PHYSICIANS".into(),
            ..EnrolmentRow::default()
        };
        let import = ImportEnrolment {
            origin: ImportOrigin::Portal,
            file_sha256: "0".repeat(64),
            rows: vec![(2, row)],
        };
        let results = self.plan(&import).await;
        results[0].organization.unwrap_or_else(|| panic!("refused: {results:?}"))
    }

    /// The token on the letter that goes to an organisation.
    pub async fn letter(&self, organization: OrganizationId) -> String {
        let issued = self.plan(&IssueRegistrationToken { organization }).await;
        token_text(self.service.commands.journal.secrets(), issued.token)
    }
}
