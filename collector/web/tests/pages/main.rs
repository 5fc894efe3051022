//! Every page in every state, in both languages, looked at as a browser would: what each must have, and what none may.

mod markup;

use std::collections::{BTreeMap, BTreeSet};

use markup::{Token, tokens};
use takar_web::{Lang, sample::Sample};

/// What somebody might write to break out of a text or an attribute.
const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1) style=color:red>&lt;{{ x }}";

/// Elements without an end.
const VOID: [&str; 5] = ["!doctype", "meta", "link", "input", "br"];

fn each_page(sample: &Sample, mut look: impl FnMut(&str, Lang, &str)) {
    for lang in Lang::ALL {
        for (name, page) in sample.pages(&sample.shell(lang)) {
            look(&format!("{name} ({})", lang.as_str()), lang, &page);
        }
    }
}

fn hostile() -> [Sample; 2] {
    let free = Sample { mark: HOSTILE.into(), code_mark: String::new() };
    [Sample { code_mark: HOSTILE.into(), ..free.clone() }, free]
}

fn opened(page: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let open = |token| match token {
        Token::Open { name, attributes, .. } => Some((name, attributes)),
        Token::Close { .. } | Token::Text(_) => None,
    };
    tokens(page).into_iter().filter_map(open).collect()
}

/// Without script and style, whatever was written into it.
fn harmless(name: &str, page: &str) {
    for (element, attributes) in opened(page) {
        assert!(!matches!(element.as_str(), "script" | "style" | "img" | "iframe" | "object"), "{name}: <{element}>");
        for (key, value) in attributes {
            assert!(key != "style" && !key.starts_with("on"), "{name}: {key}={value:?} in <{element}>");
            if matches!(key.as_str(), "href" | "src" | "action" | "formaction") {
                let own = (value.starts_with('/') && !value.starts_with("//")) || value.starts_with('#');
                assert!(own, "{name}: {key}={value:?} in <{element}>");
            }
        }
    }
}

#[test]
fn no_page_has_script_or_style_or_leads_elsewhere() {
    each_page(&Sample::default(), |name, _, page| harmless(name, page));
}

#[test]
fn whatever_is_written_stays_text() {
    for sample in hostile() {
        each_page(&sample, |name, _, page| {
            harmless(name, page);
            assert!(!page.contains("<script"), "{name}");
            assert!(page.contains("&#60;script&#62;alert(1)"), "{name} shows nothing of what was written");
        });
    }
}

#[test]
fn every_tag_ends_where_it_should() {
    for sample in hostile().into_iter().chain([Sample::default()]) {
        each_page(&sample, |name, _, page| {
            let mut open: Vec<String> = Vec::new();
            for token in tokens(page) {
                match token {
                    Token::Open { name, closed, .. } if !closed && !VOID.contains(&name.as_str()) => open.push(name),
                    Token::Close { name: closed } => assert_eq!(open.pop().as_deref(), Some(closed.as_str()), "{name}"),
                    Token::Open { .. } | Token::Text(_) => {}
                }
            }
            assert_eq!(open, Vec::<String>::new(), "{name}");
        });
    }
}

#[test]
fn every_form_is_a_post_with_its_token() {
    each_page(&Sample::default(), |name, _, page| {
        let mut forms = 0;
        let mut token_due = false;
        for token in tokens(page) {
            match token {
                Token::Open { name: element, attributes, .. } if element == "form" => {
                    // Only the filter asks without changing anything.
                    let asks = attributes["method"] == "get" && attributes["action"] == "/cases";
                    assert!(asks || attributes["method"] == "post", "{name}: {attributes:?}");
                    token_due = !asks;
                    forms += 1;
                }
                Token::Open { name: element, attributes, .. }
                    if element == "input" && attributes.get("name").is_some_and(|name| name == "csrf") =>
                {
                    assert_eq!(attributes["type"], "hidden", "{name}");
                    assert!(!attributes["value"].is_empty(), "{name}");
                    token_due = false;
                }
                Token::Close { name: element } if element == "form" => assert!(!token_due, "{name}: no token"),
                _ => {}
            }
        }
        assert!(forms >= 2, "{name}: language and theme can be changed everywhere");
    });
}

#[test]
fn every_page_says_what_it_is() {
    each_page(&Sample::default(), |name, lang, page| {
        let elements = opened(page);
        let count = |wanted: &str| elements.iter().filter(|(element, _)| element == wanted).count();
        assert_eq!((count("h1"), count("title"), count("main")), (1, 1, 1), "{name}");
        let html = elements.iter().find(|(element, _)| element == "html").unwrap();
        assert_eq!(html.1["lang"], lang.as_str(), "{name}");
        let title = page.split("<title>").nth(1).unwrap().split(" · Takar</title>").next().unwrap();
        assert!((2..80).contains(&title.chars().count()), "{name}: {title:?}");
    });
}

