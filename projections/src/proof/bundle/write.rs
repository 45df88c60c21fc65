//! Makes a bundle. Invariant: it holds up to the log's latest checkpoint, and memory stays flat.

use std::{
    collections::BTreeMap,
    io::{self, Seek, Write},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use rollcall_domain::{
    audit::{EvidenceQuestion, ReportQuestion},
    kernel::ids::{OrganizationId, TenantId},
};
use rollcall_journal::{keys::KeyRing, upcast::Upcasters};
use sqlx::PgConnection;
use tlog_tiles::{Hash, HashReader, tlog};

use super::{
    BEARING, BundleError, CERTIFICATION, CHECKPOINT, COLUMNS, FORMAT, LOG, Line, MANIFEST,
    Manifest, Occasion, Place, REPORT, REPORT_ROWS, Report, Since,
    archive::Archive,
    bears,
    certification::certification,
    lines::{Disclosure, is_answer, lines},
    row,
};
use crate::{
    proof::{
        is_no_evidence,
        leaf::moment,
        store::{self, SignedHead},
        tree::Frontier,
    },
    reports::{Row, recount::Recount},
};

const BATCH: usize = 1_000;

/// Who is given which answer.
pub struct Order<'a> {
    pub tenant: TenantId,
    pub keys: &'a KeyRing,
    pub question: &'a EvidenceQuestion,
    /// Size of a checkpoint that the recipient holds already.
    pub since: Option<i64>,
    pub occasion: Occasion,
}

/// How much of the log a bundle shows.
#[derive(Clone, Copy, Debug)]
pub enum Extent<'a> {
    /// Every event that may answer, so that it is proven that no other does.
    Range,
    /// These events of an organisation alone, in order; all of them answer.
    Presence { organization: OrganizationId, positions: &'a [i64] },
    /// The log up to the position for which the report holds.
    Report(&'a ReportQuestion, &'a Upcasters),
}

/// What an extent comes to.
struct Shown {
    from: i64,
    to: i64,
    before: Vec<Hash>,
    consistency: Vec<Hash>,
    answer: Answer,
}

enum Answer {
    /// Positions of the events that answer.
    Events(Vec<i64>),
    Rows(Vec<Row>),
}

/// Writes a bundle up to the log's latest checkpoint.
///
/// # Errors
/// See [`BundleError`].
pub async fn write<W: Write + Seek>(
    connection: &mut PgConnection,
    order: Order<'_>,
    extent: Extent<'_>,
    out: W,
) -> Result<(W, Manifest), BundleError> {
    let latest = store::latest(&mut *connection, order.tenant).await?;
    let latest = latest.ok_or(BundleError::NothingSigned)?;
    let signed = latest.checkpoint.ok_or(BundleError::NothingSigned)?;
    let since = since(&mut *connection, &order, &signed).await?;
    let mut maker = Maker { connection, order: &order, archive: Archive::new(out) };
    maker.archive.begin(LOG)?;
    let shown = match extent {
        Extent::Range => maker.range(signed.size).await?,
        Extent::Presence { organization, positions } => {
            maker.presence(signed.size, organization, positions).await?
        }
        Extent::Report(question, upcasters) => {
            maker.bearing(signed.size, question, upcasters).await?
        }
    };
    let population = match &shown.answer {
        Answer::Events(positions) => {
            maker.events(positions).await?;
            positions.len()
        }
        Answer::Rows(rows) => {
            maker.rows(rows)?;
            rows.len()
        }
    };
    let mut archive = maker.archive;
    archive.file(CHECKPOINT, signed.note.as_bytes())?;
    let mut manifest = Manifest {
        format: FORMAT.to_owned(),
        not_evidence: is_no_evidence(&latest.origin),
        origin: latest.origin,
        tenant: order.tenant.0,
        question: order.question.clone(),
        report_question: match extent {
            Extent::Report(question, _) => Some(question.clone()),
            Extent::Range | Extent::Presence { .. } => None,
        },
        occasion: order.occasion,
        report: definition(extent, population as u64),
        presence_of: match extent {
            Extent::Presence { organization, .. } => Some(organization.0),
            Extent::Range | Extent::Report(..) => None,
        },
        from: shown.from,
        to: shown.to,
        checkpoint: signed.size,
        before: encoded(&shown.before),
        consistency: encoded(&shown.consistency),
        since,
        files: BTreeMap::new(),
    };
    archive.file(CERTIFICATION, certification(&manifest).as_bytes())?;
    manifest.files = archive.hashes.clone();
    let text = serde_json::to_vec_pretty(&manifest).map_err(io::Error::from)?;
    archive.file(MANIFEST, &text)?;
    Ok((archive.zip.finish()?, manifest))
}

