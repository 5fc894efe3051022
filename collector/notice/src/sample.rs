//! One notice of every kind, with invented schools: what the tests write, and what a page may show as an example.

use takar_shared::{BitsPerSec, Direction, UnixMillis};

use crate::{
    lang::Lang,
    notice::{Notice, Recipient},
    topic::{Kind, Place, Share, Topic, Undelivered},
};

/// 24 November 2026, 09.12 WIB.
pub const NOW: UnixMillis = UnixMillis(1_795_486_320_000);

/// Numbered from 1, a second apart.
pub fn notices(lang: Lang) -> Vec<Notice> {
    let make = |(id, topic): (u64, Topic)| Notice {
        id,
        made_at: NOW.plus(id.saturating_mul(1000)),
        to: recipient(lang),
        topic,
        urgent: false,
        case: Some(42),
        attachments: Vec::new(),
    };
    (1..).zip(topics()).map(make).collect()
}

pub fn recipient(lang: Lang) -> Recipient {
    Recipient {
        account: "siti".into(),
        name: "Siti Rahmawati".into(),
        email: Some("siti@office.example".into()),
        webhook: None,
        lang,
    }
}

fn topics() -> Vec<Topic> {
    let mut topics = of_the_office();
    topics.extend(of_the_provider());
    topics.extend(of_the_end());
    topics
}

fn of_the_office() -> Vec<Topic> {
    let kinds = [Kind::Reallocation, Kind::Addition, Kind::Bod, Kind::Deferral];
    let opened = |kind| Topic::CaseOpened { kind, place: place(), lacking: Some(rate(12_500)), url: url() };
    let mut topics: Vec<Topic> = kinds.into_iter().map(opened).collect();
    topics.extend([
        Topic::Verified { place: place(), wanted: rate(12_500), url: url() },
        Topic::ProposalWaits {
            place: place(),
            proposal: 17,
            by: "takar".into(),
            moved: rate(12_500),
            gives: vec![share("smpn-2-mungkid", 12_500)],
            gets: vec![share("sdn-kalibening", 7_500), share("sdn-secang-1", 5_000)],
            url: url(),
        },
        Topic::StepOverdue {
            place: place(),
            step: 3,
            owner: "Budi Santoso".into(),
            since: NOW,
            standard_minutes: 30,
            url: url(),
        },
        Topic::PasswordChanged { by: "Budi Santoso".into(), at: NOW, url: url() },
        Topic::MailTrouble {
            count: 2,
            some: vec![Undelivered {
                to: "noc@isp.example".into(),
                why: "permanent error (550): 5.1.1 no such user".into(),
            }],
        },
    ]);
    topics
}

fn of_the_provider() -> Vec<Topic> {
    let answered = |agreed| Topic::ProviderAnswered {
        place: place(),
        provider: "PT Jaringan Nusantara".into(),
        number: "B-031/TI/XI/2026".into(),
        agreed,
        by: "Dewi Lestari".into(),
        ticket: Some("INC-20261124-7".into()),
        promised: Some(NOW.plus(259_200_000)),
        remark: Some("menunggu teknisi".into()),
        url: url(),
    };
    let number = || "B-031/TI/XI/2026".to_owned();
    let request = |until, url: Option<String>| Topic::ProviderRequest {
        place: place(),
        number: number(),
        capacity: rate(100_000),
        wanted: rate(150_000),
        until,
        url,
        expires: Some(NOW.plus(604_800_000)),
    };
    let reminder = |url| Topic::ProviderReminder {
        place: place(),
        number: number(),
        asked_at: NOW,
        wanted: rate(150_000),
        url,
        expires: None,
    };
    vec![
        request(None, url()),
        request(Some(NOW.plus(604_800_000)), None),
        reminder(url()),
        reminder(None),
        answered(true),
        answered(false),
    ]
}

fn of_the_end() -> Vec<Topic> {
    let number = || "LAP-042/TI/XI/2026".to_owned();
    vec![
        Topic::Allocated {
            place: place(),
            moved: rate(12_500),
            gives: vec![share("smpn-2-mungkid", 12_500)],
            gets: vec![share("sdn-kalibening", 12_500)],
            url: url(),
        },
        Topic::RolledBack { place: place(), why: "core-2 did not confirm within 60 s".into(), url: url() },
        Topic::ReportReady { place: place(), number: number(), url: url() },
        Topic::Received { place: place(), number: number(), by: "Agus Wibowo".into(), url: url() },
        Topic::LoanBegins { place: place(), amount: rate(20_000), until: NOW.plus(86_400_000), url: url() },
        Topic::LoanEnds { place: place(), amount: rate(20_000), url: url() },
        Topic::DeferralOver { place: place(), reason: "menunggu anggaran triwulan I".into(), url: url() },
    ]
}

fn place() -> Place {
    Place {
        uplink: "magelang-1".into(),
        direction: Direction::Down,
        links: vec!["sdn-kalibening".into(), "sdn-secang-1".into()],
    }
}

fn share(link: &str, kbps: u64) -> Share {
    Share { link: link.into(), amount: rate(kbps) }
}

fn rate(kbps: u64) -> BitsPerSec {
    BitsPerSec(kbps.saturating_mul(1000))
}

fn url() -> Option<String> {
    Some("https://takar.office.example/cases/42".into())
}
