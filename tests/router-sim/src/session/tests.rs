use super::*;
use crate::{
    config::{Config, for_tests},
    filter::Filter,
    login::LoginStyle,
    select::attributes,
    version::RosVersion,
};

fn ask(session: &mut Session, router: &Router, list: &[&str]) -> Vec<String> {
    let words = list.iter().map(|word| word.as_bytes().to_vec()).collect();
    let answer = session.answer(router, &Sentence::from_words(words).unwrap());
    let shown = |reply: &Reply| {
        let fields: Vec<String> = reply.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!("{}{}{}", reply.word, reply.reason.map(|why| format!(" {why}")).unwrap_or_default(), fields.concat())
    };
    answer.replies.iter().map(shown).collect()
}

fn serving(config: Config) -> (Session, Router) {
    let router = Router::start(config, None);
    let mut session = Session::default();
    assert_eq!(ask(&mut session, &router, &["/login", "=name=takar", "=password=secret"]), ["!done"]);
    (session, router)
}

fn logged_in(version: RosVersion) -> (Session, Router) {
    serving(for_tests(version))
}

#[test]
fn nothing_is_answered_before_a_right_login() {
    let router = Router::start(for_tests(RosVersion::V7_18), None);
    let refused = ["!trap message=invalid user name or password (6)", "!done"];
    let mut session = Session::default();
    assert_eq!(ask(&mut session, &router, &["/login", "=name=takar", "=password=wrong"]), refused);
    assert_eq!(ask(&mut session, &router, &["/queue/simple/print"]), ["!fatal not logged in"]);
    assert!(!session.is_logged_in());
}

#[test]
fn the_old_login_takes_two_sentences_and_a_challenge_works_once() {
    let mut config = for_tests(RosVersion::new(6, 42, 12));
    config.gate.style = LoginStyle::Old;
    let router = Router::start(config, None);
    let mut session = Session::default();
    let challenge = |answer: Vec<String>| {
        assert!(answer.len() == 1 && answer[0].starts_with("!done ret=") && answer[0].len() == 10 + 32, "{answer:?}");
    };
    challenge(ask(&mut session, &router, &["/login", "=name=takar", "=password=secret"]));
    assert!(!session.is_logged_in());
    challenge(ask(&mut session, &router, &["/login"]));
    let response = format!("=response={}", session.challenge.unwrap().response(b"secret"));
    assert_eq!(ask(&mut session, &router, &["/login", "=name=takar", &response]), ["!done"]);
    assert!(session.is_logged_in());
    let again = ask(&mut session, &router, &["/login", "=name=takar", &response]);
    assert_eq!(again, ["!trap message=cannot log in", "!done"]);
    assert!(!session.is_logged_in());
}

#[test]
fn an_empty_result_says_so_only_since_7_18() {
    for menu in ["/queue/simple/print", "/queue/tree/print", "/interface/vlan/print"] {
        let none = [menu, "?name=nobody"];
        let (mut session, router) = logged_in(RosVersion::V7_18);
        assert_eq!(ask(&mut session, &router, &none), ["!empty", "!done"]);
        let (mut session, router) = logged_in(RosVersion::V7_16);
        assert_eq!(ask(&mut session, &router, &none), ["!done"]);
    }
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
    assert_eq!(ask(&["/queue/simple/add", "=name=site"]), ["!trap message=failure: already have such name", "!done"]);
    assert_eq!(ask(&["/queue/simple/add", "=name=new"]), ["!done ret=*3"]);
    assert_eq!(ask(&["/queue/simple/move", "=numbers=*3", "=destination=*1"]), ["!done"]);
    let order = ask(&["/queue/simple/print", "=.proplist=.id"]);
    assert_eq!(order, ["!re .id=*3", "!re .id=*1", "!re .id=*2", "!done"]);
    assert_eq!(ask(&["/queue/simple/disable", "=numbers=new"]), ["!done"]);
    assert_eq!(ask(&["/queue/simple/remove", "=.id=*3"]), ["!done"]);
}

