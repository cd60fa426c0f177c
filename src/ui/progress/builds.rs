//! What builds tell, in the words and with the numbers of BuildKit.

use std::collections::{BTreeMap, BTreeSet};

use crate::planner::NodeId;
use crate::resource::{BuildProgress, StepState};
use crate::ui::progress::rows::Notice;
use crate::ui::units;

/// The steps of all builds of a command.
#[derive(Clone, Debug, Default)]
pub(super) struct Builds {
    /// How many steps began.
    count: usize,
    /// Their numbers by build and name.
    numbers: BTreeMap<(NodeId, String), usize>,
    /// The same by the number that the build itself gives them.
    of_build: BTreeMap<(NodeId, String), usize>,
    /// Steps whose end was told; builders tell it again and again.
    ended: BTreeSet<usize>,
    /// The same for parts of steps.
    ended_parts: BTreeSet<(usize, String)>,
}

impl Builds {
    /// What follows is about other operations.
    pub(super) fn next_plan(&mut self) {
        *self = Self { count: self.count, ..Self::default() };
    }

    /// What is worth a line, of the build `node` of `row`. `label` tells it from others that go on.
    pub(super) fn notice(
        &mut self,
        node: NodeId,
        row: &str,
        label: Option<&str>,
        progress: &BuildProgress,
    ) -> Option<Notice> {
        let id = row.to_owned();
        match progress {
            BuildProgress::Context { .. } | BuildProgress::Built { .. } => None,
            BuildProgress::Step { id: own, name, state } => {
                let known = self.numbers.get(&(node, name.clone())).copied();
                let begins = known.is_none();
                let step = known.unwrap_or_else(|| {
                    self.count += 1;
                    self.numbers.insert((node, name.clone()), self.count);
                    self.count
                });
                self.of_build.insert((node, own.clone()), step);
                let (line, text) = match state {
                    StepState::Started if !begins => return None,
                    StepState::Started => (labelled(name, label), name.clone()),
                    _ if !self.ended.insert(step) => return None,
                    StepState::Cached => ("CACHED".to_owned(), format!("CACHED {name}")),
                    StepState::Done { milliseconds } => {
                        let time = seconds(*milliseconds);
                        (format!("DONE {time}"), format!("DONE {name} {time}"))
                    }
                    StepState::Failed { error } => (format!("ERROR: {error}"), format!("ERROR {name}: {error}")),
                };
                Some(Notice::Build { id, step, begins, line, text })
            }
            BuildProgress::Output { id: own, line, milliseconds } => {
                let Some(step) = self.of_build.get(&(node, own.clone())).copied() else {
                    let line = label.map(|label| format!("[{label}] {line}")).unwrap_or_else(|| line.clone());
                    return Some(Notice::Output { id, line });
                };
                #[expect(clippy::cast_precision_loss, reason = "milliseconds are shown")]
                let time = milliseconds.map(|after| format!("{:.3} ", after as f64 / 1000.0)).unwrap_or_default();
                Some(Notice::Build { id, step, begins: false, line: format!("{time}{line}"), text: line.clone() })
            }
            BuildProgress::Transfer { id: own, name, current, total, milliseconds } => {
                let step = *self.of_build.get(&(node, own.clone()))?;
                if !self.ended_parts.insert((step, name.clone())) {
                    return None;
                }
                #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
                let size = |bytes: u64| units::decimal_size(bytes as f64, 3);
                let sizes = match (*current, *total) {
                    (0, 0) => String::new(),
                    (current, 0) => format!(" {}", size(current)),
                    (current, total) => format!(" {} / {}", size(current), size(total)),
                };
                let time = if *milliseconds > 10 { format!(" {}", seconds(*milliseconds)) } else { String::new() };
                let line = format!("{name}{sizes}{time} done");
                Some(Notice::Build { id, step, begins: false, text: line.clone(), line })
            }
            BuildProgress::Warning { id: own, text } => {
                let step = *self.of_build.get(&(node, own.clone()))?;
                let line = format!("WARN: {text}");
                Some(Notice::Build { id, step, begins: false, text: line.clone(), line })
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "tenths of a second are shown")]
fn seconds(milliseconds: u64) -> String {
    format!("{:.1}s", milliseconds as f64 / 1000.0)
}

/// `[2/3] RUN x` of the service `web` is `[web 2/3] RUN x`.
fn labelled(name: &str, label: Option<&str>) -> String {
    match (label, name.strip_prefix('[')) {
        (None, _) => name.to_owned(),
        (Some(label), Some(rest)) => format!("[{label} {rest}"),
        (Some(label), None) => format!("[{label}] {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, name: &str, state: StepState) -> BuildProgress {
        BuildProgress::Step { id: id.to_owned(), name: name.to_owned(), state }
    }

    #[test]
    fn two_builds_as_buildkit_tells_them() {
        let mut builds = Builds::default();
        let (one, two) = (NodeId(0), NodeId(1));
        let output = |id: &str, line: &str, milliseconds| BuildProgress::Output {
            id: id.to_owned(),
            line: line.to_owned(),
            milliseconds,
        };
        let transfer = |current, total, milliseconds| BuildProgress::Transfer {
            id: "1".to_owned(),
            name: "transferring context:".to_owned(),
            current,
            total,
            milliseconds,
        };
        let told = [
            (one, Some("a"), step("1", "[internal] load .dockerignore", StepState::Started)),
            (two, Some("b"), step("1", "exporting to image", StepState::Started)),
            (one, Some("a"), transfer(2, 0, 0)),
            (one, Some("a"), transfer(2, 0, 1)),
            (two, Some("b"), transfer(1500, 3000, 1234)),
            (one, Some("a"), step("1", "[internal] load .dockerignore", StepState::Done { milliseconds: 12 })),
            (one, Some("a"), step("1", "[internal] load .dockerignore", StepState::Done { milliseconds: 13 })),
            (one, None, step("2", "[2/2] RUN x", StepState::Started)),
            (one, None, output("2", "made", Some(119))),
            (one, None, BuildProgress::Warning { id: "2".to_owned(), text: "JSONArgs (line 2)".to_owned() }),
            (one, None, step("2", "[2/2] RUN x", StepState::Failed { error: "exit code: 1".to_owned() })),
            (two, None, step("2", "[1/2] FROM x", StepState::Cached)),
            (two, Some("b"), output("", "Step 1/2 : FROM x", None)),
        ];
        let mut out = String::new();
        for (node, label, progress) in told {
            match builds.notice(node, "Image p-a", label, &progress) {
                Some(Notice::Build { step, begins, line, text, .. }) => {
                    out.push_str(&format!("{}#{step} {line} ({text})\n", if begins { "\n" } else { "" }));
                }
                Some(Notice::Output { line, .. }) => out.push_str(&format!("{line}\n")),
                other => out.push_str(&format!("{other:?}\n")),
            }
        }
        insta::assert_snapshot!(out, @r"

        #1 [a internal] load .dockerignore ([internal] load .dockerignore)

        #2 [b] exporting to image (exporting to image)
        #1 transferring context: 2B done (transferring context: 2B done)
        None
        #2 transferring context: 1.5kB / 3kB 1.2s done (transferring context: 1.5kB / 3kB 1.2s done)
        #1 DONE 0.0s (DONE [internal] load .dockerignore 0.0s)
        None

        #3 [2/2] RUN x ([2/2] RUN x)
        #3 0.119 made (made)
        #3 WARN: JSONArgs (line 2) (WARN: JSONArgs (line 2))
        #3 ERROR: exit code: 1 (ERROR [2/2] RUN x: exit code: 1)

        #4 CACHED (CACHED [1/2] FROM x)
        [b] Step 1/2 : FROM x
        ");
    }
}
