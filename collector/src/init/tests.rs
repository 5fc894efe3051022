use std::os::unix::fs::{MetadataExt as _, symlink};

use ed25519_dalek::SigningKey;
use takar_shared::{
    AgentId, BitsPerSec, Direction, UnixMillis,
    birth::Bound,
    bundle::{Bundle, Request, RequestedDevice, request_preimage},
    id,
    queue::Shaper,
};
use x509_parser::{
    extensions::GeneralName,
    prelude::{FromDer as _, X509Certificate, parse_x509_pem},
};

use super::*;

/// Where a network is made: state folder, config, root key.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }
    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }
    fn config(&self) -> PathBuf {
        self.dir.path().join("etc/takar.toml")
    }
    fn root(&self) -> PathBuf {
        self.dir.path().join("root.key")
    }
    fn init(&self, kind: BrokerKind, name: &str, address: &str) -> anyhow::Result<InitReport> {
        init(&self.state(), &self.config(), &self.root(), kind, name, address)
    }
    fn mosquitto(&self) -> InitReport {
        self.init(BrokerKind::Mosquitto, "broker.example", "127.0.0.1:8883").unwrap()
    }
    fn embedded(&self) -> InitReport {
        self.init(BrokerKind::Embedded, "127.0.0.1", "127.0.0.1:1883").unwrap()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

fn error<T: fmt::Debug>(result: anyhow::Result<T>) -> String {
    format!("{:#}", result.unwrap_err())
}

#[test]
fn everything_is_written_and_only_the_config_is_for_all_to_read() {
    let place = Place::new();
    let report = place.mosquitto();
    assert_eq!(report.written.len(), 16);
    for path in &report.written {
        let expected = if *path == place.config() { 0o644 } else { 0o600 };
        assert_eq!(mode(path), expected, "{}", path.display());
    }
    for folder in ["", "tls", "mosquitto", "mosquitto/data"] {
        assert_eq!(mode(&place.state().join(folder)), 0o700, "{folder}");
    }
    let config = config::load(&place.config()).unwrap();
    assert_eq!((config.state_dir, config.broker.tls), (place.state(), true));
    let shown = report.to_string();
    assert!(shown.contains("Take it offline") && shown.contains("mosquitto -c"), "{shown}");

    let (network, root) = (Network::load(&place.state()).unwrap(), keys::load_key(&place.root()).unwrap());
    assert_eq!(network.id, report.network);
    assert_eq!(network.root.keys, [root.verifying_key().to_bytes()]);
    let (_, keyset) = network.load_keyset(&place.state()).unwrap();
    let key = |name: &str| keys::load_key(&place.state().join(name)).unwrap().verifying_key().to_bytes();
    let (command, grant) = (key(file::COMMAND_KEY), key(file::GRANT_KEY));
    assert_eq!((keyset.version, keyset.command_keys, keyset.grant_keys), (1, vec![command], vec![grant]));
    assert!(command != grant && ![command, grant].contains(&root.verifying_key().to_bytes()));
}

#[test]
fn the_embedded_broker_needs_no_mosquitto() {
    let place = Place::new();
    assert!(place.embedded().mosquitto.is_none());
    assert!(!place.state().join("mosquitto").exists());
    let config = config::load(&place.config()).unwrap();
    assert_eq!(config.broker.url(), "mqtt://127.0.0.1:1883");
}

#[test]
fn nothing_is_overwritten_and_all_that_is_there_is_named() {
    let place = Place::new();
    let written = place.mosquitto().written;
    let before: Vec<_> = written.iter().map(|path| fs::read(path).unwrap()).collect();
    let again = error(place.init(BrokerKind::Mosquitto, "broker.example", "127.0.0.1:8883"));
    for path in &written {
        assert!(again.contains(&path.display().to_string()), "{} is not in {again}", path.display());
    }
    let after: Vec<_> = written.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(before == after);

    // One file is enough, even a link that leads nowhere.
    let place = Place::new();
    symlink("/nowhere/at/all", place.root()).unwrap();
    let refused = error(place.init(BrokerKind::Embedded, "127.0.0.1", "127.0.0.1:1883"));
    assert!(refused.contains("root.key") && !place.state().exists(), "{refused}");
}

#[test]
fn the_root_key_stays_out_of_the_state_folder() {
    let place = Place::new();
    let (dir, state) = (place.dir.path(), place.state());
    fs::create_dir(&state).unwrap();
    symlink(&state, dir.join("link")).unwrap();
    for inside in [state.join("root.key"), dir.join("link/root.key"), dir.join("etc/../state/./root.key")] {
        let refused = init(&state, &place.config(), &inside, BrokerKind::Embedded, "127.0.0.1", "127.0.0.1:1883");
        let refused = error(refused);
        assert!(refused.contains("would lie in the state folder"), "{}: {refused}", inside.display());
    }
    assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
    // Beside it, with a name that only begins the same.
    let beside = dir.join("state-root.key");
    init(&state, &place.config(), &beside, BrokerKind::Embedded, "127.0.0.1", "127.0.0.1:1883").unwrap();
}

#[test]
fn a_failure_leaves_no_key_behind() {
    let place = Place::new();
    let root = place.root();
    // Its folder is a file, which shows only when everything else is written.
    fs::write(place.dir.path().join("etc"), "").unwrap();
    let config = place.dir.path().join("etc/takar.toml");
    assert!(init(&place.state(), &config, &root, BrokerKind::Embedded, "127.0.0.1", "127.0.0.1:1883").is_err());
    assert!(!root.exists() && !place.state().join(file::COMMAND_KEY).exists());

    // Written last, and impossible: a name that is too long.
    let long = place.dir.path().join("x".repeat(300));
    assert!(init(&place.state(), &long, &root, BrokerKind::Embedded, "127.0.0.1", "127.0.0.1:1883").is_err());
    assert!(!root.exists() && !place.state().join(file::COMMAND_KEY).exists());
    place_is_free(&place, &root);
}

#[test]
fn a_failure_leaves_no_folder_that_was_not_there() {
    let place = Place::new();
    let dir = place.dir.path();
    let there = dir.join("there");
    fs::create_dir(&there).unwrap();
    let (state, config) = (there.join("deep/state"), there.join("etc/takar/takar.toml"));
    // The root key is written after all folders are made, and its own is not one of them.
    let made = init(&state, &config, &dir.join("nowhere/root.key"), BrokerKind::Mosquitto, "b", "127.0.0.1:8883");
    assert!(error(made).contains("nowhere/root.key"));
    assert_eq!(fs::read_dir(&there).unwrap().count(), 0, "what was there stays, what was not goes");
    // What somebody put there meanwhile, or before, stays.
    fs::create_dir_all(state.join("tls")).unwrap();
    let made = init(&state, &config, &dir.join("nowhere/root.key"), BrokerKind::Embedded, "127.0.0.1", "127.0.0.1:1");
    assert!(made.is_err() && state.join("tls").is_dir() && !there.join("etc").exists());
}

fn place_is_free(place: &Place, root: &Path) {
    let config = place.dir.path().join("takar.toml");
    init(&place.state(), &config, root, BrokerKind::Embedded, "127.0.0.1", "127.0.0.1:1883").unwrap();
}

#[test]
fn a_broker_that_would_not_do_is_refused_before_anything_is_written() {
    let place = Place::new();
    let refused = error(place.init(BrokerKind::Embedded, "broker.example", "127.0.0.1:1883"));
    assert!(refused.contains("broker.name") && refused.contains("no access control"), "{refused}");
    for address in ["127.0.0.1", "127.0.0.1:0", "a b:1"] {
        assert!(error(place.init(BrokerKind::Mosquitto, "b", address)).contains("host:port"), "{address}");
    }
    assert!(!place.state().exists() && !place.root().exists());
}

#[test]
fn the_brokers_certificate_names_what_clients_connect_to() {
    let place = Place::new();
    place.mosquitto();
    let pem = fs::read(place.state().join(file::SERVER)).unwrap();
    let (_, pem) = parse_x509_pem(&pem).unwrap();
    let (_, certificate) = X509Certificate::from_der(&pem.contents).unwrap();
    let names = &certificate.subject_alternative_name().unwrap().unwrap().value.general_names;
    for name in ["broker.example", "localhost"] {
        assert!(names.contains(&GeneralName::DNSName(name)), "{name}");
    }
    assert!(names.contains(&GeneralName::IPAddress(&[127, 0, 0, 1])));
    let usage = certificate.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth);

    let names = |name: &str, address: &str| server_names(&name.parse().unwrap(), &address.parse().unwrap());
    assert_eq!(names("broker.example:8883", "broker.example:8883"), ["broker.example"]);
    assert_eq!(names("localhost:8883", "[::1]:8883"), ["localhost", "::1", "127.0.0.1"]);
}

