//! What files of variables mean, case by case.

use super::*;
use crate::diagnostics::SourceMap;

fn environment(name: &str) -> Option<String> {
    matches!(name, "SHELL_VAR" | "OVERRIDE").then(|| "from-shell".to_owned())
}

fn read(text: &str) -> Result<String, String> {
    let mut sources = SourceMap::default();
    let file = sources.add(".env", None, text);
    match parse(text, file, &environment) {
        Ok(parsed) => {
            Ok(parsed.variables.iter().map(|it| format!("{}={:?}", it.name, it.value)).collect::<Vec<_>>().join(" "))
        }
        Err(error) => Err(format!("{} {}", sources.place(error.labels[0].span), error.message)),
    }
}

#[test]
fn files_mean_what_they_mean_to_docker_compose() {
    for (text, expected) in [
        ("A=1\nB=two\n", r#"A="1" B="two""#),
        ("\u{FEFF}A=1\r\nB=2\r\n", r#"A="1" B="2""#),
        ("  A = 1  \nexport B=2\nC: 3", r#"A="1" B="2" C="3""#),
        ("# c\nA=a#b #c\nD=#c\nE= # c\n", r##"A="a#b" D="#c" E="# c""##),
        ("A='a $X \\' \\n'", r#"A="a $X ' \\n""#),
        (r#"A="a\n\t\"\\\$X\q\x41""#, r#"A="a\n\t\"\\$X\\q\\x41""#),
        (r#"A="\0101\060\0777\0351""#, r#"A="A\\60\\777é""#),
        ("A=\"x\ny\"\n", r#"A="x\ny""#),
        ("A=\"x\" B='y'\nC='z'q\n", r#"A="x" B="y" C="z""#),
        ("SHELL_VAR\nOTHER\nX=1", r#"SHELL_VAR="from-shell" X="1""#),
        ("A=1\nKEY", r#"A="1" ="KEY""#),
        ("A=1\nB=${A}$A$$ ${N:-d}\nA=2\n", r#"A="2" B="11$ d""#),
        ("OVERRIDE=file\nB=$OVERRIDE", r#"OVERRIDE="file" B="from-shell""#),
        ("A={\"k\": 1}\nB=it's", r#"A="{\"k\": 1}" B="it's""#),
        ("[section]\nÉ=1\n1A=2\na-b.c=3\n", r#"É="1" 1A="2" a-b.c="3""#),
        ("=v", r#"="v""#),
        ("", ""),
    ] {
        assert_eq!(read(text).as_deref(), Ok(expected), "{text:?}");
    }
}

#[test]
fn mistakes_have_places_and_values_are_not_shown() {
    for (text, expected) in [
        ("A=1\nV!=s3cret", ".env:2:2 unexpected character \"!\" in variable name"),
        ("echo hello=s3cret", ".env:1:1 key cannot contain a space"),
        ("A=1\nB=\"s3cret\n", ".env:2:3 unterminated quoted value"),
        ("A='x''s3cret'", ".env:1:6 unexpected character \"'\" in variable name"),
        ("A=s3cret${", ".env:1:1 invalid template in the value of `A`"),
        ("A=s3cret${B:?no B}", ".env:1:1 required variable B is missing a value: no B"),
        ("KEY #c\n", ".env:1:5 unexpected character \"#\" in variable name"),
    ] {
        assert_eq!(read(text).unwrap_err(), expected, "{text:?}");
    }
}

#[test]
fn earlier_files_come_last() {
    let mut sources = SourceMap::default();
    let text = "A=$E$OVERRIDE\nE=mine\nB=$E$NOPE";
    let file = sources.add(".env", None, text);
    let parsed = parse_after(text, file, &environment, &|name| (name == "E").then(|| "earlier".to_owned())).unwrap();
    let values: Vec<_> = parsed.variables.iter().map(|it| it.value.as_str()).collect();
    assert_eq!(values, ["earlierfrom-shell", "mine", "mine"]);
    assert_eq!(parsed.unset.len(), 1);
    assert_eq!(sources.place(parsed.unset[0].span), ".env:3:1");
}

#[test]
fn raw_files_are_taken_as_they_are() {
    let mut sources = SourceMap::default();
    let text = "\u{FEFF}A='x' # $c \r\n # c\n\n  B=1=2\nSHELL_VAR\nNOPE\n";
    let file = sources.add("raw.env", None, text);
    let parsed = parse_raw(text, file, &environment).unwrap();
    let shown: Vec<_> = parsed.variables.iter().map(|it| format!("{}={}", it.name, it.value)).collect();
    assert_eq!(shown, ["A='x' # $c ", "B=1=2", "SHELL_VAR=from-shell"]);
    for (text, expected) in
        [("A=1\nB =2", "2:1 variable 'B ' contains whitespaces"), ("=x", "1:1 no variable name before `=`")]
    {
        let error = parse_raw(text, sources.add("raw.env", None, text), &environment).unwrap_err();
        assert_eq!(format!("{} {}", sources.place(error.labels[0].span), error.message), format!("raw.env:{expected}"));
    }
}

#[test]
fn wrong_bytes_become_replacement_characters() {
    assert_eq!(decode_text(b"A=\xFF\xFEx\xE2\x82"), "A=\u{FFFD}\u{FFFD}x\u{FFFD}\u{FFFD}");
}
