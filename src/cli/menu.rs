//! Keys of an attached `up --menu`: watch files or not, leave the containers to themselves.

use std::pin::pin;

use tokio::sync::oneshot;

use crate::cli::attached::FilesWatched;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::terminal::Io;
use crate::cli::watching::Watching;
use crate::ui::progress::Mode;

/// Whether keys are taken: the flag, else COMPOSE_MENU; only on a terminal, and with the progress of one.
///
/// # Errors
/// The variable is no truth value.
pub(super) fn is_wanted(flag: Option<bool>, context: &Context<'_>) -> Result<bool, Failure> {
    let asked = match flag {
        Some(flag) => flag,
        None => context.environment.flag("COMPOSE_MENU")?.unwrap_or(false),
    };
    Ok(asked && context.global.progress == Mode::Tty && context.io.stdin_is_terminal && context.io.stdout.is_terminal())
}

/// Takes keys until the session ends; `watching` is what is watched from the beginning. What the keys do is a line
/// among the output, told anew whenever it changes or another key is pressed: nothing is drawn over what containers
/// write.
pub(super) async fn run<'a>(
    io: &Io,
    files: &FilesWatched<'a>,
    mut watching: Option<Watching<'a>>,
    leave: oneshot::Sender<()>,
) {
    let Some(_single_keys) = io.single_keys() else { return files.run(watching).await };
    let mut pieces = io.input();
    loop {
        let is_watching = watching.is_some();
        io.stdout.line(if is_watching { "  w Disable Watch   d Detach" } else { "  w Enable Watch   d Detach" });
        let current = watching.take();
        let mut going = pin!(async {
            match current {
                Some(current) => files.run(Some(current)).await,
                None => std::future::pending().await,
            }
        });
        let pressed = tokio::select! {
            biased;
            piece = pieces.recv() => piece.and_then(|piece| piece.last().copied()),
            () = &mut going => continue,
        };
        match pressed {
            // Nobody types any more.
            None => return going.await,
            Some(b'd' | b'D') => {
                // The session may be over already.
                let _ = leave.send(());
                return;
            }
            Some(b'w' | b'W') if is_watching => io.stdout.line("Watch disabled"),
            Some(b'w' | b'W') => match files.prepared() {
                Ok(prepared) => watching = Some(prepared),
                Err(failure) => files.warn(&failure),
            },
            Some(_) => {}
        }
    }
}
