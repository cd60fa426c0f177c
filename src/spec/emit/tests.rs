//! What printing promises, case by case.

use serde_json::json;

use super::*;
use crate::diagnostics::SourceMap;
use crate::spec::yaml;

#[test]
fn strings_are_written_as_docker_compose_writes_them() {
    for (text, expected) in [
        ("", r#""""#),
        ("yes", r#""yes""#),
        ("n", r#""n""#),
        ("True", r#""True""#),
        ("~", r#""~""#),
        ("1_000", r#""1_000""#),
        ("08", r#""08""#),
        ("2001-12-14", r#""2001-12-14""#),
        ("1:30:00", r#""1:30:00""#),
        ("60:60", "60:60"),
        ("1.5:2", "1.5:2"),
        ("inf", "inf"),
        ("+", "+"),
        ("<<", "<<"),
        ("=", "="),
        ("a: b", "'a: b'"),
        ("a:b", "a:b"),
        ("a #b", "'a #b'"),
        ("-a", "-a"),
        ("- a", "'- a'"),
        ("?a", "?a"),
        (": a", "': a'"),
        ("--- a", "'--- a'"),
        ("*a", "'*a'"),
        ("'a", "'''a'"),
        ("it's \"q\"", "it's \"q\""),
        ("a]", "a]"),
        ("{a}", "'{a}'"),
        (" a", "' a'"),
        ("a ", "'a '"),
        ("a\tb", r#""a\tb""#),
        ("a\r\nb", r#""a\r\nb""#),
        ("a \nb", r#""a \nb""#),
        ("é日本語", "é日本語"),
        ("😀", r#""\U0001F600""#),
        ("\u{FEFF}", r#""\uFEFF""#),
        ("a\u{1b}b\u{0}\u{1}\u{7f}", r#""a\eb\0\x01\x7F""#),
        ("a\u{2028}b", "'a\u{2028}  b'"),
        ("C:\\x", "C:\\x"),
        ("a\nb", "|-\n  a\n  b"),
        ("a\nb\n", "|\n  a\n  b"),
        ("a\n\n", "|+\n  a\n"),
        ("\n", "|2+\n"),
        ("\n\n a\n", "|2\n\n\n   a"),
        ("  a\nb", "|2-\n    a\n  b"),
        ("\ta\nb", "|-\n  \ta\n  b"),
    ] {
        assert_eq!(to_yaml(&json!(text)), format!("{expected}\n"), "{text:?}");
    }
}

#[test]
fn numbers_are_written_as_go_writes_them() {
    for (number, expected) in [
        (json!(1), "1"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!(1000.0), "1000"),
        (json!(1e6), "1e+06"),
        (json!(123_456_789.0), "1.23456789e+08"),
        (json!(1_234_567.5), "1.2345675e+06"),
        (json!(0.0001), "0.0001"),
        (json!(0.00001), "1e-05"),
        (json!(-2.5e300), "-2.5e+300"),
        (json!(0.0), "0"),
    ] {
        assert_eq!(to_yaml(&number), format!("{expected}\n"));
    }
    assert_eq!([f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(go_float), ["NaN", "+Inf", "-Inf"]);
}

#[test]
fn collections_are_indented_as_docker_compose_indents_them() {
    let tree = json!({
        "empty": {"list": [], "map": {}, "null": null},
        "nested": [[1, [2]], [{"a": "b", "c": ["d"]}, {"e": null}], "x\ny"],
        "y": true,
        "two\nlines": {"a": 1},
        "k".repeat(129): ["v"],
    });
    insta::assert_snapshot!(to_yaml(&tree), @r#"
    empty:
      list: []
      map: {}
      "null": null
    nested:
      - - 1
        - - 2
      - - a: b
          c:
            - d
        - e: null
      - |-
        x
        y
    "y": true
    ? |-
      two
      lines
    : a: 1
    ? kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    : - v
    "#);
}

#[test]
fn nodes_can_say_what_json_cannot() {
    let text = "a: [.inf, -.inf, .nan, 2001-12-14, 1e3]\n";
    let mut sources = SourceMap::default();
    let node = yaml::parse(text, sources.add("a", None, text)).unwrap().remove(0);
    assert_eq!(node_to_yaml(&node), "a:\n  - .inf\n  - -.inf\n  - .nan\n  - 2001-12-14T00:00:00Z\n  - 1000\n");
}

#[test]
fn keys_are_sorted_naturally() {
    let mut keys = vec![
        "é", "a", "B", "AB", "A10", "A9", "A01", "A1B", "A1", "A_B", "A", "10", "9", "0", "_x", "b_1", "b.1", "b-1",
        "a10", "a9",
    ];
    sort_naturally(&mut keys, |key| key);
    assert_eq!(
        keys,
        [
            "_x", "0", "9", "10", "A", "A_B", "A1", "A1B", "A01", "A9", "A10", "AB", "B", "a", "a9", "a10", "b-1",
            "b.1", "b_1", "é"
        ]
    );
}
