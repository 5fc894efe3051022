//! What agents said: who they are, what they counted, what was lost.

use rusqlite::Connection;
use takar_shared::{AgentId, BootEpoch, Name, Seq, Serial, UnixMillis, telemetry::PollOutcome};

use crate::{
    AgentRecord, CeilingRow, MeterId, MeterKey, PollRow, SampleRow, StoreError,
    sqlite::{
        column::{BREAK_BEFORE, Bits, Json, NARROW},
        read,
        statement::{failed, run},
    },
};

pub(crate) fn agent(conn: &Connection, agent: &AgentRecord) -> Result<(), StoreError> {
    let sql = "INSERT INTO agents (id, name, public_key, approved_at, approved_by, revoked, devices)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (id) DO UPDATE SET name = excluded.name, public_key = excluded.public_key,
                   approved_at = excluded.approved_at, approved_by = excluded.approved_by,
                   revoked = excluded.revoked, devices = excluded.devices";
    let params = (
        agent.id.0,
        &agent.name,
        agent.public_key,
        Bits(agent.approved_at.0),
        Json(&agent.approved_by),
        agent.revoked,
        Json(&agent.devices),
    );
    run(conn, "store an agent", sql, params).map(drop)
}

pub(crate) fn stored_up_to(conn: &Connection, agent: AgentId, to: (BootEpoch, Seq)) -> Result<(), StoreError> {
    if let Some(stored) = read::measured::stored_up_to(conn, agent)?.filter(|stored| to < *stored) {
        let in_words = |(epoch, seq): (BootEpoch, Seq)| format!("epoch {} seq {}", epoch.0, seq.0);
        return Err(StoreError::WouldFall {
            what: format!("what is stored of agent {agent}"),
            stored: in_words(stored),
            given: in_words(to),
        });
    }
    let sql = "INSERT INTO stored_up_to (agent, epoch, seq) VALUES (?1, ?2, ?3)
               ON CONFLICT (agent) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq";
    let (epoch, seq) = to;
    run(conn, "store how far an agent is stored", sql, (agent.0, epoch.0, Bits(seq.0))).map(drop)
}

pub(crate) fn birth(
    conn: &Connection,
    agent: AgentId,
    at: UnixMillis,
    epoch: BootEpoch,
    nonce: &[u8; 16],
    body: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO births (agent, epoch, at, nonce, body) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (agent, epoch) DO UPDATE SET at = excluded.at, nonce = excluded.nonce, body = excluded.body";
    run(conn, "store a birth", sql, (agent.0, epoch.0, Bits(at.0), nonce, body)).map(drop)
}

/// A new meter, in a transaction of its own when none is open.
pub(crate) fn meter(conn: &Connection, key: &MeterKey) -> Result<MeterId, StoreError> {
    let doing = "store a meter";
    let sql = "INSERT INTO meters (agent, device, meter) VALUES (?1, ?2, ?3) RETURNING id";
    let params = (key.agent.0, key.device.as_str(), Json(&key.meter));
    let put = || -> rusqlite::Result<MeterId> {
        let mut insert = conn.prepare_cached(sql)?;
        // To the end: a statement that is left before it is committed by chance only.
        insert.query_one(params, |row| row.get(0).map(MeterId))
    };
    put().map_err(failed(doing))
}

pub(crate) fn samples(conn: &Connection, rows: &[SampleRow]) -> Result<(), StoreError> {
    let sql = "INSERT INTO samples (at, meter, v0, v1, v2, v3, flags) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let put = || -> rusqlite::Result<()> {
        let mut insert = conn.prepare_cached(sql)?;
        for row in rows {
            let [v0, v1, v2, v3] = row.values.map(Bits);
            let narrow = if row.narrow { NARROW } else { 0 };
            let break_before = if row.break_before { BREAK_BEFORE } else { 0 };
            insert.execute((Bits(row.at.0), row.meter.0, v0, v1, v2, v3, narrow | break_before))?;
        }
        Ok(())
    };
    put().map_err(failed("store samples"))
}

pub(crate) fn polls(conn: &Connection, rows: &[PollRow]) -> Result<(), StoreError> {
    let sql = "INSERT INTO polls (at, agent, device, outcome) VALUES (?1, ?2, ?3, ?4)";
    let faults = rows.iter().filter(|row| row.outcome != PollOutcome::Ok);
    for row in faults {
        let params = (Bits(row.at.0), row.agent.0, row.device.as_str(), Json(row.outcome));
        run(conn, "store a failed poll", sql, params)?;
    }
    Ok(())
}

pub(crate) fn loss(
    conn: &Connection,
    agent: AgentId,
    from: (BootEpoch, Seq),
    to: (BootEpoch, Seq),
    samples: Option<u64>,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO losses (agent, from_epoch, from_seq, to_epoch, to_seq, samples, at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let params = (agent.0, from.0.0, Bits(from.1.0), to.0.0, Bits(to.1.0), samples.map(Bits), Bits(at.0));
    run(conn, "store a loss", sql, params).map(drop)
}

pub(crate) fn quarantine(
    conn: &Connection,
    agent: AgentId,
    approved_at: UnixMillis,
    at: UnixMillis,
    why: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO quarantines (agent, approved_at, at, why) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (agent) DO UPDATE SET approved_at = excluded.approved_at, at = excluded.at,
                   why = excluded.why";
    run(conn, "store a quarantine", sql, (agent.0, Bits(approved_at.0), Bits(at.0), why)).map(drop)
}

pub(crate) fn reported_serial(
    conn: &Connection,
    agent: AgentId,
    device: &Name,
    epoch: BootEpoch,
    serial: Serial,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO reported_serials (agent, device, epoch, serial) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (agent, device) DO UPDATE SET epoch = excluded.epoch, serial = excluded.serial";
    run(conn, "store a reported serial", sql, (agent.0, device.as_str(), epoch.0, Bits(serial.0))).map(drop)
}

pub(crate) fn ceiling(conn: &Connection, row: &CeilingRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO ceilings (at, agent, device, shaper, direction, cir, mir, disabled)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let params = (
        Bits(row.at.0),
        row.agent.0,
        row.device.as_str(),
        Json(&row.shaper),
        row.direction.as_str(),
        row.cir.map(|cir| Bits(cir.0)),
        Bits(row.mir.0),
        row.disabled,
    );
    run(conn, "store a ceiling", sql, params).map(drop)
}