fn definition(extent: Extent<'_>, population: u64) -> Report {
    let (name, version) = match extent {
        Extent::Range | Extent::Presence { .. } => ("events", 1),
        Extent::Report(question, _) => (question.report.as_str(), question.version),
    };
    Report { name: name.to_owned(), version, population }
}

/// The proof that the log of the recipient's checkpoint is the beginning of this one.
async fn since(
    connection: &mut PgConnection,
    order: &Order<'_>,
    signed: &SignedHead,
) -> Result<Option<Since>, BundleError> {
    let Some(held) = order.since else { return Ok(None) };
    if held < 1 || held > signed.size {
        return Err(BundleError::UnknownCheckpoint(held, signed.size));
    }
    let proof = |tiles: &_| tlog::prove_tree(unsigned(signed.size), unsigned(held), tiles);
    let consistency = store::prove(connection, order.tenant, proof).await?;
    Ok(Some(Since { size: held, consistency: encoded(&consistency) }))
}

struct Maker<'a, W: Write + Seek> {
    connection: &'a mut PgConnection,
    order: &'a Order<'a>,
    archive: Archive<W>,
}

impl<W: Write + Seek> Maker<'_, W> {
    async fn range(&mut self, signed: i64) -> Result<Shown, BundleError> {
        let (from, to) = self.edges(signed).await?;
        let (before, consistency) = self.proof((from, to), signed).await?;
        let tenant = self.order.tenant;
        let mut answering = Vec::new();
        let mut after = from - 1;
        while after < to {
            let limit = (to - after).min(BATCH as i64);
            let events = store::events_after(self.connection, tenant, after, limit).await?;
            let of = (tenant, self.order.keys, Disclosure::Everybody);
            for (line, event) in lines(&events, self.order.question, of).await?.iter().zip(&events)
            {
                if is_answer(line) {
                    answering.push(event.tenant_position);
                }
                self.line(line)?;
            }
            after += limit;
        }
        Ok(Shown { from, to, before, consistency, answer: Answer::Events(answering) })
    }

    /// Every event up to the position a report holds for, and the report.
    async fn bearing(
        &mut self,
        signed: i64,
        question: &ReportQuestion,
        upcasters: &Upcasters,
    ) -> Result<Shown, BundleError> {
        let (from, to) = (1, question.known_at);
        if to > signed {
            return Err(BundleError::NotYetSigned { asked: to, signed });
        }
        let (before, consistency) = self.proof((from, to), signed).await?;
        let mut recount = Recount::new(question, upcasters);
        let mut after = 0;
        while after < to {
            let limit = (to - after).min(BATCH as i64);
            let tenant = self.order.tenant;
            for event in store::events_after(self.connection, tenant, after, limit).await? {
                recount.take(&event)?;
                let bears = bears(question, event.tenant_position, &event.event_type);
                let open = BEARING.into_iter().filter(|_| bears);
                let (secrets, place) = Default::default();
                let open = open.map(|field| (field, event.opening(field))).collect();
                self.line(&Line { leaf: event.envelope(), open, secrets, place })?;
            }
            after += limit;
        }
        Ok(Shown { from, to, before, consistency, answer: Answer::Rows(recount.finish()) })
    }

    /// The tree before a range, and the proof that the tree at its end is part of the signed one.
    async fn proof(
        &mut self,
        (from, to): (i64, i64),
        signed: i64,
    ) -> Result<(Vec<Hash>, Vec<Hash>), BundleError> {
        let (size, end, start) = (unsigned(signed), unsigned(to), unsigned(from - 1));
        let indexes = Frontier::indexes(start);
        let tenant = self.order.tenant;
        let before =
            store::prove(self.connection, tenant, |tiles| tiles.read_hashes(&indexes)).await?;
        let proof = |tiles: &_| tlog::prove_tree(size, end, tiles);
        let consistency = store::prove(self.connection, tenant, proof).await?;
        Ok((before, consistency))
    }

    async fn presence(
        &mut self,
        signed: i64,
        organization: OrganizationId,
        positions: &[i64],
    ) -> Result<Shown, BundleError> {
        let (Some(from), Some(to)) = (positions.first(), positions.last()) else {
            return Err(BundleError::Nothing);
        };
        let tenant = self.order.tenant;
        for batch in positions.chunks(BATCH) {
            let events = store::events_at(self.connection, tenant, batch).await?;
            let of = (tenant, self.order.keys, Disclosure::Of(organization));
            let lines = lines(&events, self.order.question, of).await?;
            let proofs = store::prove(self.connection, tenant, |tiles| {
                let one = |at: &i64| tlog::prove_record(unsigned(signed), unsigned(at - 1), tiles);
                batch.iter().map(one).collect::<Result<Vec<_>, _>>()
            });
            for ((mut line, position), proof) in lines.into_iter().zip(batch).zip(proofs.await?) {
                line.place = Some(Place { position: *position, proof: encoded(&proof) });
                self.line(&line)?;
            }
        }
        let (before, consistency) = Default::default();
        let answer = Answer::Events(positions.to_vec());
        Ok(Shown { from: *from, to: *to, before, consistency, answer })
    }

    fn line(&mut self, line: &Line) -> Result<(), BundleError> {
        serde_json::to_writer(&mut self.archive, line).map_err(io::Error::from)?;
        Ok(self.archive.write_all(b"\n")?)
    }

    fn rows(&mut self, rows: &[Row]) -> Result<(), BundleError> {
        self.archive.begin(REPORT_ROWS)?;
        for row in rows {
            self.archive.write_all(row.canonical().as_bytes())?;
            self.archive.write_all(b"\n")?;
        }
        Ok(())
    }

    /// The rows of the events that answer, after the log they follow from.
    async fn events(&mut self, answering: &[i64]) -> Result<(), BundleError> {
        self.archive.begin(REPORT)?;
        let mut rows = csv::Writer::from_writer(&mut self.archive);
        rows.write_record(COLUMNS).map_err(io::Error::other)?;
        for batch in answering.chunks(BATCH) {
            let tenant = self.order.tenant;
            for event in store::events_at(self.connection, tenant, batch).await? {
                let told = (moment(event.recorded_at), event.event_type.as_str());
                let row = row(event.tenant_position, (&told.0, told.1), |it| event.value(it));
                rows.write_record(row).map_err(io::Error::other)?;
            }
        }
        rows.flush()?;
        Ok(())
    }

    /// From one event before the first that was recorded in time to one after the last.
    async fn edges(&mut self, signed: i64) -> Result<(i64, i64), BundleError> {
        let (tenant, question) = (self.order.tenant, self.order.question);
        let first = match question.from {
            Some(from) => store::first_since(self.connection, tenant, from, signed).await?,
            None => 1,
        };
        let end = match question.to {
            Some(to) => store::first_since(self.connection, tenant, to, signed).await?,
            None => signed + 1,
        };
        if first >= end {
            return Err(BundleError::Nothing);
        }
        Ok(((first - 1).max(1), end.min(signed)))
    }
}

fn unsigned(position: i64) -> u64 {
    u64::try_from(position).unwrap_or_default()
}

fn encoded(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| BASE64_STANDARD.encode(hash.0)).collect()
}
