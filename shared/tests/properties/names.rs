//! Identifiers, class ids and topics as text: what is written reads back, and nothing else is taken.

use std::{
    fmt::{Debug, Display},
    str::FromStr,
};

use proptest::{prelude::*, sample::Index};
use takar_shared::{
    AgentId, BatchId, Challenge, ChangeId, Digest, KeyId, NetworkId,
    envelope::Kind,
    id::{self, NotHex, NotPlain},
    queue::ClassId,
    topic::{self, Down, Up},
};

use crate::{arbitrary, config};

const UPS: [Up; 5] = [Up::Birth, Up::Telemetry, Up::Receipt, Up::Facts, Up::State];
const DOWNS: [Down; 3] = [Down::Grant, Down::Command, Down::Keyset];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn hex_ids_round_trip(bytes in any::<[u8; 32]>(), at in any::<Index>(), wrong in any::<char>()) {
        let (eight, sixteen) = (bytes[..8].try_into().unwrap(), bytes[..16].try_into().unwrap());
        reads_only_itself(KeyId(eight), &bytes[..8], at, wrong)?;
        reads_only_itself(NetworkId(sixteen), &bytes[..16], at, wrong)?;
        reads_only_itself(AgentId(sixteen), &bytes[..16], at, wrong)?;
        reads_only_itself(ChangeId(sixteen), &bytes[..16], at, wrong)?;
        reads_only_itself(BatchId(sixteen), &bytes[..16], at, wrong)?;
        reads_only_itself(Challenge(sixteen), &bytes[..16], at, wrong)?;
        reads_only_itself(Digest(bytes), &bytes, at, wrong)?;
    }

    #[test]
    fn any_other_text_is_no_id(text in "[0-9a-f]{31,33}|[0-9a-fA-F]{32}|.{0,40}") {
        let hex = text.len() == 32 && text.bytes().all(is_lower_hex);
        prop_assert_eq!(text.parse::<AgentId>().is_ok(), hex);
    }

    #[test]
    fn class_ids_round_trip(class in arbitrary::class_id()) {
        let text = class.to_string();
        prop_assert_eq!(ClassId::parse(&text), Some(class));
        let (major, minor) = text.split_once(':').unwrap();
        for wrong in [
            major.to_owned(),
            format!("{major}:"),
            format!(":{minor}"),
            format!("{text}:"),
            format!("0:{minor}"),
            format!("{major}:0"),
            format!("1{major:0>4}:1"),
            format!("1:1{minor:0>4}"),
            format!(" {text}"),
            format!("{text}\n"),
            format!("+{text}"),
            format!("{major}:+{minor}"),
            format!("0x{text}"),
        ] {
            prop_assert_eq!(ClassId::parse(&wrong), None, "{:?}", wrong);
        }
    }

    /// Two numbers in hexadecimal digits, neither zero, and nothing else.
    #[test]
    fn any_other_text_is_no_class(text in "[0-9a-fA-Fx+-]{0,5}:?[0-9a-fA-Fx+-]{0,5}|.{0,12}") {
        let half = |text: &str| !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_hexdigit())
            && (1..=0xffff).contains(&u64::from_str_radix(text, 16).unwrap());
        let class = text.split_once(':').is_some_and(|(major, minor)| half(major) && half(minor));
        prop_assert_eq!(ClassId::parse(&text).is_some(), class, "{:?}", text);
        if let Some(class) = ClassId::parse(&text) {
            prop_assert_eq!(ClassId::parse(&class.to_string()), Some(class));
        }
    }

    #[test]
    fn a_plain_name_is_taken_as_it_is(text in "[A-Za-z0-9._-]{0,70}|[a-z./#+é \n]{0,4}|[.]{1,3}|.{0,20}") {
        let plain = (1..=64).contains(&text.len())
            && text != "."
            && text != ".."
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        match id::plain_name(&text) {
            Ok(name) => prop_assert!(plain && name.as_str() == text, "{:?}", text),
            Err(NotPlain) => prop_assert!(!plain, "{:?}", text),
        }
    }

    #[test]
    fn topics_round_trip(agent in any::<[u8; 16]>()) {
        let agent = AgentId(agent);
        for what in UPS {
            let topic = topic::up(agent, what);
            prop_assert_eq!(topic::parse_up(&topic), Some((agent, what)));
            prop_assert_eq!(topic::parse_down(&topic), None);
            prop_assert!(!topic.contains(['#', '+', '$']), "{}", topic);
        }
        for what in DOWNS {
            let topic = topic::down(agent, what);
            prop_assert_eq!(topic::parse_down(&topic), Some((agent, what)));
            prop_assert_eq!(topic::parse_up(&topic), None);
            prop_assert!(topic.starts_with(topic::all_down(agent).trim_end_matches('#')));
        }
    }

    /// Close to a topic, or not at all: taken only where writing it gives the same text.
    #[test]
    fn a_topic_has_one_spelling(
        text in "(takar/1|takar/2|/takar/1|Takar/1)/agent/([0-9a-f]{31,33}|[0-9A-F]{32}|[+#])/(up|down)/\
            (birth|telemetry|receipt|facts|state|grant|command|keyset|birth/|#|[+]|up/birth)|.{0,60}",
    ) {
        if let Some((agent, what)) = topic::parse_up(&text) {
            prop_assert_eq!(topic::up(agent, what), text.clone());
        }
        if let Some((agent, what)) = topic::parse_down(&text) {
            prop_assert_eq!(topic::down(agent, what), text);
        }
    }
}

