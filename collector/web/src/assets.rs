//! Files that the pages refer to, in the program itself.

use std::{fmt::Write as _, sync::LazyLock};

use sha2::{Digest as _, Sha256};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    pub bytes: &'static [u8],
    pub mime: &'static str,
    /// For `ETag`, in its quotes: a hash of the bytes, so that it changes when they do.
    pub etag: String,
}

static ALL: LazyLock<[(&str, Asset); 2]> = LazyLock::new(|| {
    [
        ("takar.css", asset(include_bytes!("../assets/takar.css"), "text/css; charset=utf-8")),
        ("favicon.svg", asset(include_bytes!("../assets/favicon.svg"), "image/svg+xml")),
    ]
});

/// `GET /assets/{path}`
pub fn find(path: &str) -> Option<&'static Asset> {
    ALL.iter().find(|(name, _)| *name == path).map(|(_, asset)| asset)
}

fn asset(bytes: &'static [u8], mime: &'static str) -> Asset {
    let digest = Sha256::digest(bytes);
    let mut etag = String::from("\"");
    for byte in digest.iter().take(16) {
        // Into a string nothing fails.
        let _ = write!(etag, "{byte:02x}");
    }
    etag.push('"');
    Asset { bytes, mime, etag }
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn what_is_there_is_found_and_nothing_else() {
        let css = find("takar.css").unwrap();
        assert!(css.bytes.starts_with(b"/*") && css.mime.starts_with("text/css"));
        assert_eq!(css.etag.len(), 34);
        assert_ne!(css.etag, find("favicon.svg").unwrap().etag);
        for path in ["", "takar.css/", "../src/lib.rs", "/takar.css", "Takar.css"] {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn the_stylesheet_asks_for_nothing_else() {
        let css = std::str::from_utf8(find("takar.css").unwrap().bytes).unwrap();
        assert!(!css.contains("@import") && !css.contains("http") && !css.contains("url("));
    }
}
