//! What the YAML layer promises, case by case.

use super::*;
use crate::diagnostics::{Diagnostic, SourceMap};
use crate::spec::tree::{Node, Tag, Value};

fn read(text: &str) -> (Result<Vec<Node>, Vec<Diagnostic>>, SourceMap) {
    let mut sources = SourceMap::default();
    let file = sources.add("compose.yaml", None, text);
    (parse(text, file), sources)
}

fn one(text: &str) -> Node {
    read(text).0.unwrap().remove(0)
}

/// `place message; label places` of every finding.
fn findings(text: &str) -> Vec<String> {
    let (result, sources) = read(text);
    let show = |it: &Diagnostic| {
        let places: Vec<_> = it
            .labels
            .iter()
            .map(|label| sources.place(label.span).trim_start_matches("compose.yaml:").to_owned())
            .collect();
        format!("{} {}", places.join(" "), it.message)
    };
    result.unwrap_err().iter().map(show).collect()
}

#[test]
fn every_node_and_key_knows_its_place() {
    let text = "# c\nsérvices:\n  web: &a !override\n    image: \"é\"   # c\n    ports: [80:80, *b]\n    text: |\n      x\n\n  z: 1\n";
    let text = text.replace("[80:80, *b]", "[80:80]");
    let (documents, sources) = read(&text);
    let root = documents.unwrap().remove(0);
    let written = |node: &Node| text[node.span.start as usize..node.span.end as usize].to_owned();
    let at = |path: &[&str]| root.at(path.iter().copied()).unwrap();
    assert_eq!(written(at(&["sérvices", "web", "image"])), "\"é\"");
    assert_eq!(written(at(&["sérvices", "web", "ports"])), "[80:80]");
    assert_eq!(written(at(&["sérvices", "web", "ports", "0"])), "80:80");
    assert_eq!(written(at(&["sérvices", "web", "text"])), "|\n      x");
    assert_eq!(written(at(&["sérvices", "z"])), "1");
    let web = at(&["sérvices", "web"]);
    assert!(written(web).starts_with("image:") && written(web).ends_with("      x"));
    assert_eq!(web.tag, Tag::Override);
    let key = root.as_mapping().unwrap().entry("sérvices").unwrap().key_span;
    assert_eq!(sources.place(key), "compose.yaml:2:1");
    assert_eq!(&text[key.start as usize..key.end as usize], "sérvices");
}

#[test]
fn scalars_begin_behind_their_properties() {
    let text = "a: &x !!str 12\nb: !reset\nc: &l [1]\nd: !override\n  - 1\n";
    let root = one(text);
    let written = |key: &str| {
        let span = root.get(key).unwrap().span;
        &text[span.start as usize..span.end as usize]
    };
    assert_eq!([written("a"), written("c"), written("d")], ["12", "[1]", "- 1"]);
    assert_eq!(root.get("b").unwrap().tag, Tag::Reset);
}

