//! `cp`: files into containers and out of them, by the rules of `docker cp`.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;

use crate::cli::apply::{self, Road};
use crate::cli::commands::{Ended, containers};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::transfer::{self, Destination, Item, Source};
use crate::names::ContainerId;
use crate::resource::Container;
use crate::runtime::{Archive, Inside, InsideKind, Runtime};
use crate::ui::progress::rows::State;
use crate::ui::progress::{Detail, Display};

/// Links of the disk that are followed one after the other.
const MOST_LINKS: usize = 10;
/// Pieces of standard input that wait for a container.
const WAITING: usize = 4;

/// Copy files into or out of a container
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n        docker compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH",
    after_help = "Examples:\n  compose cp web:/var/log/app.log .     get a file out\n  compose cp ./site/. web:/srv          put what is in a directory into every replica of `web`\n"
)]
pub struct CpArgs {
    /// Take one-off containers of `run` into account
    #[arg(long)]
    all: bool,
    /// Keep owner and group of the files
    #[arg(short, long)]
    archive: bool,
    /// Copy what a link in SRC_PATH points to
    #[arg(short = 'L', long)]
    follow_link: bool,
    /// Number of the container, where a service has several
    #[arg(long, value_name = "int")]
    index: Option<i64>,
    #[arg(hide = true)]
    words: Vec<String>,
}

/// One side of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side<'a> {
    Here(&'a str),
    Inside { service: &'a str, path: &'a str },
}

impl<'a> Side<'a> {
    fn of(word: &'a str) -> Self {
        match word.split_once(':') {
            // A path that begins so is one of this machine, colon or not.
            Some((service, path)) if !service.starts_with(['.', '/']) && !service.is_empty() => {
                Self::Inside { service, path }
            }
            _ => Self::Here(word),
        }
    }
}

/// What all copies of a command share.
struct Copies<'a> {
    context: &'a Context<'a>,
    runtime: &'a dyn Runtime,
    archive: bool,
    follow: bool,
}

pub(super) async fn run(args: CpArgs, context: &Context<'_>) -> Ended {
    let CpArgs { all, archive, follow_link, index, words } = args;
    let [from, to] = words.as_slice() else {
        let usage = "Usage:  docker compose cp [OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n\tdocker compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH";
        return Err(Failure::Usage(format!("'docker compose cp' requires 2 arguments\n\n{usage}")));
    };
    let (service, out) = match (Side::of(from), Side::of(to)) {
        (Side::Inside { service, .. }, Side::Here(_)) => (service, true),
        (Side::Here(_), Side::Inside { service, .. }) => (service, false),
        (Side::Inside { .. }, Side::Inside { .. }) => {
            return Err(Failure::message("copying between services is not supported"));
        }
        (Side::Here(_), Side::Here(_)) => {
            let hint = "one of the two paths is inside a container: SERVICE:PATH".to_owned();
            return Err(Failure::Hinted { message: "unknown copy direction".to_owned(), hints: vec![hint] });
        }
    };
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let found = containers::of_project(runtime.as_ref(), &project).await?;
    let mut targets = targets(&found, service, all, index)?;
    if out {
        targets.truncate(1);
    }
    let copies = Copies { context, runtime: runtime.as_ref(), archive, follow: follow_link };
    let detail = Detail { dry_run: context.global.dry_run, ..Detail::default() };
    let display = RefCell::new(apply::display(context, &Road { detail, ..Road::new("copy") }));
    let work = copies.all(&targets, Side::of(from), Side::of(to), &display);
    let work = apply::with_ticks(&display, context.global.progress, work);
    let result = context.unless_interrupted(work).await;
    display.borrow_mut().finish();
    match result {
        Err(Failure::Interrupted) => Err(Failure::Halted(format!("interrupted; {to} is not complete"))),
        result => result.map(|()| 0),
    }
}

/// The containers of a service, lowest number first.
fn targets<'a>(
    found: &'a [Container],
    service: &str,
    all: bool,
    index: Option<i64>,
) -> Result<Vec<&'a Container>, Failure> {
    let index = index.and_then(|index| u32::try_from(index).ok()).filter(|index| *index > 0);
    let of_service = || found.iter().filter(|container| container.service() == service);
    let mut targets: Vec<&Container> = of_service()
        .filter(|container| all || !container.is_one_off())
        .filter(|container| index.is_none() || container.number() == index)
        .collect();
    targets.sort_by_key(|container| (container.is_one_off(), container.number().unwrap_or(u32::MAX)));
    match (targets.is_empty(), index) {
        (false, _) => Ok(targets),
        (true, Some(index)) => {
            Err(Failure::Message(format!("service \"{service}\" is not running container #{index}")))
        }
        (true, None) => {
            let message = format!("no container found for service \"{service}\"");
            Err(Failure::about(message, service, found.iter().map(Container::service)))
        }
    }
}

