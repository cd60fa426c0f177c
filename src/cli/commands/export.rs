//! `export`: all files of a container as a tar archive.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use bytes::Bytes;
use futures::StreamExt;

use crate::cli::apply::{self, Road};
use crate::cli::commands::{Ended, containers};
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::usage::too_few;
use crate::runtime::ResultStream;
use crate::ui::progress::Detail;
use crate::ui::progress::rows::State;

/// Write all files of a container as a tar archive
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE",
    after_help = "Examples:\n  compose export -o web.tar web     write the container's files into an archive\n"
)]
pub struct ExportArgs {
    /// Number of the container, where a service has several
    #[arg(long, value_name = "int")]
    index: Option<i64>,
    /// File to write in place of stdout
    #[arg(short, long, value_name = "string")]
    output: Option<String>,
    #[arg(hide = true)]
    words: Vec<String>,
}

pub(super) async fn run(args: ExportArgs, context: &Context<'_>) -> Ended {
    let ExportArgs { index, output, words } = args;
    let service = match words.as_slice() {
        [service] => service,
        [] => return Err(Failure::Usage(too_few(1, 0))),
        _ => return Err(Failure::Usage(format!("accepts 1 arg(s), received {}", words.len()))),
    };
    let output = output.filter(|path| !path.is_empty());
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let found = containers::of_project(runtime.as_ref(), &project).await?;
    let container = containers::running_one(&found, service, index)?;
    if output.is_none() && context.io.stdout.is_terminal() {
        return Err(Failure::Hinted {
            message: "output option is required when exporting to terminal".to_owned(),
            hints: vec!["`-o FILE` writes the archive to a file; or redirect the output".to_owned()],
        });
    }
    let detail = Detail { dry_run: context.global.dry_run, ..Detail::default() };
    let display = RefCell::new(apply::display(context, &Road { detail, ..Road::new("export") }));
    let id = format!("{0} export {0} to {1}", container.name, output.as_deref().unwrap_or("stdout"));
    display.borrow_mut().status(&id, State::Working, "Exporting");
    let work = async {
        if context.global.dry_run {
            return Ok(());
        }
        let pieces = async || runtime.export_container(&container.id).await;
        match &output {
            Some(path) => write_file(context.environment.directory.join(path), path, pieces).await,
            None => write_stdout(context, pieces().await?).await,
        }
    };
    let work = context.unless_interrupted(work);
    let result = apply::with_ticks(&display, context.global.progress, work).await;
    let (state, word) = if result.is_ok() { (State::Done, "Exported") } else { (State::Error, "Error") };
    display.borrow_mut().status(&id, state, word);
    display.borrow_mut().finish();
    result.map(|()| 0).map_err(|failure| containers::named(failure, &container))
}

async fn write_stdout(context: &Context<'_>, mut pieces: ResultStream<Bytes>) -> Result<(), Failure> {
    while let Some(piece) = pieces.next().await {
        context.io.stdout.bytes(&piece?);
        if context.io.stdout.is_broken() {
            break;
        }
    }
    Ok(())
}

/// A file that is there is replaced only by a whole archive.
async fn write_file(
    path: PathBuf,
    shown: &str,
    pieces: impl AsyncFnOnce() -> crate::runtime::Result<ResultStream<Bytes>>,
) -> Result<(), Failure> {
    let told = |error: std::io::Error| Failure::Message(format!("failed to export container: {shown}: {error}"));
    let parent = path.parent().map(PathBuf::from).unwrap_or_default();
    if !parent.is_dir() {
        return Err(Failure::Message(format!(
            "failed to export container: invalid output path: directory \"{}\" does not exist",
            parent.display()
        )));
    }
    if fs::metadata(&path).is_ok_and(|data| !data.is_file()) {
        return Err(Failure::Message(format!("failed to export container: {shown} is no regular file")));
    }
    let mut pieces = pieces().await?;
    let mut name = path.clone().into_os_string();
    name.push(".part");
    let partial = Partial(PathBuf::from(name));
    let mut file = private(&partial.0).map_err(told)?;
    while let Some(piece) = pieces.next().await {
        file.write_all(&piece?).map_err(told)?;
    }
    file.flush().and_then(|()| fs::rename(&partial.0, &path)).map_err(told)
}

/// A file of a container may hold secrets: nobody else may read it.
fn private(path: &std::path::Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A file that is not whole yet, taken away when the work ends before it is.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
