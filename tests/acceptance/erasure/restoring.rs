//! What becomes of an erasure when an older copy of the database is put back, when projections are
//! built anew, and when the log is checked.

use rollcall_domain::users::user::{User, UserEvent};
use rollcall_projections::proof::check::check;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{approve, deactivate, erase, keep_until_the_end, request, told};
use crate::support::Portal;

/// Whether the log knows the first name of somebody.
async fn is_known(portal: &Portal, user: rollcall_domain::kernel::ids::UserId) -> bool {
    let journal = &portal.service.commands.journal;
    let events = journal.events::<User>(portal.world().tenant, user.0).await.expect("events");
    matches!(&events[0], UserEvent::UserRegistered { first_name, .. } if first_name.get().is_some())
}

#[tokio::test]
async fn gn_27_an_older_database_put_back_has_the_erased_erased_again_before_it_answers() {
    let portal = Portal::medi_cal().await;
    let paul = portal.world().processor.clone();
    deactivate(&portal, &paul, "left").await;
    keep_until_the_end(&portal, paul.user.0).await;
    let (portal, backup) = portal.backed_up().await;
    erase(&portal, paul.user.0).await;
    assert!(!is_known(&portal, paul.user).await);
    let ledger = portal.folder().join("erasures.txt");
    let written = std::time::Instant::now();
    while !std::fs::read_to_string(&ledger).is_ok_and(|it| it.contains(&paul.user.to_string())) {
        assert!(written.elapsed() < std::time::Duration::from_secs(5), "the ledger has no line");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    let portal = portal.restored(backup).await;
    assert!(!is_known(&portal, paul.user).await, "the restored database has the person again");
    portal.settle().await;
    let filter = json!({ "types": ["audit.erasure.person_erased"] });
    let story = told(&portal, filter.clone()).await;
    assert_eq!(story.len(), 1);
    assert!(story[0].starts_with("Rollcall erased a person who was erased ("), "{story:?}");
    assert!(story[0].ends_with("an older database was put back."), "{story:?}");
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let people: i64 = sqlx::query_scalar("SELECT count(*) FROM read.people WHERE user_id = $1")
        .bind(paul.user.0)
        .fetch_one(&mut session)
        .await
        .expect("a count");
    assert_eq!(people, 0);
    session.close().await.expect("the session ends");

    // Started once more, it finds nothing to do.
    let (portal, copy) = portal.backed_up().await;
    portal.settle().await;
    assert_eq!(told(&portal, filter).await.len(), 1);
    let portal = portal.restored(copy).await;
    portal.settle().await;
    portal.finish().await;
}

#[tokio::test]
async fn gn_27_the_log_is_proven_as_before_and_projections_built_anew_are_the_same() {
    let portal = Portal::medi_cal().await;
    let world = portal.world().clone();
    deactivate(&portal, &world.processor, "left").await;
    keep_until_the_end(&portal, world.processor.user.0).await;
    let mut session = PgConnection::connect_with(&portal.database()).await.expect("it answers");
    let hashes = "SELECT md5(string_agg(payload::text || metadata::text, '' ORDER BY position))
                    FROM es.events WHERE position <= $1";
    let (head, before): (i64, String) = {
        let head: i64 = sqlx::query_scalar("SELECT max(position) FROM es.events")
            .fetch_one(&mut session)
            .await
            .expect("a position");
        let hash = sqlx::query_scalar(hashes).bind(head).fetch_one(&mut session).await;
        (head, hash.expect("a hash"))
    };
    request(&portal.client(&world.plan_admin).await, world.processor.user.0).await.done();
    approve(&portal.client(&world.second_plan_admin).await, world.processor.user.0).await.done();
    portal.settle().await;
    let after: String =
        sqlx::query_scalar(hashes).bind(head).fetch_one(&mut session).await.expect("a hash");
    assert_eq!(after, before, "events are what they were, to the byte");
    let checked = check(&mut session, world.tenant, &[]).await.expect("a check");
    assert_eq!(checked.faults, Vec::<String>::new());
    session.close().await.expect("the session ends");
    crate::rebuild::every_rebuild_agrees(&portal).await;
    portal.finish().await;
}
