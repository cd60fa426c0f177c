//! Two documents, one over the other: no panic, and the merged tree knows where everything came from. A zero byte parts
//! the documents.
#![no_main]

use std::collections::BTreeMap;

use compose::spec::files::MemoryFiles;
use compose::spec::{Request, load};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (base, over) = text.split_once('\0').unwrap_or((&text, ""));
    let files = MemoryFiles::default().with("/p/base.yaml", base).with("/p/over.yaml", over);
    let request = Request {
        files: vec!["base.yaml".to_owned(), "over.yaml".to_owned()],
        cwd: "/p".into(),
        environment: BTreeMap::from([("A".to_owned(), "1".to_owned())]),
        ..Request::default()
    };
    let loaded = load(&request, &files);
    compose::diagnostics::render_json(&loaded.diagnostics, &loaded.sources);
});