impl Copies<'_> {
    /// Copies to (or from) all containers side by side; the first failure is told when all are over.
    async fn all(
        &self,
        targets: &[&Container],
        from: Side<'_>,
        to: Side<'_>,
        display: &RefCell<Display>,
    ) -> Result<(), Failure> {
        let mut inputs = match from {
            Side::Here("-") if !self.context.global.dry_run => self.input(targets.len()),
            _ => Vec::new(),
        };
        let mut work = Vec::new();
        for container in targets {
            let input = inputs.pop();
            work.push(async move {
                let side = |side: Side<'_>| match side {
                    Side::Here(path) => path.to_owned(),
                    Side::Inside { path, .. } => format!("{}:{path}", container.name),
                };
                let id = format!("{} copy {} to {}", container.name, side(from), side(to));
                display.borrow_mut().status(&id, State::Working, "Copying");
                let result = match (from, to) {
                    _ if self.context.global.dry_run => Ok(()),
                    (Side::Inside { path, .. }, Side::Here(here)) => self.out(container, path, here, display).await,
                    (Side::Here(here), Side::Inside { path, .. }) => self.into(container, here, input, path).await,
                    _ => Ok(()),
                };
                let (state, word) = if result.is_ok() { (State::Done, "Copied") } else { (State::Error, "Error") };
                display.borrow_mut().status(&id, state, word);
                result.map_err(|failure| containers::named(failure, container))
            });
        }
        futures::future::join_all(work).await.into_iter().collect()
    }

    /// Standard input, once for each container: every piece goes to all of them.
    fn input(&self, count: usize) -> Vec<Archive> {
        let mut input = self.context.io.input();
        let mut senders = Vec::new();
        let mut archives = Vec::new();
        for _ in 0..count {
            let (sender, receiver) = mpsc::channel::<std::io::Result<Bytes>>(WAITING);
            senders.push(sender);
            archives.push(Archive(Box::pin(futures::stream::unfold(receiver, async |mut receiver| {
                let piece = receiver.recv().await?;
                Some((piece, receiver))
            }))));
        }
        // A thread, so that the slowest container sets the pace and none waits for the others' futures.
        std::thread::spawn(move || {
            while let Some(piece) = input.blocking_recv() {
                let piece = Bytes::from(piece);
                senders.retain(|sender| sender.blocking_send(Ok(piece.clone())).is_ok());
                if senders.is_empty() {
                    break;
                }
            }
        });
        archives
    }

    async fn out(
        &self,
        container: &Container,
        path: &str,
        here: &str,
        display: &RefCell<Display>,
    ) -> Result<(), Failure> {
        let mut path = absolute(path);
        let stdout = &self.context.io.stdout;
        if here == "-" && stdout.is_terminal() {
            return Err(Failure::message("an archive is not written to a terminal: redirect the output"));
        }
        if here != "-" {
            let (parent, _) = transfer::parent_and_name(&self.local(here));
            if !Path::new(&parent).is_dir() {
                return Err(Failure::Message(format!("invalid output path: directory \"{parent}\" does not exist")));
            }
        }
        let mut inside = self.runtime.look_inside(&container.id, &path).await?;
        // The name that was asked for stays, whatever the link's target is called.
        let written = path.clone();
        if let (InsideKind::Link(target), true) = (&inside.kind, self.follow) {
            path = linked(&path, target);
            inside = self.runtime.look_inside(&container.id, &path).await?;
        }
        let mut pieces = self.runtime.download(&container.id, &path).await?;
        if here == "-" {
            while let Some(piece) = pieces.next().await {
                stdout.bytes(&piece?);
                if stdout.is_broken() {
                    break;
                }
            }
            return Ok(());
        }
        let (path, is_directory) = destination(&self.local(here))?;
        let source = Source { path: &written, is_directory: inside.kind == InsideKind::Directory };
        let place = transfer::place(source, Destination { path: &path, is_directory });
        let (directory, name) = place.map_err(|mistake| Failure::Message(mistake.to_string()))?;
        let unpacked = transfer::unpack(pieces, PathBuf::from(&directory), name, self.archive).await;
        let unpacked = unpacked.map_err(|error| Failure::Message(format!("failed to copy to {here}: {error}")))?;
        for name in &unpacked.left_out {
            let text = format!("{name} is a device or pipe and was not copied");
            display.borrow_mut().print(&mut || self.context.warn(&text));
        }
        Ok(())
    }

    async fn into(&self, container: &Container, here: &str, input: Option<Archive>, path: &str) -> Result<(), Failure> {
        let written = path;
        let (path, found) = self.found_inside(&container.id, absolute(path)).await?;
        let is_directory = found.map(|inside| inside.kind == InsideKind::Directory);
        if here == "-" {
            let Some(archive) = input.filter(|_| is_directory == Some(true)) else {
                let name = &container.name;
                return Err(Failure::Message(format!("destination \"{name}:{written}\" must be a directory")));
            };
            return Ok(self.runtime.upload(&container.id, &path, archive, self.archive).await?);
        }
        let local = self.local(here);
        let follow = self.follow || here == "." || here.ends_with('/') || here.ends_with("/.");
        let from = PathBuf::from(&local);
        let data = if follow { fs::metadata(&from) } else { fs::symlink_metadata(&from) };
        let data = data.map_err(|error| Failure::Message(format!("can not read {here}: {error}")))?;
        let source = Source { path: &local, is_directory: data.is_dir() };
        let place = transfer::place(source, Destination { path: &path, is_directory });
        let (directory, name) = place.map_err(|mistake| Failure::Message(mistake.to_string()))?;
        let item = Item { from, name: name.unwrap_or_default(), follow, recursive: true };
        let archive = transfer::pack(vec![item]).into();
        Ok(self.runtime.upload(&container.id, &directory, archive, self.archive).await?)
    }

    /// What is at the destination, its link followed. Nothing there is no failure.
    async fn found_inside(&self, container: &ContainerId, path: String) -> Result<(String, Option<Inside>), Failure> {
        let found = match self.runtime.look_inside(container, &path).await {
            Err(error) if error.is_not_found() => return Ok((path, None)),
            found => found?,
        };
        let InsideKind::Link(target) = &found.kind else { return Ok((path, Some(found))) };
        let path = linked(&path, target);
        match self.runtime.look_inside(container, &path).await {
            Err(error) if error.is_not_found() => Ok((path, None)),
            found => Ok((path, Some(found?))),
        }
    }

    /// A path of this machine as an absolute one, the slash or dot at its end kept.
    fn local(&self, path: &str) -> String {
        if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.context.environment.directory.display())
        }
    }
}

