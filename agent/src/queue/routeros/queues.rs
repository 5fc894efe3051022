//! The backend: reads and sets `limit-at` and `max-limit` of allow-listed simple and tree queues, by name.
//!
//! Bursts are read, for they let a queue exceed its `max-limit`, and left as they are.
//! RouterOS persists a `set` at once. A `set` without `.id` succeeds and changes nothing, so every `set` here
//! carries one, found afresh by name in the same call; whether it took effect only reading back can tell.

use std::collections::{BTreeMap, BTreeSet};

use takar_shared::{
    Direction, Name,
    queue::{Setting, Shaper},
};

use super::{
    client::{Access, Client, attribute},
    row::{PROPERTIES, Pair, QueueRow, Table},
    survey::{has_fast_track, hindrances},
};
use crate::queue::{Observed, QueueBackend, QueueError, ShaperKey, check};

/// Readings from one look at what hinders queues to the next: a look prints every queue of the router.
const READINGS_A_LOOK: u32 = 12;

/// Queues asked for in one `print`: 2 words each, and a sentence holds 256.
const NAMES_IN_A_PRINT: usize = 64;

/// The rows printed, by queue name; a name that is not unique has several.
type Rows = BTreeMap<Name, Vec<QueueRow>>;

/// The allow-listed queues of one router.
#[derive(Debug)]
pub struct RouterQueues {
    client: Client,
    allow: Vec<ShaperKey>,
    /// Those of the allow-list that are in `/queue/tree`; the others are simple queues.
    trees: BTreeSet<Name>,
    hindered: Hindered,
    /// The router does not let us look.
    blind: bool,
    /// Readings until the next look.
    until_look: u32,
}

/// Why allow-listed queues shape nothing.
type Hindered = BTreeMap<Name, String>;

impl RouterQueues {
    /// Connects to nothing yet.
    pub fn new(access: Access, allow: Vec<ShaperKey>, trees: BTreeSet<Name>) -> Self {
        Self { client: Client::new(access), allow, trees, hindered: Hindered::new(), blind: false, until_look: 0 }
    }

    /// Looks at what hinders the queues, and says what changed since the last look. A router that does not let us look
    /// keeps its queues for working.
    async fn look(&mut self) -> Result<(), QueueError> {
        let found = match self.hindrances().await {
            Ok(found) => {
                self.blind = false;
                found
            }
            Err(QueueError::Refused { command, message }) => {
                if !std::mem::replace(&mut self.blind, true) {
                    let address = self.client.address();
                    tracing::warn!(%address, %command, %message, "whether queues have an effect cannot be seen");
                }
                self.hindered.clone()
            }
            Err(other) => return Err(other),
        };
        for (queue, why) in &found {
            if self.hindered.get(queue) != Some(why) {
                tracing::warn!(%queue, "queue has no effect: {why}");
            }
        }
        for queue in self.hindered.keys().filter(|queue| !found.contains_key(*queue)) {
            tracing::info!(%queue, "queue has an effect again");
        }
        self.hindered = found;
        self.until_look = READINGS_A_LOOK;
        Ok(())
    }

    async fn hindrances(&mut self) -> Result<Hindered, QueueError> {
        let fast_track = has_fast_track(&mut self.client).await?;
        let mut found = Hindered::new();
        for table in Table::BOTH {
            let mut is_ours = |key: &&ShaperKey| match &key.shaper {
                Shaper::Queue(name) => self.trees.contains(name) == (table == Table::Tree),
                _ => false,
            };
            if !self.allow.iter().any(|key| is_ours(&key)) {
                continue;
            }
            for (queue, hindrances) in hindrances(&mut self.client, table, fast_track).await? {
                let ours = self.allow.iter().filter(&mut is_ours).find_map(|key| match &key.shaper {
                    Shaper::Queue(name) if **name == *queue => Some(name.clone()),
                    _ => None,
                });
                if let (Some(name), false) = (ours, hindrances.is_empty()) {
                    let why: Vec<String> = hindrances.iter().map(ToString::to_string).collect();
                    found.insert(name, why.join("; "));
                }
            }
        }
        Ok(found)
    }

