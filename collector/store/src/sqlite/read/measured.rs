//! What agents said: who they are, what they counted, what was lost.

use rusqlite::{Connection, Row};
use takar_shared::{AgentId, BootEpoch, Seq, Serial, UnixMillis};

use crate::{
    AgentRecord, BirthRow, CeilingRow, LossRow, MeterId, MeterKey, PollRow, QuarantineRow, ReportedSerialRow,
    SampleRow, StoreError,
    sqlite::{
        column::{BREAK_BEFORE, Bits, Json, NARROW, bound, direction, json, named, number, rate, rate_if_any, time},
        statement::{all, one},
    },
};

pub(crate) fn agents(conn: &Connection) -> Result<Vec<AgentRecord>, StoreError> {
    let sql = "SELECT id, name, public_key, approved_at, approved_by, revoked, devices FROM agents ORDER BY name, id";
    all(conn, "read agents", sql, (), |row| {
        Ok(AgentRecord {
            id: AgentId(row.get(0)?),
            name: row.get(1)?,
            public_key: row.get(2)?,
            approved_at: time(row, 3)?,
            approved_by: json(row, 4)?,
            revoked: row.get(5)?,
            devices: json(row, 6)?,
        })
    })
}

pub(crate) fn stored_up_to(conn: &Connection, agent: AgentId) -> Result<Option<(BootEpoch, Seq)>, StoreError> {
    let sql = "SELECT epoch, seq FROM stored_up_to WHERE agent = ?1";
    one(conn, "read what is stored of an agent", sql, (agent.0,), |row| {
        Ok((BootEpoch(row.get(0)?), Seq(number(row, 1)?)))
    })
}

pub(crate) fn newest_birth(conn: &Connection, agent: AgentId) -> Result<Option<BirthRow>, StoreError> {
    let sql = "SELECT agent, at, epoch, nonce, body FROM births WHERE agent = ?1 ORDER BY epoch DESC LIMIT 1";
    one(conn, "read a birth", sql, (agent.0,), birth_row)
}

pub(crate) fn birth(conn: &Connection, agent: AgentId, epoch: BootEpoch) -> Result<Option<BirthRow>, StoreError> {
    let sql = "SELECT agent, at, epoch, nonce, body FROM births WHERE agent = ?1 AND epoch = ?2";
    one(conn, "read a birth", sql, (agent.0, epoch.0), birth_row)
}

pub(crate) fn meters(conn: &Connection) -> Result<Vec<(MeterId, MeterKey)>, StoreError> {
    let sql = "SELECT id, agent, device, meter FROM meters ORDER BY id";
    all(conn, "read meters", sql, (), |row| {
        let key = MeterKey { agent: AgentId(row.get(1)?), device: named(row, 2)?, meter: json(row, 3)? };
        Ok((MeterId(row.get(0)?), key))
    })
}

pub(crate) fn meter_id(conn: &Connection, key: &MeterKey) -> Result<Option<MeterId>, StoreError> {
    let sql = "SELECT id FROM meters WHERE agent = ?1 AND device = ?2 AND meter = ?3";
    let params = (key.agent.0, key.device.as_str(), Json(&key.meter));
    one(conn, "find a meter", sql, params, |row| row.get(0).map(MeterId))
}

pub(crate) fn samples(
    conn: &Connection,
    meter: MeterId,
    from: UnixMillis,
    to: UnixMillis,
) -> Result<Vec<SampleRow>, StoreError> {
    let sql = "SELECT at, meter, v0, v1, v2, v3, flags FROM samples
               WHERE at >= ?1 AND at < ?2 AND meter = ?3 ORDER BY at, meter, id";
    all(conn, "read samples", sql, (bound(from.0), bound(to.0), meter.0), sample_row)
}

pub(crate) fn samples_of_all(
    conn: &Connection,
    from: UnixMillis,
    to: UnixMillis,
) -> Result<Vec<SampleRow>, StoreError> {
    let sql = "SELECT at, meter, v0, v1, v2, v3, flags FROM samples
               WHERE at >= ?1 AND at < ?2 ORDER BY at, meter, id";
    all(conn, "read samples", sql, (bound(from.0), bound(to.0)), sample_row)
}

