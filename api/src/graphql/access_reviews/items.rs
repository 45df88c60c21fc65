//! A page of a review's list, and the receipt of what it shows.
//!
//! Invariant: the same few statements however long the page is; the hash is of what is answered, without
//! names, so that it is the same for whoever looks again at that position.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_graphql::{Context, ID, Lookahead, Result};
use rollcall_commands::{Commands, access_reviews::receipt};
use rollcall_domain::{
    access_reviews::{self, AccessReviewEvent, DECIDED_AT_ONCE, Leftover, Recommendation},
    hex,
    kernel::ids::AccessReviewId,
    policies::Policy,
};
use rollcall_projections::{
    Snapshot, access_register,
    access_register::{Cause, Moment, Names},
    access_reviews::{
        AccessReviewRow, Advising, BesideItem, HeldRight, ItemFilter, ItemRow, ItemView, RightUse,
        advise, held_rights, items, recommendations, reviews_by_id, shown_sha256, uses_of_items,
    },
    audit_timeline::{self, Sight},
    right_use::{AsOf, Noting},
};
use uuid::Uuid;

use super::{
    granted::{ReviewedGrant, ReviewedKind, level},
    item_types::{
        AccessReviewItem, AccessReviewItemConnection, AccessReviewItemEdge, CarriedForward,
        PreviousReviewDecision, ReviewLeftover, ReviewOutcome, ReviewRecommendation, ReviewVerdict,
        ReviewedRight, SelfAttestation,
    },
    queries::role,
    sight::{Looking, looking},
};
use crate::graphql::{
    audit::{AuditEvent, PersonReference},
    errors::fault,
    ids::NodeType,
    paging::{Page, PageInfo, cursor},
    permissions::last_use::LastUse,
    reading::{caller, lowest, policy},
    scalars::{Date, DateTime, Position},
};

/// Which page of which list.
pub(super) struct Asked<'a> {
    pub review: &'a AccessReviewRow,
    pub filter: ItemFilter,
    pub page: Page<i32>,
}

/// What stands beside a page's items.
struct Beside<'a> {
    policy: &'a Policy,
    names: Names,
    events: HashMap<i64, AuditEvent>,
    rights: HashMap<Uuid, Vec<HeldRight>>,
    uses: HashMap<i32, RightUse>,
    advice: BTreeMap<i32, Recommendation>,
    noting: Noting,
    reasons: HashMap<i64, String>,
}

/// The page with its receipt.
///
/// # Errors
/// A fault.
pub(super) async fn page_of(
    ctx: &Context<'_>,
    looking: &mut Looking<'_>,
    asked: Asked<'_>,
) -> Result<AccessReviewItemConnection> {
    let (view, page) = (&mut looking.reading.view, &asked.page);
    let wanted = (page.first + 1, page.after);
    let now = ctx.data::<Commands>()?.journal.now();
    let mut found =
        items(view, asked.review, (&asked.filter, now), wanted).await.map_err(|e| fault(&e))?;
    let first = usize::try_from(page.first).unwrap_or(0);
    let has_next_page = found.len() > first;
    found.truncate(first);
    let position = lowest(view);
    let policy = policy(ctx).await?;
    let beside = beside(ctx, view, (asked.review, &looking.sight), &policy, &found).await?;
    let of = |item: &ItemView| beside.rights.get(&item.row.user_id).cloned().unwrap_or_default();
    let held: Vec<Vec<HeldRight>> = found.iter().map(of).collect();
    let shown = found.iter().zip(&held).map(|(item, held)| {
        let number = &item.row.item;
        let (used, recommendation) = (beside.uses.get(number), beside.advice.get(number));
        let key_used_on = item.key_used_at.map(|at| policy.time_zone().local_date(at));
        (item, BesideItem { held, used, key_used_on, recommendation })
    });
    let sha256 = shown_sha256(shown);
    let secrets = ctx.data::<Commands>()?.journal.secrets();
    let receipt = caller(ctx)?.user().map(|user| receipt::issue(secrets, user, position, sha256));
    let edges: Vec<AccessReviewItemEdge> = found
        .into_iter()
        .map(|item| AccessReviewItemEdge {
            cursor: cursor(&item.row.item),
            node: node(item, &beside),
        })
        .collect();
    Ok(AccessReviewItemConnection {
        nodes: edges.iter().map(|edge| edge.node.clone()).collect(),
        page_info: PageInfo {
            has_next_page,
            has_previous_page: asked.page.after.is_some(),
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        },
        edges,
        receipt,
        position: Position(position),
        sha256: hex(&sha256),
    })
}

/// What is recommended about items, to be written down with what is decided about them; nothing to whom
/// the review is not there.
///
/// # Errors
/// A fault.
pub(super) async fn advice(
    ctx: &Context<'_>,
    review: AccessReviewId,
    items: &[u32],
) -> Result<BTreeMap<u32, Recommendation>> {
    let Some(mut looking) = looking(ctx, None, None).await? else { return Ok(BTreeMap::new()) };
    let (seen, view) = (looking.seen.clone(), &mut looking.reading.view);
    let found = reviews_by_id(view, seen, &[review.0]).await.map_err(|error| fault(&error))?;
    let Some(found) = found.into_iter().next().filter(|_| items.len() <= DECIDED_AT_ONCE) else {
        return Ok(BTreeMap::new());
    };
    let policy = policy(ctx).await?;
    let advising = Advising { policy: &policy, now: ctx.data::<Commands>()?.journal.now() };
    recommendations(view, &found.row, items, advising).await.map_err(|error| fault(&error))
}

