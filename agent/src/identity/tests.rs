use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn hexadecimal_reads_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        prop_assert_eq!(unhex(&text), Some(bytes.clone()));
        prop_assert_eq!(unhex(&text.to_uppercase()), Some(bytes));
        prop_assert_eq!(unhex(&format!("{text}0")), None);
    }

    #[test]
    fn only_pairs_of_digits_are_taken(text in "[0-9a-fA-F+-]{0,6}|.{0,6}") {
        let digits = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        prop_assert_eq!(unhex(&text).is_some(), digits, "{:?}", text);
    }
}

#[test]
fn a_sign_is_no_digit() {
    assert_eq!(unhex("+f"), None);
    assert_eq!(unhex("00-1"), None);
}

/// A sound bundle for the key of these bytes, by a root of one key.
fn sound(seed: u8) -> Bundle {
    let (root, network) = (SigningKey::from_bytes(&[9; 32]), NetworkId([3; 16]));
    let pinned = Root { keys: vec![root.verifying_key().to_bytes()], threshold: 1 };
    let keyset =
        Keyset { version: 1, command_keys: vec![[1; 32]], grant_keys: vec![[2; 32]], next_ca: None, root: pinned };
    let signed = signing::seal_keyset(&keyset, network, &[&root]).unwrap();
    Bundle {
        takar_bundle: 1,
        network: network.to_string(),
        agent: agent_id(&SigningKey::from_bytes(&[seed; 32])).to_string(),
        name: "core-1".into(),
        server_time: 7,
        root_keys: vec![takar_shared::Digest(root.verifying_key().to_bytes()).to_string()],
        root_threshold: 1,
        keyset: signed.iter().map(|byte| format!("{byte:02x}")).collect(),
        broker: "mqtt://127.0.0.1:1883".into(),
        ca: None,
        certificate: None,
    }
}

/// What is said against the sound bundle changed so; empty if nothing is.
fn fault(change: impl FnOnce(&mut Bundle)) -> String {
    let mut bundle = sound(1);
    change(&mut bundle);
    let checked = check_bundle(SigningKey::from_bytes(&[1; 32]), &bundle);
    checked.err().map(|error| format!("{error:#}")).unwrap_or_default()
}

#[test]
fn a_root_is_of_one_key_at_least_and_of_no_more_than_there_are() {
    assert_eq!(fault(|_| ()), "");
    for threshold in [0, 2, 255] {
        let said = fault(|bundle| bundle.root_threshold = threshold);
        assert_eq!(said, format!("bundle's key \"root_threshold\": {threshold} is out of range; expected 1 to 1"));
    }
    assert!(fault(|bundle| bundle.root_keys.clear()).contains("\"root_keys\" is empty; expected"));
}

#[test]
fn what_a_bundle_says_is_never_echoed_at_length() {
    let long = "n".repeat(100_000);
    for said in [
        fault(|bundle| bundle.name.clone_from(&long)),
        fault(|bundle| bundle.agent.clone_from(&long)),
        fault(|bundle| bundle.broker.clone_from(&long)),
        fault(|bundle| bundle.broker = format!("mqtt://{long}:1883")),
    ] {
        assert!(!said.is_empty() && said.len() < 300, "{} bytes: {}", said.len(), Quoted(&said));
    }
    let said = fault(|bundle| bundle.name = "a\nb".into());
    assert!(said.contains("\"name\": \"a\\nb\" does not do; expected 1 to 64"), "{said}");
}

#[test]
fn certificates_are_looked_into_where_tls_needs_them() {
    let mqtts = |bundle: &mut Bundle| {
        bundle.broker = "mqtts://broker:8883".into();
        bundle.ca = Some("hello".into());
        bundle.certificate = Some("hello".into());
    };
    assert!(fault(mqtts).contains("\"ca\" holds no certificate"), "{}", fault(mqtts));
}

#[test]
fn a_state_folder_that_is_a_file_is_not_taken_for_an_empty_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("state");
    fs::write(&file, "precious").unwrap();
    let said = load(&file).err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(said.contains("cannot read") && said.contains("directory"), "{said}");
    let said = load(dir.path()).err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(said.contains("not enrolled"), "{said}");
}
