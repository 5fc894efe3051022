//! Foreign text in our sentences: one line, of a length that leaves room for the rest.

/// Characters of a name, a reason, a remark.
const LONGEST: usize = 300;
/// Characters of a URL, which is of no use when it is cut off.
pub(crate) const LONG: usize = 2_000;

/// Without line ends, control characters, and the marks that turn the direction of text; cut off where it is long.
pub(crate) fn one_line(text: &str) -> String {
    cut(text, LONGEST)
}

/// As [`one_line`], with another length.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    let plain: String = text.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect();
    let mut words = plain.split_whitespace();
    let mut line = words.next().unwrap_or_default().to_owned();
    for word in words {
        line.push(' ');
        line.push_str(word);
    }
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

fn is_plain(c: char) -> bool {
    let turns = matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let ends_line = matches!(c, '\u{2028}' | '\u{2029}');
    !c.is_control() && !turns && !ends_line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_cannot_be_smuggled_in() {
        assert_eq!(one_line("Siti\r\nBcc: everyone@example.org\r\n"), "Siti Bcc: everyone@example.org");
        assert_eq!(one_line("a\u{2028}b\u{202E}c\0d"), "a b c d");
    }

    proptest! {
        #[test]
        fn it_is_one_line_of_bounded_length(text in prop::collection::vec(any::<char>(), 0..900)) {
            let line = one_line(&text.into_iter().collect::<String>());
            prop_assert!(line.chars().count() <= LONGEST + 1);
            prop_assert!(line.chars().all(is_plain) && !line.contains("  "));
        }
    }
}