async fn beside<'a>(
    ctx: &Context<'_>,
    view: &mut Snapshot,
    (review, sight): (&AccessReviewRow, &Sight),
    policy: &'a Policy,
    found: &[ItemView],
) -> Result<Beside<'a>> {
    let now = ctx.data::<Commands>()?.journal.now();
    let known_at = view.position_of(access_register::NAME);
    let moment = (Moment { true_at: now, known_at }, policy.time_zone().local_date(now));
    // Who holds a role of the plan has no rights in it as in an organisation.
    let members = found.iter().filter(|item| !item.row.is_plan_role());
    let users: Vec<Uuid> = members.map(|item| item.row.user_id).collect();
    let organization = review.organization_id;
    let rights = held_rights(view, moment, (organization, &users)).await.map_err(|e| fault(&e))?;
    let as_of = AsOf { day: moment.1, known_at };
    let uses = uses_of_items(view, as_of, organization, found).await.map_err(|e| fault(&e))?;
    let noting = Noting::read(view).await.map_err(|e| fault(&e))?;
    let people: BTreeSet<Uuid> = found.iter().flat_map(people).collect();
    let names = access_register::names(view, people, [].into()).await.map_err(|e| fault(&e))?;
    let grants: Vec<i64> = found.iter().filter_map(|item| item.grant_position).collect();
    let told = audit_timeline::told_at(view, sight, &grants).await.map_err(|e| fault(&e))?;
    let events = told.into_iter().map(|entry| (entry.position, AuditEvent::from(entry)));
    let events = events.collect();
    let advising = Advising { policy, now };
    let advice = found.iter().filter_map(|item| {
        let held = rights.get(&item.row.user_id).map_or(&[][..], Vec::as_slice);
        // What was advised is told as it was; what is advised now is of no use to who decided.
        let then = item.row.recommendation.as_ref().map(|then| then.0.clone());
        let advised = match item.row.decision {
            Some(_) => then,
            None => advise(advising, item, (held, uses.get(&item.row.item)), &noting),
        };
        Some((item.row.item, advised?))
    });
    let advice = advice.collect();
    let reasons = reasons(ctx, view, found).await?;
    Ok(Beside { policy, names, events, rights, uses, advice, noting, reasons })
}

/// Whom an item names.
fn people(item: &ItemView) -> Vec<Uuid> {
    let ItemView { row, previous_by, .. } = item;
    let beside = [row.in_place_of, row.confirmed_by, row.certified_by];
    let others = [row.decided_by, row.delegated_to, *previous_by].into_iter().chain(beside);
    others.into_iter().flatten().chain([row.user_id]).collect()
}

