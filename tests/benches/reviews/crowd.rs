//! Many more members for the population's organisations.
//!
//! Invariant: what is recorded is what invitations that were completed at once would have left.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use rollcall_domain::{kernel::ids::TenantId, permissions::NpiLevel, policies::Preset};
use rollcall_journal::{Journal, JournalConfig, SystemClock, pools};
use sqlx::postgres::PgConnectOptions;

use super::{
    population::{Population, Practice, SLUG},
    seed::Seeder,
};

/// Members of the first organisation beside those whose access ends.
pub const SPARE: usize = 1_000;
/// Members of one commit.
const AT_ONCE: usize = 50;
/// Organisations at the same time; their commits go together.
const SIDE_BY_SIDE: usize = 8;
/// From which number on its people are counted: the others' telephones are below.
const FIRST: u32 = 100_000;

/// Lets people join until there are `items` members in all, `first` of them in the first organisation.
pub async fn join(
    database: &PgConnectOptions,
    population: &mut Population,
    items: usize,
    first: usize,
) {
    let config = JournalConfig {
        writer: pools::writer(database.clone(), 16).await.expect("the server answers"),
        master: population.master.clone(),
        clock: Arc::new(SystemClock),
        injected_time: false,
        cache_states: 100_000,
    };
    let journal = Journal::open(config).await.expect("the log opens");
    let there: usize = population.practices.iter().map(|it| it.people.len()).sum();
    let others = population.practices.len() - 1;
    let rest = items.saturating_sub(there + first);
    let shares = population.practices.iter().enumerate().map(|(nth, practice)| {
        let share =
            if nth == 0 { first } else { rest / others + usize::from(nth <= rest % others) };
        (nth, practice, share)
    });
    stream::iter(shares)
        .for_each_concurrent(SIDE_BY_SIDE, |(nth, practice, share)| {
            Box::pin(come(&journal, practice, (nth, share)))
        })
        .await;
    let position = journal.tenant_position(population.world.tenant).await;
    population.events = position.expect("the log answers");
}

async fn come(journal: &Journal, practice: &Practice, (nth, share): (usize, usize)) {
    let mut come = 0;
    while come < share {
        let some = AT_ONCE.min(share - come);
        let mut seeder = Seeder::begin(journal, TenantId::of_slug(SLUG), Preset::MediCal);
        for member in come..come + some {
            // The names are those of nobody else, and the telephones as well.
            seeder.people = FIRST + (exchange(nth) * 10_000 + member) as u32;
            let surname = format!("Member{nth}x{member}");
            let level = Some(NpiLevel::Processor);
            seeder.member(&practice.company, "Casey", &surname, level).await;
        }
        seeder.commit().await;
        come += some;
    }
}

/// Each organisation has a telephone exchange of its own; 611 and 711, which nobody has, are passed over.
const fn exchange(nth: usize) -> usize {
    match nth {
        0..46 => nth,
        46..145 => nth + 1,
        _ => nth + 2,
    }
}
