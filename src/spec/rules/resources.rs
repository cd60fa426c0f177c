//! Rows at the top level: project, networks, volumes, secrets, configs, models, include.

use crate::spec::rules::service::SERVICE;
use crate::spec::rules::{
    BOOL, BOOLEAN, Cast, FILE_PATH, INTEGER, KEY_VALUES, MAP, Merge, NULL, OPTIONS, Others, PathKind, SCALAR_OR_NULL,
    STR, STRING, STRINGS, Shape, Short,
};

/// A whole compose file.
pub(in crate::spec) static TOP: Shape = Shape::mapping(&[
    ("configs", &CONFIGS),
    ("include", &INCLUDES),
    ("models", &MODELS),
    ("name", &STRING),
    ("networks", &NETWORKS),
    ("secrets", &SECRETS),
    ("services", &SERVICES),
    ("version", &STRING),
    ("volumes", &VOLUMES),
]);

static SERVICES: Shape = Shape::entries(Others::Named(&SERVICE));
static NETWORKS: Shape = Shape::entries(Others::NamedOpen(&NETWORK));
static VOLUMES: Shape = Shape::entries(Others::Named(&VOLUME));
static SECRETS: Shape = Shape::entries(Others::Named(&SECRET));
static CONFIGS: Shape = Shape::entries(Others::Named(&CONFIG));
static MODELS: Shape = Shape::entries(Others::NamedOpen(&MODEL));

static INCLUDES: Shape = Shape::list(&INCLUDE);
static INCLUDE: Shape = Shape::mapping(&[("env_file", &PATHS), ("path", &PATHS), ("project_directory", &STRING)])
    .others(Others::Closed)
    .and(STR);
static PATHS: Shape = Shape::of(STR).items(&STRING).unique();

static EXTERNAL: Shape = Shape::mapping(&[("name", &STRING)]).and(BOOL).and(STR).cast(Cast::Bool);
static EXTERNAL_FREE: Shape =
    Shape::mapping(&[("name", &STRING)]).others(Others::Free).and(BOOL).and(STR).cast(Cast::Bool);

static NETWORK: Shape = Shape::mapping(&[
    ("attachable", &BOOLEAN),
    ("driver", &STRING),
    ("driver_opts", &OPTIONS),
    ("enable_ipv4", &BOOLEAN),
    ("enable_ipv6", &BOOLEAN),
    ("external", &EXTERNAL),
    ("internal", &BOOLEAN),
    ("ipam", &IPAM),
    ("labels", &KEY_VALUES),
    ("name", &STRING),
])
.and(NULL)
.short(Short::External);

static IPAM: Shape = Shape::mapping(&[("config", &POOLS), ("driver", &STRING), ("options", &IPAM_OPTIONS)]);
static IPAM_OPTIONS: Shape = Shape::entries(Others::Any(&STRING));
static POOLS: Shape = Shape::list(&POOL).merge(Merge::Pools);
static POOL: Shape = Shape::mapping(&[
    ("aux_addresses", &IPAM_OPTIONS),
    ("gateway", &STRING),
    ("ip_range", &STRING),
    ("subnet", &STRING),
]);

static VOLUME: Shape = Shape::mapping(&[
    ("driver", &STRING),
    ("driver_opts", &OPTIONS),
    ("external", &EXTERNAL),
    ("labels", &KEY_VALUES),
    ("name", &STRING),
])
.and(NULL)
.short(Short::External)
.path(PathKind::Volume);

static SECRET: Shape = Shape::mapping(&[
    ("driver", &STRING),
    ("driver_opts", &OPTIONS),
    ("environment", &STRING),
    ("external", &EXTERNAL_FREE),
    ("file", &FILE_PATH),
    ("labels", &LABELS),
    ("name", &STRING),
    ("template_driver", &STRING),
])
.short(Short::External);

static CONFIG: Shape = Shape::mapping(&[
    ("content", &STRING),
    ("environment", &STRING),
    ("external", &EXTERNAL_FREE),
    ("file", &FILE_PATH),
    ("labels", &LABELS),
    ("name", &STRING),
    ("template_driver", &STRING),
])
.short(Short::External);

static LABELS: Shape = Shape::of(MAP).others(Others::Any(&SCALAR_OR_NULL)).items(&STRING).unique();

static MODEL: Shape =
    Shape::mapping(&[("context_size", &INTEGER), ("model", &STRING), ("name", &STRING), ("runtime_flags", &STRINGS)])
        .required(&["model"]);
