//! `run`, `exec` and `attach` without a terminal.

use std::time::Duration;

use compose::cli::terminal::Signal;
use compose::runtime::fake::{Behaviour, ExecBehaviour};

use crate::cli::World;

const TWO: &str = "services: {web: {image: a, depends_on: [db], restart: always, ports: ['80:80']}, db: {image: a}}";

fn world(one_off: Behaviour) -> World {
    World::new(TWO, &["a"]).with_fake(|fake| fake.on("shop-web-run-*", one_off))
}

fn speaks(code: i64) -> Behaviour {
    let soon = Duration::from_millis(50);
    Behaviour::exits(code).says(soon, "hello").complains(soon, "oh").after(soon * 2)
}

#[tokio::test(start_paused = true)]
async fn a_one_off_runs_after_its_dependencies() {
    let world = world(speaks(3));
    insta::assert_snapshot!(world.run("run web hello").await, @"
    $ compose run web hello
    hello
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
     Container shop-db-1  Creating
     Container shop-db-1  Created
     Container shop-db-1  Starting
     Container shop-db-1  Started
    oh

    exit 3
    ");
    insta::assert_snapshot!(world.run("ps -a --format {{.Service}}:{{.State}}").await, @"
    $ compose ps -a --format {{.Service}}:{{.State}}
    db:running
    web:exited
    ");
    insta::assert_snapshot!(world.run("run --rm --no-deps -q web hello").await, @"
    $ compose run --rm --no-deps -q web hello
    hello
    stderr:
    warning: Found orphan containers ([shop-web-run-[ID]]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.
    oh

    exit 3
    ");
    insta::assert_snapshot!(world.run("ps -aq").await, @"
    $ compose ps -aq
    [ID]
    [ID]
    ");
}

#[tokio::test(start_paused = true)]
async fn input_from_a_pipe_reaches_it() {
    let world = world(Behaviour::runs().echoes()).with_input("one\ntwo");
    insta::assert_snapshot!(world.run("run -q --rm --no-deps -T web cat").await, @"
    $ compose run -q --rm --no-deps -T web cat
    one
    two
    ");
}

#[tokio::test(start_paused = true)]
async fn in_the_background_its_id_is_told() {
    let world = world(Behaviour::runs());
    insta::assert_snapshot!(world.run("run -d --no-deps --name mine web").await, @"
    $ compose run -d --no-deps --name mine web
    [ID]
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
    ");
    insta::assert_snapshot!(world.run("ps --format {{.Name}}").await, @"$ compose ps --format {{.Name}}");
}

#[tokio::test(start_paused = true)]
async fn signals_are_its_own() {
    let world = world(Behaviour::runs().stops(Duration::from_millis(10), 7));
    let after = |seconds, signal| (Duration::from_secs(seconds), signal);
    let run = world.run_with_signals("run --rm --no-deps web", vec![after(1, Signal::Terminate)]).await;
    insta::assert_snapshot!(run, @"
    $ compose run --rm --no-deps web
    stderr:
     Network shop_default  Creating
     Network shop_default  Created

    exit 7
    ");
    let deaf = World::new(TWO, &["a"]).with_fake(|fake| fake.on("*", Behaviour::runs().ignores_stop()));
    let signals = vec![after(1, Signal::Terminate), after(1, Signal::Terminate), after(1, Signal::Terminate)];
    insta::assert_snapshot!(deaf.run_with_signals("run --name mine --no-deps web", signals).await, @"
    $ compose run --name mine --no-deps web
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
    container mine still runs
     hint: docker stop mine ends it, docker attach mine brings it back
    exit 130
    ");
    assert_eq!(deaf.run("up -d").await.lines().last(), Some(" Container shop-web-1  Started"));
    let signals = vec![after(1, Signal::Interrupt)];
    insta::assert_snapshot!(deaf.run_with_signals("attach --sig-proxy=false db", signals).await, @"
    $ compose attach --sig-proxy=false db
    stderr:
    container shop-db-1 still runs
     hint: compose stop db ends it
    exit 130
    ");
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_started_is_told_and_removed() {
    let world = world(Behaviour::runs().fails_to_start("exec: \"/nope\": executable file not found in $PATH"));
    insta::assert_snapshot!(world.run("run --rm --no-deps web /nope").await, @r#"
    $ compose run --rm --no-deps web /nope
    stderr:
     Network shop_default  Creating
     Network shop_default  Created
    failed to start container shop-web-run-[ID]: exec: "/nope": executable file not found in $PATH
    exit 127
    "#);
    insta::assert_snapshot!(world.run("ps -aq").await, @"$ compose ps -aq");
}

#[tokio::test(start_paused = true)]
async fn mistakes() {
    let world = world(speaks(0));
    for line in [
        "run",
        "run nope",
        "run -P -p 80 web",
        "run -p x web",
        "run -l x web",
        "run --entrypoint 'a web",
        "run --env-from-file nope.env web",
        "attach",
        "attach web",
        "attach --detach-keys nope web",
    ] {
        let told = world.run(line).await;
        assert!(told.contains("exit 1"), "{told}");
    }
    insta::assert_snapshot!(world.run("attach web").await, @r#"
    $ compose attach web
    stderr:
    service "web" is not running
    exit 1
    "#);
}

#[tokio::test(start_paused = true)]
async fn a_command_in_a_container_has_its_code() {
    let world = World::new(TWO, &["a"])
        .with_fake(|fake| fake.on_exec("job", ExecBehaviour::exits(9).says("done")))
        .with_input("");
    world.run("up -d db").await;
    insta::assert_snapshot!(world.run("exec -T db job").await, @"
    $ compose exec -T db job
    done
    exit 9
    ");
    insta::assert_snapshot!(world.run("exec -d db job").await, @"$ compose exec -d db job");
}
