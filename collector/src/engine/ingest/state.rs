//! What a device says of itself: its state in Birth and Telemetry, and receipts.

use takar_shared::{AgentId, UnixMillis, birth::DeviceState, receipt::Receipt};
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
        let Some(queues) = &state.queues else { return };
        let known = before.and_then(|before| before.queues).map(|queues| queues.readings).unwrap_or_default();
        let at = clock.to_unix(queues.read_at).max(UnixMillis(1));
        for reading in &queues.readings {
            self.watches.set_ceiling(&state.device, reading, at.max(UnixMillis(now.0.saturating_sub(3_600_000))));
            if !known.contains(reading) {
                self.pending.push(Write::Ceiling(CeilingRow {
                    at,
                    agent: id,
                    device: state.device.clone(),
                    shaper: reading.shaper.clone(),
                    direction: reading.direction,
                    cir: reading.cir,
                    mir: reading.mir,
                    disabled: reading.disabled,
                }));
            }
        }
        if queues.readings.iter().any(|reading| !known.contains(reading)) {
            self.publish_device_links(&state.device);
        }
    }

    pub(super) fn handle_receipt(&mut self, id: AgentId, receipt: Receipt, now: UnixMillis) {
        let Some(agent) = self.agents.get_mut(&id) else { return };
        if agent.distrusted.is_some() {
            // It may be a copy's: what it says must free no reservation.
            let name = &agent.record.name;
            tracing::debug!(agent = %name, change = %receipt.change, "a receipt from quarantine is not taken");
            return;
        }
        if let Some(reported) = agent.intake.receipt(&receipt) {
            self.pending.push(remember(id, &reported));
        }
        let device = receipt.device.clone();
        let observed = receipt.observed.clone();
        if !self.take_receipt(id, &receipt, now) {
            return;
        }
        // What was read back right after is newer than the last report.
        if let (Some(set), Some(agent)) = (observed, self.agents.get_mut(&id))
            && let Some(known) =
                agent.devices.iter_mut().find(|known| known.name == device).and_then(|known| known.state.as_mut())
            && let Some(queues) = known.queues.as_mut()
            && set.read_at > queues.read_at
        {
            let at = agent.birth.as_ref().map_or(now, |born| born.clock.to_unix(set.read_at));
            queues.read_at = set.read_at;
            queues.digest = set.digest;
            for reading in set.readings {
                self.watches.set_ceiling(&device, &reading, at);
                queues.readings.retain(|old| old.shaper != reading.shaper || old.direction != reading.direction);
                queues.readings.push(reading);
            }
        }
        self.publish_device_links(&device);
    }
}
