//! Questions about PINs. Invariant: a reader sees the NPIs they are assigned now, by the same rule
//! that decides about a reveal (MC-49).

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use rollcall_commands::{Access, Authority, Caller, Commands, pins::npi_levels};
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::{OrganizationId, UserId},
    organizations::{OrgRole, Organization},
    permissions::{
        NpiLevel, manages_pin,
        right_use::{RightKind, UsedRight},
    },
    policies::{Feature, Policy},
    values::Npi,
};
use rollcall_projections::{people, pins as read_pins, pins::PinFilter};

use super::types::{Pin, PinConnection, PinHistoryConnection, PinHistoryEntry, Seen};
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    paging::{Page, Rows},
    reading::{Reading, policy, read},
    scalars::{NpiScalar, Position},
    vocabulary::field,
};

/// Questions about PINs.
#[derive(Default)]
pub struct PinQuery;

#[Object]
impl PinQuery {
    /// The NPIs the reader is assigned in an organisation, by provider name. Processors see them
    /// too, without view and reset (MC-50).
    async fn pins(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        #[graphql(desc = "Part of a provider's name or of an NPI (MC-51).")] search: Option<String>,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<PinConnection> {
        let page = Page::new(first, after).map_err(top_level)?;
        let mut viewer = Viewer::open(ctx, &organization_id, min_position).await?;
        let npis: Vec<String> = viewer.levels.keys().map(ToString::to_string).collect();
        let search = search.as_deref().filter(|text| !text.trim().is_empty());
        let filter = PinFilter { organization: viewer.organization, npis: &npis, search };
        let (asked, now) = ((page.first + 1, page.after.as_ref()), viewer.now);
        let view = &mut viewer.reading.view;
        let rows = read_pins::pins(view, filter, asked, now).await.map_err(|e| fault(&e))?;
        // One more is read than is shown, to tell whether there is a next page.
        let page_size = usize::try_from(page.first).unwrap_or(usize::MAX);
        note_seen(ctx, &viewer.reading.authority, rows.iter().take(page_size)).await?;
        let view = &mut viewer.reading.view;
        let total = if ctx.look_ahead().field("totalCount").exists() {
            Some(read_pins::count_pins(view, filter).await.map_err(|e| fault(&e))?)
        } else {
            None
        };
        let rows = rows.into_iter().filter_map(|row| Some((row.key(), viewer.show(row)?)));
        Ok(PinConnection::of(&page, Rows { rows: rows.collect(), total }))
    }

    /// One NPI and its PIN, without the PIN's value (MC-53).
    async fn pin(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        npi: NpiScalar,
        min_position: Option<Position>,
    ) -> Result<Option<Pin>> {
        let (viewer, row) = find(ctx, &organization_id, &npi, min_position).await?;
        note_seen(ctx, &viewer.reading.authority, row.iter()).await?;
        Ok(row.and_then(|row| viewer.show(row)))
    }

    /// Who was shown an NPI's PIN and who reset it while this organisation held it, newest first;
    /// for those who may manage the PIN and for the organisation's administrators (MC-52).
    async fn pin_history(
        &self,
        ctx: &Context<'_>,
        organization_id: ID,
        npi: NpiScalar,
        first: Option<i32>,
        after: Option<String>,
        min_position: Option<Position>,
    ) -> Result<PinHistoryConnection> {
        let page: Page<i64> = Page::new(first, after).map_err(top_level)?;
        let npi = field("npi", Npi::parse(&npi.0)).map_err(top_level)?;
        let mut viewer = Viewer::open(ctx, &organization_id, min_position).await?;
        viewer.require_history(&npi).map_err(top_level)?;
        let asked = (page.first + 1, page.after);
        let view = &mut viewer.reading.view;
        let rows = read_pins::pin_history(view, viewer.organization, npi.as_str(), asked)
            .await
            .map_err(|error| fault(&error))?;
        let actors: Vec<UserId> = rows.iter().filter_map(|row| row.actor_id).map(UserId).collect();
        let persons = people::persons(view, &actors).await.map_err(|error| fault(&error))?;
        let entries = rows.into_iter().map(|row| {
            let person = row.actor_id.and_then(|id| persons.get(&UserId(id)));
            (row.position, PinHistoryEntry::of(row, person))
        });
        Ok(PinHistoryConnection::of(&page, Rows { rows: entries.collect(), total: None }))
    }
}

