//! What people on a list may do now, by kinds of rights, and when they last used them (GN-16).
//!
//! Invariant: two statements for any number of people, and one for any number of items.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::permissions::right_use::RightKind;
use uuid::Uuid;

use super::{ItemView, item_row::PLAN_ROLE};
use crate::{Snapshot, access_register::Moment, right_use::AsOf};

/// A kind of right that somebody has in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldRight {
    pub kind: RightKind,
    /// For how many NPIs, features and so on.
    pub count: i64,
    /// Since when one of them is held.
    pub since: DateTime<Utc>,
    /// The last day on which any of them was used.
    pub used_on: Option<NaiveDate>,
}

/// The kinds of rights of each of these people in an organisation at a moment.
///
/// # Errors
/// The database's.
pub async fn held_rights(
    view: &mut Snapshot,
    (moment, day): (Moment, NaiveDate),
    (organization, users): (Uuid, &[Uuid]),
) -> Result<HashMap<Uuid, Vec<HeldRight>>, sqlx::Error> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let tenant = view.tenant().0;
    let held: Vec<(Uuid, String, i64, DateTime<Utc>)> = sqlx::query_as(
        "SELECT a.user_id, a.access_right, count(*), min(a.valid_from)
           FROM ops.effective_access($1, $2, $3, $4, $5, NULL) a
          WHERE a.organization_id = $5
          GROUP BY a.user_id, a.access_right ORDER BY a.user_id, a.access_right",
    )
    .bind(tenant)
    .bind(moment.true_at)
    .bind(moment.known_at)
    .bind(users.to_vec())
    .bind(organization)
    .fetch_all(view.connection())
    .await?;
    let as_of = AsOf { day, known_at: moment.known_at };
    let used = used(view, as_of, (organization, users)).await?;
    let mut rights: HashMap<Uuid, Vec<HeldRight>> = HashMap::new();
    for (user, word, count, since) in held {
        let Some(kind) = RightKind::parse(&word) else {
            return Err(sqlx::Error::Decode(format!("{word} is not known").into()));
        };
        let used_on = used.get(&(user, word)).copied();
        rights.entry(user).or_default().push(HeldRight { kind, count, since, used_on });
    }
    Ok(rights)
}

async fn used(
    view: &mut Snapshot,
    as_of: AsOf,
    (organization, users): (Uuid, &[Uuid]),
) -> Result<HashMap<(Uuid, String), NaiveDate>, sqlx::Error> {
    let days: Vec<(Uuid, String, NaiveDate)> = sqlx::query_as(
        "SELECT u.user_id, u.kind, max(u.day) FROM read.right_uses u
          WHERE u.tenant_id = $1 AND u.user_id = ANY ($2) AND u.organization_id = $3
            AND u.day <= $4 AND u.recorded_position <= $5
          GROUP BY u.user_id, u.kind",
    )
    .bind(view.tenant().0)
    .bind(users.to_vec())
    .bind(organization)
    .bind(as_of.day)
    .bind(as_of.known_at)
    .fetch_all(view.connection())
    .await?;
    Ok(days.into_iter().map(|(user, kind, day)| ((user, kind), day)).collect())
}

/// The use of the single right of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightUse {
    /// What it opens first, by which a use is told.
    pub kind: RightKind,
    /// The last day on which anything was used that it opens.
    pub used_on: Option<NaiveDate>,
}

/// What the right of an item opens; nothing for a membership.
fn opens(item: &ItemView) -> &'static [RightKind] {
    match item.row.kind.as_str() {
        "NPI_LEVEL" => &[RightKind::ViewNpi, RightKind::ManagePin],
        "CORRESPONDENCE" => &[RightKind::ReadCorrespondence],
        // Managing users is granted as a feature too.
        "FEATURE" if item.row.name.as_deref() == Some("USER_MANAGEMENT") => {
            &[RightKind::ManageUsers, RightKind::UseFeature]
        }
        "FEATURE" => &[RightKind::UseFeature],
        "JOB_ROLE" => &[RightKind::HoldJobRole],
        "LOCATION" => &[RightKind::ViewLocation, RightKind::ChooseLocation],
        "TAX_ID" => &[RightKind::ReadTaxId],
        "SUBMISSION" => &[RightKind::SubmitTransactions],
        PLAN_ROLE => &[RightKind::PlanRole],
        _ => &[],
    }
}

/// When the single rights of items were last used, by the items' numbers. A right for all NPIs or types
/// counts as used by any use of its kind.
///
/// # Errors
/// The database's.
pub async fn uses_of_items(
    view: &mut Snapshot,
    as_of: AsOf,
    organization: Uuid,
    items: &[ItemView],
) -> Result<HashMap<i32, RightUse>, sqlx::Error> {
    let wanted: Vec<(&ItemView, RightKind)> =
        items.iter().flat_map(|item| opens(item).iter().map(move |kind| (item, *kind))).collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let one = |word: &Option<String>| word.clone().filter(|word| word != "*");
    // The use of a role of the plan is told of no organisation; such roles are on no list with rights.
    let is_of_staff = items.iter().any(|item| item.row.is_plan_role());
    let place = if is_of_staff { Uuid::nil() } else { organization };
    // Managing users has nothing more to tell.
    let detail = |(item, kind): &(&ItemView, RightKind)| {
        one(&item.row.name).filter(|_| *kind != RightKind::ManageUsers)
    };
    let days: Vec<(i32, NaiveDate)> = sqlx::query_as(
        "SELECT w.item, max(u.day)
           FROM unnest($3::int[], $4::uuid[], $5::text[], $6::text[], $7::text[])
                  w(item, user_id, kind, npi, detail)
           JOIN read.right_uses u ON u.tenant_id = $1 AND u.user_id = w.user_id
            AND u.organization_id = $2 AND u.kind = w.kind
            AND (w.npi IS NULL OR u.npi = w.npi) AND (w.detail IS NULL OR u.detail = w.detail)
          WHERE u.day <= $8 AND u.recorded_position <= $9
          GROUP BY w.item",
    )
    .bind(view.tenant().0)
    .bind(place)
    .bind(wanted.iter().map(|(item, _)| item.row.item).collect::<Vec<_>>())
    .bind(wanted.iter().map(|(item, _)| item.row.user_id).collect::<Vec<_>>())
    .bind(wanted.iter().map(|(_, kind)| kind.as_str()).collect::<Vec<_>>())
    .bind(wanted.iter().map(|(item, _)| one(&item.row.npi)).collect::<Vec<_>>())
    .bind(wanted.iter().map(detail).collect::<Vec<_>>())
    .bind(as_of.day)
    .bind(as_of.known_at)
    .fetch_all(view.connection())
    .await?;
    let days: HashMap<i32, NaiveDate> = days.into_iter().collect();
    let of = |item: &ItemView| {
        let kind = *opens(item).first()?;
        let used_on = days.get(&item.row.item).copied();
        Some((item.row.item, RightUse { kind, used_on }))
    };
    Ok(items.iter().filter_map(of).collect())
}
