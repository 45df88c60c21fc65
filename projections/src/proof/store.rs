//! The tree in the database, and proofs out of it.
//!
//! Invariant: a tree's size moves in the transaction that writes its tiles, under the row's lock.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use rollcall_domain::kernel::ids::TenantId;
use sqlx::{PgConnection, PgPool};
use tlog_tiles::{
    Hash,
    tlog::{self, Error},
};
use uuid::Uuid;

use super::{
    leaf::{COLUMNS, NoForm, StoredEvent},
    tree::{self, Edge, TileId, Tiles},
};

/// Why the tree could not be read or built.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    NoForm(#[from] NoForm),
    /// An event is missing, or the tiles are not those of a tree of this size.
    #[error("{0}")]
    Damaged(String),
}

/// A tenant's tree as it stands.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Tree {
    pub origin: String,
    pub size: i64,
}

/// The events after a tenant position, as stored, without a gap.
///
/// # Errors
/// [`ProofError::Damaged`] where one is missing.
pub async fn events_after(
    connection: &mut PgConnection,
    tenant: TenantId,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, ProofError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM es.events WHERE tenant_id = $1 AND tenant_position > $2
          ORDER BY tenant_position LIMIT $3"
    );
    let events: Vec<StoredEvent> = sqlx::query_as(&statement)
        .bind(tenant.0)
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    match events
        .iter()
        .zip(after + 1..)
        .find(|(event, position)| event.tenant_position != *position)
    {
        Some((_, position)) => {
            Err(ProofError::Damaged(format!("the event at position {position} is missing")))
        }
        None => Ok(events),
    }
}

/// The events at these positions, as stored, which are in order.
///
/// # Errors
/// [`ProofError::Damaged`] where one is missing.
pub async fn events_at(
    connection: &mut PgConnection,
    tenant: TenantId,
    positions: &[i64],
) -> Result<Vec<StoredEvent>, ProofError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM es.events WHERE tenant_id = $1 AND tenant_position = ANY ($2)
          ORDER BY tenant_position"
    );
    let events: Vec<StoredEvent> =
        sqlx::query_as(&statement).bind(tenant.0).bind(positions).fetch_all(connection).await?;
    if events.iter().map(|event| event.tenant_position).eq(positions.iter().copied()) {
        return Ok(events);
    }
    Err(ProofError::Damaged("an event that was asked for is missing".to_owned()))
}

/// The position of the first of `size` events that was recorded at or after `at`; `size + 1` where
/// none was. Times never run backwards, so it is found by halving.
///
/// # Errors
/// [`ProofError::Damaged`] where an event is missing.
pub async fn first_since(
    connection: &mut PgConnection,
    tenant: TenantId,
    at: DateTime<Utc>,
    size: i64,
) -> Result<i64, ProofError> {
    let (mut earlier, mut found) = (0, size + 1);
    while earlier + 1 < found {
        let middle = earlier + (found - earlier) / 2;
        let recorded: Option<DateTime<Utc>> = sqlx::query_scalar(
            "SELECT recorded_at FROM es.events WHERE tenant_id = $1 AND tenant_position = $2",
        )
        .bind(tenant.0)
        .bind(middle)
        .fetch_optional(&mut *connection)
        .await?;
        match recorded {
            Some(recorded) if recorded < at => earlier = middle,
            Some(_) => found = middle,
            None => {
                return Err(ProofError::Damaged(format!(
                    "the event at position {middle} is missing"
                )));
            }
        }
    }
    Ok(found)
}

/// Takes the tree's row lock; makes the tree where there is none. `None` while another holds it.
pub(super) async fn lock(
    tx: &mut PgConnection,
    tenant: TenantId,
    origin: &str,
) -> Result<Option<Tree>, sqlx::Error> {
    sqlx::query("INSERT INTO es.trees VALUES ($1, $2, 0) ON CONFLICT DO NOTHING")
        .bind(tenant.0)
        .bind(origin)
        .execute(&mut *tx)
        .await?;
    sqlx::query_as("SELECT origin, size FROM es.trees WHERE tenant_id = $1 FOR UPDATE SKIP LOCKED")
        .bind(tenant.0)
        .fetch_optional(tx)
        .await
}