pub(crate) fn sample_count(conn: &Connection) -> Result<u64, StoreError> {
    // Rows are numbered from 1 and never deleted, so the last number is the count; count(*) would read them all.
    let rows = one(conn, "count samples", "SELECT coalesce(max(id), 0) FROM samples", (), |row| number(row, 0))?;
    Ok(rows.unwrap_or_default().saturating_mul(4))
}

pub(crate) fn ceilings(conn: &Connection, since: UnixMillis) -> Result<Vec<CeilingRow>, StoreError> {
    let sql = "SELECT at, agent, device, shaper, direction, cir, mir, disabled FROM ceilings AS this
               WHERE at >= ?1 OR NOT EXISTS (
                   SELECT 1 FROM ceilings AS later
                   WHERE later.agent = this.agent AND later.device = this.device
                       AND later.shaper = this.shaper AND later.direction = this.direction
                       AND (later.at, later.id) > (this.at, this.id) AND later.at <= ?1
               )
               ORDER BY at, id";
    all(conn, "read ceilings", sql, (bound(since.0),), |row| {
        Ok(CeilingRow {
            at: time(row, 0)?,
            agent: AgentId(row.get(1)?),
            device: named(row, 2)?,
            shaper: json(row, 3)?,
            direction: direction(row, 4)?,
            cir: rate_if_any(row, 5)?,
            mir: rate(row, 6)?,
            disabled: row.get(7)?,
        })
    })
}

pub(crate) fn losses(conn: &Connection, agent: AgentId) -> Result<Vec<LossRow>, StoreError> {
    let sql = "SELECT from_epoch, from_seq, to_epoch, to_seq, samples, at FROM losses WHERE agent = ?1 ORDER BY id";
    all(conn, "read losses", sql, (agent.0,), |row| {
        let samples: Option<Bits> = row.get(4)?;
        Ok(LossRow {
            agent,
            from: (BootEpoch(row.get(0)?), Seq(number(row, 1)?)),
            to: (BootEpoch(row.get(2)?), Seq(number(row, 3)?)),
            samples: samples.map(|count| count.0),
            at: time(row, 5)?,
        })
    })
}

pub(crate) fn quarantine(conn: &Connection, agent: AgentId) -> Result<Option<QuarantineRow>, StoreError> {
    let sql = "SELECT at, why FROM quarantines
               JOIN agents ON agents.id = quarantines.agent AND agents.approved_at = quarantines.approved_at
               WHERE agent = ?1";
    one(conn, "read a quarantine", sql, (agent.0,), |row| {
        Ok(QuarantineRow { agent, at: time(row, 0)?, why: row.get(1)? })
    })
}

pub(crate) fn reported_serials(conn: &Connection, agent: AgentId) -> Result<Vec<ReportedSerialRow>, StoreError> {
    let sql = "SELECT device, epoch, serial FROM reported_serials WHERE agent = ?1 ORDER BY device";
    all(conn, "read reported serials", sql, (agent.0,), |row| {
        let epoch = BootEpoch(row.get(1)?);
        Ok(ReportedSerialRow { agent, device: named(row, 0)?, epoch, serial: Serial(number(row, 2)?) })
    })
}

pub(crate) fn poll_faults(conn: &Connection, since: UnixMillis, limit: u32) -> Result<Vec<PollRow>, StoreError> {
    let sql = "SELECT at, agent, device, outcome FROM polls WHERE at >= ?1 ORDER BY at DESC, id DESC LIMIT ?2";
    all(conn, "read failed polls", sql, (bound(since.0), limit), |row| {
        Ok(PollRow { at: time(row, 0)?, agent: AgentId(row.get(1)?), device: named(row, 2)?, outcome: json(row, 3)? })
    })
}

fn birth_row(row: &Row<'_>) -> rusqlite::Result<BirthRow> {
    Ok(BirthRow {
        agent: AgentId(row.get(0)?),
        at: time(row, 1)?,
        epoch: BootEpoch(row.get(2)?),
        nonce: row.get(3)?,
        body: row.get(4)?,
    })
}

fn sample_row(row: &Row<'_>) -> rusqlite::Result<SampleRow> {
    let flags: u8 = row.get(6)?;
    Ok(SampleRow {
        at: time(row, 0)?,
        meter: MeterId(row.get(1)?),
        values: [number(row, 2)?, number(row, 3)?, number(row, 4)?, number(row, 5)?],
        narrow: flags & NARROW != 0,
        break_before: flags & BREAK_BEFORE != 0,
    })
}
