//! An attached `up`.

use crate::cli::commands::Ended;
use crate::cli::commands::up::UpArgs;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::planner::UpOptions;
use crate::spec::model::Project;

pub(super) async fn run(_: &UpArgs, _: &Project, _: UpOptions, _: &Context<'_>) -> Ended {
    Err(Failure::Unsupported("an attached `up` (use `up -d`)".to_owned()))
}
