//! What progress knows: a pure fold of plans and events into rows, and notices of what just changed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indexmap::IndexMap;

use crate::engine::{Event, Progress};
use crate::labels;
use crate::planner::{NodeId, Op, Plan, PlanNode, Reason};
use crate::resource::LayerProgress;
use crate::ui::progress::builds::Builds;
use crate::ui::reason;

/// How a row stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It goes on.
    #[default]
    Working,
    /// It is done.
    Done,
    /// It is over, with something to be known.
    Warning,
    /// It failed.
    Error,
}

/// A layer of an image on its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// The engine's words.
    pub status: String,
    /// Bytes done.
    pub current: u64,
    /// Bytes in all; 0 when unknown.
    pub total: u64,
    /// Whether it is there.
    pub done: bool,
}

/// One thing and how it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// `Container shop-web-1`.
    pub id: String,
    /// The word for it: `Creating`.
    pub status: String,
    /// More, after the word.
    pub details: String,
    /// Whether the details say what goes on just now, which is no news once the row is done.
    pub(super) fleeting: bool,
    /// How it stands.
    pub state: State,
    /// When it began.
    pub began: Duration,
    /// When it was over.
    pub ended: Option<Duration>,
    /// Layers of an image, by short id.
    pub layers: IndexMap<String, Layer>,
}

/// Something that just changed, for displays that write lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A row has a new word.
    Status {
        /// Which row.
        id: String,
        /// How it stands.
        state: State,
        /// The word.
        text: String,
        /// More; an error's whole text.
        details: String,
        /// The row's name says what is done to what, and the word completes it.
        sentence: bool,
    },
    /// Why what follows is done.
    Reason {
        /// Which row.
        id: String,
        /// The phrase.
        text: String,
        /// Whether it is told without being asked for a plan.
        worth_telling: bool,
    },
    /// A layer moved on.
    Layer {
        /// The image's row.
        parent: String,
        /// Short id of the layer.
        id: String,
        /// The layer.
        layer: Layer,
        /// Whether its words changed, and not only its bytes.
        new_words: bool,
    },
    /// News of a step of a build.
    Build {
        /// Which row.
        id: String,
        /// The number of the step, over all builds of the command.
        step: usize,
        /// The first line of a step is its name.
        begins: bool,
        /// The line in BuildKit's words, without its number.
        line: String,
        /// The line for itself.
        text: String,
    },
    /// A line that a build, a hook or an external program wrote.
    Output {
        /// Which row.
        id: String,
        /// The line.
        line: String,
    },
}

#[derive(Clone, Debug)]
struct Shape {
    row: String,
    begin: String,
    end: String,
    group: Option<u32>,
    hidden: bool,
    reason: Reason,
    /// What tells several builds apart: their services.
    build: Option<String>,
}

/// All rows of a command, over all plans it runs.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    rows: IndexMap<String, Row>,
    shapes: Vec<Shape>,
    open_in_group: BTreeMap<u32, usize>,
    begun_groups: BTreeSet<u32>,
    builds: Builds,
}

impl Rows {
    /// All rows in the order in which they came up.
    pub fn iter(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }
    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// How many do not go on any more.
    pub fn settled(&self) -> usize {
        self.rows.values().filter(|row| row.state != State::Working).count()
    }

    /// Takes the next plan; events that follow are about it. What it leaves as it is, is told once.
    pub fn plan(&mut self, plan: &Plan, now: Duration) -> Vec<Notice> {
        self.open_in_group.clear();
        self.begun_groups.clear();
        self.builds.next_plan();
        let services = |node: &PlanNode| match &node.op {
            Op::BuildImage { request } => request.labels.get(labels::SERVICE).cloned(),
            _ => None,
        };
        let several = plan.nodes.iter().filter_map(services).nth(1).is_some();
        self.shapes = plan
            .nodes
            .iter()
            .map(|node| Shape {
                row: node.shown.row.clone(),
                begin: node.shown.begin.clone(),
                end: node.shown.end.clone(),
                group: node.shown.group,
                hidden: node.shown.hidden,
                reason: node.reason.clone(),
                build: services(node).filter(|_| several),
            })
            .collect();
        for group in self.shapes.iter().filter_map(|shape| shape.group) {
            *self.open_in_group.entry(group).or_default() += 1;
        }
        let mut notices = Vec::new();
        for kept in plan.unchanged.iter().filter(|kept| !kept.word.is_empty()) {
            let id = kept.target.to_string();
            if !self.rows.contains_key(&id) {
                self.set(&id, State::Done, &kept.word, "", now, &mut notices);
            }
        }
        notices
    }

