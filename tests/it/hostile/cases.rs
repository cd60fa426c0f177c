//! Inputs that somebody wrote to hurt, or that a broken program wrote: what they are and what has to be said about them.

use std::fmt::Write;

use compose::spec::files::MemoryFiles;

/// One input and its answer.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) files: fn() -> MemoryFiles,
    /// A part of the message; empty when it is a project, only a strange one.
    pub(crate) error: &'static str,
}

const fn case(name: &'static str, files: fn() -> MemoryFiles, error: &'static str) -> Case {
    Case { name, files, error }
}

/// All inputs.
pub(crate) const CASES: &[Case] = &[
    case("alias-bomb", alias_bomb, "aliases repeat more than"),
    case("alias-bomb-of-maps", alias_bomb_of_maps, "aliases repeat more than"),
    case("merge-key-bomb", merge_key_bomb, "aliases repeat more than"),
    case("alias-of-itself", || one("a: &a [*a]\n"), "anchor"),
    case("nested-lists", || one(&"[".repeat(100_000)), "max depth"),
    case("nested-maps", || one(&"{a: ".repeat(100_000)), "max depth"),
    case("nested-dashes", || one(&"- ".repeat(100_000)), "max depth"),
    case("nested-blocks", nested_blocks, "max depth"),
    case("nested-by-extends", extends_nested, "Circular reference"),
    case("closing-brackets", || one(&"]".repeat(100_000)), "did not find"),
    case("one-hundred-megabytes", || one(&"a".repeat(100 << 20)), "too large"),
    case("one-million-values", || one(&format!("x-a: [{}]", "1,".repeat(1_100_000))), "values in one file"),
    case("one-long-line", || one(&format!("services: {{a: {{image: {}}}}}", "x".repeat(16 << 20))), ""),
    case(
        "one-long-key",
        || one(&format!("services: {{a: {{\"{}\": 1}}}}", "x".repeat(4 << 20))),
        "did not find expected",
    ),
    case("many-anchors", many_anchors, ""),
    case("zero-bytes", || one(&"\0".repeat(1 << 20)), "control characters"),
    case("zero-byte-inside", || one("services:\n  a:\n    image: x\0y\n"), "control characters"),
    case("include-itself", || one("include: [compose.yaml]\n"), "include cycle"),
    case("include-in-a-circle", include_circle, "include cycle"),
    case("include-tree", include_tree, "files are included"),
    case("include-long-chain", include_chain, "include"),
    case("extends-itself", || one("services: {a: {image: x, extends: a}}"), "Circular reference"),
    case("extends-in-a-circle", extends_circle, "Circular reference"),
    case("extends-across-files", extends_across_files, "Circular reference"),
    case("extends-long-chain", extends_chain, "Circular reference"),
    case("depends-in-a-circle", depends_circle, "dependency cycle"),
    case("depends-long-chain", depends_chain, ""),
    case("port-ranges", port_ranges, "more than there are"),
    case("many-unknown-keys", many_unknown_keys, "not allowed"),
    case("many-equal-items", || list("cap_add", |_| "NET_ADMIN".to_owned(), 20_000), ""),
    case("many-items", || list("cap_add", |at| format!("CAP_{at}"), 20_000), ""),
    case("many-variables", || list("environment", |at| format!("A{at}=1"), 20_000), ""),
    case("many-mounts", || list("volumes", |at| format!("/a{at}:/b{at}"), 20_000), ""),
    case("unset-variables", || list("command", |at| format!("$A{at}"), 20_000), ""),
    case(
        "nested-defaults",
        || one(&format!("services: {{a: {{image: '{}'}}}}", "${A:-".repeat(100_000))),
        "interpolation",
    ),
    case("nested-closed-defaults", nested_defaults, "nest more than"),
    case(
        "dotenv-long-line",
        || one("services: {a: {image: x}}").with("/p/.env", &format!("A=\"{}", "x".repeat(8 << 20))),
        "quote",
    ),
    case("dotenv-bomb", dotenv_bomb, "add more than"),
    case("interpolation-bomb", interpolation_bomb, "add more than"),
    case("many-services", many_services, ""),
    case("many-documents", || one(&"---\nservices: {a: {image: x}}\n".repeat(5_000)), ""),
    case("many-errors", || one(&format!("services:\n{}", "  a: {image: x}\n".repeat(20_000))), "already defined"),
];

fn one(text: &str) -> MemoryFiles {
    MemoryFiles::default().with("/p/compose.yaml", text)
}

fn numbered(count: usize, mut line: impl FnMut(&mut String, usize)) -> String {
    let mut text = String::new();
    (0..count).for_each(|at| line(&mut text, at));
    text
}

fn alias_bomb() -> MemoryFiles {
    let lines = numbered(12, |text, at| {
        let _ = writeln!(text, "x-{}: &a{} [{}]", at + 1, at + 1, vec![format!("*a{at}"); 10].join(", "));
    });
    one(&format!("x-0: &a0 [lol, lol, lol]\n{lines}"))
}

fn alias_bomb_of_maps() -> MemoryFiles {
    let lines = numbered(12, |text, at| {
        let entries: Vec<String> = (0..10).map(|key| format!("k{key}: *a{at}")).collect();
        let _ = writeln!(text, "x-{}: &a{} {{{}}}", at + 1, at + 1, entries.join(", "));
    });
    one(&format!("x-0: &a0 {{k: v}}\n{lines}"))
}

fn merge_key_bomb() -> MemoryFiles {
    let keys: Vec<String> = (0..10_000).map(|key| format!("k{key}: 1")).collect();
    let lines = numbered(1_000, |text, at| {
        let _ = writeln!(text, "x-{at}: {{<<: *a}}");
    });
    one(&format!("x-a: &a {{{}}}\n{lines}", keys.join(", ")))
}

