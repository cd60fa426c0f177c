//! What containers use, in Prometheus' text format (0.0.4): one family after the other, each with its help and type.

use std::fmt::Write;

use crate::resource::Container;
use crate::runtime::Stats;

/// A family of metrics: name, type, help, and its value of a sample.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    value: fn(&Stats) -> f64,
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows no other numbers")]
const FAMILIES: [Family; 8] = [
    Family {
        name: "compose_container_cpu_usage_ratio",
        kind: "gauge",
        help: "Processors in use, 1 being all of one.",
        value: |stats| stats.cpu_percent / 100.0,
    },
    Family {
        name: "compose_container_memory_usage_bytes",
        kind: "gauge",
        help: "Memory in use without the page cache.",
        value: |stats| stats.memory as f64,
    },
    Family {
        name: "compose_container_memory_limit_bytes",
        kind: "gauge",
        help: "Memory that may be used.",
        value: |stats| stats.memory_limit as f64,
    },
    Family {
        name: "compose_container_processes",
        kind: "gauge",
        help: "Processes and threads.",
        value: |stats| stats.pids as f64,
    },
    Family {
        name: "compose_container_network_receive_bytes_total",
        kind: "counter",
        help: "Bytes received since the container was started.",
        value: |stats| stats.totals.network_in as f64,
    },
    Family {
        name: "compose_container_network_transmit_bytes_total",
        kind: "counter",
        help: "Bytes sent since the container was started.",
        value: |stats| stats.totals.network_out as f64,
    },
    Family {
        name: "compose_container_block_read_bytes_total",
        kind: "counter",
        help: "Bytes read from block devices since the container was started.",
        value: |stats| stats.totals.block_in as f64,
    },
    Family {
        name: "compose_container_block_written_bytes_total",
        kind: "counter",
        help: "Bytes written to block devices since the container was started.",
        value: |stats| stats.totals.block_out as f64,
    },
];

/// One sample of each container.
pub(super) fn exposition(project: &str, samples: &[(&Container, Stats)]) -> String {
    let mut text = String::new();
    for Family { name, kind, help, value } in FAMILIES {
        // Writing to a String can not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (container, stats) in samples {
            let (project, service, container) =
                (escaped(project), escaped(container.service()), escaped(container.name.as_str()));
            let labels = format!("project=\"{project}\",service=\"{service}\",container=\"{container}\"");
            let _ = writeln!(text, "{name}{{{labels}}} {}", value(stats));
        }
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels;

    #[test]
    fn families_have_help_and_type_once() {
        let mut web = Container { name: "shop-web-1".into(), ..Container::default() };
        web.labels.insert(labels::SERVICE.to_owned(), "we\"b\\".to_owned());
        let stats = Stats { cpu_percent: 12.5, memory: 1_048_576, ..Stats::default() };
        let text = exposition("shop", &[(&web, stats), (&web, Stats::default())]);
        let beginning: Vec<&str> = text.lines().take(5).collect();
        insta::assert_snapshot!(beginning.join("\n"), @r#"
        # HELP compose_container_cpu_usage_ratio Processors in use, 1 being all of one.
        # TYPE compose_container_cpu_usage_ratio gauge
        compose_container_cpu_usage_ratio{project="shop",service="we\"b\\",container="shop-web-1"} 0.125
        compose_container_cpu_usage_ratio{project="shop",service="we\"b\\",container="shop-web-1"} 0
        # HELP compose_container_memory_usage_bytes Memory in use without the page cache.
        "#);
        assert!(text.contains("} 1048576\n") && text.ends_with('\n'));
    }
}
