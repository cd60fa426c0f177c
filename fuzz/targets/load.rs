//! A whole load: a compose file, `.env`, a file that is included, one that is extended and an `env_file`, parted by zero
//! bytes. No panic; findings whenever there is no project.
#![no_main]

use std::collections::BTreeMap;

use compose::diagnostics::render_text;
use compose::spec::files::MemoryFiles;
use compose::spec::{Request, load};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 5] = ["/p/compose.yaml", "/p/.env", "/p/part/compose.yaml", "/p/base.yaml", "/p/web.env"];

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let files = NAMES.iter().zip(text.split('\0')).fold(MemoryFiles::default(), |files, (name, text)| {
        files.with(name, text)
    });
    let request = Request {
        cwd: "/p".into(),
        environment: BTreeMap::from([("HOME".to_owned(), "/root".to_owned()), ("TAG".to_owned(), "1.27".to_owned())]),
        profiles: vec!["debug".to_owned()],
        ..Request::default()
    };
    let loaded = load(&request, &files);
    render_text(&loaded.diagnostics, &loaded.sources, false, 80);
    assert!(loaded.project.is_some() || loaded.diagnostics.iter().any(|finding| finding.is_error()));
});
