//! What shells are told at the tab key, and that a shell understands it.

use compose::cli::arguments::definitions;

use crate::cli::World;

const SHOP: &str = "
name: shop
services:
  web: {image: nginx:1, ports: ['8080:80']}
  worker: {build: .}
  db: {image: postgres:15, profiles: [data]}
";

async fn world() -> World {
    let world = World::new(SHOP, &["nginx:1", "postgres:15"]);
    world.run("--profile data up -d web db").await;
    world
}

/// Candidates of a line; a blank at its end stands for an empty word, which the tests write as `_`.
async fn complete(world: &World, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').map(|word| if word == "_" { "" } else { word }).collect();
    world.run_words(&[&["__complete"], &words[..]].concat()).await
}

#[tokio::test(start_paused = true)]
async fn commands_and_flags() {
    let world = world().await;
    insta::assert_snapshot!(complete(&world, "compose st").await, @r"
    start	Start containers that exist
    stats	Watch what containers use of processor, memory and network
    stop	Stop containers and keep them
    :4
    ");
    insta::assert_snapshot!(complete(&world, "stop -").await, @"
    --diagnostics	How findings about the files are told: text or json (an object a line on stderr)
    --dry-run	Show what would be done, and why, and change nothing
    --strict	Take warnings about the files for errors
    --timeout	Seconds a container gets to end before it is killed
    -t	Seconds a container gets to end before it is killed
    :4
    ");
    insta::assert_snapshot!(complete(&world, "bridge _").await, @r"
    convert	Write the project as Kubernetes manifests, a Helm chart or something else
    transformations	Look after transformations
    :4
    ");
    insta::assert_snapshot!(complete(&world, "--progress=").await, @r"
    auto
    tty
    plain
    json
    quiet
    :4
    ");
    assert_eq!(complete(&world, "nope _").await, ":4\n");
    assert_eq!(complete(&world, "-f _").await, "yaml\nyml\n:8\n");
    assert_eq!(complete(&world, "--project-directory _").await, ":16\n");
    assert_eq!(complete(&world, "--env-file _").await, ":0\n");
    assert_eq!(world.run_words(&["__completeNoDesc", "compose", "unp"]).await, "unpause\n:4\n");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_the_project() {
    let world = world().await;
    insta::assert_snapshot!(complete(&world, "compose up _").await, @r"
    db	postgres:15
    web	nginx:1
    worker	built here
    :4
    ");
    insta::assert_snapshot!(complete(&world, "up web w").await, @r"
    worker	built here
    :4
    ");
    insta::assert_snapshot!(complete(&world, "exec _").await, @r"
    db	1 container, postgres:15
    web	1 container, nginx:1
    :4
    ");
    insta::assert_snapshot!(complete(&world, "--profile _").await, @r"
    data
    :4
    ");
    insta::assert_snapshot!(complete(&world, "-p s").await, @r"
    shop	/shop/compose.yaml
    :4
    ");
    insta::assert_snapshot!(complete(&world, "up --scale w").await, @r"
    web=	nginx:1
    worker=	built here
    :6
    ");
    insta::assert_snapshot!(complete(&world, "port web _").await, @r"
    80
    :4
    ");
    insta::assert_snapshot!(complete(&world, "cp w").await, @r"
    web:	nginx:1
    worker:	built here
    :2
    ");
    insta::assert_snapshot!(complete(&world, "logs --index _").await, @r"
    1	shop-db-1
    1	shop-web-1
    :4
    ");
    // Only the engine knows of a project that is named from afar.
    insta::assert_snapshot!(complete(&world, "-p shop logs _").await, @r"
    db	postgres:15
    web	nginx:1
    worker	built here
    :4
    ");
}

#[tokio::test(start_paused = true)]
async fn mistakes_in_files_and_flags_are_no_business_of_the_tab_key() {
    let broken = World::new("services: {web: {image: a, imag: b}, db: {}}", &[]);
    assert_eq!(complete(&broken, "up _").await, "db\nweb\ta\n:4\n");
    let unfinished = World::new("services:\n  web:\n    image: [\n  db: {profiles: [x]}\n", &[]);
    assert_eq!(complete(&unfinished, "logs _").await, "db\nweb\n:4\n");
    assert_eq!(complete(&broken, "--progress nope up _").await, ":4\n");
    assert_eq!(complete(&World::without_file(&[]), "up _").await, ":4\n");
}

/// Every flag that takes a value, and every command, is answered with a directive.
#[tokio::test(start_paused = true)]
async fn every_flag_and_command_can_be_completed() {
    let world = world().await;
    for command in definitions().get_subcommands().filter(|command| !command.has_subcommands()) {
        let name = command.get_name();
        for arg in command.get_arguments().filter_map(|arg| arg.get_long()) {
            let answer = complete(&world, &format!("{name} --{arg} _")).await;
            assert!(answer.lines().last().is_some_and(|line| line.starts_with(':')), "{name} --{arg}: {answer}");
        }
        let answer = complete(&world, &format!("{name} _")).await;
        assert!(answer.lines().last().is_some_and(|line| line.starts_with(':')), "{name}: {answer}");
    }
}

/// The bash script on the real bash, with the real program.
#[cfg(unix)]
#[test]
fn bash_completes() {
    let program = env!("CARGO_BIN_EXE_compose");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let folder = directory.path();
    std::fs::write(folder.join("compose.yaml"), "services: {web: {image: a}, worker: {image: b, profiles: [x:y]}}")
        .expect("a file can be written");
    std::fs::create_dir(folder.join("sub")).expect("a folder can be made");
    std::os::unix::fs::symlink(program, folder.join("compose")).expect("a link can be made");
    let script = r#"
        PATH=.:$PATH
        source <(compose completion bash)
        for COMP_LINE in 'compose up w' 'compose up --scale=w' 'compose up --scale w' 'compose cp w' 'compose --profile ' \
            'compose -f com' 'compose --project-directory s' 'compose --file=com' 'compose --progress=j'; do
            COMP_POINT=${#COMP_LINE}
            # Bash cuts words at these, too.
            read -ra COMP_WORDS <<<"${COMP_LINE//=/ = }"
            [[ $COMP_LINE != *[[:space:]] ]] || COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _compose_complete
            echo "$COMP_LINE -> ${COMPREPLY[*]}"
        done"#;
    let bash = std::process::Command::new("bash")
        .args(["-c", script])
        .current_dir(folder)
        .env("DOCKER_HOST", "unix:///nope")
        .output();
    // Where there is no bash nobody completes with it.
    let Ok(bash) = bash else { return };
    let shown = String::from_utf8_lossy(&bash.stdout).into_owned() + &String::from_utf8_lossy(&bash.stderr);
    insta::assert_snapshot!(shown, @r"
    compose up w -> web worker
    compose up --scale=w -> web= worker=
    compose up --scale w -> web= worker=
    compose cp w -> web: worker:
    compose --profile  -> x:y
    compose -f com -> compose.yaml
    compose --project-directory s -> sub
    compose --file=com -> compose.yaml
    compose --progress=j -> json
    ");
}
