//! The agents: one a router, let in by file as an administrator would.

use std::{fmt::Write as _, path::Path, process::Command};

use super::{
    collector::Collector,
    place::{Place, quoted, write},
    routers::{CAPACITY, GUARANTEE_BPS, QUEUE, Router, Routers, USER},
};
use crate::process::{Process, run};

pub struct Agents {
    processes: Vec<Process>,
}

impl Agents {
    pub fn start(routers: &Routers, collector: &Collector, binaries: &Path, place: &Place) -> anyhow::Result<Self> {
        let program = binaries.join("takar-agent");
        let mut agents = Self { processes: Vec::new() };
        for router in &routers.all {
            let folder = place.folder(&format!("agent-{}", router.name))?;
            let config = folder.join("agent.toml");
            write(&config, &config_text(router, routers, &folder)?)?;
            let agent = |words: &[&str]| {
                let mut command = Command::new(&program);
                command.arg("--config").arg(&config).args(words);
                command
            };
            let (request, bundle) = (folder.join("request.json"), folder.join("bundle.json"));
            run(agent(&["enrol", "--request"]).arg(&request))?;
            collector.approve(&request, &bundle)?;
            run(agent(&["enrol", "--bundle"]).arg(&bundle))?;
            let name = format!("agent of {}", router.name);
            agents.processes.push(Process::start(&name, agent(&["run"]), &folder.join("agent.log"))?);
        }
        Ok(agents)
    }

    pub fn check(&mut self) -> anyhow::Result<()> {
        self.processes.iter_mut().try_for_each(Process::check)
    }
}

fn config_text(router: &Router, routers: &Routers, folder: &Path) -> anyhow::Result<String> {
    let mut text = format!(
        "mode = \"live\"\nstate_dir = {state}\nspool_dir = {spool}\npoll_every_ms = 1000\npolls_per_message = 1\n\n\
         [[device]]\nname = \"{name}\"\n\n\
         [device.snmp]\naddress = \"{snmp}\"\nversion = \"2c\"\ncommunity_file = {community}\n\
         interfaces = [\"ether1\"]\n\n\
         [device.queues]\nbackend = \"routeros\"\naddress = \"{api}\"\nuser = \"{USER}\"\n\
         password_file = {password}\n",
        state = quoted(&folder.join("state")),
        spool = quoted(&folder.join("spool")),
        name = router.name,
        snmp = router.snmp,
        api = router.api,
        community = quoted(&routers.community_file),
        password = quoted(&routers.password_file),
    );
    for (direction, capacity) in CAPACITY.named() {
        write!(
            text,
            "\n[[device.shaper]]\nqueue = \"{QUEUE}\"\ndirection = \"{direction}\"\n\
             floor_bps = {GUARANTEE_BPS}\nceiling_bps = {capacity}\n"
        )?;
    }
    Ok(text)
}