    /// Takes an event. Events of unknown operations change nothing.
    pub fn event(&mut self, event: &Event, now: Duration) -> Vec<Notice> {
        let mut notices = Vec::new();
        match event {
            Event::Started { node } => self.started(*node, now, &mut notices),
            Event::Progress { node, progress } => self.progress(*node, progress, now, &mut notices),
            Event::Finished { node, warning } => self.finished(*node, warning.as_deref(), now, &mut notices),
            Event::Failed { node, error, optional } => {
                self.failed(*node, &error.to_string(), *optional, now, &mut notices);
            }
            // Only the cause is told; what was never begun has no row.
            Event::Skipped { node, .. } => self.skipped(*node, now, &mut notices),
            Event::Stopping => {}
        }
        notices
    }

    /// Something that is no operation of a plan: a copy, an archive.
    pub fn status(&mut self, id: &str, state: State, text: &str, now: Duration) -> Vec<Notice> {
        let mut notices = Vec::new();
        self.set(id, state, text, "", now, &mut notices);
        for notice in &mut notices {
            if let Notice::Status { sentence, .. } = notice {
                *sentence = true;
            }
        }
        notices
    }

    fn started(&mut self, node: NodeId, now: Duration, notices: &mut Vec<Notice>) {
        let Some(shape) = self.shape(node) else { return };
        if let Some(group) = shape.group
            && !self.begun_groups.insert(group)
        {
            return;
        }
        if shape.begin.is_empty() {
            // Only its end is told.
            return;
        }
        let (text, worth_telling) = (reason::phrase(&shape.reason), reason::is_worth_telling(&shape.reason));
        let details = if worth_telling { text.as_str() } else { "" };
        self.set(&shape.row, State::Working, &shape.begin, details, now, notices);
        notices.push(Notice::Reason { id: shape.row.clone(), text, worth_telling });
    }

    fn finished(&mut self, node: NodeId, warning: Option<&str>, now: Duration, notices: &mut Vec<Notice>) {
        let Some(shape) = self.shape(node) else { return };
        if !self.is_last_of_group(&shape) {
            return;
        }
        let details = self.rows.get(&shape.row).map(|row| row.details.clone()).unwrap_or_default();
        match warning {
            Some(warning) => self.set(&shape.row, State::Warning, warning, "", now, notices),
            None => self.set(&shape.row, State::Done, &shape.end, "", now, notices),
        }
        if let Some(row) = self.rows.get_mut(&shape.row) {
            row.details = if row.fleeting { String::new() } else { details };
        }
    }

    fn failed(&mut self, node: NodeId, error: &str, optional: bool, now: Duration, notices: &mut Vec<Notice>) {
        let Some(shape) = self.shapes.get(node.index()).cloned() else { return };
        self.is_last_of_group(&shape);
        if optional {
            self.set(&shape.row, State::Warning, "Warning", error, now, notices);
        } else {
            let text = match shape.begin.as_str() {
                begin @ ("Stopping" | "Killing") => &format!("Error while {begin}"),
                _ => "Error",
            };
            self.set(&shape.row, State::Error, text, error, now, notices);
        }
    }

    fn skipped(&mut self, node: NodeId, now: Duration, _: &mut Vec<Notice>) {
        let Some(shape) = self.shape(node) else { return };
        // A group that was begun and can not end stays as it is, but its time stops.
        self.is_last_of_group(&shape);
        if let Some(row) = self.rows.get_mut(&shape.row) {
            row.ended.get_or_insert(now);
        }
    }

