//! What the database holds after the last kill, against what the writers were told.

use std::time::Duration;

use rollcall_domain::AnyEvent;
use rollcall_journal::{Reader, keys::KeyRing, pools, rebuild};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::runtime::Runtime;

use crate::{
    ground::{self, Ground, within},
    writers::Acknowledged,
};

/// Events out of step with the one before: a gap, or a time that runs backwards.
const OUT_OF_STEP: &str = "
    SELECT count(*) FROM (
      SELECT position - lag(position, 1, 0::bigint) OVER log AS step,
             tenant_position - lag(tenant_position, 1, 0::bigint) OVER of_tenant AS tenant_step,
             recorded_at < lag(recorded_at) OVER log AS back
        FROM es.events
      WINDOW log AS (ORDER BY position), of_tenant AS (PARTITION BY tenant_id ORDER BY position)) e
     WHERE step <> 1 OR tenant_step <> 1 OR back";
/// Heads that say something else than the events.
const WRONG_HEADS: &str = "
    SELECT (SELECT count(*) FROM es.head
             WHERE position <> (SELECT count(*) FROM es.events)
                OR position <> (SELECT max(position) FROM es.events))
         + (SELECT count(*) FROM es.tenant_heads h
             WHERE position <> (SELECT count(*) FROM es.events e WHERE e.tenant_id = h.tenant_id))";
/// Acknowledged commands that are kept with their position and have their one event just there.
const KEPT: &str = "
    SELECT count(*) FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) a(tenant, command, position)
     WHERE EXISTS (SELECT FROM es.commands k WHERE k.tenant_id = a.tenant
                      AND k.command_id = a.command AND k.position = a.position)
       AND (SELECT array_agg(e.tenant_position) FROM es.events e
             WHERE e.tenant_id = a.tenant AND e.command_id = a.command) = ARRAY[a.position]";
/// Commands, told or not, whose events are not all there, and events without their command.
const TORN: &str = "
    SELECT count(*) FROM es.commands k
      FULL JOIN (SELECT DISTINCT tenant_id, command_id FROM es.events) e
           USING (tenant_id, command_id)
     WHERE k.command_id IS NULL OR e.command_id IS NULL";
/// People whose account, reservation and vault entry did not come together.
const HALF_REGISTERED: &str = "
    SELECT count(*) FROM (SELECT tenant_id, aggregate_id::uuid AS id FROM es.events
                           WHERE event_type = 'users.user.user_registered') u
      FULL JOIN (SELECT tenant_id, owner AS id FROM es.reservations WHERE kind = 'email') r
           USING (tenant_id, id)
      FULL JOIN (SELECT tenant_id, id FROM es.vault WHERE kind = 'password') v USING (tenant_id, id)
     WHERE u.id IS NULL OR r.id IS NULL OR v.id IS NULL";
/// Changes of a number of which no mail tells the person.
const UNTOLD: &str = "
    SELECT count(*) FROM es.events c
     WHERE c.event_type = 'users.user.phone_changed'
       AND NOT EXISTS (SELECT FROM es.events m WHERE m.tenant_id = c.tenant_id
              AND m.event_type = 'notifications.delivery.message_queued'
              AND m.correlation_id = c.correlation_id)";
/// Mails queued or recorded as sent more than once.
const TOLD_TWICE: &str = "
    SELECT count(*) FROM (SELECT FROM es.events WHERE aggregate_type = 'notifications.delivery'
                           GROUP BY correlation_id, event_type HAVING count(*) > 1) m";
/// Projections behind a tenant's head.
const BEHIND: &str = "
    SELECT count(*) FROM ops.projections p CROSS JOIN es.tenant_heads h
      LEFT JOIN ops.checkpoints c
           ON c.name = p.name AND c.version = p.version AND c.tenant_id = h.tenant_id
     WHERE c.position IS DISTINCT FROM h.position";

/// The database after the fact, as its owner.
pub struct Evidence {
    runtime: Runtime,
    owner: PgConnectOptions,
    pool: PgPool,
    keys: KeyRing,
}

impl Evidence {
    /// Reaches the database of the service that runs in the folder.
    pub fn gather(ground: &Ground) -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let owner = ground::database(ground.folder());
        let pool = within(Duration::from_secs(60), "the database answers", || {
            runtime.block_on(pools::runner(owner.clone(), 4)).ok()
        });
        let keys = KeyRing::new(&ground::master_key(ground.folder()), pool.clone());
        Self { runtime, owner, pool, keys }
    }

    /// # Panics
    /// When anything that was acknowledged, or that holds at all times, is not so.
    pub fn confirms(&self, acknowledged: &[Acknowledged]) {
        assert_eq!(self.kept(acknowledged), acknowledged.len() as i64, "an acknowledged command");
        for (what, question) in [
            ("gaps or times running back", OUT_OF_STEP),
            ("heads beside the events", WRONG_HEADS),
            ("torn commands", TORN),
            ("half-registered people", HALF_REGISTERED),
        ] {
            assert_eq!(self.count(question), 0, "{what}");
        }
        for (what, question) in
            [("all mail is queued", UNTOLD), ("the projections have caught up", BEHIND)]
        {
            let at_rest = || (self.count(question) == 0).then_some(());
            within(Duration::from_secs(60), what, at_rest);
        }
        assert_eq!(self.count(TOLD_TWICE), 0, "mails queued or sent twice");
        self.projections_equal_a_rebuild();
        let events = self.count("SELECT count(*) FROM es.events");
        println!("  {} commands acknowledged, {events} events kept", acknowledged.len());
    }

    fn projections_equal_a_rebuild(&self) {
        let registered = "SELECT count(*) FROM es.events
                           WHERE event_type = 'users.user.user_registered'";
        assert_eq!(self.count("SELECT count(*) FROM read.people"), self.count(registered));
        let reader: Reader<AnyEvent> = Reader::new(self.pool.clone(), self.keys.clone());
        for projection in rollcall_projections::all() {
            let verified = rebuild::verify_rebuild(&self.owner, &reader, &projection);
            let differences = self.runtime.block_on(verified).expect("the projection rebuilds");
            assert_eq!(differences, [], "{}", projection.name());
        }
    }

    fn kept(&self, acknowledged: &[Acknowledged]) -> i64 {
        let kept = sqlx::query_scalar(KEPT)
            .bind(acknowledged.iter().map(|told| told.tenant).collect::<Vec<_>>())
            .bind(acknowledged.iter().map(|told| told.command).collect::<Vec<_>>())
            .bind(acknowledged.iter().map(|told| told.position).collect::<Vec<_>>());
        self.owned(kept)
    }

    fn count(&self, question: &str) -> i64 {
        self.owned(sqlx::query_scalar(question))
    }

    /// As the owner, who may read everything.
    fn owned<'q>(
        &self,
        query: sqlx::query::QueryScalar<'q, sqlx::Postgres, i64, sqlx::postgres::PgArguments>,
    ) -> i64 {
        use sqlx::{Connection, PgConnection};
        self.runtime.block_on(async {
            let mut session = PgConnection::connect_with(&self.owner).await.expect("it answers");
            let count = query.fetch_one(&mut session).await.expect("the question is sound");
            session.close().await.expect("the session ends");
            count
        })
    }
}
