//! Rows under `deploy:` and those that `gpus:` shares with it.

use crate::spec::rules::{
    Cast, INT, INTEGER_OR_TEXT, KEY_VALUES, LIST_OR_DICT, Limit, NULL, NUM, NUMBER_OR_TEXT, STR, STRING, STRINGS,
    Shape, Short, UNIQUE_STRINGS,
};

static CAST_INT: Shape = Shape::of(INT).and(STR).cast(Cast::Int);
static CAST_FLOAT: Shape = Shape::of(NUM).and(STR).cast(Cast::Float);
static ORDER: Shape = Shape::of(STR).limit(Limit::OneOf(&["start-first", "stop-first"]));

pub(super) static DEPLOY: Shape = Shape::mapping(&[
    ("endpoint_mode", &STRING),
    ("labels", &KEY_VALUES),
    ("mode", &STRING),
    ("placement", &PLACEMENT),
    ("replicas", &CAST_INT),
    ("resources", &RESOURCES),
    ("restart_policy", &RESTART_POLICY),
    ("rollback_config", &UPDATE),
    ("update_config", &UPDATE),
])
.and(NULL);

static UPDATE: Shape = Shape::mapping(&[
    ("delay", &STRING),
    ("failure_action", &STRING),
    ("max_failure_ratio", &CAST_FLOAT),
    ("monitor", &STRING),
    ("order", &ORDER),
    ("parallelism", &CAST_INT),
]);

static RESOURCES: Shape = Shape::mapping(&[("limits", &LIMITS), ("reservations", &RESERVATIONS)]);

static LIMITS: Shape = Shape::mapping(&[("cpus", &NUMBER_OR_TEXT), ("memory", &STRING), ("pids", &INTEGER_OR_TEXT)]);

static RESERVATIONS: Shape = Shape::mapping(&[
    ("cpus", &NUMBER_OR_TEXT),
    ("devices", &DEVICES),
    ("generic_resources", &GENERIC_RESOURCES),
    ("memory", &STRING),
]);

static DEVICES: Shape = Shape::list(&DEVICE);
static DEVICE: Shape = Shape::mapping(&[
    ("capabilities", &UNIQUE_STRINGS),
    ("count", &INTEGER_OR_TEXT),
    ("device_ids", &UNIQUE_STRINGS),
    ("driver", &STRING),
    ("options", &LIST_OR_DICT),
])
.required(&["capabilities"]);

pub(super) static GPUS: Shape = Shape::of(STR).items(&GPU).limit(Limit::OneOf(&["all"])).short(Short::Gpus);
static GPU: Shape = Shape::mapping(&[
    ("capabilities", &UNIQUE_STRINGS),
    ("count", &INTEGER_OR_TEXT),
    ("device_ids", &UNIQUE_STRINGS),
    ("driver", &STRING),
    ("options", &LIST_OR_DICT),
]);

static GENERIC_RESOURCES: Shape = Shape::list(&GENERIC_RESOURCE);
static GENERIC_RESOURCE: Shape = Shape::mapping(&[("discrete_resource_spec", &DISCRETE_RESOURCE)]);
static DISCRETE_RESOURCE: Shape = Shape::mapping(&[("kind", &STRING), ("value", &NUMBER_OR_TEXT)]);

static RESTART_POLICY: Shape =
    Shape::mapping(&[("condition", &STRING), ("delay", &STRING), ("max_attempts", &CAST_INT), ("window", &STRING)]);

static PLACEMENT: Shape =
    Shape::mapping(&[("constraints", &STRINGS), ("max_replicas_per_node", &CAST_INT), ("preferences", &PREFERENCES)]);
static PREFERENCES: Shape = Shape::list(&PREFERENCE);
static PREFERENCE: Shape = Shape::mapping(&[("spread", &STRING)]);
