//! `attach`: this terminal in front of a container that is up.

use crate::cli::commands::Ended;
use crate::cli::commands::containers;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::foreground::{self, Seat};
use crate::cli::global::parse_bool;
use crate::cli::usage::too_few;
use crate::engine::session::{End, Process};
use crate::resource::ContainerState;
use crate::runtime::AttachOptions;

/// Connect this terminal to a container that is up
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS] SERVICE",
    after_help = "Examples:\n  compose attach web     see and feed what `web` runs in front; ctrl-p ctrl-q leaves it running\n"
)]
pub struct AttachArgs {
    /// Keys that end the connection
    #[arg(long, value_name = "string")]
    detach_keys: Option<String>,
    /// Number of the container, where a service has several
    #[arg(long, value_name = "int")]
    index: Option<i64>,
    /// Pass no input on
    #[arg(long)]
    no_stdin: bool,
    /// Pass signals on to the process
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = parse_bool)]
    sig_proxy: Option<bool>,
    #[arg(hide = true)]
    words: Vec<String>,
}

pub(super) async fn run(args: AttachArgs, context: &Context<'_>) -> Ended {
    let AttachArgs { detach_keys, index, no_stdin, sig_proxy, words } = args;
    let Some(service) = words.first() else { return Err(Failure::Usage(too_few(1, 0))) };
    if context.global.dry_run {
        return Err(Failure::message("interactive attach is not supported in dry-run mode"));
    }
    let detach_keys = foreground::detach_keys(detach_keys.as_deref(), context)?;
    let project = context.project_name()?;
    let runtime = context.runtime().await?;
    let looked = async {
        let found = containers::of_project(runtime.as_ref(), &project).await?;
        let container = containers::running_one(&found, service, index)?;
        let details = runtime.inspect_container(&container.id).await?;
        Ok((container, details))
    };
    let (container, details) = context.unless_interrupted(looked).await?;
    match details.state {
        ContainerState::Paused => {
            return Err(Failure::Hinted {
                message: "you cannot attach to a paused container, unpause it first".to_owned(),
                hints: vec![format!("compose unpause {service}")],
            });
        }
        ContainerState::Restarting => {
            return Err(Failure::message("you cannot attach to a restarting container, wait until it is running"));
        }
        _ => {}
    }
    let tty = details.spec.tty;
    let stdin = !no_stdin && details.spec.stdin_open;
    if tty && stdin && !context.io.stdin_is_terminal {
        let message = "the input device is not a TTY".to_owned();
        return Err(Failure::Hinted { message, hints: vec!["say --no-stdin to only look".to_owned()] });
    }
    let ending = runtime.watch_end(&container.id, false).await?;
    let keys = Some(detach_keys.clone()).filter(|keys| !keys.is_empty());
    let options = AttachOptions { stdin, logs: false, detach_keys: keys };
    let attached =
        runtime.attach(&container.id, &options).await.map_err(|error| containers::named(error, &container))?;
    let seat =
        Seat { tty, stdin, passes_signals: sig_proxy.unwrap_or(true), is_running: true, redraws: true, detach_keys };
    let process = Process::Container(container.id.clone(), ending);
    match seat.hold(context, runtime.as_ref(), process, attached, std::future::ready(true)).await? {
        End::Exited(0) | End::NotStarted => Ok(0),
        End::Exited(code) => Err(Failure::Container { code: u8::try_from(code).unwrap_or(1) }),
        End::Detached => Err(foreground::detached()),
        End::Left | End::Unheard => {
            let what = format!("container {}", container.name);
            Err(foreground::left(&what, &format!("compose stop {service} ends it")))
        }
    }
}
