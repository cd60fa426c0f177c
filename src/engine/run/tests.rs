//! Runs on the fake: order, width, failures, interrupts, late values, waits.

use std::cell::RefCell;
use std::time::Duration;

use insta::assert_snapshot;
use tokio::time::Instant;

use super::*;
use crate::engine::interrupts;
use crate::engine::outside::NoHooks;
use crate::engine::planned::{Planned, line};
use crate::names::ContainerId;
use crate::planner::{ContainerRef, Edge, HashPart, Late, Need, Until};
use crate::resource::{FileUpload, NetworkSpec, ResourceId};
use crate::runtime::fake::{Behaviour, ExecBehaviour, Fake};

fn fake() -> Fake {
    Fake::new().with_images(&["app"])
}

async fn told(plan: &Plan, fake: &Fake) -> (Vec<String>, Outcome) {
    told_with(plan, fake, &RunOptions::new(Builder::BuildKit), &Interrupts::never()).await
}

async fn told_with(plan: &Plan, fake: &Fake, options: &RunOptions, interrupts: &Interrupts) -> (Vec<String>, Outcome) {
    let mut lines = Vec::new();
    let mut on_event = |plan: &Plan, event: &Event| lines.push(line(plan, event));
    let outcome = run(plan, fake, options, &NoHooks, interrupts, &mut on_event).await;
    (lines, outcome)
}

