//! What goes on, shown while it goes on: on a terminal, as lines, as objects, or not at all.

mod builds;
mod frame;
mod json;
mod plain;
mod quiet;
pub mod rows;
mod tty;

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Event;
use crate::planner::Plan;
use crate::ui::paint::Paint;
use crate::ui::stream::Stream;

use rows::{Notice, Rows, State};

/// `--progress`, once `auto` is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Redrawn in place.
    Tty,
    /// A line per event.
    Plain,
    /// An object per event.
    Json,
    /// Nothing.
    Quiet,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Nothing is really done; lines say so.
    pub dry_run: bool,
    /// No layers of pulls and pushes.
    pub quiet_layers: bool,
    /// No output of builds and hooks.
    pub quiet_output: bool,
    /// Nothing at all.
    pub silent: bool,
    /// `Starting` and `Started` are left out: an attached `up` shows the containers' own output instead.
    pub hide_starts: bool,
    /// Lines are put into a group that a log shows folded.
    pub groups: Groups,
}

/// Foldable parts of a log, where what shows the log knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Groups {
    /// It knows none.
    #[default]
    None,
    /// GitHub Actions, and those that took over its words.
    GitHub,
    /// GitLab, which wants times: the seconds since 1970 when the command began.
    GitLab {
        /// That time.
        began: i64,
    },
}

/// A way of showing; what happened is decided by the rows alone.
trait View {
    /// Something changed.
    fn notice(&mut self, notice: &Notice);
    /// Time went by.
    fn frame(&mut self, rows: &Rows, now: Duration);
    /// Lets something else write to the same terminal.
    fn print(&mut self, now: Duration, write: &mut dyn FnMut());
    /// Nothing follows.
    fn finish(&mut self, rows: &Rows, now: Duration);
}

/// The progress of one command, over all the plans it runs.
pub struct Display {
    rows: Rows,
    view: Box<dyn View>,
    start: Instant,
    hide_starts: bool,
    finished: bool,
}

impl fmt::Debug for Display {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Display({} rows)", self.rows.len())
    }
}

impl Display {
    /// How often [`Display::tick`] is to be called while something goes on.
    pub const TICK: Duration = Duration::from_millis(100);

    /// A display on `out`; `operation` is the word of its header: `up`.
    pub fn new(mode: Mode, operation: &str, out: Stream, paint: Paint, detail: Detail) -> Self {
        let view: Box<dyn View> = match mode {
            _ if detail.silent => Box::new(quiet::Quiet),
            Mode::Tty => Box::new(tty::Tty::new(out, operation, paint)),
            Mode::Plain => Box::new(plain::Plain::new(out, operation, detail)),
            Mode::Json => Box::new(json::Json::new(out, detail)),
            Mode::Quiet => Box::new(quiet::Quiet),
        };
        Self { rows: Rows::default(), view, start: Instant::now(), hide_starts: detail.hide_starts, finished: false }
    }

