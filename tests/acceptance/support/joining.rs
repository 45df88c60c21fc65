//! What the tests of becoming a user share: the steps people take, and what only their mail and
//! their telephone would show.
//!
//! Invariant: tokens and codes are derived as the messages derive them; no test reads a secret from
//! the database.

use rollcall_domain::{
    Decider,
    kernel::ids::{LinkId, UserId},
    users::{
        credential::{Credential, CredentialEvent},
        invitation::{Invitation, InvitationEvent},
    },
    values::AgreementKind,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Client, Portal, seed};

/// A password that the Medi-Cal policy admits.
pub const GOOD_PASSWORD: &str = "Meadow-Lantern-42!";

impl Portal {
    /// Publishes a version of an agreement with boxes of these keys.
    pub async fn publish(&self, kind: AgreementKind, version: &str, boxes: &[&str]) {
        let journal = &self.service.commands.journal;
        seed::publish(journal, self.world().tenant, kind, version, boxes).await;
    }

    /// Publishes the texts that registrants and invited people accept.
    pub async fn publish_agreements(&self) {
        self.publish(AgreementKind::PortalTerms, "1", &["READ"]).await;
        self.publish(AgreementKind::OnlineConditionsOfUse, "1", &["READ", "AUTHORIZED"]).await;
        self.publish(AgreementKind::SystemUseNotification, "1", &["READ", "AUTHORIZED"]).await;
    }

    /// All events of a stream.
    pub async fn events<A: Decider>(&self, stream: impl Into<Uuid>) -> Vec<A::Event> {
        let journal = &self.service.commands.journal;
        journal.events::<A>(self.world().tenant, stream.into()).await.expect("events are read")
    }

    /// The token in the newest link of an invitation.
    pub async fn invitation_token(&self, invitation: &str) -> String {
        let events = self.events::<Invitation>(uuid_of(invitation)).await;
        let newest = events.iter().rev().find_map(|event| {
            let (InvitationEvent::UserInvited { link_id, .. }
            | InvitationEvent::InvitationReissued { link_id, .. }) = event
            else {
                return None;
            };
            Some(*link_id)
        });
        self.link_token("invitation", newest.expect("a link was sent"))
    }

    /// Whom an invitation is for.
    pub async fn invited_user(&self, invitation: &str) -> UserId {
        let events = self.events::<Invitation>(uuid_of(invitation)).await;
        let Some(InvitationEvent::UserInvited { user, .. }) = events.first() else {
            panic!("nobody was invited: {events:?}");
        };
        *user
    }

    /// The token in the link to somebody's first password.
    pub async fn setup_token(&self, user: UserId) -> String {
        let stream = self.world().tenant.credential_stream(user);
        let events = self.events::<Credential>(stream).await;
        let newest = events.iter().rev().find_map(|event| {
            let CredentialEvent::PasswordSetupLinkSent { link_id, .. } = event else { return None };
            Some(*link_id)
        });
        self.link_token("set-password", newest.expect("a link was sent"))
    }

    fn link_token(&self, purpose: &str, link: LinkId) -> String {
        self.service.commands.journal.secrets().link_token(purpose, link.0)
    }

    /// The eight digits that a telephone shows for a challenge.
    pub fn code_on_the_phone(&self, challenge: &str) -> String {
        self.service.commands.journal.secrets().otp(uuid_of(challenge), 8)
    }

    /// The invited people's side of an invitation up to "Registration Complete".
    pub async fn follow_invitation(&self, token: &str) -> Answer {
        let visitor = self.visitor(&self.world().slug);
        visitor.accept_system_use(token).await.done();
        visitor.submit_invitee(token).await.done();
        let challenge = visitor.challenge(json!({ "invitationToken": token })).await;
        self.type_code(&visitor, &challenge).await
    }

    /// Types the last six digits of a challenge's code.
    pub async fn type_code(&self, client: &Client, challenge: &str) -> Answer {
        let code = &self.code_on_the_phone(challenge)[2..];
        client.verify(challenge, code).await
    }

    /// A verified passcode for a link to set a password.
    pub async fn passcode_for_password(&self, token: &str) -> String {
        let visitor = self.visitor(&self.world().slug);
        let challenge = visitor.challenge(json!({ "passwordToken": token })).await;
        self.type_code(&visitor, &challenge).await.done();
        challenge
    }
}

impl Client {
    /// Sends one mutation and selects `selection` of its payload beside position and userErrors.
    pub async fn mutate(&self, name: &str, input: Value, selection: &str) -> Answer {
        let (first, rest) = name.split_at(1);
        let input_type = format!("{}{rest}Input", first.to_uppercase());
        let document = format!(
            "mutation($input: {input_type}!) {{ {name}(input: $input) {{ {selection} position \
             userErrors {{ code field message details retryAt }} }} }}"
        );
        self.send(&document, json!({ "input": input })).await
    }

    /// Accepts the System Use Notification for an invitation.
    pub async fn accept_system_use(&self, token: &str) -> Answer {
        let input = json!({
            "invitationToken": token,
            "kind": "SYSTEM_USE_NOTIFICATION",
            "version": "1",
            "boxes": ["READ", "AUTHORIZED"],
        });
        self.mutate("acceptAgreement", input, "invitation { step status }").await
    }

    /// Submits the details of an invited person.
    pub async fn submit_invitee(&self, token: &str) -> Answer {
        let input = json!({
            "token": token,
            "firstName": "Ines",
            "lastName": "Vega",
            "phone": "+12025550177",
            "channel": "SMS",
        });
        self.mutate("submitInviteeDetails", input, "invitation { step status }").await
    }

    /// Asks for a passcode; answers the challenge's id.
    pub async fn challenge(&self, owner: Value) -> String {
        let answer = self.mutate("requestOtp", owner, "challenge { id status }").await;
        answer.done()["challenge"]["id"].as_str().expect("a challenge").to_owned()
    }

    /// Types a code.
    pub async fn verify(&self, challenge: &str, code: &str) -> Answer {
        let input = json!({ "challengeId": challenge, "code": code });
        self.mutate("verifyOtp", input, "challenge { status attemptsLeft }").await
    }

    /// Sets the first password.
    pub async fn set_password(
        &self,
        token: &str,
        password: &str,
        challenge: Option<&str>,
    ) -> Answer {
        let input = json!({ "token": token, "password": password, "otpChallengeId": challenge });
        self.mutate("setPassword", input, "").await
    }
}

impl Answer {
    /// The only userError.
    #[track_caller]
    pub fn refusal(&self) -> &Value {
        self.refused();
        let payload = self.data().as_object().and_then(|data| data.values().next());
        &payload.expect("one mutation")["userErrors"][0]
    }
}

/// The UUID in a global or bare id.
pub fn uuid_of(id: &str) -> Uuid {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    if let Ok(uuid) = id.parse() {
        return uuid;
    }
    let bytes = URL_SAFE_NO_PAD.decode(id).expect("a global id");
    let text = String::from_utf8(bytes).expect("a global id is text");
    text.split_once(':').expect("type and UUID").1.parse().expect("a UUID")
}
