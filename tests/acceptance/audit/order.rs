//! Order, whatever is written at the same time (property): who reads or follows the audit trail while
//! others write gets every position once, in order, and the same sequence as the journal holds.
//!
//! Invariant: positions are per tenant and begin with 1; a reader who has seen n has seen everything
//! before n.

use std::{cell::Cell, time::Duration};

use futures_util::future::{join, join_all};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, TestRunner},
};
use rollcall_domain::policies::Preset;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::sync::watch;

use crate::support::{Client, Person, Portal, World};

const PRESET: Preset = Preset::MediCal;
/// Between looks while there is nothing new.
const PAUSE: Duration = Duration::from_millis(5);
const INVITED: &str = "users.invitation.user_invited";

const PAGE: &str = "query($first: Int, $after: String, $direction: OrderDirection!) {
  auditEvents(first: $first, after: $after,
              orderBy: { field: POSITION, direction: $direction }) {
    pageInfo { endCursor } nodes { position type } } }";
const APPENDED: &str = "subscription { eventAppended(afterPosition: \"0\") { position type } }";

/// A position and the type of the event there.
type Place = (i64, String);

/// What somebody may do.
#[derive(Clone, Debug)]
enum Act {
    Invite,
    Level {
        who: usize,
        npi: usize,
        level: &'static str,
    },
    /// Beyond one's rights, which leaves a trace.
    Overreach,
    /// The last invitation once more, under its key.
    Again,
}

/// Which administrator it is, and what they do one after the other.
type Script = (usize, Vec<Act>);

fn act() -> impl Strategy<Value = Act> {
    let level = prop_oneof![Just("NONE"), Just("PROCESSOR"), Just("ADMIN")];
    prop_oneof![
        2 => Just(Act::Invite),
        4 => (0..3_usize, 0..3_usize, level)
            .prop_map(|(who, npi, level)| Act::Level { who, npi, level }),
        1 => Just(Act::Overreach),
        1 => Just(Act::Again),
    ]
}

/// Several clients, each with a few things to do.
fn scripts() -> impl Strategy<Value = Vec<Script>> {
    vec((0..4_usize, vec(act(), 1..8)), 2..8)
}

fn place(event: &Value) -> Place {
    let position = event["position"].as_str().expect("a position");
    let kind = event["type"].as_str().expect("a type");
    (position.parse().expect("a number"), kind.to_owned())
}

/// Somebody at work in a tenant.
struct Writer<'a> {
    portal: &'a Portal,
    world: &'a World,
    /// Distinguishes the addresses of those whom different writers invite.
    nth: usize,
}

impl Writer<'_> {
    async fn client(&self, who: &Person) -> Client {
        self.portal.client_in(self.world, PRESET, who).await
    }

    /// Plays a script; answers the positions at which people were invited.
    async fn play(&self, (who, acts): &Script) -> Vec<i64> {
        let world = self.world;
        let people = [
            &world.clinic_admin,
            &world.clinic_second_admin,
            &world.hospital_admin,
            &world.biller_admin,
        ];
        let person = people[*who];
        let (own, clinic) = (self.client(person).await, self.client(people[who % 2]).await);
        let newcomer = self.client(&world.newcomer).await;
        let members = [&world.newcomer, &world.processor, &world.npi_admin];
        let mut invited = Vec::new();
        let mut last: Option<(Value, Value)> = None;
        for (step, act) in acts.iter().enumerate() {
            let key = format!("{}-{step}", self.nth);
            let invite = |by: &Person| {
                json!({ "organizationId": by.organization, "email": format!("{key}@order.example"),
                        "firstName": "Kim", "lastName": "Lee", "mobile": "+12025550177",
                        "idempotencyKey": key })
            };
            match act {
                Act::Invite => {
                    let input = invite(person);
                    let told = carry_out(&own, "inviteUser", &input).await;
                    let position = told.as_str().expect("a position");
                    invited.push(position.parse().expect("a number"));
                    last = Some((input, told));
                }
                Act::Level { who, npi, level } => {
                    let permissions = json!([{ "npi": world.clinic.npis[*npi], "level": level }]);
                    let input = json!({ "organizationId": world.clinic.id,
                        "userId": members[*who].user, "permissions": permissions,
                        "idempotencyKey": key });
                    carry_out(&clinic, "setNpiPermissions", &input).await;
                }
                Act::Overreach => {
                    let answer = newcomer.mutate("inviteUser", invite(&world.newcomer), "").await;
                    assert_eq!(answer.refused(), "NOT_ORG_ADMIN");
                }
                Act::Again => {
                    if let Some((input, told)) = &last {
                        assert_eq!(carry_out(&own, "inviteUser", input).await, *told, "{input}");
                    }
                }
            }
        }
        invited
    }
}

/// Plays all scripts at once.
async fn play(portal: &Portal, world: &World, scripts: &[Script]) -> Vec<i64> {
    let writers = (0..).zip(scripts).map(|(nth, script)| async move {
        let writer = Writer { portal, world, nth };
        writer.play(script).await
    });
    join_all(writers).await.concat()
}

/// Until nobody else was faster.
async fn carry_out(client: &Client, name: &str, input: &Value) -> Value {
    loop {
        let answer = client.mutate(name, input.clone(), "").await;
        let payload = &answer.data()[name];
        if payload["userErrors"][0]["code"] != "VERSION_CONFLICT" {
            return answer.done()["position"].clone();
        }
    }
}

