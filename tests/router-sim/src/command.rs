//! What each command of each menu does.

use crate::{
    account::Policies, menus::Menus, query::Query, refusal::Refusal, router::Router, row::Fields, select::Attributes,
    system, words::Sentence,
};

pub enum Outcome {
    Shown(Vec<Fields>),
    /// What `!done` carries.
    Done(Fields),
}

/// Carries out one command of a user who may do this much.
pub fn run(router: &Router, policies: Policies, sentence: &Sentence) -> Result<Outcome, Refusal> {
    let (menu, command) = sentence.command.rsplit_once('/').unwrap_or(("", sentence.command.as_str()));
    if matches!(command, "print" | "getall") {
        let items = items(router, menu).ok_or_else(|| unknown(menu))?;
        return if policies.read { show(sentence, items) } else { Err(Refusal::Permission) };
    }
    let change = change(menu, command).ok_or_else(|| unknown(menu))?;
    if !policies.write {
        return Err(Refusal::Permission);
    }
    router.edit(|menus| change(menus, &sentence.attributes)).map(Outcome::Done)
}

const SIMPLE: &str = "/queue/simple";
const TREE: &str = "/queue/tree";
const FILTER: &str = "/ip/firewall/filter";

/// What there is to print; `None` where nothing can be printed.
fn items(router: &Router, menu: &str) -> Option<Vec<Fields>> {
    Some(match menu {
        SIMPLE => router.look(|menus| menus.simple.rows().iter().map(|row| row.fields()).collect()),
        TREE => router.look(|menus| menus.tree.fields()),
        FILTER => router.look(|menus| menus.filter.fields()),
        "/ip/settings" => vec![router.look(|menus| menus.filter.settings())],
        "/interface" => system::interfaces(&router.ports()),
        // The router has none.
        "/interface/vlan" => Vec::new(),
        "/system/identity" => vec![vec![("name", router.name().to_owned())]],
        "/system/resource" => vec![system::resource(router.version(), router.uptime_ms())],
        _ => return None,
    })
}

type Change = fn(&mut Menus, &Attributes) -> Result<Fields, Refusal>;

/// What changes something; a tree has no order, so nothing moves in it.
fn change(menu: &str, command: &str) -> Option<Change> {
    let change: Change = match (menu, command) {
        (SIMPLE, "add") => |menus, attributes| menus.simple.add(attributes).map(added),
        (SIMPLE, "set") => |menus, attributes| menus.simple.set(attributes).map(done),
        (SIMPLE, "remove") => |menus, attributes| menus.simple.remove(attributes).map(done),
        (SIMPLE, "enable") => |menus, attributes| menus.simple.set_disabled(attributes, false).map(done),
        (SIMPLE, "disable") => |menus, attributes| menus.simple.set_disabled(attributes, true).map(done),
        (SIMPLE, "move") => |menus, attributes| menus.simple.shift(attributes).map(done),
        (TREE, "add") => |menus, attributes| menus.tree.add(attributes).map(added),
        (TREE, "set") => |menus, attributes| menus.tree.set(attributes).map(done),
        (TREE, "remove") => |menus, attributes| menus.tree.remove(attributes).map(done),
        (TREE, "enable") => |menus, attributes| menus.tree.set_disabled(attributes, false).map(done),
        (TREE, "disable") => |menus, attributes| menus.tree.set_disabled(attributes, true).map(done),
        (FILTER, "set") => |menus, attributes| menus.filter.set(attributes).map(done),
        (FILTER, "enable") => |menus, attributes| menus.filter.set_disabled(attributes, false).map(done),
        (FILTER, "disable") => |menus, attributes| menus.filter.set_disabled(attributes, true).map(done),
        _ => return None,
    };
    Some(change)
}

fn done((): ()) -> Fields {
    Fields::new()
}

fn added(id: String) -> Fields {
    vec![("ret", id)]
}

/// A menu that is there lacks the command.
fn unknown(menu: &str) -> Refusal {
    let prefix = format!("{menu}/");
    let is_there = menu.is_empty() || MENUS.iter().any(|known| *known == menu || known.starts_with(&prefix));
    if is_there { Refusal::NoSuchCommand } else { Refusal::NoSuchPrefix }
}

const MENUS: [&str; 8] =
    [SIMPLE, TREE, FILTER, "/ip/settings", "/interface", "/interface/vlan", "/system/identity", "/system/resource"];

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
