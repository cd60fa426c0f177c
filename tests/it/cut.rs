//! Every run cut off at every single call, in every way: the next run must end as an undisturbed one does, names
//! included, and no volume may be lost.

use std::time::Duration;

use async_trait::async_trait;
use compose::engine::{self, Applied, Ending, Event, Interrupts, NoHooks, Reporter, Rounds, RunOptions};
use compose::names::VolumeName;
use compose::planner::{self, DownOptions, Plan, Question, Stack, UpOptions, interest, interest_in_stack, to_text};
use compose::resource::{Builder, ImageDetails, Snapshot};
use compose::runtime;
use compose::runtime::fake::{Behaviour, Cut, Fake, Then};
use compose::spec::files::MemoryFiles;
use compose::spec::model::Project;
use compose::spec::{Request, load};

/// What is done to a project.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    Up(&'static str),
    /// With volumes?
    Down(&'static str, bool),
}

/// A world, and what is done in it.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) before: Option<&'static str>,
    pub(crate) goal: Goal,
    /// Labels whose value may be another one after a cut, by the beginning of their key.
    pub(crate) may_differ: &'static [&'static str],
}

/// Texts that only explain are no part of what a container is.
const NOT_COMPARED: &[&str] = &["dev.compose."];

fn project(compose: &str) -> Project {
    let files = MemoryFiles::default().with("/shop/compose.yaml", compose);
    let request = Request { cwd: "/shop".into(), ..Request::default() };
    let loaded = load(&request, &files);
    loaded.project.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

fn engine_with_images() -> Fake {
    let with_volume = ImageDetails { volumes: vec!["/data".to_owned()], ..Fake::image("db") };
    let checked = ImageDetails { has_healthcheck: true, ..Fake::image("checked") };
    Fake::new()
        .with_images(&["app:1", "app:2"])
        .with_image("db", with_volume)
        .with_image("checked", checked)
        .with_remote("far", Fake::image("far"), Duration::ZERO)
        .on("*pre_start*", Behaviour::exits(0))
        .on("*once-*", Behaviour::exits(0).after(Duration::from_secs(1)))
}

struct Silent(Vec<String>);

#[async_trait(?Send)]
impl Reporter for Silent {
    fn planned(&mut self, plan: &Plan) {
        self.0.push(to_text(plan));
    }
    fn event(&mut self, _plan: &Plan, event: &Event) {
        if let Event::Failed { error, .. } = event {
            self.0.push(format!("failed: {error}"));
        }
    }
    async fn answer(&mut self, _question: &Question) -> Option<bool> {
        Some(true)
    }
}

/// A goal with its project loaded.
enum Task {
    Up(Box<Project>),
    Down(Stack, bool),
}

impl Goal {
    /// The compose file.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Up(compose) | Self::Down(compose, _) => compose,
        }
    }
    fn load(self) -> Task {
        match self {
            Self::Up(compose) => Task::Up(Box::new(project(compose))),
            Self::Down(compose, volumes) => Task::Down(Stack::of_project(&project(compose)), volumes),
        }
    }
}

/// One command; what it planned and what failed, for the message of a test that fails.
async fn command(fake: &Fake, task: &Task) -> (runtime::Result<Applied>, String) {
    let up = UpOptions { start: true, remove_orphans: true, ..UpOptions::default() };
    let interest = match task {
        Task::Up(project) => interest(project),
        Task::Down(stack, _) => interest_in_stack(&stack.name, Some(stack), false),
    };
    let mut decide = |snapshot: &Snapshot, rounds: &Rounds| match task {
        Task::Up(project) => planner::up(project, snapshot, &rounds.options(&up)),
        Task::Down(stack, volumes) => {
            let options = DownOptions { volumes: *volumes, ..DownOptions::default() };
            planner::down(stack, snapshot, &options)
        }
    };
    let mut reporter = Silent(Vec::new());
    let options = RunOptions::new(Builder::BuildKit);
    let never = Interrupts::never();
    let applied = engine::apply(fake, &interest, &options, &NoHooks, &never, &mut decide, &mut reporter).await;
    (applied, reporter.0.join("\n"))
}

