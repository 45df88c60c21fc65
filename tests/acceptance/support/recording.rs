//! Facts recorded straight into the journal, decided by the domain: for what a test needs to have
//! happened rather than to show.

use rollcall_domain::{Actor, Decider, Decision, kernel::ids::TenantId, policies::PolicyHistory};
use rollcall_journal::{Header, WorkError};
use serde_json::Value;
use uuid::Uuid;

use super::Portal;

impl Portal {
    /// Has the domain decide a command in the seeded tenant; answers the position of what came of it.
    pub async fn record<A: Decider>(&self, by: Actor, id: Uuid, command: A::Command) -> i64 {
        let tenant = self.world().tenant;
        let position = self.try_record::<A>(tenant, by, id, command).await;
        position.expect("the command is allowed")
    }

    /// The same in any tenant; `None` where the domain refused.
    pub async fn try_record<A: Decider>(
        &self,
        tenant: TenantId,
        by: Actor,
        id: Uuid,
        command: A::Command,
    ) -> Option<i64> {
        let journal = &self.service.commands.journal;
        let mut work = journal.begin(header(tenant, by, journal.now()));
        let policies = work.load::<PolicyHistory>(tenant.policy_stream()).await;
        let policies = policies.expect("the policies load");
        let (_, policy) = policies.at(work.now());
        let decision = Decision { now: work.now(), actor: by, policy };
        match work.decide::<A>(id, &decision, command).await {
            Ok(_) => {}
            Err(WorkError::Refused(_)) => return None,
            Err(error) => panic!("{error}"),
        }
        Some(work.commit(Value::Null).await.expect("it is appended").position)
    }
}

fn header(tenant: TenantId, actor: Actor, now: chrono::DateTime<chrono::Utc>) -> Header {
    Header {
        tenant,
        actor,
        organization: None,
        session: None,
        client_address: None,
        correlation_id: Uuid::new_v4(),
        causation_id: None,
        command_id: Uuid::new_v4(),
        request_hash: [0; 32],
        policy_version: 1,
        reason: None,
        occurred_at: now,
        command: "Record",
    }
}
