//! Completion for shells: the hidden commands `__complete` and `__completeNoDesc`, which docker's own completion calls,
//! too. Each line is a candidate, a tab and what it is; the last line says what the shell may add of its own.

mod candidates;
mod cursor;

use std::ffi::OsString;

use clap::FromArgMatches;
use futures::stream;

use crate::cli::arguments::{Root, definitions};
use crate::cli::context::{BrokenOff, Context, Engines};
use crate::cli::global::{self, Environment, Global, GlobalArgs};
use crate::cli::terminal::Io;
use crate::engine;
use crate::spec::files::Files;
use crate::ui::stream::Stream;

/// Something that could stand at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Candidate {
    text: String,
    about: String,
}

impl Candidate {
    fn new(text: impl Into<String>, about: impl Into<String>) -> Self {
        Self { text: text.into(), about: about.into() }
    }
}

/// What a shell does beside the candidates, in the numbers of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shell {
    /// It proposes files, too.
    Files = 0,
    /// It proposes files, too, and adds no blank.
    FilesNoBlank = 2,
    /// It adds no blank, and no files.
    NoBlank = 6,
    /// It adds nothing.
    Nothing = 4,
    /// The candidates are endings of files to be proposed.
    FilesEndingSo = 8,
    /// It proposes directories.
    Directories = 16,
}

/// Answers a request for candidates, if these words are one.
pub(super) async fn answer(
    words: &[OsString],
    environment: &Environment,
    files: &dyn Files,
    engines: &dyn Engines,
    io: &Io,
) -> Option<u8> {
    let (first, rest) = words.split_first()?;
    let with_abouts = match first.to_str() {
        Some("__complete") => true,
        Some("__completeNoDesc") => false,
        _ => return None,
    };
    let words: Vec<String> = rest.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let root = definitions();
    let cursor = cursor::find(&words, &root);
    // What is wrong with files or flags is told when the command runs, not while it is typed.
    let silence = || Stream::new(std::io::sink());
    let silent = Io::with(silence(), silence(), "", || Box::pin(stream::pending()));
    let mut environment = environment.clone();
    let args = global_flags(&cursor.global, &root);
    global::take_over_env_files(&args, &mut environment, files);
    let Ok(global) = Global::resolve(args, &environment, &silent.stderr) else {
        io.stdout.text(":4\n");
        return Some(0);
    };
    let (interrupter, interrupts) = engine::interrupts();
    let context = Context {
        global,
        environment,
        io: &silent,
        files,
        engines,
        interrupts,
        broken_off: BrokenOff::new(interrupter),
        signals_are_passed_on: Default::default(),
    };
    let (candidates, shell) = candidates::of(&cursor, &root, &context).await;
    let mut out = String::new();
    for Candidate { text, about } in candidates {
        let fits = shell == Shell::FilesEndingSo || text.starts_with(&cursor.begun);
        if !fits || text.contains(['\n', '\t']) {
            continue;
        }
        out.push_str(&text);
        if with_abouts && !about.is_empty() {
            out.push('\t');
            out.push_str(&about.replace(|c: char| c.is_control(), " "));
        }
        out.push('\n');
    }
    out.push_str(&format!(":{}\n", shell as u8));
    io.stdout.text(&out);
    Some(0)
}

/// The flags before the command; none when they can not be read.
fn global_flags(words: &[String], root: &clap::Command) -> GlobalArgs {
    let line = ["compose"].into_iter().chain(words.iter().map(String::as_str)).chain(["version"]);
    let matches = root.clone().try_get_matches_from(line).ok();
    matches.and_then(|matches| Root::from_arg_matches(&matches).ok()).map(|root| root.global).unwrap_or_default()
}
