//! PINs by their ids, as in `pins` of the organisation the session acts for.

use std::collections::HashMap;

use async_graphql::{Context, Result};
use rollcall_commands::{Access, Caller};
use rollcall_domain::{policies::Feature, values::Npi};
use rollcall_projections::pins::{self as read_pins, PinFilter};
use uuid::Uuid;

use super::{
    queries::{Viewer, note_seen},
    types::Pin,
};
use crate::graphql::{
    errors::fault,
    reading::{policy, read_if_permitted},
};

/// The PINs of these ids, of NPIs the caller is assigned; none where the portal has no PINs.
///
/// # Errors
/// As [`read_if_permitted`].
pub async fn pins(ctx: &Context<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, Pin>> {
    let caller = ctx.data::<Caller>()?;
    let policy = policy(ctx).await?;
    let Some(organization) = caller.organization().filter(|_| policy.is_on(Feature::Pins)) else {
        return Ok(HashMap::new());
    };
    let Some(reading) = read_if_permitted(ctx, Access::Member(organization)).await? else {
        return Ok(HashMap::new());
    };
    let mut viewer = Viewer::of(ctx, reading, organization, policy).await?;
    let asked = |npi: &&Npi| ids.contains(&caller.tenant.pin_stream(npi));
    let npis: Vec<String> = viewer.npis().filter(asked).map(ToString::to_string).collect();
    let filter = PinFilter { organization, npis: &npis, search: None };
    let (page, now) = ((i64::try_from(npis.len()).unwrap_or(i64::MAX), None), viewer.now);
    let rows = read_pins::pins(&mut viewer.reading.view, filter, page, now).await;
    let rows = rows.map_err(|error| fault(&error))?;
    note_seen(ctx, &viewer.reading.authority, rows.iter()).await?;
    let shown = |row: read_pins::PinRow| {
        let id = caller.tenant.pin_stream(&Npi::parse(&row.npi).ok()?);
        Some((id, viewer.show(row)?))
    };
    Ok(rows.into_iter().filter_map(shown).collect())
}
