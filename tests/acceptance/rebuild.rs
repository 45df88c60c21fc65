//! Every projection, rebuilt from the log, gives the rows it has: in one go or as events came.

use rollcall_domain::{
    Actor, AnyEvent,
    organizations::{Organization, OrganizationCommand},
    values::Npi,
};
use rollcall_journal::{Reader, pools, rebuild::verify_rebuild};

use crate::support::Portal;

#[tokio::test]
async fn gn_29_every_projection_rebuilt_equals_the_one_that_followed() {
    let portal = Portal::medi_cal().await;
    let world = portal.world();
    let journal = &portal.service.commands.journal;
    // One event at a time, so that the running projections take them in batches of their own.
    for npi in &world.clinic.npis {
        let detach = OrganizationCommand::DetachNpi {
            npi: Npi::parse(npi).expect("a valid NPI"),
            effective_at: journal.now(),
            reason: None,
        };
        portal.record::<Organization>(Actor::SYSTEM, world.clinic.id.0, detach).await;
    }
    portal.settle().await;
    let owner = portal.database();
    let pool = pools::runner(owner.clone(), 2).await.expect("a pool");
    let reader: Reader<AnyEvent> = Reader::new(pool, journal.keys().clone());
    for projection in rollcall_projections::all() {
        let found = verify_rebuild(&owner, &reader, &projection).await.expect("it rebuilds");
        assert!(found.is_empty(), "{} differs: {found:?}", projection.name());
    }
    portal.finish().await;
}
