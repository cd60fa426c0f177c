//! What `up` decides.

use super::{World, plain, plan_up, project, running};
use crate::planner::{Op, UpOptions, to_text, up};
use crate::resource::ContainerState;

const SHOP: &str = "
name: shop
services:
  web:
    image: nginx
    ports: ['8080:80']
    depends_on: {db: {condition: service_healthy}}
  db:
    image: postgres
    healthcheck: {test: [CMD, pg_isready]}
    volumes: ['data:/var/lib/postgresql/data']
volumes:
  data:
";

#[test]
fn an_empty_engine_gets_everything() {
    insta::assert_snapshot!(plan_up(SHOP, &World::with_images(&["nginx", "postgres"])), @"
    #1 create Network shop_default: is missing
    #2 create Volume shop_data: is missing
    #3 create Container shop-db-1: is missing  after #1 #2
    #4 create Container shop-web-1: is missing  after #1
    #5 start Container shop-db-1: is not running  after #3
    #6 await health of Container shop-db-1: others depend on db  after #5
    #7 start Container shop-web-1: is not running  after #6 #4
    ");
}

#[test]
fn the_second_time_nothing_is_done() {
    insta::assert_snapshot!(plan_up(SHOP, &running(SHOP)), @"
    #1 await health of Container shop-db-1: others depend on db
    = Container shop-db-1 running
    = Container shop-web-1 running
    ");
}

#[test]
fn images_that_are_missing_come_first_and_the_rest_is_planned_later() {
    insta::assert_snapshot!(plan_up(SHOP, &World::with_images(&["nginx"])), @"
    #1 pull Image postgres: is missing
    … and then look again
    ");
}

#[test]
fn a_shown_plan_goes_on_behind_missing_images() {
    let options = UpOptions { assume_images: true, pull: Some("always".into()), ..plain() };
    insta::assert_snapshot!(to_text(&up(&project(SHOP), &running(SHOP).snapshot, &options)), @"
    #1 pull Image postgres: pull policy always
    #2 pull Image nginx: pull policy always
    #3 create as 000000000000_shop-db-1 Container shop-db-1: its image is pulled or built first (perhaps)
    #4 stop Container shop-db-1: replaced (perhaps)  after #3
    #5 remove Container shop-db-1: replaced (perhaps)  after #3 #4
    #6 rename the one of #3 to Container shop-db-1: replaced (perhaps)  after #5
    #7 create as 000000000000_shop-web-1 Container shop-web-1: its image is pulled or built first (perhaps)
    #8 stop Container shop-web-1: replaced (perhaps)  after #7
    #9 remove Container shop-web-1: replaced (perhaps)  after #7 #8
    #10 rename the one of #7 to Container shop-web-1: replaced (perhaps)  after #9
    #11 start Container shop-db-1: is not running  after #6
    #12 await health of Container shop-db-1: others depend on db  after #11
    #13 start Container shop-web-1: is not running  after #12 #10
    ");
}

#[test]
fn a_changed_field_is_named() {
    let before = "name: s\nservices: {web: {image: nginx, environment: {LEVEL: info, A: b}}}";
    let after = "name: s\nservices:\n  web:\n    image: nginx\n    environment:\n      LEVEL: debug\n      A: b\n";
    insta::assert_snapshot!(plan_up(after, &running(before)), @"
    #1 create as 000000000000_s-web-1 Container s-web-1: environment.LEVEL changed (compose.yaml:6)
    #2 stop Container s-web-1: replaced  after #1
    #3 remove Container s-web-1: replaced  after #1 #2
    #4 rename the one of #1 to Container s-web-1: replaced  after #3
    #5 start Container s-web-1: is not running  after #4
    ");
}

#[test]
fn scaling_up_goes_on_after_the_highest_number_and_down_from_it() {
    let three = "name: s\nservices: {web: {image: nginx, scale: 3}}";
    let one = "name: s\nservices: {web: {image: nginx}}";
    let mut world = running(three);
    insta::assert_snapshot!(plan_up(one, &world), @"
    #1 stop Container s-web-2: scaled down to 1
    #2 remove Container s-web-2: scaled down to 1  after #1
    #3 stop Container s-web-3: scaled down to 1
    #4 remove Container s-web-3: scaled down to 1  after #3
    = Container s-web-1 running
    ");
    world.snapshot.containers.retain(|container| container.name.as_str() != "s-web-2");
    insta::assert_snapshot!(plan_up(three, &world), @"
    #1 create Container s-web-4: is missing
    #2 start Container s-web-4: is not running  after #1
    = Container s-web-1 running
    = Container s-web-3 running
    ");
}

#[test]
fn orphans_are_told_or_removed() {
    let before = "name: s\nservices: {web: {image: nginx}, old: {image: nginx}}";
    let after = "name: s\nservices: {web: {image: nginx}}";
    let world = running(before);
    let plan = up(&project(after), &world.snapshot, &plain());
    insta::assert_snapshot!(plan.warnings.join("\n"), @"Found orphan containers ([s-old-1]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.");
    let options = UpOptions { remove_orphans: true, ..plain() };
    insta::assert_snapshot!(to_text(&up(&project(after), &world.snapshot, &options)), @"
    #1 stop Container s-old-1: its service is not in the files
    #2 remove Container s-old-1: its service is not in the files  after #1
    = Container s-web-1 running
    ");
}

#[test]
fn a_shared_namespace_binds_fates() {
    let before = "name: s\nservices: {a: {image: nginx}, b: {image: alpine, network_mode: 'service:a'}}";
    let after = "name: s\nservices: {a: {image: nginx, hostname: h}, b: {image: alpine, network_mode: 'service:a'}}";
    let world = running(before);
    insta::assert_snapshot!(plan_up(before, &world), @"
    = Container s-a-1 running
    = Container s-b-1 running
    ");
    insta::assert_snapshot!(plan_up(after, &world), @"
    #1 create as 000000000000_s-a-1 Container s-a-1: hostname changed (compose.yaml:2)
    #2 stop Container s-a-1: replaced  after #1
    #3 remove Container s-a-1: replaced  after #1 #2
    #4 rename the one of #1 to Container s-a-1: replaced  after #3
    #5 create as 000000000000_s-b-1 Container s-b-1: a is recreated  after #4
    #6 stop Container s-b-1: replaced  after #5
    #7 remove Container s-b-1: replaced  after #5 #6
    #8 rename the one of #5 to Container s-b-1: replaced  after #7
    #9 start Container s-a-1: is not running  after #4
    #10 start Container s-b-1: is not running  after #9 #8
    ");
}

#[test]
fn what_restarts_with_its_dependency_is_stopped_first() {
    let before = "name: s\nservices: {a: {image: nginx, depends_on: {b: {condition: service_started, restart: true}}}, b: {image: alpine}}";
    let after = before.replace("b: {image: alpine}", "b: {image: alpine, hostname: h}");
    insta::assert_snapshot!(plan_up(&after, &running(before)), @"
    #1 stop Container s-a-1: b is recreated
    #2 create as 000000000000_s-b-1 Container s-b-1: hostname changed (compose.yaml:2)  after #1
    #3 stop Container s-b-1: replaced  after #2
    #4 remove Container s-b-1: replaced  after #2 #3
    #5 rename the one of #2 to Container s-b-1: replaced  after #4
    #6 start Container s-b-1: is not running  after #5
    #7 start Container s-a-1: is not running  after #6 #1
    ");
}

#[test]
fn a_network_that_changed_is_made_anew_and_containers_come_back_to_it() {
    let before = "name: s\nservices: {a: {image: nginx}}\nnetworks: {default: {labels: {a: b}}}";
    let after = "name: s\nservices: {a: {image: nginx}}\nnetworks: {default: {labels: {a: c}}}";
    insta::assert_snapshot!(plan_up(after, &running(before)), @"
    #1 stop Container s-a-1: network s_default changed
    #2 disconnect from s_default Container s-a-1: network s_default changed  after #1
    #3 remove Network s_default: configuration changed  after #2
    #4 create Network s_default: configuration changed  after #3
    #5 connect to s_default Container s-a-1: network s_default changed  after #4 #1
    #6 start Container s-a-1: is not running  after #5 #1
    ");
}

#[test]
fn a_volume_that_changed_is_asked_for() {
    let before = "name: s\nservices: {a: {image: nginx, volumes: ['vol:/v']}}\nvolumes: {vol: {labels: {a: b}}}";
    let after = "name: s\nservices: {a: {image: nginx, volumes: ['vol:/v']}}\nvolumes: {vol: {labels: {a: c}}}";
    let world = running(before);
    let mut plan = up(&project(after), &world.snapshot, &plain());
    insta::assert_snapshot!(to_text(&plan), @r#"
    question: RecreateVolume { volume: "s_vol" }
    = Container s-a-1 running
    "#);
    let mut options = plain();
    options.answers.insert(plan.questions.remove(0), true);
    insta::assert_snapshot!(to_text(&up(&project(after), &world.snapshot, &options)), @"
    #1 stop Container s-a-1: volume s_vol changed
    #2 remove Container s-a-1: volume s_vol changed  after #1
    #3 remove Volume s_vol: configuration changed  after #2
    #4 create Volume s_vol: configuration changed  after #3
    #5 create Container s-a-1: is missing  after #4 #2
    #6 start Container s-a-1: is not running  after #5
    ");
}

#[test]
fn anonymous_volumes_go_from_the_old_container_to_the_new_one() {
    let before = "name: s\nservices: {a: {image: nginx, volumes: [/data]}}";
    let after = "name: s\nservices: {a: {image: nginx, volumes: [/data], hostname: h}}";
    let mut world = running(before);
    let old = world.snapshot.containers[0].mounts.clone();
    world.run(&up(&project(after), &world.snapshot.clone(), &plain()));
    assert_eq!(world.snapshot.containers[0].mounts, old);
    let options = UpOptions { renew_anonymous_volumes: true, ..plain() };
    world.run(&up(&project(after), &world.snapshot.clone(), &options));
    assert_ne!(world.snapshot.containers[0].mounts, old);
}

#[test]
fn one_shots_run_again_and_their_end_is_waited_for() {
    let compose = "name: s\nservices: {job: {image: alpine}, web: {image: nginx, depends_on: {job: {condition: service_completed_successfully}}}}";
    let mut world = running(compose);
    world.edit("s-job-1", |job| {
        job.state = ContainerState::Exited;
        job.exit_code = Some(0);
    });
    insta::assert_snapshot!(plan_up(compose, &world), @"
    #1 start Container s-job-1: had exited with 0, runs again
    #2 await completion of Container s-job-1: others depend on job  after #1
    = Container s-web-1 running
    ");
}

#[test]
fn a_dependency_that_is_not_required_need_only_settle() {
    let compose = "name: s\nservices: {c: {image: alpine, healthcheck: {test: 'true'}}, web: {image: nginx, depends_on: {c: {condition: service_healthy, required: false}}}}";
    insta::assert_snapshot!(plan_up(compose, &World::with_images(&["nginx", "alpine"])), @"
    #1 create Network s_default: is missing
    #2 create Container s-c-1: is missing  after #1
    #3 create Container s-web-1: is missing  after #1
    #4 start Container s-c-1: is not running  after #2
    #5 await health of Container s-c-1: others depend on c (optional)  after #4
    #6 start Container s-web-1: is not running  after ~#5 #3
    ");
}

#[test]
fn external_things_that_are_missing_stop_the_plan_before_anything_is_touched() {
    let compose = "name: s\nservices: {a: {image: nginx, networks: [n], volumes: ['vol:/v']}}\nnetworks: {n: {external: true}}\nvolumes: {vol: {external: true}}";
    let plan = up(&project(compose), &World::with_images(&["nginx"]).snapshot, &plain());
    insta::assert_snapshot!(to_text(&plan), @r#"
    blocked: network n declared as external, but could not be found
    blocked: external volume "vol" not found
    #1 create Container s-a-1: is missing
    #2 start Container s-a-1: is not running  after #1
    "#);
}

/// The heart of mending: a replacement is cut after every one of its operations; the next plan must end where an
/// undisturbed one ends.
#[test]
fn a_replacement_that_was_cut_is_finished() {
    let before = "name: s\nservices: {a: {image: nginx, scale: 2}, b: {image: alpine, depends_on: [a]}}";
    let after = "name: s\nservices: {a: {image: nginx, scale: 3, hostname: h}, b: {image: alpine, depends_on: [a], hostname: i}}";
    let plan = up(&project(after), &running(before).snapshot, &plain());
    let mut undisturbed = running(before);
    undisturbed.run(&plan);
    for cut in 0..plan.nodes.len() {
        let mut world = running(before);
        world.run_until(&plan, cut);
        let mending = up(&project(after), &world.snapshot, &plain());
        world.run(&mending);
        assert_eq!(world.containers(), undisturbed.containers(), "cut after {cut} of\n{}", to_text(&plan));
        let left = up(&project(after), &world.snapshot, &plain());
        assert!(left.is_empty(), "cut after {cut}, left:\n{}", to_text(&left));
    }
}

#[test]
fn a_failure_is_traced_to_the_line_that_asked_for_it() {
    use crate::planner::{Op, explain};
    let compose = "name: s\nservices:\n  web:\n    image: nginx\n    ports:\n      - '9090:90'\n      - '8080:80'\n";
    let project = project(compose);
    let plan = up(&project, &World::with_images(&["nginx"]).snapshot, &plain());
    let start = plan.nodes.iter().find(|node| matches!(node.op, Op::StartContainer { .. })).unwrap();
    let error = "driver failed: Bind for 0.0.0.0:8080 failed: port is already allocated";
    let explanation = explain(&project, start, error).unwrap();
    assert_eq!(explanation.place.as_deref(), Some("compose.yaml:7:9"));
    assert!(explanation.hints[0].contains("8080"));
}

#[test]
fn names_and_ports_that_others_have_stop_the_plan() {
    let compose = "name: s\nservices:\n  web:\n    image: nginx\n    scale: 2\n    ports: ['8080:80']\n  db:\n    image: postgres\n    container_name: theirs\n    ports:\n      - 127.0.0.1:5432:5432\n";
    let mut world = World::with_images(&["nginx", "postgres"]);
    world.snapshot.foreign.names.insert("theirs".into(), Some("other".into()));
    world.snapshot.foreign.ports.insert("0.0.0.0:5432/tcp".into(), "old-db".into());
    let plan = up(&project(compose), &world.snapshot, &plain());
    let blockers: Vec<String> = plan
        .blockers
        .iter()
        .map(|blocker| format!("{}: {}", blocker.place.as_deref().unwrap_or("-"), blocker.message))
        .collect();
    insta::assert_snapshot!(blockers.join("\n"), @"
    compose.yaml:9:5: the container name theirs is already in use by a container of project other
    compose.yaml:11:9: port 127.0.0.1:5432/tcp of service `db` is already published by container old-db
    compose.yaml:6:13: s-web-2 and s-web-1 both publish port 0.0.0.0:8080/tcp
    ");
}

const PROVIDED: &str = "
name: s
services:
  web: {image: nginx, depends_on: [my-db]}
  my-db: {provider: {type: cloud, options: {size: 3, tags: [a, b]}}, depends_on: [net]}
  net: {provider: {type: cloud}}
";

fn provided() -> UpOptions {
    let url = ("MY-DB_URL".to_owned(), "http://x".to_owned());
    UpOptions { provided: [("my-db".into(), vec![url]), ("net".into(), Vec::new())].into(), ..plain() }
}

#[test]
fn providers_are_asked_first_and_their_variables_reach_dependents() {
    let mut world = World::with_images(&["nginx"]);
    insta::assert_snapshot!(plan_up(PROVIDED, &world), @"
    #1 ask provider to up net: as asked
    #2 ask provider to up my-db: as asked  after #1
    … and then look again
    ");
    let plan = up(&project(PROVIDED), &world.snapshot, &provided());
    insta::assert_snapshot!(to_text(&plan), @"
    #1 create Network s_default: is missing
    #2 create Container s-web-1: is missing  after #1
    #3 start Container s-web-1: is not running  after #2
    ");
    let environment = plan.nodes.iter().find_map(|node| match &node.op {
        Op::CreateContainer { spec, .. } => Some(spec.environment.clone()),
        _ => None,
    });
    assert_eq!(environment, Some(vec!["MY-DB_URL=http://x".to_owned()]));
    world.run(&plan);
    insta::assert_snapshot!(to_text(&up(&project(PROVIDED), &world.snapshot, &provided())), @"= Container s-web-1 running");
    // A plan that is only shown asks nobody.
    let shown = UpOptions { assume_images: true, ..plain() };
    insta::assert_snapshot!(to_text(&up(&project(PROVIDED), &world.snapshot, &shown)), @"
    #1 ask provider to up net: as asked
    #2 ask provider to up my-db: as asked  after #1
    #3 create as 000000000000_s-web-1 Container s-web-1: what it depends on is asked for its variables first (perhaps)  after #2
    #4 stop Container s-web-1: replaced (perhaps)  after #3
    #5 remove Container s-web-1: replaced (perhaps)  after #3 #4
    #6 rename the one of #3 to Container s-web-1: replaced (perhaps)  after #5
    #7 start Container s-web-1: is not running  after #6
    ");
}

#[test]
fn models_are_configured_after_images_and_their_names_reach_services() {
    const MODELS: &str = "
name: s
services:
  web: {image: nginx, models: {my-llm: , big: {model_var: NAME, endpoint_var: AT}}}
models:
  my-llm: {model: ai/small, context_size: 1024}
  big: {model: ai/big}
";
    insta::assert_snapshot!(plan_up(MODELS, &World::with_images(&[])), @"
    #1 pull Image nginx: is missing
    #2 configure ai/big as big: as asked  after #1
    #3 configure ai/small as my-llm: as asked  after #1
    … and then look again
    ");
    let url = || "http://models/v1".to_owned();
    let models = [("my-llm".to_owned(), url()), ("big".to_owned(), url())].into();
    let plan = up(&project(MODELS), &World::with_images(&["nginx"]).snapshot, &UpOptions { models, ..plain() });
    let environment = plan.nodes.iter().find_map(|node| match &node.op {
        Op::CreateContainer { spec, .. } => Some(spec.environment.join(" ")),
        _ => None,
    });
    assert_eq!(
        environment.as_deref(),
        Some("AT=http://models/v1 MY_LLM_MODEL=ai/small MY_LLM_URL=http://models/v1 NAME=ai/big")
    );
}

#[test]
fn what_forbids_a_later_round_is_told_before_the_first() {
    let mut world = World::with_images(&[]);
    world.snapshot.foreign.ports.insert("0.0.0.0:8080/tcp".to_owned(), "other".into());
    insta::assert_snapshot!(plan_up("name: s\nservices: {web: {image: nginx, ports: ['8080:80']}}", &world), @"
    blocked: port 0.0.0.0:8080/tcp of service `web` is already published by container other
    #1 pull Image nginx: is missing
    … and then look again
    ");
}

const STEPS: &str = "
name: s
services:
  web:
    image: nginx
    scale: 2
    depends_on: [db]
    environment: {A: '1'}
    pre_start:
      - {command: [migrate], environment: {B: '2'}}
      - {command: [warm], image: alpine}
  db: {image: postgres}
";

#[test]
fn steps_run_before_the_first_replica_starts() {
    let mut world = World::with_images(&["nginx", "postgres"]);
    insta::assert_snapshot!(plan_up(STEPS, &world), @"
    #1 pull Image alpine: is missing
    … and then look again
    ");
    world = World::with_images(&["nginx", "postgres", "alpine"]);
    let plan = up(&project(STEPS), &world.snapshot, &plain());
    insta::assert_snapshot!(to_text(&plan), @"
    #1 create Network s_default: is missing
    #2 create Container s-db-1: is missing  after #1
    #3 create Container s-web-1: is missing  after #1
    #4 create Container s-web-2: is missing  after #3 #1
    #5 start Container s-db-1: is not running  after #2
    #6 run step `migrate` as Container s-web-pre_start-0: as asked  after #5 #3
    #7 run step `warm` as Container s-web-pre_start-1: as asked  after #6
    #8 start Container s-web-1: is not running  after #7 #3
    #9 start Container s-web-2: is not running  after #7 #4
    ");
    world.run(&plan);
    insta::assert_snapshot!(plan_up(STEPS, &world), @"
    = Container s-db-1 running
    = Container s-web-1 running
    = Container s-web-2 running
    ");
    // One replica that runs is enough to leave them out.
    world.edit("s-web-2", |container| container.state = ContainerState::Exited);
    insta::assert_snapshot!(plan_up(STEPS, &world), @"
    #1 start Container s-web-2: had exited with 0, runs again
    = Container s-db-1 running
    = Container s-web-1 running
    ");
    world.edit("s-web-1", |container| container.state = ContainerState::Exited);
    let stack = crate::planner::Stack::of_project(&project(STEPS));
    insta::assert_snapshot!(to_text(&crate::planner::start(&stack, &world.snapshot, &[], false, None)), @"
    #1 run step `migrate` as Container s-web-pre_start-0: as asked
    #2 run step `warm` as Container s-web-pre_start-1: as asked  after #1
    #3 start Container s-web-1: as asked  after #2
    #4 start Container s-web-2: as asked  after #2
    ");
}

#[test]
fn orphans_of_other_files_are_told_apart() {
    let before = "name: s\nservices: {web: {image: nginx}, old: {image: nginx}, far: {image: nginx}}";
    let mut world = running(before);
    world.edit("s-far-1", |container| {
        container.labels.insert(crate::labels::CONFIG_FILES.to_owned(), "/far/compose.yaml".to_owned());
    });
    let plan = up(&project("name: s\nservices: {web: {image: nginx}}"), &world.snapshot, &plain());
    insta::assert_snapshot!(plan.warnings.join("\n"), @"
    Found orphan containers ([s-old-1]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.
    Found orphan containers ([s-far-1]) for this project that come from /far/compose.yaml. If both belong together, give all files with -f; else give this project a name of its own with -p, or remove them with --remove-orphans.
    ");
}

#[test]
fn what_the_host_has_not_stops_the_plan_all_at_once() {
    let compose = "
name: s
services:
  web:
    image: nginx
    ports: ['8080:80', '127.0.0.1:53:53/udp']
    secrets: [key]
    configs: [conf]
    volumes:
      - {type: bind, source: /none, target: /a, bind: {create_host_path: false}}
      - /made:/b
    gpus: all
  lost: {image: gone, pull_policy: never}
secrets: {key: {file: ./key}}
configs: {conf: {file: ./conf}}
";
    let project = project(compose);
    let wish = crate::planner::interest(&project).host;
    assert_eq!(wish.paths.iter().map(String::as_str).collect::<Vec<_>>(), ["/none", "/shop/conf", "/shop/key"]);
    assert_eq!(wish.ports, [(53, "udp".to_owned()), (8080, "tcp".to_owned())].into());
    let mut world = World::with_images(&["nginx"]);
    let host = &mut world.snapshot.foreign.host;
    host.missing_paths = wish.paths;
    host.missing_gpu_drivers = wish.gpu_drivers;
    host.sockets = [("[::]:8080/tcp", "nginx (process 7)"), ("127.0.0.53:53/udp", "")]
        .map(|(key, owner)| (key.to_owned(), owner.to_owned()))
        .into();
    let told = |plan: &crate::planner::Plan| {
        let lines = plan.blockers.iter();
        lines.map(|it| format!("{}: {}\n", it.place.as_deref().unwrap_or_default(), it.message)).collect::<String>()
    };
    let plan = up(&project, &world.snapshot, &plain());
    insta::assert_snapshot!(told(&plan), @"
    compose.yaml:13:10: No such image: gone
    compose.yaml:10:9: bind source path of service `web` does not exist: /none
    compose.yaml:14:17: file of secret `key` does not exist: /shop/key
    compose.yaml:15:18: file of config `conf` does not exist: /shop/conf
    compose.yaml:12:5: service `web` asks for a GPU, and no driver of one is loaded on this machine
    compose.yaml:6:13: port 0.0.0.0:8080/tcp of service `web` is already used by nginx (process 7): address already in use
    ");
    let made = up(&project, &world.snapshot, &UpOptions { start: false, ..plain() });
    assert!(!told(&made).contains("GPU") && !told(&made).contains("8080"), "{}", told(&made));
    // What stays as it is needs nothing of all that.
    world.snapshot.images.insert("gone".to_owned(), crate::resource::ImageDetails::default());
    let free = World::with_images(&["nginx", "gone"]);
    let mut running = World::with_images(&["nginx", "gone"]);
    running.run(&up(&project, &free.snapshot, &plain()));
    running.snapshot.foreign = world.snapshot.foreign.clone();
    insta::assert_snapshot!(to_text(&up(&project, &running.snapshot, &plain())), @"
    = Container s-lost-1 running
    = Container s-web-1 running
    ");
}

#[test]
fn a_container_of_another_version_that_is_as_wanted_stays() {
    let compose = "name: s\nservices: {web: {image: nginx, environment: {A: b}, command: [run]}}";
    let mut world = running(compose);
    world.edit("s-web-1", |container| {
        container.labels.insert(crate::labels::VERSION.to_owned(), "2.20.0".to_owned());
        container.labels.insert(crate::labels::CONFIG_HASH.to_owned(), "other".to_owned());
        container.labels.remove(crate::labels::FIELDS);
        container.image_id = "sha256:nginx".into();
    });
    let id = world.snapshot.containers[0].id.clone();
    let made = up(&project(compose), &World::with_images(&["nginx"]).snapshot, &plain());
    let spec = made.nodes.iter().find_map(|node| match &node.op {
        Op::CreateContainer { spec, .. } => Some((**spec).clone()),
        _ => None,
    });
    let details = crate::resource::ContainerDetails { spec: spec.unwrap(), ..Default::default() };
    assert!(!up(&project(compose), &world.snapshot, &plain()).is_empty(), "not known before it was inspected");
    world.snapshot.details.insert(id, details);
    insta::assert_snapshot!(plan_up(compose, &world), @"= Container s-web-1 running");
    insta::assert_snapshot!(plan_up(&compose.replace("A: b", "A: c"), &world), @"
    #1 create as 000000000000_s-web-1 Container s-web-1: environment.A b → c (compose.yaml:2)
    #2 stop Container s-web-1: replaced  after #1
    #3 remove Container s-web-1: replaced  after #1 #2
    #4 rename the one of #1 to Container s-web-1: replaced  after #3
    #5 start Container s-web-1: is not running  after #4
    ");
    insta::assert_snapshot!(plan_up(&compose.replace("{A: b}", "{}"), &world), @"
    #1 create as 000000000000_s-web-1 Container s-web-1: environment.A b → (nothing)
    #2 stop Container s-web-1: replaced  after #1
    #3 remove Container s-web-1: replaced  after #1 #2
    #4 rename the one of #1 to Container s-web-1: replaced  after #3
    #5 start Container s-web-1: is not running  after #4
    ");
    insta::assert_snapshot!(plan_up(&compose.replace("[run]", "[go]"), &world), @"
    #1 create as 000000000000_s-web-1 Container s-web-1: command [run] → [go] (compose.yaml:2)
    #2 stop Container s-web-1: replaced  after #1
    #3 remove Container s-web-1: replaced  after #1 #2
    #4 rename the one of #1 to Container s-web-1: replaced  after #3
    #5 start Container s-web-1: is not running  after #4
    ");
}
