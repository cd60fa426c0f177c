//! Bytes to trees: no panic, every place lies in the text, and what is printed reads back as what was printed.
#![no_main]

use compose::diagnostics::{SourceMap, Span};
use compose::spec::emit::node_to_yaml;
use compose::spec::tree::{Node, Value};
use compose::spec::yaml::{decode_text, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = decode_text(bytes) else { return };
    let mut sources = SourceMap::default();
    let file = sources.add("compose.yaml", None, text.as_str());
    match parse(&text, file) {
        Ok(documents) => {
            for document in &documents {
                places(document, &text);
                printed(document);
            }
        }
        Err(findings) => {
            assert!(!findings.is_empty(), "refused without a reason");
            for label in findings.iter().flat_map(|finding| &finding.labels) {
                inside(label.span, &text);
            }
            compose::diagnostics::render_text(&findings, &sources, false, 100);
        }
    }
});

fn inside(span: Span, text: &str) {
    assert!(span.start <= span.end, "{span:?} ends before it begins");
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} is no part of the text");
}

fn places(node: &Node, text: &str) {
    inside(node.span, text);
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| places(item, text)),
        Value::Mapping(entries) => {
            for (_, entry) in entries.iter() {
                inside(entry.key_span, text);
                places(&entry.node, text);
            }
        }
        _ => {}
    }
}

/// Whether `<<` stands as an ordinary key, which only a tag makes it: docker compose prints it without quotes, too, and
/// then it reads as what it does not mean.
fn has_merge_key(node: &Node) -> bool {
    match &node.value {
        Value::Sequence(items) => items.iter().any(has_merge_key),
        Value::Mapping(entries) => entries.iter().any(|(key, entry)| key == "<<" || has_merge_key(&entry.node)),
        _ => false,
    }
}

fn printed(document: &Node) {
    if has_merge_key(document) {
        return;
    }
    let once = node_to_yaml(document);
    let mut sources = SourceMap::default();
    let file = sources.add("printed.yaml", None, once.as_str());
    let read = match parse(&once, file) {
        Ok(read) => read,
        // A text of several lines that begins with a tab: docker compose cannot read what it prints of it either.
        Err(findings) if findings.iter().any(|finding| finding.message.contains("found a tab character")) => return,
        Err(findings) => panic!("{findings:?}\n{once}"),
    };
    let again = read.first().map(node_to_yaml).unwrap_or_default();
    assert_eq!(once, again);
}
