//! Text to a tree, in the grammar of Go's `text/template`.

use serde_json::Value;

use crate::ui::template::functions;

/// Parentheses and blocks inside of each other; people need a few.
const DEEPEST: usize = 100;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Break,
    Continue,
    Template { name: String, with: Option<Pipe>, place: Place },
}

/// `{{if …}} then {{else}} otherwise {{end}}`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Branch {
    pub(super) pipe: Pipe,
    pub(super) then: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// Commands, each of which hands its value on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pipe {
    /// `$i, $x :=`, or one variable that gets a new value.
    pub(super) variables: Vec<String>,
    pub(super) assigns: bool,
    pub(super) commands: Vec<Command>,
}

/// A function or a value, with arguments.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    pub(super) place: Place,
}

/// A value as it is written, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    pub(super) term: Term,
    /// `.A.B` behind it.
    pub(super) fields: Vec<String>,
    pub(super) place: Place,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Term {
    Dot,
    Nil,
    Literal(Value),
    Variable(String),
    Function(String),
    Pipe(Box<Pipe>),
}

/// Where something stands, for errors.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) text: String,
}

/// A template and those that it defines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub(super) nodes: Vec<Node>,
    pub(super) defined: Vec<(String, Vec<Node>)>,
}

/// What ended a list of nodes.
#[derive(Debug, PartialEq)]
enum Stop {
    End,
    Else,
    /// `else if`, `else with`: the words behind `else` are still to be read.
    ElseAnd(&'static str),
    Eof,
}

/// Reads a template; the error is a line and a message.
pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    let mut parser = Parser { text, at: 0, depth: 0, ranges: 0, variables: vec!["$".to_owned()], defined: Vec::new() };
    let (nodes, stop) = parser.list()?;
    match stop {
        Stop::Eof => Ok(Parsed { nodes, defined: parser.defined }),
        Stop::End => Err(parser.error("unexpected {{end}}")),
        Stop::Else | Stop::ElseAnd(_) => Err(parser.error("unexpected {{else}}")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    ranges: usize,
    variables: Vec<String>,
    defined: Vec<(String, Vec<Node>)>,
}

type Parsing<T> = Result<T, String>;

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }
    fn error(&self, message: &str) -> String {
        let before = self.text.get(..self.at).unwrap_or_default();
        format!(":{}: {message}", before.matches('\n').count() + 1)
    }
    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }
    fn blanks(&mut self) -> bool {
        let rest = self.rest();
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.at += blank;
        blank > 0
    }
    fn place(&self, from: usize) -> Place {
        let before = self.text.get(..from).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let text = self.text.get(from..self.at).unwrap_or_default().trim_end().to_owned();
        Place { line: before.matches('\n').count() + 1, column: from - line_start, text }
    }
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsing<T>) -> Parsing<T> {
        if self.depth >= DEEPEST {
            return Err(self.error("too deep"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    /// Nodes up to what ends them.
    fn list(&mut self) -> Parsing<(Vec<Node>, Stop)> {
        let mut nodes = Vec::new();
        let mut trim = false;
        loop {
            let rest = self.rest();
            let open = rest.find("{{").unwrap_or(rest.len());
            let mut text = rest.get(..open).unwrap_or_default();
            if trim {
                text = text.trim_start_matches([' ', '\t', '\r', '\n']);
            }
            self.at += open;
            if self.rest().is_empty() {
                push_text(&mut nodes, text);
                return Ok((nodes, Stop::Eof));
            }
            self.at += 2;
            if is_trim(self.rest().as_bytes(), 0) {
                self.at += 1;
                text = text.trim_end_matches([' ', '\t', '\r', '\n']);
            }
            push_text(&mut nodes, text);
            self.blanks();
            if self.eat("/*") {
                let Some(end) = self.rest().find("*/") else { return Err(self.error("unclosed comment")) };
                self.at += end + 2;
                trim = self.close().map_err(|_| self.error("comment ends before closing delimiter"))?;
                continue;
            }
            let from = self.at;
            let word = self.keyword();
            match word {
                "end" => {
                    self.at += word.len();
                    trim = self.close()?;
                    self.retrim(trim);
                    return Ok((nodes, Stop::End));
                }
                "else" => {
                    self.at += word.len();
                    self.blanks();
                    for next in ["if", "with"] {
                        if self.keyword() == next {
                            self.at += next.len();
                            return Ok((nodes, Stop::ElseAnd(next)));
                        }
                    }
                    trim = self.close()?;
                    self.retrim(trim);
                    return Ok((nodes, Stop::Else));
                }
                "if" | "with" | "range" => {
                    self.at += word.len();
                    let word: &'static str = match word {
                        "if" => "if",
                        "with" => "with",
                        _ => "range",
                    };
                    let node = self.deeper(|parser| parser.branch(word))?;
                    nodes.push(node);
                    trim = false;
                }
                "break" | "continue" if self.ends_after(word) => {
                    if self.ranges == 0 {
                        return Err(self.error(&format!("{{{{{word}}}}} outside {{{{range}}}}")));
                    }
                    self.at += word.len();
                    nodes.push(if word == "break" { Node::Break } else { Node::Continue });
                    trim = self.close()?;
                }
                "template" => {
                    self.at += word.len();
                    self.blanks();
                    let name = self.name("template")?;
                    self.blanks();
                    let with = if self.closes() { None } else { Some(self.pipe("template")?) };
                    let mut place = self.place(from);
                    place.column += word.len() + 1;
                    place.text = format!("{{{{{}}}}}", place.text);
                    nodes.push(Node::Template { name, with, place });
                    trim = self.close()?;
                }
                "define" => {
                    self.at += word.len();
                    self.blanks();
                    let name = self.name("define clause")?;
                    let close = self.close()?;
                    self.retrim(close);
                    let body = self.body()?;
                    self.defined.push((name, body));
                    trim = false;
                }
                "block" => {
                    self.at += word.len();
                    self.blanks();
                    let name = self.name("block clause")?;
                    let with = self.pipe("block")?;
                    let place = self.place(from);
                    let close = self.close()?;
                    self.retrim(close);
                    let body = self.body()?;
                    self.defined.push((name.clone(), body));
                    nodes.push(Node::Template { name, with: Some(with), place });
                    trim = false;
                }
                _ => {
                    if self.closes() && !self.rest().is_empty() {
                        return Err(self.error("missing value for command"));
                    }
                    nodes.push(Node::Action(self.pipe("command")?));
                    trim = self.close()?;
                }
            }
        }
    }

    /// Blanks after `-}}` are not seen by what follows.
    fn retrim(&mut self, trim: bool) {
        if trim {
            self.blanks();
        }
    }

    /// What stands between `{{define}}` and its end; it sees no variables of those around it.
    fn body(&mut self) -> Parsing<Vec<Node>> {
        let variables = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (nodes, stop) = self.deeper(Self::list)?;
        (self.variables, self.ranges) = (variables, ranges);
        if stop == Stop::End { Ok(nodes) } else { Err(self.error("unexpected EOF")) }
    }

    fn branch(&mut self, word: &'static str) -> Parsing<Node> {
        let known = self.variables.len();
        self.blanks();
        if self.closes() {
            return Err(self.error(&format!("missing value for {word}")));
        }
        let pipe = self.pipe(word)?;
        let close = self.close()?;
        self.retrim(close);
        let is_range = word == "range";
        self.ranges += usize::from(is_range);
        let (then, stop) = self.list()?;
        self.ranges -= usize::from(is_range);
        let otherwise = match stop {
            Stop::End => Vec::new(),
            Stop::Eof => return Err(self.error("unexpected EOF")),
            Stop::ElseAnd(next) => vec![self.deeper(|parser| parser.branch(next))?],
            Stop::Else => match self.list()? {
                (nodes, Stop::End) => nodes,
                (_, Stop::Eof) => return Err(self.error("unexpected EOF")),
                (_, Stop::Else | Stop::ElseAnd(_)) => return Err(self.error("expected end; found {{else}}")),
            },
        };
        self.variables.truncate(known);
        let branch = Branch { pipe, then, otherwise };
        Ok(match word {
            "if" => Node::If(branch),
            "with" => Node::With(branch),
            _ => Node::Range(branch),
        })
    }

    fn keyword(&self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    fn ends_after(&self, word: &str) -> bool {
        let rest = self.rest().get(word.len()..).unwrap_or_default().trim_start();
        rest.starts_with("}}") || rest.starts_with("-}}")
    }

    /// Whether the action ends here.
    fn closes(&self) -> bool {
        let rest = self.rest();
        rest.is_empty() || rest.starts_with("}}") || rest.starts_with("-}}")
    }

    /// `}}` or ` -}}`: whether blanks behind it are to be left out.
    fn close(&mut self) -> Parsing<bool> {
        self.blanks();
        if self.eat("-}}") {
            return Ok(true);
        }
        if self.eat("}}") {
            return Ok(false);
        }
        Err(match self.rest().chars().next() {
            None => self.error("unclosed action"),
            Some(')') => self.error("unexpected right paren"),
            Some('}') => self.error("bad character U+007D '}'"),
            Some(_) => {
                self.error(&format!("unexpected {:?} in operand", self.rest().chars().take(1).collect::<String>()))
            }
        })
    }

    fn name(&mut self, context: &str) -> Parsing<String> {
        match self.rest().chars().next() {
            Some('"' | '`') => match self.literal()? {
                Value::String(name) => Ok(name),
                _ => Err(self.error(&format!("unexpected token in {context}"))),
            },
            _ => Err(self.error(&format!("unexpected {:?} in {context}", self.keyword()))),
        }
    }

    fn pipe(&mut self, context: &str) -> Parsing<Pipe> {
        let mut pipe = Pipe::default();
        self.blanks();
        self.declarations(context, &mut pipe)?;
        loop {
            self.blanks();
            if self.closes() || self.rest().starts_with(')') {
                if self.rest().is_empty() {
                    return Err(self.error("unclosed action"));
                }
                return Err(self.error(&format!("missing value for {context}")));
            }
            pipe.commands.push(self.command()?);
            self.blanks();
            if !self.eat("|") {
                break;
            }
        }
        if !pipe.assigns {
            self.variables.extend(pipe.variables.iter().cloned());
        }
        Ok(pipe)
    }

    fn declarations(&mut self, context: &str, pipe: &mut Pipe) -> Parsing<()> {
        let start = self.at;
        let mut names = Vec::new();
        while self.eat("$") {
            let name = format!("${}", self.keyword());
            self.at += name.len() - 1;
            names.push(name);
            self.blanks();
            if self.eat(":=") {
                pipe.variables = names;
                return Ok(());
            }
            if self.rest().starts_with('=') {
                self.at += 1;
                if let Some(unknown) = names.iter().find(|name| !self.variables.contains(name)) {
                    return Err(self.error(&format!("undefined variable \"{unknown}\"")));
                }
                (pipe.variables, pipe.assigns) = (names, true);
                return Ok(());
            }
            if context != "range" || !self.eat(",") {
                break;
            }
            self.blanks();
        }
        self.at = start;
        Ok(())
    }

    fn command(&mut self) -> Parsing<Command> {
        let from = self.at;
        let mut words = Vec::new();
        loop {
            words.push(self.word()?);
            let end = self.at;
            let blank = self.blanks();
            let next = self.rest();
            if self.closes() || next.starts_with(['|', ')']) {
                let place = Place { text: self.text.get(from..end).unwrap_or_default().to_owned(), ..self.place(from) };
                if next.is_empty() {
                    return Err(self.error("unclosed action"));
                }
                return Ok(Command { words, place });
            }
            if !blank {
                return Err(match next.chars().next() {
                    Some('}') => self.error("bad character U+007D '}'"),
                    Some(c) => self.error(&format!("unexpected \"{c}\" in operand")),
                    None => self.error("unclosed action"),
                });
            }
        }
    }

    fn word(&mut self) -> Parsing<Word> {
        let from = self.at;
        let first = self.rest().chars().next();
        let term = match first {
            None => return Err(self.error("unclosed action")),
            Some('"' | '`' | '\'' | '+' | '-' | '0'..='9') => Term::Literal(self.literal()?),
            Some('(') => {
                self.at += 1;
                let pipe = self.deeper(|parser| parser.pipe("parenthesized pipeline")).map_err(|error| {
                    if error.ends_with("unclosed action") || error.ends_with("in operand") {
                        self.unclosed_paren()
                    } else {
                        error
                    }
                })?;
                self.blanks();
                if !self.eat(")") {
                    return Err(self.unclosed_paren());
                }
                Term::Pipe(Box::new(pipe))
            }
            Some('$') => {
                self.at += 1;
                let name = format!("${}", self.keyword());
                self.at += name.len() - 1;
                if !self.variables.contains(&name) {
                    return Err(self.error(&format!("undefined variable \"{name}\"")));
                }
                Term::Variable(name)
            }
            Some('.') => {
                let number = self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit());
                if number {
                    Term::Literal(self.literal()?)
                } else {
                    if !self.rest().chars().nth(1).is_some_and(|c| c.is_alphabetic() || c == '_') {
                        self.at += 1;
                    }
                    Term::Dot
                }
            }
            Some(c) if c.is_alphabetic() || c == '_' => {
                let word = self.keyword();
                self.at += word.len();
                match word {
                    "true" | "false" => Term::Literal(Value::Bool(word == "true")),
                    "nil" => Term::Nil,
                    _ if functions::is_known(word) => Term::Function(word.to_owned()),
                    _ => return Err(self.error(&format!("function \"{word}\" not defined"))),
                }
            }
            Some('}') => return Err(self.error("unexpected \"}\" in operand")),
            Some(c) => {
                return Err(self.error(&format!("unexpected bad character U+{:04X} '{c}' in command", u32::from(c))));
            }
        };
        let mut fields = Vec::new();
        let mut place = self.place(from);
        while self.rest().starts_with('.') {
            let dot = self.at;
            self.at += 1;
            let name = self.keyword();
            if name.is_empty() {
                return Err(self.error("unexpected <.> in operand"));
            }
            self.at += name.len();
            fields.push(name.to_owned());
            // Errors point at the last name.
            place.column = self.place(dot).column;
        }
        if fields.len() <= 1 {
            place.column = self.place(from).column;
        }
        place.text = self.text.get(from..self.at).unwrap_or_default().to_owned();
        Ok(Word { term, fields, place })
    }

    fn unclosed_paren(&self) -> String {
        self.error("unclosed left paren")
    }

    fn literal(&mut self) -> Parsing<Value> {
        let rest = self.rest();
        match rest.chars().next() {
            Some('`') => {
                let Some(end) = rest.get(1..).and_then(|rest| rest.find('`')) else {
                    return Err(self.error("unterminated raw quoted string"));
                };
                self.at += end + 2;
                Ok(Value::from(rest.get(1..=end).unwrap_or_default()))
            }
            Some(quote @ ('"' | '\'')) => {
                let mut end = None;
                let mut escaped = false;
                for (at, c) in rest.char_indices().skip(1) {
                    match c {
                        _ if escaped => escaped = false,
                        '\\' => escaped = true,
                        '\n' => break,
                        c if c == quote => {
                            end = Some(at);
                            break;
                        }
                        _ => {}
                    }
                }
                let what = if quote == '"' { "quoted string" } else { "character constant" };
                let Some(end) = end else { return Err(self.error(&format!("unterminated {what}"))) };
                let inner = rest.get(1..end).unwrap_or_default();
                let text = unescaped(inner).ok_or_else(|| self.error("invalid syntax"))?;
                self.at += end + 1;
                if quote == '"' {
                    return Ok(Value::from(text));
                }
                let mut letters = text.chars();
                match (letters.next(), letters.next()) {
                    (Some(c), None) => Ok(Value::from(u32::from(c))),
                    _ => Err(self.error(&format!("malformed character constant: '{inner}'"))),
                }
            }
            _ => {
                let end = rest.find(|c: char| !c.is_alphanumeric() && !"+-._".contains(c)).unwrap_or(rest.len());
                let word = rest.get(..end).unwrap_or_default();
                let value = number(word).ok_or_else(|| self.error(&format!("bad number syntax: \"{word}\"")))?;
                self.at += end;
                Ok(value)
            }
        }
    }
}

fn push_text(nodes: &mut Vec<Node>, text: &str) {
    if !text.is_empty() {
        nodes.push(Node::Text(text.to_owned()));
    }
}

/// `- `: a dash with a blank behind it.
fn is_trim(bytes: &[u8], at: usize) -> bool {
    bytes.get(at) == Some(&b'-') && matches!(bytes.get(at + 1), Some(b' ' | b'\t' | b'\r' | b'\n'))
}

fn number(word: &str) -> Option<Value> {
    let plain = word.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let lower = digits.to_ascii_lowercase();
    let radix = |digits: &str, radix| i64::from_str_radix(digits, radix).ok();
    let whole = match lower.as_bytes() {
        [b'0', b'x', ..] => radix(lower.get(2..)?, 16),
        [b'0', b'o', ..] => radix(lower.get(2..)?, 8),
        [b'0', b'b', ..] => radix(lower.get(2..)?, 2),
        [b'0', b'0'..=b'7', ..] => radix(lower.get(1..)?, 8),
        _ => radix(&lower, 10),
    };
    if let Some(whole) = whole {
        return Some(Value::from(sign * whole));
    }
    let float: f64 =
        if lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') { plain.parse().ok()? } else { return None };
    serde_json::Number::from_f64(float).map(Value::Number)
}

/// Go's escapes in strings; `None` for others.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = letters.next()?;
        let mut code = |count: usize| {
            let digits: String = letters.by_ref().take(count).collect();
            u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
        };
        out.push(match escape {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            c @ ('\\' | '"' | '\'') => c,
            'x' => code(2)?,
            'u' => code(4)?,
            'U' => code(8)?,
            _ => return None,
        });
    }
    Some(out)
}
