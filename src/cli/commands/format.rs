//! `--format` of commands that list things: a table, objects, or a template.

use serde_json::{Map, Value};

use crate::cli::failure::Failure;
use crate::ui::table::{self, Layout};
use crate::ui::template::{LABELS, Template, TemplateError};

/// A listed thing: names of its fields to what they say.
pub type Row = Map<String, Value>;

/// How things are listed.
pub enum Format {
    /// The command's own columns.
    Table,
    /// An object per line.
    Json,
    /// `key: value` lines.
    Raw,
    /// A template per row.
    Template(Template),
    /// A template per row, as a table with headings.
    TableTemplate(Template),
}

impl Format {
    /// Reads the flag.
    ///
    /// # Errors
    /// A template that means nothing.
    pub fn parse(word: Option<&str>) -> Result<Self, Failure> {
        let template = |text: &str| Template::parse(text).map_err(|error| failed(&error));
        Ok(match word.unwrap_or_default() {
            "" | "table" => Self::Table,
            "json" => Self::Json,
            "raw" => Self::Raw,
            word => match word.strip_prefix("table ") {
                Some(rest) => Self::TableTemplate(template(rest)?),
                None => Self::Template(template(word)?),
            },
        })
    }

    /// Reads the flag of commands that write a table or objects, and know other words for neither.
    ///
    /// # Errors
    /// A word that is no format, or a template that means nothing.
    pub fn parse_list(word: Option<&str>) -> Result<Self, Failure> {
        match word {
            Some("pretty") => Ok(Self::Table),
            Some(word) if !matches!(word, "" | "table" | "json") && !word.contains("{{") => {
                Err(Failure::Message(format!("format value \"{word}\" could not be parsed: parsing failed")))
            }
            word => Self::parse(word),
        }
    }

    /// Rows as text. `columns` are the fields of the table with their headings; a template in a table finds its
    /// headings there and in `more`.
    ///
    /// # Errors
    /// A template that does not fit the fields.
    pub fn render(&self, columns: &[(&str, &str)], more: &[(&str, &str)], rows: &[Row]) -> Result<String, Failure> {
        self.render_as(Layout::DOCKER, columns, more, rows)
    }

    /// The same with columns of other widths.
    ///
    /// # Errors
    /// A template that does not fit the fields.
    pub fn render_as(
        &self,
        layout: Layout,
        columns: &[(&str, &str)],
        more: &[(&str, &str)],
        rows: &[Row],
    ) -> Result<String, Failure> {
        match self {
            Self::Table => {
                let heading = columns.iter().map(|(_, title)| (*title).to_owned()).collect();
                let cells = |row: &Row| columns.iter().map(|(field, _)| text(row.get(*field))).collect::<Vec<String>>();
                Ok(table::render(layout, std::iter::once(heading).chain(rows.iter().map(cells))))
            }
            Self::Json => Ok(rows.iter().map(|row| json(row) + "\n").collect()),
            Self::Raw => Ok(String::new()),
            Self::Template(template) => {
                rows.iter().map(|row| Ok(template.render(row).map_err(|error| failed(&error))? + "\n")).collect()
            }
            Self::TableTemplate(template) => {
                let titles = columns.iter().chain(more).map(|(field, title)| ((*field).to_owned(), (*title).into()));
                let heading = template.heading(&titles.collect());
                let lines = rows.iter().map(|row| template.render(row).map_err(|error| failed(&error)));
                let lines: Vec<String> = std::iter::once(Ok(heading)).chain(lines).collect::<Result<_, Failure>>()?;
                Ok(table::render(layout, lines.iter().map(|line| line.split('\t'))))
            }
        }
    }
}

fn failed(error: &TemplateError) -> Failure {
    Failure::Message(error.to_string())
}

/// An object with sorted keys, without what only templates see; `<`, `>` and `&` are escaped as Go does.
pub fn json(row: &Row) -> String {
    let mut keys: Vec<&String> = row.keys().filter(|key| key.as_str() != LABELS).collect();
    keys.sort();
    let sorted: Row = keys.into_iter().filter_map(|key| Some((key.clone(), row.get(key)?.clone()))).collect();
    escaped(&Value::Object(sorted).to_string())
}

/// `<`, `>` and `&` escaped as Go does; they occur only inside of strings.
pub fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

/// Cut to so many characters, with `…` for the rest.
pub fn ellipsis(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let cut: String = text.chars().take(most.saturating_sub(1)).collect();
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        let row = |name: &str, ports: &str| {
            [("Name".to_owned(), Value::from(name)), ("Ports".to_owned(), Value::from(ports))].into_iter().collect()
        };
        vec![row("p-web-1", "8080->80/tcp"), row("p-db-1", "")]
    }

    #[test]
    fn formats_of_lists() {
        let columns = [("Name", "NAME"), ("Ports", "PORTS")];
        let render = |word| Format::parse(Some(word)).and_then(|format| format.render(&columns, &[], &rows())).unwrap();
        insta::assert_snapshot!(render("table"), @r"
        NAME      PORTS
        p-web-1   8080->80/tcp
        p-db-1
        ");
        insta::assert_snapshot!(render("json"), @r#"
        {"Name":"p-web-1","Ports":"8080-\u003e80/tcp"}
        {"Name":"p-db-1","Ports":""}
        "#);
        insta::assert_snapshot!(render("{{.Name}}!"), @r"
        p-web-1!
        p-db-1!
        ");
        insta::assert_snapshot!(render(r"table {{.Ports}}\t{{.Name}}"), @r"
        PORTS          NAME
        8080->80/tcp   p-web-1
                       p-db-1
        ");
    }

    #[test]
    fn texts_are_cut_as_docker_does() {
        assert_eq!(ellipsis("sh -c 'echo hello; trap'", 20), "sh -c 'echo hello; …");
        assert_eq!(ellipsis("short", 20), "short");
    }
}
