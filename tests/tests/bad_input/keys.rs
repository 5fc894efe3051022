//! Keys, keyset and certificates: the collector's and the agent's.

use std::{fs, path::Path};

use crate::{
    place::{Collector, inventory_of, set_mode},
    table::{Snapshot, Table},
};

/// A file made bad, the program run, the file as it was again.
fn spoilt(path: &Path, spoil: impl FnOnce(&Path), tried: impl FnOnce()) {
    let good = fs::read(path).unwrap();
    spoil(path);
    tried();
    if path.is_dir() {
        fs::remove_dir(path).unwrap();
    }
    fs::write(path, good).unwrap();
    set_mode(path, 0o600);
}

fn into_folder(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
    set_mode(path, 0o700);
}

type Spoil<'a> = (&'a str, &'a dyn Fn(&Path), &'a [&'a str]);

#[test]
fn a_bad_key_of_the_collector_stops_it_in_one_line_and_the_store_stays_untouched() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let good = collector.place.write("good.toml", inventory_of(&["core-1"]));
    let mut serve = collector.serve();
    collector.takar(&["import", &good]).done();
    serve.end();

    let write = |text: &'static [u8]| move |path: &Path| fs::write(path, text).unwrap();
    let (short, letters) = (write(b"00ff\n"), write(&[b'z'; 64]));
    let (empty, binary) = (write(b""), write(b"\xff\xfe\0"));
    let foreign = write(&[b'a'; 64]);
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    let open = |path: &Path| set_mode(path, 0o644);
    let cut = |path: &Path| fs::write(path, &fs::read(path).unwrap()[..20]).unwrap();
    let seed = "expected 64 lower-case hexadecimal digits";

    let keys: [Spoil<'_>; 9] = [
        ("wrong length", &short, &[seed]),
        ("not hexadecimal", &letters, &[seed]),
        ("empty", &empty, &[seed]),
        ("cut short", &cut, &[seed]),
        ("binary", &binary, &["UTF-8"]),
        ("missing", &remove, &["cannot read", "No such file"]),
        ("a folder", &into_folder, &["directory"]),
        ("for all to read", &open, &["mode 0644", "expected 0600"]),
        ("another key", &foreign, &["is not in keyset 1", "expected"]),
    ];
    let signed: [Spoil<'_>; 5] = [
        ("garbage", &short, &["keyset"]),
        ("empty", &empty, &["keyset"]),
        ("cut short", &cut, &["keyset"]),
        ("missing", &remove, &["cannot read", "No such file"]),
        ("a folder", &into_folder, &["cannot read", "directory"]),
    ];
    let json: [Spoil<'_>; 5] = [
        ("garbage", &letters, &["line 1"]),
        ("empty", &empty, &["line 1"]),
        ("cut short", &cut, &["line 2"]),
        ("missing", &remove, &["cannot read", "No such file"]),
        ("a folder", &into_folder, &["cannot read", "directory"]),
    ];
    let files: [(&str, &[Spoil<'_>]); 4] =
        [("command.key", &keys), ("grant.key", &keys), ("keyset.bin", &signed), ("network.json", &json)];
    for (name, spoils) in files {
        let path = collector.state().join(name);
        for (case, spoil, parts) in spoils {
            let case = format!("{name}: {case}");
            spoilt(&path, spoil, || {
                let before = Snapshot::of(&collector.state());
                let told = collector.takar(&["serve"]);
                table.refused(&case, &told, 1, path.to_str().unwrap(), &[parts]);
                table.unchanged(&case, &before, &collector.state());
            });
        }
    }
    // A keyset and keys of another network are sound, and still not this one's.
    let other = Collector::embedded();
    for (name, expected) in [("keyset.bin", "of network"), ("command.key", "is not in keyset 1")] {
        let path = collector.state().join(name);
        let theirs = fs::read(other.state().join(name)).unwrap();
        spoilt(
            &path,
            |path| fs::write(path, theirs).unwrap(),
            || {
                let told = collector.takar(&["serve"]);
                table.refused(&format!("{name} of another network"), &told, 1, path.to_str().unwrap(), &[&[expected]]);
            },
        );
    }
    let _serve = collector.serve();
    table.holds("afterwards", "the inventory is in force", collector.ask(&["import", &good])["changed"] == false);
}

#[test]
fn a_bad_certificate_of_the_collector_stops_it_in_one_line() {
    let (collector, mut table) = (Collector::with_tls(), Table::default());
    let garbage = |path: &Path| fs::write(path, "hello\n").unwrap();
    let empty = |path: &Path| fs::write(path, "").unwrap();
    let cut = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, &text[..text.len() / 2]).unwrap();
    };
    let hollow = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        let end = text.trim_end().lines().last().unwrap();
        fs::write(path, format!("{}\n{end}\n", &text[..text.len() / 2])).unwrap();
    };
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    let open = |path: &Path| set_mode(path, 0o644);
    let pem = "holds no certificate in PEM";
    let certificates: [Spoil<'_>; 6] = [
        ("garbage", &garbage, &[pem]),
        ("empty", &empty, &[pem]),
        ("cut short", &cut, &[pem]),
        ("half of it", &hollow, &[]),
        ("missing", &remove, &["cannot read", "No such file"]),
        ("a folder", &into_folder, &["cannot read", "directory"]),
    ];
    let keys: [Spoil<'_>; 6] = [
        ("garbage", &garbage, &["holds no private key in PEM"]),
        ("empty", &empty, &["holds no private key in PEM"]),
        ("cut short", &cut, &["holds no private key in PEM"]),
        ("missing", &remove, &["cannot read", "No such file"]),
        ("a folder", &into_folder, &["directory"]),
        ("for all to read", &open, &["mode 0644", "expected 0600"]),
    ];
    let files: [(&str, &[Spoil<'_>]); 3] =
        [("tls/ca.crt", &certificates), ("tls/collector.crt", &certificates), ("tls/collector.key", &keys)];
    for (name, spoils) in files {
        let path = collector.state().join(name);
        for (case, spoil, parts) in spoils {
            let case = format!("{name}: {case}");
            spoilt(&path, spoil, || {
                let told = collector.takar(&["serve"]);
                table.refused(&case, &told, 1, path.to_str().unwrap(), &[parts]);
            });
        }
    }
    let path = collector.state().join("tls/collector.crt");
    let monitor = fs::read(collector.state().join("tls/monitor.crt")).unwrap();
    spoilt(
        &path,
        |path| fs::write(path, monitor).unwrap(),
        || {
            let parts = &["does not fit", "tls/collector.key"];
            table.refused("another's", &collector.takar(&["serve"]), 1, path.to_str().unwrap(), &[parts]);
        },
    );

    // The CA is needed when an agent is let in: none is, and no bundle is left lying about.
    let _serve = collector.serve();
    collector.observer("kantor-a", "kantor-a");
    let (request, bundle) = (collector.request("kantor-a"), collector.place.at("kantor-a.bundle"));
    for (name, expected) in [("tls/ca.key", "holds no PKCS #8 key in PEM"), ("tls/ca.crt", pem)] {
        let path = collector.state().join(name);
        spoilt(&path, garbage, || {
            let told = collector.takar(&["device", "approve", &request, "--out", &bundle]);
            table.refused(name, &told, 1, path.to_str().unwrap(), &[&[expected]]);
        });
        table.holds(name, "no bundle is there", !collector.place.has("kantor-a.bundle"));
        table.holds(name, "nobody was let in", collector.ask(&["status"])["agents"] == 0);
    }
    collector.takar(&["device", "approve", &request, "--out", &bundle]).done();
}

#[test]
fn a_bad_key_of_an_agent_stops_it_in_one_line_and_is_not_drawn_anew() {
    let (collector, mut table) = (Collector::embedded(), Table::default());
    let _serve = collector.serve();
    collector.observer("kantor-a", "kantor-a");
    collector.enrol("kantor-a");
    let (state, key) = (collector.place.dir().join("kantor-a"), collector.place.at("kantor-a/agent.key"));
    let path = Path::new(&key);
    let write = |text: &'static [u8]| move |path: &Path| fs::write(path, text).unwrap();
    let (short, letters, empty) = (write(b"00ff\n"), write(&[b'z'; 64]), write(b""));
    let open = |path: &Path| set_mode(path, 0o644);
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    let seed = "expected 64 lower-case hexadecimal digits";
    let spoils: [Spoil<'_>; 5] = [
        ("wrong length", &short, &[seed]),
        ("not hexadecimal", &letters, &[seed]),
        ("empty", &empty, &["is empty", "expected"]),
        ("a folder", &into_folder, &["directory"]),
        ("for all to read", &open, &["mode 0644", "expected 0600"]),
    ];
    let new = collector.place.at("new.request");
    for (case, spoil, parts) in spoils {
        spoilt(path, spoil, || {
            let before = Snapshot::of(&state);
            for words in [["run"].as_slice(), &["enrol", "--request", &new, "--name", "kantor-a"]] {
                table.refused(case, &collector.agent("kantor-a", words), 1, &key, &[parts]);
            }
            table.unchanged(case, &before, &state);
        });
    }
    spoilt(path, remove, || {
        let told = collector.agent("kantor-a", &["run"]);
        table.refused("missing", &told, 1, &key, &[&["cannot be read", "No such file"]]);
    });
    let foreign = write(&[b'a'; 64]);
    spoilt(path, foreign, || {
        let told = collector.agent("kantor-a", &["run"]);
        table.refused("another key", &told, 1, "bundle.json", &[&["was made for agent", "this agent is"]]);
    });
    table.holds("afterwards", "no request was written", !collector.place.has("new.request"));
}
