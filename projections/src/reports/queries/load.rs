//! What a batch of rows is made of, read from tables by a fixed number of statements.
//!
//! Invariant: intervals as known at the question's position, and facts up to its moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use rollcall_domain::{
    Actor, AnyEvent, Decider,
    audit::{ReportName, ReportQuestion, SodRules},
    kernel::{
        ActorKind,
        ids::{AffiliationId, OrganizationId, UserId},
    },
    permissions::{Entitlement, right_use::RightKind},
    values::TenantZone,
};
use sqlx::FromRow;
use uuid::Uuid;

use super::ReportError;
use crate::{
    Snapshot,
    access_register::{
        interval::Timeline,
        ledger::Ledger,
        projection::{COLUMNS, Row},
    },
    proof::leaf::{self, StoredEvent},
    reports::{
        facts::{Facts, Scope},
        held::Held,
        recount::recorded,
    },
};

/// Kinds of rows that reports about accounts need, without rights.
const OF_ACCOUNTS: [&str; 4] = ["ACCOUNT_ACTIVE", "MEMBERSHIP_ACTIVE", "ORG_ROLE", "PLAN_ROLE"];

fn ids<T: Copy + Into<Uuid>>(ids: &[T]) -> Vec<Uuid> {
    ids.iter().map(|id| (*id).into()).collect()
}

fn within(question: &ReportQuestion) -> Option<Vec<Uuid>> {
    question.within.as_ref().map(|within| within.iter().map(|id| id.0).collect())
}

/// Kinds of rights whose uses were noted later than the records began.
///
/// # Errors
/// The database's.
pub async fn noted_since(
    view: &mut Snapshot,
) -> Result<BTreeMap<String, DateTime<Utc>>, sqlx::Error> {
    let noted: Vec<(String, DateTime<Utc>)> =
        sqlx::query_as("SELECT kind, since FROM ops.right_use_noting WHERE tenant_id = $1")
            .bind(view.tenant().0)
            .fetch_all(view.connection())
            .await?;
    Ok(noted.into_iter().collect())
}

/// The next people of whom there may be rows, this one included, in order.
pub(super) async fn people(
    view: &mut Snapshot,
    question: &ReportQuestion,
    from: Uuid,
    limit: i64,
) -> Result<Vec<UserId>, sqlx::Error> {
    let statement = match (&question.npi, &question.within, question.report) {
        (Some(_), ..) => OF_NPI,
        (None, Some(_), _) => OF_ORGANIZATIONS,
        (None, None, ReportName::Administrators) => OF_ROLES,
        (None, None, _) => OF_TENANT,
    };
    let found: Vec<(Uuid,)> = sqlx::query_as(statement)
        .bind(view.tenant().0)
        .bind(from)
        .bind(question.known_at)
        .bind(limit)
        .bind(within(question))
        .bind(question.npi.as_ref().map(ToString::to_string))
        .fetch_all(view.connection())
        .await?;
    Ok(found.into_iter().map(|(id,)| UserId(id)).collect())
}

const OF_TENANT: &str = "SELECT DISTINCT i.user_id FROM read.access_intervals i
  WHERE i.tenant_id = $1 AND i.user_id >= $2 AND i.kind = 'ACCOUNT_ACTIVE' AND i.known_from <= $3
    AND ($5::uuid[] IS NULL) AND ($6::text IS NULL)
  ORDER BY i.user_id LIMIT $4";
const OF_ROLES: &str = "SELECT DISTINCT i.user_id FROM read.access_intervals i
  WHERE i.tenant_id = $1 AND i.user_id >= $2 AND i.kind IN ('ORG_ROLE', 'PLAN_ROLE')
    AND i.known_from <= $3 AND ($5::uuid[] IS NULL) AND ($6::text IS NULL)
  ORDER BY i.user_id LIMIT $4";
const OF_ORGANIZATIONS: &str = "SELECT DISTINCT i.user_id FROM read.access_intervals i
  WHERE i.tenant_id = $1 AND i.user_id >= $2 AND i.organization_id = ANY ($5)
    AND i.kind IN ('MEMBERSHIP_ACTIVE', 'PLAN_ROLE') AND i.known_from <= $3 AND ($6::text IS NULL)
  ORDER BY i.user_id LIMIT $4";
