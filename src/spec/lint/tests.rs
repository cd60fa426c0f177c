//! What holds for all rules: order, switches, pages.

use super::*;
use crate::diagnostics::render_text;
use crate::spec::files::MemoryFiles;
use crate::spec::{Request, load};

/// The project of one file.
pub(super) fn project_of(text: &str, profiles: &[&str], environment: &[(&str, &str)]) -> Project {
    let files = MemoryFiles::default().with("/p/compose.yaml", text);
    let request = Request {
        cwd: "/p".into(),
        profiles: profiles.iter().map(|&profile| profile.to_owned()).collect(),
        environment: environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        ..Request::default()
    };
    let loaded = load(&request, &files);
    let told = render_text(&loaded.diagnostics, &loaded.sources, false, 100);
    loaded.project.unwrap_or_else(|| panic!("{told}"))
}

/// The findings of one rule about a file, as text.
pub(super) fn warnings_of(text: &str, code: Code) -> String {
    let project = project_of(text, &[], &[]);
    let found: Vec<Diagnostic> = lint(&project).into_iter().filter(|finding| finding.code == code).collect();
    render_text(&found, &project.sources, false, 100)
}

/// The findings of one rule about a service written in flow style.
pub(super) fn warnings(service: &str, code: Code) -> String {
    warnings_of(&format!("services:\n  web: {{{service}}}\n"), code)
}

#[test]
fn rules_are_sorted_and_have_pages() {
    assert!(RULES.is_sorted_by_key(|rule| rule.code), "{:?}", RULES.iter().map(|rule| rule.code.0).collect::<Vec<_>>());
    for rule in RULES {
        let code = rule.code.0;
        assert!(rule.page.starts_with(&format!("# {code}\n")), "the page of {code} begins with its code");
        assert!(rule.page.contains(&format!("x-lint-ignore: [{code}]")), "the page of {code} says how to ignore it");
        assert!(rule.page.contains("```yaml"), "the page of {code} has an example");
    }
}

#[test]
fn rules_are_switched_off_at_a_service_or_everywhere() {
    let codes =
        |text: &str| -> Vec<&str> { lint(&project_of(text, &[], &[])).iter().map(|finding| finding.code.0).collect() };
    let services =
        "services:\n  a: {image: x, mem_limit: 1g}\n  b: {image: x, mem_limit: 1g, x-lint-ignore: floating-image}\n";
    assert_eq!(codes(services), ["floating-image"]);
    assert_eq!(codes(&format!("{services}x-lint-ignore: [floating-image]\n")), [""; 0]);
    assert_eq!(codes(&format!("{services}x-lint-ignore: [floating]\n")), ["floating-image", "unknown-lint-code"]);
}

#[test]
fn services_behind_profiles_are_looked_at_unless_others_are_selected() {
    let text = "services:\n  a: {image: x, mem_limit: 1g}\n  b: {image: y, mem_limit: 1g, profiles: [p]}\n";
    let mut project = project_of(text, &[], &[]);
    assert_eq!(lint(&project).len(), 2);
    project.selected = vec!["a".into()];
    assert_eq!(lint(&project).len(), 1);
}

#[test]
fn a_profile_that_no_service_has_is_told() {
    let text = "services:\n  a: {image: 'x:1', mem_limit: 1g, profiles: [debug]}\n";
    let found = lint(&project_of(text, &["debgu", "*"], &[]));
    insta::assert_snapshot!(render_text(&found, &Default::default(), false, 100), @"
    warning[dead-profile]: no service has the profile `debgu` that is asked for
     |
     = help: did you mean `debug`?
    ");
}

#[test]
fn references_of_images_are_taken_apart() {
    for (reference, parts) in [
        ("nginx", ("nginx", "nginx", None)),
        ("a/b:1", ("a/b", "b", Some("1"))),
        ("localhost:5000/b", ("localhost:5000/b", "b", None)),
        ("localhost:5000/b:2@sha256:00", ("localhost:5000/b", "b", Some("2"))),
        ("", ("", "", None)),
        (":", ("", "", Some(""))),
    ] {
        assert_eq!(image_parts(reference), parts, "{reference}");
    }
}
