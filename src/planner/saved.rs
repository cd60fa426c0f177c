//! A plan that was looked at and is run later: names, reasons, found ids and digests of the inputs, no values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::names::ContainerId;
use crate::planner::mounts;
use crate::planner::plan::{Blocker, Certainty, FieldChange, Plan, Reason};
use crate::planner::summary::{Action, Change, changes};
use crate::planner::text;
use crate::resource::{ResourceId, Snapshot};
use crate::spec::model::Project;

/// The form of what is saved.
const VERSION: u32 = 1;
/// Hex digits of an input's digest.
const DIGEST_LENGTH: usize = 16;

/// A saved plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    /// The form.
    pub version: u32,
    /// Whose plan it is.
    pub project: String,
    /// Address of the engine it was made for.
    pub engine: String,
    /// When it was made, RFC 3339.
    pub made: String,
    /// The flags and services it was made with.
    pub flags: serde_json::Value,
    /// Digests of what the files say, by `service web`, `network default`, …
    pub inputs: BTreeMap<String, String>,
    /// What would be done.
    pub steps: Vec<SavedStep>,
}

/// A change of a saved plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedStep {
    /// What becomes of it.
    pub action: Action,
    /// `Container shop-web-1`.
    pub target: String,
    /// Why, without values.
    pub reason: String,
    /// Paths of fields that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// Whether it is sure; else it hangs on an image that is pulled or built first.
    pub sure: bool,
    /// Containers that were found and are concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<ContainerId>,
}

impl SavedPlan {
    /// Of a plan that was made with `assume_images`.
    pub fn new(project: &Project, snapshot: &Snapshot, plan: &Plan, made: String, flags: serde_json::Value) -> Self {
        Self {
            version: VERSION,
            project: project.name.to_string(),
            engine: snapshot.engine.endpoint.clone(),
            made,
            flags,
            inputs: inputs(project),
            steps: changes(plan).into_iter().map(step).collect(),
        }
    }

    /// Reads what [`SavedPlan`] was written as.
    ///
    /// # Errors
    /// It is no plan, or one of another version.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let saved: Self = serde_json::from_slice(text).map_err(|error| format!("it is no saved plan: {error}"))?;
        if saved.version == VERSION {
            Ok(saved)
        } else {
            Err(format!("it has version {}, this is compose for version {VERSION}", saved.version))
        }
    }

    /// How a plan that was made now (with `assume_images`) differs from this one; empty when it is still the same.
    pub fn differences(&self, project: &Project, snapshot: &Snapshot, plan: &Plan) -> Vec<String> {
        let now = Self::new(project, snapshot, plan, String::new(), serde_json::Value::Null);
        let mut told = Vec::new();
        if self.project != now.project {
            return vec![format!("it is for project \"{}\", this is \"{}\"", self.project, now.project)];
        }
        if self.engine != now.engine {
            return vec![format!("it is for the engine at {}, this one is at {}", self.engine, now.engine)];
        }
        for (name, digest) in &self.inputs {
            match now.inputs.get(name) {
                Some(found) if found == digest => {}
                Some(_) => told.push(format!("the files say something else of {name} now")),
                None => told.push(format!("the files do not have {name} any more")),
            }
        }
        let added = now.inputs.keys().filter(|name| !self.inputs.contains_key(*name));
        told.extend(added.map(|name| format!("the files have {name} now")));
        for step in &self.steps {
            match now.steps.iter().find(|other| other.target == step.target) {
                None => told.push(format!("there is nothing to {} for {} any more", step.action.word(), step.target)),
                Some(other) if other.action != step.action => {
                    let (target, before, now) = (&step.target, step.action.word(), other.action.word());
                    told.push(format!("{target}: {now} ({}) instead of {before}", other.reason));
                }
                Some(other) if other.containers != step.containers => {
                    told.push(format!("{}: it is another container now", step.target));
                }
                Some(other) if (&other.reason, other.sure) != (&step.reason, step.sure) => {
                    told.push(format!("{}: because {}, not because {}", step.target, other.reason, step.reason));
                }
                Some(_) => {}
            }
        }
        let more = now.steps.iter().filter(|step| self.steps.iter().all(|known| known.target != step.target));
        told.extend(more.map(|step| format!("{}: {} ({}), too", step.target, step.action.word(), step.reason)));
        told
    }

    /// What of a later round of the same `up` is not covered by this plan.
    pub fn uncovered(&self, plan: &Plan) -> Vec<String> {
        let is_covered = |change: &Change| {
            let target = change.target.to_string();
            // Whatever was recreated or created is started later, and what may be recreated may as well stay and start.
            let lesser = matches!(change.action, Action::Start | Action::Rename | Action::Connect);
            let known = self.steps.iter().find(|step| step.target == target);
            known.is_some_and(|step| step.action == change.action || lesser)
        };
        let more = changes(plan).into_iter().filter(|change| !is_covered(change));
        more.map(|change| format!("{}: {} ({})", change.target, change.action.word(), text::reason(&change.reason)))
            .collect()
    }

    /// The plan with what differs as blockers.
    pub(super) fn hold(differences: Vec<String>, mut plan: Plan) -> Plan {
        let count = differences.len();
        for (index, difference) in differences.into_iter().enumerate() {
            let last = index + 1 == count;
            plan.blockers.push(Blocker {
                message: format!("the saved plan does not hold any more: {difference}"),
                hint: last.then(|| "look at a new one first: compose plan --out FILE".to_owned()),
                place: None,
            });
        }
        plan
    }
}

fn step(change: Change) -> SavedStep {
    let (reason, fields) = match &change.reason {
        Reason::ConfigChanged { fields } => {
            let paths = fields.iter().map(|FieldChange { path, .. }| path.clone()).collect();
            ("configuration changed".to_owned(), paths)
        }
        reason => (text::reason(reason), Vec::new()),
    };
    SavedStep {
        action: change.action,
        target: match &change.target {
            ResourceId::Provider(name) | ResourceId::Model(name) => format!("Service {name}"),
            target => target.to_string(),
        },
        reason,
        fields,
        sure: change.certainty == Certainty::Sure,
        containers: change.containers,
    }
}

/// A digest of everything that the files say, by what it is about.
fn inputs(project: &Project) -> BTreeMap<String, String> {
    let mut inputs = BTreeMap::new();
    let mut add = |kind: &str, name: &str, text: String, content: &[u8]| {
        let mut digest = Sha256::new();
        for part in [project.name.as_str().as_bytes(), kind.as_bytes(), name.as_bytes(), text.as_bytes(), content] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let hex: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        inputs.insert(format!("{kind} {name}"), hex.get(..DIGEST_LENGTH).unwrap_or(&hex).to_owned());
    };
    let text = |value: serde_json::Result<String>| value.unwrap_or_default();
    for (name, service) in &project.services {
        let files = mounts::uploads(project, service).unwrap_or_default();
        let content = files.into_iter().flat_map(|file| file.content).collect::<Vec<u8>>();
        add("service", name.as_str(), text(serde_json::to_string(service)), &content);
    }
    for (key, network) in &project.networks {
        add("network", key.as_str(), text(serde_json::to_string(network)), &[]);
    }
    for (key, volume) in &project.volumes {
        add("volume", key.as_str(), text(serde_json::to_string(volume)), &[]);
    }
    inputs
}