fn request(key: &SigningKey) -> Request {
    let public = key.verifying_key().to_bytes();
    let queue = Shaper::Queue(id::name("sd-02").unwrap());
    let bound = Bound { shaper: queue, direction: Direction::Down, floor: BitsPerSec(1), ceiling: BitsPerSec(2) };
    let device = RequestedDevice { device: "core-1".into(), changes_per_hour: 12, bounds: vec![bound] };
    let request = Request {
        takar_request: 1,
        name: "core-1".into(),
        public_key: keys::hex(&public),
        fingerprint: AgentId::of_key(&public).to_string(),
        devices: vec![device],
        signature: String::new(),
    };
    signed(request, key)
}

fn signed(request: Request, key: &SigningKey) -> Request {
    Request { signature: keys::hex(&signing::sign(key, &request_preimage(&request))), ..request }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

fn bundle(place: &Place) -> Bundle {
    let config = config::load(&place.config()).unwrap();
    bundle_for(&place.state(), &config, &request(&key()), UnixMillis(7)).unwrap()
}

#[test]
fn a_request_is_answered_with_all_that_the_agent_pins() {
    let place = Place::new();
    let network = place.mosquitto().network;
    let answer = bundle(&place);
    let agent = AgentId::of_key(key().verifying_key().as_bytes());
    assert_eq!((answer.takar_bundle, answer.server_time, answer.name.as_str()), (1, 7, "core-1"));
    assert_eq!((answer.network, answer.agent), (network.to_string(), agent.to_string()));
    assert_eq!(answer.broker, "mqtts://broker.example:8883");
    assert_eq!(answer.root_keys, [keys::hex(keys::load_key(&place.root()).unwrap().verifying_key().as_bytes())]);
    let root = Root { keys: vec![keys::load_key(&place.root()).unwrap().verifying_key().to_bytes()], threshold: 1 };
    let keyset = keys::unhex(&answer.keyset).unwrap();
    assert_eq!(signing::open_keyset(&keyset, network, &root, 0).unwrap().version, 1);

    let (ca, certificate) = (answer.ca.unwrap(), answer.certificate.unwrap());
    let ((_, ca), (_, certificate)) =
        (parse_x509_pem(ca.as_bytes()).unwrap(), parse_x509_pem(certificate.as_bytes()).unwrap());
    let (ca, certificate) = (ca.parse_x509().unwrap(), certificate.parse_x509().unwrap());
    certificate.verify_signature(Some(ca.public_key())).unwrap();
    assert_eq!(certificate.subject().to_string(), format!("CN={agent}"));
}

#[test]
fn without_tls_there_is_nothing_to_trust_it_by() {
    let place = Place::new();
    place.embedded();
    let answer = bundle(&place);
    assert_eq!((answer.broker.as_str(), answer.ca, answer.certificate), ("mqtt://127.0.0.1:1883", None, None));
}

#[test]
fn a_sound_request_tells_who_asks() {
    let public = key().verifying_key().to_bytes();
    assert_eq!(check_request(&request(&key())), Ok((AgentId::of_key(&public), public)));
}

#[test]
fn everything_wrong_with_a_request_is_said_at_once() {
    let mut wrong = request(&key());
    wrong.takar_request = 2;
    wrong.name = "core/1".into();
    wrong.fingerprint = AgentId([0; 16]).to_string();
    let device = &mut wrong.devices[0];
    device.changes_per_hour = 0;
    device.bounds[0].ceiling = BitsPerSec(0);
    device.bounds.push(device.bounds[0].clone());
    wrong.devices.push(wrong.devices[0].clone());
    wrong.devices[1].device = "a b".into();
    let problems = check_request(&wrong).unwrap_err();
    let places: Vec<_> = problems.iter().map(|problem| problem.split(": ").next().unwrap()).collect();
    let expected = [
        "takar_request",
        "name",
        "fingerprint",
        "signature",
        "devices[0].changes_per_hour",
        "devices[0].bounds[0]",
        "devices[0].bounds[1]",
        "devices[0].bounds[1]",
        "devices[1].device",
        "devices[1].changes_per_hour",
        "devices[1].bounds[0]",
        "devices[1].bounds[1]",
        "devices[1].bounds[1]",
    ];
    assert_eq!(places, expected, "{problems:#?}");
}

#[test]
fn whoever_asks_must_hold_the_key() {
    let other = SigningKey::from_bytes(&[6; 32]);
    let stolen = signed(request(&key()), &other);
    assert_eq!(check_request(&stolen).unwrap_err().len(), 1);
    // No point of the curve that has a private key: the identity.
    let mut weak = request(&key());
    let identity = [&[1][..], &[0; 31]].concat();
    weak.public_key = keys::hex(&identity);
    weak.fingerprint = AgentId::of_key(identity.as_slice().try_into().unwrap()).to_string();
    assert_eq!(check_request(&weak).unwrap_err().len(), 1);
    let hexless = Request { public_key: "00".into(), signature: "zz".into(), ..request(&key()) };
    assert_eq!(check_request(&hexless).unwrap_err().len(), 2);
}

/// Each is a sound request but for the signature, which was made before somebody had it in hand.
#[test]
fn nothing_in_a_request_can_be_changed_on_its_way() {
    let tamperings: [fn(&mut Request); 9] = [
        |request| request.name = "core-2".into(),
        |request| request.devices[0].device = "core-2".into(),
        |request| request.devices[0].changes_per_hour = 13,
        |request| request.devices[0].bounds[0].floor = BitsPerSec(0),
        |request| request.devices[0].bounds[0].ceiling = BitsPerSec(1_000_000_000),
        |request| request.devices[0].bounds[0].direction = Direction::Up,
        |request| request.devices[0].bounds[0].shaper = Shaper::Queue(id::name("sd-03").unwrap()),
        |request| request.devices[0].bounds.clear(),
        |request| request.devices.push(RequestedDevice { device: "core-2".into(), ..request.devices[0].clone() }),
    ];
    for (at, tamper) in tamperings.into_iter().enumerate() {
        let mut changed = request(&key());
        tamper(&mut changed);
        let problems = check_request(&changed).unwrap_err();
        assert!(problems.len() == 1 && problems[0].starts_with("signature: does not hold"), "{at}: {problems:?}");
        assert!(check_request(&signed(changed, &key())).is_ok(), "{at}");
    }
}

#[test]
fn a_request_reads_back_from_its_file_as_it_was_signed() {
    let text = serde_json::to_vec_pretty(&request(&key())).unwrap();
    let read: Request = serde_json::from_slice(&text).unwrap();
    assert!(check_request(&read).is_ok());
}
