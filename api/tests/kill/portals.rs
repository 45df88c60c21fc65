//! The portals written to: seeded tenants, each with sessions of two administrators of its clinic.

use std::{path::Path, sync::Arc};

use rollcall_domain::{
    kernel::ids::{MembershipId, OrganizationId, TenantId, UserId},
    organizations::OrganizationKind,
    policies::Preset,
};
use rollcall_journal::{Journal, JournalConfig, SystemClock, pools};
use uuid::Uuid;

use crate::{
    ground,
    seed::{self, Seeder, World},
};

const SLUGS: [&str; 8] =
    ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];
const PRESET: Preset = Preset::MediCal;

/// An administrator's session, and the permission that nobody else sets.
pub struct Post {
    pub tenant: TenantId,
    pub slug: String,
    pub token: String,
    pub organization: OrganizationId,
    pub member: UserId,
    pub npi: String,
}

impl Post {
    /// The stream of the member's permissions.
    pub fn membership(&self) -> Uuid {
        MembershipId::of(self.tenant, self.member, self.organization).0
    }
}

/// Seeds one portal of the service that runs in the folder.
pub fn open_one(folder: &Path, slug: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    runtime.block_on(async {
        let journal = journal(folder).await;
        Box::pin(seed::world(&journal, slug, PRESET)).await;
    });
}

/// Plain members of each of [`open_many`]'s organisations.
pub const MEMBERS: usize = 3;

/// Somebody of the plan, signed in.
pub struct Plan {
    pub token: String,
}

/// Seeds one portal with so many organisations more, each with an administrator and [`MEMBERS`].
pub async fn open_many(folder: &Path, slug: &str, organizations: usize) -> Plan {
    let journal = journal(folder).await;
    let world = Box::pin(seed::world(&journal, slug, PRESET)).await;
    for nth in 0..organizations {
        let mut seeder = Seeder::begin(&journal, world.tenant, PRESET);
        seeder.people = (100 + nth * (MEMBERS + 1)) as u32;
        let company =
            seeder.company(&format!("Practice {nth}"), OrganizationKind::Provider, &[]).await;
        seeder.first_admin(&company, "Ada", &format!("Admin{nth}")).await;
        for member in 0..MEMBERS {
            seeder.member(&company, "Max", &format!("Member{nth}x{member}"), None).await;
        }
        seeder.commit().await;
    }
    Plan { token: seed::sign_in(&journal, world.tenant, PRESET, &world.plan_admin).await }
}

/// Seeds one portal with an organisation of an administrator and so many plain members.
pub async fn open_large(folder: &Path, slug: &str, members: usize) -> (Plan, OrganizationId) {
    let journal = journal(folder).await;
    let world = Box::pin(seed::world(&journal, slug, PRESET)).await;
    let mut seeder = Seeder::begin(&journal, world.tenant, PRESET);
    seeder.people = 100;
    let company = seeder.company("Large practice", OrganizationKind::Provider, &[]).await;
    seeder.first_admin(&company, "Ada", "Admin").await;
    for member in 0..members {
        seeder.member(&company, "Max", &format!("Member{member}"), None).await;
    }
    seeder.commit().await;
    let token = seed::sign_in(&journal, world.tenant, PRESET, &world.plan_admin).await;
    (Plan { token }, company.id)
}

async fn journal(folder: &Path) -> Journal {
    let writer = pools::writer(ground::database(folder), 4).await.expect("the database answers");
    let master = ground::master_key(folder);
    let clock = Arc::new(SystemClock);
    let config = JournalConfig { writer, master, clock, injected_time: false, cache_states: 1000 };
    Journal::open(config).await.expect("the service has migrated")
}

/// Seeds the portals of the service that runs in the folder and gives `count` posts, the portals
/// taking turns.
pub async fn open(folder: &Path, count: usize) -> Vec<Post> {
    let journal = journal(folder).await;
    let mut worlds = Vec::new();
    for slug in SLUGS {
        let world = Box::pin(seed::world(&journal, slug, PRESET)).await;
        seed::newcomer(&journal, PRESET, &world).await;
        worlds.push(world);
    }
    let mut posts = Vec::new();
    for nth in 0..count {
        posts.push(post(&journal, &worlds[nth % worlds.len()], nth / worlds.len()).await);
    }
    posts
}

async fn post(journal: &Journal, world: &World, nth: usize) -> Post {
    let admin = [&world.clinic_admin, &world.clinic_second_admin][nth % 2];
    let npis = &world.clinic.npis;
    // The processor's level for the first NPI is the one that writers begin with: nobody's turn.
    let members = [&world.newcomer, &world.npi_admin, &world.processor];
    Post {
        tenant: world.tenant,
        slug: world.slug.clone(),
        token: seed::sign_in(journal, world.tenant, PRESET, admin).await,
        organization: world.clinic.id,
        member: members[nth / npis.len()].user,
        npi: npis[(nth + 1) % npis.len()].clone(),
    }
}
