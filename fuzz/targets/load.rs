//! A whole load: a compose file, `.env`, a file that is included, one that is extended and an `env_file`, parted by zero
//! bytes. No panic; findings whenever there is no project; what is made of a project can be printed and read.
#![no_main]

use std::collections::BTreeMap;

use compose::diagnostics::{SourceMap, render_text};
use compose::spec::explain::{explain, with_origins};
use compose::spec::files::MemoryFiles;
use compose::spec::lint::lint;
use compose::spec::{Request, load, yaml};
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
    let Some(project) = loaded.project else {
        assert!(loaded.diagnostics.iter().any(|finding| finding.is_error()), "no project and no error");
        return;
    };
    render_text(&lint(&project), &project.sources, false, 80);
    for path in ["", "services.web.image", "web.environment.A", "web.ports[0].target", "name"] {
        let _ = explain(&project, path).to_string();
    }
    let printed = with_origins(&project);
    let mut own = SourceMap::default();
    let file = own.add("", None, printed.as_str());
    if let Err(findings) = yaml::parse(&printed, file) {
        let told = render_text(&findings, &own, false, 80);
        // See the target yaml.
        assert!(told.contains("found a tab character"), "what is printed is no YAML: {told}\n{printed}");
    }
});
