//! Runs a template on a value, as Go's `text/template` does.

use serde_json::Value;

use crate::ui::template::LABELS;
use crate::ui::template::functions::{self, Wrong};
use crate::ui::template::parse::{Branch, Command, Node, Parsed, Pipe, Place, Term, Word};
use crate::ui::template::print;

/// Templates that call each other stop here.
const DEEPEST: usize = 100;
/// A template that writes more than this is a mistake.
const LONGEST: usize = 64 * 1024 * 1024;

/// What a run ends with before its end.
enum Stop {
    Break,
    Continue,
    Error(String),
}

type Running<T> = Result<T, Stop>;

/// A run of a template.
pub(super) struct Run<'a> {
    parsed: &'a Parsed,
    heading: bool,
    variables: Vec<(String, Value)>,
    depth: usize,
    out: String,
}

/// The text that a template makes of a row; headings know no missing field.
pub(super) fn run(parsed: &Parsed, row: &Value, heading: bool) -> Result<String, String> {
    let variables = vec![("$".to_owned(), row.clone())];
    let mut run = Run { parsed, heading, variables, depth: 0, out: String::new() };
    match run.list(&parsed.nodes, row) {
        Ok(()) | Err(Stop::Break | Stop::Continue) => Ok(run.out),
        Err(Stop::Error(error)) => Err(error),
    }
}

fn failed(place: &Place, message: &str) -> Stop {
    let Place { line, column, text } = place;
    // Go shows the beginning of what is long.
    let shown: String =
        if text.chars().count() > 20 { text.chars().take(20).chain("...".chars()).collect() } else { text.clone() };
    Stop::Error(format!(":{line}:{column}: executing \"\" at <{shown}>: {message}"))
}

