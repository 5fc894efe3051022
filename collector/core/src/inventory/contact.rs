//! How a provider is reached: an address for mail, and one that requests are posted to. Both come from a file and are
//! used by programs later, so what could not be used is said when it is imported.

use alloc::{format, string::String};
use takar_shared::id::Quoted;

use super::place::{Place, Problems};

/// An address for mail, `name@host`. Whether anybody reads it only a mail can tell.
pub(super) fn email(text: Option<&str>, place: &Place, problems: &mut Problems) -> Option<String> {
    let text = problems.text(place, "email", text)?;
    let sound = |text: &str| {
        let (name, host) = text.rsplit_once('@')?;
        let plain = text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, ',' | ';' | '<' | '>' | '"'));
        (plain && !name.is_empty() && !name.contains('@') && !host.is_empty()).then_some(())
    };
    if sound(&text).is_none() {
        problems.add(place.key("email"), format!("expected an address like noc@isp.example, found {}", Quoted(&text)));
        return None;
    }
    Some(text)
}

/// A URL of https, or of http on this very machine: what is posted there is nobody else's business.
pub(super) fn webhook(text: Option<&str>, place: &Place, problems: &mut Problems) -> Option<String> {
    let text = problems.text(place, "webhook", text)?;
    let (host, local_only) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (host_of(rest), false),
        (None, Some(rest)) => (host_of(rest), true),
        (None, None) => (None, false),
    };
    let plain = text.chars().all(|c| c.is_ascii_graphic());
    let host = host.filter(|host| plain && !host.is_empty() && !host.contains('@'));
    if host.is_none_or(|host| local_only && !matches!(host, "localhost" | "127.0.0.1" | "[::1]")) {
        let expected = "expected a URL of https (http only to localhost)";
        problems.add(place.key("webhook"), format!("{expected}, found {}", Quoted(&text)));
        return None;
    }
    Some(text)
}

/// The host of what follows the scheme, without its port.
fn host_of(rest: &str) -> Option<&str> {
    let authority = rest.split(['/', '?', '#']).next()?;
    // An IPv6 address has colons of its own, and brackets around them.
    let name_ends = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    match authority.get(name_ends..)?.find(':') {
        Some(colon) => {
            let port = authority.get(name_ends + colon + 1..)?;
            port.parse::<u16>().ok()?;
            authority.get(..name_ends + colon)
        }
        None => Some(authority),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(read: fn(Option<&str>, &Place, &mut Problems) -> Option<String>, text: &str) -> bool {
        let (place, mut problems) = (Place::row("provider", 0, None), Problems::default());
        let taken = read(Some(text), &place, &mut problems).is_some();
        assert_ne!(taken, problems.into_vec().len() == 1, "{text:?}");
        taken
    }

    #[test]
    fn an_address_for_mail_is_one_address() {
        assert!(taken(email, "noc@isp.example"));
        assert!(taken(email, "noc+takar@isp"));
        for text in ["", " ", "noc", "@isp", "noc@", "a@b@c", "noc@isp.example, x@y", "a b@c", "noc@isp\n", "NOC <n@i>"]
        {
            assert!(!taken(email, text), "{text:?}");
        }
    }

    #[test]
    fn requests_are_posted_in_private() {
        for text in
            ["https://isp.example/hook?a=b", "https://isp.example:8443", "http://localhost:9/x", "http://[::1]/"]
        {
            assert!(taken(webhook, text), "{text}");
        }
        let bad = [
            "",
            "isp.example",
            "ftp://isp.example",
            "http://isp.example/",
            "http://localhost.example/",
            "http://localhost@isp.example/",
            "https://",
            "https:///x",
            "https://isp.example:x/",
            "https://isp.example/a b",
            "https://isp.example/\n",
        ];
        for text in bad {
            assert!(!taken(webhook, text), "{text:?}");
        }
    }
}
