//! Which operation of a plan may begin now: a plain state machine over the plan's graph, without time or tasks.

use std::collections::BTreeSet;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::planner::{Need, NodeId, Op, Plan};

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It waits for so many others.
    Waiting(usize),
    /// It may begin.
    Ready,
    /// It was handed out.
    Begun,
    /// It is over, well or badly, or never began.
    Over,
}

/// The operations of a plan and what they wait for.
///
/// The plan keeps, for each operation, what it waits for; handing out needs the opposite, what waits for it. petgraph
/// keeps both ways of an edge in two flat vectors, so that neither building nor walking it allocates per operation.
#[derive(Debug)]
pub struct Schedule {
    graph: DiGraph<Standing, Need, u32>,
    /// In the order of the plan, so that two runs of one plan begin alike.
    ready: BTreeSet<NodeId>,
    /// Ready operations that only wait and take nobody's place.
    ready_waits: BTreeSet<NodeId>,
    waits: BTreeSet<NodeId>,
    stopped: bool,
    open: usize,
}

impl Schedule {
    /// Everything of a plan, nothing begun.
    pub fn new(plan: &Plan) -> Self {
        let edges = plan.nodes.iter().map(|node| node.after.len()).sum();
        let mut graph = DiGraph::with_capacity(plan.nodes.len(), edges);
        let mut waits = BTreeSet::new();
        for (id, node) in plan.iter() {
            let index = graph.add_node(Standing::Waiting(0));
            if matches!(node.op, Op::Await { .. }) {
                waits.insert(id);
            }
            let mut waiting = 0;
            // The builder allows edges to earlier operations only; others would never be satisfied.
            for edge in node.after.iter().filter(|edge| edge.node < id) {
                graph.add_edge(index_of(edge.node), index, edge.need);
                waiting += 1;
            }
            graph[index] = Standing::Waiting(waiting);
        }
        let mut schedule = Self {
            open: graph.node_count(),
            graph,
            ready: BTreeSet::new(),
            ready_waits: BTreeSet::new(),
            waits,
            stopped: false,
        };
        for (id, _) in plan.iter() {
            schedule.ready_if_free(index_of(id));
        }
        schedule
    }

    /// The next operation that may begin; `None` when there is none now. It counts as begun.
    pub fn pop_ready(&mut self) -> Option<NodeId> {
        if self.stopped {
            return None;
        }
        let id = self.ready.pop_first()?;
        self.begin(id)
    }
    /// The next `Await` that may begin: it only waits, so that it must not keep an operation from its place.
    pub fn pop_ready_wait(&mut self) -> Option<NodeId> {
        if self.stopped {
            return None;
        }
        let id = self.ready_waits.pop_first()?;
        self.begin(id)
    }
    /// It ended well: what waited for it may be ready now.
    pub fn finish(&mut self, id: NodeId) {
        if self.end(id) {
            self.release(index_of(id), |_| true);
        }
    }
    /// It failed: what needs its success will never begin, and neither will what needs that. Gives all of these, in
    /// the order of the plan.
    pub fn fail(&mut self, id: NodeId) -> Vec<NodeId> {
        let mut lost = BTreeSet::new();
        if !self.end(id) {
            return Vec::new();
        }
        let mut without_success = vec![index_of(id)];
        while let Some(index) = without_success.pop() {
            let needy: Vec<NodeIndex> = self
                .graph
                .edges_directed(index, Direction::Outgoing)
                .filter(|edge| *edge.weight() == Need::Success)
                .map(|edge| edge.target())
                .collect();
            for target in needy {
                if matches!(self.graph[target], Standing::Waiting(_)) && self.end(id_of(target)) {
                    lost.insert(id_of(target));
                    without_success.push(target);
                }
            }
            self.release(index, |need| need == Need::Settled);
        }
        lost.into_iter().collect()
    }
    /// From now on nothing is handed out.
    pub fn stop_handing_out(&mut self) {
        self.stopped = true;
    }
    /// Whether nothing is left to begin or to end.
    pub fn is_over(&self) -> bool {
        self.open == 0
    }

    fn begin(&mut self, id: NodeId) -> Option<NodeId> {
        *self.graph.node_weight_mut(index_of(id))? = Standing::Begun;
        Some(id)
    }
    /// Marks it as over; `false` when it was already, or is not there.
    fn end(&mut self, id: NodeId) -> bool {
        let Some(standing) = self.graph.node_weight_mut(index_of(id)) else { return false };
        if *standing == Standing::Over {
            return false;
        }
        *standing = Standing::Over;
        self.open -= 1;
        self.ready.remove(&id);
        self.ready_waits.remove(&id);
        true
    }
    fn release(&mut self, index: NodeIndex, satisfied: impl Fn(Need) -> bool) {
        let mut targets = self.graph.neighbors_directed(index, Direction::Outgoing).detach();
        while let Some((edge, target)) = targets.next(&self.graph) {
            if !satisfied(self.graph[edge]) {
                continue;
            }
            if let Standing::Waiting(count) = &mut self.graph[target] {
                *count = count.saturating_sub(1);
            }
            self.ready_if_free(target);
        }
    }
    fn ready_if_free(&mut self, index: NodeIndex) {
        if self.graph[index] != Standing::Waiting(0) {
            return;
        }
        self.graph[index] = Standing::Ready;
        let id = id_of(index);
        if self.waits.contains(&id) {
            self.ready_waits.insert(id);
        } else {
            self.ready.insert(id);
        }
    }
}

