//! Tests of the package as a whole that need no engine.

mod arch;
mod cli;
mod cli_answers;
mod cli_attached;
mod cli_build;
mod cli_complete;
mod cli_config;
mod cli_content;
mod cli_dry_run;
mod cli_files;
mod cli_flags;
mod cli_generate;
mod cli_lease;
mod cli_look;
mod cli_mistakes;
mod cli_plan;
mod cli_road;
mod cli_run;
mod cut;
mod cut_generated;
mod hostile;
mod interop;
mod progress_screen;
#[expect(clippy::unwrap_used, reason = "failing is what tests are for")]
mod registry;
#[expect(clippy::unwrap_used, reason = "failing is what tests are for")]
mod registry_server;
mod remote;
mod spec_fixtures;
mod text_properties;
mod torture_text;
