//! What a device says of itself: its state in Birth and Telemetry, and receipts.

use takar_shared::{
    AgentId, Name, UnixMillis,
    birth::DeviceState,
    queue::QueueReading,
    receipt::{Phase, Receipt},
};
use takar_store::{CeilingRow, Write};

use super::remember;
use crate::engine::Engine;

impl Engine {
    /// A device's state as reported: ceilings, serial, pending change.
    pub(super) fn take_state(&mut self, id: AgentId, state: DeviceState, now: UnixMillis) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        let Some(clock) = agent.birth.as_ref().map(|born| born.clock.clone()) else { return };
        let Some(device) = agent.devices.iter_mut().find(|device| device.name == state.device) else { return };
        let before = device.state.replace(state.clone());
        let Some(queues) = &state.queues else {
            self.watches.forget_ceilings(&state.device);
            return self.publish_device_links(&state.device);
        };
        let known = before.and_then(|before| before.queues).map(|queues| queues.readings).unwrap_or_default();
        let read_at = clock.to_unix(queues.read_at).max(UnixMillis(1));
        for reading in &queues.readings {
            let at = read_at.max(UnixMillis(now.0.saturating_sub(3_600_000)));
            self.plan_due |= self.watches.set_ceiling(&state.device, reading, at);
            if !known.contains(reading) {
                self.pending.push(ceiling_row(id, &state.device, reading, read_at));
            }
        }
        if queues.readings.iter().any(|reading| !known.contains(reading)) {
            self.publish_device_links(&state.device);
        }
    }

    pub(super) fn handle_receipt(&mut self, id: AgentId, receipt: Receipt, now: UnixMillis) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        if agent.quarantine.is_some() {
            // It may be a copy's: what it says must free no reservation.
            let name = &agent.record.name;
            tracing::debug!(agent = %name, change = %receipt.change, "a receipt from quarantine is not taken");
            return;
        }
        if let Some(reported) = agent.intake.receipt(&receipt) {
            self.pending.push(remember(id, &reported));
        }
        self.note_receipt(id, &receipt);
        if self.take_receipt(id, &receipt, now) {
            self.publish_device_links(&receipt.device);
        }
    }

    /// What a receipt says of its device is newer than the last report: what it ends is not pending any more, and the
    /// values were read back right after.
    fn note_receipt(&mut self, id: AgentId, receipt: &Receipt) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        // Of an earlier boot: its clock was another, and what it read back may be undone since.
        let Some(born) = agent.birth.as_ref().filter(|born| born.epoch == receipt.boot_epoch) else { return };
        let clock = &born.clock;
        let device = agent.devices.iter_mut().find(|device| device.name == receipt.device);
        let Some(state) = device.and_then(|device| device.state.as_mut()) else { return };
        let ends = receipt.phase != Phase::Applied;
        state.pending.take_if(|pending| ends && pending.change == receipt.change);
        let (Some(set), Some(queues)) = (&receipt.observed, &mut state.queues) else { return };
        if set.read_at <= queues.read_at {
            return;
        }
        let at = clock.to_unix(set.read_at);
        queues.read_at = set.read_at;
        queues.digest = set.digest;
        for reading in &set.readings {
            self.plan_due |= self.watches.set_ceiling(&receipt.device, reading, at);
            // The next report says nothing new, so it is written here.
            if !queues.readings.contains(reading) {
                self.pending.push(ceiling_row(id, &receipt.device, reading, at));
            }
            queues.readings.retain(|old| old.shaper != reading.shaper || old.direction != reading.direction);
            queues.readings.push(reading.clone());
        }
    }
}

fn ceiling_row(agent: AgentId, device: &Name, reading: &QueueReading, at: UnixMillis) -> Write {
    Write::Ceiling(CeilingRow {
        at,
        agent,
        device: device.clone(),
        shaper: reading.shaper.clone(),
        direction: reading.direction,
        cir: reading.cir,
        mir: reading.mir,
        disabled: reading.disabled,
    })
}