/// Who is shown an NPI uses the right to see it (GN-16).
///
/// # Errors
/// A fault.
pub(super) async fn note_seen(
    ctx: &Context<'_>,
    authority: &Authority,
    shown: impl Iterator<Item = &read_pins::PinRow>,
) -> Result<()> {
    let npis = shown.filter_map(|row| Npi::parse(&row.npi).ok());
    let used = npis.map(|npi| UsedRight::to_npi(RightKind::ViewNpi, &npi)).collect();
    let (commands, tenant) = (ctx.data::<Commands>()?, ctx.data::<Caller>()?.tenant);
    commands.note_question(tenant, "pins", authority, used).await;
    Ok(())
}

/// One NPI as the caller sees it, after a mutation that was about it.
///
/// # Errors
/// FORBIDDEN for NPI_NOT_PERMITTED, or as [`read`].
pub(super) async fn pin_of(
    ctx: &Context<'_>,
    organization_id: &ID,
    npi: &NpiScalar,
    min_position: Option<Position>,
) -> Result<Option<Pin>> {
    let (viewer, row) = find(ctx, organization_id, npi, min_position).await?;
    Ok(row.and_then(|row| viewer.show(row)))
}

async fn find<'a>(
    ctx: &Context<'a>,
    organization_id: &ID,
    npi: &NpiScalar,
    min_position: Option<Position>,
) -> Result<(Viewer<'a>, Option<read_pins::PinRow>)> {
    let npi = field("npi", Npi::parse(&npi.0)).map_err(top_level)?;
    let mut viewer = Viewer::open(ctx, organization_id, min_position).await?;
    if !viewer.levels.contains_key(&npi) {
        return Err(top_level(not_permitted()));
    }
    let (organization, now) = (viewer.organization, viewer.now);
    let row = read_pins::pin(&mut viewer.reading.view, organization, npi.as_str(), now)
        .await
        .map_err(|error| fault(&error))?;
    Ok((viewer, row))
}

/// An authorised reader with the NPIs they are assigned.
pub(super) struct Viewer<'a> {
    pub(super) reading: Reading<'a>,
    organization: OrganizationId,
    levels: BTreeMap<Npi, NpiLevel>,
    policy: Arc<Policy>,
    pub(super) now: DateTime<Utc>,
}

impl<'a> Viewer<'a> {
    async fn open(
        ctx: &Context<'a>,
        organization_id: &ID,
        min_position: Option<Position>,
    ) -> Result<Self> {
        let organization: OrganizationId =
            NodeType::Organization.parse(organization_id, "organizationId").map_err(top_level)?;
        let reading = read(ctx, Access::Member(organization), min_position).await?;
        let policy = policy(ctx).await?;
        policy.require(Feature::Pins).map_err(top_level)?;
        Self::of(ctx, reading, organization, policy).await
    }

    /// A reader that was found to be a member, in a portal with PINs.
    pub(super) async fn of(
        ctx: &Context<'a>,
        reading: Reading<'a>,
        organization: OrganizationId,
        policy: Arc<Policy>,
    ) -> Result<Self> {
        let (journal, tenant) = (&ctx.data::<Commands>()?.journal, ctx.data::<Caller>()?.tenant);
        let now = journal.now();
        let state = journal
            .load::<Organization>(tenant, organization.0)
            .await
            .map_err(|error| fault(&error))?
            .state;
        let levels = npi_levels(&reading.authority, &state, &policy, now);
        Ok(Self { reading, organization, levels, policy, now })
    }

    /// The NPIs they are assigned.
    pub(super) fn npis(&self) -> impl Iterator<Item = &Npi> {
        self.levels.keys()
    }

    pub(super) fn show(&self, row: read_pins::PinRow) -> Option<Pin> {
        let npi = Npi::parse(&row.npi).ok()?;
        let level = *self.levels.get(&npi)?;
        let tenant = self.reading.view.tenant();
        Some(Seen { tenant, policy: &self.policy, now: self.now }.pin(&npi, level, row))
    }

    fn require_history(&self, npi: &Npi) -> Result<(), Refusal> {
        let level = self.levels.get(npi).copied().unwrap_or_default();
        let is_admin = self.reading.authority.org_role == Some(OrgRole::Admin);
        if is_admin || manages_pin(level, &self.policy) { Ok(()) } else { Err(not_permitted()) }
    }
}

fn not_permitted() -> Refusal {
    Refusal::new(
        Code::NpiNotPermitted,
        "You are not assigned this NPI, or not for its PIN. Ask your administrator.",
    )
    .at("npi")
}