    async fn print(&mut self, names: &[Name]) -> Result<Rows, QueueError> {
        let mut rows = Rows::new();
        let (trees, simple): (Vec<&Name>, Vec<&Name>) = names.iter().partition(|name| self.trees.contains(*name));
        for (table, names) in [(Table::Simple, simple), (Table::Tree, trees)] {
            for names in names.chunks(NAMES_IN_A_PRINT) {
                let reply = self.client.ask(&print_words(table, names)).await?;
                for row in &reply.rows {
                    // Other queues than those asked for are none of our business, readable or not.
                    let name = row.attribute("name").unwrap_or_default();
                    if let Some(name) = names.iter().find(|asked| asked.as_bytes() == name) {
                        rows.entry((*name).clone()).or_default().push(QueueRow::parse(table, row)?);
                    }
                }
            }
        }
        Ok(rows)
    }
}

impl QueueBackend for RouterQueues {
    fn has_cir(&self) -> bool {
        true
    }

    async fn read(&mut self) -> Result<Vec<Observed>, QueueError> {
        let names = distinct(self.allow.iter().map(|key| &key.shaper))?;
        match self.until_look.checked_sub(1) {
            Some(left) => self.until_look = left,
            None if !self.allow.is_empty() => self.look().await?,
            None => {}
        }
        let rows = self.print(&names).await?;
        let observed = |key: &ShaperKey| {
            let mut observed = the_one(&rows, &key.shaper)?.observed(key);
            let Shaper::Queue(name) = &key.shaper else { return Ok(observed) };
            observed.reading.disabled |= self.hindered.contains_key(name);
            Ok(observed)
        };
        self.allow.iter().map(observed).collect()
    }

    async fn apply(&mut self, settings: &[Setting]) -> Result<(), QueueError> {
        check(settings, &self.allow, self.has_cir())?;
        let names = distinct(settings.iter().map(|setting| &setting.shaper))?;
        // What is read after this must say whether it has an effect.
        self.until_look = 0;
        let rows = self.print(&names).await?;
        for set in plan(&rows, settings)? {
            self.client.tell(&set.words()).await?;
        }
        Ok(())
    }
}

/// One `set` of one queue, both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Set {
    table: Table,
    id: String,
    limit_at: Pair,
    max_limit: Pair,
    /// How much more both directions together may then carry, in bit/s: what ceilings rise by, then guarantees.
    rise: (i128, i128),
}

impl Set {
    fn words(&self) -> [Vec<u8>; 4] {
        [
            format!("{}/set", self.table.menu()).into_bytes(),
            attribute(".id", &self.id),
            // Together, or the router refuses the half-way state ("max-limit less than limit").
            attribute("limit-at", &self.table.words(self.limit_at)),
            attribute("max-limit", &self.table.words(self.max_limit)),
        ]
    }
}

/// The sets that put `settings` in force, those that lower first. A direction not named is written as read; a queue
/// that already has its values is left alone, for each set is a write to the router's flash.
fn plan(rows: &Rows, settings: &[Setting]) -> Result<Vec<Set>, QueueError> {
    let mut sets = Vec::new();
    for name in distinct(settings.iter().map(|setting| &setting.shaper))? {
        let shaper = Shaper::Queue(name);
        let row = the_one(rows, &shaper)?;
        let (mut limit_at, mut max_limit) = (row.limit_at, row.max_limit);
        for setting in settings.iter().filter(|setting| setting.shaper == shaper) {
            let cir = setting.cir.map_or_else(|| row.limit_at.get(setting.direction), |cir| cir.0);
            row.table.set(&mut limit_at, setting.direction, cir);
            row.table.set(&mut max_limit, setting.direction, setting.mir.0);
        }
        if (limit_at, max_limit) != (row.limit_at, row.max_limit) {
            let sum = |pair, value: fn(u64) -> i128| sum(row.table, pair, value);
            let rise = (
                sum(max_limit, ceiling) - sum(row.max_limit, ceiling),
                sum(limit_at, i128::from) - sum(row.limit_at, i128::from),
            );
            sets.push(Set { table: row.table, id: row.id.clone(), limit_at, max_limit, rise });
        }
    }
    sets.sort_by_key(|set| set.rise);
    Ok(sets)
}

fn sum(table: Table, pair: Pair, value: fn(u64) -> i128) -> i128 {
    match table {
        Table::Simple => Direction::BOTH.map(|direction| value(pair.get(direction))).iter().sum(),
        Table::Tree => value(pair.up),
    }
}

/// A max-limit of zero is unlimited, so it is the largest of all.
fn ceiling(max_limit: u64) -> i128 {
    i128::from(if max_limit == 0 { u64::MAX } else { max_limit })
}

