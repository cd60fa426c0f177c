//! The only way to make a plan: an operation can wait only for operations that are planned already, so that a cycle
//! can not be written.

use crate::planner::plan::{
    Blocker, Certainty, Edge, Need, NodeId, Op, Plan, PlanNode, Question, Reason, Shown, Unchanged,
};
use crate::resource::ResourceId;

/// A plan in the making.
#[derive(Debug)]
pub struct PlanBuilder {
    plan: Plan,
    groups: u32,
}

impl Default for PlanBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl PlanBuilder {
    /// An empty plan that is all there is to do.
    pub fn new() -> Self {
        Self { plan: Plan { complete: true, ..Plan::default() }, groups: 0 }
    }

    /// Adds an operation. Edges to operations that are not planned yet are a mistake of the planner; they are left
    /// out, and a debug build stops.
    pub fn add(&mut self, op: Op, target: ResourceId, reason: Reason, shown: Shown, after: &[Edge]) -> NodeId {
        let id = self.next_id();
        debug_assert!(after.iter().all(|edge| edge.node < id), "an operation waits for a later one");
        let mut edges: Vec<Edge> = Vec::with_capacity(after.len());
        for edge in after.iter().filter(|edge| edge.node < id) {
            match edges.iter_mut().find(|known| known.node == edge.node) {
                // Of two needs the stronger one counts.
                Some(known) if edge.need == Need::Success => known.need = Need::Success,
                Some(_) => {}
                None => edges.push(*edge),
            }
        }
        self.plan.nodes.push(PlanNode {
            op,
            target,
            reason,
            certainty: Certainty::Sure,
            after: edges,
            shown,
            optional: false,
        });
        id
    }
    /// The number that the next operation gets.
    pub fn next_id(&self) -> NodeId {
        NodeId(u32::try_from(self.plan.nodes.len()).unwrap_or(u32::MAX))
    }
    /// Changes an operation that was added.
    pub fn edit(&mut self, id: NodeId, change: impl FnOnce(&mut PlanNode)) {
        if let Some(node) = self.plan.nodes.get_mut(id.index()) {
            change(node);
        }
    }
    /// The failure of this operation is only told.
    pub fn optional(&mut self, id: NodeId) {
        self.edit(id, |node| node.optional = true);
    }
    /// This operation may turn out to be unnecessary.
    pub fn uncertain(&mut self, id: NodeId) {
        self.edit(id, |node| node.certainty = Certainty::IfImageChanges);
    }
    /// A number for a group of operations that progress shows as one.
    pub fn group(&mut self) -> u32 {
        self.groups += 1;
        self.groups
    }
    /// Something to be answered first.
    pub fn ask(&mut self, question: Question) {
        self.plan.questions.push(question);
    }
    /// Something that forbids the plan.
    pub fn block(&mut self, blocker: Blocker) {
        self.plan.blockers.push(blocker);
    }
    /// Something to know.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.plan.warnings.push(text.into());
    }
    /// Something that is as it should be.
    pub fn keep(&mut self, unchanged: Unchanged) {
        self.plan.unchanged.push(unchanged);
    }
    /// There is more to plan once this ran.
    pub fn incomplete(&mut self) {
        self.plan.complete = false;
    }
    /// The operations that were added so far.
    pub fn nodes(&self) -> impl Iterator<Item = &PlanNode> {
        self.plan.nodes.iter()
    }
    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.plan.nodes.is_empty()
    }
    /// The plan.
    pub fn finish(self) -> Plan {
        self.plan
    }
}

/// Edges that need success.
pub fn after(nodes: impl IntoIterator<Item = NodeId>) -> Vec<Edge> {
    nodes.into_iter().map(|node| Edge { node, need: Need::Success }).collect()
}

/// Edges that need only the end.
pub fn settled(nodes: impl IntoIterator<Item = NodeId>) -> Vec<Edge> {
    nodes.into_iter().map(|node| Edge { node, need: Need::Settled }).collect()
}