impl Run<'_> {
    fn list(&mut self, nodes: &[Node], dot: &Value) -> Running<()> {
        for node in nodes {
            if self.out.len() > LONGEST {
                return Err(Stop::Error(": the output is too long".to_owned()));
            }
            self.node(node, dot)?;
        }
        Ok(())
    }

    fn node(&mut self, node: &Node, dot: &Value) -> Running<()> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Action(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    self.out.push_str(&if value.is_null() { "<no value>".to_owned() } else { print::value(&value) });
                }
            }
            Node::If(branch) | Node::With(branch) => {
                let known = self.variables.len();
                let value = self.pipe(&branch.pipe, dot)?;
                let dot = if matches!(node, Node::With(_)) && functions::is_true(&value) { &value } else { dot };
                let nodes = if functions::is_true(&value) { &branch.then } else { &branch.otherwise };
                let result = self.list(nodes, dot);
                self.variables.truncate(known);
                result?;
            }
            Node::Range(branch) => {
                let known = self.variables.len();
                let result = self.range(branch, dot);
                self.variables.truncate(known);
                result?;
            }
            Node::Break => return Err(Stop::Break),
            Node::Continue => return Err(Stop::Continue),
            Node::Template { name, with, place } => {
                let defined = &self.parsed.defined;
                let Some((_, nodes)) = defined.iter().rev().find(|(defined, _)| defined == name) else {
                    return Err(failed(place, &format!("template \"{name}\" not defined")));
                };
                if self.depth >= DEEPEST {
                    return Err(failed(place, "exceeded maximum template depth"));
                }
                let value = with.as_ref().map_or(Ok(Value::Null), |pipe| self.pipe(pipe, dot))?;
                let variables = std::mem::replace(&mut self.variables, vec![("$".to_owned(), value.clone())]);
                self.depth += 1;
                let result = self.list(nodes, &value);
                self.depth -= 1;
                self.variables = variables;
                result?;
            }
        }
        Ok(())
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Running<()> {
        let over = self.pipe_value(&branch.pipe, dot)?;
        let items: Box<dyn Iterator<Item = Value>> = match &over {
            Value::Array(items) => Box::new(items.iter().cloned()),
            Value::Number(number) if number.is_i64() || number.is_u64() => {
                Box::new((0..number.as_i64().unwrap_or(0)).map(Value::from))
            }
            // Headings have no lists.
            Value::Null => Box::new(std::iter::empty()),
            other => {
                let place = branch.pipe.commands.first().map(|command| command.place.clone()).unwrap_or_default();
                return Err(failed(&place, &format!("range can't iterate over {}", print::value(other))));
            }
        };
        let mut any = false;
        let known = self.variables.len();
        for (number, item) in items.enumerate() {
            any = true;
            let number = Value::from(number);
            match branch.pipe.variables.as_slice() {
                [] => {}
                [item_name] => self.bind(branch.pipe.assigns, item_name, item.clone()),
                [number_name, item_name, ..] => {
                    self.bind(branch.pipe.assigns, number_name, number);
                    self.bind(branch.pipe.assigns, item_name, item.clone());
                }
            }
            if self.out.len() > LONGEST {
                return Err(Stop::Error(": the output is too long".to_owned()));
            }
            let result = self.list(&branch.then, &item);
            self.variables.truncate(known);
            match result {
                Err(Stop::Break) => break,
                Ok(()) | Err(Stop::Continue) => {}
                Err(error) => return Err(error),
            }
        }
        if any { Ok(()) } else { self.list(&branch.otherwise, dot) }
    }

    fn bind(&mut self, assigns: bool, name: &str, value: Value) {
        let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
        match known.filter(|_| assigns) {
            Some((_, known)) => *known = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }

    fn pipe(&mut self, pipe: &Pipe, dot: &Value) -> Running<Value> {
        let value = self.pipe_value(pipe, dot)?;
        for name in &pipe.variables {
            self.bind(pipe.assigns, name, value.clone());
        }
        Ok(value)
    }

    fn pipe_value(&mut self, pipe: &Pipe, dot: &Value) -> Running<Value> {
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, value, dot)?);
        }
        Ok(value.unwrap_or(Value::Null))
    }

    /// `before` is what the command before it in a pipe gave: the last argument.
    fn command(&mut self, command: &Command, before: Option<Value>, dot: &Value) -> Running<Value> {
        let Some((first, rest)) = command.words.split_first() else { return Ok(Value::Null) };
        if let Term::Function(name) = &first.term {
            let value = self.function(name, command, rest, before, dot)?;
            return self.fields(value, first, &first.fields);
        }
        // Methods are fields that take arguments; there is one.
        if let Some(labels) = self.labels_before_method(first, dot)? {
            let mut arguments = rest.iter().map(|word| self.word(word, dot)).collect::<Running<Vec<Value>>>()?;
            arguments.extend(before);
            let [Value::String(name)] = arguments.as_slice() else {
                let message = match arguments.as_slice() {
                    [other] => format!("expected string; found {}", print::value(other)),
                    other => format!("wrong number of args for Label: want 1 got {}", other.len()),
                };
                return Err(failed(&first.place, &message));
            };
            return Ok(self.label(&labels, name));
        }
        if !rest.is_empty() || before.is_some() {
            let count = rest.len() + usize::from(before.is_some());
            let message = match first.fields.last() {
                Some(name) => format!("wrong number of args for {name}: want 0 got {count}"),
                None => format!("can't give argument to non-function {}", first.place.text),
            };
            return Err(failed(&first.place, &message));
        }
        if first.term == Term::Nil {
            return Err(failed(&first.place, "nil is not a command"));
        }
        self.word(first, dot)
    }

    /// The row whose labels `.Label` asks for.
    fn labels_before_method(&mut self, word: &Word, dot: &Value) -> Running<Option<Value>> {
        let Some(("Label", above)) = word.fields.split_last().map(|(last, above)| (last.as_str(), above)) else {
            return Ok(None);
        };
        let term = self.term(&word.term, dot)?;
        let owner = self.fields(term, word, above)?;
        Ok(owner.as_object().is_some_and(|row| row.contains_key(LABELS)).then_some(owner))
    }

    /// A label's value; its heading is the last part of its name.
    fn label(&self, row: &Value, name: &str) -> Value {
        if self.heading {
            let last = name.rsplit('.').next().unwrap_or(name);
            return Value::from(last.replace(['-', '_'], " "));
        }
        row.get(LABELS).and_then(|labels| labels.get(name)).cloned().unwrap_or_else(|| Value::from(""))
    }

    fn function(
        &mut self,
        name: &str,
        command: &Command,
        rest: &[Word],
        before: Option<Value>,
        dot: &Value,
    ) -> Running<Value> {
        if matches!(name, "and" | "or") {
            let mut last = Value::Null;
            for word in rest {
                last = self.word(word, dot)?;
                if functions::is_true(&last) == (name == "or") {
                    return Ok(last);
                }
            }
            return Ok(before.unwrap_or(last));
        }
        let mut arguments = rest.iter().map(|word| self.word(word, dot)).collect::<Running<Vec<Value>>>()?;
        arguments.extend(before);
        functions::call(name, &arguments, self.heading).map_err(|wrong| {
            let (place, message) = match wrong {
                Wrong::Calling(message) => (&command.place, format!("error calling {name}: {message}")),
                // A wrong argument is shown itself, a wrong number of them by the function's name.
                Wrong::As(message) if message.starts_with("wrong number") => {
                    (command.words.first().map_or(&command.place, |word| &word.place), message)
                }
                Wrong::As(message) => (rest.first().map_or(&command.place, |word| &word.place), message),
            };
            failed(place, &message)
        })
    }

    fn word(&mut self, word: &Word, dot: &Value) -> Running<Value> {
        if let Term::Function(name) = &word.term {
            let command = Command { words: vec![word.clone()], place: word.place.clone() };
            let value = self.function(name, &command, &[], None, dot)?;
            return self.fields(value, word, &word.fields);
        }
        let term = self.term(&word.term, dot)?;
        self.fields(term, word, &word.fields)
    }

    fn term(&mut self, term: &Term, dot: &Value) -> Running<Value> {
        Ok(match term {
            Term::Dot => dot.clone(),
            Term::Nil | Term::Function(_) => Value::Null,
            Term::Literal(value) => value.clone(),
            Term::Variable(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                known.map(|(_, value)| value.clone()).unwrap_or_default()
            }
            Term::Pipe(pipe) => self.pipe(pipe, dot)?,
        })
    }

    fn fields(&self, mut value: Value, word: &Word, names: &[String]) -> Running<Value> {
        for name in names {
            let found = match &value {
                Value::Object(fields) => fields.get(name).cloned(),
                _ => None,
            };
            value = match found {
                Some(found) => found,
                None if name == "Label" && value.get(LABELS).is_some() => {
                    return Err(failed(&word.place, "wrong number of args for Label: want 1 got 0"));
                }
                None if self.heading => Value::Null,
                None => return Err(failed(&word.place, &missing(&value, name))),
            };
        }
        Ok(value)
    }
}

fn missing(value: &Value, name: &str) -> String {
    match value {
        Value::Object(fields) => {
            let names: Vec<&str> = fields.keys().map(String::as_str).filter(|name| *name != LABELS).collect();
            format!("there is no field {name}, only {}", names.join(", "))
        }
        other => format!("can't evaluate field {name} in type {}", print::kind(other)),
    }
}
