//! The commands: one file each, its flags with their help, and what it does.

pub mod alpha;
pub mod attach;
pub mod bridge;
pub mod build;
pub mod commit;
pub mod completion;
pub mod config;
pub mod containers;
pub mod cp;
pub mod create;
pub mod down;
pub mod events;
pub mod exec;
pub mod explain;
pub mod export;
pub mod format;
pub mod generate;
pub mod images;
pub mod install_plugin;
pub mod kill;
pub mod lint;
pub mod logs;
pub mod ls;
pub mod man;
mod metrics;
mod one_off;
pub mod pause;
pub mod plan;
pub mod port;
pub mod ps;
pub mod publish;
pub mod pull;
pub mod push;
pub mod restart;
pub mod rm;
pub mod run;
pub mod scale;
pub mod start;
pub mod stats;
pub mod stop;
pub mod top;
pub mod up;
pub mod version;
pub mod viz;
pub mod volumes;
pub mod wait;
pub mod watch;
pub mod why;

use crate::cli::context::Context;
use crate::cli::failure::Failure;

/// An exit code, or why there is none.
pub type Ended = Result<u8, Failure>;

/// All commands.
#[derive(clap::Subcommand, Clone, Debug)]
pub enum Command {
    Attach(attach::AttachArgs),
    #[command(subcommand)]
    Bridge(bridge::BridgeCommand),
    #[command(subcommand, hide = true)]
    Alpha(alpha::AlphaCommand),
    Build(build::BuildArgs),
    Commit(commit::CommitArgs),
    Completion(completion::CompletionArgs),
    Config(config::ConfigArgs),
    Cp(cp::CpArgs),
    Create(create::CreateArgs),
    Down(down::DownArgs),
    Events(events::EventsArgs),
    Exec(exec::ExecArgs),
    Explain(explain::ExplainArgs),
    Export(export::ExportArgs),
    Images(images::ImagesArgs),
    InstallPlugin(install_plugin::InstallPluginArgs),
    Kill(kill::KillArgs),
    Lint(lint::LintArgs),
    Logs(logs::LogsArgs),
    Ls(ls::LsArgs),
    #[command(hide = true)]
    Man(man::ManArgs),
    Pause(pause::PauseArgs),
    Plan(plan::PlanArgs),
    Port(port::PortArgs),
    Ps(ps::PsArgs),
    Publish(publish::PublishArgs),
    Pull(pull::PullArgs),
    Push(push::PushArgs),
    Restart(restart::RestartArgs),
    Rm(rm::RmArgs),
    Run(run::RunArgs),
    Scale(scale::ScaleArgs),
    Start(start::StartArgs),
    Stats(stats::StatsArgs),
    Stop(stop::StopArgs),
    Top(top::TopArgs),
    Unpause(pause::UnpauseArgs),
    Up(up::UpArgs),
    Version(version::VersionArgs),
    Volumes(volumes::VolumesArgs),
    Wait(wait::WaitArgs),
    Watch(watch::WatchArgs),
    Why(why::WhyArgs),
}

impl Command {
    /// Whether it reads no file at all, not even `.env`.
    pub fn needs_nothing(&self) -> bool {
        matches!(self, Self::Version(_) | Self::Completion(_) | Self::InstallPlugin(_) | Self::Man(_))
    }

    /// Does it. Each command is a future on the heap: together they would be too large for small stacks.
    pub async fn run(self, context: &Context<'_>) -> Ended {
        match self {
            Self::Attach(args) => Box::pin(attach::run(args, context)).await,
            Self::Alpha(alpha::AlphaCommand::Viz(args)) => viz::run(&args, context),
            Self::Alpha(alpha::AlphaCommand::Generate(args)) => {
                Box::pin(context.unless_interrupted(generate::run(args, context))).await
            }
            Self::Bridge(command) => Box::pin(bridge::run(command, context)).await,
            Self::Build(args) => Box::pin(build::run(args, context)).await,
            Self::Commit(args) => Box::pin(commit::run(args, context)).await,
            Self::Completion(args) => completion::run(&args, context),
            Self::Config(args) => Box::pin(config::run(args, context)).await,
            Self::Cp(args) => Box::pin(cp::run(args, context)).await,
            Self::Create(args) => Box::pin(create::run(args, context)).await,
            Self::Down(args) => Box::pin(down::run(args, context)).await,
            Self::Events(args) => Box::pin(context.unless_interrupted(events::run(args, context))).await,
            Self::Exec(args) => Box::pin(exec::run(args, context)).await,
            Self::Explain(args) => explain::run(&args, context),
            Self::Export(args) => Box::pin(export::run(args, context)).await,
            Self::Images(args) => Box::pin(context.unless_interrupted(images::run(args, context))).await,
            Self::InstallPlugin(args) => install_plugin::run(&args, context),
            Self::Kill(args) => Box::pin(kill::run(args, context)).await,
            Self::Lint(args) => lint::run(&args, context),
            Self::Logs(args) => Box::pin(context.unless_interrupted(logs::run(args, context))).await,
            Self::Ls(args) => Box::pin(context.unless_interrupted(ls::run(args, context))).await,
            Self::Man(args) => man::run(&args, context),
            Self::Pause(args) => Box::pin(pause::pause(args, context)).await,
            Self::Plan(args) => Box::pin(plan::run(args, context)).await,
            Self::Port(args) => Box::pin(context.unless_interrupted(port::run(args, context))).await,
            Self::Ps(args) => Box::pin(context.unless_interrupted(ps::run(args, context))).await,
            Self::Publish(args) | Self::Alpha(alpha::AlphaCommand::Publish(args)) => {
                Box::pin(publish::run(args, context)).await
            }
            Self::Pull(args) => Box::pin(pull::run(args, context)).await,
            Self::Push(args) => Box::pin(push::run(args, context)).await,
            Self::Restart(args) => Box::pin(restart::run(args, context)).await,
            Self::Rm(args) => Box::pin(rm::run(args, context)).await,
            Self::Run(args) => Box::pin(run::run(args, context)).await,
            Self::Scale(args) => Box::pin(scale::run(args, context)).await,
            Self::Start(args) => Box::pin(start::run(args, context)).await,
            Self::Stats(args) => Box::pin(context.unless_interrupted(stats::run(args, context))).await,
            Self::Stop(args) => Box::pin(stop::run(args, context)).await,
            Self::Top(args) => Box::pin(context.unless_interrupted(top::run(args, context))).await,
            Self::Unpause(args) => Box::pin(pause::unpause(args, context)).await,
            Self::Up(args) => Box::pin(up::run(args, context)).await,
            Self::Version(args) => version::run(&args, context),
            Self::Volumes(args) => Box::pin(context.unless_interrupted(volumes::run(args, context))).await,
            Self::Wait(args) => Box::pin(wait::run(args, context)).await,
            Self::Watch(args) => Box::pin(watch::run(args, context)).await,
            Self::Why(args) => Box::pin(why::run(args, context)).await,
        }
    }

    /// Whether every question was answered with yes beforehand.
    pub fn says_yes(&self) -> bool {
        match self {
            Self::Up(args) => args.yes,
            Self::Create(args) => args.yes,
            Self::Publish(args) => args.yes,
            _ => false,
        }
    }
}