#[test]
fn aliases_and_merge_keys_are_filled_in() {
    let root = one("a: &a {k: a, i: a}\nb: &b {<<: *a, k: b}\nc: {<<: [*b, {z: 1, i: no}], z: 2}\nd: *b\n");
    let keys = |name: &str| {
        let entries = root.get(name).unwrap().as_mapping().unwrap();
        entries.iter().map(|(key, entry)| format!("{key}={:?}", entry.node.value)).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(keys("c"), r#"z=Int(2) k=String("b") i=String("a")"#);
    assert_eq!(keys("d"), r#"k=String("b") i=String("a")"#);
    assert_eq!(one("a: &l [{k: 1}]\nb: {<<: *l}\n").at(["b", "k"]).unwrap().value, Value::Int(1));
    assert!(one("a: {\"<<\": 1}").at(["a", "<<"]).is_some());
}

#[test]
fn documents_share_anchors_and_may_be_empty() {
    let documents = read("a: &a 1\n---\nb: *a\n---\n").0.unwrap();
    assert_eq!(documents.len(), 3);
    assert_eq!(documents[1].get("b").unwrap().value, Value::Int(1));
    assert!(documents[2].is_null());
    for text in ["", "\n\n", "# only\n"] {
        assert_eq!(read(text).0.unwrap(), []);
    }
}

#[test]
fn what_yaml_v3_reads_differently_from_libyaml_is_read_its_way() {
    assert_eq!(
        one("a: \"it\\'s 'x' \\' \\\" é\"\nb: 'C:\\'\nc: \"\\'\"\n").get("a").unwrap().as_str(),
        Some("it's 'x' ' \" é")
    );
    assert_eq!(one("[?a]").at(["0", "a"]).unwrap().value, Value::Null);
    assert_eq!(one("{?a: b}").get("a").unwrap().as_str(), Some("b"));
    assert_eq!(findings("a: [b?]"), ["1:5 did not find expected ',' or ']'"]);
    assert_eq!(findings("a: \"x\\/y\""), ["1:6 found unknown escape character"]);
    assert_eq!(findings("%YAML 1.2\n---\na: b"), ["1:1 found incompatible YAML document"]);
    assert_eq!(one("%YAML 1.1\n---\na: b").get("a").unwrap().as_str(), Some("b"));
}

#[test]
fn findings_say_where_and_what_around_it() {
    for (text, expected) in [
        ("a:\n  b: 1\n c: 2\n", "3:2 1:1 did not find expected key"),
        ("a:\n  b: 'x'y\n", "2:9 2:3 did not find expected key"),
        ("a: 1\nb c: d\ne f\n", "4:1 3:1 could not find expected ':'"),
        ("a:\n\tb: 1\n", "2:1 found character that cannot start any token"),
        ("a: b: c\n", "1:5 mapping values are not allowed in this context"),
        ("a: [1, 2}\n", "1:9 1:4 did not find expected ',' or ']'"),
        ("a: \"x\n", "2:1 1:4 found unexpected end of stream"),
        ("a: 1\nb: 2\na: 3\n", "3:1 1:1 mapping key \"a\" already defined at line 1"),
        ("<<: {}\n<<: {}\n", "2:1 1:1 mapping key \"<<\" already defined at line 1"),
        ("a:\n  8080: x\n", "2:3 non-string key in a: 8080"),
        ("a: [{b: {~: x}}]\n", "1:10 non-string key in a[0].b: null"),
        ("1: x\n", "1:1 non-string key at top level: 1"),
        ("? [a]\n: b\n", "1:3 invalid map key: a list"),
        ("a: *b\n", "1:4 unknown anchor 'b' referenced"),
        ("a: &a\n  b: *a\n", "2:6 1:4 cycle detected: the alias `a` stands inside of its own anchor"),
        ("a: {<<: 1}\n", "1:5 1:9 map merge requires map or sequence of maps as the value"),
        ("a: !!int x\n", "1:10 cannot decode !!str as a !!int"),
        ("a: x\u{1}\n", "1:5 control characters are not allowed"),
    ] {
        assert_eq!(findings(text), [expected], "{text:?}");
    }
}

#[test]
fn all_findings_are_told_at_once() {
    assert_eq!(
        findings("a: 1\na: 2\n3: x\nb: *c\nd: [\n"),
        [
            "2:1 1:1 mapping key \"a\" already defined at line 1",
            "3:1 non-string key at top level: 3",
            "4:4 unknown anchor 'c' referenced",
            "6:1 did not find expected node content",
        ]
    );
}

#[test]
fn hints_name_the_usual_cause() {
    let (result, _) = read("anchor: &logging {}\na: *loging\nb:\n\tc: 1\n");
    let hints: Vec<_> = result.unwrap_err().into_iter().flat_map(|it| it.hints).collect();
    assert_eq!(hints, ["did you mean `*logging`?", "indent with blanks: YAML allows no tabs there"]);
}

#[test]
fn hostile_texts_end_quickly_with_a_reason() {
    let laughs: String =
        (1..12).map(|level| format!("l{level}: &l{level} [{}]\n", format!("*l{},", level - 1).repeat(9))).collect();
    let chain: String = (1..3000).map(|level| format!("a{level}: &a{level} [*a{}]\n", level - 1)).collect();
    let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(600), "]".repeat(600));
    for (text, reason) in [
        (format!("l0: &l0 lol\n{laughs}"), "aliases repeat more than"),
        (format!("a0: &a0 x\n{chain}"), "aliases repeat more than"),
        (format!("a: &a {}\nb: {}\n", deep("x"), deep("*a")), "exceeded max depth of"),
        ("[".repeat(100_000), "exceeded max depth of"),
        ("{a: ".repeat(100_000), "exceeded max depth of"),
        ("- ".repeat(100_000), "exceeded max depth of"),
        ("? ".repeat(100_000), "exceeded max depth of"),
        (format!("[{}]", "a,".repeat(MAX_NODES + 1)), "values in one file"),
        (format!("a: &a [{}]\nb: [{}]", "x,".repeat(2000), "*a,".repeat(2000)), "aliases repeat more than"),
    ] {
        let found = findings(&text);
        assert!(found.iter().any(|it| it.contains(reason)), "{found:?}");
    }
    let many: String = (0..100_000).map(|_| "a: 1\n").collect();
    assert!(findings(&many).len() <= 200);
    assert!(read(&format!("a: {}", "x".repeat(5_000_000))).0.is_ok());
}