#[test]
fn every_field_has_a_label_and_every_reference_its_target() {
    each_page(&Sample::default(), |name, _, page| {
        let elements = opened(page);
        let labels: BTreeSet<&String> = elements
            .iter()
            .filter(|(element, _)| element == "label")
            .map(|(_, attributes)| &attributes["for"])
            .collect();
        let mut ids: BTreeSet<&String> = BTreeSet::new();
        for id in elements.iter().filter_map(|(_, attributes)| attributes.get("id")) {
            assert!(ids.insert(id), "{name}: {id} is there twice");
        }
        for (element, attributes) in &elements {
            let hidden = attributes.get("type").is_some_and(|kind| kind == "hidden");
            if matches!(element.as_str(), "input" | "select" | "textarea") && !hidden {
                assert!(labels.contains(&attributes["id"]), "{name}: no label for {attributes:?}");
            }
            for key in ["aria-labelledby", "aria-describedby", "for"] {
                if let Some(target) = attributes.get(key) {
                    assert!(ids.contains(target), "{name}: {key}={target}");
                }
            }
            let drawn = attributes.get("fill").and_then(|fill| fill.strip_prefix("url(#")?.strip_suffix(')'));
            let linked = attributes.get("href").and_then(|href| href.strip_prefix('#'));
            for target in drawn.into_iter().chain(linked) {
                assert!(ids.contains(&target.to_owned()), "{name}: #{target}");
            }
        }
    });
}

#[test]
fn every_word_is_there_in_both_languages() {
    each_page(&Sample::default(), |name, _, page| {
        for token in tokens(page) {
            let said: Vec<String> = match token {
                Token::Text(text) => vec![text],
                // Of a pattern the braces are its own.
                Token::Open { mut attributes, .. } => {
                    attributes.remove("pattern");
                    attributes.into_values().collect()
                }
                Token::Close { .. } => Vec::new(),
            };
            for text in said {
                assert!(!text.contains("??") && !text.contains(['{', '}']), "{name}: {text:?}");
            }
        }
    });
}

#[test]
fn the_languages_differ() {
    let sample = Sample::default();
    let pages = |lang| sample.pages(&sample.shell(lang));
    for ((name, id), (_, en)) in pages(Lang::Id).into_iter().zip(pages(Lang::En)) {
        let heading = |page: &str| page.split("<h1>").nth(1).unwrap().split("</h1>").next().unwrap().to_owned();
        assert_ne!(heading(&id), heading(&en), "{name}");
    }
}

/// What a page says of its own: links of the navigation, forms of a case, in the order of the procedure.
#[test]
fn a_case_offers_what_may_be_done_and_nothing_else() {
    let sample = Sample::default();
    let shell = sample.shell(Lang::Id);
    let actions = |wanted: &str| -> Vec<String> {
        let (_, page) = sample.pages(&shell).into_iter().find(|(name, _)| *name == wanted).unwrap();
        let forms = opened(&page).into_iter().filter(|(element, _)| element == "form");
        let actions =
            forms.filter_map(|(_, attributes)| attributes["action"].strip_prefix("/cases/").map(str::to_owned));
        actions.collect()
    };
    assert_eq!(actions("case-verify"), ["119/confirm", "119/dismiss", "119/assign", "119/remark"]);
    let expected = ["approve", "decline", "replan", "ask-provider", "assign", "defer", "conclude", "remark"];
    assert_eq!(actions("case-approve"), expected.map(|act| format!("116/{act}")));
    assert_eq!(actions("receive"), ["111/receive"]);
}

/// The proposal that was looked at is named, so that another is not approved in its place.
#[test]
fn approving_names_the_proposal() {
    let sample = Sample::default();
    let (_, page) =
        sample.pages(&sample.shell(Lang::En)).into_iter().find(|(name, _)| *name == "case-approve").unwrap();
    let hidden =
        opened(&page).into_iter().filter(|(_, attributes)| attributes.get("name").is_some_and(|n| n == "proposal"));
    let values: Vec<String> = hidden.map(|(_, mut attributes)| attributes.remove("value").unwrap()).collect();
    assert_eq!(values, ["214", "214"]);
}

#[test]
fn what_was_typed_is_kept_but_never_a_password() {
    let sample = Sample { mark: "-typed".into(), code_mark: String::new() };
    let pages: BTreeMap<&str, String> = sample.pages(&sample.shell(Lang::Id)).into_iter().collect();
    assert!(pages["login"].contains("value=\"sekar-typed\""));
    assert!(pages["case-verify"].contains("Hanya libur sekolah.-typed</textarea>"));
    assert!(pages["provider"].contains("value=\"GR-20931-typed\""));
    for (name, page) in &pages {
        for (_, attributes) in opened(page) {
            if attributes.get("type").is_some_and(|kind| kind == "password") {
                assert!(!attributes.contains_key("value"), "{name}");
            }
        }
    }
}