    /// The next plan; events that follow are about it.
    pub fn plan(&mut self, plan: &Plan) {
        let notices = self.rows.plan(plan, self.start.elapsed());
        self.tell(&notices);
    }
    /// Something happened.
    pub fn event(&mut self, event: &Event) {
        let notices = self.rows.event(event, self.start.elapsed());
        self.tell(&notices);
    }
    /// Something that is no operation of a plan goes on or is over.
    pub fn status(&mut self, id: &str, state: State, text: &str) {
        let notices = self.rows.status(id, state, text, self.start.elapsed());
        self.tell(&notices);
    }
    /// Time went by: spinners turn.
    pub fn tick(&mut self) {
        if !self.finished {
            self.view.frame(&self.rows, self.start.elapsed());
        }
    }
    /// Writes something else to the same terminal without disturbing either.
    pub fn print(&mut self, write: &mut dyn FnMut()) {
        if self.finished {
            write();
        } else {
            self.view.print(self.start.elapsed(), write);
        }
    }
    /// Leaves the last state on the screen. Further calls do nothing.
    pub fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.view.finish(&self.rows, self.start.elapsed());
        }
    }

    fn tell(&mut self, notices: &[Notice]) {
        let mut hidden = false;
        for notice in notices {
            // A reason goes with the line before it.
            hidden = self.hide_starts
                && match notice {
                    Notice::Status { text, state: State::Working | State::Done, .. } => {
                        text == "Starting" || text == "Started"
                    }
                    Notice::Reason { .. } => hidden,
                    Notice::Status { .. } | Notice::Layer { .. } | Notice::Build { .. } | Notice::Output { .. } => {
                        false
                    }
                };
            if !hidden && !self.finished {
                self.view.notice(notice);
            }
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{OpError, Progress};
    use crate::names::ContainerId;
    use crate::planner::{ContainerRef, NodeId, Op, PlanBuilder, Reason, Shown, after};
    use crate::resource::{LayerProgress, ResourceId};
    use crate::ui::stream::Captured;

    fn plan() -> Plan {
        let mut plan = PlanBuilder::new();
        let op = || Op::StartContainer { container: ContainerRef::Existing(ContainerId::new("1")) };
        let image = ResourceId::Image("nginx:1".into());
        let web = ResourceId::Container("p-web-1".into());
        let pull = plan.add(op(), image.clone(), Reason::Missing, Shown::new(&image, "Pulling", "Pulled"), &[]);
        let reason =
            Reason::ImageChanged { from: "sha256:aaaaaaaaaaaaaaaa".into(), to: "sha256:bbbbbbbbbbbbbbbb".into() };
        let create = plan.add(op(), web.clone(), reason, Shown::new(&web, "Recreate", "Recreated"), &after([pull]));
        plan.add(op(), web.clone(), Reason::NotRunning, Shown::new(&web, "Starting", "Started"), &after([create]));
        plan.finish()
    }

    fn events() -> Vec<Event> {
        let layer = |status: &str, current, total| Event::Progress {
            node: NodeId(0),
            progress: Progress::Layer(LayerProgress {
                layer: "63a26ae4e8a8".into(),
                status: status.into(),
                current,
                total,
            }),
        };
        let error = OpError::Unhealthy { container: "p-web-1".into() };
        vec![
            Event::Started { node: NodeId(0) },
            layer("Downloading", Some(500), Some(1000)),
            layer("Downloading", Some(700), Some(1000)),
            layer("Pull complete", None, None),
            Event::Finished { node: NodeId(0), warning: None },
            Event::Started { node: NodeId(1) },
            Event::Finished { node: NodeId(1), warning: None },
            Event::Started { node: NodeId(2) },
            Event::Failed { node: NodeId(2), error, optional: false },
        ]
    }

    fn shown(mode: Mode, detail: Detail) -> String {
        let captured = Captured::default();
        let mut display = Display::new(mode, "up", Stream::new(captured.clone()), Paint::plain(), detail);
        display.plan(&plan());
        for event in events() {
            display.event(&event);
        }
        display.finish();
        format!("---\n{}", captured.text())
    }

    #[tokio::test(start_paused = true)]
    async fn plain_lines_are_those_of_docker_compose() {
        insta::assert_snapshot!(shown(Mode::Plain, Detail::default()), @r"
        ---
         Image nginx:1  Pulling
         Image nginx:1  Pulled
         Container p-web-1  Recreate
           because: image changed aaaaaaaaaaaa → bbbbbbbbbbbb
         Container p-web-1  Recreated
         Container p-web-1  Starting
         Container p-web-1  Error
        ");
        let detail = Detail { dry_run: true, quiet_layers: true, hide_starts: true, ..Detail::default() };
        insta::assert_snapshot!(shown(Mode::Plain, detail), @r"
        ---
         DRY-RUN MODE -  Image nginx:1  Pulling
         DRY-RUN MODE -    because: is missing
         DRY-RUN MODE -  Image nginx:1  Pulled
         DRY-RUN MODE -  Container p-web-1  Recreate
         DRY-RUN MODE -    because: image changed aaaaaaaaaaaa → bbbbbbbbbbbb
         DRY-RUN MODE -  Container p-web-1  Recreated
         DRY-RUN MODE -  Container p-web-1  Error
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn lines_are_folded_where_logs_can_fold() {
        let grouped = |groups| {
            let captured = Captured::default();
            let detail = Detail { groups, ..Detail::default() };
            let mut display = Display::new(Mode::Plain, "up", Stream::new(captured.clone()), Paint::plain(), detail);
            display.plan(&plan());
            let mut events = events().into_iter();
            for event in events.by_ref().take(5) {
                display.event(&event);
            }
            // What containers say is not folded away, nor is anything after it.
            display.print(&mut || Stream::new(captured.clone()).line("web-1  | hello"));
            for event in events {
                display.event(&event);
            }
            display.finish();
            format!("---\n{}", captured.text().replace('\r', "<CR>").replace('\u{1b}', "<E>"))
        };
        insta::assert_snapshot!(grouped(Groups::GitHub), @r"
        ---
        ::group::compose up
         Image nginx:1  Pulling
         Image nginx:1  Pulled
        ::endgroup::
        web-1  | hello
         Container p-web-1  Recreate
           because: image changed aaaaaaaaaaaa → bbbbbbbbbbbb
         Container p-web-1  Recreated
         Container p-web-1  Starting
         Container p-web-1  Error
        ");
        insta::assert_snapshot!(grouped(Groups::GitLab { began: 100 }).lines().take(4).collect::<Vec<_>>().join("\n"), @r"
        ---
        <E>[0Ksection_start:100:compose_up<CR><E>[0Kcompose up
         Image nginx:1  Pulling
         Image nginx:1  Pulled
        ");
    }

    #[tokio::test(start_paused = true)]
    async fn objects_have_the_keys_that_tools_read() {
        insta::assert_snapshot!(shown(Mode::Json, Detail::default()), @r#"
        ---
        {"id":"Image nginx:1","status":"Working","text":"Pulling"}
        {"id":"63a26ae4e8a8","parent_id":"Image nginx:1","status":"Working","text":"Downloading","current":500,"total":1000,"percent":50}
        {"id":"63a26ae4e8a8","parent_id":"Image nginx:1","status":"Working","text":"Downloading","current":700,"total":1000,"percent":70}
        {"id":"63a26ae4e8a8","parent_id":"Image nginx:1","status":"Done","text":"Pull complete","current":1000,"total":1000,"percent":100}
        {"id":"Image nginx:1","status":"Done","text":"Pulled"}
        {"id":"Container p-web-1","status":"Working","text":"Recreate","details":"image changed aaaaaaaaaaaa → bbbbbbbbbbbb"}
        {"id":"Container p-web-1","status":"Done","text":"Recreated"}
        {"id":"Container p-web-1","status":"Working","text":"Starting"}
        {"id":"Container p-web-1","status":"Error","text":"container p-web-1 is unhealthy"}
        "#);
        assert_eq!(shown(Mode::Quiet, Detail::default()), "---\n");
    }
}
