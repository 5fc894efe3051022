//! The message itself: text, attachments, headers. The same batch always has the same Message-ID.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
    time::{Duration, SystemTime},
};

use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Attachment as Attached, Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};

use crate::{
    lang::Zone,
    notice::{Attachment, Content},
    post::Outcome,
    queue::Batch,
    words::{self, one_line},
};

/// Many servers take no mail of more than 25 MB, and base64 makes three bytes four.
const MOST_BYTES: usize = 15_000_000;
/// Unix time in milliseconds, the last of the year 9999: a date has no more digits.
const LAST_MS: u64 = 253_402_300_799_000;

pub(super) struct Ready {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
}

/// Reads the files it attaches.
pub(super) fn ready(from: Mailbox, to: &str, batch: &Batch, zone: &Zone) -> Result<Ready, Outcome> {
    let address = to
        .parse::<Address>()
        .map_err(|error| Outcome::Permanent(format!("{} is no address: {error}", one_line(to))))?;
    let name = Some(one_line(&batch.to.name)).filter(|name| !name.is_empty());
    let text = words::mail(batch, zone);
    let builder = Message::builder()
        .message_id(Some(format!("<takar.{}@{}>", batch.key, from.email.domain())))
        .date(date(batch.made_at().0))
        .from(from)
        .to(Mailbox::new(name, address))
        .subject(one_line(&text.subject))
        // So that absence notes and other programs do not answer (RFC 3834).
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("Content-Language", batch.lang().as_str()));
    let attachments: Vec<&Attachment> = batch.notices.iter().flat_map(|notice| &notice.attachments).collect();
    let plain = SinglePart::plain(text.body);
    let message = if attachments.is_empty() {
        builder.singlepart(plain)
    } else {
        let mut parts = MultiPart::mixed().singlepart(plain);
        let mut left = MOST_BYTES;
        for attachment in attachments {
            let bytes = read(attachment, left)?;
            left = left.saturating_sub(bytes.len());
            parts = parts.singlepart(part(attachment, bytes));
        }
        builder.multipart(parts)
    };
    let message = message.map_err(|error| Outcome::Permanent(format!("the mail cannot be written: {error}")))?;
    Ok(Ready { envelope: message.envelope().clone(), bytes: message.formatted() })
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn date(ms: u64) -> SystemTime {
    let since = Duration::from_millis(ms.min(LAST_MS));
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn part(attachment: &Attachment, bytes: Vec<u8>) -> SinglePart {
    let octets = || ContentType::parse("application/octet-stream").unwrap_or(ContentType::TEXT_PLAIN);
    let kind = ContentType::parse(&attachment.mime).unwrap_or_else(|_| octets());
    // Other encodings would take some bytes for line ends.
    let body = Body::new_with_encoding(bytes, ContentTransferEncoding::Base64).unwrap_or_else(Body::new);
    Attached::new(file_name(&attachment.name)).body(body, kind)
}

/// Nothing that leads to another folder, or ends the quotes around it.
fn file_name(name: &str) -> String {
    one_line(name).chars().map(|c| if matches!(c, '/' | '\\' | '"' | ':') { '-' } else { c }).collect()
}

/// A file that is not there, or will not be read, may be again: a disk comes back.
fn read(attachment: &Attachment, left: usize) -> Result<Vec<u8>, Outcome> {
    let bytes = match &attachment.content {
        Content::Bytes(bytes) => bytes.clone(),
        Content::File(path) => read_file(path, left)
            .map_err(|error| Outcome::Temporary(format!("cannot read attachment {}: {error}", path.display())))?,
    };
    if bytes.len() > left {
        let name = one_line(&attachment.name);
        return Err(Outcome::Permanent(format!("with {name} the attachments have more than {MOST_BYTES} bytes")));
    }
    Ok(bytes)
}

/// One byte more than may be, at most, to see that there is more.
fn read_file(path: &Path, left: usize) -> io::Result<Vec<u8>> {
    let most = u64::try_from(left).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        lang::Lang,
        notice::Notice,
        queue::{self, Rules, Ways},
        sample,
    };

    fn batch(notice: &Notice) -> Batch {
        let deliveries = queue::deliveries(notice, 7, Ways { mail: true, webhook: false });
        queue::plan(notice.made_at.plus(700_000), &deliveries, &Rules::default()).remove(0)
    }

    fn written(notice: &Notice) -> Result<String, Outcome> {
        let zone = Zone::named("WIB").unwrap();
        let from = "Takar <takar@office.example>".parse().unwrap();
        ready(from, "siti@office.example", &batch(notice), &zone).map(|ready| String::from_utf8(ready.bytes).unwrap())
    }

    #[test]
    fn the_same_notices_are_the_same_message() {
        let notices = sample::notices(Lang::Id);
        let ids: Vec<String> = notices
            .iter()
            .flat_map(|notice| [written(notice).unwrap(), written(notice).unwrap()])
            .map(|mail| mail.lines().find(|line| line.starts_with("Message-ID: ")).unwrap().to_owned())
            .collect();
        for pair in ids.chunks(2) {
            assert_eq!(pair[0], pair[1]);
        }
        let different: std::collections::HashSet<&String> = ids.iter().collect();
        assert_eq!(different.len(), notices.len());
        assert!(ids[0].ends_with("@office.example>"), "{}", ids[0]);
    }

    #[test]
    fn no_text_becomes_a_header() {
        let mut notice = sample::notices(Lang::En).remove(0);
        notice.to.name = "Siti\r\nBcc: everyone@example.org".into();
        notice.attachments = vec![Attachment {
            name: "../a\"\r\nX-Evil: 1\r\n\r\nbody.pdf".into(),
            mime: "text/html\r\nX-Evil: 2".into(),
            content: Content::Bytes(b"%PDF".to_vec()),
        }];
        let mail = written(&notice).unwrap();
        for line in mail.lines() {
            assert!(!line.starts_with("Bcc") && !line.starts_with("X-Evil"), "{mail}");
        }
        assert!(mail.contains("Content-Type: application/octet-stream"), "{mail}");
    }

    #[test]
    fn files_are_attached_as_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("letter.pdf");
        // Line ends of every kind, and a NUL.
        fs::write(&path, b"a\nb\r\nc\rd\0").unwrap();
        let mut notice = sample::notices(Lang::Id).remove(0);
        let attachment = |content| Attachment { name: "surat.pdf".into(), mime: "application/pdf".into(), content };
        notice.attachments = vec![attachment(Content::File(path.clone())), attachment(Content::Bytes(vec![0xFF; 3]))];
        let mail = written(&notice).unwrap();
        assert!(mail.contains("YQpiDQpjDWQA") && mail.contains("////"), "{mail}");
        assert!(mail.contains("filename=\"surat.pdf\"") && mail.contains("multipart/mixed"), "{mail}");
        fs::remove_file(&path).unwrap();
        assert!(matches!(written(&notice), Err(Outcome::Temporary(why)) if why.contains("letter.pdf")));
    }

    #[test]
    fn what_is_too_large_never_goes() {
        let mut notice = sample::notices(Lang::Id).remove(0);
        let half = || Attachment {
            name: "half.bin".into(),
            mime: "application/pdf".into(),
            content: Content::Bytes(vec![0; MOST_BYTES / 2 + 1]),
        };
        notice.attachments = vec![half()];
        assert!(written(&notice).is_ok());
        notice.attachments = vec![half(), half()];
        assert!(matches!(written(&notice), Err(Outcome::Permanent(_))));
    }

    #[test]
    fn any_time_has_a_date() {
        for ms in [0, 1_795_000_000_000, LAST_MS, u64::MAX] {
            let mut notice = sample::notices(Lang::Id).remove(0);
            notice.made_at.0 = ms;
            let zone = Zone::named("WIT").unwrap();
            let deliveries = queue::deliveries(&notice, 1, Ways { mail: true, webhook: false });
            let now = takar_shared::UnixMillis(ms.saturating_add(700_000));
            let rules = Rules { digest_after_ms: 0, ..Rules::default() };
            let batch = queue::plan(now, &deliveries, &rules).remove(0);
            let from = "takar@office.example".parse().unwrap();
            assert!(ready(from, "siti@office.example", &batch, &zone).is_ok(), "{ms}");
        }
    }
}
