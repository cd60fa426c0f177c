//! Sessions on the fake: nothing is lost, order is kept, keys and ends do what they should.

use std::cell::RefCell;

use futures::FutureExt;
use insta::assert_snapshot;
use tokio::time::Instant;

use super::*;
use crate::engine::planned::Planned;
use crate::engine::session::{Cascade, Chosen};
use crate::engine::{Interrupts, RunOptions, run};
use crate::names::ServiceName;
use crate::planner::{ContainerRef, NodeId, Op, Plan};
use crate::resource::{Builder, ContainerSpec, Texts};
use crate::runtime::Containers;
use crate::runtime::fake::{Behaviour, Fake};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn labels_of(service: &str) -> Texts {
    [(labels::PROJECT, "shop"), (labels::SERVICE, service), (labels::NUMBER, "1"), (labels::ONE_OFF, "False")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Starts one container for each service, one after the other.
fn plan(services: &[&str]) -> Plan {
    let mut planned = Planned::new();
    let mut last: Vec<NodeId> = Vec::new();
    for service in services {
        let made = planned.create_with(service, &[], Vec::new(), |spec| spec.labels = labels_of(service));
        last = vec![planned.start(service, made, &last)];
    }
    planned.finish()
}

#[derive(Default)]
struct Shown(Vec<String>);

impl LogSink for Shown {
    fn line(&mut self, line: &LogLine<'_>) -> io::Result<()> {
        let time = line.time.map(|time| format!("{time} ")).unwrap_or_default();
        let text = String::from_utf8_lossy(line.text);
        self.0.push(format!("{} | {time}{text}", line.container.name));
        Ok(())
    }
    fn status(&mut self, status: &Status) -> io::Result<()> {
        self.0.push(match status {
            Status::Exited { container, code, again } => {
                format!("{} exited with code {code}{}", container.name, if *again { " (restarting)" } else { "" })
            }
            Status::Recreated(container) => format!("{} has been recreated", container.name),
            Status::Aborting => "aborting".to_owned(),
            Status::Stopping => "stopping".to_owned(),
            Status::NoOutput { container, error } => format!("{}: {error}", container.name),
        });
        Ok(())
    }
}

/// Stops and kills everything on the fake.
struct All<'a>(&'a Fake, RefCell<Vec<&'static str>>);

impl All<'_> {
    async fn end(&self, op: impl Fn(ContainerRef) -> Op) {
        let mut planned = Planned::new();
        for container in self.0.list_containers(&LabelFilter::default()).await.unwrap() {
            planned.on(container.name.as_str(), op(ContainerRef::Existing(container.id)), &[]);
        }
        let options = RunOptions::new(Builder::BuildKit);
        let hooks = crate::engine::NoHooks;
        run(&planned.finish(), self.0, &options, &hooks, &Interrupts::never(), &mut |_, _| {}).await;
    }
}

#[async_trait(?Send)]
impl Ends for All<'_> {
    fn break_off(&self) {
        self.1.borrow_mut().push("break off");
    }
    async fn stop(&self) {
        self.1.borrow_mut().push("stop");
        self.end(|container| Op::StopContainer { container, grace: None }).await;
    }
    async fn kill(&self) {
        self.1.borrow_mut().push("kill");
        self.end(|container| Op::SignalContainer { container, signal: "SIGKILL".to_owned() }).await;
    }
}

/// An attached `up` of these services with keys at these seconds; what was shown, the exit code, and how long it took.
async fn up(fake: &Fake, services: &[&str], options: AttachedOptions, keys: &[(u64, Key)]) -> (Vec<String>, i64, u64) {
    let begin = Instant::now();
    let (hooks, starts) = starts();
    let plan = plan(services);
    let run_options = RunOptions::new(Builder::BuildKit);
    let never = Interrupts::never();
    let mut ignore = |_: &Plan, _: &crate::engine::Event| {};
    let plan_end = run(&plan, fake, &run_options, &hooks, &never, &mut ignore)
        .map(|outcome| if outcome.is_success() { Ended::Done } else { Ended::Failed });
    let keys = stream::iter(keys.to_vec()).then(|(at, key)| async move {
        tokio::time::sleep_until(begin + seconds(at)).await;
        key
    });
    let mut keys = std::pin::pin!(keys);
    let mut sink = Shown::default();
    let ends = All(fake, RefCell::default());
    let project = ProjectName::new("shop");
    let drive = Drive { runtime: fake, project: &project, sink: &mut sink, keys: keys.as_mut() };
    let code = attached_up(drive, options, plan_end, starts, &ends).await.unwrap().unwrap();
    (sink.0, code, begin.elapsed().as_secs())
}

