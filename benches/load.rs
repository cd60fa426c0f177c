//! How long loading takes: projects of growing size, and inputs that were written to hurt.
//!
//! `cargo bench --bench load` measures the first, `cargo bench --bench load -- hostile` the second, each input in a
//! process of its own so that its memory can be told. No network, no engine, no disk.
#![expect(clippy::disallowed_types, reason = "measures real time")]
#![expect(clippy::print_stdout, reason = "a benchmark tells what it measured")]

#[path = "../tests/it/hostile/cases.rs"]
mod cases;

use std::fmt::Write;
use std::time::{Duration, Instant};

use compose::spec::explain::with_origins;
use compose::spec::files::MemoryFiles;
use compose::spec::lint::lint;
use compose::spec::{Loaded, Request, load, print};

const SIZES: [usize; 4] = [1, 10, 100, 1_000];
/// Runs of each size; the best one counts, because noise only adds.
const RUNS: usize = 15;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => growth(),
        ["hostile"] => hostile(),
        ["hostile", name] => one_hostile(name),
        ["load", count] => {
            // For a profiler.
            let files = project(count.parse().unwrap_or(1_000));
            (0..RUNS).for_each(|_| assert!(loaded(&files).project.is_some()));
        }
        other => println!("unknown arguments: {other:?}"),
    }
}

/// A project as people write them: short forms, variables, healthchecks, networks, volumes.
fn project(services: usize) -> MemoryFiles {
    let mut text =
        String::from("name: bench\nx-logging: &logging\n  driver: json-file\n  options: {max-size: 10m}\nservices:\n");
    for at in 0..services {
        let before = at.saturating_sub(1) / 2;
        let _ = write!(
            text,
            "  web{at}:\n    image: registry.example/team/web:${{TAG:-{at}}}\n    command: [serve, --port, \"80{at}\"]\n    \
             environment:\n      LEVEL: info\n      NUMBER: {at}\n      URL: http://web{before}:80\n    ports:\n      - \
             \"127.0.0.1:{}:80\"\n    volumes:\n      - data{}:/data\n      - ./config:/etc/web:ro\n    networks: [front]\n    \
             healthcheck:\n      test: [CMD, curl, -f, http://localhost]\n      interval: 10s\n    logging: *logging\n    deploy:\n      \
             resources:\n        limits: {{cpus: '0.5', memory: 256M}}\n    labels:\n      - team.web.number={at}\n",
            10_000 + at,
            at % 10
        );
        if at > 0 {
            let _ = writeln!(text, "    depends_on:\n      web{before}: {{condition: service_healthy}}");
        }
    }
    text.push_str("networks:\n  front:\nvolumes:\n");
    (0..10).for_each(|at| {
        let _ = writeln!(text, "  data{at}:");
    });
    MemoryFiles::default().with("/p/compose.yaml", &text).with("/p/.env", "TAG=1.27\n")
}

fn loaded(files: &MemoryFiles) -> Loaded {
    load(&Request { cwd: "/p".into(), ..Request::default() }, files)
}

fn best(mut work: impl FnMut()) -> Duration {
    let run = |work: &mut dyn FnMut()| {
        let begin = Instant::now();
        work();
        begin.elapsed()
    };
    (0..RUNS).map(|_| run(&mut work)).min().unwrap_or_default()
}

fn growth() {
    println!("{:>9} {:>12} {:>14} {:>12} {:>12} {:>12}", "services", "load", "per service", "print", "lint", "origins");
    for size in SIZES {
        let files = project(size);
        let Some(project) = loaded(&files).project else {
            println!("{size:>9} does not load");
            continue;
        };
        let load = best(|| assert!(loaded(&files).project.is_some()));
        let print = best(|| assert!(!print::yaml(&project).is_empty()));
        let lint = best(|| assert!(lint(&project).len() < 10 * size));
        let origins = best(|| assert!(!with_origins(&project).is_empty()));
        let each = load / u32::try_from(size).unwrap_or(1);
        println!("{size:>9} {load:>12.1?} {each:>14.1?} {print:>12.1?} {lint:>12.1?} {origins:>12.1?}");
    }
}

fn hostile() {
    println!("{:>24} {:>12} {:>10}  answer", "input", "load", "memory");
    let Ok(program) = std::env::current_exe() else { return };
    for case in cases::CASES {
        let answer = std::process::Command::new(&program).args(["hostile", case.name]).output();
        let text = answer.map_or_else(
            |error| error.to_string(),
            |output| {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                if output.status.success() { text } else { format!("{:>24} {}\n", case.name, output.status) }
            },
        );
        print!("{text}");
    }
}

fn one_hostile(name: &str) {
    let Some(case) = cases::CASES.iter().find(|case| case.name == name) else { return };
    let files = (case.files)();
    let before = peak_megabytes();
    let begin = Instant::now();
    let loaded = loaded(&files);
    let took = begin.elapsed();
    let memory = peak_megabytes().saturating_sub(before);
    let error = loaded.diagnostics.iter().find(|finding| finding.is_error()).map(|finding| finding.message.as_str());
    let expected = error.map_or(case.error.is_empty(), |error| !case.error.is_empty() && error.contains(case.error));
    let mark = if expected { "" } else { "UNEXPECTED: " };
    let answer: String = error.unwrap_or("a project").lines().next().unwrap_or_default().chars().take(60).collect();
    println!("{name:>24} {took:>12.1?} {memory:>7} MB  {mark}{answer}");
}

/// The most memory the process has had; 0 where the system does not say.
fn peak_megabytes() -> u64 {
    let status = std::fs::read("/proc/self/status").unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