#[track_caller]
fn assert_done((applied, told): (runtime::Result<Applied>, String), what: &str) {
    match applied {
        Ok(applied) if applied.ending == Ending::Done => {}
        Ok(applied) => panic!("{what}: {:?} {:?}\n{told}", applied.ending, applied.outcome.failed),
        Err(error) => panic!("{what}: {error}\n{told}"),
    }
}

impl Scenario {
    async fn world(&self) -> Fake {
        let fake = engine_with_images();
        if let Some(before) = self.before {
            assert_done(command(&fake, &Goal::Up(before).load()).await, self.name);
            fake.fill_volumes("old data");
        }
        fake
    }

    fn dump(&self, fake: &Fake) -> String {
        let without: Vec<&str> = NOT_COMPARED.iter().chain(self.may_differ).copied().collect();
        fake.dump(&without)
    }

    async fn check(&self) {
        let task = &self.goal.load();
        let world = self.world().await;
        let undisturbed = world.fork();
        assert_done(command(&undisturbed, task).await, self.name);
        let calls = undisturbed.calls();
        let expected = self.dump(&undisturbed);
        for (at, call) in calls.iter().enumerate() {
            for cut in Cut::ALL {
                for then in [Then::Silence, Then::GoOn] {
                    let what = format!("{}: cut at call {at} ({call}), {cut:?}, then {then:?}", self.name);
                    let fake = world.fork();
                    fake.cut_at(at, cut, then);
                    let (_, first) = command(&fake, task).await;
                    fake.revive();
                    let second = command(&fake, task).await;
                    let told = format!("first:\n{first}\nthen:\n{}", second.1);
                    assert_done(second, &what);
                    if cut == Cut::AfterNextLook {
                        // What is late and came after all of that is mended by one more run.
                        fake.settle();
                        assert_done(command(&fake, task).await, &what);
                    }
                    let found = self.dump(&fake);
                    assert!(found == expected, "{what}\n{told}\nexpected:\n{expected}\nfound:\n{found}");
                }
            }
        }
    }
}

/// Cuts one call of a scenario, at this part of its run; an error tells what went wrong.
pub(crate) async fn cut_once(scenario: &Scenario, at: f64, cut: usize, silent: bool) -> Result<(), String> {
    let done = |(applied, told): (runtime::Result<Applied>, String), what: &str| match applied {
        Ok(applied) if applied.ending == Ending::Done => Ok(told),
        Ok(applied) => Err(format!("{what}: {:?} {:?}\n{told}", applied.ending, applied.outcome.failed)),
        Err(error) => Err(format!("{what}: {error}\n{told}")),
    };
    let world = engine_with_images();
    if let Some(before) = scenario.before {
        done(command(&world, &Goal::Up(before).load()).await, "before")?;
        world.fill_volumes("old data");
    }
    let task = &scenario.goal.load();
    let undisturbed = world.fork();
    done(command(&undisturbed, task).await, "undisturbed")?;
    let calls = undisturbed.calls();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "few calls"
    )]
    let at = ((calls.len() as f64 * at) as usize).min(calls.len().saturating_sub(1));
    let cut = Cut::ALL[cut];
    let what = format!("cut at call {at} ({}), {cut:?}, silent: {silent}", calls[at]);
    let fake = world.fork();
    fake.cut_at(at, cut, if silent { Then::Silence } else { Then::GoOn });
    let (_, first) = command(&fake, task).await;
    fake.revive();
    let mut second = done(command(&fake, task).await, &what).map_err(|error| format!("{error}\nfirst:\n{first}"))?;
    if cut == Cut::AfterNextLook {
        fake.settle();
        second.push_str(&done(command(&fake, task).await, &what)?);
    }
    let (expected, found) = (scenario.dump(&undisturbed), scenario.dump(&fake));
    let told = || format!("{what}\nfirst:\n{first}\nthen:\n{second}\nexpected:\n{expected}\nfound:\n{found}");
    if found == expected { Ok(()) } else { Err(told()) }
}