fn fake() -> Fake {
    Fake::new().with_images(&["app"])
}

#[tokio::test(start_paused = true)]
async fn everything_is_shown_from_the_first_line_on() {
    let fake = fake()
        .on("db", Behaviour::exits(0).says(Duration::ZERO, "first").complains(seconds(1), "second").after(seconds(2)))
        .on("web", Behaviour::exits(3).says(seconds(3), "third").after(seconds(4)));
    let (shown, code, after) = up(&fake, &["db", "web"], AttachedOptions::default(), &[]).await;
    assert_snapshot!(shown.join("\n"), @"
    db | first
    db | second
    db exited with code 0
    web | third
    web exited with code 3
    ");
    assert_eq!((code, after), (0, 4));
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_shows_what_comes_until_the_end() {
    let fake = fake().on("*", Behaviour::runs().says(seconds(7), "late").stops(seconds(5), 0));
    let keys = [(4, Key::Interrupt)];
    let (shown, code, after) = up(&fake, &["db"], AttachedOptions::default(), &keys).await;
    assert_snapshot!(shown.join("\n"), @"
    stopping
    db | late
    db exited with code 0
    ");
    assert_eq!((code, after), (130, 9));
}

#[tokio::test(start_paused = true)]
async fn the_second_interrupt_kills() {
    let fake = fake().on("*", Behaviour::runs().ignores_stop());
    let keys = [(4, Key::Interrupt), (6, Key::Interrupt)];
    let (shown, code, after) = up(&fake, &["db"], AttachedOptions::default(), &keys).await;
    assert_snapshot!(shown.join("\n"), @"
    stopping
    db exited with code 137
    ");
    assert_eq!((code, after), (130, 6));
}

#[tokio::test(start_paused = true)]
async fn an_exit_aborts_the_others() {
    let fake = fake().on("web", Behaviour::exits(3).after(seconds(2)));
    let options = AttachedOptions { cascade: Cascade::OnExit, ..AttachedOptions::default() };
    let (shown, code, after) = up(&fake, &["db", "web"], options, &[]).await;
    assert_snapshot!(shown.join("\n"), @"
    web exited with code 3
    aborting
    db exited with code 143
    ");
    assert_eq!((code, after), (3, 2));
}

#[tokio::test(start_paused = true)]
async fn a_restarting_container_is_followed_without_a_line_lost_or_twice() {
    let fake =
        fake().on("db", Behaviour::exits(1).says(Duration::ZERO, "begin").says(seconds(1), "end").after(seconds(2)));
    let mut planned = Planned::new();
    let made = planned.create_with("db", &[], Vec::new(), |spec| {
        spec.labels = labels_of("db");
        spec.host.restart_policy.name = "on-failure".to_owned();
        spec.host.restart_policy.maximum_retry_count = 2;
    });
    planned.start("db", made, &[]);
    let plan = planned.finish();
    let (hooks, starts) = starts();
    let run_options = RunOptions::new(Builder::BuildKit);
    let never = Interrupts::never();
    let mut ignore = |_: &Plan, _: &crate::engine::Event| {};
    let plan_end = run(&plan, &fake, &run_options, &hooks, &never, &mut ignore).map(|_| Ended::Done);
    let mut sink = Shown::default();
    let project = ProjectName::new("shop");
    let mut keys = std::pin::pin!(stream::pending());
    let drive = Drive { runtime: &fake, project: &project, sink: &mut sink, keys: keys.as_mut() };
    let code = attached_up(drive, AttachedOptions::default(), plan_end, starts, &NoEnds).await.unwrap().unwrap();
    assert_eq!(code, 0);
    assert_snapshot!(sink.0.join("\n"), @"
    db | begin
    db | end
    db exited with code 1 (restarting)
    db | begin
    db | end
    db exited with code 1 (restarting)
    db | begin
    db | end
    db exited with code 1
    ");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_shown_still_runs_and_ends() {
    let fake = fake().on("*", Behaviour::exits(0).says(seconds(1), "line").after(seconds(2)));
    let shown = Chosen::Only([ServiceName::new("web")].into());
    let options = AttachedOptions { shown, ..AttachedOptions::default() };
    let (shown, _, _) = up(&fake, &["db", "web"], options, &[]).await;
    assert_snapshot!(shown.join("\n"), @"
    web | line
    web exited with code 0
    ");
}

#[tokio::test(start_paused = true)]
async fn an_end_that_no_event_tells_is_seen_in_the_list() {
    let fake = fake().on("db", Behaviour::exits(0).after(seconds(5)));
    let breaking = async {
        tokio::time::sleep(Duration::from_millis(4900)).await;
        fake.break_event_streams();
    };
    let options = AttachedOptions::default;
    let ((shown, code, after), ()) = tokio::join!(up(&fake, &["db"], options(), &[]), breaking);
    assert_eq!((shown, code, after), (vec!["db exited with code 0".to_owned()], 0, 5));
}

/// Containers `db` and `web` that were started one after the other.
async fn running(fake: &Fake) -> Vec<ContainerId> {
    let mut ids = Vec::new();
    for service in ["db", "web"] {
        let spec = ContainerSpec {
            name: service.into(),
            image: "app".into(),
            labels: labels_of(service),
            ..ContainerSpec::default()
        };
        let id = fake.create_container(&spec).await.unwrap().id;
        fake.start_container(&id).await.unwrap();
        ids.push(id);
    }
    ids
}

async fn logs(fake: &Fake, options: LogsOptions, keys: &[(u64, Key)]) -> (Vec<String>, i64) {
    let begin = Instant::now();
    let keys = stream::iter(keys.to_vec()).then(|(at, key)| async move {
        tokio::time::sleep_until(begin + seconds(at)).await;
        key
    });
    let mut keys = std::pin::pin!(keys);
    let mut sink = Shown::default();
    let project = ProjectName::new("shop");
    let drive = Drive { runtime: fake, project: &project, sink: &mut sink, keys: keys.as_mut() };
    let code = follow_logs(drive, options).await.unwrap().unwrap();
    (sink.0, code)
}

#[tokio::test(start_paused = true)]
async fn logs_of_several_containers_come_in_the_order_of_time() {
    let fake = fake()
        .on("db", Behaviour::runs().says(seconds(1), "1").says(seconds(3), "3").says(seconds(5), "5"))
        .on("web", Behaviour::runs().says(seconds(2), "2").says(seconds(4), "4"));
    running(&fake).await;
    tokio::time::sleep(seconds(6)).await;
    let (shown, code) = logs(&fake, LogsOptions::default(), &[]).await;
    assert_eq!(code, 0);
    assert_eq!(shown, ["db | 1", "web | 2", "db | 3", "web | 4", "db | 5"]);
    let (shown, _) = logs(&fake, LogsOptions { tail: Some(1), timestamps: true, ..LogsOptions::default() }, &[]).await;
    assert_eq!(shown, ["web | 2026-01-01T00:00:04.000000000Z 4", "db | 2026-01-01T00:00:05.000000000Z 5"]);
    let services = Chosen::Only([ServiceName::new("web")].into());
    let (shown, _) = logs(&fake, LogsOptions { services, ..LogsOptions::default() }, &[]).await;
    assert_eq!(shown, ["web | 2", "web | 4"]);
}

#[tokio::test(start_paused = true)]
async fn followed_logs_go_on_with_what_starts_later_and_end_with_the_last() {
    let fake = fake()
        .on("db", Behaviour::runs().says(seconds(1), "1"))
        .on("web", Behaviour::exits(2).says(seconds(2), "2").after(seconds(4)));
    let ids = running(&fake).await;
    tokio::time::sleep(seconds(3)).await;
    let others = async {
        tokio::time::sleep(seconds(4)).await;
        fake.start_container(&ids[1]).await.unwrap();
        tokio::time::sleep(seconds(6)).await;
        fake.stop_container(&ids[0], None).await.unwrap();
    };
    let options = LogsOptions { follow: true, ..LogsOptions::default() };
    let ((shown, code), ()) = tokio::join!(logs(&fake, options, &[]), others);
    assert_eq!(code, 0);
    assert_snapshot!(shown.join("\n"), @"
    db | 1
    web | 2
    web exited with code 2
    web | 2
    web exited with code 2
    db exited with code 143
    ");
}

#[tokio::test(start_paused = true)]
async fn followed_logs_end_with_a_key() {
    let fake = fake();
    running(&fake).await;
    let options = LogsOptions { follow: true, ..LogsOptions::default() };
    assert_eq!(logs(&fake, options, &[(3, Key::Interrupt)]).await, (Vec::new(), 130));
}

struct Closed;

impl LogSink for Closed {
    fn line(&mut self, _line: &LogLine<'_>) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn status(&mut self, _status: &Status) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_reading_ends_it() {
    let fake = fake().on("*", Behaviour::runs().says(Duration::ZERO, "line"));
    running(&fake).await;
    let project = ProjectName::new("shop");
    let mut keys = std::pin::pin!(stream::pending());
    let drive = Drive { runtime: &fake, project: &project, sink: &mut Closed, keys: keys.as_mut() };
    let ended = follow_logs(drive, LogsOptions { follow: true, ..LogsOptions::default() }).await.unwrap();
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
}
