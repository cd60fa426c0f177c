//! What holds for every text: no panic, places inside of it, and agreement with independent readers.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use compose::diagnostics::{Diagnostic, SourceMap, Span, render_json, render_text};
use compose::spec::emit::{node_to_yaml, to_yaml};
use compose::spec::interpolate::{Lookup, interpolate, substitute, unset_warning, variables};
use compose::spec::tree::{Node, Value, VariableSource};
use compose::spec::{dotenv, yaml};
use proptest::prelude::*;
use serde_json::Value as Json;

/// Texts that look like YAML often enough to get past the first line.
fn yaml_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            "a", "b", "services", ":", ": ", "\n", "\n  ", "\n    ", "- ", "? ", "[", "]", "{", "}", ", ", "|", "|2-", ">+", "&a ",
            "*a", "*a ", "<<: ", "!reset ", "!!int ", "!", "'", "\"", "\\'", "\\/", "\\x4", "#", " #", "---\n", "...\n", "%YAML 1.1\n",
            "\t", "\r\n", "\u{85}", "\u{2028}", "\u{feff}", "é", "😀", "0x1f", "1_0", "2001-1-1", "${A", ":-", "}", "$$", "~", "null",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn env_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            "A", "B_1", "=", ": ", "\n", "\r\n", " ", "'", "\"", "\\", "\\n", "\\0101", "$A", "${A:-", "}", "$$", " #", "#", "export ",
            "\t", "é", "\u{feff}", "x",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

struct Variables;

impl Lookup for Variables {
    fn get(&self, name: &str) -> Option<(Cow<'_, str>, VariableSource)> {
        name.starts_with('A').then(|| ("value".into(), VariableSource::Shell))
    }
}

fn inside(span: Span, text: &str) {
    assert!(text.get(span.start as usize..span.end as usize).is_some(), "{span:?} in {text:?}");
}

fn all_inside(node: &Node, text: &str) {
    inside(node.span, text);
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| all_inside(item, text)),
        Value::Mapping(entries) => entries.iter().for_each(|(_, entry)| {
            inside(entry.key_span, text);
            all_inside(&entry.node, text);
        }),
        _ => {}
    }
}

fn check_findings(found: &[Diagnostic], text: &str, sources: &SourceMap) {
    found.iter().flat_map(|it| &it.labels).for_each(|label| inside(label.span, text));
    render_text(found, sources, true, 80);
    assert_eq!(render_json(found, sources).lines().count(), found.len());
}

/// Equal, numbers by what they are worth.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(number) => Json::from(i64::try_from(*number).unwrap()),
        Value::Float(number) => Json::from(*number),
        Value::Timestamp(text) | Value::String(text) => Json::from(text.as_str()),
        Value::Sequence(items) => items.iter().map(json).collect(),
        Value::Mapping(entries) => {
            Json::Object(entries.iter().map(|(key, entry)| (key.to_owned(), json(&entry.node))).collect())
        }
    }
}

fn scalar_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ -~]{0,12}",
        2 => "[-+.:0-9_eExob]{1,8}",
        2 => "[a\n #:'\"\\-]{0,10}",
        1 => "\\PC{0,8}",
        1 => any::<String>(),
    ]
    // libyaml refuses what yaml.v3 writes for a line that begins with a tab.
    .prop_filter("tab in block", |text| !(text.contains('\n') && text.contains('\t')))
}

