//! The CAKE backend against a real CAKE, in a guest that is thrown away. Needs user-mode-linux, so it runs only when it
//! is asked for by name (`tests/run` does).
// A test that cannot go on has failed; the programs run in real time.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod sqm;
mod stand;

use serde_json::{Value, json};
use takar_agent::queue::{
    Observed, QueueBackend as _, ShaperKey,
    cake::Cake,
    contract::{contract, reads_in_order},
};
use takar_e2e::cakelab::run_inside;
use takar_shared::{BitsPerSec, Direction, queue::Setting};

use stand::{IFB, Monitor, WAN, bandwidth, block_on, key, options, setting, sh, shaped};

#[test]
fn a_real_cake_fulfils_the_contract() {
    run_inside("a_real_cake_fulfils_the_contract", || {
        shaped();
        let allow = [key(WAN, Direction::Up), key(IFB, Direction::Down)];
        let before = [WAN, IFB].map(options);
        block_on(async {
            let mut queues = Cake::new(allow.to_vec());
            reads_in_order(&mut queues, &allow).await.unwrap();
            contract(&mut queues, BitsPerSec(3_000_000), BitsPerSec(8_000_000)).await.unwrap();
            reads_in_order(&mut queues, &allow).await.unwrap();
        });
        assert_eq!([WAN, IFB].map(options), before, "the rates are restored, and nothing else was touched");
    });
}

#[test]
fn the_kernel_says_what_was_set_and_that_nothing_else_was() {
    run_inside("the_kernel_says_what_was_set_and_that_nothing_else_was", || {
        shaped();
        let before = [WAN, IFB].map(|device| without_bandwidth(options(device)));
        let mut queues = Cake::new(vec![key(WAN, Direction::Up), key(IFB, Direction::Down)]);
        // In bytes/s, as tc has it; zero is without a limit, and the last needs more than 32 bits.
        for (up, down, shown) in [
            (3_000_000, 8_000_000, [json!(375_000), json!(1_000_000)]),
            (0, 64_000, [json!("unlimited"), json!(8_000)]),
            (40_000_000_000, 8, [json!(5_000_000_000_u64), json!(1)]),
        ] {
            let settings = [setting(WAN, Direction::Up, up), setting(IFB, Direction::Down, down)];
            assert_eq!(set_and_read(&mut queues, &settings), [up, down]);
            assert_eq!([WAN, IFB].map(bandwidth), shown);
        }
        assert_eq!([WAN, IFB].map(|device| without_bandwidth(options(device))), before);
        assert_eq!(sh(&format!("tc -j qdisc show dev {WAN}")).matches("\"handle\":\"1:\"").count(), 1);
    });
}

#[test]
fn lowering_comes_first_and_what_is_in_force_is_not_written() {
    run_inside("lowering_comes_first_and_what_is_in_force_is_not_written", || {
        shaped();
        let mut queues = Cake::new(vec![key(WAN, Direction::Up), key(IFB, Direction::Down)]);
        // WAN has 20 Mbit/s, the ifb 50: the first named is raised, so the second must come before it.
        let turned = [setting(WAN, Direction::Up, 60_000_000), setting(IFB, Direction::Down, 10_000_000)];
        let mut monitor = Monitor::start();
        set_and_read(&mut queues, &turned);
        let told = monitor.wait_for(2);
        assert!(told[0].contains(IFB) && told[0].contains("bandwidth 10Mbit"), "{told:?}");
        assert!(told[1].contains(WAN) && told[1].contains("bandwidth 60Mbit"), "{told:?}");

        set_and_read(&mut queues, &turned);
        block_on(queues.apply(&[])).unwrap();
        // Only the last of these is a change; that it is told shows that nothing before it was.
        set_and_read(&mut queues, &[setting(WAN, Direction::Up, 61_000_000), turned[1].clone()]);
        let told = monitor.wait_for(3);
        assert!(told[2].contains(WAN) && told[2].contains("bandwidth 61Mbit"), "{told:?}");
        assert_eq!(told.len(), 3);
    });
}

