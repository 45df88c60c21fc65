//! What the tests of signing in share.

use rollcall_domain::{
    kernel::ids::UserId,
    users::credential::{Credential, CredentialEvent},
};
use serde_json::{Value, json};

use super::{Answer, Client, Person, Portal};

/// What `completeLogin` answers.
const SIGNED_IN: &str = "sessionToken mustChangePassword
    memberships { organization { id name } role }
    session { id expiresAt startedAt mustChangePassword isCurrent organization { id name } }";

impl Portal {
    /// A visitor of the seeded portal.
    pub fn anybody(&self) -> Client {
        self.visitor(&self.world().slug)
    }

    /// What happened to somebody's password and sign-ins.
    pub async fn credential_events(&self, user: UserId) -> Vec<CredentialEvent> {
        self.events::<Credential>(self.world().tenant.credential_stream(user)).await
    }

    /// The token in the newest link by which somebody resets the password.
    pub async fn reset_token(&self, who: &Person) -> String {
        self.mailed_token(&who.email, "reset-password").await
    }
}

impl Client {
    /// The first step; answers the ticket for the second.
    pub async fn begin_login(&self, identifier: &str) -> String {
        let answer =
            self.mutate("beginLogin", json!({ "identifier": identifier }), "loginId").await;
        answer.done()["loginId"].as_str().expect("a ticket").to_owned()
    }

    /// The second step.
    pub async fn complete_login(&self, login_id: &str, password: &str) -> Answer {
        let input = json!({ "loginId": login_id, "password": password });
        self.mutate("completeLogin", input, SIGNED_IN).await
    }

    /// Both steps.
    pub async fn try_to_sign_in(&self, identifier: &str, password: &str) -> Answer {
        let login_id = self.begin_login(identifier).await;
        self.complete_login(&login_id, password).await
    }

    /// Both steps, to a signed-in client.
    pub async fn sign_in(&self, identifier: &str, password: &str) -> Self {
        let answer = self.try_to_sign_in(identifier, password).await;
        self.with_token(answer.done()["sessionToken"].as_str().expect("a token"))
    }

    /// The session's own view of itself.
    pub async fn session(&self) -> Answer {
        self.send("{ session { id expiresAt startedAt organization { name } } }", json!({})).await
    }

    /// Somebody's sign-in history as this client may see it.
    pub async fn login_history(&self, user: UserId, after: Option<Value>) -> Answer {
        let document = "query($user: ID!, $after: Position) {
            loginHistory(userId: $user, minPosition: $after) {
              nodes { outcome detail sessionId lockedUntil } } }";
        self.send(document, json!({ "user": user.to_string(), "after": after })).await
    }
}
