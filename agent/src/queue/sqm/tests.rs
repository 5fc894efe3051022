use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{uci::SectionName, *};
use crate::queue::QueueCounters;
use takar_shared::{BitsPerSec, id::name, queue::QueueReading};

/// As `uci -X show sqm.wan` shows it.
const SHOWN: &str = "sqm.wan=queue\nsqm.wan.interface='eth0'\nsqm.wan.download='20000'\nsqm.wan.upload='5000'\n";
/// Notes how it was called, and shows what `SHOWN` was written to.
const NOTING: &str = "printf '%s\\n' \"$*\" >>\"$2/calls\"\n[ \"$5\" != -X ] || cat \"$2/shown\"\n";

struct Place {
    dir: TempDir,
}

impl Place {
    /// With a `uci` that does this.
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("shown"), SHOWN).unwrap();
        let program = dir.path().join("uci");
        // Written by another process: one that this process had open for writing another test's child may hold open,
        // and a program that is open for writing is not run.
        let write = "printf '#!/bin/sh\\n%s' \"$1\" >\"$2\" && chmod 755 \"$2\"";
        let status = Command::new("sh").args(["-c", write, "sh", script]).arg(&program).status().unwrap();
        assert!(status.success());
        Self { dir }
    }

    fn sqm(&self) -> Sqm {
        self.sqm_run_by(self.dir.path().join("uci"))
    }

    fn sqm_run_by(&self, program: PathBuf) -> Sqm {
        let allow = [setting(Direction::Down, 1), setting(Direction::Up, 1)];
        let section = SectionName::parse("wan").unwrap();
        let uci = Uci::at(section, program, self.dir.path().to_owned(), self.dir.path().join("save"));
        Sqm::new(allow.iter().map(ShaperKey::of_setting).collect(), uci)
    }

    /// What `uci` was told since the last time, without where its folders are.
    fn calls(&self) -> Vec<String> {
        let path = self.dir.path().join("calls");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(&path);
        let own = format!("-c {} -t {}/save", self.dir.path().display(), self.dir.path().display());
        text.lines().map(|line| line.strip_prefix(&own).unwrap().trim_start().to_owned()).collect()
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }
}

fn setting(direction: Direction, mir: u64) -> Setting {
    let interface = if direction == Direction::Up { "eth0" } else { "ifb4eth0" };
    Setting { shaper: Shaper::Root(name(interface).unwrap()), direction, cir: None, mir: BitsPerSec(mir) }
}

fn observed(down: u64, up: u64) -> Vec<Observed> {
    let one = |direction, mir| {
        let Setting { shaper, direction, cir, mir } = setting(direction, mir);
        let reading = QueueReading { shaper, direction, cir, mir, burst: BitsPerSec::ZERO, disabled: false };
        Observed { reading, counters: QueueCounters::default() }
    };
    vec![one(Direction::Down, down), one(Direction::Up, up)]
}

#[tokio::test]
async fn what_is_confirmed_is_written_once_and_only_where_it_differs() {
    let place = Place::new(NOTING);
    let mut sqm = place.sqm();
    let both = [setting(Direction::Down, 18_000_000), setting(Direction::Up, 5_000_000)];
    sqm.prepare(&both).await.unwrap();
    assert_eq!(place.calls(), ["/none -X show sqm.wan"], "before it is confirmed nothing is set");
    sqm.keep(&both).await.unwrap();
    let expected = ["/none -X show sqm.wan", "revert sqm", "set sqm.wan.download=18000", "commit sqm"];
    assert_eq!(place.calls(), expected);

    fs::write(place.path().join("shown"), SHOWN.replace("20000", "18000")).unwrap();
    sqm.keep(&both).await.unwrap();
    assert_eq!(place.calls(), ["/none -X show sqm.wan"]);
}

