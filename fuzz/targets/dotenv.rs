//! Files of variables in both dialects: no panic, places inside the text, no name twice.
#![no_main]

use std::collections::BTreeSet;

use compose::diagnostics::{Diagnostic, SourceMap, Span};
use compose::spec::dotenv::{Parsed, decode_text, parse, parse_raw};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = decode_text(bytes);
    let mut sources = SourceMap::default();
    let file = sources.add_private(".env", None, text.as_str());
    let lookup = |name: &str| (name == "HOME").then(|| "/home/a".to_owned());
    check(parse(&text, file, &lookup), &text);
    check(parse_raw(&text, file, &lookup), &text);
});

fn check(read: Result<Parsed, Diagnostic>, text: &str) {
    let inside = |span: Span| {
        assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} is no part of the text");
    };
    match read {
        Ok(parsed) => {
            let mut names = BTreeSet::new();
            for variable in &parsed.variables {
                inside(variable.span);
                assert!(names.insert(&variable.name), "{:?} is there twice", variable.name);
            }
            parsed.unset.iter().for_each(|unset| inside(unset.span));
        }
        Err(finding) => finding.labels.iter().for_each(|label| inside(label.span)),
    }
}
