//! Attached `up` and `logs` on a real engine: nothing is lost between start and attach, restarts are followed.

use async_trait::async_trait;
use std::io;
use std::pin::pin;
use std::time::Duration;

use compose::engine::session::{
    AttachedOptions, Drive, Ended, Ends, Key, LogLine, LogSink, LogsOptions, Status, attached_up, follow_logs, starts,
};
use compose::engine::{self, Ending, Event, Interrupts, Reporter, RunOptions};
use compose::planner::{self, DownOptions, Plan, Question, Stack, UpOptions};
use compose::resource::Builder;
use compose::runtime::Runtime;
use compose::spec::files::MemoryFiles;
use compose::spec::model::Project;
use compose::spec::{Request, load};
use futures::stream::{self, StreamExt};

use crate::contract_docker::engine;

const COMPOSE: &str = "
services:
  once:
    image: busybox:latest
    network_mode: none
    command: [sh, -c, 'echo out; echo err >&2; sleep 0.2; printf end']
  falls:
    image: busybox:latest
    network_mode: none
    restart: on-failure:2
    command: [sh, -c, 'echo falling; exit 3']
";

fn project(name: &str, compose: &str) -> Project {
    let files = MemoryFiles::default().with("/shop/compose.yaml", compose);
    let request = Request { cwd: "/shop".into(), project_name: Some(name.to_owned()), ..Request::default() };
    load(&request, &files).project.unwrap()
}

struct Quiet;

#[async_trait(?Send)]
impl Reporter for Quiet {
    fn planned(&mut self, _plan: &Plan) {}
    fn event(&mut self, _plan: &Plan, _event: &Event) {}
    async fn answer(&mut self, _question: &Question) -> Option<bool> {
        Some(true)
    }
}

#[derive(Default)]
struct Shown(Vec<String>);

impl Shown {
    fn of(&self, service: &str) -> Vec<&str> {
        self.0.iter().filter_map(|line| line.strip_prefix(service)?.strip_prefix(' ')).collect()
    }
}

impl LogSink for Shown {
    fn line(&mut self, line: &LogLine<'_>) -> io::Result<()> {
        self.0.push(format!("{} {}", line.container.service, String::from_utf8_lossy(line.text)));
        Ok(())
    }
    fn status(&mut self, status: &Status) -> io::Result<()> {
        if let Status::Exited { container, code, again } = status {
            self.0.push(format!("{} exited {code}{}", container.service, if *again { " again" } else { "" }));
        }
        Ok(())
    }
}

struct Stops<'a>(&'a dyn Runtime, &'a Project);

#[async_trait::async_trait(?Send)]
impl Ends for Stops<'_> {
    fn break_off(&self) {}
    async fn stop(&self) {
        let stack = Stack::of_project(self.1);
        let interest = planner::interest_in_stack(&stack.name, Some(&stack), false);
        let grace = Some(Duration::from_secs(1));
        let mut decide = |snapshot: &_, _: &_| planner::stop(&stack, snapshot, &[], grace);
        let (options, never) = (RunOptions::new(Builder::BuildKit), Interrupts::never());
        let _ = engine::apply(self.0, &interest, &options, &engine::NoHooks, &never, &mut decide, &mut Quiet).await;
    }
    async fn kill(&self) {}
}

/// An attached `up` with an interrupt after so long; what was shown and the exit code.
async fn up(runtime: &dyn Runtime, project: &Project, interrupt_after: Option<Duration>) -> (Shown, i64) {
    let (hooks, starts) = starts();
    let interest = planner::interest(project);
    let options = UpOptions { start: true, ..UpOptions::default() };
    let plan = async {
        let mut decide =
            |snapshot: &_, rounds: &engine::Rounds| planner::up(project, snapshot, &rounds.options(&options));
        let (options, never) = (RunOptions::new(Builder::BuildKit), Interrupts::never());
        match engine::apply(runtime, &interest, &options, &hooks, &never, &mut decide, &mut Quiet).await {
            Ok(applied) if applied.ending == Ending::Done => Ended::Done,
            _ => Ended::Failed,
        }
    };
    let mut sink = Shown::default();
    let keys = stream::iter(interrupt_after).then(|after| async move {
        tokio::time::sleep(after).await;
        Key::Interrupt
    });
    let mut keys = pin!(keys.chain(stream::pending()));
    let ends = Stops(runtime, project);
    let drive = Drive { runtime, project: &project.name, sink: &mut sink, keys: keys.as_mut() };
    let code = attached_up(drive, AttachedOptions::default(), plan, starts, &ends).await.unwrap().unwrap();
    (sink, code)
}

async fn logs(runtime: &dyn Runtime, project: &Project, options: LogsOptions) -> Shown {
    let mut sink = Shown::default();
    let mut keys = pin!(stream::pending());
    let drive = Drive { runtime, project: &project.name, sink: &mut sink, keys: keys.as_mut() };
    assert_eq!(follow_logs(drive, options).await.unwrap().unwrap(), 0);
    sink
}

async fn down(runtime: &dyn Runtime, project: &Project) {
    let stack = Stack::of_project(project);
    let interest = planner::interest_in_stack(&stack.name, Some(&stack), false);
    let goal = DownOptions { grace: Some(Duration::ZERO), ..DownOptions::default() };
    let mut decide = |snapshot: &_, _: &_| planner::down(&stack, snapshot, &goal);
    let (options, never) = (RunOptions::new(Builder::BuildKit), Interrupts::never());
    engine::apply(runtime, &interest, &options, &engine::NoHooks, &never, &mut decide, &mut Quiet).await.unwrap();
}

#[tokio::test]
async fn an_attached_up_shows_every_line_of_every_run() {
    let Some(runtime) = engine().await else { return };
    let project = project(&format!("compose-session-{}", std::process::id()), COMPOSE);
    let (shown, code) = up(&runtime, &project, None).await;
    let history = logs(&runtime, &project, LogsOptions::default()).await;
    down(&runtime, &project).await;
    let mut once = shown.of("once");
    once.sort_unstable();
    assert_eq!(once, ["end", "err", "exited 0", "out"], "{:?}", shown.0);
    let falls = shown.of("falls");
    let expected = ["falling", "exited 3 again", "falling", "exited 3 again", "falling", "exited 3"];
    assert_eq!(falls, expected, "{:?}", shown.0);
    assert_eq!(code, 0);
    let mut history = history.0;
    history.sort_unstable();
    assert_eq!(history, ["falls falling", "falls falling", "falls falling", "once end", "once err", "once out"]);
}

#[tokio::test]
async fn an_interrupt_stops_what_runs() {
    let Some(runtime) = engine().await else { return };
    let compose = "
services:
  a: {image: 'busybox:latest', network_mode: none, command: [sh, -c, 'trap \"echo bye; exit 5\" TERM; echo up; while :; do sleep 0.1; done']}
";
    let project = project(&format!("compose-session-int-{}", std::process::id()), compose);
    let (shown, code) = up(&runtime, &project, Some(Duration::from_secs(2))).await;
    down(&runtime, &project).await;
    assert_eq!(shown.0, ["a up", "a bye", "a exited 5"]);
    assert_eq!(code, 130);
}
