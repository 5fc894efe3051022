//! One client's session: what each sentence answers. Sockets and framing are elsewhere.

use crate::{
    args::RosVersion,
    query::Query,
    refusal::Refusal,
    router::Router,
    row::Fields,
    words::{self, Sentence},
};

/// One sentence of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// `!re`, `!done`, `!trap`, `!empty` or `!fatal`.
    pub word: &'static str,
    pub fields: Fields,
    /// `!fatal` says why in a bare word.
    pub reason: Option<&'static str>,
}

impl Reply {
    /// Appends the reply in the API's framing, with the tag that the command had.
    pub fn push_to(&self, out: &mut Vec<u8>, tag: Option<&str>) {
        words::push_word(out, self.word.as_bytes());
        if let Some(reason) = self.reason {
            words::push_word(out, reason.as_bytes());
        }
        for (name, value) in &self.fields {
            words::push_word(out, format!("={name}={value}").as_bytes());
        }
        if let Some(tag) = tag {
            words::push_word(out, format!(".tag={tag}").as_bytes());
        }
        words::end_sentence(out);
    }

    fn of(word: &'static str, fields: Fields) -> Self {
        Self { word, fields, reason: None }
    }

    fn fatal(reason: &'static str) -> Self {
        Self { word: "!fatal", fields: Fields::new(), reason: Some(reason) }
    }

    fn trap(refusal: &Refusal) -> Self {
        let mut fields = Fields::new();
        fields.extend(refusal.category().map(|category| ("category", category.to_string())));
        fields.push(("message", refusal.to_string()));
        Self::of("!trap", fields)
    }
}

/// The answer to one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub replies: Vec<Reply>,
    /// After it the router closes the connection.
    pub closes: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Session {
    logged_in: bool,
}

impl Session {
    pub fn is_logged_in(&self) -> bool {
        self.logged_in
    }

    pub fn answer(&mut self, router: &Router, sentence: &Sentence) -> Answer {
        let outcome = match sentence.command.as_str() {
            "/quit" => return closing("session terminated on request"),
            "/login" => self.login(router, sentence),
            _ if !self.logged_in => return closing("not logged in"),
            _ => run(router, sentence),
        };
        let mut replies = match outcome {
            Ok(Outcome::Shown(items)) if items.is_empty() && router.version() == RosVersion::V7_18 => {
                vec![Reply::of("!empty", Fields::new())]
            }
            Ok(Outcome::Shown(items)) => items.into_iter().map(|fields| Reply::of("!re", fields)).collect(),
            Ok(Outcome::Done(fields)) => {
                return Answer { replies: vec![Reply::of("!done", fields)], closes: false };
            }
            Err(refusal) => vec![Reply::trap(&refusal)],
        };
        replies.push(Reply::of("!done", Fields::new()));
        Answer { replies, closes: false }
    }

    /// Name and password, as since 6.43. A bare `/login` asked for the older challenge, which later routers refuse.
    fn login(&mut self, router: &Router, sentence: &Sentence) -> Result<Outcome, Refusal> {
        let admitted = match (sentence.attribute("name"), sentence.attribute("password")) {
            (Some(user), Some(password)) => router.admits(user, password),
            _ => false,
        };
        self.logged_in = admitted;
        if admitted { Ok(Outcome::Done(Fields::new())) } else { Err(Refusal::Login) }
    }
}

enum Outcome {
    Shown(Vec<Fields>),
    /// What `!done` carries.
    Done(Fields),
}

fn closing(reason: &'static str) -> Answer {
    Answer { replies: vec![Reply::fatal(reason)], closes: true }
}

fn run(router: &Router, sentence: &Sentence) -> Result<Outcome, Refusal> {
    let (menu, command) = sentence.command.rsplit_once('/').unwrap_or(("", sentence.command.as_str()));
    let attributes = sentence.attributes.as_slice();
    let done = |()| Outcome::Done(Fields::new());
    match (menu, command) {
        ("/queue/simple", "print" | "getall") => show(sentence, router.queues()),
        ("/queue/simple", "set") => router.edit(|table| table.set(attributes)).map(done),
        ("/queue/simple", "remove") => router.edit(|table| table.remove(attributes)).map(done),
        ("/queue/simple", "enable") => router.edit(|table| table.set_disabled(attributes, false)).map(done),
        ("/queue/simple", "disable") => router.edit(|table| table.set_disabled(attributes, true)).map(done),
        ("/queue/simple", "add") => {
            router.edit(|table| table.add(attributes)).map(|id| Outcome::Done(vec![("ret", id)]))
        }
        ("/interface", "print" | "getall") => show(sentence, interfaces(router)),
        ("/system/identity", "print" | "getall") => show(sentence, vec![vec![("name", router.name().to_owned())]]),
        ("/system/resource", "print" | "getall") => show(sentence, vec![resource(router)]),
        ("" | "/queue" | "/queue/simple" | "/interface" | "/system" | "/system/identity" | "/system/resource", _) => {
            Err(Refusal::NoSuchCommand)
        }
        _ => Err(Refusal::NoSuchPrefix),
    }
}