#[test]
fn what_is_not_ours_to_set_is_refused_and_left_alone() {
    run_inside("what_is_not_ours_to_set_is_refused_and_left_alone", || {
        shaped();
        let good = setting(WAN, Direction::Up, 30_000_000);
        let refused = |device: &str, begins: &str, has: &str| {
            let bad = setting(device, Direction::Down, 1_000_000);
            let mut queues = Cake::new(vec![key(WAN, Direction::Up), key(device, Direction::Down)]);
            let said = block_on(queues.apply(&[good.clone(), bad])).unwrap_err().to_string();
            assert!(said.starts_with(begins) && said.contains(has), "{said}");
            assert_eq!(bandwidth(WAN), json!(2_500_000), "the good one of the two was not set either");
            block_on(queues.read()).map(drop)
        };
        refused("e-none", "root of e-none is not on the device", "").unwrap_err();

        sh("tc qdisc replace dev e-far root pfifo limit 10");
        refused("e-far", "cannot be done: root of e-far", "found \"pfifo\" there, expected cake").unwrap_err();
        sh("tc qdisc replace dev e-far root cake bandwidth 10mbit autorate-ingress");
        refused("e-far", "cannot be done: root of e-far", "autorate-ingress").unwrap_err();
        // The kernel's own, of an interface that is made while cake is the default.
        std::fs::write("/proc/sys/net/core/default_qdisc", "cake").unwrap();
        sh("ip link add ifb-own type ifb");
        sh("ip link set ifb-own up");
        refused("ifb-own", "cannot be done: root of ifb-own", "handle 0:").unwrap_err();

        // Its table could not be sent back, so a change is refused; reading it is not.
        sh("tc qdisc replace dev e-far root stab mtu 2047 tsize 128 overhead 18 linklayer atm cake bandwidth 10mbit");
        refused("e-far", "cannot be done: root of e-far", "size table").unwrap();
        assert!(sh("tc -d qdisc show dev e-far").contains("linklayer atm"));
    });
}

#[test]
fn an_overhead_that_tc_keeps_beside_cake_outlives_a_change() {
    run_inside("an_overhead_that_tc_keeps_beside_cake_outlives_a_change", || {
        shaped();
        sh("tc qdisc replace dev e-far root stab overhead 18 linklayer ethernet cake bandwidth 10mbit");
        let mut queues = Cake::new(vec![key("e-far", Direction::Down)]);
        assert_eq!(set_and_read(&mut queues, &[setting("e-far", Direction::Down, 5_000_000)]), [5_000_000]);
        let shown = sh("tc -d qdisc show dev e-far");
        assert!(shown.contains("bandwidth 5Mbit") && shown.contains("linklayer ethernet overhead 18"), "{shown}");
    });
}

#[test]
fn what_passed_and_what_was_dropped_is_counted_as_tc_counts_it() {
    run_inside("what_passed_and_what_was_dropped_is_counted_as_tc_counts_it", || {
        shaped();
        sh("tc qdisc change dev e-wan root cake bandwidth 64kbit memlimit 100000");
        sh("ip addr add 10.9.0.1/24 dev e-wan");
        sh("ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev e-wan");
        let socket = std::net::UdpSocket::bind("10.9.0.1:0").unwrap();
        for _ in 0..400 {
            socket.send_to(&[7; 1_000], "10.9.0.2:9").unwrap();
        }
        // Nothing waits any more after this, so that both count the same.
        sh("tc qdisc change dev e-wan root cake unlimited");
        let mut queues = Cake::new(vec![key(WAN, Direction::Up)]);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let counted = loop {
            let read: Vec<Observed> = block_on(queues.read()).unwrap();
            let counters = read[0].counters;
            if counters.backlog == 0 {
                break counters;
            }
            assert!(std::time::Instant::now() < deadline, "{counters:?}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        };
        let shown: Value = serde_json::from_str(&sh("tc -s -j qdisc show dev e-wan")).unwrap();
        assert!(counted.bytes > 0 && counted.drops > 0, "{counted:?}");
        assert_eq!(shown[0]["bytes"], json!(counted.bytes));
        assert_eq!(shown[0]["drops"], json!(counted.drops));
        assert_eq!(shown[0]["overlimits"], json!(counted.overlimits));
    });
}

fn set_and_read(queues: &mut Cake, settings: &[Setting]) -> Vec<u64> {
    block_on(async {
        queues.apply(settings).await.unwrap();
        let read = queues.read().await.unwrap();
        settings.iter().map(|setting| mir_of(&read, &ShaperKey::of_setting(setting))).collect()
    })
}

fn mir_of(read: &[Observed], key: &ShaperKey) -> u64 {
    read.iter().find(|one| ShaperKey::of_reading(&one.reading) == *key).unwrap().reading.mir.0
}

fn without_bandwidth(mut options: Value) -> Value {
    options.as_object_mut().unwrap().remove("bandwidth").unwrap();
    options
}
