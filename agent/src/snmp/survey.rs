//! All that a device tells of itself, its interfaces and its queues: for people who have yet to configure it.
//!
//! Unlike a poll, which reads what it knows by name, a survey walks whole columns and keeps what is odd, with words
//! about the oddity. A value is as the device told it; `None` is one that it did not tell.
//! Sources: IF-MIB (RFC 2863), SNMPv2-MIB (RFC 3418), MIKROTIK-MIB.

mod cells;
mod judge;

use serde::Serialize;

use self::cells::{COLUMNS, Cells};
use super::{Target, fault::Fault, fetch::Found, oid::Oid, walk::Walk};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Survey {
    pub identity: Identity,
    /// By rising ifIndex.
    pub interfaces: Vec<Interface>,
    /// Of MIKROTIK-MIB; it does not tell rates.
    pub queues: Vec<MibQueue>,
    /// What a person should know before they rely on the above; one line each.
    pub oddities: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Identity {
    pub sys_name: Option<String>,
    pub sys_descr: Option<String>,
    pub sys_object_id: Option<String>,
    pub sys_location: Option<String>,
    /// sysUpTime, in hundredths of a second.
    pub up_time_ticks: Option<u32>,
    /// snmpEngineBoots; v3 only.
    pub engine_boots: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    pub if_index: u32,
    /// What an agent's config calls it: ifName, or ifDescr where no interface of the device has an ifName.
    pub name: Option<String>,
    pub if_name: Option<String>,
    pub if_descr: Option<String>,
    pub if_alias: Option<String>,
    pub if_type: Option<u64>,
    /// ifHighSpeed in bit/s; none where it is zero.
    pub high_speed_bps: Option<u64>,
    /// ifSpeed in bit/s, which ends at 4,294,967,295; none where it is zero.
    pub speed_bps: Option<u64>,
    pub hc_in_octets: Option<u64>,
    pub hc_out_octets: Option<u64>,
    /// The 32-bit counters.
    pub in_octets: Option<u64>,
    pub out_octets: Option<u64>,
    pub in_discards: Option<u64>,
    pub out_discards: Option<u64>,
    pub in_errors: Option<u64>,
    pub out_errors: Option<u64>,
    /// In the MIB's words: up, down, testing.
    pub admin_status: Option<&'static str>,
    /// Likewise: up, down, testing, unknown, dormant, notPresent, lowerLayerDown.
    pub oper_status: Option<&'static str>,
}

/// A queue of MIKROTIK-MIB. A simple queue counts both directions, a tree queue one: that of its parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MibQueue {
    /// "simple" or "tree".
    pub kind: &'static str,
    pub index: u32,
    pub name: String,
    /// Tree queues only.
    pub packet_mark: Option<String>,
    /// Tree queues only: ifIndex or index of another tree queue.
    pub parent_index: Option<u64>,
    /// Seen from the queue's target, which is the subscriber.
    pub up_bytes: Option<u64>,
    pub down_bytes: Option<u64>,
    pub bytes: Option<u64>,
    pub up_dropped: Option<u64>,
    pub down_dropped: Option<u64>,
    pub dropped: Option<u64>,
}

impl Target {
    /// Walks all that a [`Survey`] tells. A column that cannot be walked to its end is an oddity and its cells are asked
    /// for one by one; a device that does not answer, or refuses, is an error of one line.
    pub async fn survey(&mut self) -> Result<Survey, String> {
        self.try_survey().await.map_err(|fault| format!("{}: {}", self.address(), fault.line()))
    }

    async fn try_survey(&mut self) -> Result<Survey, Fault> {
        let system = self.try_fetch(judge::SYSTEM.map(Oid::scalar).to_vec()).await?;
        let mut cells = Cells::default();
        let mut unfinished = Vec::new();
        for (at, column) in COLUMNS.iter().enumerate() {
            if column.only_with.is_some_and(|other| cells.is_empty(other)) {
                continue;
            }
            let mut walk = Walk::new(column.oid);
            let fault = self.follow(&mut walk).await?;
            self.note_order(&walk);
            if let Some(fault) = fault {
                cells.say(format!("{}: {}", column.name, fault.line()));
                unfinished.push(at);
            }
            cells.take(at, walk);
        }
        for at in unfinished {
            let Some(column) = COLUMNS.get(at) else { continue };
            let missing = cells.missing(at).map(|index| Oid::cell(column.oid, index)).collect();
            // One that fails here too is missing, as has been told already.
            if let Ok(found) = self.try_fetch(missing).await {
                cells.fill(at, &found);
            }
        }
        let identity = judge::identity(&system, self.engine_boots());
        Ok(judge::judge(identity, cells))
    }

    /// Goes on to the walk's end or to a fault of the table, which is returned beside what was read; a fault of the
    /// device or of the way to it is an error.
    async fn follow(&mut self, walk: &mut Walk) -> Result<Option<Fault>, Fault> {
        while let Some(request) = walk.request() {
            let reply = self.ask(&request).await?;
            if let Err(fault) = walk.on_reply(reply) {
                return if matches!(fault, Fault::NotAuthorized) { Err(fault) } else { Ok(Some(fault)) };
            }
        }
        Ok(None)
    }

    async fn try_fetch(&mut self, cells: Vec<Oid>) -> Result<Found, Fault> {
        if cells.is_empty() { Ok(Found::default()) } else { self.fetch_all(cells).await }
    }
}

#[cfg(test)]
mod tests;
