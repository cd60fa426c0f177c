//! Go templates for `--format`: `{{.Name}}`, `{{json .}}`, `{{.Label "x"}}`, and the functions docker adds.

use std::fmt;

use gtmpl::{FuncError, Value as Go};
use serde_json::{Map, Value};

/// Key of a row under which its labels lie as a mapping; not printed by `json`.
pub const LABELS: &str = "\0labels";

/// A template that could not be read or run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError(pub String);

impl fmt::Display for TemplateError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "template parsing error: {}", self.0)
    }
}

/// A template that was read.
pub struct Template {
    inner: gtmpl::Template,
}

impl Template {
    /// Reads a template; `\t` and `\n` written with a backslash become a tab and a newline, as for docker.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let text = text.replace(r"\t", "\t").replace(r"\n", "\n");
        let mut inner = gtmpl::Template::default();
        let functions: [(&str, gtmpl::Func); 9] = [
            ("json", json),
            ("label", label),
            ("split", split),
            ("join", join),
            ("title", title),
            ("lower", lower),
            ("upper", upper),
            ("pad", pad),
            ("truncate", truncate),
        ];
        inner.add_funcs(&functions);
        inner.parse(labels_as_calls(&text)).map_err(|error| TemplateError(error.to_string()))?;
        Ok(Self { inner })
    }

    /// Runs it on one row.
    pub fn render(&self, row: &Map<String, Value>) -> Result<String, TemplateError> {
        let context = gtmpl::Context::from(to_go(&Value::Object(row.clone())));
        self.inner.render(&context).map_err(|error| TemplateError(error.to_string()))
    }
}