const SHOP: &str = "
services:
  db:
    image: db
    environment: {A: '1'}
    volumes: ['named:/named']
    healthcheck: {test: ['CMD', 'true']}
  web:
    image: app:1
    depends_on: {db: {condition: service_healthy}}
    networks: [default, back]
networks: {back: {}}
volumes: {named: {}}
";

const SHOP_CHANGED: &str = "
services:
  db:
    image: db
    environment: {A: '2'}
    volumes: ['named:/named']
    healthcheck: {test: ['CMD', 'true']}
  web:
    image: app:2
    depends_on: {db: {condition: service_healthy}}
    networks: [default, back]
networks: {back: {}}
volumes: {named: {}}
";

async fn check(name: &'static str, before: Option<&'static str>, goal: Goal) {
    Scenario { name, before, goal, may_differ: &[] }.check().await;
}

#[tokio::test(start_paused = true)]
async fn a_first_up() {
    check("a first up", None, Goal::Up(SHOP)).await;
}

#[tokio::test(start_paused = true)]
async fn an_up_that_changes_nothing() {
    check("an up that changes nothing", Some(SHOP), Goal::Up(SHOP)).await;
}

#[tokio::test(start_paused = true)]
async fn an_up_that_recreates() {
    check("an up that recreates", Some(SHOP), Goal::Up(SHOP_CHANGED)).await;
}

#[tokio::test(start_paused = true)]
async fn downs() {
    check("down", Some(SHOP), Goal::Down(SHOP, false)).await;
    check("down with volumes", Some(SHOP), Goal::Down(SHOP, true)).await;
}

