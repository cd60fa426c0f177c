//! Templates, with what docker compose 2.40.3 says to them.

use serde_json::{Map, Value, json};

use super::*;

fn row() -> Map<String, Value> {
    let value = json!({
        "Name": "dropincmp-web-1", "ExitCode": 0, "State": "running", "Health": "",
        "Ports": "127.0.0.1:18471->80/tcp",
        "Publishers": [{"URL": "127.0.0.1", "TargetPort": 80, "PublishedPort": 18471, "Protocol": "tcp"}],
        LABELS: {"com.docker.compose.project": "dropincmp", "com.example.a": "x,y"},
    });
    match value {
        Value::Object(entries) => entries,
        _ => Map::new(),
    }
}

fn rendered(template: &str) -> String {
    match Template::parse(template).and_then(|template| template.render(&row())) {
        Ok(text) => text,
        Err(error) => error.to_string(),
    }
}

/// Template and answer, as docker compose gave it for a container like the one above.
const ANSWERS: &[(&str, &str)] = &[
    (
        r#"{{printf "%d %s %q %v %t %5.1f|%-5s|%05d|%+d|%x|%X|%c|%U|%%|%z" .Name .ExitCode .ExitCode .Health true 1.25 "a" 7 3 "hi" 255 65 65 1}}"#,
        r#"%!d(string=dropincmp-web-1) %!s(int=0) '\x00'  true   1.2|a    |00007|+3|6869|FF|A|U+0041|%|%!z(int=1)"#,
    ),
    (r#"{{printf "%s"}}"#, "%!s(MISSING)"),
    (r#"{{printf "%s" 1 2}}"#, "%!s(int=1)%!(EXTRA int=2)"),
    (r#"{{print 1 2 "a" 3 "b" "c"}}"#, "1 2a3bc"),
    (
        r#"{{eq 1 "a"}}"#,
        r#"template parsing error: template: :1:2: executing "" at <eq 1 "a">: error calling eq: incompatible types for comparison: int and string"#,
    ),
    (r#"{{lt "a" "b"}}"#, "true"),
    (r#"{{and 1 0}} {{or 0 "x"}} {{not 0}}"#, "0 x true"),
    (
        r#"{{html "<a b=\"c\">"}} {{js "it's <b>"}} {{urlquery "a b&c"}}"#,
        r#"&lt;a b=&#34;c&#34;&gt; it\'s \u003Cb\u003E a+b%26c"#,
    ),
    ("{{1.5}} {{1e3}} {{0x10}} {{'a'}} {{true}}", "1.5 1000 16 97 true"),
    ("{{$x := 1}}{{$x = 2}}{{$x}}", "2"),
    ("{{range $i, $p := .Publishers}}{{$i}}={{$p.URL}}{{end}}", "0=127.0.0.1"),
    ("{{range 3}}x{{end}}", "xxx"),
    (
        "{{range .Name}}x{{end}}",
        r#"template parsing error: template: :1:8: executing "" at <.Name>: range can't iterate over dropincmp-web-1"#,
    ),
    ("{{with .Health}}a{{else with .Name}}b{{end}}", "b"),
    (r#"{{define "T"}}[{{.}}]{{end}}{{template "T" .Name}}"#, "[dropincmp-web-1]"),
    (
        "{{.Name.Foo}}",
        r#"template parsing error: template: :1:7: executing "" at <.Name.Foo>: can't evaluate field Foo in type string"#,
    ),
    (
        "{{index .Publishers 5}}",
        r#"template parsing error: template: :1:2: executing "" at <index .Publishers 5>: error calling index: index out of range: 5"#,
    ),
    (
        "{{len 3}}",
        r#"template parsing error: template: :1:2: executing "" at <len 3>: error calling len: len of type int"#,
    ),
    (r#"{{title "foo bar-baz x_y"}}"#, "Foo Bar-Baz X_y"),
    (r#"{{truncate "ab" 5}}"#, "ab"),
    ("{{nil}}", r#"template parsing error: template: :1:2: executing "" at <nil>: nil is not a command"#),
    ("{{.Name | len}}", "15"),
    (
        r#"{{"a" "b"}}"#,
        r#"template parsing error: template: :1:2: executing "" at <"a">: can't give argument to non-function "a""#,
    ),
    (r#"{{if eq .State "running" "exited"}}up{{end}}"#, "up"),
    ("{{- .Name -}} x", "dropincmp-web-1x"),
    ("a{{/* c */ -}} b", "ab"),
    (r#"{{printf "%v %v" .Publishers true}}"#, "[{127.0.0.1 80 18471 tcp}] true"),
    (r#"{{json .Health}} {{json true}} {{json (split "a,b" ",")}}"#, r#""" true ["a","b"]"#),
    (r#"{{printf "%6.2f|%g|%e" 3.14159 2.5 1000.0}}"#, "  3.14|2.5|1.000000e+03"),
    (
        r#"{{template "x"}}"#,
        r#"template parsing error: template: :1:11: executing "" at <{{template "x"}}>: template "x" not defined"#,
    ),
    (
        "{{ 1 | .Name }}",
        r#"template parsing error: template: :1:7: executing "" at <.Name>: wrong number of args for Name: want 0 got 1"#,
    ),
    (
        "{{.Label}}",
        r#"template parsing error: template: :1:2: executing "" at <.Label>: wrong number of args for Label: want 1 got 0"#,
    ),
    (
        r#"{{.Label "a" "b"}}"#,
        r#"template parsing error: template: :1:2: executing "" at <.Label>: wrong number of args for Label: want 1 got 2"#,
    ),
    (
        r#"{{join .Name ","}}"#,
        r#"template parsing error: template: :1:7: executing "" at <.Name>: wrong type for value; expected []string; got string"#,
    ),
    (
        "{{split .Name}}",
        r#"template parsing error: template: :1:2: executing "" at <split>: wrong number of args for split: want 2 got 1"#,
    ),
    (
        "{{pad .Name}}",
        r#"template parsing error: template: :1:2: executing "" at <pad>: wrong number of args for pad: want 3 got 1"#,
    ),
    ("{{upper 3}}", r#"template parsing error: template: :1:8: executing "" at <3>: expected string; found 3"#),
    ("{{range $p := .Publishers}}{{if eq $p.TargetPort 80}}{{$p.PublishedPort}}{{break}}{{end}}{{end}}", "18471"),
    ("{{with index .Publishers 0}}{{.URL}}:{{$.Name}}{{end}}", "127.0.0.1:dropincmp-web-1"),
    (r#"{{index (split .Name "-") 0}}"#, "dropincmp"),
    ("{{len .Name}}{{len .Publishers}}", "151"),
    (r#"{{.Label "com.docker.compose.project" | upper | printf "%q"}}"#, r#""DROPINCMP""#),
    (r#"{{if not .Health}}none{{else if eq .Health "healthy"}}ok{{end}}"#, "none"),
    (r#"{{"\u00e9\n\x41"}}"#, "template parsing error: template: :1: unterminated quoted string"),
    ("{{range .Publishers}}{{continue}}x{{else}}none{{end}}", ""),
    (r#"{{block "x" .Name}}<{{.}}>{{end}}"#, "<dropincmp-web-1>"),
    (r#"{{ge 2 2}}{{ne "a" "b"}}{{le 1.0 2.0}}"#, "truetruetrue"),
    ("{{slice .Name 2}} {{slice .Name 1 4}}", "opincmp-web-1 rop"),
    ("{{.Name\n  }}", "dropincmp-web-1"),
    ("{{.Name", "template parsing error: template: :1: unclosed action"),
    ("{{if}}", "template parsing error: template: :1: missing value for if"),
    ("{{end}}", "template parsing error: template: :1: unexpected {{end}}"),
    ("{{nope .}}", r#"template parsing error: template: :1: function "nope" not defined"#),
    ("{{.Name | nope}}", r#"template parsing error: template: :1: function "nope" not defined"#),
    ("{{break}}", "template parsing error: template: :1: {{break}} outside {{range}}"),
    ("{{.}", "template parsing error: template: :1: bad character U+007D '}'"),
    ("{{", "template parsing error: template: :1: unclosed action"),
    ("}}", "}}"),
    (r#"{{"abc}}"#, "template parsing error: template: :1: unterminated quoted string"),
    ("{{else}}", "template parsing error: template: :1: unexpected {{else}}"),
    ("{{if .Name}}x", "template parsing error: template: :1: unexpected EOF"),
    ("{{$x}}", r#"template parsing error: template: :1: undefined variable "$x""#),
    ("{{range}}{{end}}", "template parsing error: template: :1: missing value for range"),
    ("{{(.Name}}", "template parsing error: template: :1: unclosed left paren"),
    ("{{.Name)}}", "template parsing error: template: :1: unexpected right paren"),
    ("{{ .Name }", r#"template parsing error: template: :1: unexpected "}" in operand"#),
    ("{{json .Ports}}", r#""127.0.0.1:18471->80/tcp""#),
    ("{{json .Publishers}}", r#"[{"URL":"127.0.0.1","TargetPort":80,"PublishedPort":18471,"Protocol":"tcp"}]"#),
    (
        "{{json .}}",
        r#"{"ExitCode":0,"Health":"","Name":"dropincmp-web-1","Ports":"127.0.0.1:18471-\u003e80/tcp","Publishers":[{"URL":"127.0.0.1","TargetPort":80,"PublishedPort":18471,"Protocol":"tcp"}],"State":"running"}"#,
    ),
    (r#"{{.Label "com.example.a"}}"#, "x,y"),
    (r#"{{.Label "nope"}}"#, ""),
    ("{{pad .State 3 3}}|", "   running   |"),
    (r#"{{join (split .Ports ":") "+"}}"#, "127.0.0.1+18471->80/tcp"),
    ("{{(index .Publishers 0).URL}}", "127.0.0.1"),
];

#[test]
fn templates_are_answered_as_docker_compose_does() {
    for (template, answer) in ANSWERS {
        assert_eq!(rendered(template), *answer, "{template}");
    }
}

#[test]
fn a_field_that_is_not_there_is_told_with_those_that_are() {
    assert_eq!(
        rendered("{{.Nmae}}"),
        "template parsing error: template: :1:2: executing \"\" at <.Nmae>: there is no field Nmae, only Name, ExitCode, State, Health, Ports, Publishers"
    );
}

#[test]
fn headings_come_from_titles() {
    let titles = [("Name", "NAME"), ("Ports", "PORTS"), ("State", "STATE")];
    let titles: Map<String, Value> = titles.into_iter().map(|(key, title)| (key.to_owned(), title.into())).collect();
    for (template, heading) in [
        ("{{.Name}} {{.Publishers}}", "NAME <no value>"),
        ("{{pad .Name 3 3}}|", "   NAME   |"),
        ("{{range .Publishers}}{{.URL}}{{end}}|{{.Name}}", "|NAME"),
        ("{{len .Publishers}}", ""),
        (r#"{{json .Name}} {{split .Ports ","}} {{printf "%5s" .Name}} {{title .Name}}"#, "NAME PORTS  NAME NAME"),
        ("{{if .Health}}h{{else}}n{{end}}", "n"),
        (r#"{{.Label "com.docker.compose.project.working_dir"}}"#, "working dir"),
        ("{{slice .Name 0 2}}", "NA"),
        ("{{upper .State}}", "STATE"),
        (r#"{{join (split .Ports ":") "+"}}"#, "PORTS"),
        ("{{json .}}", ""),
    ] {
        assert_eq!(
            Template::parse(template).map(|template| template.heading(&titles)).as_deref(),
            Ok(heading),
            "{template}"
        );
    }
}

#[test]
fn hostile_templates_end() {
    let deep = format!("{}.Name{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(rendered(&format!("{{{{{deep}}}}}")).contains("too deep"));
    let blocks = format!("{}x{}", "{{if .Name}}".repeat(10_000), "{{end}}".repeat(10_000));
    assert!(rendered(&blocks).contains("too deep"));
    assert!(rendered(r#"{{define "a"}}{{template "a"}}{{end}}{{template "a"}}"#).contains("maximum template depth"));
    assert!(
        rendered("{{range 1000000000}}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{{end}}")
            .contains("too long")
    );
    assert_eq!(rendered(r#"{{printf "%1000000000d" 1}}"#).len(), 1000);
}