#[tokio::test(start_paused = true)]
async fn dependents_come_after_and_the_rest_side_by_side() {
    let mut planned = Planned::new();
    let (_, db) = planned.up("db", &[]);
    planned.up("web", &[db]);
    let (lines, outcome) = told(&planned.finish(), &fake()).await;
    assert!(outcome.is_success());
    assert_eq!(outcome.made.len(), 2);
    assert_snapshot!(lines.join("\n"), @"
    begin #0 CreateContainer db
    begin #2 CreateContainer web
    end   #0 CreateContainer db
    begin #1 StartContainer db
    end   #2 CreateContainer web
    end   #1 StartContainer db
    begin #3 StartContainer web
    end   #3 StartContainer web
    ");
}

#[tokio::test(start_paused = true)]
async fn a_failure_skips_what_needs_it_and_nothing_else() {
    let fake = fake().on("db", Behaviour::runs().fails_to_start("no such program"));
    let mut planned = Planned::new();
    let (_, db) = planned.up("db", &[]);
    planned.up("web", &[db]);
    planned.up("other", &[]);
    let (lines, outcome) = told(&planned.finish(), &fake).await;
    assert_eq!(outcome.failed.len(), 1);
    let rest: Vec<&str> = lines.iter().map(String::as_str).filter(|line| !line.starts_with("begin")).collect();
    assert_snapshot!(rest.join("\n"), @"
    end   #0 CreateContainer db
    end   #2 CreateContainer web
    end   #4 CreateContainer other
    fail  #1 StartContainer db: failed to start container db: no such program
    skip  #3 StartContainer web because of #1
    end   #5 StartContainer other
    ");
}

#[tokio::test(start_paused = true)]
async fn what_is_optional_is_only_told() {
    let mut planned = Planned::new();
    let target = ResourceId::Image("nowhere".to_owned());
    let pull = planned.add(Op::PullImage { reference: "nowhere".to_owned(), platform: None }, target, &[]);
    planned.builder.optional(pull);
    planned.create("web", &[pull]);
    let (lines, outcome) = told(&planned.finish(), &fake()).await;
    assert!(outcome.is_success());
    assert_snapshot!(lines.join("\n"), @"
    begin #0 PullImage Image nowhere
    fail  #0 PullImage Image nowhere: failed to pull image nowhere: manifest for nowhere not found: manifest unknown: manifest unknown (optional)
    begin #1 CreateContainer web
    end   #1 CreateContainer web
    ");
}

#[tokio::test(start_paused = true)]
async fn no_more_at_once_than_allowed() {
    let fake = fake().with_latency(Duration::from_millis(100));
    for (parallel, expected) in [(None, 32), (Some(3), 3), (Some(1), 1)] {
        let mut planned = Planned::new();
        for number in 0..50 {
            planned.create(&format!("a-{parallel:?}-{number}"), &[]);
        }
        let options = RunOptions {
            parallel: parallel.and_then(std::num::NonZeroUsize::new),
            ..RunOptions::new(Builder::BuildKit)
        };
        fake.forget_calls();
        let (_, outcome) = told_with(&planned.finish(), &fake, &options, &Interrupts::never()).await;
        assert!(outcome.is_success());
        assert_eq!(fake.most_calls_at_once(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn long_stops_do_not_wait_for_each_other() {
    let fake = fake().on("*", Behaviour::runs().ignores_stop());
    let mut planned = Planned::new();
    for number in 0..50 {
        let (made, started) = planned.up(&format!("a-{number}"), &[]);
        let op = Op::StopContainer { container: ContainerRef::CreatedBy(made), grace: None };
        planned.on("a", op, &[started]);
    }
    let start = Instant::now();
    assert!(told(&planned.finish(), &fake).await.1.is_success());
    assert!(start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn waits_take_nobodys_place() {
    let fake = fake().on("db", Behaviour::runs().after(Duration::from_secs(60)));
    let mut planned = Planned::new();
    let (made, started) = planned.up("db", &[]);
    let done = planned.wait("db", made, Until::CompletedSuccessfully, None, started);
    planned.create("later", &[done]);
    planned.create("other", &[started]);
    let options = RunOptions { parallel: std::num::NonZeroUsize::new(1), ..RunOptions::new(Builder::BuildKit) };
    let (lines, outcome) = told_with(&planned.finish(), &fake, &options, &Interrupts::never()).await;
    assert!(outcome.is_success());
    assert_snapshot!(lines.join("\n"), @"
    begin #0 CreateContainer db
    end   #0 CreateContainer db
    begin #1 StartContainer db
    end   #1 StartContainer db
    begin #2 Await db
    begin #4 CreateContainer other
    end   #4 CreateContainer other
    end   #2 Await db
    begin #3 CreateContainer later
    end   #3 CreateContainer later
    ");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_lets_calls_end_and_cuts_waits() {
    let fake = fake().with_latency(Duration::from_secs(1)).on("db", Behaviour::runs());
    let mut planned = Planned::new();
    let (made, started) = planned.up("db", &[]);
    let wait = planned.wait("db", made, Until::Exited, None, started);
    planned.create("after", &[wait]);
    let slow = planned.create("slow", &[started]);
    planned.start("slow", slow, &[]);
    let plan = planned.finish();
    let (interrupter, interrupts) = interrupts();
    let interrupt = async {
        // While the creation of `slow` is under way.
        tokio::time::sleep(Duration::from_millis(2500)).await;
        interrupter.interrupt();
    };
    let options = RunOptions::new(Builder::BuildKit);
    let ((lines, outcome), ()) = tokio::join!(told_with(&plan, &fake, &options, &interrupts), interrupt);
    assert!(outcome.interrupted);
    assert_snapshot!(lines.join("\n"), @"
    begin #0 CreateContainer db
    end   #0 CreateContainer db
    begin #1 StartContainer db
    end   #1 StartContainer db
    begin #2 Await db
    begin #4 CreateContainer slow
    stopping
    end   #4 CreateContainer slow
    ");
}

#[tokio::test(start_paused = true)]
async fn a_second_interrupt_drops_what_runs() {
    let fake = fake().on("db", Behaviour::runs().ignores_stop());
    let mut planned = Planned::new();
    let (made, started) = planned.up("db", &[]);
    let op = Op::StopContainer { container: ContainerRef::CreatedBy(made), grace: Some(Duration::from_secs(3600)) };
    planned.on("db", op, &[started]);
    let plan = planned.finish();
    let (interrupter, interrupts) = interrupts();
    let interrupt = async {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            interrupter.interrupt();
        }
    };
    let start = Instant::now();
    let options = RunOptions::new(Builder::BuildKit);
    let ((lines, outcome), ()) = tokio::join!(told_with(&plan, &fake, &options, &interrupts), interrupt);
    assert!(outcome.interrupted);
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(lines.last().map(String::as_str), Some("stopping"));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_begins_after_the_interrupt_does_nothing() {
    let (interrupter, interrupts) = interrupts();
    interrupter.interrupt();
    let mut planned = Planned::new();
    planned.create("db", &[]);
    let options = RunOptions::new(Builder::BuildKit);
    let (lines, outcome) = told_with(&planned.finish(), &fake(), &options, &interrupts).await;
    assert!(outcome.interrupted);
    assert_eq!(lines, ["stopping"]);
}

#[tokio::test(start_paused = true)]
async fn late_values_are_ids_that_the_plan_makes() {
    let fake = fake();
    let mut planned = Planned::new();
    let db = planned.create("db", &[]);
    let of = || ContainerRef::CreatedBy(db);
    let parts = vec![HashPart::Text("x:".to_owned()), HashPart::IdOf(of())];
    let late = vec![
        Late::NetworkMode(of()),
        Late::IpcMode(of()),
        Late::PidMode(of()),
        Late::VolumesFrom(of()),
        Late::LabelSha256 { key: "hash".to_owned(), parts },
    ];
    let web = planned.create_with("web", &[db], late, |_| {});
    let (_, outcome) = told(&planned.finish(), &fake).await;
    let id = &outcome.made[&db];
    let found = crate::runtime::Containers::inspect_container(&fake, &outcome.made[&web]).await.unwrap().spec;
    let container = Some(format!("container:{id}"));
    assert_eq!(found.host.network_mode, container);
    assert_eq!(found.host.ipc_mode, container);
    assert_eq!(found.host.pid_mode, container);
    assert_eq!(found.host.volumes_from, [id.as_str()]);
    assert_eq!(found.labels["hash"], crate::runtime::fake::sha256(&format!("x:{id}")));
}

#[tokio::test(start_paused = true)]
async fn hooks_tell_their_lines_and_their_code() {
    let fake = fake()
        .on_exec("prepare", ExecBehaviour::exits(0).says("one").says("two"))
        .on_exec("break", ExecBehaviour::exits(3).says("oh no"));
    let mut planned = Planned::new();
    let (made, started) = planned.up("db", &[]);
    let hook = |command: &str| Op::RunHook {
        container: ContainerRef::CreatedBy(made),
        service: "db".into(),
        command: vec![command.to_owned()],
        environment: Vec::new(),
        user: None,
        working_dir: None,
        privileged: false,
    };
    let first = planned.on("db", hook("prepare"), &[started]);
    planned.on("db", hook("break"), &[first]);
    let (lines, _) = told(&planned.finish(), &fake).await;
    assert_snapshot!(lines[4..].join("\n"), @r#"
    begin #2 RunHook db
      #2 RunHook db Line("one")
      #2 RunHook db Line("two")
    end   #2 RunHook db
    begin #3 RunHook db
      #3 RunHook db Line("oh no")
    fail  #3 RunHook db: db hook exited with status 3: oh no
    "#);
}

#[tokio::test(start_paused = true)]
async fn files_are_put_into_the_container() {
    let fake = fake();
    let mut planned = Planned::new();
    let made = planned.create("db", &[]);
    let file =
        FileUpload { path: "/run/secrets/s".to_owned(), content: b"secret".to_vec(), mode: 0o440, owner: Some((7, 8)) };
    planned.on("db", Op::CopyInto { container: ContainerRef::CreatedBy(made), files: vec![file] }, &[made]);
    assert!(told(&planned.finish(), &fake).await.1.is_success());
    assert!(fake.dump(&[]).contains("file /run/secrets/s 440 7:8 6 bytes"), "{}", fake.dump(&[]));
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_is_removed_and_what_is_in_use_is_told() {
    let fake = fake();
    let mut planned = Planned::new();
    let spec = Box::new(NetworkSpec { name: "net".into(), ..NetworkSpec::default() });
    let net = planned.add(Op::CreateNetwork { spec }, ResourceId::Network("net".into()), &[]);
    let made = planned.create_with("db", &[net], Vec::new(), |spec| {
        spec.endpoints.insert("net".into(), crate::resource::Endpoint::default());
    });
    let started = planned.start("db", made, &[]);
    let on = |started| [Edge { node: started, need: Need::Success }];
    let remove = |network: &str| Op::RemoveNetwork { network: network.to_owned() };
    planned.add(remove("net"), ResourceId::Network("net".into()), &on(started));
    planned.add(remove("gone"), ResourceId::Network("gone".into()), &on(started));
    let gone = || ContainerRef::Existing(ContainerId::new("gone"));
    planned.on("gone", Op::RemoveContainer { container: gone(), force: true, volumes: false }, &[started]);
    planned.on("gone", Op::StopContainer { container: gone(), grace: None }, &[started]);
    let (lines, outcome) = told(&planned.finish(), &fake).await;
    assert!(outcome.is_success(), "{outcome:?}");
    let ends: Vec<&str> = lines.iter().map(String::as_str).filter(|line| line.starts_with("end")).collect();
    assert_snapshot!(ends[3..].join("\n"), @"
    end   #3 RemoveNetwork Network net [Resource is still in use]
    end   #4 RemoveNetwork Network gone [No resource found to remove]
    end   #5 RemoveContainer gone
    end   #6 StopContainer gone
    ");
}

#[tokio::test(start_paused = true)]
async fn a_pull_is_cut_at_once() {
    let fake = Fake::new().with_remote("big", Fake::image("big"), Duration::from_secs(600));
    let mut planned = Planned::new();
    let target = ResourceId::Image("big".to_owned());
    planned.add(Op::PullImage { reference: "big".to_owned(), platform: None }, target, &[]);
    let plan = planned.finish();
    let (interrupter, interrupts) = interrupts();
    let interrupt = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        interrupter.interrupt();
    };
    let start = Instant::now();
    let options = RunOptions::new(Builder::BuildKit);
    let ((_, outcome), ()) = tokio::join!(told_with(&plan, &fake, &options, &interrupts), interrupt);
    assert!(outcome.interrupted && start.elapsed().as_secs() == 5);
    assert!(!fake.dump(&[]).contains("image"));
}

struct Remembering(RefCell<Vec<(ContainerId, usize)>>, Fake);

#[async_trait::async_trait(?Send)]
impl Hooks for Remembering {
    async fn before_start(&self, container: &ContainerId) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let starts = self.1.calls().iter().filter(|call| call.starts_with("start")).count();
        self.0.borrow_mut().push((container.clone(), starts));
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_waits_for_those_who_attach() {
    let fake = fake();
    let mut planned = Planned::new();
    let (made, _) = planned.up("db", &[]);
    let hooks = Remembering(RefCell::default(), fake.clone());
    let options = RunOptions::new(Builder::BuildKit);
    let outcome = run(&planned.finish(), &fake, &options, &hooks, &Interrupts::never(), &mut |_, _| {}).await;
    assert_eq!(*hooks.0.borrow(), [(outcome.made[&made].clone(), 0)]);
}

/// Starts `db` with a healthcheck and waits; gives what the wait said and after how many seconds.
async fn waited(behaviour: Behaviour, policy: &str, until: Until, timeout: Option<u64>) -> (String, u64) {
    waited_on(&fake().on("db", behaviour), policy, until, timeout).await
}

async fn waited_on(fake: &Fake, policy: &str, until: Until, timeout: Option<u64>) -> (String, u64) {
    let mut planned = Planned::new();
    let made = planned.create_with("db", &[], Vec::new(), |spec| {
        let test = vec!["CMD".to_owned(), "true".to_owned()];
        spec.host.restart_policy.name = policy.to_owned();
        if until == Until::Healthy {
            spec.healthcheck = Some(crate::resource::Healthcheck { test, ..Default::default() });
        }
    });
    let started = planned.start("db", made, &[]);
    planned.wait("db", made, until, timeout, started);
    let start = Instant::now();
    let (_, outcome) = told(&planned.finish(), fake).await;
    let said = outcome.failed.first().map_or_else(|| "there".to_owned(), |(_, error)| error.to_string());
    (said, start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn waits_end_when_it_is_there_or_never_will_be() {
    let seconds = Duration::from_secs;
    let runs = Behaviour::runs;
    #[rustfmt::skip]
    let cases = [
        (runs().healthy_after(seconds(70)), "", Until::Healthy, None, "there", 70),
        (runs().unhealthy_after(seconds(30)), "", Until::Healthy, None, "container db is unhealthy", 30),
        (runs().healthy_after(seconds(70)).after(seconds(5)), "", Until::Healthy, None, "container db exited (0)", 5),
        (runs().healthy_after(seconds(70)), "", Until::Healthy, Some(8), "container db is not ready after 8s", 8),
        (runs(), "", Until::RunningOrHealthy, None, "there", 0),
        (Behaviour::exits(0).after(seconds(3)), "", Until::CompletedSuccessfully, None, "there", 3),
        (Behaviour::exits(4).after(seconds(3)), "", Until::CompletedSuccessfully, None, "service \"db\" didn't complete successfully: exit 4", 3),
        (Behaviour::exits(4).after(seconds(3)), "", Until::Exited, None, "there", 3),
        (Behaviour::exits(9), "always", Until::RunningOrHealthy, None, "container db keeps restarting, its last exit code is 9", 0),
    ];
    for (behaviour, policy, until, timeout, expected, after) in cases {
        let case = format!("{behaviour:?} {until:?}");
        assert_eq!(waited(behaviour, policy, until, timeout).await, (expected.to_owned(), after), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_outlives_the_loss_of_the_event_stream() {
    let fake = fake().on("db", Behaviour::runs().healthy_after(Duration::from_secs(35)));
    let breaking = async {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(7)).await;
            fake.break_event_streams();
        }
    };
    let (waited, ()) = tokio::join!(waited_on(&fake, "", Until::Healthy, None), breaking);
    assert_eq!(waited, ("there".to_owned(), 35));
    let subscriptions = fake.calls().iter().filter(|call| *call == "listen to events").count();
    assert_eq!(subscriptions, 4);
}

#[tokio::test(start_paused = true)]
async fn waits_share_one_subscription_and_do_not_poll() {
    let fake = fake().on("*", Behaviour::runs().healthy_after(Duration::from_secs(8)));
    let mut planned = Planned::new();
    for number in 0..20 {
        let name = format!("db-{number}");
        let made = planned.create_with(&name, &[], Vec::new(), |spec| {
            let test = vec!["CMD".to_owned(), "true".to_owned()];
            spec.healthcheck = Some(crate::resource::Healthcheck { test, ..Default::default() });
        });
        let started = planned.start(&name, made, &[]);
        planned.wait(&name, made, Until::Healthy, None, started);
    }
    assert!(told(&planned.finish(), &fake).await.1.is_success());
    let count = |word: &str| fake.calls().iter().filter(|call| call.starts_with(word)).count();
    assert_eq!(count("listen"), 1);
    assert_eq!(count("inspect"), 20 * 3);
}