/// Where a name is a level of a path.
#[test]
fn no_name_leads_elsewhere() {
    for elsewhere in [".", "..", "", "/", "a/..", "../a"] {
        assert_eq!(id::plain_name(elsewhere), Err(NotPlain), "{elsewhere}");
    }
    for name in ["...", ".a", "a.", "a..b", "-", "_"] {
        assert_eq!(id::plain_name(name).map(|plain| plain.to_string()), Ok(name.to_owned()));
    }
}

#[test]
fn foreign_topics_are_refused() {
    let agent = "00112233445566778899aabbccddeeff";
    for foreign in [
        String::new(),
        "takar/1".into(),
        topic::all_up(),
        topic::all_down(agent.parse().unwrap()),
        format!("takar/1/agent/{agent}"),
        format!("takar/1/agent/{agent}/up"),
        format!("takar/1/agent/{agent}/up/"),
        format!("takar/1/agent/{agent}/up/#"),
        format!("takar/1/agent/{agent}/up/+"),
        "takar/1/agent/+/up/birth".into(),
        "takar/1/agent/#/up/birth".into(),
        "takar/1/agent/#".into(),
        "#".into(),
        "$SYS/broker/uptime".into(),
        format!("takar/10/agent/{agent}/up/birth"),
        format!("takar/2/agent/{agent}/up/birth"),
        format!("/takar/1/agent/{agent}/up/birth"),
        format!("takar/1/agent/{agent}/up/birth/"),
        format!("takar/1/agent/{agent}/up/birth/up/birth"),
        format!("takar/1/agent/{}/up/birth", agent.to_uppercase()),
        format!("takar/1/agent/{agent}0/up/birth"),
        format!("takar/1/agent/{agent}/up/grant"),
        format!("takar/1/agent/{agent}/down/birth"),
        format!("takar/1/agent/{agent}/down/#"),
        format!("takar/1/agent/{agent}/DOWN/grant"),
        "takar/1/out/link/satker-012".into(),
    ] {
        assert_eq!(topic::parse_up(&foreign), None, "{foreign}");
        assert_eq!(topic::parse_down(&foreign), None, "{foreign}");
    }
}

#[test]
fn every_kind_has_exactly_one_topic() {
    for kind in Kind::ALL {
        let up = UPS.into_iter().filter(|what| what.carries(kind)).count();
        let down = DOWNS.into_iter().filter(|what| what.carries(kind)).count();
        let from_agent = matches!(kind, Kind::Birth | Kind::Telemetry | Kind::Gap | Kind::Receipt | Kind::Facts);
        assert_eq!((up, down), if from_agent { (1, 0) } else { (0, 1) }, "{kind:?}");
    }
}

/// `wrong` stands for one digit, at a place of its choice.
fn reads_only_itself<I>(id: I, bytes: &[u8], at: Index, wrong: char) -> Result<(), TestCaseError>
where
    I: FromStr<Err = NotHex> + Display + Debug + PartialEq,
{
    let text = id.to_string();
    prop_assert_eq!(&text, &bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let read = text.parse::<I>();
    prop_assert_eq!(read.as_ref(), Ok(&id));
    let mut others =
        vec![String::new(), text[1..].into(), format!("{text}0"), format!(" {text}"), format!("0x{}", &text[2..])];
    if text.bytes().any(|digit| digit.is_ascii_lowercase()) {
        others.push(text.to_uppercase());
    }
    if !u8::try_from(wrong).is_ok_and(is_lower_hex) {
        let at = at.index(text.len());
        others.push(format!("{}{wrong}{}", &text[..at], &text[at + 1..]));
    }
    for other in others {
        prop_assert_eq!(other.parse::<I>(), Err(NotHex { bytes: bytes.len() }), "{:?}", other);
    }
    Ok(())
}

fn is_lower_hex(digit: u8) -> bool {
    matches!(digit, b'0'..=b'9' | b'a'..=b'f')
}
