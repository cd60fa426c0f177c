//! Flags in, exit code out. [`run`] is a function of everything it needs, so that tests call whole commands on a fake.

pub mod apply;
pub mod arguments;
mod attached;
pub mod commands;
mod completion;
pub mod context;
pub mod digests;
pub mod disk;
pub mod engines;
pub mod failed;
pub mod failure;
mod foreground;
pub mod global;
pub mod help;
pub mod lease;
pub mod machine;
mod menu;
mod moment;
pub mod plugin;
pub mod remote;
mod shown_logs;
pub mod state;
pub mod terminal;
pub mod transfer;
pub mod usage;
mod watching;

use std::cell::Cell;
use std::ffi::OsString;
use std::rc::Rc;

use futures::{StreamExt, stream};
use serde_json::json;

use crate::cli::arguments::{Asked, definitions};
use crate::cli::context::{BrokenOff, Context, Engines};
use crate::cli::failure::Failure;
use crate::cli::global::{Environment, Global};
use crate::cli::terminal::Io;
use crate::engine;
use crate::spec::files::Files;
use crate::ui::progress::Mode;

/// So many signals are obeyed in an orderly way.
const MOST_WISHES: u32 = 2;

/// Runs one command line (without the program's name) and gives its exit code.
pub async fn run(
    words: &[OsString],
    environment: &Environment,
    files: &dyn Files,
    engines: &dyn Engines,
    io: &Io,
) -> u8 {
    if let Some(code) = completion::answer(words, environment, files, engines, io).await {
        return code;
    }
    let asked = match arguments::parse(words) {
        Ok(asked) => asked,
        Err(failure) => return told(&failure, io, wants_json(words)),
    };
    let root = match asked {
        Asked::Help { path, short } => {
            if short {
                io.stdout.line("Flag shorthand -h has been deprecated, use --help");
            }
            return help(&path, io);
        }
        Asked::Unknown { path, name } => {
            help(&path, io);
            return told(&Failure::Usage(help::unknown(&path, &name, &definitions())), io, false);
        }
        Asked::Run(root) => root,
    };
    let Some(command) = root.command else {
        if root.global.version {
            return commands::version::print(false, None, io).map_or_else(|failure| told(&failure, io, false), |()| 0);
        }
        return help(&[], io);
    };
    let mut environment = environment.clone();
    if !command.needs_nothing() {
        global::take_over_env_files(&root.global, &mut environment, files);
    }
    let global = match Global::resolve(root.global, &environment, &io.stderr) {
        Ok(global) => global,
        Err(failure) => return told(&failure, io, wants_json(words)),
    };
    let json = global.progress == Mode::Json;
    let (interrupter, interrupts) = engine::interrupts();
    let outside = environment.clone();
    let (docker, insecure_registries) = (global.docker.clone(), global.insecure_registries.clone());
    let fetching = remote::Fetching {
        environment: &outside,
        io,
        engines,
        docker: &docker,
        insecure_registries: &insecure_registries,
        yes: command.says_yes(),
    };
    let files = remote::FetchingFiles::new(files, fetching);
    let broken_off = BrokenOff::new(interrupter.clone());
    let context = Context {
        global,
        environment,
        io,
        files: &files,
        engines,
        interrupts,
        broken_off,
        signals_are_passed_on: Rc::new(Cell::new(false)),
    };
    for warning in &context.global.warnings {
        context.warn(warning);
    }
    let work = command.run(&context);
    tokio::pin!(work);
    // docker tells its plugins by a closed connection that a person wants to end.
    let mut signals = stream::select(io.signals(), plugin::hang_up(&context.environment));
    let mut wishes = 0;
    let result = loop {
        tokio::select! {
            biased;
            result = &mut work => break result,
            Some(_) = signals.next() => {
                if context.signals_are_passed_on.get() {
                    continue;
                }
                interrupter.interrupt();
                wishes += 1;
                // Gently, then at once; who asks again wants nothing but out.
                if wishes > MOST_WISHES {
                    break Err(Failure::Interrupted);
                }
            }
        }
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            let failure = if files.was_broken_off() { Failure::Interrupted } else { failure };
            let failure = match (failure, context.broken_off.why()) {
                (Failure::Interrupted | Failure::Halted(_) | Failure::Left { .. }, Some(why)) => {
                    Failure::BrokenOff(why)
                }
                (failure, _) => failure,
            };
            told(&failure, io, json)
        }
    }
}

fn help(path: &[String], io: &Io) -> u8 {
    let columns = io.stdout.size().map(|(columns, _)| columns.into());
    match help::render(&definitions(), path, columns) {
        Ok(text) => {
            io.stdout.text(&text);
            0
        }
        Err(text) => {
            io.stderr.line(&text);
            1
        }
    }
}

/// Tells a failure on standard error and gives its exit code.
fn told(failure: &Failure, io: &Io, json: bool) -> u8 {
    if json {
        let text = failure.text();
        if !text.is_empty() {
            io.stderr.line(&json!({"error": true, "message": text}).to_string());
        }
    } else {
        for line in failure.lines() {
            io.stderr.line(&line);
        }
    }
    failure.code()
}

/// Whether errors are to be objects, for mistakes that keep the flags from being read.
fn wants_json(words: &[OsString]) -> bool {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--progress=json" || (word == "--progress" && words.next().is_some_and(|word| word == "json")) {
            return true;
        }
    }
    false
}
