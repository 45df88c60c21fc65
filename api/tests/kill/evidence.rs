//! What the database holds after the last kill, against what the writers were told.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use rollcall_domain::AnyEvent;
use rollcall_journal::{Reader, keys::KeyRing, pools, rebuild};
use sqlx::{
    Connection, FromRow, PgConnection, PgPool, Postgres,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::QueryScalar,
};
use tokio::runtime::Runtime;

use crate::{
    ground::{self, Ground, within},
    mail,
    sink::Sink,
    writers::{Acknowledged, Effect, Told},
};

const INVITED: &str = "users.invitation.user_invited";
const LEVEL_SET: &str = "permissions.membership.npi_permission_set";

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
/// Acknowledged commands that are kept with their position and have brought about, just there, what
/// they were to bring about.
const KEPT: &str = "
    SELECT count(*) FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[])
                           a(tenant, position, event_type, stream)
      JOIN es.events e ON e.tenant_id = a.tenant AND e.tenant_position = a.position
       AND e.event_type = a.event_type AND e.aggregate_id = coalesce(a.stream, e.aggregate_id)
      JOIN es.commands k ON k.tenant_id = e.tenant_id AND k.command_id = e.command_id
       AND k.position = a.position";
/// Events of a type that people caused.
const CAUSED: &str = "SELECT count(*) FROM es.events WHERE event_type = $1 AND actor_kind = 'USER'";
/// Commands, told or not, whose events are not all there, and events without their command.
const TORN: &str = "
    SELECT count(*) FROM es.commands k
      FULL JOIN (SELECT tenant_id, command_id, max(tenant_position) AS last FROM es.events
                  GROUP BY tenant_id, command_id) e USING (tenant_id, command_id)
     WHERE k.position IS DISTINCT FROM e.last";
/// Invitations whose place in the organisation and whose address did not come together with them.
const HALF_INVITED: &str = "
    SELECT count(*) FROM es.events i
     WHERE i.event_type = 'users.invitation.user_invited'
       AND NOT (EXISTS (SELECT FROM es.events m WHERE m.tenant_id = i.tenant_id
                   AND m.command_id = i.command_id
                   AND m.event_type = 'organizations.organization.member_invited')
            AND EXISTS (SELECT FROM es.reservations r WHERE r.tenant_id = i.tenant_id
                   AND r.kind = 'email' AND r.owner = i.subject_id))";
/// Invitations of which no mail tells, mails still on their way, and events that projections and
/// processes have yet to take in.
const UNFINISHED: &str = "
    SELECT (SELECT count(*) FROM es.events c
             WHERE c.event_type = 'users.invitation.user_invited'
               AND NOT EXISTS (SELECT FROM es.events m WHERE m.tenant_id = c.tenant_id
                      AND m.event_type = 'notifications.delivery.email_sent'
                      AND m.correlation_id = c.correlation_id))
         + (SELECT count(*) FROM ops.outbox)
         + (SELECT coalesce(sum(abs(h.position - coalesce(c.position, 0))), 0)::bigint
              FROM ops.projections p CROSS JOIN es.tenant_heads h
              LEFT JOIN ops.checkpoints c
                   ON c.name = p.name AND c.version = p.version AND c.tenant_id = h.tenant_id)";
/// Messages queued or recorded as sent more than once.
const TOLD_TWICE: &str = "
    SELECT count(*) FROM (SELECT FROM es.events WHERE aggregate_type = 'notifications.delivery'
                           GROUP BY tenant_id, aggregate_id, event_type HAVING count(*) > 1) m";
