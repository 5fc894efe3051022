//! All queues of a router as it prints them, with what hinders each: for people who have yet to configure it, and for
//! whoever wants to know whether a queue that was set has an effect.

use serde::Serialize;
use takar_shared::Direction;

use super::{
    client::{Access, Client, attribute},
    codec::Sentence,
    effect::{self, Hindrance, Standing},
    row::{QueueRow, Table},
};
use crate::queue::QueueError;

const PROPERTIES: &str = ".id,name,target,dst,time,packet-marks,packet-mark,parent,disabled,invalid,dynamic,limit-at,\
                          max-limit,burst-limit,bytes,dropped,queued-bytes";

#[derive(Debug, Serialize)]
pub struct RouterSurvey {
    /// `/system/identity`.
    pub name: Option<String>,
    pub version: Option<String>,
    pub board: Option<String>,
    /// In the router's order; a simple queue has a row for each direction.
    pub queues: Vec<PrintedQueue>,
    pub oddities: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrintedQueue {
    /// "simple" or "tree".
    pub kind: &'static str,
    pub name: String,
    pub target: Option<String>,
    pub parent: Option<String>,
    /// Seen from the target, which is the subscriber. A tree queue's is that of its parent, which a person must know.
    pub direction: Option<Direction>,
    pub cir_bps: u64,
    /// Zero is unlimited.
    pub mir_bps: u64,
    pub burst_bps: u64,
    pub bytes: u64,
    pub dropped: u64,
    pub disabled: bool,
    pub invalid: bool,
    pub dynamic: bool,
    /// Why it would have no effect.
    pub hindrances: Vec<Hindrance>,
}

/// Reads only. What the router refuses to tell besides its queues is an oddity.
pub async fn survey(access: Access) -> Result<RouterSurvey, QueueError> {
    let mut client = Client::new(access);
    let mut oddities = Vec::new();
    let (mut names, mut versions, mut boards) = (None, None, None);
    for (menu, properties) in [("/system/identity", "name"), ("/system/resource", "version,board-name")] {
        match print(&mut client, menu, properties, &[]).await {
            Ok(rows) => {
                let told = |property| rows.first().and_then(|row| value(row, property));
                names = told("name").or(names);
                versions = told("version").or(versions);
                boards = told("board-name").or(boards);
            }
            Err(error @ QueueError::Refused { .. }) => oddities.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    let fast_track = match has_fast_track(&mut client).await {
        Ok(active) => active,
        Err(error @ QueueError::Refused { .. }) => {
            oddities.push(format!("whether connections are fast-tracked is not known: {error}"));
            false
        }
        Err(error) => return Err(error),
    };
    let mut queues = Vec::new();
    for table in Table::BOTH {
        let rows = print(&mut client, table.menu(), PROPERTIES, &[]).await?;
        queues.extend(judge(table, &rows, fast_track, &mut oddities));
    }
    oddities.extend(twice(&queues));
    if fast_track {
        oddities.push("connections are fast-tracked: simple queues and trees under global do not shape them".into());
    }
    Ok(RouterSurvey { name: names, version: versions, board: boards, queues, oddities })
}

/// Is there a firewall rule in force that fast-tracks whatever connection there is? One that is for some only (an address
/// list, a port, a mark) may leave the queues their traffic, so that nothing can be said.
pub(super) async fn has_fast_track(client: &mut Client) -> Result<bool, QueueError> {
    let query: [&[u8]; 1] = [b"?action=fasttrack-connection"];
    let rules = print(client, "/ip/firewall/filter", "", &query).await?;
    Ok(rules.iter().any(is_general))
}

fn is_general(rule: &Sentence) -> bool {
    // What a rule has besides its conditions, and the one condition that the default configuration's rule has.
    const NO_CONDITION: [&str; 14] = [
        ".id",
        ".nextid",
        "chain",
        "action",
        "connection-state",
        "hw-offload",
        "bytes",
        "packets",
        "invalid",
        "dynamic",
        "disabled",
        "comment",
        "log",
        "log-prefix",
    ];
    let is_condition = |word: &Vec<u8>| {
        let name = word.strip_prefix(b"=").and_then(|word| word.split(|byte| *byte == b'=').next());
        name.is_some_and(|name| !NO_CONDITION.iter().any(|known| known.as_bytes() == name))
    };
    !is_set(rule, "disabled") && !is_set(rule, "invalid") && !rule.words().iter().any(is_condition)
}

/// What hinders each queue of a table, by name and in the router's order.
pub(super) async fn hindrances(
    client: &mut Client,
    table: Table,
    fast_track: bool,
) -> Result<Vec<(String, Vec<Hindrance>)>, QueueError> {
    let properties = "name,target,dst,time,packet-marks,parent,disabled,invalid";
    let standings: Vec<Standing> =
        print(client, table.menu(), properties, &[]).await?.iter().map(|row| standing(table, row)).collect();
    let found = of(table, &standings, fast_track);
    Ok(standings.into_iter().map(|standing| standing.name).zip(found).collect())
}

async fn print(
    client: &mut Client,
    menu: &str,
    properties: &str,
    query: &[&[u8]],
) -> Result<Vec<Sentence>, QueueError> {
    let mut words = vec![format!("{menu}/print").into_bytes()];
    // Without a list the router prints all it has.
    words.extend((!properties.is_empty()).then(|| attribute(".proplist", properties)));
    words.extend(query.iter().map(|word| word.to_vec()));
    Ok(client.ask(&words).await?.rows)
}

fn judge(table: Table, rows: &[Sentence], fast_track: bool, oddities: &mut Vec<String>) -> Vec<PrintedQueue> {
    let standings: Vec<Standing> = rows.iter().map(|row| standing(table, row)).collect();
    let mut queues = Vec::new();
    for ((row, standing), hindrances) in rows.iter().zip(&standings).zip(of(table, &standings, fast_track)) {
        let read = match QueueRow::parse(table, row) {
            Ok(read) => read,
            Err(error) => {
                oddities.push(format!("{table} queue {:?} is passed over: {error}", standing.name));
                continue;
            }
        };
        let directions: &[Option<Direction>] = match table {
            Table::Simple => &[Some(Direction::Down), Some(Direction::Up)],
            Table::Tree => &[None],
        };
        queues.extend(directions.iter().map(|direction| {
            let of = direction.unwrap_or(Direction::Down);
            PrintedQueue {
                kind: if table == Table::Simple { "simple" } else { "tree" },
                name: standing.name.clone(),
                target: Some(standing.target.clone()).filter(|target| !target.is_empty()),
                parent: Some(standing.parent.clone()).filter(|parent| !parent.is_empty() && parent != "none"),
                direction: *direction,
                cir_bps: read.limit_at.get(of),
                mir_bps: read.max_limit.get(of),
                burst_bps: read.burst_limit.get(of),
                bytes: read.bytes.get(of),
                dropped: read.dropped.get(of),
                disabled: standing.disabled,
                invalid: standing.invalid,
                dynamic: read.dynamic,
                hindrances: hindrances.clone(),
            }
        }));
    }
    queues
}

fn of(table: Table, standings: &[Standing], fast_track: bool) -> Vec<Vec<Hindrance>> {
    match table {
        Table::Simple => effect::of_simple(standings, fast_track),
        Table::Tree => effect::of_trees(standings, fast_track),
    }
}

fn standing(table: Table, row: &Sentence) -> Standing {
    let text = |property| value(row, property).unwrap_or_default();
    let is_given = |property: &str| value(row, property).is_some_and(|text| !text.is_empty());
    Standing {
        name: text("name"),
        target: text("target"),
        parent: text("parent"),
        is_partial: table == Table::Simple && ["dst", "time", "packet-marks"].into_iter().any(is_given),
        disabled: is_set(row, "disabled"),
        invalid: is_set(row, "invalid"),
    }
}

/// Commands find queues by name.
fn twice(queues: &[PrintedQueue]) -> Vec<String> {
    let same = |one: &PrintedQueue, two: &PrintedQueue| one.name == two.name && one.direction == two.direction;
    let is_again = |at: usize, queue: &PrintedQueue| queues.iter().take(at).any(|earlier| same(earlier, queue));
    let again = queues.iter().enumerate().filter(|(at, queue)| is_again(*at, queue));
    let mut names: Vec<&str> = again.map(|(_, queue)| queue.name.as_str()).collect();
    names.dedup();
    names.into_iter().map(|name| format!("several queues are called {name:?}, cannot be set by name")).collect()
}

fn is_set(row: &Sentence, property: &str) -> bool {
    matches!(row.attribute(property), Some(b"true" | b"yes"))
}

fn value(row: &Sentence, property: &str) -> Option<String> {
    row.attribute(property).map(|value| String::from_utf8_lossy(value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::routeros::codec::{Decoder, encode};

    fn sentence(words: &[&str]) -> Sentence {
        let mut decoder = Decoder::default();
        decoder.feed(&encode(words).unwrap());
        decoder.next_sentence().unwrap().unwrap()
    }

    #[test]
    fn only_a_rule_for_all_connections_is_certain() {
        let default = ["!re", "=.id=*7", "=chain=forward", "=action=fasttrack-connection", "=hw-offload=true"];
        let with = |word: &'static str| sentence(&[&default[..], &[word]].concat());
        assert!(is_general(&with("=connection-state=established,related")));
        assert!(is_general(&with("=comment=defconf: fasttrack")));
        assert!(!is_general(&with("=disabled=true")));
        assert!(!is_general(&with("=src-address-list=guests")));
        assert!(!is_general(&with("=connection-mark=no-mark")));
    }

    #[test]
    fn a_simple_queue_has_a_row_for_each_direction_and_a_tree_queue_one() {
        let simple = ["!re", "=.id=*1", "=name=site", "=target=10.0.0.0/24", "=limit-at=0/0", "=max-limit=1M/2M"];
        let simple = sentence(&[&simple[..], &["=burst-limit=0/0", "=bytes=3/4", "=disabled=true"]].concat());
        let mut oddities = Vec::new();
        let read = judge(Table::Simple, &[simple.clone(), simple], false, &mut oddities);
        let told: Vec<_> = read.iter().map(|one| (one.direction, one.mir_bps, one.bytes, one.disabled)).collect();
        assert_eq!(told[0], (Some(Direction::Down), 2_000_000, 4, true));
        assert_eq!(told[1], (Some(Direction::Up), 1_000_000, 3, true));
        assert_eq!(read[0].hindrances, [Hindrance::Disabled]);
        assert_eq!(twice(&read), ["several queues are called \"site\", cannot be set by name"]);
        let words = ["!re", "=.id=*2", "=name=t", "=parent=global", "=limit-at=0", "=max-limit=5M", "=burst-limit=0"];
        let read = judge(Table::Tree, &[sentence(&words), sentence(&words[..4])], true, &mut oddities);
        let [tree] = read.as_slice() else { panic!("{read:?}") };
        assert_eq!((tree.direction, tree.mir_bps, tree.parent.as_deref()), (None, 5_000_000, Some("global")));
        assert_eq!(tree.hindrances, [Hindrance::FastTrack]);
        assert_eq!(
            oddities,
            ["tree queue \"t\" is passed over: answer not understood: queue with limit-at \"nothing\""]
        );
    }
}
