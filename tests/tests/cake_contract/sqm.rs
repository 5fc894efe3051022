//! SQM on a real CAKE: a change that is confirmed stands in UCI and in the kernel, one that is not in neither. The machine
//! that decides is the agent's own; what it decides is carried out here as the agent's device task does.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
};

use takar_agent::queue::{
    QueueBackend as _, ShaperKey,
    contract::contract,
    sqm::{
        Sqm,
        uci::{SectionName, Uci},
    },
};
use takar_agent_core::{
    admit::{DeviceLimits, Situation},
    change::{Effect, Machine},
    grant::Granted,
    journal::{self, DeviceRecord, State},
};
use takar_e2e::cakelab::run_inside;
use takar_shared::{
    BatchId, BitsPerSec, BootEpoch, ChangeId, Digest, Direction, MonoMillis, Serial, UnixMillis,
    birth::{Bound, Mode, PendingPhase},
    command::{Command, Confirm},
    id::name,
    queue::{QueueReading, Setting, queue_digest},
};
use tempfile::TempDir;

use crate::stand::{IFB, WAN, bandwidth, block_on, key, setting, sh, shaped};

const CONFIRM_S: u32 = 30;
/// As SQM's package has it, with a comment and a section more than ours.
const SETTINGS: &str = "\n# by hand\nconfig queue 'lan'\n\toption interface 'e-far'\n\toption download '1'\n\n\
    config queue 'wan'\n\toption enabled '1'\n\toption interface 'e-wan'\n\toption download '50000'\n\
    \toption upload '20000'\n\toption qdisc 'cake'\n\toption script 'piece_of_cake.qos'\n";

#[test]
fn sqm_fulfils_the_contract_and_never_touches_uci_by_it() {
    run_inside("sqm::sqm_fulfils_the_contract_and_never_touches_uci_by_it", || {
        let mut router = Router::new();
        block_on(contract(&mut router.sqm, BitsPerSec(3_000_000), BitsPerSec(8_000_000))).unwrap();
        assert_eq!(router.settings(), SETTINGS);
    });
}

#[test]
fn what_is_confirmed_outlives_a_restart_of_sqm() {
    run_inside("sqm::what_is_confirmed_outlives_a_restart_of_sqm", || {
        let mut router = Router::new();
        let change = router.command(1, &[setting(IFB, Direction::Down, 18_000_000)]);
        assert_eq!(router.in_force(), [18_000_000, 20_000_000]);
        assert_eq!(router.settings(), SETTINGS, "before it is confirmed UCI is not touched");
        router.read();
        assert_eq!(router.sqm.disagreement(), None, "a change that is open is no disagreement");

        router.confirm(&change);
        assert_eq!(router.uci(&["get", "sqm.wan.download"]), "18000\n");
        assert_eq!(router.uci(&["get", "sqm.wan.upload"]), "20000\n");
        assert_eq!(router.uci(&["get", "sqm.lan.download"]), "1\n");
        let before = router.in_force();
        router.start_sqm();
        assert_eq!(router.in_force(), before);
        router.read();
        assert_eq!(router.sqm.disagreement(), None);

        // The same once more writes nothing: the file is the one it was.
        let written = fs::metadata(router.file()).unwrap().modified().unwrap();
        block_on(router.sqm.keep(&change.set)).unwrap();
        assert_eq!(fs::metadata(router.file()).unwrap().modified().unwrap(), written);
    });
}

#[test]
fn what_is_not_confirmed_is_in_neither() {
    run_inside("sqm::what_is_not_confirmed_is_in_neither", || {
        let mut router = Router::new();
        router.command(1, &[setting(IFB, Direction::Down, 18_000_000), setting(WAN, Direction::Up, 30_000_000)]);
        assert_eq!(router.in_force(), [18_000_000, 30_000_000]);
        router.wait(u64::from(CONFIRM_S) * 1000);
        assert_eq!(router.in_force(), [50_000_000, 20_000_000]);
        assert_eq!(router.settings(), SETTINGS);
        router.read();
        assert_eq!(router.sqm.disagreement(), None);
    });
}

#[test]
fn old_values_that_uci_could_not_say_are_put_back_all_the_same() {
    run_inside("sqm::old_values_that_uci_could_not_say_are_put_back_all_the_same", || {
        let mut router = Router::new();
        sh("tc qdisc change dev ifb4e-wan root cake bandwidth 12345680bit");
        let told = "sqm.wan.download is \"50000\" kbit/s, but root of ifb4e-wan has 12345680 bit/s";
        router.read();
        assert!(router.sqm.disagreement().is_some_and(|said| said.starts_with(told)));
        router.command(1, &[setting(IFB, Direction::Down, 18_000_000)]);
        assert_eq!(router.in_force(), [18_000_000, 20_000_000]);
        router.wait(u64::from(CONFIRM_S) * 1000);
        assert_eq!(router.in_force(), [12_345_680, 20_000_000]);

        // Another such value as a new one is refused before it is applied.
        router.command(2, &[setting(IFB, Direction::Down, 18_000_504)]);
        assert_eq!(router.in_force(), [12_345_680, 20_000_000]);
        assert_eq!(router.settings(), SETTINGS);
    });
}

#[test]
fn a_power_cut_between_confirmed_and_kept_is_made_good() {
    run_inside("sqm::a_power_cut_between_confirmed_and_kept_is_made_good", || {
        let mut router = Router::new();
        let change = router.command(1, &[setting(IFB, Direction::Down, 18_000_000)]);
        router.cut_before_keep = true;
        router.confirm(&change);
        assert_eq!(router.settings(), SETTINGS);
        // The router boots: SQM sets what UCI says, then the agent starts.
        router.start_sqm();
        assert_eq!(router.in_force(), [50_000_000, 20_000_000]);
        router.boot();
        assert_eq!(router.in_force(), [18_000_000, 20_000_000]);
        assert_eq!(router.uci(&["get", "sqm.wan.download"]), "18000\n");
    });
}