fn nested_blocks() -> MemoryFiles {
    one(&numbered(3_000, |text, at| {
        let _ = writeln!(text, "{:at$}a:", "");
    }))
}

fn many_anchors() -> MemoryFiles {
    let lines = numbered(20_000, |text, at| {
        let _ = writeln!(text, "  - &a{at} 1\n  - *a{at}");
    });
    one(&format!("services: {{a: {{image: x}}}}\nx-a:\n{lines}"))
}

fn include_circle() -> MemoryFiles {
    (0..50).fold(MemoryFiles::default(), |files, at| {
        let name = if at == 0 { "/p/compose.yaml".to_owned() } else { format!("/p/{at}.yaml") };
        let next = if at == 49 { "compose.yaml".to_owned() } else { format!("{}.yaml", at + 1) };
        files.with(&name, &format!("include: [{next}]\n"))
    })
}

/// Each file includes the next one twice: with n files the last one is read 2^n times.
fn include_tree() -> MemoryFiles {
    (0..30)
        .fold(MemoryFiles::default(), |files, at| {
            let name = if at == 0 { "/p/compose.yaml".to_owned() } else { format!("/p/{at}.yaml") };
            let next = at + 1;
            files.with(&name, &format!("include: [{next}.yaml, {{path: ./{next}.yaml}}]\n"))
        })
        .with("/p/30.yaml", "services: {a: {image: x}}")
}

fn include_chain() -> MemoryFiles {
    (0..1_000).fold(MemoryFiles::default(), |files, at| {
        let name = if at == 0 { "/p/compose.yaml".to_owned() } else { format!("/p/{at}.yaml") };
        files.with(&name, &format!("include: [{}.yaml]\n", at + 1))
    })
}

fn extends_circle() -> MemoryFiles {
    let services = numbered(50, |text, at| {
        let _ = writeln!(text, "  s{at}: {{image: x, extends: s{}}}", (at + 1) % 50);
    });
    one(&format!("services:\n{services}"))
}

fn extends_across_files() -> MemoryFiles {
    one("services: {a: {extends: {file: b.yaml, service: b}}}")
        .with("/p/b.yaml", "services: {b: {extends: {file: compose.yaml, service: a}}}")
}

fn extends_chain() -> MemoryFiles {
    let services = numbered(2_000, |text, at| {
        let _ = writeln!(text, "  s{at}: {{image: x, environment: [A{at}=1], extends: s{}}}", at + 1);
    });
    one(&format!("services:\n{services}  s2000: {{image: x}}\n"))
}

fn extends_nested() -> MemoryFiles {
    (0..300).fold(MemoryFiles::default(), |files, at| {
        let name = if at == 0 { "/p/compose.yaml".to_owned() } else { format!("/p/{at}.yaml") };
        files.with(&name, &format!("services: {{a: {{image: x, extends: {{file: {}.yaml, service: a}}}}}}\n", at + 1))
    })
}

fn depends_circle() -> MemoryFiles {
    let services = numbered(2_000, |text, at| {
        let _ = writeln!(text, "  s{at}: {{image: x, depends_on: [s{}]}}", (at + 1) % 2_000);
    });
    one(&format!("services:\n{services}"))
}

fn depends_chain() -> MemoryFiles {
    let services = numbered(5_000, |text, at| {
        let _ = writeln!(text, "  s{at}: {{image: x, depends_on: [s{}]}}", at + 1);
    });
    one(&format!("services:\n{services}  s5000: {{image: x}}\n"))
}

fn port_ranges() -> MemoryFiles {
    list("ports", |at| format!("10.0.{}.{}:1-65535:1-65535", at / 256, at % 256), 1_000)
}

fn many_unknown_keys() -> MemoryFiles {
    let keys = numbered(5_000, |text, at| {
        let _ = writeln!(text, "    imagine{at}: 1");
    });
    one(&format!("services:\n  a:\n    image: x\n{keys}"))
}

fn list(key: &str, item: fn(usize) -> String, count: usize) -> MemoryFiles {
    let items = numbered(count, |text, at| {
        let _ = writeln!(text, "      - '{}'", item(at));
    });
    one(&format!("services:\n  a:\n    image: x\n    {key}:\n{items}"))
}

fn nested_defaults() -> MemoryFiles {
    let (open, close) = ("${A:-".repeat(1_000), "}".repeat(1_000));
    one(&format!("services: {{a: {{image: '{open}x{close}'}}}}"))
}

/// Each line is ten times as long as the one before.
fn dotenv_bomb() -> MemoryFiles {
    let lines = numbered(20, |text, at| {
        let _ = writeln!(text, "A{}={}", at + 1, format!("${{A{at}}}").repeat(10));
    });
    one("services: {a: {image: x}}").with("/p/.env", &format!("A0=0123456789\n{lines}"))
}

/// Each value is short, all of them together are not.
fn interpolation_bomb() -> MemoryFiles {
    let text = format!("services: {{a: {{image: x}}}}\nx-a: [{}]", "$A,".repeat(100_000));
    one(&text).with("/p/.env", &format!("A={}\n", "x".repeat(1 << 20)))
}

fn many_services() -> MemoryFiles {
    let services = numbered(5_000, |text, at| {
        let _ = writeln!(text, "  s{at}: {{image: 'x:{at}', networks: [n{}]}}", at % 100);
    });
    let networks = numbered(100, |text, at| {
        let _ = writeln!(text, "  n{at}:");
    });
    one(&format!("services:\n{services}networks:\n{networks}"))
}