fn index_of(id: NodeId) -> NodeIndex {
    NodeIndex::new(id.index())
}

fn id_of(index: NodeIndex) -> NodeId {
    NodeId(u32::try_from(index.index()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::{Edge, PlanBuilder, Reason, Shown};
    use crate::resource::ResourceId;

    /// One line per operation: what it waits for, `~` before those whose end is enough.
    fn plan(lines: &[&str]) -> Plan {
        let mut builder = PlanBuilder::new();
        for line in lines {
            let after: Vec<Edge> = line
                .split_whitespace()
                .map(|word| match word.strip_prefix('~') {
                    Some(number) => Edge { node: NodeId(number.parse().unwrap()), need: Need::Settled },
                    None => Edge { node: NodeId(word.parse().unwrap()), need: Need::Success },
                })
                .collect();
            let target = ResourceId::Volume("v".into());
            let op = Op::RemoveVolume { volume: "v".into() };
            let shown = Shown::new(&target, "Removing", "Removed");
            builder.add(op, target, Reason::Asked, shown, &after);
        }
        builder.finish()
    }
    fn ids(numbers: &[u32]) -> Vec<NodeId> {
        numbers.iter().copied().map(NodeId).collect()
    }
    fn all_ready(schedule: &mut Schedule) -> Vec<NodeId> {
        std::iter::from_fn(|| schedule.pop_ready()).collect()
    }

    #[test]
    fn a_chain_goes_one_by_one() {
        let mut schedule = Schedule::new(&plan(&["", "0", "1"]));
        for number in 0..3 {
            assert_eq!(all_ready(&mut schedule), ids(&[number]));
            assert!(!schedule.is_over());
            schedule.finish(NodeId(number));
        }
        assert!(schedule.is_over());
    }

    #[test]
    fn what_waits_for_nothing_begins_in_the_order_of_the_plan() {
        let mut schedule = Schedule::new(&plan(&["", "", "0 1", ""]));
        assert_eq!(all_ready(&mut schedule), ids(&[0, 1, 3]));
        schedule.finish(NodeId(1));
        assert_eq!(all_ready(&mut schedule), ids(&[]));
        schedule.finish(NodeId(0));
        assert_eq!(all_ready(&mut schedule), ids(&[2]));
    }

    #[test]
    fn a_failure_takes_all_that_needs_it_and_leaves_the_rest() {
        let mut schedule = Schedule::new(&plan(&["", "0", "1", "", "3", "2 4"]));
        assert_eq!(all_ready(&mut schedule), ids(&[0, 3]));
        assert_eq!(schedule.fail(NodeId(0)), ids(&[1, 2, 5]));
        schedule.finish(NodeId(3));
        assert_eq!(all_ready(&mut schedule), ids(&[4]));
        schedule.finish(NodeId(4));
        assert!(schedule.is_over());
    }

    #[test]
    fn a_settled_need_outlives_failures_and_skips() {
        // 2 waits for the end of 1 only, which is skipped; 3 needs 2.
        let mut schedule = Schedule::new(&plan(&["", "0", "~1", "2", "~0"]));
        assert_eq!(all_ready(&mut schedule), ids(&[0]));
        assert_eq!(schedule.fail(NodeId(0)), ids(&[1]));
        assert_eq!(all_ready(&mut schedule), ids(&[2, 4]));
        schedule.finish(NodeId(2));
        assert_eq!(all_ready(&mut schedule), ids(&[3]));
    }

    #[test]
    fn a_second_failure_skips_nothing_twice() {
        let mut schedule = Schedule::new(&plan(&["", "", "0 1"]));
        all_ready(&mut schedule);
        assert_eq!(schedule.fail(NodeId(0)), ids(&[2]));
        assert_eq!(schedule.fail(NodeId(1)), ids(&[]));
        assert_eq!(schedule.fail(NodeId(1)), ids(&[]));
        assert!(schedule.is_over());
    }

    #[test]
    fn after_the_stop_nothing_is_handed_out() {
        let mut schedule = Schedule::new(&plan(&["", "", "0"]));
        assert_eq!(schedule.pop_ready(), Some(NodeId(0)));
        schedule.stop_handing_out();
        schedule.finish(NodeId(0));
        assert_eq!(schedule.pop_ready(), None);
        assert!(!schedule.is_over());
    }

    #[test]
    fn numbers_of_another_plan_do_no_harm() {
        let mut schedule = Schedule::new(&plan(&[""]));
        schedule.finish(NodeId(7));
        assert_eq!(schedule.fail(NodeId(9)), ids(&[]));
        assert_eq!(all_ready(&mut schedule), ids(&[0]));
    }
}
