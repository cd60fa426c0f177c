//! What `down`, `stop`, `restart` and the like decide.

use super::{World, project, running};
use crate::names::ServiceName;
use crate::planner::{
    DownOptions, RemoveImages, RemoveOptions, Stack, UpOptions, down, kill, pause, remove, restart, start, starting,
    stop, to_text, up,
};
use crate::resource::ContainerState;

const SHOP: &str = "
name: shop
services:
  web: {image: nginx, depends_on: {db: {condition: service_started, restart: true}}}
  db: {image: postgres, volumes: ['data:/data'], pre_stop: [{command: [flush]}]}
volumes: {data: {}}
";

fn stack() -> Stack {
    Stack::of_project(&project(SHOP))
}
fn named(names: &[&str]) -> Vec<ServiceName> {
    names.iter().map(|name| ServiceName::from(*name)).collect()
}

#[test]
fn down_goes_backwards_and_takes_networks_last() {
    let world = running(SHOP);
    insta::assert_snapshot!(to_text(&down(&stack(), &world.snapshot, &DownOptions::default())), @"
    #1 stop Container shop-web-1: as asked
    #2 remove Container shop-web-1: as asked  after #1
    #3 run hook `flush` in Container shop-db-1: as asked  after ~#2
    #4 stop Container shop-db-1: as asked  after ~#2 #3
    #5 remove Container shop-db-1: as asked  after #4
    #6 remove Network shop_default: as asked  after ~#5 ~#2
    ");
    let options = DownOptions { volumes: true, images: RemoveImages::All, ..DownOptions::default() };
    insta::assert_snapshot!(to_text(&down(&stack(), &world.snapshot, &options)), @"
    #1 stop Container shop-web-1: as asked
    #2 remove Container shop-web-1: as asked  after #1
    #3 run hook `flush` in Container shop-db-1: as asked  after ~#2
    #4 stop Container shop-db-1: as asked  after ~#2 #3
    #5 remove Container shop-db-1: as asked  after #4
    #6 remove Network shop_default: as asked  after ~#5 ~#2
    #7 remove Volume shop_data: as asked  after ~#5 ~#2
    #8 remove Image nginx:latest: as asked  after ~#5 ~#2
    #9 remove Image postgres:latest: as asked  after ~#5 ~#2
    ");
}

#[test]
fn down_without_a_file_knows_everything_from_the_labels() {
    let world = running(SHOP);
    let stack = Stack::of_labels("shop".into(), &world.snapshot);
    insta::assert_snapshot!(to_text(&down(&stack, &world.snapshot, &DownOptions::default())), @"
    #1 stop Container shop-web-1: as asked
    #2 remove Container shop-web-1: as asked  after #1
    #3 stop Container shop-db-1: as asked  after ~#2
    #4 remove Container shop-db-1: as asked  after #3
    #5 remove Network shop_default: as asked  after ~#4 ~#2
    ");
}

#[test]
fn down_with_nothing_there_does_nothing() {
    assert!(down(&stack(), &World::with_images(&[]).snapshot, &DownOptions::default()).is_empty());
}

#[test]
fn stop_and_start() {
    let mut world = running(SHOP);
    let plan = stop(&stack(), &world.snapshot, &[], None);
    insta::assert_snapshot!(to_text(&plan), @"
    #1 stop Container shop-web-1: as asked
    #2 run hook `flush` in Container shop-db-1: as asked  after ~#1
    #3 stop Container shop-db-1: as asked  after ~#1 #2
    ");
    world.run(&plan);
    assert!(stop(&stack(), &world.snapshot, &[], None).is_empty());
    insta::assert_snapshot!(to_text(&start(&stack(), &world.snapshot, &[], false, None)), @"
    #1 start Container shop-db-1: as asked
    #2 start Container shop-web-1: as asked  after #1
    ");
    let nothing = start(&stack(), &World::with_images(&[]).snapshot, &[], false, None);
    insta::assert_snapshot!(to_text(&nothing), @r#"blocked: service "db" has no container to start"#);
}

#[test]
fn a_start_is_forbidden_by_what_others_have_on_the_host() {
    let file = "
name: shop
services:
  web: {image: nginx, ports: ['8080:80']}
  api: {image: nginx, ports: ['8081:80']}
";
    let mut world = running(file);
    let stack = Stack::of_project(&project(file));
    world.run(&stop(&stack, &world.snapshot, &named(&["web"]), None));
    world.snapshot.foreign.ports = [("0.0.0.0:8080/tcp", "other-web-1"), ("0.0.0.0:8081/tcp", "other-api-1")]
        .map(|(port, name)| (port.to_owned(), name.into()))
        .into();
    world.snapshot.engine.local = true;
    let plan = start(&stack, &world.snapshot, &[], false, None);
    insta::assert_snapshot!(to_text(&starting(plan, &project(file), &world.snapshot)), @"
    blocked: port 0.0.0.0:8080/tcp of service `web` is already published by container other-web-1
    #1 start Container shop-web-1: as asked
    ");
    let plan = restart(&stack, &world.snapshot, &[], None, false);
    assert_eq!(starting(plan, &project(file), &world.snapshot).blockers.len(), 1, "one runs, the other does not");

    let moved = file.replace("8080", "9090");
    world.snapshot.foreign.ports = [("0.0.0.0:9090/tcp".to_owned(), "other-web-1".into())].into();
    let plan = start(&stack, &world.snapshot, &[], false, None);
    assert_eq!(
        starting(plan, &project(&moved), &world.snapshot).blockers,
        [],
        "the container has the port it was made with"
    );
}

#[test]
fn what_is_paused_is_not_started() {
    let mut world = running(SHOP);
    world.edit("shop-web-1", |container| container.state = ContainerState::Paused);
    let told = "blocked: container shop-web-1 is paused";
    for plan in [
        start(&stack(), &world.snapshot, &[], false, None),
        up(&project(SHOP), &world.snapshot, &UpOptions { start: true, ..UpOptions::default() }),
    ] {
        assert!(to_text(&plan).starts_with(told), "{}", to_text(&plan));
    }
}

#[test]
fn restart_takes_dependents_that_ask_for_it() {
    let world = running(SHOP);
    insta::assert_snapshot!(to_text(&restart(&stack(), &world.snapshot, &named(&["db"]), None, false)), @"
    #1 run hook `flush` in Container shop-db-1: as asked
    #2 restart Container shop-db-1: as asked  after #1
    #3 restart Container shop-web-1: as asked  after #2
    ");
    insta::assert_snapshot!(to_text(&restart(&stack(), &world.snapshot, &named(&["db"]), None, true)), @"
    #1 run hook `flush` in Container shop-db-1: as asked
    #2 restart Container shop-db-1: as asked  after #1
    ");
}

#[test]
fn kill_pause_and_remove() {
    let mut world = running(SHOP);
    insta::assert_snapshot!(to_text(&kill(&stack(), &world.snapshot, &named(&["web"]), "SIGHUP", false)), @"#1 send SIGHUP to Container shop-web-1: as asked");
    insta::assert_snapshot!(to_text(&pause(&stack(), &world.snapshot, &[])), @"
    #1 pause Container shop-db-1: as asked
    #2 pause Container shop-web-1: as asked
    ");
    world.run(&stop(&stack(), &world.snapshot.clone(), &[], None));
    insta::assert_snapshot!(to_text(&remove(&stack(), &world.snapshot, &RemoveOptions::default())), @r#"question: RemoveContainers { names: ["shop-db-1", "shop-web-1"] }"#);
    let options = RemoveOptions { force: true, ..RemoveOptions::default() };
    insta::assert_snapshot!(to_text(&remove(&stack(), &world.snapshot, &options)), @"
    #1 remove Container shop-db-1: as asked
    #2 remove Container shop-web-1: as asked
    ");
}

#[test]
fn providers_go_after_what_depends_on_them() {
    let compose = "
name: s
services:
  web: {image: nginx, depends_on: [db]}
  db: {provider: {type: cloud, options: {size: 3}}}
";
    let project = project(compose);
    let stack = Stack::of_project(&project);
    let mut world = World::with_images(&["nginx"]);
    let options = UpOptions { provided: [("db".into(), Vec::new())].into(), ..super::plain() };
    world.run(&crate::planner::up(&project, &world.snapshot.clone(), &options));
    insta::assert_snapshot!(to_text(&down(&stack, &world.snapshot, &DownOptions::default())), @"
    #1 stop Container s-web-1: as asked
    #2 remove Container s-web-1: as asked  after #1
    #3 ask provider to down db: as asked  after ~#2
    #4 remove Network s_default: as asked  after ~#3 ~#2
    ");
    insta::assert_snapshot!(to_text(&stop(&stack, &world.snapshot, &[], None)), @"
    #1 stop Container s-web-1: as asked
    #2 ask provider to stop db: as asked  after ~#1
    ");
}