#[tokio::test(start_paused = true)]
async fn down_takes_away_what_a_cut_up_left() {
    let before = Scenario { name: "up, cut", before: Some(SHOP), goal: Goal::Up(SHOP_CHANGED), may_differ: &[] };
    let (up, down) = (before.goal.load(), Goal::Down(SHOP_CHANGED, true).load());
    let world = before.world().await;
    let undisturbed = world.fork();
    assert_done(command(&undisturbed, &up).await, "up");
    let empty = engine_with_images().dump(&[]);
    for at in 0..undisturbed.calls().len() {
        for cut in Cut::ALL {
            let fake = world.fork();
            fake.cut_at(at, cut, Then::Silence);
            let (_, told) = command(&fake, &up).await;
            fake.revive();
            fake.settle();
            assert_done(command(&fake, &down).await, "down");
            let left = fake.dump(&[]);
            assert!(left == empty, "cut at call {at}, {cut:?}\n{told}\nleft:\n{left}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn scaling() {
    let one = "services: {a: {image: db, environment: {A: '1'}}}";
    let three = "services: {a: {image: db, environment: {A: '1'}, scale: 3}}";
    let two_changed = "services: {a: {image: db, environment: {A: '2'}, scale: 2}}";
    check("scale up", Some(one), Goal::Up(three)).await;
    check("scale down", Some(three), Goal::Up(one)).await;
    check("scale down and change", Some(three), Goal::Up(two_changed)).await;
}

#[tokio::test(start_paused = true)]
async fn shared_namespaces_and_volumes() {
    let before = "
services:
  a: {image: db, environment: {A: '1'}}
  b: {image: 'app:1', network_mode: 'service:a', volumes_from: [a]}
";
    let after = "
services:
  a: {image: db, environment: {A: '2'}}
  b: {image: 'app:1', network_mode: 'service:a', volumes_from: [a]}
";
    // The hash of `b` hangs on the id of the container of `a`.
    let may_differ = &["com.docker.compose.config-hash"];
    for (before, goal) in [(None, Goal::Up(before)), (Some(before), Goal::Up(after))] {
        Scenario { name: "shared namespaces", before, goal, may_differ }.check().await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_shots_and_hooks() {
    let compose = "
services:
  once: {image: 'app:1'}
  web:
    image: 'app:1'
    depends_on: {once: {condition: service_completed_successfully}}
    post_start: [{command: ['prepare']}]
    pre_stop: [{command: ['finish']}]
";
    check("one-shots", None, Goal::Up(compose)).await;
    check("one-shots again", Some(compose), Goal::Up(compose)).await;
    check("one-shots down", Some(compose), Goal::Down(compose, false)).await;
}

#[tokio::test(start_paused = true)]
async fn steps_before_a_start() {
    let before = "
services:
  web:
    image: 'app:1'
    pre_start: [{command: ['migrate']}, {command: ['warm'], image: 'app:2'}]
    volumes: ['v:/v']
volumes: {v: {}}
";
    let after = before.replace("'v:/v'", "'v:/w'").leak();
    check("steps", None, Goal::Up(before)).await;
    check("steps again", Some(before), Goal::Up(before)).await;
    check("steps of a service that changes", Some(before), Goal::Up(after)).await;
    check("steps, down", Some(before), Goal::Down(before, true)).await;
}

#[tokio::test(start_paused = true)]
async fn networks_and_volumes_that_change() {
    let before = "
services: {a: {image: 'app:1', volumes: ['v:/v'], networks: [n]}}
networks: {n: {labels: {x: '1'}}}
volumes: {v: {labels: {x: '1'}}}
";
    let network = "
services: {a: {image: 'app:1', volumes: ['v:/v'], networks: [n]}}
networks: {n: {labels: {x: '2'}}}
volumes: {v: {labels: {x: '1'}}}
";
    let volume = "
services: {a: {image: 'app:1', volumes: ['v:/v'], networks: [n]}}
networks: {n: {labels: {x: '1'}}}
volumes: {v: {labels: {x: '2'}}}
";
    check("a network that changes", Some(before), Goal::Up(network)).await;
    check("a volume that changes", Some(before), Goal::Up(volume)).await;
}

#[tokio::test(start_paused = true)]
async fn orphans_and_renamed_services() {
    let before = "services: {old: {image: db}, kept: {image: 'app:1'}}";
    let after = "services: {new: {image: db}, kept: {image: 'app:1'}}";
    let named = "services: {old: {image: db}, kept: {image: 'app:1', container_name: mine}}";
    check("orphans", Some(before), Goal::Up(after)).await;
    check("a container name", Some(before), Goal::Up(named)).await;
    check("no container name", Some(named), Goal::Up(before)).await;
}

#[tokio::test(start_paused = true)]
async fn images_that_are_pulled_and_built() {
    let compose = "
services:
  far: {image: far}
  made:
    build: {context: ., dockerfile_inline: 'FROM scratch'}
";
    check("pulled and built", None, Goal::Up(compose)).await;
}

#[tokio::test(start_paused = true)]
async fn files_from_configs_and_secrets() {
    let before = "
services: {a: {image: 'app:1', configs: [c]}}
configs: {c: {content: one}}
";
    let after = "
services: {a: {image: 'app:1', configs: [c]}}
configs: {c: {content: longer}}
";
    check("configs", None, Goal::Up(before)).await;
    check("configs that change", Some(before), Goal::Up(after)).await;
}

#[tokio::test(start_paused = true)]
async fn a_volume_keeps_what_it_holds_when_its_container_is_made_anew() {
    let fake = engine_with_images();
    assert_done(command(&fake, &Goal::Up(SHOP).load()).await, "before");
    fake.fill_volumes("old data");
    assert_done(command(&fake, &Goal::Up(SHOP_CHANGED).load()).await, "after");
    assert_eq!(fake.volume_content(&VolumeName::new("shop_named")), Some("old data".to_owned()));
    let mounts: Vec<String> =
        fake.dump(&[]).lines().filter(|line| line.contains("mount")).map(|line| line.trim().to_owned()).collect();
    assert_eq!(mounts, ["mount /data volume anonymous with old data", "mount /named volume shop_named with old data"]);
}
