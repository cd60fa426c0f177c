//! End-to-end tests: the binary on a real engine, for what only a real engine shows.
//!
//! A test is an intent, compose files, and steps whose effect is looked up on the engine itself, not in our output.
//! Without an engine every test prints `skipped: …` and passes, unless `COMPOSE_TEST_ENGINE` asks for more:
//! `1` makes a missing engine a failure, `all` a missing image too.
//! `COMPOSE_TEST_BIN=/path/docker-compose` holds the suite against another implementation.
#![expect(clippy::disallowed_methods, reason = "starts processes and reads files: the tests are an edge themselves")]
#![expect(clippy::print_stderr, reason = "the transcript of a scenario; shown by the test runner when it fails")]

mod contract;
#[expect(clippy::unwrap_used, clippy::print_stdout, reason = "failing and telling is what tests are for")]
mod contract_docker;

mod busybox;
mod http;
mod observe;
mod own_engine;
mod patience;
mod pty;
mod running;
mod scenario;

mod attached;
mod bad_input;
mod bridge;
mod build;
mod build_fields;
mod crash;
mod differential;
mod examples;
mod failing;
mod files;
mod interop;
mod interrupted;
mod lifecycle;
mod many_lines;
mod order;
mod output;
mod outside;
mod plan;
mod plugin;
mod registry;
mod restart;
#[expect(clippy::unwrap_used, reason = "failing is what tests are for")]
mod session;
mod terminal;
mod together;
mod tools;
mod watch;
