//! Golden bytes: every published type, as it was written when its wire version was published.
//!
//! A mismatch here means that a router in the field would no longer understand this build. **Revert
//! your change, not this test**: a published struct is frozen, and what must differ becomes an appended
//! variant or a new `FooV2` with golden bytes of its own. A new value gets its file from
//! `TAKAR_BLESS_GOLDEN=1 cargo test -p takar-shared --test golden`, which writes files that are missing
//! and never touches one that exists.
#![allow(clippy::unwrap_used, clippy::type_complexity)] // a test may stop at the first surprise

#[path = "golden/v01.rs"]
mod v01;

use std::{collections::BTreeSet, env, fs, io::ErrorKind, path::PathBuf};

use takar_shared::{
    AgentId, KeyId,
    envelope::{Kind, Message, open},
};

#[test]
fn bytes_are_as_published() {
    let (mut wrong, mut written) = (Vec::new(), Vec::new());
    for entry in v01::entries() {
        match published(&entry.name) {
            Some(golden) if golden == entry.bytes => {}
            Some(golden) => {
                wrong.push(format!("{}\n  published {}\n  now       {}", entry.name, hex(&golden), hex(&entry.bytes)));
            }
            None if env::var_os("TAKAR_BLESS_GOLDEN").is_some_and(|asked| asked == "1") => {
                let mut file = fs::File::create_new(path(&entry.name)).unwrap();
                std::io::Write::write_all(&mut file, lines(&entry.bytes).as_bytes()).unwrap();
                written.push(entry.name);
            }
            None => {
                wrong.push(format!("{} has no golden bytes; TAKAR_BLESS_GOLDEN=1 writes missing files", entry.name))
            }
        }
    }
    assert!(wrong.is_empty(), "revert your change, not this test:\n{}", wrong.join("\n"));
    assert!(written.is_empty(), "wrote golden bytes of {}; read them, commit them, run again", written.join(", "));
}

#[test]
fn published_bytes_decode_to_their_value() {
    for entry in v01::entries() {
        let golden = published(&entry.name).unwrap_or_else(|| panic!("{} has no golden bytes", entry.name));
        if let Err(got) = (entry.decode)(&golden) {
            panic!("revert your change, not this test: golden bytes of {} decode to {got}", entry.name);
        }
    }
}

#[test]
fn no_golden_file_without_a_value() {
    let names: BTreeSet<String> = v01::entries().into_iter().map(|entry| format!("{}.hex", entry.name)).collect();
    assert_eq!(names.len(), v01::entries().len(), "two values share a name");
    for file in fs::read_dir(path("x").parent().unwrap()).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        if file.ends_with(".hex") {
            assert!(names.contains(&file), "{file} was published, but nothing is compared with it any more");
        }
    }
}

#[test]
fn every_kind_has_one_number_and_one_message() {
    assert_eq!(v01::kinds(), Kind::ALL);
    assert_eq!(v01::messages().iter().map(Message::kind).collect::<Vec<_>>(), Kind::ALL);
    assert_eq!(Kind::ALL.map(Kind::number), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(Kind::ALL.into_iter().all(|kind| Kind::from_number(kind.number()) == Some(kind)));
    assert_eq!([Kind::from_number(0), Kind::from_number(10), Kind::from_number(255)], [None; 3]);
}

#[test]
fn telemetry_decodes_to_the_polls_it_was_made_of() {
    let golden = published("telemetry").unwrap();
    let telemetry: takar_shared::telemetry::Telemetry = postcard::from_bytes(&golden).unwrap();
    assert_eq!(telemetry.polls(), v01::values::polls());
    assert_eq!(telemetry.samples(), 16);
}

/// The worked example of docs/wire.md, computed there by other software (Python's hashlib and
/// cryptography), so that the golden bytes are not this code's word alone.
#[test]
fn the_example_of_the_specification_holds() {
    let expected = "0106fe812c12f3ab4ce618303132333435363738393a3b3c3d3e3f0667772d3031322a\
        5dd085b8195157bf8af24898a1bbdce953b24b63c29d0ea03423c269e93a7359\
        dd890593e4151e5a5b39f175c752b0868e5e20d0f7a633802abbf8de1b543308";
    assert_eq!(hex(&published("envelope-confirm").unwrap()), expected);
    let public = v01::values::key().verifying_key().to_bytes();
    assert_eq!(hex(&public), "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c");
    assert_eq!(KeyId::of_key(&public).to_string(), "fe812c12f3ab4ce6");
    assert!(AgentId::of_key(&public).to_string().starts_with("fe812c12f3ab4ce6"));
    let opened = open(&unhex(expected), v01::values::route(), |_, _| Some(public)).unwrap();
    assert_eq!(opened.message, Message::Confirm(v01::values::confirm()));
}

/// `None` where there is no such file.
fn published(name: &str) -> Option<Vec<u8>> {
    match fs::read_to_string(path(name)) {
        Ok(text) => Some(unhex(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("{}: {error}", path(name).display()),
    }
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v01")).join(format!("{name}.hex"))
}

/// 32 bytes a line, so that a diff of two versions can be read.
fn lines(bytes: &[u8]) -> String {
    bytes.chunks(32).map(|line| hex(line) + "\n").collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap() as u8).collect();
    assert!(digits.len().is_multiple_of(2), "an odd number of hexadecimal digits");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
