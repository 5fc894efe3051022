use std::{
    fs::File,
    io::{Read as _, Seek as _},
    path::Path,
    sync::{Arc, Mutex},
};

use takar_agent_core::journal::DeviceRecord;
use takar_shared::{
    BitsPerSec, BootEpoch, Direction, Name,
    birth::{Bound, Mode},
    id,
    queue::Shaper,
};

use super::*;
use crate::{
    config::{DeviceConfig, QueuesConfig},
    device::Start,
    journal::Journal,
};

/// A device with a shaper, whose queues can always be read.
fn task(dir: &Path, outputs: mpsc::Sender<Output>) -> Task {
    let name: Name = id::name("core-1").unwrap();
    let shaper = Shaper::Queue(id::name("site-a").unwrap());
    let bound = Bound { shaper, direction: Direction::Up, floor: BitsPerSec(8), ceiling: BitsPerSec(8_000) };
    let config = DeviceConfig {
        name: name.clone(),
        changes_per_hour: 12,
        snmp: None,
        kernel: None,
        queues: QueuesConfig::None,
        bounds: vec![bound],
        trees: Default::default(),
    };
    let start = Start {
        index: 0,
        first_meter: 0,
        mode: Mode::Observe,
        epoch: BootEpoch(1),
        keyset_version: 1,
        poll_every: Duration::from_secs(5),
        record: DeviceRecord::new(name),
        journal: Arc::new(Mutex::new(Journal::open(dir).unwrap())),
        outputs,
    };
    Task::new(&config, start)
}

fn answer(detail: Option<&str>) -> (MonoMillis, Option<snmp::Poll>) {
    let outcome = if detail.is_some() { snmp::Outcome::Timeout } else { snmp::Outcome::Ok };
    let detail = detail.map(str::to_owned);
    let poll = snmp::Poll { outcome, detail, up_time: None, engine_boots: None, interfaces: Vec::new() };
    (clock::now(), Some(poll))
}

#[tokio::test]
async fn a_trouble_that_lasts_is_told_once_though_the_queues_are_read_at_every_poll() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = tempfile::tempfile().unwrap();
    let writer: File = log.try_clone().unwrap();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.try_clone().unwrap()).finish();
    let (outputs, mut told) = mpsc::channel(16);
    let mut task = task(dir.path(), outputs);
    let guard = tracing::subscriber::set_default(subscriber);
    let fault = "10.0.0.1:161: no answer within 200 ms";
    for detail in [Some(fault), Some(fault), Some(fault), None, None] {
        task.handle_poll(answer(detail)).await;
        let Some(Output::Polled { poll, detail: told, .. }) = told.recv().await else { panic!("no poll was told") };
        assert_eq!(told.as_deref(), detail);
        assert_eq!(poll.outcome == PollOutcome::Timeout, detail.is_some());
    }
    drop(guard);
    let mut text = String::new();
    log.rewind().unwrap();
    log.read_to_string(&mut text).unwrap();
    let said = |part: &str| text.lines().filter(|line| line.contains(part)).count();
    assert_eq!((said(fault), said("answers again"), text.lines().count()), (1, 1, 2), "{text}");
}

#[test]
fn all_that_is_wrong_is_one_line() {
    let (snmp, queues) = (|| Some("snmp".to_owned()), || Some("queues".to_owned()));
    assert_eq!(both(None, None), None);
    assert_eq!(both(snmp(), None), snmp());
    assert_eq!(both(None, queues()), queues());
    assert_eq!(both(snmp(), queues()).as_deref(), Some("snmp; queues"));
}
