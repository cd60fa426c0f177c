//! Plans made by hand, and what happened as text: for the tests of the engine.

use std::time::Duration;

use crate::engine::Event;
use crate::names::ContainerName;
use crate::planner::{ContainerRef, Edge, Late, NodeId, Op, Plan, PlanBuilder, Reason, Shown, Until, after};
use crate::resource::{ContainerSpec, ResourceId};

/// A plan in the making, with short words for what tests need.
pub(crate) struct Planned {
    pub(crate) builder: PlanBuilder,
}

impl Planned {
    pub(crate) fn new() -> Self {
        Self { builder: PlanBuilder::new() }
    }
    pub(crate) fn add(&mut self, op: Op, target: ResourceId, edges: &[Edge]) -> NodeId {
        let shown = Shown::new(&target, "Doing", "Done");
        self.builder.add(op, target, Reason::Asked, shown, edges)
    }
    pub(crate) fn on(&mut self, name: &str, op: Op, needs: &[NodeId]) -> NodeId {
        self.add(op, ResourceId::Container(name.into()), &after(needs.iter().copied()))
    }
    pub(crate) fn create(&mut self, name: &str, needs: &[NodeId]) -> NodeId {
        self.create_with(name, needs, Vec::new(), |_| {})
    }
    pub(crate) fn create_with(
        &mut self,
        name: &str,
        needs: &[NodeId],
        late: Vec<Late>,
        change: impl FnOnce(&mut ContainerSpec),
    ) -> NodeId {
        let mut spec =
            ContainerSpec { name: ContainerName::new(name), image: "app".into(), ..ContainerSpec::default() };
        change(&mut spec);
        self.on(name, Op::CreateContainer { spec: Box::new(spec), late }, needs)
    }
    pub(crate) fn start(&mut self, name: &str, made_by: NodeId, needs: &[NodeId]) -> NodeId {
        let needs: Vec<NodeId> = needs.iter().copied().chain([made_by]).collect();
        self.on(name, Op::StartContainer { container: ContainerRef::CreatedBy(made_by) }, &needs)
    }
    pub(crate) fn wait(
        &mut self,
        name: &str,
        made_by: NodeId,
        until: Until,
        timeout: Option<u64>,
        need: NodeId,
    ) -> NodeId {
        let op = Op::Await {
            container: ContainerRef::CreatedBy(made_by),
            service: name.into(),
            until,
            timeout: timeout.map(Duration::from_secs),
        };
        self.on(name, op, &[need])
    }
    /// Creates and starts it.
    pub(crate) fn up(&mut self, name: &str, needs: &[NodeId]) -> (NodeId, NodeId) {
        let made = self.create(name, &[]);
        (made, self.start(name, made, needs))
    }
    pub(crate) fn finish(self) -> Plan {
        self.builder.finish()
    }
}

/// One line per event: what of which operation.
pub(crate) fn line(plan: &Plan, event: &Event) -> String {
    let named = |id: &NodeId| {
        let Some(node) = plan.node(*id) else { return format!("#{}", id.0) };
        let op = format!("{:?}", node.op);
        let word = op.split([' ', '{', '(']).next().unwrap_or_default().to_owned();
        format!("#{} {word} {}", id.0, node.target.to_string().trim_start_matches("Container "))
    };
    match event {
        Event::Started { node } => format!("begin {}", named(node)),
        Event::Progress { node, progress } => format!("  {} {progress:?}", named(node)),
        Event::Finished { node, warning: None } => format!("end   {}", named(node)),
        Event::Finished { node, warning: Some(text) } => format!("end   {} [{text}]", named(node)),
        Event::Failed { node, error, optional } => {
            format!("fail  {}: {error}{}", named(node), if *optional { " (optional)" } else { "" })
        }
        Event::Skipped { node, because } => format!("skip  {} because of #{}", named(node), because.0),
        Event::Stopping => "stopping".to_owned(),
    }
}