/// Members of whoever held the NPI, and whoever worked for it.
const OF_NPI: &str = "SELECT u.user_id FROM (
    SELECT m.user_id FROM (
      SELECT DISTINCT n.organization_id FROM read.access_intervals n
       WHERE n.tenant_id = $1 AND n.npi = $6 AND n.kind = 'NPI_HELD' AND n.known_from <= $3) o
      JOIN read.access_intervals m ON m.tenant_id = $1 AND m.organization_id = o.organization_id
           AND m.kind = 'MEMBERSHIP_ACTIVE' AND m.user_id >= $2 AND m.known_from <= $3
     WHERE $5::uuid[] IS NULL OR m.organization_id = ANY ($5)
    UNION
    SELECT s.user_id FROM read.access_intervals s
     WHERE s.tenant_id = $1 AND s.npi = $6 AND s.kind = 'SUBMISSION' AND s.user_id >= $2
       AND s.known_from <= $3 AND ($5::uuid[] IS NULL OR s.organization_id = ANY ($5))) u
  ORDER BY u.user_id LIMIT $4";

/// Reads rows into a ledger.
async fn read(
    view: &mut Snapshot,
    ledger: &mut Ledger,
    question: &ReportQuestion,
    (condition, keys, kinds): (&str, Vec<Uuid>, Option<&[&str]>),
) -> Result<Vec<Timeline>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let statement = format!(
        "SELECT {COLUMNS} FROM read.access_intervals
          WHERE tenant_id = $1 AND {condition} AND known_from <= $3
            AND (known_to IS NULL OR known_to > $3) AND ($4::text[] IS NULL OR kind = ANY ($4))
          ORDER BY known_from, ordinal"
    );
    let rows: Vec<Row> = sqlx::query_as(&statement)
        .bind(view.tenant().0)
        .bind(keys)
        .bind(question.known_at)
        .bind(kinds)
        .fetch_all(view.connection())
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let unknown = || sqlx::Error::Decode("an interval of no known kind".into());
        let (timeline, interval) = row.read().ok_or_else(unknown)?;
        found.push(timeline.clone());
        ledger.load(timeline, interval);
    }
    Ok(found)
}

/// What is held of some people and of all that their rights rest on.
pub(super) async fn held(
    view: &mut Snapshot,
    question: &ReportQuestion,
    people: &[UserId],
) -> Result<Held, sqlx::Error> {
    let mut ledger = Ledger::default();
    let kinds = match question.report {
        ReportName::Administrators | ReportName::Dormant | ReportName::Orphaned => {
            Some(&OF_ACCOUNTS[..])
        }
        ReportName::ActiveAccounts
        | ReportName::NeverAssigned
        | ReportName::PinActivity
        | ReportName::Terminations
        | ReportName::Revocations
        | ReportName::SodConflicts
        | ReportName::AffiliationsInForce
        | ReportName::AuditReads
        | ReportName::AccessToNpi => None,
    };
    let of_people = ("user_id = ANY ($2)", ids(people), kinds);
    let theirs = read(view, &mut ledger, question, of_people).await?;
    let mut holders: BTreeSet<Uuid> = BTreeSet::from([view.tenant().0]);
    let mut affiliations = BTreeSet::new();
    for timeline in &theirs {
        holders.extend(timeline.organization().map(Uuid::from));
        if let Timeline::Entitlement(_, _, Entitlement::JobRole(role)) = timeline {
            holders.insert(role.0);
        }
        if let Timeline::Submission(.., affiliation) = timeline {
            affiliations.insert(affiliation.0);
        }
    }
    let conditions = "holder_id = ANY ($2) AND user_id IS NULL";
    let of = (conditions, affiliations.into_iter().collect(), None);
    read(view, &mut ledger, question, of).await?;
    holders.extend(providers(&ledger));
    let kinds = kinds.map(|_| &["ORGANIZATION_ACTIVE", "CONTRACTED", "POLICY"][..]);
    let of = (conditions, holders.iter().copied().collect(), kinds);
    read(view, &mut ledger, question, of).await?;
    if question.report == ReportName::Orphaned {
        others_in_charge(view, &mut ledger, question, (&holders, people)).await?;
    }
    Ok(Held::of(view.tenant(), ledger))
}

/// The providers of the affiliations in a ledger.
fn providers(ledger: &Ledger) -> Vec<Uuid> {
    let affiliations = ledger.timelines().filter(|it| matches!(it, Timeline::Affiliation(..)));
    let words = affiliations.filter_map(|timeline| ledger.all(timeline));
    words.flatten().filter_map(|row| row.value.first()?.parse().ok()).collect()
}