    fn progress(&mut self, node: NodeId, progress: &Progress, now: Duration, notices: &mut Vec<Notice>) {
        let Some(shape) = self.shapes.get(node.index()).cloned() else { return };
        match progress {
            Progress::Layer(layer) => self.layer(&shape.row, layer, now, notices),
            Progress::Build(build) => {
                let Some(notice) = self.builds.notice(node, &shape.row, shape.build.as_deref(), build) else { return };
                if let (Some(row), Notice::Build { text, .. } | Notice::Output { line: text, .. }) =
                    (self.rows.get_mut(&shape.row), &notice)
                {
                    row.details.clone_from(text);
                    row.fleeting = true;
                }
                notices.push(notice);
            }
            Progress::Words(words) => self.set(&shape.row, State::Working, words, "", now, notices),
            Progress::Line(line) => {
                if let Some(row) = self.rows.get_mut(&shape.row) {
                    row.details.clone_from(line);
                    row.fleeting = true;
                }
                notices.push(Notice::Output { id: shape.row, line: line.clone() });
            }
        }
    }

    fn layer(&mut self, parent: &str, progress: &LayerProgress, _: Duration, notices: &mut Vec<Notice>) {
        let Some(row) = self.rows.get_mut(parent) else { return };
        if progress.layer.is_empty() {
            return;
        }
        let layer = row.layers.entry(progress.layer.clone()).or_default();
        let new_words = layer.status != progress.status;
        layer.status.clone_from(&progress.status);
        layer.done =
            matches!(progress.status.as_str(), "Pull complete" | "Already exists" | "Pushed" | "Layer already exists");
        if let Some(total) = progress.total {
            layer.total = total;
        }
        if let Some(current) = progress.current {
            layer.current = current;
        }
        if layer.done {
            layer.current = layer.total;
        }
        notices.push(Notice::Layer {
            parent: parent.to_owned(),
            id: progress.layer.clone(),
            layer: layer.clone(),
            new_words,
        });
    }

    /// The shape of an operation that is shown.
    fn shape(&self, node: NodeId) -> Option<Shape> {
        self.shapes.get(node.index()).filter(|shape| !shape.hidden).cloned()
    }

    fn is_last_of_group(&mut self, shape: &Shape) -> bool {
        let Some(group) = shape.group else { return true };
        let Some(open) = self.open_in_group.get_mut(&group) else { return true };
        *open = open.saturating_sub(1);
        *open == 0
    }

