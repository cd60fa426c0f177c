//! What `run` decides.

use super::{World, plain, project, running};
use crate::labels;
use crate::planner::{OneOff, Op, Plan, remove_one_off, run, start_one_off, to_text};
use crate::resource::ContainerSpec;

const SHOP: &str = "
name: shop
services:
  web:
    image: nginx
    depends_on: {db: {condition: service_healthy}}
    container_name: shop-web-run-abc
    networks: {default: {aliases: [www]}}
    post_start: [{command: [warm]}]
  db: {image: postgres}
";

fn wanted() -> OneOff {
    OneOff {
        service: "web".into(),
        name: "shop-web-run-abc".into(),
        slug: "abcdef".to_owned(),
        stdin: true,
        console_size: Some((24, 80)),
        remove: true,
        ..OneOff::default()
    }
}

fn made(plan: &Plan) -> &ContainerSpec {
    let mut specs = plan.nodes.iter().filter_map(|node| match &node.op {
        Op::CreateContainer { spec, .. } => Some(&**spec),
        _ => None,
    });
    specs.next_back().unwrap()
}

#[test]
fn dependencies_come_first_and_the_service_itself_stays_as_it_is() {
    let world = World::with_images(&["nginx", "postgres"]);
    let plan = run(&project(SHOP), &world.snapshot, &plain(), &wanted());
    insta::assert_snapshot!(to_text(&plan), @"
    #1 create Network shop_default: is missing
    #2 create Container shop-db-1: is missing  after #1
    #3 start Container shop-db-1: is not running  after #2
    #4 await health of Container shop-db-1: others depend on db  after #3
    #5 create Container shop-web-run-abc: as asked  after #1 #4
    ");
    let plan = run(&project(SHOP), &running(SHOP).snapshot, &plain(), &OneOff { start: true, ..wanted() });
    insta::assert_snapshot!(to_text(&plan), @"
    #1 await health of Container shop-db-1: others depend on db
    #2 create Container shop-web-run-abc: as asked  after #1
    #3 start Container shop-web-run-abc: as asked  after #2
    #4 run hook `warm` in Container shop-web-run-abc: as asked  after #3
    = Container shop-db-1 running
    ");
}

#[test]
fn it_is_no_replica() {
    let world = World::with_images(&["nginx", "postgres"]);
    let plan = run(&project(SHOP), &world.snapshot, &plain(), &wanted());
    let spec = made(&plan);
    let label = |key: &str| spec.labels.get(key).map(String::as_str);
    assert_eq!((label(labels::ONE_OFF), label(labels::SLUG)), (Some("True"), Some("abcdef")));
    assert_eq!((label(labels::NUMBER), label(labels::SERVICE)), (None, Some("web")));
    assert!(spec.stdin_open && spec.stdin_once && spec.attach_stdin && spec.host.auto_remove);
    assert_eq!(spec.host.console_size, Some((24, 80)));
    assert_eq!(spec.endpoints[0].aliases, ["shop-web-run-abc"]);
    let named = OneOff { use_aliases: true, ..wanted() };
    let plan = run(&project(SHOP), &world.snapshot, &plain(), &named);
    assert_eq!(made(&plan).endpoints[0].aliases, ["shop-web-run-abc", "web", "www"]);
}

#[test]
fn one_that_was_made_before_the_answer_was_lost_is_not_made_twice() {
    let mut world = World::with_images(&["nginx", "postgres"]);
    let plan = run(&project(SHOP), &world.snapshot.clone(), &plain(), &wanted());
    world.run(&plan);
    let again = run(&project(SHOP), &world.snapshot, &plain(), &wanted());
    assert!(!again.nodes.iter().any(|node| matches!(node.op, Op::CreateContainer { .. })), "{}", to_text(&again));
}

#[test]
fn start_and_removal() {
    let service = &project(SHOP).services["web"];
    let (id, name) = ("0123456789ab".into(), "shop-web-run-abc".into());
    insta::assert_snapshot!(to_text(&start_one_off(service, &id, &name)), @"
    #1 start Container shop-web-run-abc: as asked
    #2 run hook `warm` in Container shop-web-run-abc: as asked  after #1
    ");
    insta::assert_snapshot!(to_text(&remove_one_off(&id, &name)), @"#1 remove Container shop-web-run-abc: as asked");
}