/// `print`: the query chooses the items, `.proplist` the properties; `count-only` counts.
fn show(sentence: &Sentence, mut items: Vec<Fields>) -> Result<Outcome, Refusal> {
    let query = Query::parse(&sentence.queries)?;
    items.retain(|fields| query.shows(|wanted| value_of(fields, wanted)));
    if sentence.attribute("count-only").is_some() {
        return Ok(Outcome::Done(vec![("ret", items.len().to_string())]));
    }
    if let Some(list) = sentence.attribute(".proplist") {
        let wanted: Vec<&str> = list.split(',').collect();
        for fields in &mut items {
            fields.retain(|(name, _)| wanted.contains(name));
        }
    }
    Ok(Outcome::Shown(items))
}

fn value_of<'a>(fields: &'a [(&'static str, String)], wanted: &str) -> Option<&'a str> {
    fields.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str())
}

fn interfaces(router: &Router) -> Vec<Fields> {
    let zero = || "0".to_owned();
    let ports = router.ports();
    let fields = ports.iter().map(|port| {
        let [a, b, c, d, e, f] = port.mac;
        vec![
            (".id", format!("*{:X}", port.index)),
            ("name", port.name.to_owned()),
            ("default-name", port.name.to_owned()),
            ("type", port.kind.to_owned()),
            ("mtu", "1500".to_owned()),
            ("actual-mtu", "1500".to_owned()),
            ("mac-address", format!("{a:02X}:{b:02X}:{c:02X}:{d:02X}:{e:02X}:{f:02X}")),
            ("link-downs", zero()),
            ("rx-byte", port.received.bytes().to_string()),
            ("tx-byte", port.sent.bytes().to_string()),
            ("rx-packet", port.received.0.to_string()),
            ("tx-packet", port.sent.0.to_string()),
            ("rx-drop", zero()),
            ("tx-drop", zero()),
            ("tx-queue-drop", port.out_dropped.0.to_string()),
            ("rx-error", zero()),
            ("tx-error", zero()),
            ("running", "true".to_owned()),
            ("disabled", "false".to_owned()),
        ]
    });
    fields.collect()
}

fn resource(router: &Router) -> Fields {
    vec![
        ("uptime", uptime(router.uptime_ms() / 1000)),
        ("version", format!("{} (stable)", router.version())),
        ("free-memory", "201326592".to_owned()),
        ("total-memory", "268435456".to_owned()),
        ("cpu", "QEMU".to_owned()),
        ("cpu-count", "1".to_owned()),
        ("cpu-load", "2".to_owned()),
        ("free-hdd-space", "67108864".to_owned()),
        ("total-hdd-space", "134217728".to_owned()),
        ("architecture-name", "x86_64".to_owned()),
        ("board-name", "CHR".to_owned()),
        ("platform", "MikroTik".to_owned()),
    ]
}

/// As the router writes time: `1w4d23h26m9s`, without the units that are zero.
fn uptime(seconds: u64) -> String {
    let mut rest = seconds;
    let mut text = String::new();
    for (unit, length) in [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            text.push_str(&format!("{count}{unit}"));
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::for_tests;

    fn ask(session: &mut Session, router: &Router, list: &[&str]) -> Vec<String> {
        let words = list.iter().map(|word| word.as_bytes().to_vec()).collect();
        let answer = session.answer(router, &Sentence::from_words(words).unwrap());
        let shown = |reply: &Reply| {
            let fields: Vec<String> = reply.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!(
                "{}{}{}",
                reply.word,
                reply.reason.map(|why| format!(" {why}")).unwrap_or_default(),
                fields.concat()
            )
        };
        answer.replies.iter().map(shown).collect()
    }

    fn logged_in(version: RosVersion) -> (Session, Router) {
        let router = Router::start(for_tests(version), None);
        let mut session = Session::default();
        assert_eq!(ask(&mut session, &router, &["/login", "=name=takar", "=password=secret"]), ["!done"]);
        (session, router)
    }

    #[test]
    fn nothing_is_answered_before_a_right_login() {
        let router = Router::start(for_tests(RosVersion::V7_18), None);
        let refused = ["!trap message=invalid user name or password (6)", "!done"];
        let mut session = Session::default();
        assert_eq!(ask(&mut session, &router, &["/login", "=name=takar", "=password=wrong"]), refused);
        assert_eq!(ask(&mut session, &router, &["/login"]), refused);
        assert_eq!(ask(&mut session, &router, &["/queue/simple/print"]), ["!fatal not logged in"]);
        assert!(!session.is_logged_in());
    }

    #[test]
    fn an_empty_result_says_so_only_since_7_18() {
        let none = ["/queue/simple/print", "?name=nobody"];
        let (mut session, router) = logged_in(RosVersion::V7_18);
        assert_eq!(ask(&mut session, &router, &none), ["!empty", "!done"]);
        let (mut session, router) = logged_in(RosVersion::V7_16);
        assert_eq!(ask(&mut session, &router, &none), ["!done"]);
    }

    #[test]
    fn print_chooses_items_and_properties() {
        let (mut session, router) = logged_in(RosVersion::V7_18);
        let shown = ask(&mut session, &router, &["/queue/simple/print", "=.proplist=name,max-limit", "?=name=site"]);
        assert_eq!(shown, ["!re name=site max-limit=5000000/10000000", "!done"]);
        let shown = ask(&mut session, &router, &["/queue/simple/getall", "=.proplist=.id", "?disabled=no"]);
        assert_eq!(shown, ["!re .id=*1", "!re .id=*2", "!done"]);
        assert_eq!(ask(&mut session, &router, &["/queue/simple/print", "=count-only="]), ["!done ret=2"]);
        let refused = ask(&mut session, &router, &["/queue/simple/print", "?#x"]);
        assert_eq!(refused, ["!trap category=5 message=invalid query word ?#x", "!done"]);
    }

    #[test]
    fn changes_answer_as_the_router_does() {
        let (mut session, router) = logged_in(RosVersion::V7_18);
        let mut ask = |list: &[&str]| ask(&mut session, &router, list);
        assert_eq!(ask(&["/queue/simple/set", "=.id=*1", "=max-limit=6M/12M"]), ["!done"]);
        assert_eq!(ask(&["/queue/simple/set", "=max-limit=1M/1M"]), ["!done"]);
        assert_eq!(
            ask(&["/queue/simple/print", "=.proplist=max-limit", "?name=site"]),
            ["!re max-limit=6000000/12000000", "!done"]
        );
        assert_eq!(
            ask(&["/queue/simple/set", "=.id=*7", "=max-limit=1M/1M"]),
            ["!trap category=0 message=no such item", "!done"]
        );
        assert_eq!(
            ask(&["/queue/simple/add", "=name=site"]),
            ["!trap message=failure: already have such name", "!done"]
        );
        assert_eq!(ask(&["/queue/simple/add", "=name=new"]), ["!done ret=*3"]);
        assert_eq!(ask(&["/queue/simple/disable", "=numbers=new"]), ["!done"]);
        assert_eq!(ask(&["/queue/simple/remove", "=.id=*3"]), ["!done"]);
    }

    #[test]
    fn unknown_commands_are_told_from_unknown_menus() {
        let (mut session, router) = logged_in(RosVersion::V7_18);
        let mut ask = |list: &[&str]| ask(&mut session, &router, list);
        let no_command = ["!trap category=0 message=no such command", "!done"];
        let no_prefix = ["!trap category=0 message=no such command prefix", "!done"];
        assert_eq!(ask(&["/queue/simple/move"]), no_command);
        assert_eq!(ask(&["/reboot"]), no_command);
        assert_eq!(ask(&["/routing/ospf/print"]), no_prefix);
        assert_eq!(ask(&["/quit"]), ["!fatal session terminated on request"]);
    }

    #[test]
    fn a_tag_is_echoed_on_every_sentence() {
        let mut out = Vec::new();
        Reply::of("!re", vec![("name", "x".to_owned())]).push_to(&mut out, Some("12"));
        assert_eq!(out, b"\x03!re\x07=name=x\x07.tag=12\x00");
        let mut out = Vec::new();
        Reply::fatal("not logged in").push_to(&mut out, None);
        assert_eq!(out, b"\x06!fatal\x0dnot logged in\x00");
    }

    #[test]
    fn uptime_leaves_out_what_is_zero() {
        assert_eq!(uptime(0), "0s");
        assert_eq!(uptime(61), "1m1s");
        assert_eq!(uptime(604_800 + 4 * 86_400 + 23 * 3_600 + 26 * 60 + 9), "1w4d23h26m9s");
    }
}
