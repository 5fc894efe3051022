//! The office of the stories: a school, a clinic and a village office behind routers of this kernel, and its people.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;
use takar_e2e::{
    clock::TurnedClock,
    netlab::{Edge, Hub, Namespace, Settings, Version},
    people::{Browser, me, token_in},
    post::Post,
    process::wait_for,
};
use takar_shared::{BitsPerSec, Direction};

use crate::history::{self, Past, Use};

pub const CAPACITY: u64 = 24_000_000;
pub const SHARE: u64 = 8_000_000;
pub const SITE: &str = "https://localhost:8443";
const PASSWORD: &str = "kuda laut di Selat Sunda";
const PATIENCE: Duration = Duration::from_secs(120);
/// The school's mornings starve it; the village office is idle, the clinic is not.
const SITES: [(&str, &str); 3] =
    [("sdn-1", "SD Negeri 1"), ("kelurahan", "Kelurahan Sukamaju"), ("puskesmas", "Puskesmas")];

/// Readings of half an hour over three weeks, an office that works around the clock, and one policy.
const RULES: &str = "\
[readings]\nlength_s = 1800\nkeep = 1000\ncounter_step_ms = 3000\n[assess]\nlook_back = 1000\n\
[change]\nconfirm_within_s = 15\nexpires_in_s = 30\n[policy]\napprove = true\nmax_gain_per_mille = 1000\n\
[web]\nlisten = \"127.0.0.1:8443\"\nurl = \"https://localhost:8443\"\n\
[notice]\ndigest_after_s = 0\n\
[notice.mail]\nhost = \"127.0.0.1\"\nport = 2525\ntls = \"none\"\nfrom = \"Takar <takar@office.example>\"\n\
[procedure]\nweek = { mon = \"00:00-24:00\", tue = \"00:00-24:00\", wed = \"00:00-24:00\", thu = \"00:00-24:00\", \
fri = \"00:00-24:00\", sat = \"00:00-24:00\", sun = \"00:00-24:00\" }\n";

pub struct Office {
    pub hub: Hub,
    pub edges: Vec<Edge>,
    pub post: Post,
}

impl Office {
    /// Enrolled, registered, its past loaded; the collector runs and the agents have begun.
    pub fn open(namespace: Namespace, place: &Path) -> Self {
        let mut hub = Hub::make_in(namespace, place, RULES).unwrap();
        hub.clock = Some(TurnedClock::made_in(place).unwrap());
        let post = Post::start(place, 2525);
        hub.start_broker().unwrap();
        hub.start_serve().unwrap();
        let mut edges = Vec::new();
        for (number, (name, _)) in (1..).zip(SITES) {
            let settings = Settings {
                cir_bps: 1_000_000,
                mir_bps: SHARE,
                floor_bps: 1_000_000,
                ceiling_bps: CAPACITY,
                snmp: Version::V3,
                poll_every_ms: 500,
                changes_per_hour: 60,
            };
            let edge = Edge::make(name, number, settings, &hub, place).unwrap();
            edge.enrol(&hub).unwrap();
            edges.push(edge);
        }
        let office = Self { hub, edges, post };
        office.register();
        office.people(place);
        let past = office.past();
        let Self { mut hub, mut edges, post } = office;
        hub.end_serve();
        history::load(&hub.database(), &past);
        hub.start_serve().unwrap();
        edges.iter_mut().for_each(|edge| edge.start_agent().unwrap());
        Self { hub, edges, post }
    }

    /// The socket's caller, a member of the team.
    pub fn takar(&self, words: &[&str]) -> Value {
        self.hub.takar(words).unwrap_or_else(|error| panic!("{error:#}\n{}", self.hub.serve_log()))
    }

    pub fn case(&self, id: u64) -> Value {
        self.takar(&["case", &id.to_string()])
    }

    pub fn act(&self, id: u64, words: &[&str]) -> Value {
        self.takar(&[&["case", &id.to_string()], words].concat())
    }

    pub fn opened(&self, place: &str, reason: &str) -> u64 {
        self.takar(&["open-case", "--link", place, "--reason", reason])["id"].as_u64().unwrap()
    }

    pub fn wait_case(&self, id: u64, state: &str) -> Value {
        self.wait(&format!("case {id} to be {state}"), || {
            let case = self.case(id);
            (case["state"] == state).then_some(case)
        })
    }