/// One router: the agent's machine and journal, its queues, and SQM's settings.
struct Router {
    dir: TempDir,
    disk: Vec<u8>,
    machine: Machine,
    sqm: Sqm,
    now: MonoMillis,
    cut_before_keep: bool,
}

impl Router {
    fn new() -> Self {
        shaped();
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("config")).unwrap();
        fs::write(dir.path().join("config/sqm"), SETTINGS).unwrap();
        let disk = journal::snapshot(&State::default()).unwrap();
        let (machine, sqm) = (machine(&disk), backend(dir.path()));
        Self { dir, disk, machine, sqm, now: MonoMillis(0), cut_before_keep: false }
    }

    /// The agent starts, after a boot or a crash.
    fn boot(&mut self) {
        self.machine = machine(&self.disk);
        self.sqm = backend(self.dir.path());
        let effects = self.machine.start(true);
        self.carry_out(effects);
    }

    /// As SQM's scripts do it: away with the queues, and new ones by what UCI says.
    fn start_sqm(&self) {
        for (device, option) in [(IFB, "download"), (WAN, "upload")] {
            let rate = self.uci(&["get", &format!("sqm.wan.{option}")]);
            sh(&format!("tc qdisc del dev {device} root"));
            sh(&format!("tc qdisc add dev {device} root cake bandwidth {}kbit besteffort", rate.trim()));
        }
    }

    fn command(&mut self, serial: u64, set: &[Setting]) -> Command {
        let command = Command {
            change: ChangeId([serial as u8; 16]),
            device: name("edge").unwrap(),
            serial: Serial(serial),
            expires_at: UnixMillis(10_000_000),
            batch: BatchId([0; 16]),
            step: 1,
            steps: 1,
            expects: queue_digest(&self.read()),
            set: set.to_vec(),
            confirm_within_s: CONFIRM_S,
        };
        let granted = Granted { now_at_most: UnixMillis(1_000_000), keyset_min: 1, expires_in_ms: 60_000 };
        let situation = Situation { mode: Mode::Live, granted: Some(granted), keyset_version: 1 };
        let digest = Digest::of(&serial.to_le_bytes());
        let effects = self.machine.handle_command(command.clone(), digest, situation);
        self.carry_out(effects);
        command
    }

    fn confirm(&mut self, command: &Command) {
        let Command { change, device, serial, .. } = command.clone();
        let effects = self.machine.handle_confirm(&Confirm { change, device, serial });
        self.carry_out(effects);
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
        let effects = self.machine.handle_timeout(self.now);
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        let mut queue = VecDeque::from(effects);
        while let Some(effect) = queue.pop_front() {
            let more = match effect {
                Effect::Read => {
                    let readings = self.read();
                    self.machine.handle_queues(Some(readings), self.now)
                }
                Effect::Apply(settings) => {
                    let is_new = self.machine.pending().is_some_and(|pending| pending.phase == PendingPhase::Accepted);
                    let applied = block_on(async {
                        if is_new {
                            self.sqm.prepare(&settings).await?;
                        }
                        self.sqm.apply(&settings).await
                    });
                    self.machine.handle_applied(applied.is_ok(), self.now)
                }
                Effect::Keep(_) if self.cut_before_keep => {
                    self.cut_before_keep = false;
                    return;
                }
                Effect::Keep(settings) => {
                    block_on(self.sqm.keep(&settings)).unwrap();
                    Vec::new()
                }
                Effect::Journal(records) => {
                    self.disk.extend(journal::frame(&records).unwrap());
                    self.machine.handle_journalled(true, self.now)
                }
                Effect::Send(_) => Vec::new(),
                other => panic!("{other:?}"),
            };
            queue.extend(more);
        }
    }

    fn read(&mut self) -> Vec<QueueReading> {
        block_on(self.sqm.read()).unwrap().into_iter().map(|one| one.reading).collect()
    }

    /// Down and up, in bit/s, as tc shows it.
    fn in_force(&self) -> [u64; 2] {
        [IFB, WAN].map(|device| bandwidth(device).as_u64().unwrap() * 8)
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("config/sqm")
    }

    fn settings(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn uci(&self, words: &[&str]) -> String {
        let config = self.dir.path().join("config").display().to_string();
        let place = ["-c", config.as_str(), "-t", "/nowhere/at/all"];
        takar_e2e::uci::run(&place.iter().chain(words).map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }
}

fn backend(place: &Path) -> Sqm {
    let section = SectionName::parse("wan").unwrap();
    let uci = Uci::at(section, env!("CARGO_BIN_EXE_takar-uci").into(), place.join("config"), place.join("save"));
    Sqm::new(allowed().to_vec(), uci)
}

fn allowed() -> [ShaperKey; 2] {
    [key(IFB, Direction::Down), key(WAN, Direction::Up)]
}

fn machine(disk: &[u8]) -> Machine {
    let device = name("edge").unwrap();
    let bound = |ShaperKey { shaper, direction }| Bound {
        shaper,
        direction,
        floor: BitsPerSec(1_000_000),
        ceiling: BitsPerSec(100_000_000),
    };
    let bounds = allowed().map(bound).to_vec();
    let limits = DeviceLimits { device: device.clone(), bounds, changes_per_hour: 12, has_cir: false };
    let state = journal::recover(disk).unwrap().state;
    let record = state.device(&device).cloned().unwrap_or_else(|| DeviceRecord::new(device));
    Machine::new(limits, BootEpoch(1), record)
}