/// A path inside a container as an absolute one.
fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// Where a link inside a container points to.
fn linked(link: &str, target: &str) -> String {
    if target.starts_with('/') {
        return target.to_owned();
    }
    let (parent, _) = transfer::parent_and_name(link);
    format!("{}/{target}", parent.trim_end_matches('/'))
}

/// Where a path of this machine really is, and whether a directory or a file is there.
fn destination(path: &str) -> Result<(String, Option<bool>), Failure> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let bare = Path::new(path.trim_end_matches('/'));
        let Ok(data) = fs::symlink_metadata(bare) else { return Ok((path, None)) };
        if data.is_symlink() {
            let target = fs::read_link(bare).unwrap_or_default();
            path = linked(&path, &target.display().to_string());
            continue;
        }
        if !data.is_dir() && !data.is_file() {
            return Err(Failure::Message(format!("invalid output path: \"{path}\" is a device, a pipe or a socket")));
        }
        return Ok((path, Some(data.is_dir())));
    }
    Err(Failure::Message(format!("invalid output path: \"{path}\" has too many links")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_told_apart() {
        for (word, side) in [
            ("web:/x", Side::Inside { service: "web", path: "/x" }),
            ("web:", Side::Inside { service: "web", path: "" }),
            ("./a:b", Side::Here("./a:b")),
            ("/a:b", Side::Here("/a:b")),
            ("a", Side::Here("a")),
            ("-", Side::Here("-")),
        ] {
            assert_eq!(Side::of(word), side, "{word}");
        }
    }

    #[test]
    fn links_are_relative_to_where_they_lie() {
        for (link, target, path) in
            [("/d/l", "f", "/d/f"), ("/d/l", "/e", "/e"), ("/l", "f", "/f"), ("/d/l/", "../x", "/d/../x")]
        {
            assert_eq!(linked(link, target), path);
        }
    }
}