    pub fn wait<T>(&self, what: &str, mut done: impl FnMut() -> Option<T>) -> T {
        wait_for(what, PATIENCE, || Ok(done())).unwrap_or_else(|error| {
            let cases = self.takar(&["cases", "--all"]);
            panic!("{error}\n{cases:#}\n{:#}\n{}", self.takar(&["links"]), self.hub.serve_log())
        })
    }

    pub fn edge(&self, name: &str) -> &Edge {
        self.edges.iter().find(|edge| edge.name == name).unwrap()
    }

    /// The ceiling that the kernel was told last.
    pub fn in_force(&self, link: &str, direction: Direction) -> u64 {
        self.edge(link).ceilings_set(direction).unwrap().last().copied().unwrap_or(SHARE)
    }

    /// Budi, the head of the team, at his desk.
    pub fn head(&self) -> Head {
        let browser = Browser::new(SITE);
        assert_eq!(browser.log_in("budi", PASSWORD).0, 303);
        let csrf = token_in(&browser.get("/").1);
        Head { browser, csrf }
    }

    /// The collector's clock says so many seconds more than it is.
    pub fn turn_clock(&self, ahead_s: u64) {
        let ahead_s = i64::try_from(ahead_s).unwrap();
        self.hub.clock.as_ref().unwrap().turn(ahead_s).unwrap();
    }

    fn register(&self) {
        let mut text = self.hub.register(&self.edges, CAPACITY);
        for (name, title) in SITES {
            text = text.replace(&format!("title = \"{name}\""), &format!("title = \"{title}\""));
        }
        text = text.replace(
            "title = \"ISP\"\n",
            "title = \"PT Jaringan Nusantara\"\nemail = \"noc@isp.example\"\ncontact = \"Tono Wijaya\"\n",
        );
        text += &format!(
            "[[contract]]\nname = \"k-1\"\nprovider = \"isp\"\nuplink = \"utama\"\nnumber = \"027/K-1/2026\"\n\
             down_bps = {CAPACITY}\nup_bps = {CAPACITY}\nprice_idr = 24_000_000\nprice_per_mbps_idr = 1_000_000\n\
             begins = \"2026-01-01\"\nends = \"2030-12-31\"\n"
        );
        self.hub.import(&text).unwrap();
    }

    fn people(&self, place: &Path) {
        let password = place.join("pw");
        fs::write(&password, PASSWORD).unwrap();
        let add = |name: &str, role: &str, title: &str, more: &[&str]| {
            let password = password.display().to_string();
            let words = ["account", "add", name, "--role", role, "--title", title, "--password-file", &password];
            self.takar(&[&words[..], more].concat());
        };
        add("ratna", "admin", "Ratna Dewi", &[]);
        add("budi", "head", "Budi Santoso", &["--email", "budi@office.example"]);
        // From here on the socket's caller is a member, and no admin.
        add("siti", "member", "Siti Rahma", &["--os-user", &me(), "--email", "siti@office.example"]);
    }

    fn past(&self) -> Vec<Past> {
        let devices = self.takar(&["device", "list"]);
        let mut past = Vec::new();
        for device in devices.as_array().unwrap() {
            let name = device["device"].as_str().unwrap();
            for direction in Direction::BOTH {
                let used = match (name, direction) {
                    ("sdn-1", Direction::Down) => Use::GrewAndStarves,
                    ("kelurahan", _) => Use::Idle,
                    _ => Use::Steady,
                };
                let agent = device["agent"].as_str().unwrap().parse().unwrap();
                past.push(Past { agent, device: name.into(), direction, ceiling: BitsPerSec(SHARE), used });
            }
        }
        past
    }
}

pub struct Head {
    pub browser: Browser,
    csrf: String,
}

impl Head {
    /// A form of a case's page.
    pub fn decides(&self, case: u64, act: &str, fields: &[(&str, &str)]) {
        let path = format!("/cases/{case}/{act}");
        let (status, page) = self.browser.post(&path, &[&[("csrf", self.csrf.as_str())], fields].concat());
        assert_eq!(status, 303, "{path}: {page}");
    }

    /// Step 6, with the report in hand.
    pub fn receives(&self, case: u64) {
        let (status, page) = self.browser.get(&format!("/cases/{case}/receive"));
        assert_eq!(status, 200, "{page}");
        self.decides(case, "receive", &[("remark", "Diterima dengan baik")]);
    }
}
