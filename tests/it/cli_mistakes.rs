//! What goes wrong, and what is said about it.

use crate::cli::World;

#[tokio::test(start_paused = true)]
async fn on_the_command_line() {
    let world = World::new("services: {web: {image: a}}", &["a"]);
    insta::assert_snapshot!(world.run("up --foo").await, @r"
    $ compose up --foo
    stderr:
    unknown flag: --foo
    exit 1
    ");
    insta::assert_snapshot!(world.run("--progress json up --foo").await, @r#"
    $ compose --progress json up --foo
    stderr:
    {"error":true,"message":"unknown flag: --foo"}
    exit 1
    "#);
    insta::assert_snapshot!(world.run("up -d --abort-on-container-exit").await, @r"
    $ compose up -d --abort-on-container-exit
    stderr:
    --detach cannot be combined with --abort-on-container-exit, --abort-on-container-failure, --attach, --attach-dependencies or --watch
    exit 1
    ");
    insta::assert_snapshot!(world.run("up --build --no-build").await, @r"
    $ compose up --build --no-build
    stderr:
    --build and --no-build are incompatible
    exit 1
    ");
    insta::assert_snapshot!(world.run("up -d --scale web").await, @r#"
    $ compose up -d --scale web
    stderr:
    invalid --scale option "web". Should be SERVICE=NUM
    exit 1
    "#);
    insta::assert_snapshot!(world.run("up -d --scale web=x").await, @r#"
    $ compose up -d --scale web=x
    stderr:
    strconv.Atoi: parsing "x": invalid syntax
    exit 1
    "#);
    insta::assert_snapshot!(world.run("up -d --pull foo").await, @r#"
    $ compose up -d --pull foo
    stderr:
    invalid --pull option "foo"
    exit 1
    "#);
    insta::assert_snapshot!(world.run("scale web=x").await, @r"
    $ compose scale web=x
    stderr:
    invalid scale specifier: can't parse replica value as int: web=x
    exit 1
    ");
    insta::assert_snapshot!(world.run("scale wen=1").await, @"
    $ compose scale wen=1
    stderr:
    no such service: wen
     hint: did you mean `web`?
    exit 1
    ");
    insta::assert_snapshot!(world.run("down --rmi foo").await, @r#"
    $ compose down --rmi foo
    stderr:
    invalid value for --rmi: "foo"
    exit 1
    "#);
    insta::assert_snapshot!(world.run("exec web").await, @r"
    $ compose exec web
    stderr:
    requires at least 2 arg(s), only received 1
    exit 1
    ");
    insta::assert_snapshot!(world.run("run").await, @r"
    $ compose run
    stderr:
    requires at least 1 arg(s), only received 0
    exit 1
    ");
    insta::assert_snapshot!(world.run("--progress foo ps").await, @r#"
    $ compose --progress foo ps
    stderr:
    unsupported --progress value "foo"
    exit 1
    "#);
    insta::assert_snapshot!(world.run("-p Foo ps").await, @r#"
    $ compose -p Foo ps
    stderr:
    invalid project name "Foo": must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number
    exit 1
    "#);
    insta::assert_snapshot!(world.run("watch").await, @"
    $ compose watch
    stderr:
    none of the selected services is configured for watch, consider setting a 'develop' section
     hint: `develop: {watch: [{path: ./src, target: /app, action: sync}]}` copies ./src as you edit
    exit 1
    ");
    let unknown = world.run("strat").await;
    assert!(unknown.contains("unknown docker command: \"compose strat\"\n hint: did you mean `start`?"), "{unknown}");
}

#[tokio::test(start_paused = true)]
async fn in_the_files() {
    insta::assert_snapshot!(World::without_file(&[]).run("up -d").await, @r"
    $ compose up -d
    stderr:
    error[no-compose-file]: no configuration file provided: not found
     |
     = help: write a compose.yaml here, or name a file with `-f`
    exit 1
    ");
    let world = World::new("services:\n  web:\n    imag: nginx\n", &[]);
    insta::assert_snapshot!(world.run("up -d").await, @r"
    $ compose up -d
    stderr:
    error[unknown-key]: services.web additional properties 'imag' not allowed
     --> compose.yaml:3:5
      |
    3 |     imag: nginx
      |     ^^^^ not known here
      |
      = help: did you mean `image`?
    exit 1
    ");
    insta::assert_snapshot!(world.run("--progress json up -d").await, @r#"
    $ compose --progress json up -d
    stderr:
    {"error":true,"message":"services.web additional properties 'imag' not allowed"}
    exit 1
    "#);
    let world = World::new("services: {web: {image: a}}", &["a"]);
    insta::assert_snapshot!(world.run("up -d nope").await, @"
    $ compose up -d nope
    stderr:
    no such service: nope
    exit 1
    ");
    insta::assert_snapshot!(world.run("stop nope").await, @r"
    $ compose stop nope
    stderr:
    no such service: nope
    exit 1
    ");
    insta::assert_snapshot!(World::new("services: {}", &[]).run("up -d").await, @r"
    $ compose up -d
    stderr:
    no service selected
    exit 1
    ");
    let world = World::new("version: '3'\nservices: {web: {image: \"$TAG\"}}", &[]);
    insta::assert_snapshot!(world.run("config --services").await, @r#"
    $ compose config --services
    stderr:
    error[no-image]: service "web" has neither an image nor a build context specified: invalid compose project
     --> compose.yaml:2:17
      |
    2 | services: {web: {image: "$TAG"}}
      |                 ^^^^^^^^^^^^^^^
      |
      = help: give it `image:` or `build:`

    warning[obsolete-key]: /shop/compose.yaml: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion
     --> compose.yaml:1:1
      |
    1 | version: '3'
      | ^^^^^^^

    warning[unset-variable]: the "TAG" variable is not set, defaulting to a blank string
     --> compose.yaml:2:26
      |
    2 | services: {web: {image: "$TAG"}}
      |                          ^^^^ not set
      |
      = help: set it in the environment or in `.env`, or write a default: `${TAG:-default}`
    exit 1
    "#);
}

#[tokio::test(start_paused = true)]
async fn in_the_environment() {
    let world = World::new("services: {web: {image: a}}", &["a"]).with_variable("COMPOSE_PARALLEL_LIMIT", "x");
    insta::assert_snapshot!(world.run("config -q").await, @r#"
    $ compose config -q
    stderr:
    COMPOSE_PARALLEL_LIMIT must be an integer (found: "x")
    exit 1
    "#);
    let world =
        World::new("services: {web: {image: a}}", &["a"]).with_file("/shop/.env", "COMPOSE_PROJECT_NAME=other\n");
    insta::assert_snapshot!(world.run("up -d").await, @r"
    $ compose up -d
    stderr:
     Network other_default  Creating
     Network other_default  Created
     Container other-web-1  Creating
     Container other-web-1  Created
     Container other-web-1  Starting
     Container other-web-1  Started
    ");
}
