//! The contract of runtimes, kept by the docker runtime.

use compose::runtime::contract::{Fixture, Verdict, all};

use crate::contract_docker::engine;

#[tokio::test]
async fn the_docker_runtime_keeps_the_contract() {
    let Some(runtime) = engine().await else { return };
    let prefix = format!("compose-contract-{}", std::process::id());
    let fixture = Fixture { image: "busybox:latest".to_owned(), prefix };
    let verdicts = all(&runtime, &fixture).await;
    let broken: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.broken.is_some()).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}