/// The administrators of the organisations, but for those who were read already.
async fn others_in_charge(
    view: &mut Snapshot,
    ledger: &mut Ledger,
    question: &ReportQuestion,
    (organizations, people): (&BTreeSet<Uuid>, &[UserId]),
) -> Result<(), sqlx::Error> {
    let found: Vec<(Uuid,)> = sqlx::query_as(
        "SELECT DISTINCT user_id FROM read.access_intervals
          WHERE tenant_id = $1 AND organization_id = ANY ($2) AND kind = 'ORG_ROLE'
            AND value @> '{ADMIN}' AND known_from <= $3 AND (known_to IS NULL OR known_to > $3)
            AND valid_from <= $4 AND valid_to > $4 AND user_id <> ALL ($5)",
    )
    .bind(view.tenant().0)
    .bind(organizations.iter().copied().collect::<Vec<_>>())
    .bind(question.known_at)
    .bind(question.true_at)
    .bind(ids(people))
    .fetch_all(view.connection())
    .await?;
    let others = found.into_iter().map(|(id,)| id).collect();
    read(view, ledger, question, ("user_id = ANY ($2)", others, Some(&OF_ACCOUNTS))).await?;
    Ok(())
}

/// What some affiliations hold, their people included.
pub(super) async fn held_by(
    view: &mut Snapshot,
    question: &ReportQuestion,
    affiliations: &[AffiliationId],
) -> Result<Held, sqlx::Error> {
    let mut ledger = Ledger::default();
    let of = ("holder_id = ANY ($2)", ids(affiliations), None);
    read(view, &mut ledger, question, of).await?;
    Ok(Held::of(view.tenant(), ledger))
}

type Scopes = HashMap<AffiliationId, Scope>;

/// The next affiliations, this one included, with what each is for.
pub(super) async fn affiliations(
    view: &mut Snapshot,
    question: &ReportQuestion,
    from: Uuid,
    limit: i64,
) -> Result<(Vec<AffiliationId>, Scopes), sqlx::Error> {
    let found: Vec<(Uuid, Option<Vec<String>>, Vec<String>)> = sqlx::query_as(
        "SELECT affiliation_id, npis, transaction_types FROM read.affiliations
          WHERE tenant_id = $1 AND affiliation_id >= $2 AND requested_position <= $3
            AND ($5::uuid[] IS NULL OR submitter_id = ANY ($5) OR provider_id = ANY ($5))
          ORDER BY affiliation_id LIMIT $4",
    )
    .bind(view.tenant().0)
    .bind(from)
    .bind(question.known_at)
    .bind(limit)
    .bind(within(question))
    .fetch_all(view.connection())
    .await?;
    let ids = found.iter().map(|(id, ..)| AffiliationId(*id)).collect();
    let scopes = found.into_iter().map(|(id, npis, types)| {
        let npis = npis.map(|npis| npis.into_iter().collect());
        (AffiliationId(id), Scope { npis, transaction_types: types.into_iter().collect() })
    });
    Ok((ids, scopes.collect()))
}

/// What else rows of some people need.
pub(super) async fn facts(
    view: &mut Snapshot,
    question: &ReportQuestion,
    (held, people): (&Held, &[UserId]),
    counts_only: bool,
) -> Result<Facts, ReportError> {
    let mut facts = Facts::default();
    match question.report {
        ReportName::ActiveAccounts if !counts_only => {
            facts.begins = crate::access_register::recorded_at(view, 1).await?;
            facts.sign_ins = sign_ins(view, question, people).await?;
            uses(view, question, people, &mut facts).await?;
        }
        ReportName::Dormant => facts.sign_ins = sign_ins(view, question, people).await?,
        ReportName::Administrators if !counts_only => {
            facts.actors = actors(view, held, people).await?;
        }
        ReportName::SodConflicts => facts.rules = rules(view, question).await?.rules,
        ReportName::ActiveAccounts
        | ReportName::Administrators
        | ReportName::Orphaned
        | ReportName::NeverAssigned
        | ReportName::PinActivity
        | ReportName::Terminations
        | ReportName::Revocations
        | ReportName::AffiliationsInForce
        | ReportName::AuditReads
        | ReportName::AccessToNpi => {}
    }
    Ok(facts)
}

