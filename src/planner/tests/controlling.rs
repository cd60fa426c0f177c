//! What `down`, `stop`, `restart` and the like decide.

use super::{World, project, running};
use crate::names::ServiceName;
use crate::planner::{
    DownOptions, RemoveImages, RemoveOptions, Stack, down, kill, pause, remove, restart, start, stop, to_text,
};

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
    insta::assert_snapshot!(to_text(&down(&stack(), &world.snapshot, &DownOptions::default())), @"");
    let options = DownOptions { volumes: true, images: RemoveImages::All, ..DownOptions::default() };
    insta::assert_snapshot!(to_text(&down(&stack(), &world.snapshot, &options)), @"");
}

#[test]
fn down_without_a_file_knows_everything_from_the_labels() {
    let world = running(SHOP);
    let stack = Stack::of_labels("shop".into(), &world.snapshot);
    insta::assert_snapshot!(to_text(&down(&stack, &world.snapshot, &DownOptions::default())), @"");
}

#[test]
fn down_with_nothing_there_does_nothing() {
    assert!(down(&stack(), &World::with_images(&[]).snapshot, &DownOptions::default()).is_empty());
}

#[test]
fn stop_and_start() {
    let mut world = running(SHOP);
    let plan = stop(&stack(), &world.snapshot, &[], None);
    insta::assert_snapshot!(to_text(&plan), @"");
    world.run(&plan);
    assert!(stop(&stack(), &world.snapshot, &[], None).is_empty());
    insta::assert_snapshot!(to_text(&start(&stack(), &world.snapshot, &[], false, None)), @"");
    let nothing = start(&stack(), &World::with_images(&[]).snapshot, &[], false, None);
    insta::assert_snapshot!(to_text(&nothing), @"");
}

#[test]
fn restart_takes_dependents_that_ask_for_it() {
    let world = running(SHOP);
    insta::assert_snapshot!(to_text(&restart(&stack(), &world.snapshot, &named(&["db"]), None, false)), @"");
    insta::assert_snapshot!(to_text(&restart(&stack(), &world.snapshot, &named(&["db"]), None, true)), @"");
}

#[test]
fn kill_pause_and_remove() {
    let mut world = running(SHOP);
    insta::assert_snapshot!(to_text(&kill(&stack(), &world.snapshot, &named(&["web"]), "SIGHUP", false)), @"");
    insta::assert_snapshot!(to_text(&pause(&stack(), &world.snapshot, &[])), @"");
    world.run(&stop(&stack(), &world.snapshot.clone(), &[], None));
    insta::assert_snapshot!(to_text(&remove(&stack(), &world.snapshot, &RemoveOptions::default())), @"");
    let options = RemoveOptions { force: true, ..RemoveOptions::default() };
    insta::assert_snapshot!(to_text(&remove(&stack(), &world.snapshot, &options)), @"");
}
