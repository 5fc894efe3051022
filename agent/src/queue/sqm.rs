//! OpenWrt's SQM: CAKE in the kernel ([`Cake`]), and the UCI settings from which SQM sets it at every ifup and reload.
//!
//! A change is made in the kernel alone, which takes it at once; SQM's own way deletes the queue and takes seconds. Only
//! when the change is confirmed is it written to UCI, so that SQM sets the same from then on. An unconfirmed one never
//! reaches UCI, so that a reboot ends it. Who disagrees with the kernel in UCI is told of, and never overwritten.

pub mod uci;

use std::time::SystemTime;

use takar_shared::{
    Direction,
    queue::{Setting, Shaper},
};

use self::uci::{Section, Uci};
use super::{Observed, QueueBackend, QueueError, ShaperKey, cake::Cake, netlink::unsupported};
use crate::chain::chain;

/// One section of SQM: what goes up is shaped on its interface, what comes down on an ifb.
pub struct Sqm {
    cake: Cake,
    uci: Uci,
    /// A new change, from before it is applied until it is confirmed or undone. So long UCI rightly says otherwise.
    pending: Option<Vec<Setting>>,
    compared: Option<Compared>,
    /// The disagreement that the log has told of.
    told: Option<String>,
}

/// What was last found in the kernel, and the time and length of UCI's file then: while both stay, no `uci` is run.
type Compared = (Vec<Setting>, Option<(SystemTime, u64)>);

impl Sqm {
    /// Touches nothing yet.
    pub fn new(allow: Vec<ShaperKey>, uci: Uci) -> Self {
        Self { cake: Cake::new(allow), uci, pending: None, compared: None, told: None }
    }

    /// In which the kernel and UCI differ, if they do; in one line.
    pub fn disagreement(&self) -> Option<&str> {
        self.told.as_deref()
    }

    async fn compare(&mut self, observed: &[Observed]) {
        let settings: Vec<Setting> = observed.iter().map(|one| one.reading.setting()).collect();
        let now = (settings, self.uci.stamp());
        if self.compared.as_ref() == Some(&now) {
            return;
        }
        let found = match self.uci.section().await {
            Ok(section) => {
                let difference = self.difference(&section, &now.0);
                self.compared = Some(now);
                difference
            }
            Err(error) => Some(format!("SQM's settings cannot be read: {}", chain(&error))),
        };
        if found == self.told {
            return;
        }
        match &found {
            Some(what) => tracing::warn!(section = %self.uci.name(), "{what}"),
            None => tracing::info!(section = %self.uci.name(), "SQM's settings and the kernel agree"),
        }
        self.told = found;
    }

    fn difference(&self, section: &Section, settings: &[Setting]) -> Option<String> {
        if let Err(error) = self.fits(section) {
            return Some(error.to_string());
        }
        let differs = settings.iter().filter_map(|setting| {
            let option = option_of(setting.direction);
            let kept = section.get(option).unwrap_or("absent");
            let agrees = section.kbit(option).and_then(|kbit| kbit.checked_mul(1000)) == Some(setting.mir.0);
            let (place, shaper, mir) = (self.uci.place(option), &setting.shaper, setting.mir.0);
            (!agrees).then(|| format!("{place} is {kept:?} kbit/s, but {shaper} has {mir} bit/s"))
        });
        let differs: Vec<String> = differs.collect();
        let end = "left as they are; a reload of SQM will set what UCI says";
        (!differs.is_empty()).then(|| format!("{}: {end}", differs.join("; ")))
    }

    /// Is this the section that shapes what the allow-list names?
    fn fits(&self, section: &Section) -> Result<(), QueueError> {
        let interface = section.get("interface").unwrap_or_default();
        for key in self.cake.allowed() {
            let is_its_own = matches!(&key.shaper, Shaper::Root(name) if name.as_str() == interface);
            if is_its_own != (key.direction == Direction::Up) {
                let place = self.uci.place("interface");
                let fault =
                    format!("{place} is {interface:?}, which SQM shapes up; expected it so in [[device.shaper]]");
                return Err(unsupported(&key.shaper, &fault));
            }
        }
        Ok(())
    }
}

impl QueueBackend for Sqm {
    fn has_cir(&self) -> bool {
        self.cake.has_cir()
    }

    async fn read(&mut self) -> Result<Vec<Observed>, QueueError> {
        let observed = self.cake.read().await?;
        if self.pending.is_none() {
            self.compare(&observed).await;
        }
        Ok(observed)
    }

    async fn apply(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
        // Anything else than what was prepared ends it: the old values, back again.
        if self.pending.as_deref() != Some(settings) {
            self.pending = None;
        }
        self.cake.apply(settings).await
    }

    /// Refuses what UCI cannot say (it counts whole kbit/s, zero being no shaping), and a section that is not there or
    /// is another interface's.
    async fn prepare(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
        settings.iter().try_for_each(|setting| kbit_of(setting).map(drop))?;
        let section = self.uci.section().await?;
        self.fits(&section)?;
        self.pending = Some(settings.to_vec());
        Ok(())
    }

    /// Writes only what differs: flash wears.
    async fn keep(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
        self.pending = None;
        self.compared = None;
        let rates = settings.iter().map(|setting| kbit_of(setting).map(|kbit| (option_of(setting.direction), kbit)));
        let rates = rates.collect::<Result<Vec<_>, QueueError>>()?;
        let section = self.uci.section().await?;
        self.fits(&section)?;
        let changed: Vec<_> = rates.into_iter().filter(|(option, kbit)| section.kbit(option) != Some(*kbit)).collect();
        if changed.is_empty() { Ok(()) } else { self.uci.write(&changed).await }
    }
}

/// SQM's words are those of who sits behind its interface, as ours are.
fn option_of(direction: Direction) -> &'static str {
    match direction {
        Direction::Down => "download",
        Direction::Up => "upload",
    }
}

fn kbit_of(setting: &Setting) -> Result<u64, QueueError> {
    let mir = setting.mir.0;
    if mir == 0 || !mir.is_multiple_of(1000) {
        let fault =
            format!("mir of {mir} bit/s, expected whole kbit/s, not zero, which is all that SQM's settings can say");
        return Err(unsupported(&setting.shaper, &fault));
    }
    Ok(mir / 1000)
}

#[cfg(test)]
mod tests;
