//! What only a real engine shows; without one the tests say so and pass, unless COMPOSE_TEST_ENGINE=1.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "failing and telling is what tests are for")]

mod contract;
mod contract_docker;
mod session;
