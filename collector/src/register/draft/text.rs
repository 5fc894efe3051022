//! The draft as TOML, with what a person has to look at above the row that it is about.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    Draft,
    links::{Link, Side},
    seen::{Device, Shaper},
    uplink::Uplink,
};
use crate::register::{toml::cut, write::literal};

/// Stands where nobody but a person knows the number.
const TO_WRITE: &str = "…";

const HEAD: &str = "\
# A draft of Takar's register, made of what devices say of themselves. Queues are adopted as they are: cir_bps and mir_bps are
# those in force. Look at every row that is marked as doubtful. Where a line ends with what to write, write that in place of
# the dots and take the mark off its beginning. Give links, sites and uplinks the names and titles that people know. Links that
# share a line must name one uplink, with the capacity that was bought. Then: takar import FILE --dry-run.
#
# Every link begins with mode = \"observe\": it is measured, and neither gives nor gets until takar link mode NAME live.

# Who sells the uplinks no device tells: write the name and title, and a row each where there are several.
[[provider]]
name = \"isp\"
title = \"ISP\"
";

pub fn write(drafted: &[(Device, Uplink, Vec<Link>)]) -> Draft {
    let mut draft = Draft { text: HEAD.to_owned(), links: 0, doubtful: 0 };
    for (device, uplink, links) in drafted {
        draft.text.push('\n');
        device.about.iter().for_each(|line| comment(&mut draft.text, line));
        if links.is_empty() {
            comment(&mut draft.text, "no queue was seen on it, so there is no link to draft");
            continue;
        }
        write_uplink(&mut draft, uplink);
        for link in links {
            write_link(&mut draft, link, device, uplink);
        }
    }
    draft
}

fn write_uplink(draft: &mut Draft, uplink: &Uplink) {
    if let Some(interface) = &uplink.interface {
        comment(&mut draft.text, &format!("the speed of {interface}; write what was bought"));
    }
    doubts(draft, &uplink.doubts);
    let _ = writeln!(draft.text, "[[uplink]]\nname = {}\nprovider = \"isp\"", quoted(&uplink.name));
    for (key, capacity) in [("down_bps", &uplink.down), ("up_bps", &uplink.up)] {
        let _ = match capacity {
            Ok(rate) => writeln!(draft.text, "{key} = {}", number(*rate)),
            Err(what) => writeln!(draft.text, "# {key} = {TO_WRITE}  # write {what}"),
        };
    }
}

fn write_link(draft: &mut Draft, link: &Link, device: &Device, uplink: &Uplink) {
    let (name, title) = (quoted(&link.name), quoted(&link.title));
    let _ = writeln!(draft.text, "\n[[site]]\nname = {name}\ntitle = {title}\n");
    doubts(draft, &link.doubts);
    let (uplink, device) = (quoted(&uplink.name), quoted(&device.name));
    let head =
        format!("[[link]]\nname = {name}\nsite = {name}\nuplink = {uplink}\ndevice = {device}\nmode = \"observe\"");
    let _ = writeln!(draft.text, "{head}");
    for (key, side) in [("down", &link.down), ("up", &link.up)] {
        write_side(&mut draft.text, key, side);
    }
    draft.links += 1;
}

fn write_side(text: &mut String, key: &str, side: &Side) {
    let _ = match side {
        Side::Known { shaper, cir, mir, floor, ceiling } => {
            let mut keys = shaper_keys(shaper);
            keys.extend(cir.map(|cir| format!("cir_bps = {}", number(cir))));
            keys.push(format!("mir_bps = {}", number(*mir)));
            keys.extend(floor.map(|floor| format!("floor_bps = {}", number(floor))));
            keys.extend(ceiling.map(|ceiling| format!("ceiling_bps = {}", number(ceiling))));
            writeln!(text, "{key} = {{ {} }}", keys.join(", "))
        }
        Side::Unknown { shaper, cir, mir, write } => {
            let or_ask = |rate: &Option<u64>| rate.map_or_else(|| TO_WRITE.to_owned(), number);
            let mut keys = shaper.as_ref().map_or_else(|| vec![format!("queue = \"{TO_WRITE}\"")], shaper_keys);
            if !matches!(shaper, Some(Shaper::Root(_))) {
                keys.push(format!("cir_bps = {}", or_ask(cir)));
            }
            keys.push(format!("mir_bps = {}", or_ask(mir)));
            writeln!(text, "# {key} = {{ {} }}  # write {write}", keys.join(", "))
        }
    };
}

fn shaper_keys(shaper: &Shaper) -> Vec<String> {
    match shaper {
        Shaper::Queue(name) => vec![format!("queue = {}", quoted(name))],
        Shaper::Class { class, interface } => {
            vec![format!("class = {}", quoted(class)), format!("interface = {}", quoted(interface))]
        }
        Shaper::Root(interface) => vec![format!("root = {}", quoted(interface))],
    }
}

fn doubts(draft: &mut Draft, doubts: &[String]) {
    for doubt in doubts {
        comment(&mut draft.text, &format!("doubtful: {doubt}"));
    }
    draft.doubtful += usize::from(!doubts.is_empty());
}

/// A line that no device can break out of: TOML allows no control character in a comment.
fn comment(text: &mut String, line: &str) {
    let clean: String = line.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let _ = writeln!(text, "# {}", cut(clean).trim_end());
}

/// On one line, whatever is in it.
fn quoted(text: &str) -> String {
    if text.chars().any(|c| c.is_control()) {
        // JSON's escapes are TOML's as well, but for what is above the controls.
        return Value::from(text.replace('\u{7f}', "\u{fffd}")).to_string();
    }
    literal(&Value::from(text))
}

fn number(rate: u64) -> String {
    literal(&Value::from(rate))
}
