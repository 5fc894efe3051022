//! What a process costs, as the kernel keeps account of it.

use std::{fs, process::Command};

use anyhow::{Context as _, ensure};

/// The processor time of one process, without its children's.
pub struct Cpu {
    pid: u32,
    ticks_a_second: f64,
}

impl Cpu {
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let output = Command::new("getconf").arg("CLK_TCK").output().context("getconf CLK_TCK")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let ticks: u32 = text.trim().parse().with_context(|| format!("getconf CLK_TCK said \"{}\"", text.trim()))?;
        ensure!(ticks > 0, "getconf CLK_TCK said 0");
        Ok(Self { pid, ticks_a_second: f64::from(ticks) })
    }

    /// User and system time since the process began; in steps of a tick, mostly 10 ms.
    pub fn seconds(&self) -> anyhow::Result<f64> {
        let path = format!("/proc/{}/stat", self.pid);
        let text = fs::read_to_string(&path).with_context(|| format!("{path}: the program has ended"))?;
        let ticks = ticks(&text).with_context(|| format!("{path}: \"{}\" has no fields 14 and 15", text.trim()))?;
        Ok(ticks as f64 / self.ticks_a_second)
    }
}

/// The process's share of memory: pages that several processes map count in parts.
pub fn pss_kb(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("{path}: the program has ended"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).with_context(|| format!("{path}: no Pss"))?;
    let number = line.trim().trim_end_matches("kB").trim();
    number.parse().with_context(|| format!("{path}: Pss is \"{number}\""))
}

/// Fields 14 and 15 (proc_pid_stat(5)), the first after the name being field 3: a name may have spaces and brackets.
fn ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_found_behind_any_name() {
        for name in ["takar", "tmux: server", "a) S 1 (b"] {
            let stat = format!("7 ({name}) S 1 7 7 0 -1 4194560 100 0 2 0 31 11 5 6 20 0 1 0 99 1000 50\n");
            assert_eq!(ticks(&stat), Some(42), "{name}");
        }
        assert_eq!(ticks("7 (takar) S 1 7"), None);
    }

    #[test]
    fn this_process_has_memory_and_time() {
        let own = std::process::id();
        assert!(pss_kb(own).unwrap() > 100);
        assert!(Cpu::of(own).unwrap().seconds().unwrap() >= 0.0);
    }
}