/// What was written with decisions and statements, by the positions of their events; opened only when it was
/// asked for.
async fn reasons(
    ctx: &Context<'_>,
    view: &Snapshot,
    found: &[ItemView],
) -> Result<HashMap<i64, String>> {
    let look = ctx.look_ahead();
    let nodes = [look.field("nodes"), look.field("edges").field("node")];
    let is_asked = |of: &dyn Fn(&Lookahead<'_>) -> bool| nodes.iter().any(of);
    let of_decisions = is_asked(&|node| node.field("reason").exists());
    let of_words = is_asked(&|node| node.field("selfAttestation").field("reason").exists());
    let at = |item: &ItemView| {
        let decided = item.row.decided_position.filter(|_| of_decisions);
        [decided, item.row.attested_position.filter(|_| of_words)]
    };
    let decided: Vec<i64> = found.iter().flat_map(at).flatten().collect();
    if decided.is_empty() {
        return Ok(HashMap::new());
    }
    let journal = &ctx.data::<Commands>()?.journal;
    let events = journal.events_at::<access_reviews::AccessReview>(view.tenant(), &decided).await;
    let reason = |(position, event)| {
        let reason = if let AccessReviewEvent::ReviewItemAttested { reason, .. } = event {
            reason
        } else {
            let AccessReviewEvent::ReviewItemDecided(decided) = event else { return None };
            decided.reason
        };
        Some((position, reason?.get()?.as_str().to_owned()))
    };
    Ok(events.map_err(|e| fault(&e))?.into_iter().filter_map(reason).collect())
}

fn node(item: ItemView, beside: &Beside<'_>) -> AccessReviewItem {
    let person = |id: Uuid| PersonReference::new(id, beside.names.people.get(&id).cloned());
    let changed_since = item.is_changed();
    let row = &item.row;
    AccessReviewItem {
        item: row.item,
        user: person(row.user_id),
        kind: ReviewedKind::named(&row.kind),
        role: row.org_role.as_deref().map(role),
        granted: ReviewedGrant::of_item(&item),
        last_use: last_use(&item, beside),
        is_held: row.is_right().then_some(item.is_held),
        present_organization_ids: present_organizations(&item),
        present_level: item.present_level.as_deref().and_then(level),
        member_since: item.member_since.map(DateTime::from),
        granted_at: item.granted_at.map(DateTime::from),
        grant_cause: item.grant_cause.as_deref().and_then(Cause::parse).map(Into::into),
        grant_event: item.grant_position.and_then(|position| beside.events.get(&position).cloned()),
        last_sign_in_at: item.last_login_at.map(DateTime::from),
        rights: rights(row.user_id, beside),
        previous_decision: previous(&item, person),
        recommendation: beside.advice.get(&row.item).map(|it| ReviewRecommendation {
            advice: it.advice.into(),
            grounds: it.grounds.iter().map(Into::into).collect(),
        }),
        outcome: ReviewOutcome::named(&row.outcome),
        carried_forward: carried_forward(row, person),
        decision: row.decision.as_deref().and_then(ReviewVerdict::named),
        new_role: row.new_role.as_deref().map(role),
        new_level: row.new_level.as_deref().and_then(level),
        left_on: row.left_on.map(Date::from),
        reason: row.decided_position.and_then(|at| beside.reasons.get(&at).cloned()),
        decided_by: row.decided_by.map(person),
        decided_at: row.decided_at.map(DateTime::from),
        self_attestation: attested(row, beside),
        delegated_to: row.delegated_to.map(person),
        decided_in_place_of: row.in_place_of.map(person),
        awaits_second_reviewer: row.awaits_second,
        confirmed_by: row.confirmed_by.map(person),
        confirmed_at: row.confirmed_at.map(DateTime::from),
        decided_by_policy: row.by_policy,
        waits_for_closing: row.waits,
        refusal: row.refusal.as_ref().map(|refusal| refusal.0.clone().into()),
        executed_at: row.executed_at.map(DateTime::from),
        verified: row.verified,
        delay_seconds: row.delay_s.map(|delay| i32::try_from(delay).unwrap_or(i32::MAX)),
        remaining: remaining(row),
        is_member: item.is_member,
        changed_since,
    }
}

/// What a role of the plan counts for now, while it is held.
fn present_organizations(item: &ItemView) -> Option<Vec<ID>> {
    let ids = item.present_organizations.iter().map(|id| NodeType::Organization.id(*id));
    (item.row.is_plan_role() && item.is_held).then(|| ids.collect())
}

/// What the person of an item says of it.
fn attested(row: &ItemRow, beside: &Beside<'_>) -> Option<SelfAttestation> {
    Some(SelfAttestation {
        needed: row.needed?,
        reason: row.attested_position.and_then(|at| beside.reasons.get(&at).cloned()),
        attested_at: row.attested_at?.into(),
    })
}

/// When the right or key of an item was last used; `None` for a membership.
fn last_use(item: &ItemView, beside: &Beside<'_>) -> Option<LastUse> {
    if item.row.is_key() {
        let zone = beside.policy.time_zone();
        return Some(LastUse::of_key(item.key_used_at, item.granted_at, zone));
    }
    let used = beside.uses.get(&item.row.item)?;
    let since = item.granted_at;
    let watched = since.map(|since| beside.noting.watched_since(used.kind.as_str(), since));
    Some(LastUse::of(used.kind, used.used_on, watched, beside.policy.time_zone()))
}

fn remaining(row: &ItemRow) -> Vec<ReviewLeftover> {
    let named = |left: &Leftover| row.remaining.iter().any(|word| word == left.as_str());
    Leftover::ALL.into_iter().filter(named).map(Into::into).collect()
}

fn rights(user: Uuid, beside: &Beside<'_>) -> Vec<ReviewedRight> {
    let zone = beside.policy.time_zone();
    let held = beside.rights.get(&user).map_or(&[][..], Vec::as_slice);
    let shown = held.iter().map(|right| {
        let watched = beside.noting.watched_since(right.kind.as_str(), right.since);
        ReviewedRight {
            right: right.kind.into(),
            count: i32::try_from(right.count).unwrap_or(i32::MAX),
            since: right.since.into(),
            last_use: LastUse::of(right.kind, right.used_on, Some(watched), zone),
        }
    });
    shown.collect()
}

fn carried_forward(
    row: &ItemRow,
    person: impl Fn(Uuid) -> PersonReference,
) -> Option<CarriedForward> {
    Some(CarriedForward {
        access_review_id: NodeType::AccessReview.id(row.certified_review?),
        decided_by: person(row.certified_by?),
        decided_at: row.certified_at?.into(),
    })
}

fn previous(
    item: &ItemView,
    person: impl Fn(Uuid) -> PersonReference,
) -> Option<PreviousReviewDecision> {
    Some(PreviousReviewDecision {
        decision: item.previous_decision.as_deref().and_then(ReviewVerdict::named)?,
        decided_at: item.previous_at?.into(),
        decided_by: person(item.previous_by?),
        access_review_id: NodeType::AccessReview.id(item.previous_review?),
    })
}