/// Message-IDs of the mails recorded as sent.
const SENT: &str = "
    SELECT coalesce(array_agg(payload -> 'EmailSent' ->> 'message_id'), '{}') FROM es.events
     WHERE event_type = 'notifications.delivery.email_sent'";

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
    pub fn confirms(&self, told: &Told, sink: &Sink, (kills, repeatable): (usize, usize)) {
        let begun = Instant::now();
        self.holds_once(&told.acknowledged);
        self.is_in_order();
        assert_eq!(self.count(HALF_INVITED), 0, "half-made invitations");
        // However slow the machine: it is enough that it gets on.
        ground::finished("mails and what projections have to take in", || self.count(UNFINISHED));
        let at_rest = begun.elapsed();
        assert_eq!(self.count(TOLD_TWICE), 0, "messages recorded twice");
        let sent: Vec<String> = self.owned(sqlx::query_scalar(SENT));
        mail::arrived(&sink.mails(), &sent, told, (kills, repeatable));
        self.projections_equal_a_rebuild();
        // Without one the kills hit nothing.
        assert!(told.cut_off > 0, "no command was cut off");
        println!(
            "  {} commands acknowledged, {} of them cut off before, {} events kept; \
             at rest after {at_rest:.1?}, verified after {:.1?}",
            told.acknowledged.len(),
            told.cut_off,
            self.count("SELECT count(*) FROM es.events"),
            begun.elapsed(),
        );
    }

    /// # Panics
    /// When what holds at all times does not.
    pub fn is_in_order(&self) {
        for (what, question) in [
            ("gaps or times running back", OUT_OF_STEP),
            ("heads beside the events", WRONG_HEADS),
            ("torn commands", TORN),
        ] {
            assert_eq!(self.count(question), 0, "{what}");
        }
    }

    /// Each acknowledged command has its effect at its own position, and nothing else has one.
    fn holds_once(&self, acknowledged: &[Acknowledged]) {
        let places: BTreeSet<_> = acknowledged.iter().map(|a| (a.tenant.0, a.position)).collect();
        assert_eq!(places.len(), acknowledged.len(), "two commands at one position");
        let stream = |effect: &Effect| match effect {
            Effect::Invited(_) => None,
            Effect::LevelSet(stream) => Some(stream.to_string()),
        };
        let kept = sqlx::query_scalar(KEPT)
            .bind(acknowledged.iter().map(|a| a.tenant.0).collect::<Vec<_>>())
            .bind(acknowledged.iter().map(|a| a.position).collect::<Vec<_>>())
            .bind(acknowledged.iter().map(|a| event_type(&a.effect)).collect::<Vec<_>>())
            .bind(acknowledged.iter().map(|a| stream(&a.effect)).collect::<Vec<_>>());
        assert_eq!(self.owned::<i64>(kept), acknowledged.len() as i64, "an acknowledged command");
        for name in [INVITED, LEVEL_SET] {
            let caused: i64 = self.owned(sqlx::query_scalar(CAUSED).bind(name));
            let told = acknowledged.iter().filter(|a| event_type(&a.effect) == name).count();
            assert_eq!(caused, told as i64, "{name}");
        }
    }

    fn projections_equal_a_rebuild(&self) {
        let known = "SELECT count(*) FROM es.events WHERE event_type IN
                       ('users.user.user_registered', 'users.invitation.user_invited')";
        assert_eq!(self.count("SELECT count(*) FROM read.people"), self.count(known));
        let reader: Reader<AnyEvent> = Reader::new(self.pool.clone(), self.keys.clone());
        for projection in rollcall_projections::all() {
            let verified = rebuild::verify_rebuild(&self.owner, &reader, &projection);
            let differences = self.runtime.block_on(verified).expect("the projection rebuilds");
            assert_eq!(differences, [], "{}", projection.name());
        }
    }

    pub fn count(&self, question: &str) -> i64 {
        self.owned(sqlx::query_scalar(question))
    }

    pub fn counts(&self, question: &str) -> Vec<i64> {
        self.owned(sqlx::query_scalar(question))
    }

    /// Makes events of these types take a while to append, so that kills fall into it.
    pub fn slow_down(&self, milliseconds: u32, event_types: &[&str]) {
        let types = event_types.join("', '");
        self.change(&format!(
            "CREATE FUNCTION es.slow() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
             BEGIN
               PERFORM pg_catalog.pg_sleep({milliseconds} / 1000.0);
               RETURN NEW;
             END $$;
             CREATE TRIGGER slow BEFORE INSERT ON es.events FOR EACH ROW
               WHEN (NEW.event_type IN ('{types}')) EXECUTE FUNCTION es.slow()"
        ));
    }

    /// Changes the database as its owner.
    pub fn change(&self, statements: &str) {
        self.runtime.block_on(async {
            let mut session = PgConnection::connect_with(&self.owner).await.expect("it answers");
            sqlx::raw_sql(statements).execute(&mut session).await.expect("sound statements");
            session.close().await.expect("the session ends");
        });
    }

    /// Runs a statement in a session that keeps what it locked until [`Evidence::let_go`].
    pub fn hold(&self, statement: &str) -> PgConnection {
        self.runtime.block_on(async {
            let mut session = PgConnection::connect_with(&self.owner).await.expect("it answers");
            sqlx::raw_sql(statement).execute(&mut session).await.expect("a sound statement");
            session
        })
    }

    pub fn let_go(&self, session: PgConnection) {
        self.runtime.block_on(session.close()).expect("the session ends");
    }

    /// As the owner, who may read everything.
    fn owned<T>(&self, query: QueryScalar<'_, Postgres, T, PgArguments>) -> T
    where
        T: Send + Unpin,
        (T,): for<'r> FromRow<'r, PgRow>,
    {
        self.runtime.block_on(async {
            let mut session = PgConnection::connect_with(&self.owner).await.expect("it answers");
            let answer = query.fetch_one(&mut session).await.expect("the question is sound");
            session.close().await.expect("the session ends");
            answer
        })
    }
}

fn event_type(effect: &Effect) -> &'static str {
    match effect {
        Effect::Invited(_) => INVITED,
        Effect::LevelSet(_) => LEVEL_SET,
    }
}