/// Methods with arguments are not known to the template engine: `.Label "x"` becomes `label . "x"`.
fn labels_as_calls(text: &str) -> String {
    const METHOD: &str = ".Label";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(METHOD) {
        let (before, from) = rest.split_at(at);
        let after = from.get(METHOD.len()..).unwrap_or_default();
        out.push_str(before);
        let argument = after.trim_start();
        if argument.len() < after.len() && argument.starts_with(['"', '`']) {
            out.push_str("label .");
        } else {
            out.push_str(METHOD);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn to_go(value: &Value) -> Go {
    match value {
        Value::Null => Go::Nil,
        Value::Bool(flag) => Go::Bool(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Go::from(number),
            (_, Some(number), _) => Go::from(number),
            (_, _, Some(number)) => Go::from(number),
            _ => Go::from(number.to_string()),
        },
        Value::String(text) => Go::String(text.clone()),
        Value::Array(items) => Go::Array(items.iter().map(to_go).collect()),
        Value::Object(entries) => Go::Object(entries.iter().map(|(key, value)| (key.clone(), to_go(value))).collect()),
    }
}

fn from_go(value: &Go) -> Value {
    match value {
        Go::Bool(flag) => Value::Bool(*flag),
        Go::Number(number) => number
            .as_i64()
            .map(Value::from)
            .or_else(|| number.as_u64().map(Value::from))
            .or_else(|| number.as_f64().map(Value::from))
            .unwrap_or(Value::Null),
        Go::String(text) => Value::String(text.clone()),
        Go::Array(items) => Value::Array(items.iter().map(from_go).collect()),
        Go::Object(entries) | Go::Map(entries) => {
            let mut keys: Vec<&String> = entries.keys().filter(|key| key.as_str() != LABELS).collect();
            keys.sort();
            let pairs = keys.into_iter().filter_map(|key| Some((key.clone(), from_go(entries.get(key)?))));
            Value::Object(pairs.collect())
        }
        Go::NoValue | Go::Nil | Go::Function(_) => Value::Null,
    }
}

fn argument(arguments: &[Go], at: usize) -> Result<&Go, FuncError> {
    arguments.get(at).ok_or_else(|| FuncError::AtLeastXArgs("function".to_owned(), at + 1))
}

fn text_of(arguments: &[Go], at: usize) -> Result<String, FuncError> {
    Ok(match argument(arguments, at)? {
        Go::String(text) => text.clone(),
        other => other.to_string(),
    })
}

fn count_of(arguments: &[Go], at: usize) -> Result<usize, FuncError> {
    match argument(arguments, at)? {
        Go::Number(number) => Ok(number.as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0)),
        _ => Err(FuncError::Generic("a number is wanted here".to_owned())),
    }
}

fn json(arguments: &[Go]) -> Result<Go, FuncError> {
    Ok(Go::String(from_go(argument(arguments, 0)?).to_string()))
}

fn label(arguments: &[Go]) -> Result<Go, FuncError> {
    let name = text_of(arguments, 1)?;
    let labels = match argument(arguments, 0)? {
        Go::Object(entries) | Go::Map(entries) => entries.get(LABELS),
        _ => None,
    };
    Ok(match labels {
        Some(Go::Object(labels) | Go::Map(labels)) => labels.get(&name).cloned(),
        _ => None,
    }
    .unwrap_or_else(|| Go::String(String::new())))
}

fn split(arguments: &[Go]) -> Result<Go, FuncError> {
    let (text, separator) = (text_of(arguments, 0)?, text_of(arguments, 1)?);
    Ok(Go::Array(text.split(separator.as_str()).map(Go::from).collect()))
}

fn join(arguments: &[Go]) -> Result<Go, FuncError> {
    let separator = text_of(arguments, 1)?;
    let Go::Array(items) = argument(arguments, 0)? else {
        return Err(FuncError::Generic("join wants a list".to_owned()));
    };
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    Ok(Go::String(texts.join(&separator)))
}

fn title(arguments: &[Go]) -> Result<Go, FuncError> {
    let text = text_of(arguments, 0)?;
    let mut start = true;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
        start = c.is_whitespace();
    }
    Ok(Go::String(out))
}

fn lower(arguments: &[Go]) -> Result<Go, FuncError> {
    Ok(Go::String(text_of(arguments, 0)?.to_lowercase()))
}

fn upper(arguments: &[Go]) -> Result<Go, FuncError> {
    Ok(Go::String(text_of(arguments, 0)?.to_uppercase()))
}

fn pad(arguments: &[Go]) -> Result<Go, FuncError> {
    const MOST: usize = 1000;
    let (text, before, after) = (text_of(arguments, 0)?, count_of(arguments, 1)?, count_of(arguments, 2)?);
    if text.is_empty() {
        return Ok(Go::String(text));
    }
    Ok(Go::String(format!("{}{text}{}", " ".repeat(before.min(MOST)), " ".repeat(after.min(MOST)))))
}

fn truncate(arguments: &[Go]) -> Result<Go, FuncError> {
    let (text, length) = (text_of(arguments, 0)?, count_of(arguments, 1)?);
    Ok(Go::String(text.chars().take(length).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Map<String, Value> {
        let value = serde_json::json!({
            "Name": "p-web-1", "ExitCode": 0, "Ports": "80/tcp, 81/tcp", "Empty": "",
            LABELS: {"com.example.a": "x,y"},
        });
        match value {
            Value::Object(entries) => entries,
            _ => Map::new(),
        }
    }

    #[test]
    fn templates_that_people_use() {
        for (template, text) in [
            ("{{.Name}}", "p-web-1"),
            (r"{{.Name}}\t{{.ExitCode}}", "p-web-1\t0"),
            ("{{json .}}", r#"{"Empty":"","ExitCode":0,"Name":"p-web-1","Ports":"80/tcp, 81/tcp"}"#),
            ("{{ json .Name }}", r#""p-web-1""#),
            (r#"{{.Label "com.example.a"}}"#, "x,y"),
            (r#"{{ .Label "nope" }}-"#, "-"),
            (r#"{{if eq (.Label "com.example.a") "x,y"}}yes{{else}}no{{end}}"#, "yes"),
            ("{{upper .Name}}", "P-WEB-1"),
            (r#"{{range split .Ports ", "}}[{{.}}]{{end}}"#, "[80/tcp][81/tcp]"),
            ("{{truncate .Name 3}}", "p-w"),
            ("plain", "plain"),
        ] {
            let rendered = Template::parse(template).and_then(|template| template.render(&row()));
            assert_eq!(rendered.as_deref(), Ok(text), "{template}");
        }
    }

    #[test]
    fn a_bad_template_is_an_error() {
        for template in ["{{.Name", "{{nope .}}", "{{if}}"] {
            let failed = Template::parse(template).and_then(|template| template.render(&row())).is_err();
            assert!(failed, "{template}");
        }
    }
}
