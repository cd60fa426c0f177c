//! What interpolation promises, case by case.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::*;
use crate::spec::tree::{VariableSource, VariableUse};
use crate::spec::yaml;

struct Shell(BTreeMap<&'static str, &'static str>);

impl Lookup for Shell {
    fn get(&self, name: &str) -> Option<(Cow<'_, str>, VariableSource)> {
        self.0.get(name).map(|value| ((*value).into(), VariableSource::Shell))
    }
}

fn shell() -> Shell {
    Shell(BTreeMap::from([("SET", "val"), ("EMPTY", ""), ("NUM", "5"), ("TMPL", "${NOPE:-x}")]))
}

fn value(template: &str) -> Result<String, String> {
    substitute(template, &shell()).map(|done| done.text).map_err(|error| error.to_string())
}

#[test]
fn expressions_have_their_values() {
    for (template, expected) in [
        ("$SET-${SET}", "val-val"),
        ("[$NOPE]", "[]"),
        ("${NOPE-d}${EMPTY-d}", "d"),
        ("${NOPE:-d}${EMPTY:-d}", "dd"),
        ("[${SET:+a}${SET+a}${EMPTY+a}${EMPTY:+a}${NOPE+a}]", "[aaa]"),
        ("${SET:?x}${EMPTY?x}", "val"),
        ("$$SET $$$SET $$", "$SET $val $"),
        ("a$ $1 $(x) $é $", "a$ $1 $(x) $é $"),
        ("${NOPE:-${EMPTY:-${NUM}}}", "5"),
        ("${NOPE:-a${SET}b}", "avalb"),
        ("${NOPE:-{\"k\": {\"v\": 1}}}", "{\"k\": {\"v\": 1}}"),
        ("${NOPE:-{}", "{"),
        ("${NOPE:-{}} ${SET}", "{} val"),
        ("${NOPE:-a}b}", "ab}"),
        ("${NOPE:-$}${NOPE:-$$x}", "$$x"),
        ("${NOPE-a:-b}${NOPE:-a:?b}", "a:-ba:?b"),
        ("${A-B-C}", "B-C"),
        ("${TMPL}", "${NOPE:-x}"),
        ("${SET:-${}}${SET:-${NOPE:?boom}}", "valval"),
        ("${NOPE:-a} and ${SET:-b}\n${NUM:-c}", "a and val\n5"),
        ("", ""),
    ] {
        assert_eq!(value(template).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn broken_expressions_say_why() {
    for (template, expected) in [
        ("${NOPE:?must be set}", "required variable NOPE is missing a value: must be set"),
        ("${EMPTY:?}", "required variable EMPTY is missing a value"),
        ("${NOPE:?set $SET}", "required variable NOPE is missing a value: set val"),
        ("${NOPE:-${NOPE2:?boom}}", "required variable NOPE2 is missing a value: boom"),
        ("${SET:-a} ${NOPE:?missing}", "required variable NOPE is missing a value: missing"),
        ("${", "Invalid template: \"${\""),
        ("x ${} $SET", "Invalid template: \"x ${} $SET\""),
        ("${SET", "Invalid template: \"${SET\""),
        ("${SET:-x", "Invalid template: \"${SET:-x\""),
        ("${SET:}", "Invalid template: \"${SET:}\""),
        ("${SET:=x}", "Invalid template: \"${SET:=x}\""),
        ("${1}", "Invalid template: \"${1}\""),
        ("${a.b}", "Invalid template: \"${a.b}\""),
        ("${ SET }", "Invalid template: \"${ SET }\""),
        ("${NOPE:-${SET}", "Invalid template: \"${SET\""),
        ("${NOPE:-a\nb}", "Invalid template: \"${NOPE:-a\\nb}\""),
    ] {
        assert_eq!(value(template).unwrap_err(), expected, "{template}");
    }
    assert!(value(&format!("{}x{}", "${A:-".repeat(1000), "}".repeat(1000))).unwrap_err().contains("nest"));
}

#[test]
fn many_expressions_on_one_line_take_linear_time() {
    assert_eq!(value(&"${NOPE:-x}".repeat(50_000)).unwrap().len(), 50_000);
    assert!(value(&"${NOPE:-".repeat(50_000)).is_err());
}

fn tree(text: &str) -> (Node, SourceMap) {
    let mut sources = SourceMap::default();
    let file = sources.add("compose.yaml", None, text);
    (yaml::parse(text, file).unwrap().remove(0), sources)
}

#[test]
fn trees_remember_their_variables_and_keep_their_types() {
    let (mut node, sources) = tree("a: ${NUM}\nb: 5\nc: [x, '$SET ${NOPE-d} $NOPE']\n$SET: 1\n");
    let mut unset = Vec::new();
    assert_eq!(interpolate(&mut node, &shell(), &sources, &mut unset), []);
    let used = |name: &str, from| VariableUse { name: name.to_owned(), from };
    assert_eq!(node.at(["a"]).unwrap().value, Value::String("5".into()));
    assert_eq!(
        node.at(["a"]).unwrap().origin.as_deref(),
        Some(&Origin::Interpolated(vec![used("NUM", VariableSource::Shell)]))
    );
    let item = node.at(["c", "1"]).unwrap();
    assert_eq!(item.as_str(), Some("val d "));
    assert_eq!(
        item.origin.as_deref(),
        Some(&Origin::Interpolated(vec![
            used("SET", VariableSource::Shell),
            used("NOPE", VariableSource::Default),
            used("NOPE", VariableSource::Unset)
        ]))
    );
    assert_eq!(node.at(["b"]).unwrap().origin, None);
    assert!(node.get("$SET").is_some());
    assert_eq!(unset.len(), 1);
    assert_eq!(sources.place(unset[0].span), "compose.yaml:3:24");
    assert_eq!(unset[0].docker_text(), "The \"NOPE\" variable is not set. Defaulting to a blank string.");
}

#[test]
fn errors_name_the_path_and_point_at_the_expression() {
    let (mut node, sources) =
        tree("services:\n  a:\n    image: x${}\n    ports: [\"${P:?which port}\"]\n    command: |\n      echo ${\n");
    let errors = interpolate(&mut node, &shell(), &sources, &mut Vec::new());
    let shown: Vec<_> =
        errors.iter().map(|error| format!("{} {}", sources.place(error.labels[0].span), error.message)).collect();
    assert_eq!(
        shown,
        [
            "compose.yaml:3:13 invalid interpolation format for services.a.image",
            "compose.yaml:4:14 error while interpolating services.a.ports.[0]: required variable P is missing a value: \
             which port",
            "compose.yaml:5:14 invalid interpolation format for services.a.command",
        ]
    );
}

#[test]
fn one_warning_lists_all_unset_variables() {
    let (mut node, sources) = tree("a: $B\nb: [$A, $B]\n");
    let mut unset = Vec::new();
    interpolate(&mut node, &shell(), &sources, &mut unset);
    assert_eq!(unset.len(), 3);
    let warning = unset_warning(&unset, &BTreeMap::new()).unwrap();
    assert_eq!(warning.message, "2 variables are not set, defaulting to a blank string: \"A\", \"B\"");
    assert_eq!(warning.labels.len(), 2);
    assert_eq!(unset_warning(&[], &BTreeMap::new()), None);
}

#[test]
fn declared_variables_are_listed_once() {
    let (node, _) = tree("a: $A ${B:-b${C:?c}}\nb: [\"${A:-first}\", \"${A:-second}\", \"${D:+alt}\", $$E, \"${}\"]\n");
    let shown: Vec<_> = variables(&node)
        .into_iter()
        .map(|it| format!("{} {:?} {:?} {}", it.name, it.default, it.alternate, it.required))
        .collect();
    assert_eq!(
        shown,
        ["A \"second\" \"\" false", "B \"b${C:?c}\" \"\" false", "C \"\" \"\" true", "D \"\" \"alt\" false"]
    );
}
