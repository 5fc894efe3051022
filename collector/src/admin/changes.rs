//! `takar changes`: what was told to which device, what is under way on top.

use std::{cmp::Reverse, io, path::Path};

use super::{
    Failure, Printer, Tone, rate,
    table::{Table, or_unknown, time},
};
use crate::view::{ChangeView, MoveView};

pub async fn show(socket: &Path, out: &mut Printer<'_>) -> Result<(), Failure> {
    if let Some(changes) = super::get::<Vec<ChangeView>>(socket, "/v1/changes", out).await? {
        print(changes, out)?;
    }
    Ok(())
}

/// `sd-02 10 Mbit/s → 18 Mbit/s, …`
pub fn moves(moves: &[MoveView]) -> String {
    let one = |one: &MoveView| format!("{} {} → {}", one.link, rate::ceiling(one.from_bps), rate::ceiling(one.to_bps));
    moves.iter().map(one).collect::<Vec<_>>().join(", ")
}

const HEADER: &[&str] = &["change", "proposal", "step", "device", "serial", "state", "since", "moves", "what happened"];

fn print(mut changes: Vec<ChangeView>, out: &mut Printer<'_>) -> io::Result<()> {
    changes.sort_by_key(|change| (rank(&change.state), Reverse(since(change)), change.step));
    let mut table = Table::new(HEADER, &[1, 4]);
    for change in changes {
        let cells = vec![
            // Enough to tell changes apart; --json has all of it.
            change.id.chars().take(8).collect(),
            change.proposal.to_string(),
            format!("{}/{}", change.step, change.steps),
            change.device.clone(),
            or_unknown(change.serial.map(|serial| serial.to_string())),
            change.state.clone(),
            time(since(&change)),
            moves(&change.moves),
            change.sentence,
        ];
        table.row(tone(&change.state), cells);
    }
    table.print("no changes yet", out)
}

/// What may be in force without anybody knowing comes first, then what is under way, then what has ended.
fn rank(state: &str) -> u8 {
    match state {
        "expired" => 0,
        "applied" => 1,
        "dispatched" => 2,
        "waiting" => 3,
        _ => 4,
    }
}

fn tone(state: &str) -> Tone {
    match state {
        "expired" | "refused" | "rolled-back" => Tone::Bad,
        "applied" | "dispatched" | "waiting" => Tone::Warn,
        "confirmed" => Tone::Plain,
        _ => Tone::Quiet,
    }
}

/// The newest thing that happened to it.
fn since(change: &ChangeView) -> u64 {
    let later = [change.dispatched_at, change.applied_at, change.confirm_sent_at, change.ended_at];
    later.into_iter().flatten().fold(change.made_at, u64::max)
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::admin::tests::printed;

    pub fn change(id: &str, state: &str, ended_at: Option<u64>) -> ChangeView {
        ChangeView {
            id: id.into(),
            proposal: 7,
            batch: "b0".into(),
            step: 1,
            steps: 2,
            agent: "a0".into(),
            device: "core-1".into(),
            serial: None,
            state: state.into(),
            sentence: "as told".into(),
            moves: vec![MoveView { link: "sd-02".into(), from_bps: 0, to_bps: 18_000_000, why: String::new() }],
            made_at: 1_000,
            dispatched_at: None,
            applied_at: None,
            confirm_sent_at: None,
            ended_at,
        }
    }

    #[test]
    fn what_may_be_in_force_is_on_top_and_what_ended_is_newest_first() {
        let changes = vec![
            change("old", "confirmed", Some(2_000)),
            change("new", "rolled-back", Some(9_000)),
            change("run", "dispatched", None),
            change("exp", "expired", None),
        ];
        let text = printed(|out| print(changes, out));
        let ids: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(ids, ["exp", "run", "new", "old"]);
        assert!(text.contains("sd-02 no limit → 18 Mbit/s"), "{text}");
        assert!(text.contains('–'), "a serial that was not drawn is no 0: {text}");
    }

    #[test]
    fn since_is_the_newest_time() {
        let mut one = change("a", "applied", None);
        assert_eq!(since(&one), 1_000);
        one.applied_at = Some(3_000);
        one.dispatched_at = Some(2_000);
        assert_eq!(since(&one), 3_000);
    }
}