#[tokio::test]
async fn what_uci_cannot_say_is_refused_before_it_is_applied() {
    let place = Place::new(NOTING);
    let mut sqm = place.sqm();
    for mir in [0, 999, 18_000_500] {
        let said = sqm.prepare(&[setting(Direction::Down, mir)]).await.unwrap_err().to_string();
        let expected = format!("cannot be done: root of ifb4eth0: mir of {mir} bit/s, expected whole kbit/s");
        assert!(said.starts_with(&expected), "{said}");
    }
    assert_eq!(place.calls(), [""; 0]);
    fs::write(place.path().join("shown"), SHOWN.replace("eth0", "eth1")).unwrap();
    let said = sqm.prepare(&[setting(Direction::Down, 8_000)]).await.unwrap_err().to_string();
    assert!(said.contains("root of eth0: sqm.wan.interface is \"eth1\""), "{said}");
    sqm.keep(&[setting(Direction::Down, 8_000)]).await.unwrap_err();
    assert!(place.calls().iter().all(|call| call == "/none -X show sqm.wan"), "another's section is not written to");
}

#[tokio::test]
async fn a_disagreement_is_told_until_it_is_over_and_only_looked_for_when_something_moved() {
    let place = Place::new(NOTING);
    let mut sqm = place.sqm();
    sqm.compare(&observed(20_000_000, 5_000_000)).await;
    sqm.compare(&observed(20_000_000, 5_000_000)).await;
    assert_eq!((sqm.disagreement(), place.calls().len()), (None, 1));
    sqm.compare(&observed(18_000_000, 5_000_000)).await;
    let told = "sqm.wan.download is \"20000\" kbit/s, but root of ifb4eth0 has 18000000 bit/s: left as they are; a reload \
                of SQM will set what UCI says";
    assert_eq!(sqm.disagreement(), Some(told));
    assert_eq!(place.calls(), ["/none -X show sqm.wan"]);
    sqm.compare(&observed(20_000_000, 5_000_000)).await;
    assert_eq!(sqm.disagreement(), None);
    // SQM's file as such: here it was not there, and is.
    place.calls();
    fs::write(place.path().join("sqm"), "").unwrap();
    sqm.compare(&observed(20_000_000, 5_000_000)).await;
    assert_eq!(place.calls().len(), 1);
}

#[tokio::test]
async fn a_change_that_is_open_is_no_disagreement() {
    let place = Place::new(NOTING);
    let mut sqm = place.sqm();
    let new = [setting(Direction::Down, 18_000_000)];
    sqm.prepare(&new).await.unwrap();
    // There is no such interface here; which values are meant is what counts.
    sqm.apply(&new).await.unwrap_err();
    assert_eq!(sqm.pending.as_deref(), Some(&new[..]));
    sqm.apply(&[setting(Direction::Down, 20_000_000)]).await.unwrap_err();
    assert_eq!(sqm.pending, None);
}

#[tokio::test]
async fn a_uci_that_fails_or_hangs_or_is_not_there_is_an_error_in_time() {
    let failing = Place::new("echo 'uci: I/O error' >&2\nexit 1\n");
    let said = failing.sqm().keep(&[setting(Direction::Down, 8_000)]).await.unwrap_err().to_string();
    assert!(said.starts_with("uci -X show sqm.wan refused by the device: exit status: 1 (uci: I/O error)"), "{said}");
    let hanging = Place::new("exec sleep 60\n");
    let said = hanging.sqm().keep(&[setting(Direction::Down, 8_000)]).await.unwrap_err().to_string();
    assert_eq!(said, "no answer from uci -X show sqm.wan within 2000 ms");
    let mut nowhere = failing.sqm_run_by(failing.path().join("no-uci"));
    nowhere.compare(&observed(20_000_000, 5_000_000)).await;
    let told = nowhere.disagreement().unwrap();
    assert!(told.starts_with("SQM's settings cannot be read: cannot talk to ") && told.contains("no-uci"), "{told}");
}
