//! Cookies as RFC 6265 writes them. The prefix `__Host-` makes browsers refuse one that another host, or somebody in
//! the middle of plain HTTP, wants to set.

/// Of a session; gone with the browser.
pub const SESSION: &str = "__Host-takar";
/// Of a device that somebody logged in on.
pub const DEVICE: &str = "__Host-takar-device";

/// The value in a Cookie header; `None` where it is absent, and where it is there twice, so that nobody chooses.
pub fn find<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut found = header.split(';').filter_map(|pair| {
        let (key, value) = pair.trim_matches([' ', '\t']).split_once('=')?;
        (key == name).then_some(value)
    });
    let value = found.next()?;
    found.next().is_none().then_some(value)
}

/// A Set-Cookie header; without an age it is gone with the browser. `value` has no character that ends a value.
pub fn set(name: &str, value: &str, max_age_ms: Option<u64>) -> String {
    let age = max_age_ms.map(|ms| format!("; Max-Age={}", ms / 1000)).unwrap_or_default();
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{age}")
}

/// A Set-Cookie header that takes it away.
pub fn clear(name: &str) -> String {
    set(name, "", Some(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let header = "theme=dark; __Host-takar-device=abc;__Host-takar=x=y ";
        assert_eq!(find(header, SESSION), Some("x=y"));
        assert_eq!(find(header, DEVICE), Some("abc"));
        assert_eq!(find(header, "__Host-tak"), None);
        assert_eq!(find("__Host-takar=1; __Host-takar=2", SESSION), None);
        assert_eq!(find("", SESSION), None);
    }

    #[test]
    fn cookies_have_what_their_prefix_asks_for() {
        let text = set(SESSION, "abc", None);
        assert_eq!(text, "__Host-takar=abc; Path=/; Secure; HttpOnly; SameSite=Strict");
        assert_eq!(
            set(DEVICE, "a", Some(90_000)),
            "__Host-takar-device=a; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=90"
        );
        assert!(clear(SESSION).starts_with("__Host-takar=;") && clear(SESSION).ends_with("; Max-Age=0"));
    }

    proptest! {
        #[test]
        fn any_header_may_come(header in ".{0,80}", value in "[A-Za-z0-9_-]{0,40}", before in "[a-z=; ]{0,20}") {
            let _ = find(&header, SESSION);
            let header = format!("{before};{SESSION}={value}; last=1");
            prop_assert_eq!(find(&header, SESSION), Some(value.as_str()));
        }
    }
}