/// The right edge of the tree of the first `size` events.
///
/// # Errors
/// [`ProofError::Damaged`] where tiles are missing or too short.
pub async fn edge(
    connection: &mut PgConnection,
    tenant: TenantId,
    size: i64,
) -> Result<Edge, ProofError> {
    let size = u64::try_from(size).unwrap_or_default();
    let wanted: Vec<_> = Edge::tiles_of(size).collect();
    let tiles = tiles(connection, tenant, &wanted).await?;
    Edge::resume(size, &tiles)
        .ok_or_else(|| ProofError::Damaged(format!("tiles of the tree of {size} are missing")))
}

/// Writes tiles that changed, and the size that they make.
pub(super) async fn advance(
    tx: &mut PgConnection,
    tenant: TenantId,
    size: u64,
    changed: &BTreeMap<TileId, Vec<u8>>,
) -> Result<(), sqlx::Error> {
    let (levels, indexes): (Vec<i16>, Vec<i64>) = changed.keys().map(place).unzip();
    let hashes: Vec<&[u8]> = changed.values().map(Vec::as_slice).collect();
    sqlx::query(
        "INSERT INTO es.tree_tiles (tenant_id, level, index, hashes)
         SELECT $1, * FROM unnest($2::smallint[], $3::bigint[], $4::bytea[])
         ON CONFLICT (tenant_id, level, index) DO UPDATE SET hashes = excluded.hashes",
    )
    .bind(tenant.0)
    .bind(levels)
    .bind(indexes)
    .bind(hashes)
    .execute(&mut *tx)
    .await?;
    sqlx::query("UPDATE es.trees SET size = $2 WHERE tenant_id = $1")
        .bind(tenant.0)
        .bind(i64::try_from(size).unwrap_or(i64::MAX))
        .execute(tx)
        .await?;
    Ok(())
}

/// What a question about a tree needs is read as the question finds it missing: two or three
/// queries, whatever the tree's size.
///
/// # Errors
/// [`ProofError::Damaged`] where a tile is not there.
pub async fn prove<T>(
    connection: &mut PgConnection,
    tenant: TenantId,
    question: impl Fn(&Tiles) -> Result<T, Error>,
) -> Result<T, ProofError> {
    let mut known = Tiles::default();
    loop {
        let error = match question(&known) {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let missing = known.take_missing();
        let found = tiles(&mut *connection, tenant, &missing).await?;
        if found.is_empty() || found.len() < missing.len() {
            return Err(ProofError::Damaged(format!("the tree cannot prove it: {error}")));
        }
        known.known.extend(found);
    }
}

/// The root of the tree of the first `size` events.
///
/// # Errors
/// As [`prove`].
pub async fn root(
    connection: &mut PgConnection,
    tenant: TenantId,
    size: u64,
) -> Result<Hash, ProofError> {
    prove(connection, tenant, |tiles| tlog::tree_hash(size, tiles)).await
}

/// The tiles that hold the leaves from `first` to `last`.
///
/// # Errors
/// The database's.
pub async fn leaf_tiles(
    connection: &mut PgConnection,
    tenant: TenantId,
    first: u64,
    last: u64,
) -> Result<Tiles, ProofError> {
    let wanted: Vec<_> = tree::leaf_tiles(first, last).collect();
    Ok(Tiles::of(tiles(connection, tenant, &wanted).await?))
}

async fn tiles(
    connection: &mut PgConnection,
    tenant: TenantId,
    wanted: &[TileId],
) -> Result<BTreeMap<TileId, Vec<u8>>, sqlx::Error> {
    let (levels, indexes): (Vec<i16>, Vec<i64>) = wanted.iter().map(place).unzip();
    let rows: Vec<(i16, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT t.level, t.index, t.hashes FROM unnest($2::smallint[], $3::bigint[]) w(level, index)
           JOIN es.tree_tiles t ON t.tenant_id = $1 AND t.level = w.level AND t.index = w.index",
    )
    .bind(tenant.0)
    .bind(levels)
    .bind(indexes)
    .fetch_all(connection)
    .await?;
    let tile = |(level, index, hashes): (i16, i64, Vec<u8>)| {
        let id = TileId { level: u8::try_from(level).ok()?, index: u64::try_from(index).ok()? };
        Some((id, hashes))
    };
    Ok(rows.into_iter().filter_map(tile).collect())
}

fn place(id: &TileId) -> (i16, i64) {
    (i16::from(id.level), i64::try_from(id.index).unwrap_or(i64::MAX))
}

/// A tree and its latest checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    pub origin: String,
    pub size: i64,
    pub checkpoint: Option<SignedHead>,
}

