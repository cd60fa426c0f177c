//! `--dry-run` on every command: the plan is told, and no call changes anything.

use compose::cli::arguments::definitions;
use compose::runtime::fake::Fake;

use crate::cli::World;

const SHOP: &str = "
services:
  web:
    image: nginx:1
    build: .
    environment: {LOG_LEVEL: info}
    depends_on: [db]
  db:
    image: postgres:15
    volumes: ['data:/data']
volumes: {data: {}}
";

/// Commands with the words they need; all others are called with `web`.
const WORDS: &[(&str, &[&str])] = &[
    ("up", &["up -d", "up", "up -d --build --force-recreate -V --remove-orphans", "up -d --pull always --scale web=3"]),
    ("down", &["down", "down -v --rmi all --remove-orphans", "down web"]),
    ("create", &["create", "create --force-recreate --build"]),
    ("start", &["start"]),
    ("stop", &["stop", "stop web"]),
    ("restart", &["restart"]),
    ("kill", &["kill", "kill -s HUP web"]),
    ("pause", &["pause"]),
    ("unpause", &["unpause"]),
    ("rm", &["rm -sfv", "rm -f web"]),
    ("scale", &["scale web=3", "scale web=0"]),
    ("build", &["build", "build --push"]),
    ("pull", &["pull", "pull --include-deps"]),
    ("push", &["push"]),
    ("run", &["run -d --build web true"]),
    ("commit", &["commit web web:x"]),
    ("cp", &["cp web:/etc/passwd /nowhere"]),
    ("exec", &["exec web true", "exec -d web true"]),
    ("attach", &["attach web"]),
];

/// Commands that stay until something ends, or touch no engine.
const OTHERS: &[&str] = &[
    "events",
    "logs",
    "stats",
    "alpha",
    "bridge",
    "watch",
    "wait",
    "help",
    "man",
    "completion",
    "install-plugin",
    "__complete",
];

/// Whether a call of the fake only looks.
fn is_look(call: &str) -> bool {
    let looks = ["list ", "find ", "inspect ", "ask the engine ", "read ", "wait for ", "logs of ", "follow "];
    looks.iter().any(|look| call.starts_with(look))
}

#[tokio::test(start_paused = true)]
async fn no_command_changes_anything() {
    let world = || World::new(SHOP, &["nginx:1", "postgres:15"]);
    let remote = |fake: Fake| {
        let image = Fake::image("newer");
        fake.with_remote("nginx:1", image, std::time::Duration::ZERO)
    };
    let mut tried = 0;
    for command in definitions().get_subcommands().map(clap::Command::get_name) {
        if OTHERS.contains(&command) {
            continue;
        }
        let usual = format!("{command} web");
        let known = WORDS.iter().find(|(name, _)| *name == command);
        let lines = known.map_or_else(|| vec![usual.as_str()], |(_, lines)| lines.to_vec());
        for line in lines {
            // On nothing, on what runs, on what is stopped and changed.
            for state in ["", "up -d", "up -d|stop|changed"] {
                let mut world = world().with_fake(remote);
                for step in state.split('|').filter(|step| !step.is_empty()) {
                    if step == "changed" {
                        world = world.with_file(
                            "/shop/compose.yaml",
                            &SHOP.replace("info", "debug").replace("db:\n", "sql:\n").replace("[db]", "[sql]"),
                        );
                    } else {
                        world.run(step).await;
                    }
                }
                let before = world.fake.dump(&[]);
                world.fake.forget_calls();
                let told = world.run(&format!("--dry-run {line}")).await;
                let changes: Vec<String> = world.fake.calls().into_iter().filter(|call| !is_look(call)).collect();
                assert!(changes.is_empty(), "`{line}` after `{state}` calls {changes:#?}\n{told}");
                assert_eq!(world.fake.dump(&[]), before, "`{line}` after `{state}`");
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "only {tried} were tried");
}

#[tokio::test(start_paused = true)]
async fn run_shows_its_own_container() {
    let world = World::new(SHOP, &["nginx:1", "postgres:15"]);
    let told = world.run("--dry-run run --name once web true").await;
    for row in ["Container shop-db-1  Started", "Container once  Creating", "Container once  Started"] {
        assert!(told.contains(row), "{row}: {told}");
    }
}
