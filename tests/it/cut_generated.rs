//! Runs over generated projects, cut off at one call: the next run must end as an undisturbed one does.

use proptest::prelude::*;

use crate::cut::{Goal, Scenario, cut_once};

/// One service, as digits that a strategy can shrink.
#[derive(Clone, Debug)]
struct Service {
    image: u8,
    level: u8,
    replicas: u8,
    /// Bits: which earlier services it depends on.
    depends_on: u8,
    /// Bits: named volume, anonymous volume, second network, config, hook after the start, step before it, name.
    has: u8,
}

fn service() -> impl Strategy<Value = Service> {
    (0..3u8, 0..3u8, 0..4u8, 0..8u8, any::<u8>()).prop_map(|(image, level, replicas, depends_on, has)| Service {
        image,
        level,
        replicas,
        depends_on,
        has,
    })
}

/// As a compose file; `back` and `data` change their labels with `shape`.
fn compose(services: &[Service], shape: u8) -> &'static str {
    let mut text = String::from("services:\n");
    for (index, service) in services.iter().enumerate() {
        let image = ["app:1", "app:2", "db"][usize::from(service.image)];
        let has = |bit: u8| service.has & (1 << bit) != 0;
        text.push_str(&format!("  s{index}:\n    image: '{image}'\n    environment: {{LEVEL: '{}'}}\n", service.level));
        let named = has(6) && service.replicas <= 1;
        text.push_str(&if named {
            format!("    container_name: named-{index}\n")
        } else {
            format!("    scale: {}\n", service.replicas)
        });
        let volumes: Vec<&str> =
            [(0, "'data:/named'"), (1, "/anonymous")].into_iter().filter(|(bit, _)| has(*bit)).map(|it| it.1).collect();
        text.push_str(&format!("    volumes: [{}]\n", volumes.join(", ")));
        text.push_str(if has(2) { "    networks: [default, back]\n" } else { "    networks: [default]\n" });
        if has(3) {
            text.push_str("    configs: [conf]\n");
        }
        if has(4) {
            text.push_str("    post_start: [{command: [prepare]}]\n");
        }
        if has(5) {
            text.push_str("    pre_start: [{command: [migrate]}]\n");
        }
        let on = (0..index).filter(|other| service.depends_on & (1 << other) != 0);
        let on: Vec<String> =
            on.map(|other| format!("s{other}: {{condition: service_started, restart: true}}")).collect();
        text.push_str(&format!("    depends_on: {{{}}}\n", on.join(", ")));
    }
    text.push_str(&format!("networks: {{back: {{labels: {{shape: '{shape}'}}}}}}\n"));
    text.push_str(&format!("volumes: {{data: {{labels: {{shape: '{shape}'}}}}}}\nconfigs: {{conf: {{content: c}}}}\n"));
    text.leak()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 2, ..ProptestConfig::default() })]

    #[test]
    fn a_cut_run_is_finished_by_the_next(
        before in prop::option::of(prop::collection::vec(service(), 1..4)),
        after in prop::collection::vec(service(), 1..4),
        shapes in (0..2u8, 0..2u8),
        down in prop::option::weighted(0.2, any::<bool>()),
        cut in 0..3usize,
        at in 0.0..1.0f64,
        silent: bool,
    ) {
        let before = before.map(|services| compose(&services, shapes.0));
        let goal = match down {
            Some(volumes) => Goal::Down(before.unwrap_or_else(|| compose(&after, shapes.1)), volumes),
            None => Goal::Up(compose(&after, shapes.1)),
        };
        let scenario = Scenario { name: "generated", before, goal, may_differ: &[] };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
        let result = runtime.block_on(cut_once(&scenario, at, cut, silent));
        prop_assert!(result.is_ok(), "{}\nbefore:\n{}\nafter:\n{}", result.unwrap_err(), before.unwrap_or_default(), goal.text());
    }
}