async fn sign_ins(
    view: &mut Snapshot,
    question: &ReportQuestion,
    people: &[UserId],
) -> Result<HashMap<UserId, DateTime<Utc>>, sqlx::Error> {
    let found: Vec<(Uuid, DateTime<Utc>)> = sqlx::query_as(
        "SELECT p.id, h.at FROM unnest($2::uuid[]) p(id)
          CROSS JOIN LATERAL (
            SELECT h.at FROM read.login_history h
             WHERE h.tenant_id = $1 AND h.user_id = p.id AND h.position <= $3 AND h.at <= $4
               AND h.outcome = 'SUCCEEDED'
             ORDER BY h.position DESC LIMIT 1) h",
    )
    .bind(view.tenant().0)
    .bind(ids(people))
    .bind(question.known_at)
    .bind(question.true_at)
    .fetch_all(view.connection())
    .await?;
    Ok(found.into_iter().map(|(user, at)| (UserId(user), at)).collect())
}

#[derive(FromRow)]
struct Use {
    user_id: Uuid,
    organization_id: Uuid,
    kind: String,
    detail: String,
    day: NaiveDate,
}

async fn uses(
    view: &mut Snapshot,
    question: &ReportQuestion,
    people: &[UserId],
    facts: &mut Facts,
) -> Result<(), sqlx::Error> {
    let Ok(zone) = TenantZone::parse(&question.time_zone) else { return Ok(()) };
    let found: Vec<Use> = sqlx::query_as(
        "SELECT user_id, organization_id, kind, detail, max(day) AS day FROM read.right_uses
          WHERE tenant_id = $1 AND user_id = ANY ($2) AND recorded_position <= $3 AND day <= $4
          GROUP BY user_id, organization_id, kind, detail",
    )
    .bind(view.tenant().0)
    .bind(ids(people))
    .bind(question.known_at)
    .bind(zone.local_date(question.true_at))
    .fetch_all(view.connection())
    .await?;
    for Use { user_id, organization_id, kind, detail, day } in found {
        let Some(kind) = RightKind::parse(&kind) else { continue };
        let of = Some(organization_id).filter(|id| !id.is_nil()).map(OrganizationId);
        facts.note_use((UserId(user_id), of), (kind, &detail), day);
    }
    Ok(())
}

/// Who gave the roles that some people ever held.
async fn actors(
    view: &mut Snapshot,
    held: &Held,
    people: &[UserId],
) -> Result<HashMap<i64, Actor>, sqlx::Error> {
    let timelines = people.iter().flat_map(|user| held.of_person(*user));
    let of_roles =
        timelines.filter(|it| matches!(it, Timeline::OrgRole(..) | Timeline::PlanRole(..)));
    let positions: BTreeSet<i64> =
        of_roles.flat_map(|it| held.all(it)).map(|row| row.cause_position).collect();
    let found: Vec<(i64, String, Option<Uuid>)> = sqlx::query_as(
        "SELECT position, actor_kind, actor_id FROM read.audit_timeline
          WHERE tenant_id = $1 AND position = ANY ($2)",
    )
    .bind(view.tenant().0)
    .bind(positions.into_iter().collect::<Vec<_>>())
    .fetch_all(view.connection())
    .await?;
    let actor = |(position, kind, id): (i64, String, Option<Uuid>)| {
        Some((position, Actor { kind: ActorKind::parse(&kind)?, id }))
    };
    Ok(found.into_iter().filter_map(actor).collect())
}

/// The rules on record at the question's position: one short stream, read as it is.
async fn rules(view: &mut Snapshot, question: &ReportQuestion) -> Result<SodRules, ReportError> {
    let statement = format!(
        "SELECT {} FROM es.events WHERE tenant_id = $1 AND aggregate_type = $2
            AND aggregate_id = $3 AND tenant_position <= $4 ORDER BY sequence",
        leaf::COLUMNS
    );
    let tenant = view.tenant();
    let stored: Vec<StoredEvent> = sqlx::query_as(&statement)
        .bind(tenant.0)
        .bind(SodRules::TYPE)
        .bind(tenant.sod_rules_stream().to_string())
        .bind(question.known_at)
        .fetch_all(view.connection())
        .await?;
    let mut rules = SodRules::default();
    for event in &stored {
        if let AnyEvent::SodRules(event) = recorded(event, view.upcasters())?.event {
            rules.evolve(&event);
        }
    }
    Ok(rules)
}
