//! `up` in rounds: what an image turns out to be decides over what comes after it.

use crate::planner::goal::UpOptions;
use crate::planner::plan::{Op, Plan};
use crate::planner::up::up;
use crate::resource::Snapshot;
use crate::spec::model::Project;

/// Plans `up` again and again until a plan is complete, remembering which images were pulled and built.
#[derive(Debug)]
pub struct UpRounds<'a> {
    project: &'a Project,
    options: UpOptions,
    last: Option<Plan>,
}

impl<'a> UpRounds<'a> {
    /// Nothing planned yet.
    pub fn new(project: &'a Project, options: UpOptions) -> Self {
        Self { project, options, last: None }
    }

    /// The next plan, after the one before ran to its end.
    pub fn plan(&mut self, snapshot: &Snapshot) -> Plan {
        for node in self.last.take().into_iter().flat_map(|plan| plan.nodes) {
            match node.op {
                Op::PullImage { reference, .. } => {
                    self.options.pulled.insert(reference);
                }
                Op::BuildImage { request } => {
                    self.options.built.extend(request.tags.into_iter().next());
                }
                _ => {}
            }
        }
        let plan = up(self.project, snapshot, &self.options);
        if plan.questions.is_empty() && plan.blockers.is_empty() {
            self.last = Some(plan.clone());
        }
        plan
    }

    /// The options, for answers to questions.
    pub fn options_mut(&mut self) -> &mut UpOptions {
        &mut self.options
    }
}
