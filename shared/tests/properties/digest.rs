//! The digest of a queue set: different sets differ in it, whatever characters their names have.

use proptest::{collection::vec, option, prelude::*, sample::select};
use takar_shared::{
    BitsPerSec, Digest, Direction, Name, id,
    queue::{ClassId, QueueReading, Shaper, queue_digest, queue_lines},
};

use crate::{arbitrary, config};

/// What a careless reader of the lines would stumble over.
const AWKWARD: [&str; 10] = ["\n", "\\", "\\n", "n", " ", "|", "a", " on ", "|0\n", "\r"];

proptest! {
    #![proptest_config(config())]

    /// What reads back can have come from one set only.
    #[test]
    fn the_lines_read_back(readings in vec(awkward_reading(), 0..5)) {
        let lines = queue_lines(&readings);
        prop_assert_eq!(queue_digest(&readings), Digest::of(lines.as_bytes()));
        let mut sorted = readings;
        sorted.sort();
        let back: Option<Vec<_>> = lines.split_terminator('\n').map(read).collect();
        prop_assert_eq!(back, Some(sorted), "{}", lines);
    }

    /// Without escapes, one reading with such a name would say the same as the two.
    #[test]
    fn a_name_cannot_spell_two_lines(first in ordinary_reading(), second in ordinary_reading()) {
        let two = [first, second];
        let lines = queue_lines(&two);
        let name = lines.rsplitn(6, '|').last().unwrap().strip_prefix("queue ").unwrap();
        let shaper = Shaper::Queue(id::name(name).unwrap());
        let forged = [QueueReading { shaper, ..two.iter().max().unwrap().clone() }];
        prop_assert_eq!(queue_lines(&forged).replace("\\n", "\n"), lines);
        prop_assert_ne!(queue_digest(&forged), queue_digest(&two));
    }
}

/// The second example of docs/wire.md.
#[test]
fn a_name_with_a_line_feed_is_one_line() {
    let shaper = Shaper::Queue(id::name("a\\b\nc").unwrap());
    let (cir, mir, burst) = (Some(BitsPerSec(1)), BitsPerSec(2), BitsPerSec(0));
    let reading = QueueReading { shaper, direction: Direction::Down, cir, mir, burst, disabled: false };
    assert_eq!(queue_lines(std::slice::from_ref(&reading)), "queue a\\\\b\\nc|down|1|2|0|0\n");
    assert_eq!(
        queue_digest(&[reading]).to_string(),
        "aa13e5121c9e5fed9ce9821896e245a93fb10bb5fee04c6ef9cf3e544f97814f"
    );
}

fn read(line: &str) -> Option<QueueReading> {
    let fields: [&str; 6] = line.rsplitn(6, '|').collect::<Vec<_>>().try_into().ok()?;
    let [disabled, burst, mir, cir, direction, shaper] = fields;
    let cir = match cir {
        "-" => None,
        cir => Some(BitsPerSec(cir.parse().ok()?)),
    };
    Some(QueueReading {
        shaper: read_shaper(&unescaped(shaper)?)?,
        direction: Direction::BOTH.into_iter().find(|known| known.as_str() == direction)?,
        cir,
        mir: BitsPerSec(mir.parse().ok()?),
        burst: BitsPerSec(burst.parse().ok()?),
        disabled: disabled == "1",
    })
}

fn read_shaper(text: &str) -> Option<Shaper> {
    if let Some(name) = text.strip_prefix("queue ") {
        return id::name(name).map(Shaper::Queue);
    }
    if let Some(interface) = text.strip_prefix("root of ") {
        return id::name(interface).map(Shaper::Root);
    }
    let (class, interface) = text.strip_prefix("class ")?.split_once(" on ")?;
    Some(Shaper::Class { interface: id::name(interface)?, classid: ClassId::parse(class)? })
}

fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        plain.push(match c {
            '\\' => match rest.next()? {
                'n' => '\n',
                '\\' => '\\',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

fn awkward_reading() -> impl Strategy<Value = QueueReading> {
    let shaper = prop_oneof![
        awkward_name().prop_map(Shaper::Queue),
        awkward_name().prop_map(Shaper::Root),
        (awkward_name(), arbitrary::class_id()).prop_map(|(interface, classid)| Shaper::Class { interface, classid }),
    ];
    reading(shaper)
}

fn ordinary_reading() -> impl Strategy<Value = QueueReading> {
    reading("[a-z0-9-]{1,6}".prop_map(|text| Shaper::Queue(id::name(&text).unwrap())))
}

fn awkward_name() -> impl Strategy<Value = Name> {
    vec(select(AWKWARD.to_vec()), 0..10).prop_map(|parts| id::name(&parts.concat()).unwrap())
}

/// Small rates, so that a line fits into a name.
fn reading(shaper: impl Strategy<Value = Shaper>) -> impl Strategy<Value = QueueReading> {
    let rate = || (0..1_000_u64).prop_map(BitsPerSec);
    (shaper, select(Direction::BOTH.to_vec()), option::of(rate()), rate(), rate(), any::<bool>()).prop_map(
        |(shaper, direction, cir, mir, burst, disabled)| QueueReading { shaper, direction, cir, mir, burst, disabled },
    )
}