/// A checkpoint, as signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    pub size: i64,
    pub note: String,
    pub signed_at: DateTime<Utc>,
}

/// How far a tenant's log is proven; `None` before its first event is sealed.
///
/// # Errors
/// The database's.
pub async fn latest(
    connection: &mut PgConnection,
    tenant: TenantId,
) -> Result<Option<Latest>, sqlx::Error> {
    type Row = (String, i64, Option<i64>, Option<String>, Option<DateTime<Utc>>);
    let row: Option<Row> = sqlx::query_as(
        "SELECT t.origin, t.size, c.size, c.note, c.signed_at FROM es.trees t
           LEFT JOIN LATERAL (SELECT size, note, signed_at FROM es.checkpoints
                               WHERE tenant_id = t.tenant_id ORDER BY size DESC LIMIT 1) c ON true
          WHERE t.tenant_id = $1",
    )
    .bind(tenant.0)
    .fetch_optional(connection)
    .await?;
    let latest = |(origin, tree_size, size, note, signed_at): Row| {
        let signed = size.zip(note).zip(signed_at);
        let head = |((size, note), signed_at)| SignedHead { size, note, signed_at };
        Latest { origin, size: tree_size, checkpoint: signed.map(head) }
    };
    Ok(row.map(latest))
}

/// The proof that an event is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// The leaf's bytes, which are JSON.
    pub leaf: String,
    /// As C2SP tlog-proof writes it, under the latest checkpoint.
    pub text: String,
}

/// The proof of the event at a position; `None` while no checkpoint covers it.
///
/// # Errors
/// See [`ProofError`].
pub async fn inclusion(
    connection: &mut PgConnection,
    tenant: TenantId,
    position: i64,
) -> Result<Option<Inclusion>, ProofError> {
    let signed = latest(&mut *connection, tenant).await?.and_then(|latest| latest.checkpoint);
    let Some(signed) = signed.filter(|signed| position <= signed.size) else { return Ok(None) };
    let event = events_at(&mut *connection, tenant, &[position]).await?.remove(0);
    let leaf = event.envelope().to_bytes()?;
    let (size, index) = (signed.size.unsigned_abs(), (position - 1).unsigned_abs());
    let path = prove(connection, tenant, |tiles| tlog::prove_record(size, index, tiles)).await?;
    let path: String =
        path.iter().map(|hash| format!("{}\n", BASE64_STANDARD.encode(hash.0))).collect();
    let text = format!("c2sp.org/tlog-proof@v1\nindex {index}\n{path}\n{}", signed.note);
    Ok(Some(Inclusion { leaf: String::from_utf8_lossy(&leaf).into_owned(), text }))
}

/// What there is to seal and to sign.
#[derive(Clone, Debug, sqlx::FromRow)]
pub(super) struct Due {
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The log's name, once it has one.
    pub origin: Option<String>,
    pub head: i64,
    pub size: i64,
    /// Size of the last checkpoint.
    pub signed: i64,
}

pub(super) async fn due(pool: &PgPool) -> Result<Vec<Due>, sqlx::Error> {
    sqlx::query_as(
        "SELECT h.tenant_id, t.origin, h.position AS head, coalesce(t.size, 0) AS size,
                coalesce(c.size, 0) AS signed
           FROM es.tenant_heads h LEFT JOIN es.trees t USING (tenant_id)
           LEFT JOIN LATERAL (SELECT size FROM es.checkpoints c WHERE c.tenant_id = h.tenant_id
                               ORDER BY size DESC LIMIT 1) c ON true
          WHERE h.position > coalesce(c.size, 0) ORDER BY h.tenant_id",
    )
    .fetch_all(pool)
    .await
}
