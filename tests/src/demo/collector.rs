//! The collector: made with `takar init`, run with `takar serve`, asked with `takar --json`.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::{
    args::Thresholds,
    place::{Place, quoted, write},
    routers::{CAPACITY, GUARANTEE_BPS, QUEUE, Routers},
};
use crate::{
    client::Client,
    process::{Process, free_port, run, wait_for},
};

/// The exit code of `takar audit verify` where the log does not hold.
const AUDIT_FAULT: i32 = 4;

pub struct Collector {
    client: Client,
    inventory: PathBuf,
    process: Process,
}

impl Collector {
    pub fn start(thresholds: &Thresholds, binaries: &Path, place: &Place) -> anyhow::Result<Self> {
        let folder = place.folder("collector")?;
        let (program, config, state) = (binaries.join("takar"), folder.join("takar.toml"), folder.join("state"));
        let address = format!("127.0.0.1:{}", free_port()?);
        let mut init = Command::new(&program);
        init.arg("--config").arg(&config).arg("init").arg("--state-dir").arg(&state);
        init.arg("--root-out").arg(place.path().join("root.key"));
        run(init.args(["--broker", "embedded", "--address", &address]))?;
        write(&config, &config_text(thresholds, &state, &address))?;
        let mut serve = Command::new(&program);
        serve.arg("--config").arg(&config).arg("serve");
        let mut process = Process::start("takar serve", serve, &folder.join("takar.log"))?;
        let client = Client::of(config)?;
        wait_for("takar serve to answer", Duration::from_secs(10), || {
            process.check()?;
            Ok(run(&mut client.takar(&["status"])).ok())
        })?;
        Ok(Self { client, inventory: folder.join("inventory.toml"), process })
    }

    pub fn check(&mut self) -> anyhow::Result<()> {
        self.process.check()
    }

    pub fn end(&mut self) {
        self.process.end();
    }

    /// `takar device approve REQUEST --out BUNDLE`
    pub fn approve(&self, request: &Path, bundle: &Path) -> anyhow::Result<()> {
        run(self.client.takar(&["device", "approve"]).arg(request).arg("--out").arg(bundle)).map(drop)
    }

    /// `takar import` of what the routers are, as a person would have written it down.
    pub fn import(&self, routers: &Routers) -> anyhow::Result<()> {
        write(&self.inventory, &inventory_text(routers)?)?;
        run(self.client.takar(&["import"]).arg(&self.inventory)).map(drop)
    }

    /// What `takar --json` answers.
    pub fn ask(&self, words: &[&str]) -> anyhow::Result<Value> {
        self.client.ask(words)
    }

    /// An answer that is a list.
    pub fn list(&self, words: &[&str]) -> anyhow::Result<Vec<Value>> {
        self.client.list(words)
    }

    /// Does the audit log hold?
    pub fn audit_holds(&self) -> anyhow::Result<bool> {
        let mut command = self.client.takar(&["audit", "verify"]);
        let done = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {command:?}"))?;
        match done.status.code() {
            Some(0) => {
                let view: Value = serde_json::from_slice(&done.stdout).context("takar audit verify wrote no JSON")?;
                Ok(view["ok"] == true)
            }
            Some(AUDIT_FAULT) => Ok(false),
            _ => bail!("takar audit verify: {}", String::from_utf8_lossy(&done.stderr).trim()),
        }
    }
}

fn config_text(thresholds: &Thresholds, state: &Path, address: &str) -> String {
    let Thresholds {
        reading_length_s,
        counter_step_ms,
        keep_readings,
        hold_down_s,
        max_gain_per_mille,
        confirm_within_s,
        expires_in_s,
        withhold_confirm,
    } = thresholds;
    let state = quoted(state);
    format!(
        "state_dir = {state}\n\n\
         [broker]\nkind = \"embedded\"\naddress = \"{address}\"\nname = \"{address}\"\n\n\
         [readings]\nlength_s = {reading_length_s}\nkeep = {keep_readings}\ncounter_step_ms = {counter_step_ms}\n\n\
         [plan]\nmax_gain_per_mille = {max_gain_per_mille}\nhold_down_s = {hold_down_s}\n\n\
         [policy]\napprove = true\nmax_gain_per_mille = {max_gain_per_mille}\n\n\
         [change]\nconfirm_within_s = {confirm_within_s}\nexpires_in_s = {expires_in_s}\n\
         withhold_confirm = {withhold_confirm}\n"
    )
}

fn inventory_text(routers: &Routers) -> anyhow::Result<String> {
    let mut text = format!(
        "[[provider]]\nname = \"provider\"\ntitle = \"The provider\"\n\n\
         [[uplink]]\nname = \"uplink\"\nprovider = \"provider\"\ndown_bps = {}\nup_bps = {}\n",
        CAPACITY.down, CAPACITY.up
    );
    for router in &routers.all {
        let name = &router.name;
        write!(
            text,
            "\n[[site]]\nname = \"{name}\"\ntitle = \"{name}\"\n\n\
             [[link]]\nname = \"{name}\"\nsite = \"{name}\"\nuplink = \"uplink\"\ndevice = \"{name}\"\n\
             interface = \"ether1\"\n"
        )?;
        for ((direction, mir), (_, capacity)) in routers.ceiling.named().into_iter().zip(CAPACITY.named()) {
            write!(
                text,
                "\n[link.{direction}]\nqueue = \"{QUEUE}\"\ncir_bps = {GUARANTEE_BPS}\nmir_bps = {mir}\n\
                 floor_bps = {GUARANTEE_BPS}\nceiling_bps = {capacity}\n"
            )?;
        }
    }
    Ok(text)
}