fn tree() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_filter("finite", |it| it.is_finite()).prop_map(Json::from),
        scalar_text().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            proptest::collection::btree_map(scalar_text(), inner, 0..6)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_with_places(text in prop_oneof![yaml_like(), any::<String>()]) {
        let mut sources = SourceMap::default();
        let file = sources.add("compose.yaml", None, text.as_str());
        match yaml::parse(&text, file) {
            Err(found) => {
                prop_assert!(!found.is_empty());
                check_findings(&found, &text, &sources);
            }
            Ok(documents) => for mut document in documents {
                all_inside(&document, &text);
                node_to_yaml(&document);
                variables(&document);
                let mut unset = Vec::new();
                let errors = interpolate(&mut document, &Variables, &sources, &mut unset);
                check_findings(&errors, &text, &sources);
                check_findings(unset_warning(&unset, &BTreeMap::new()).as_slice(), &text, &sources);
            }
        }
    }

    #[test]
    fn any_bytes_are_text_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = yaml::decode_text(&bytes).map_err(|error| error.to_string());
        dotenv::decode_text(&bytes);
    }

    #[test]
    fn any_file_of_variables_is_read_or_refused_with_places(text in prop_oneof![env_like(), any::<String>()]) {
        let mut sources = SourceMap::default();
        let file = sources.add_private(".env", None, text.as_str());
        let lookup = |name: &str| name.starts_with('A').then(|| "value".to_owned());
        for result in [dotenv::parse(&text, file, &lookup), dotenv::parse_raw(&text, file, &lookup)] {
            match result {
                Ok(parsed) => parsed.variables.iter().for_each(|variable| inside(variable.span, &text)),
                Err(found) => check_findings(&[found], &text, &sources),
            }
        }
    }

    #[test]
    fn any_template_has_a_value_or_an_error_inside_of_it(
        text in prop_oneof![env_like(), "[${}A:?+\\-a\n]{0,30}", any::<String>()]
    ) {
        match substitute(&text, &Variables) {
            Ok(done) => done.unset.iter().for_each(|(_, at)| assert!(text.get(at.clone()).is_some())),
            Err(error) => prop_assert!(text.get(error.at.clone()).is_some(), "{error}"),
        }
    }

    #[test]
    fn texts_without_dollar_are_their_own_value(text in "[^$]{0,40}") {
        prop_assert_eq!(substitute(&text, &Variables).unwrap().text, text);
    }

    #[test]
    fn escaped_texts_come_back(text in any::<String>()) {
        prop_assert_eq!(substitute(&text.replace('$', "$$"), &Variables).unwrap().text, text);
    }

    /// dotenvy knows a smaller dialect; on that one both must agree.
    #[test]
    fn files_of_the_common_dialect_are_read_as_dotenvy_reads_them(
        lines in proptest::collection::vec(
            prop_oneof![
                Just("# comment".to_owned()),
                Just(String::new()),
                "(export )?[A-Z_][A-Z0-9_]{0,5}=[A-Za-z0-9/._:@-]{0,8}",
                "[A-Z_][A-Z0-9_]{0,5}='[A-Za-z0-9 #=.]{0,8}'",
                "[A-Z_][A-Z0-9_]{0,5}=\"[A-Za-z0-9 #=.]{0,8}\"",
            ],
            0..8,
        )
    ) {
        let text = lines.join("\n") + "\n";
        let mut sources = SourceMap::default();
        let file = sources.add(".env", None, text.as_str());
        let ours: BTreeMap<_, _> = dotenv::parse(&text, file, &|_| None)
            .unwrap()
            .variables
            .into_iter()
            .map(|variable| (variable.name, variable.value))
            .collect();
        let theirs: BTreeMap<_, _> = dotenvy::from_read_iter(text.as_bytes()).map(Result::unwrap).collect();
        prop_assert_eq!(ours, theirs);
    }

    /// What is written is read back the same, by our reader and by another one.
    #[test]
    fn written_trees_are_read_back(tree in tree()) {
        let text = to_yaml(&tree);
        let mut sources = SourceMap::default();
        let file = sources.add("out.yaml", None, text.as_str());
        let ours = json(&yaml::parse(&text, file).map_err(|found| render_text(&found, &sources, false, 80)).unwrap()[0]);
        prop_assert!(same(&ours, &tree), "{}\n{}\n{}", text, ours, tree);
        let theirs: Json = serde_yaml::from_str(&text).map_err(|error| format!("{error}\n{text}")).unwrap();
        prop_assert!(same(&theirs, &tree), "{}\n{}\n{}", text, theirs, tree);
    }
}