#[test]
fn tree_queues_are_made_and_changed_by_the_same_commands() {
    let (mut session, router) = logged_in(RosVersion::V7_18);
    let mut ask = |list: &[&str]| ask(&mut session, &router, list);
    let no_parent = ["!trap category=1 message=input does not match any value of parent", "!done"];
    assert_eq!(ask(&["/queue/tree/add", "=name=down"]), no_parent);
    assert_eq!(ask(&["/queue/tree/add", "=name=down", "=parent=bridge"]), no_parent);
    assert_eq!(ask(&["/queue/tree/add", "=name=down", "=parent=bridge-lan", "=max-limit=10M"]), ["!done ret=*1000000"]);
    let printed = ["/queue/tree/print", "=.proplist=.id,name,parent,max-limit,disabled", "?=name=down"];
    assert_eq!(
        ask(&printed),
        ["!re .id=*1000000 name=down parent=bridge-lan max-limit=10000000 disabled=false", "!done"]
    );
    assert_eq!(
        ask(&["/queue/tree/set", "=.id=*1000000", "=limit-at=11M"]),
        ["!trap message=failure: max-limit less than limit", "!done"]
    );
    assert_eq!(ask(&["/queue/tree/disable", "=.id=*1000000"]), ["!done"]);
    assert_eq!(ask(&["/queue/tree/getall", "=.proplist=name", "?disabled=yes"]), ["!re name=down", "!done"]);
    assert_eq!(ask(&["/queue/tree/enable", "=numbers=down"]), ["!done"]);
    assert_eq!(ask(&["/queue/tree/remove", "=.id=*1000000"]), ["!done"]);
}

#[test]
fn what_a_group_does_not_allow_is_refused() {
    let refused = ["!trap message=not enough permissions (9)", "!done"];
    let mut config = for_tests(RosVersion::V7_18);
    config.gate.accounts[0].policies = "api,read".parse().unwrap();
    let (mut session, router) = serving(config);
    assert_eq!(ask(&mut session, &router, &["/queue/simple/set", "=.id=*1", "=max-limit=1M/1M"]), refused);
    assert_eq!(ask(&mut session, &router, &["/queue/tree/add", "=name=x", "=parent=global"]), refused);
    let shown = ask(&mut session, &router, &["/queue/simple/print", "=.proplist=max-limit", "?name=site"]);
    assert_eq!(shown, ["!re max-limit=5000000/10000000", "!done"]);
    let mut config = for_tests(RosVersion::V7_18);
    config.gate.accounts[0].policies = "api,write".parse().unwrap();
    let (mut session, router) = serving(config);
    assert_eq!(ask(&mut session, &router, &["/queue/simple/print"]), refused);
}

#[test]
fn fasttrack_shows_in_the_filter_and_in_the_settings() {
    let mut config = for_tests(RosVersion::V7_18);
    config.menus.filter = Filter::new(true);
    let (mut session, router) = serving(config);
    let mut ask = |list: &[&str]| ask(&mut session, &router, list);
    let settings = ["/ip/settings/print", "=.proplist=ipv4-fasttrack-active"];
    assert_eq!(ask(&settings), ["!re ipv4-fasttrack-active=true", "!done"]);
    let rules = ["/ip/firewall/filter/print", "=.proplist=.id,action", "?action=fasttrack-connection"];
    assert_eq!(ask(&rules), ["!re .id=*1 action=fasttrack-connection", "!done"]);
    assert_eq!(ask(&["/ip/firewall/filter/disable", "=.id=*1"]), ["!done"]);
    assert_eq!(ask(&settings), ["!re ipv4-fasttrack-active=false", "!done"]);
}

#[test]
fn dynamic_queues_are_shown_and_not_changed() {
    let mut config = for_tests(RosVersion::V7_18);
    config.menus.simple.force(&attributes(&[("name", "<pppoe-anna>")]), true, false).unwrap();
    let (mut session, router) = serving(config);
    let mut ask = |list: &[&str]| ask(&mut session, &router, list);
    assert_eq!(ask(&["/queue/simple/print", "=.proplist=name", "?dynamic=yes"]), ["!re name=<pppoe-anna>", "!done"]);
    let refused = ["!trap message=failure: can not change dynamic", "!done"];
    assert_eq!(ask(&["/queue/simple/set", "=numbers=<pppoe-anna>", "=max-limit=1M/1M"]), refused);
}

#[test]
fn unknown_commands_are_told_from_unknown_menus() {
    let (mut session, router) = logged_in(RosVersion::V7_18);
    let mut ask = |list: &[&str]| ask(&mut session, &router, list);
    let no_command = ["!trap category=0 message=no such command", "!done"];
    let no_prefix = ["!trap category=0 message=no such command prefix", "!done"];
    assert_eq!(ask(&["/queue/tree/move"]), no_command);
    assert_eq!(ask(&["/queue/print"]), no_command);
    assert_eq!(ask(&["/reboot"]), no_command);
    assert_eq!(ask(&["/ip/firewall/filter/add"]), no_command);
    assert_eq!(ask(&["/routing/ospf/print"]), no_prefix);
    assert_eq!(ask(&["/quit"]), ["!fatal session terminated on request"]);
}