/// One page after `after`; moves `after` to its end.
async fn turn(client: &Client, direction: &str, first: usize, after: &mut Value) -> Vec<Place> {
    let variables = json!({ "first": first, "after": after, "direction": direction });
    let answer = client.send(PAGE, variables).await;
    let page = &answer.data()["auditEvents"];
    let places: Vec<_> = page["nodes"].as_array().expect("nodes").iter().map(place).collect();
    if !places.is_empty() {
        *after = page["pageInfo"]["endCursor"].clone();
    }
    assert!(places.len() <= first, "a page of {}", places.len());
    if places.is_empty() {
        tokio::time::sleep(PAUSE).await;
    }
    places
}

/// Reads on from the beginning until the last position, which is told when the writers are done.
async fn oldest_first(client: &Client, first: usize, last: watch::Receiver<i64>) -> Vec<Place> {
    let (mut read, mut after) = (Vec::<Place>::new(), Value::Null);
    loop {
        // Asked before the page: what it says was there when the page was read.
        let end = *last.borrow();
        let page = turn(client, "ASC", first, &mut after).await;
        for place in page {
            let before = read.last().map_or(0, |(position, _)| *position);
            assert_eq!(place.0, before + 1, "after {before} came {place:?}");
            read.push(place);
        }
        if end > 0 && read.last().is_some_and(|(position, _)| *position >= end) {
            return read;
        }
    }
}

/// Reads back from the newest, whichever that is by now.
async fn newest_first(client: &Client, first: usize) -> Vec<Place> {
    let (mut read, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = turn(client, "DESC", first, &mut after).await;
        // Until the first events are taken in there is no newest.
        if page.is_empty() && !read.is_empty() {
            return read;
        }
        read.extend(page);
    }
}

/// Follows from the beginning to the last position.
async fn follow(portal: &Portal, client: &Client, mut last: watch::Receiver<i64>) -> Vec<Place> {
    let mut subscription = portal.subscribe(client, APPENDED, Value::Null).await;
    let mut heard: Vec<Place> = Vec::new();
    let reached = |heard: &[Place], end: i64| end > 0 && heard.last().is_some_and(|p| p.0 >= end);
    loop {
        let end = *last.borrow_and_update();
        if reached(&heard, end) {
            return heard;
        }
        tokio::select! {
            event = subscription.next() => heard.push(place(&event["eventAppended"])),
            told = last.changed(), if end == 0 => told.expect("the end is told"),
        }
    }
}

/// What the journal holds, in the order of the whole log.
async fn kept(portal: &Portal, world: &World) -> Vec<Place> {
    let mut connection = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let question = "SELECT tenant_position, event_type FROM es.events
                     WHERE tenant_id = $1 ORDER BY position";
    let kept = sqlx::query_as(question).bind(world.tenant.0).fetch_all(&mut connection).await;
    kept.expect("the events are readable")
}

/// Reads and follows a tenant in three ways at once; gives what each of them saw.
async fn watch_tenant(
    portal: &Portal,
    world: &World,
    page: usize,
    last: watch::Receiver<i64>,
) -> [Vec<Place>; 3] {
    let auditor = portal.client_in(world, PRESET, &world.auditor).await;
    let upwards = oldest_first(&auditor, page, last.clone());
    let downwards = newest_first(&auditor, page);
    let followed = follow(portal, &auditor, last);
    let (upwards, downwards, followed) = tokio::join!(upwards, downwards, followed);
    [upwards, downwards, followed]
}

async fn check(portal: &Portal, case: usize, scripts: &[Vec<Script>; 2], page: usize) {
    let worlds = [
        portal.another_tenant(&format!("one-{case}"), PRESET).await,
        portal.another_tenant(&format!("two-{case}"), PRESET).await,
    ];
    let ends = [watch::Sender::new(0), watch::Sender::new(0)];
    let written = async {
        let both =
            join(play(portal, &worlds[0], &scripts[0]), play(portal, &worlds[1], &scripts[1]));
        let invited = both.await;
        // What the service adds by itself comes in order, too.
        portal.settle().await;
        for (world, end) in worlds.iter().zip(&ends) {
            let journal = &portal.service.commands.journal;
            let position = journal.tenant_position(world.tenant).await.expect("it answers");
            end.send_replace(position);
        }
        <[_; 2]>::from(invited)
    };
    let watched = join(
        watch_tenant(portal, &worlds[0], page, ends[0].subscribe()),
        watch_tenant(portal, &worlds[1], page, ends[1].subscribe()),
    );
    let (invited, watched) = join(written, watched).await;
    for (n, [upwards, mut downwards, followed]) in <[_; 2]>::from(watched).into_iter().enumerate() {
        let kept = kept(portal, &worlds[n]).await;
        let positions: Vec<i64> = kept.iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, (1..=*ends[n].borrow()).collect::<Vec<_>>(), "in the journal");
        assert_eq!(upwards, kept, "read oldest first");
        assert_eq!(followed, kept, "followed");
        downwards.reverse();
        assert_eq!(downwards, kept[..downwards.len()], "read newest first");
        let mut told: Vec<_> = invited[n].clone();
        told.sort_unstable();
        let invitations = kept.iter().filter(|(_, kind)| kind == INVITED);
        let invitations: Vec<_> = invitations.map(|(position, _)| *position).collect();
        assert_eq!(told, invitations, "each at the position its inviter was told");
    }
}

#[test]
fn gn_26_readers_get_every_position_once_and_in_order_while_others_write() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let portal = runtime.block_on(Portal::empty());
    let config = Config { cases: 6, failure_persistence: None, ..Config::default() };
    let case = Cell::new(0);
    let whatever = (scripts(), scripts(), 1..8_usize);
    let outcome = TestRunner::new(config).run(&whatever, |(one, two, page)| {
        case.set(case.get() + 1);
        runtime.block_on(check(&portal, case.get(), &[one, two], page));
        Ok(())
    });
    outcome.expect("every reader sees the journal's order");
    runtime.block_on(portal.finish());
}
