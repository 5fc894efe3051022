//! Just enough of HTML to look at a page: tags with their attributes, and the text between them.

use std::collections::BTreeMap;

#[derive(Debug)]
pub enum Token {
    Open { name: String, attributes: BTreeMap<String, String>, closed: bool },
    Close { name: String },
    Text(String),
}

/// Panics at anything that a page of ours never has, such as an attribute without its quotes.
pub fn tokens(page: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        if !text.trim().is_empty() {
            tokens.push(Token::Text(text.to_owned()));
        }
        let end = end_of(tag);
        tokens.push(tag_of(&tag[1..end]));
        rest = &tag[end + 1..];
    }
    assert!(rest.trim().is_empty(), "text after the page: {rest:?}");
    tokens
}

/// Of the `>` that is not within quotes.
fn end_of(tag: &str) -> usize {
    let mut quoted = false;
    for (at, c) in tag.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return at,
            '<' if at > 0 && !quoted => break,
            _ => {}
        }
    }
    panic!("a tag without an end: {:?}", tag.chars().take(80).collect::<String>());
}

fn tag_of(inside: &str) -> Token {
    if let Some(name) = inside.strip_prefix('/') {
        return Token::Close { name: name.to_owned() };
    }
    let (inside, closed) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
    let (name, mut rest) = inside.split_once([' ', '\n']).unwrap_or((inside, ""));
    let mut attributes = BTreeMap::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let name_end = rest.find(['=', ' ', '\n']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(name_end);
        let value = match after.strip_prefix("=\"") {
            Some(after) => {
                let (value, after) = after.split_once('"').expect("a value that ends");
                rest = after;
                value
            }
            None => {
                assert!(!after.starts_with('='), "{key} is not quoted in <{inside}>");
                rest = after;
                ""
            }
        };
        assert!(attributes.insert(key.to_owned(), value.to_owned()).is_none(), "{key} twice in <{inside}>");
    }
    Token::Open { name: name.to_owned(), attributes, closed }
}