    fn set(&mut self, id: &str, state: State, text: &str, details: &str, now: Duration, notices: &mut Vec<Notice>) {
        let row =
            self.rows.entry(id.to_owned()).or_insert_with(|| Row { id: id.to_owned(), began: now, ..Row::default() });
        row.state = state;
        text.clone_into(&mut row.status);
        details.clone_into(&mut row.details);
        row.ended = (state != State::Working).then_some(now);
        if state != State::Working {
            row.layers.clear();
        }
        notices.push(Notice::Status {
            id: id.to_owned(),
            state,
            text: text.to_owned(),
            details: details.to_owned(),
            sentence: false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::OpError;
    use crate::names::ContainerId;
    use crate::planner::{ContainerRef, FieldChange, Op, PlanBuilder, Shown, Unchanged, after};
    use crate::resource::ResourceId;

    fn container(name: &str) -> ResourceId {
        ResourceId::Container(name.into())
    }

    fn start_op() -> Op {
        Op::StartContainer { container: ContainerRef::Existing(ContainerId::new("1")) }
    }

    fn recreate_plan() -> Plan {
        let mut plan = PlanBuilder::new();
        let target = container("p-web-1");
        let group = plan.group();
        let shown = |begin: &str, end: &str, group| Shown { group, ..Shown::new(&container("p-web-1"), begin, end) };
        let fields = vec![FieldChange {
            path: "environment.LOG".into(),
            from: Some("info".into()),
            to: Some("debug".into()),
            place: None,
        }];
        let reason = Reason::ConfigChanged { fields };
        let create =
            plan.add(start_op(), target.clone(), reason.clone(), shown("Recreate", "Recreated", Some(group)), &[]);
        let remove = plan.add(
            start_op(),
            target.clone(),
            Reason::Replaced,
            shown("Recreate", "Recreated", Some(group)),
            &after([create]),
        );
        plan.add(start_op(), target, Reason::NotRunning, shown("Starting", "Started", None), &after([remove]));
        plan.keep(Unchanged { target: container("p-db-1"), word: "Running".into(), container: None });
        plan.finish()
    }

    fn told(notices: &[Notice]) -> String {
        let mut out = String::new();
        for notice in notices {
            match notice {
                Notice::Status { id, state, text, details, .. } => {
                    out.push_str(&format!("{id} {state:?} {text} {details}\n"));
                }
                Notice::Reason { text, worth_telling, .. } => {
                    out.push_str(&format!("  why: {text} ({worth_telling})\n"));
                }
                Notice::Layer { id, layer, .. } => out.push_str(&format!("  layer {id} {}\n", layer.status)),
                Notice::Build { step, line, .. } => out.push_str(&format!("  #{step} {line}\n")),
                Notice::Output { line, .. } => out.push_str(&format!("  | {line}\n")),
            }
        }
        out
    }

    #[test]
    fn a_group_is_one_row_from_its_first_begin_to_its_last_end() {
        let mut rows = Rows::default();
        let second = Duration::from_secs;
        let mut notices = rows.plan(&recreate_plan(), second(0));
        for (at, event) in [
            Event::Started { node: NodeId(0) },
            Event::Finished { node: NodeId(0), warning: None },
            Event::Started { node: NodeId(1) },
            Event::Finished { node: NodeId(1), warning: None },
            Event::Started { node: NodeId(2) },
            Event::Finished { node: NodeId(2), warning: None },
        ]
        .iter()
        .enumerate()
        {
            notices.extend(rows.event(event, second(at as u64)));
        }
        insta::assert_snapshot!(told(&notices), @r"
        Container p-db-1 Done Running 
        Container p-web-1 Working Recreate environment.LOG info → debug
          why: environment.LOG info → debug (true)
        Container p-web-1 Done Recreated 
        Container p-web-1 Working Starting 
          why: is not running (false)
        Container p-web-1 Done Started
        ");
        assert_eq!((rows.len(), rows.settled()), (2, 2));
        let web = rows.iter().nth(1).unwrap();
        assert_eq!((web.began, web.ended), (second(0), Some(second(5))));
        // The same plan again tells nothing twice.
        assert!(rows.plan(&recreate_plan(), second(9)).is_empty());
    }

    #[test]
    fn what_went_on_is_no_news_when_it_is_done() {
        let mut rows = Rows::default();
        rows.plan(&recreate_plan(), Duration::ZERO);
        let going = Event::Progress { node: NodeId(2), progress: Progress::Line("halfway".to_owned()) };
        let details = |rows: &Rows| rows.iter().nth(1).map(|row| row.details.clone()).unwrap_or_default();
        rows.event(&Event::Started { node: NodeId(2) }, Duration::ZERO);
        rows.event(&going, Duration::ZERO);
        assert_eq!(details(&rows), "halfway");
        rows.event(&Event::Finished { node: NodeId(2), warning: None }, Duration::ZERO);
        assert_eq!(details(&rows), "");
    }

    #[test]
    fn only_the_cause_of_a_failure_is_told() {
        let mut rows = Rows::default();
        rows.plan(&recreate_plan(), Duration::ZERO);
        let error = OpError::Unhealthy { container: "p-web-1".into() };
        let mut notices = rows.event(&Event::Started { node: NodeId(0) }, Duration::ZERO);
        notices.extend(rows.event(&Event::Failed { node: NodeId(0), error, optional: false }, Duration::ZERO));
        notices.extend(rows.event(&Event::Skipped { node: NodeId(1), because: NodeId(0) }, Duration::ZERO));
        notices.extend(rows.event(&Event::Skipped { node: NodeId(7), because: NodeId(0) }, Duration::ZERO));
        insta::assert_snapshot!(told(&notices), @r"
        Container p-web-1 Working Recreate environment.LOG info → debug
          why: environment.LOG info → debug (true)
        Container p-web-1 Error Error container p-web-1 is unhealthy
        ");
    }
}
