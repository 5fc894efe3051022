//! `takar links`: a row per link and direction, those that need a person on top.

use std::{io, path::Path};

use super::{
    Failure, Printer, Tone, rate,
    table::{Table, or_unknown},
};
use crate::view::{LinkModeBody, LinkModeView, LinkView};

pub async fn show(socket: &Path, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(links) = super::get::<Vec<LinkView>>(socket, "/v1/links", out).await? {
        print(links, out)?;
    }
    Ok(())
}

pub async fn mode(socket: &Path, body: &LinkModeBody, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(set) = super::post::<LinkModeView>(socket, "/v1/links/mode", body, out).await? {
        out.line(&mode_set(&set))?;
    }
    Ok(())
}

fn mode_set(set: &LinkModeView) -> String {
    let LinkModeView { link, mode, was, superseded } = set;
    if mode == was {
        return format!("{link}: {mode}, as before");
    }
    let superseded: String = superseded.iter().map(|id| format!("; proposal {id} is superseded")).collect();
    format!("{link}: {mode}, was {was}{superseded}")
}

const HEADER: &[&str] =
    &["link", "dir", "uplink", "state", "ceiling", "on device", "used", "p95", "peak", "use", "poll", "mode", "why"];
const RIGHT: &[usize] = &[4, 5, 6, 7, 8, 9];

fn print(mut links: Vec<LinkView>, out: &mut Printer<'_>) -> io::Result<()> {
    links.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut table = Table::new(HEADER, RIGHT);
    for link in links {
        table.row(tone(&link.state), cells(link));
    }
    table.print("no links; takar import FILE brings an inventory in", out)
}

fn cells(link: LinkView) -> Vec<String> {
    vec![
        link.link,
        link.direction,
        link.uplink,
        link.state,
        rate::ceiling(link.recorded_bps),
        rate::ceiling_or_unknown(link.observed_bps),
        rate::show_or_unknown(link.used_bps),
        rate::show_or_unknown(link.p95_bps),
        rate::show_or_unknown(link.peak_bps),
        rate::percent(link.utilisation_per_mille),
        or_unknown((!link.poll.is_empty()).then_some(link.poll)),
        link.mode,
        link.why,
    ]
}

fn key(link: &LinkView) -> (u8, &str, &str, &str) {
    (rank(&link.state), &link.uplink, &link.link, &link.direction)
}

/// A state of a newer version is shown above what is known to be well.
fn rank(state: &str) -> u8 {
    match state {
        "shortage" => 0,
        "drifted" => 1,
        "not-measured" => 2,
        "not-reported" => 3,
        "changing" => 5,
        "fits" => 6,
        "idle" => 7,
        "maintenance" => 8,
        _ => 4,
    }
}

fn tone(state: &str) -> Tone {
    match rank(state) {
        0 => Tone::Bad,
        1..=4 => Tone::Warn,
        7 | 8 => Tone::Quiet,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::tests::printed;

    fn link(name: &str, direction: &str, state: &str) -> LinkView {
        LinkView {
            link: name.into(),
            site: "site".into(),
            uplink: "ast-01".into(),
            device: "core-1".into(),
            direction: direction.into(),
            recorded_bps: 10_000_000,
            observed_bps: Some(0),
            cir_bps: None,
            used_bps: None,
            p95_bps: Some(0),
            peak_bps: Some(9_500_000),
            utilisation_per_mille: Some(950),
            state: state.into(),
            why: "because".into(),
            poll: String::new(),
            mode: "live".into(),
            read_at: None,
        }
    }

    fn order(links: Vec<LinkView>) -> Vec<String> {
        let text = printed(|out| print(links, out));
        let first_two = |line: &str| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        text.lines().skip(1).map(first_two).collect()
    }

    #[test]
    fn shortage_is_on_top_then_drifted_then_not_measured_then_the_rest() {
        let states = [
            "maintenance",
            "idle",
            "fits",
            "not-reported",
            "changing",
            "not-measured",
            "brand-new",
            "shortage",
            "drifted",
        ]
        .map(|state| {
            let name = format!("l-{state}");
            link(&name, "down", state)
        });
        let expected = [
            "shortage",
            "drifted",
            "not-measured",
            "not-reported",
            "brand-new",
            "changing",
            "fits",
            "idle",
            "maintenance",
        ];
        assert_eq!(order(states.to_vec()), expected.map(|state| format!("l-{state} down")));
    }

    #[test]
    fn within_a_state_links_are_by_name_and_down_before_up() {
        let links = vec![link("b", "up", "fits"), link("b", "down", "fits"), link("a", "up", "fits")];
        assert_eq!(order(links), ["a up", "b down", "b up"]);
    }

    #[test]
    fn what_was_not_measured_is_no_zero() {
        let text = printed(|out| print(vec![link("a", "down", "not-measured")], out));
        let row = text.lines().nth(1).unwrap();
        let cells: Vec<&str> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
        let expected = [
            "a",
            "down",
            "ast-01",
            "not-measured",
            "10 Mbit/s",
            "no limit",
            "–",
            "0 bit/s",
            "9.5 Mbit/s",
            "95.0 %",
            "–",
            "live",
            "because",
        ];
        assert_eq!(cells, expected);
    }

    #[test]
    fn a_mode_is_told_with_what_it_ended() {
        let set = |was: &str, superseded: &[u64]| {
            let (link, mode, was) = ("sd-02".to_owned(), "observe".to_owned(), was.to_owned());
            mode_set(&LinkModeView { link, mode, was, superseded: superseded.to_vec() })
        };
        assert_eq!(set("observe", &[]), "sd-02: observe, as before");
        assert_eq!(set("live", &[]), "sd-02: observe, was live");
        assert_eq!(set("live", &[3]), "sd-02: observe, was live; proposal 3 is superseded");
    }

    #[test]
    fn no_links_say_what_to_do() {
        assert!(printed(|out| print(Vec::new(), out)).contains("takar import"));
    }
}
