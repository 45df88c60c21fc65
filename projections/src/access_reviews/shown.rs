//! The hash of what a page of items shows. Invariant: no name is in it, so an erasure leaves it as it is;
//! the same page at the same position has the same hash.

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::access_reviews::Recommendation;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{HeldRight, ItemView, RightUse};

/// An item as it is hashed: by ids, words and moments.
#[derive(Serialize)]
struct Shown<'a> {
    item: i32,
    user: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    right: Option<ShownItemRight<'a>>,
    member_since: Option<DateTime<Utc>>,
    granted_at: Option<DateTime<Utc>>,
    grant_position: Option<i64>,
    last_sign_in_at: Option<DateTime<Utc>>,
    rights: Vec<ShownRight>,
    previous_decision: Option<&'a str>,
    previous_at: Option<DateTime<Utc>>,
    recommendation: Option<&'a Recommendation>,
    outcome: &'a str,
    decision: Option<&'a str>,
    decided_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    by_policy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_place_of: Option<Uuid>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    waits_for_closing: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    needed: Option<bool>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    awaits_second: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_by: Option<Uuid>,
    delegated_to: Option<Uuid>,
    is_member: bool,
    present_role: Option<&'a str>,
}

/// The single right of an item, when the list was frozen and now.
#[derive(Serialize)]
struct ShownItemRight<'a> {
    kind: &'a str,
    npi: Option<&'a str>,
    name: Option<&'a str>,
    level: Option<&'a str>,
    until: Option<DateTime<Utc>>,
    is_held: bool,
    present_level: Option<&'a str>,
    present_until: Option<DateTime<Utc>>,
    used_on: Option<NaiveDate>,
    #[serde(skip_serializing_if = "<[Uuid]>::is_empty")]
    organizations: &'a [Uuid],
    #[serde(skip_serializing_if = "<[Uuid]>::is_empty")]
    present_organizations: &'a [Uuid],
}

#[derive(Serialize)]
struct ShownRight {
    right: &'static str,
    count: i64,
    since: DateTime<Utc>,
    used_on: Option<NaiveDate>,
}

/// What stands beside an item of a page.
#[derive(Clone, Copy, Debug)]
pub struct BesideItem<'a> {
    pub held: &'a [HeldRight],
    /// Of a single right.
    pub used: Option<&'a RightUse>,
    /// Of a key, the day on which it was last used, as it is shown.
    pub key_used_on: Option<NaiveDate>,
    pub recommendation: Option<&'a Recommendation>,
}

/// SHA-256 of the canonical JSON (RFC 8785) of the items of a page, each with what stands beside it.
///
/// # Panics
/// Never in practice: plain values have a canonical form.
#[must_use]
pub fn shown_sha256<'a>(
    page: impl IntoIterator<Item = (&'a ItemView, BesideItem<'a>)>,
) -> [u8; 32] {
    let shown: Vec<Shown<'_>> = page.into_iter().map(shown).collect();
    canonical_sha256(&shown)
}

/// SHA-256 of the canonical JSON (RFC 8785) of what somebody is shown.
///
/// # Panics
/// Never in practice: plain values have a canonical form.
#[must_use]
pub fn canonical_sha256(shown: &impl Serialize) -> [u8; 32] {
    Sha256::digest(serde_json_canonicalizer::to_vec(shown).expect("plain values")).into()
}

fn item_right<'a>(item: &'a ItemView, beside: BesideItem<'_>) -> Option<ShownItemRight<'a>> {
    let row = &item.row;
    row.is_right().then(|| ShownItemRight {
        kind: &row.kind,
        npi: row.npi.as_deref(),
        name: row.name.as_deref(),
        level: row.level.as_deref(),
        until: row.until,
        is_held: item.is_held,
        present_level: item.present_level.as_deref(),
        present_until: item.present_until,
        used_on: beside.used.and_then(|used| used.used_on).or(beside.key_used_on),
        organizations: &item.listed_organizations,
        present_organizations: &item.present_organizations,
    })
}

fn shown<'a>((item, beside): (&'a ItemView, BesideItem<'a>)) -> Shown<'a> {
    let BesideItem { held, recommendation, .. } = beside;
    let right = |right: &HeldRight| ShownRight {
        right: right.kind.as_str(),
        count: right.count,
        since: right.since,
        used_on: right.used_on,
    };
    Shown {
        item: item.row.item,
        user: item.row.user_id,
        role: item.row.org_role.as_deref(),
        right: item_right(item, beside),
        member_since: item.member_since,
        granted_at: item.granted_at,
        grant_position: item.grant_position,
        last_sign_in_at: item.last_login_at,
        rights: held.iter().map(right).collect(),
        previous_decision: item.previous_decision.as_deref(),
        previous_at: item.previous_at,
        recommendation,
        outcome: &item.row.outcome,
        decision: item.row.decision.as_deref(),
        decided_at: item.row.decided_at,
        by_policy: item.row.by_policy,
        in_place_of: item.row.in_place_of,
        waits_for_closing: item.row.waits,
        refusal: item.row.refusal.as_ref().map(|refusal| refusal.0.code.as_str()),
        needed: item.row.needed,
        awaits_second: item.row.awaits_second,
        confirmed_by: item.row.confirmed_by,
        delegated_to: item.row.delegated_to,
        is_member: item.is_member,
        present_role: item.present_role.as_deref(),
    }
}
