//! Plans as text: a compose file, what runs, and what is decided.

mod controlling;
mod converging;
mod devices;
mod one_off;
mod world;

use world::World;

use crate::planner::{UpOptions, to_text, up};
use crate::spec::files::MemoryFiles;
use crate::spec::model::Project;
use crate::spec::{Request, load};

/// A project from the text of one file.
#[track_caller]
fn project(compose: &str) -> Project {
    let files = MemoryFiles::default().with("/shop/compose.yaml", compose);
    let request = Request { cwd: "/shop".into(), ..Request::default() };
    let loaded = load(&request, &files);
    loaded.project.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

/// Options of a plain `up`.
fn plain() -> UpOptions {
    UpOptions { start: true, ..UpOptions::default() }
}

/// What a plain `up` would do.
#[track_caller]
fn plan_up(compose: &str, world: &World) -> String {
    to_text(&up(&project(compose), &world.snapshot, &plain()))
}

/// The world after `up` of a project into an empty one.
#[track_caller]
fn running(compose: &str) -> World {
    let mut world = World::with_images(&["nginx", "postgres", "alpine"]);
    world.run(&up(&project(compose), &world.snapshot.clone(), &plain()));
    world
}
