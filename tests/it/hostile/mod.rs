//! Loading meets what was written to hurt: a clear answer, soon, on a small stack.
//!
//! How long each case takes and how much memory it needs in an optimised build is measured by
//! `cargo bench --bench load -- hostile`.
#![expect(clippy::disallowed_types, reason = "measures how long loading really takes")]

pub(crate) mod cases;

use std::time::{Duration, Instant};

use compose::diagnostics::{Diagnostic, render_line, render_text};
use compose::spec::{Request, load};

use cases::{CASES, Case};

/// Only what hangs is found here, in a debug build on a busy machine; the benchmark has the real numbers.
const SOON: Duration = Duration::from_secs(180);

fn check(case: Case) {
    let files = (case.files)();
    let begin = Instant::now();
    let loaded = load(&Request { cwd: "/p".into(), ..Request::default() }, &files);
    let told = render_text(&loaded.diagnostics, &loaded.sources, false, 100);
    let took = begin.elapsed();
    let name = case.name;
    let errors: Vec<String> = loaded
        .diagnostics
        .iter()
        .filter(|finding| finding.is_error())
        .map(|finding: &Diagnostic| render_line(finding, &loaded.sources))
        .collect();
    if case.error.is_empty() {
        assert!(loaded.project.is_some(), "{name} is a project: {errors:?}");
    } else {
        assert!(loaded.project.is_none(), "{name} is no project");
        assert!(errors.iter().any(|error| error.contains(case.error)), "{name}: {:?}", errors.first());
    }
    assert!(told.len() < 1 << 20, "{name}: {} bytes are told", told.len());
    assert!(took < SOON, "{name} took {took:?}");
}

macro_rules! tests {
    ($($test:ident: $($name:literal)*;)*) => {
        $(#[test]
        fn $test() {
            for name in [$($name),*] {
                check(*CASES.iter().find(|case| case.name == name).expect("the case is in the list"));
            }
        })*
        const TESTED: &[&str] = &[$($($name),*),*];
    };
}

tests! {
    bombs_of_aliases: "alias-bomb" "alias-bomb-of-maps" "merge-key-bomb" "alias-of-itself" "many-anchors";
    deep_nesting: "nested-lists" "nested-maps" "nested-dashes" "nested-blocks" "nested-by-extends" "closing-brackets";
    large_files: "one-hundred-megabytes" "one-million-values" "one-long-line" "one-long-key";
    bytes_that_are_no_text: "zero-bytes" "zero-byte-inside";
    files_in_circles: "include-itself" "include-in-a-circle" "include-long-chain";
    trees_of_files: "include-tree";
    services_in_circles: "extends-itself" "extends-in-a-circle" "extends-across-files" "extends-long-chain";
    long_chains_of_services: "depends-in-a-circle" "depends-long-chain";
    ranges_of_ports: "port-ranges";
    many_mistakes: "many-unknown-keys" "many-equal-items" "many-errors";
    many_of_everything: "many-items" "many-variables" "many-mounts" "many-services" "many-documents";
    variables: "unset-variables" "nested-defaults" "nested-closed-defaults";
    files_of_variables: "dotenv-bomb" "interpolation-bomb" "dotenv-long-line";
}

#[test]
fn no_case_is_forgotten() {
    for case in CASES {
        assert!(TESTED.contains(&case.name), "{} is not tested", case.name);
    }
}