/// `print` of the queues with these names. Each `?#|` joins the two conditions before it by "or".
fn print_words(table: Table, names: &[&Name]) -> Vec<Vec<u8>> {
    let mut words = vec![format!("{}/print", table.menu()).into_bytes(), attribute(".proplist", PROPERTIES)];
    for (position, name) in names.iter().enumerate() {
        words.push(format!("?name={name}").into_bytes());
        if position > 0 {
            words.push(b"?#|".to_vec());
        }
    }
    words
}

/// Queue names in order of first appearance. Only queues have one; a class or qdisc is none of RouterOS.
fn distinct<'a>(shapers: impl Iterator<Item = &'a Shaper>) -> Result<Vec<Name>, QueueError> {
    let mut names: Vec<Name> = Vec::new();
    for shaper in shapers {
        let Shaper::Queue(name) = shaper else {
            return Err(QueueError::Unsupported { what: format!("{shaper} on RouterOS, expected a queue") });
        };
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}

/// The one settable queue of this name. Two of one name cannot be told apart by what a command says.
fn the_one<'a>(rows: &'a Rows, shaper: &Shaper) -> Result<&'a QueueRow, QueueError> {
    let found = match shaper {
        Shaper::Queue(name) => rows.get(name).map_or(&[][..], Vec::as_slice),
        _ => &[],
    };
    match found {
        [] => Err(QueueError::Missing(shaper.to_string())),
        [row] if row.dynamic => Err(QueueError::Unsupported {
            what: format!("{shaper} is dynamic: whatever made it will make it anew, expected a static queue"),
        }),
        [row] => Ok(row),
        several => Err(QueueError::Ambiguous { shaper: shaper.to_string(), found: several.len() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use takar_shared::{BitsPerSec, id::name};

    fn queue(text: &str) -> Shaper {
        Shaper::Queue(name(text).unwrap())
    }

    fn row(id: &str, limit_at: &str, max_limit: &str) -> QueueRow {
        QueueRow {
            table: Table::Simple,
            id: id.into(),
            dynamic: false,
            disabled: false,
            limit_at: Pair::parse(limit_at).unwrap(),
            max_limit: Pair::parse(max_limit).unwrap(),
            burst_limit: Pair::default(),
            bytes: Pair::default(),
            dropped: Pair::default(),
            queued_bytes: Pair::default(),
        }
    }

    fn rows(rows: &[(&str, QueueRow)]) -> Rows {
        let mut by_name = Rows::new();
        for (queue, row) in rows {
            by_name.entry(name(queue).unwrap()).or_default().push(row.clone());
        }
        by_name
    }

    fn setting(shaper: &str, direction: Direction, cir: u64, mir: u64) -> Setting {
        Setting { shaper: queue(shaper), direction, cir: Some(BitsPerSec(cir)), mir: BitsPerSec(mir) }
    }

    fn texts(words: &[Vec<u8>]) -> Vec<&str> {
        words.iter().map(|word| std::str::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn a_direction_not_named_is_written_as_read() {
        let rows = rows(&[("site-a", row("*1F", "1M/2M", "4M/8M"))]);
        let sets = plan(&rows, &[setting("site-a", Direction::Down, 3_000_000, 9_000_000)]).unwrap();
        let [set] = sets.as_slice() else { panic!("{sets:?}") };
        let expected = ["/queue/simple/set", "=.id=*1F", "=limit-at=1000000/3000000", "=max-limit=4000000/9000000"];
        assert_eq!(texts(&set.words()), expected);
    }

    #[test]
    fn lowering_goes_before_raising_and_unlimited_is_the_highest() {
        let rows = rows(&[
            ("raised", row("*1", "0/0", "1M/1M")),
            ("same-sum", row("*2", "0/0", "1M/3M")),
            ("lowered", row("*3", "0/0", "9M/9M")),
            ("limited-at-last", row("*4", "0/0", "0/9M")),
            ("freed", row("*5", "0/0", "9M/9M")),
        ]);
        let both =
            |shaper, up, down| [setting(shaper, Direction::Up, 0, up), setting(shaper, Direction::Down, 0, down)];
        let settings = [
            both("freed", 0, 1_000_000),
            both("raised", 2_000_000, 2_000_000),
            both("same-sum", 3_000_000, 1_000_000),
            both("lowered", 1_000_000, 9_000_000),
            both("limited-at-last", 9_000_000, 9_000_000),
        ]
        .concat();
        let order: Vec<String> = plan(&rows, &settings).unwrap().into_iter().map(|set| set.id).collect();
        assert_eq!(order, ["*4", "*3", "*2", "*1", "*5"]);
    }

    #[test]
    fn guarantees_that_fall_go_before_those_that_rise() {
        let rows = rows(&[("up", row("*1", "0/0", "9M/9M")), ("down", row("*2", "5M/0", "9M/9M"))]);
        let settings =
            [setting("up", Direction::Up, 5_000_000, 9_000_000), setting("down", Direction::Up, 0, 9_000_000)];
        let order: Vec<String> = plan(&rows, &settings).unwrap().into_iter().map(|set| set.id).collect();
        assert_eq!(order, ["*2", "*1"]);
    }

    #[test]
    fn a_queue_that_has_its_values_is_left_alone() {
        let rows = rows(&[("site-a", row("*1", "1M/2M", "4M/8M"))]);
        assert!(plan(&rows, &[setting("site-a", Direction::Up, 1_000_000, 4_000_000)]).unwrap().is_empty());
    }

    #[test]
    fn a_tree_queue_is_written_with_single_values() {
        let tree = QueueRow { table: Table::Tree, ..row("*1000001", "1M/1M", "4M/4M") };
        let rows = rows(&[("site-a-down", tree)]);
        let sets = plan(&rows, &[setting("site-a-down", Direction::Down, 1_000_000, 9_000_000)]).unwrap();
        let [set] = sets.as_slice() else { panic!("{sets:?}") };
        let expected = ["/queue/tree/set", "=.id=*1000001", "=limit-at=1000000", "=max-limit=9000000"];
        assert_eq!(texts(&set.words()), expected);
        assert_eq!(set.rise, (5_000_000, 0));
    }

    #[test]
    fn only_one_static_queue_will_do() {
        let twice = rows(&[("twin", row("*1", "0/0", "0/0")), ("twin", row("*2", "0/0", "0/0"))]);
        let twin = plan(&twice, &[setting("twin", Direction::Up, 0, 8)]).unwrap_err();
        assert!(matches!(&twin, QueueError::Ambiguous { shaper, found: 2 } if shaper == "queue twin"), "{twin:?}");
        let gone = plan(&twice, &[setting("gone", Direction::Up, 0, 8)]).unwrap_err();
        assert!(matches!(&gone, QueueError::Missing(shaper) if shaper == "queue gone"), "{gone:?}");
        let dynamic = rows(&[("ppp", QueueRow { dynamic: true, ..row("*3", "0/0", "0/0") })]);
        let ppp = plan(&dynamic, &[setting("ppp", Direction::Up, 0, 8)]).unwrap_err();
        assert!(matches!(ppp, QueueError::Unsupported { .. }), "{ppp:?}");
    }

    #[test]
    fn one_print_asks_for_all_names() {
        let names = ["a", "b c", "d=e"].map(|text| name(text).unwrap());
        let words = print_words(Table::Tree, &names.each_ref());
        assert_eq!(texts(&words)[0], "/queue/tree/print");
        assert_eq!(texts(&words)[2..], ["?name=a", "?name=b c", "?#|", "?name=d=e", "?#|"]);
        let one = name("a").unwrap();
        let most = vec![&one; NAMES_IN_A_PRINT];
        assert!(print_words(Table::Simple, &most).len() <= super::super::codec::MAX_WORDS);
    }

    #[tokio::test]
    async fn what_is_not_allowed_never_reaches_the_router() {
        let allow = vec![ShaperKey { shaper: queue("site-a"), direction: Direction::Up }];
        // Nothing listens on port 1 of the loopback: a command would fail as unreachable, not as unsupported.
        let access = Access {
            address: "127.0.0.1:1".into(),
            user: "takar".into(),
            password: "se cret".into(),
            certificate: None,
            timeout: std::time::Duration::from_secs(1),
        };
        let mut queues = RouterQueues::new(access, allow, BTreeSet::new());
        for refused in [setting("site-a", Direction::Down, 0, 8), setting("site-b", Direction::Up, 0, 8)] {
            let error = queues.apply(&[refused]).await.unwrap_err();
            assert!(matches!(error, QueueError::Unsupported { .. }), "{error:?}");
        }
        queues.apply(&[]).await.unwrap();
        assert!(matches!(queues.read().await, Err(QueueError::Unreachable { .. })));
        assert!(!format!("{queues:?}").contains("se cret"));
    }
}
