//! Rows of one entry under `services:`.

use crate::spec::rules::deploy::{DEPLOY, GPUS};
use crate::spec::rules::{
    ANY, BOOL, BOOLEAN, Cast, FILE_PATH, INT, INTEGER_OR_TEXT, Identity, KEY_VALUES, LIST_OR_DICT, Limit, MAP, Merge,
    NULL, NUM, NUMBER, NUMBER_OR_TEXT, NamesTo, OPTIONS, Others, PLAIN_BOOLEAN, PathKind, SCALAR, STR, STRING,
    STRING_OR_NULL, STRINGS, Shape, Short, TEXT_NUMBER_OR_NULL, TEXT_OR_BOOLEAN, UNIQUE_STRINGS,
};

static CAST_INT: Shape = Shape::of(INT).and(STR).cast(Cast::Int);
static CAST_INT_NUMBER: Shape = Shape::of(NUM).and(STR).cast(Cast::Int);
static CAST_FLOAT: Shape = Shape::of(NUM).and(STR).cast(Cast::Float);

pub(super) static SERVICE: Shape = Shape::mapping(&[
    ("annotations", &KEY_VALUES),
    ("attach", &TEXT_OR_BOOLEAN),
    ("blkio_config", &BLKIO),
    ("build", &BUILD),
    ("cap_add", &UNIQUE_KEYS),
    ("cap_drop", &UNIQUE_KEYS),
    ("cgroup", &CGROUP),
    ("cgroup_parent", &STRING),
    ("command", &COMMAND),
    ("configs", &CONFIGS),
    ("container_name", &CONTAINER_NAME),
    ("cpu_count", &CPU_COUNT),
    ("cpu_percent", &CPU_PERCENT),
    ("cpu_period", &CAST_INT_NUMBER),
    ("cpu_quota", &CAST_INT_NUMBER),
    ("cpu_rt_period", &CAST_INT_NUMBER),
    ("cpu_rt_runtime", &CAST_INT_NUMBER),
    ("cpu_shares", &CAST_INT_NUMBER),
    ("cpus", &CAST_FLOAT),
    ("cpuset", &STRING),
    ("credential_spec", &CREDENTIALS),
    ("depends_on", &DEPENDENCIES),
    ("deploy", &DEPLOY),
    ("develop", &DEVELOP),
    ("device_cgroup_rules", &UNIQUE_STRINGS),
    ("devices", &DEVICES),
    ("dns", &DNS),
    ("dns_opt", &DNS_OPTIONS),
    ("dns_search", &DNS_SEARCH),
    ("domainname", &STRING),
    ("entrypoint", &COMMAND),
    ("env_file", &ENV_FILES),
    ("environment", &KEY_VALUES),
    ("expose", &EXPOSE),
    ("extends", &EXTENDS),
    ("external_links", &UNIQUE_STRINGS),
    ("extra_hosts", &HOSTS),
    ("gpus", &GPUS),
    ("group_add", &GROUPS),
    ("healthcheck", &HEALTHCHECK),
    ("hostname", &STRING),
    ("image", &STRING),
    ("init", &BOOLEAN),
    ("ipc", &STRING),
    ("isolation", &STRING),
    ("label_file", &LABEL_FILES),
    ("labels", &KEY_VALUES),
    ("links", &UNIQUE_KEYS),
    ("logging", &LOGGING),
    ("mac_address", &STRING),
    ("mem_limit", &NUMBER_OR_TEXT),
    ("mem_reservation", &INTEGER_OR_TEXT),
    ("mem_swappiness", &INTEGER_OR_TEXT),
    ("memswap_limit", &NUMBER_OR_TEXT),
    ("models", &MODELS),
    ("network_mode", &STRING),
    ("networks", &NETWORKS),
    ("oom_kill_disable", &BOOLEAN),
    ("oom_score_adj", &OOM_SCORE),
    ("pid", &STRING_OR_NULL),
    ("pids_limit", &CAST_INT_NUMBER),
    ("platform", &STRING),
    ("ports", &PORTS),
    ("post_start", &HOOKS),
    ("pre_start", &PRE_START_HOOKS),
    ("pre_stop", &HOOKS),
    ("privileged", &BOOLEAN),
    ("profiles", &UNIQUE_KEYS),
    ("provider", &PROVIDER),
    ("pull_policy", &PULL_POLICY),
    ("pull_refresh_after", &STRING),
    ("read_only", &BOOLEAN),
    ("restart", &STRING),
    ("runtime", &STRING),
    ("scale", &CAST_INT),
    ("secrets", &SECRETS),
    ("security_opt", &UNIQUE_STRINGS),
    ("shm_size", &NUMBER_OR_TEXT),
    ("stdin_open", &BOOLEAN),
    ("stop_grace_period", &STRING),
    ("stop_signal", &STRING),
    ("storage_opt", &FREE_MAPPING),
    ("sysctls", &KEY_VALUES),
    ("tmpfs", &TMPFS_LIST),
    ("tty", &BOOLEAN),
    ("ulimits", &ULIMITS),
    ("use_api_socket", &PLAIN_BOOLEAN),
    ("user", &STRING),
    ("userns_mode", &STRING),
    ("uts", &STRING),
    ("volumes", &VOLUMES),
    ("volumes_from", &UNIQUE_STRINGS),
    ("working_dir", &STRING),
]);

static UNIQUE_KEYS: Shape = Shape::list(&STRING).unique().identity(Identity::Key);
static FREE_MAPPING: Shape = Shape::of(MAP).others(Others::Any(&ANY));
static CGROUP: Shape = Shape::of(STR).limit(Limit::OneOf(&["host", "private"]));
static CONTAINER_NAME: Shape = Shape::of(STR).limit(Limit::ContainerName);
static PULL_POLICY: Shape = Shape::of(STR).limit(Limit::PullPolicy);
static COMMAND: Shape = Shape::of(STR).and(NULL).items(&STRING).merge(Merge::Replace);
static CPU_COUNT: Shape = Shape::of(INT).and(STR).limit(Limit::Range(0, i128::MAX)).cast(Cast::Int);
static CPU_PERCENT: Shape = Shape::of(INT).and(STR).limit(Limit::Range(0, 100)).cast(Cast::Float);
static OOM_SCORE: Shape = Shape::of(INT).and(STR).limit(Limit::Range(-1000, 1000)).cast(Cast::Int);
static DNS: Shape =
    Shape::of(STR).items(&STRING).unique().merge(Merge::KeyValues).identity(Identity::Key).short(Short::List);
static DNS_SEARCH: Shape = Shape::of(STR).items(&STRING).unique().merge(Merge::KeyValues).identity(Identity::Key);
static DNS_OPTIONS: Shape = Shape::list(&STRING).unique().merge(Merge::KeyValues).identity(Identity::Key);
static TMPFS_LIST: Shape = Shape::of(STR).items(&STRING).unique().merge(Merge::KeyValues).identity(Identity::Key);
static LABEL_FILES: Shape = Shape::of(STR).items(&FILE_PATH).merge(Merge::KeyValues).short(Short::List);
static ENV_FILES: Shape =
    Shape::of(STR).items(&ENV_FILE).merge(Merge::KeyValues).identity(Identity::EnvFile).short(Short::EnvFile);
static ENV_FILE: Shape = Shape::mapping(&[("format", &STRING), ("path", &FILE_PATH), ("required", &TEXT_OR_BOOLEAN)])
    .others(Others::Closed)
    .and(STR)
    .required(&["path"]);
static EXPOSE_ITEM: Shape = NUMBER_TEXT;
const NUMBER_TEXT: Shape = Shape::of(NUM).and(STR);
static EXPOSE: Shape = Shape::list(&EXPOSE_ITEM).unique().identity(Identity::Text);
static GROUPS: Shape = Shape::list(&EXPOSE_ITEM).unique();

static EXTENDS: Shape = Shape::mapping(&[("file", &EXTENDS_FILE), ("service", &STRING)])
    .others(Others::Closed)
    .and(STR)
    .required(&["service"])
    .short(Short::Extends);
static EXTENDS_FILE: Shape = Shape::of(STR).path(PathKind::Extends);

static BUILD: Shape = Shape::mapping(&[
    ("additional_contexts", &CONTEXTS),
    ("args", &KEY_VALUES),
    ("cache_from", &STRINGS),
    ("cache_to", &STRINGS),
    ("context", &CONTEXT),
    ("dockerfile", &STRING),
    ("dockerfile_inline", &STRING),
    ("entitlements", &STRINGS),
    ("extra_hosts", &HOSTS),
    ("isolation", &STRING),
    ("labels", &KEY_VALUES),
    ("network", &STRING),
    ("no_cache", &TEXT_OR_BOOLEAN),
    ("no_cache_filter", &NO_CACHE_FILTER),
    ("platforms", &STRINGS),
    ("privileged", &TEXT_OR_BOOLEAN),
    ("provenance", &TEXT_OR_BOOLEAN),
    ("pull", &TEXT_OR_BOOLEAN),
    ("sbom", &TEXT_OR_BOOLEAN),
    ("secrets", &BUILD_SECRETS),
    ("shm_size", &INTEGER_OR_TEXT),
    ("ssh", &SSH),
    ("tags", &TAGS),
    ("target", &STRING),
    ("ulimits", &BUILD_ULIMITS),
])
.and(STR)
.merge(Merge::Build)
.short(Short::Build);
static CONTEXT: Shape = Shape::of(STR).path(PathKind::Context);
static CONTEXT_ENTRY: Shape = Shape::of(NUM).and(STR).and(BOOL).and(NULL).path(PathKind::Context);
static CONTEXTS: Shape = Shape::entries(Others::Any(&CONTEXT_ENTRY))
    .items(&STRING)
    .unique()
    .merge(Merge::KeyValues)
    .identity(Identity::Key)
    .short(Short::Mapping);
static TAGS: Shape = Shape::list(&STRING).identity(Identity::Key);
static NO_CACHE_FILTER: Shape = Shape::of(STR).items(&STRING);
static SSH: Shape = Shape::entries(Others::Any(&SSH_VALUE)).items(&SSH_ITEM).unique().short(Short::Ssh);
static SSH_VALUE: Shape = Shape::of(NUM).and(STR).and(BOOL).and(NULL).path(PathKind::Local);
static SSH_ITEM: Shape = Shape::of(STR).path(PathKind::Ssh);
static BUILD_SECRETS: Shape = Shape::list(&FILE_REFERENCE);
static FILE_REFERENCE: Shape = Shape::mapping(&[
    ("gid", &STRING),
    ("mode", &NUMBER_OR_TEXT),
    ("source", &STRING),
    ("target", &STRING),
    ("uid", &STRING),
])
.and(STR)
.short(Short::File);
static CONFIGS: Shape = Shape::list(&FILE_REFERENCE).identity(Identity::File(""));
static SECRETS: Shape = Shape::list(&FILE_REFERENCE).identity(Identity::File("/run/secrets"));

static ULIMITS: Shape = Shape::entries(Others::Words(&ULIMIT));
static ULIMIT: Shape = Shape::mapping(&[("hard", &CAST_INT), ("soft", &CAST_INT)])
    .and(INT)
    .and(STR)
    .required(&["soft", "hard"])
    .merge(Merge::Replace)
    .cast(Cast::Int)
    .short(Short::Ulimit);
static BUILD_ULIMITS: Shape = Shape::entries(Others::Words(&BUILD_ULIMIT));
static BUILD_ULIMIT: Shape = Shape::mapping(&[("hard", &INTEGER_OR_TEXT), ("soft", &INTEGER_OR_TEXT)])
    .and(INT)
    .and(STR)
    .required(&["soft", "hard"])
    .short(Short::Ulimit);

static HOST: Shape = Shape::of(STR).items(&STRING);
static HOSTS: Shape = Shape::entries(Others::Any(&HOST)).items(&STRING).unique().merge(Merge::Hosts);

static BLKIO: Shape = Shape::mapping(&[
    ("device_read_bps", &RATES),
    ("device_read_iops", &RATES),
    ("device_write_bps", &RATES),
    ("device_write_iops", &RATES),
    ("weight", &INTEGER_OR_TEXT),
    ("weight_device", &WEIGHTS),
])
.others(Others::Closed);
static RATES: Shape = Shape::list(&RATE);
static RATE: Shape = Shape::mapping(&[("path", &STRING), ("rate", &INTEGER_OR_TEXT)]).others(Others::Closed);
static WEIGHTS: Shape = Shape::list(&WEIGHT);
static WEIGHT: Shape = Shape::mapping(&[("path", &STRING), ("weight", &INTEGER_OR_TEXT)]).others(Others::Closed);

static CREDENTIALS: Shape = Shape::mapping(&[("config", &STRING), ("file", &STRING), ("registry", &STRING)]);

static DEPENDENCIES: Shape = Shape::entries(Others::Named(&DEPENDENCY))
    .items(&STRING)
    .unique()
    .merge(Merge::Names(NamesTo::Dependency))
    .short(Short::Names(NamesTo::Dependency));
static DEPENDENCY: Shape = Shape::mapping(&[("condition", &CONDITION), ("required", &REQUIRED), ("restart", &BOOLEAN)])
    .required(&["condition"]);
static REQUIRED: Shape = Shape::of(BOOL).cast(Cast::Bool);
static CONDITION: Shape =
    Shape::of(STR).limit(Limit::OneOf(&["service_started", "service_healthy", "service_completed_successfully"]));

static DEVICES: Shape = Shape::list(&DEVICE).identity(Identity::Target);
static DEVICE: Shape = Shape::mapping(&[("permissions", &STRING), ("source", &STRING), ("target", &STRING)])
    .and(STR)
    .required(&["source"])
    .short(Short::Device);

static HEALTHCHECK: Shape = Shape::mapping(&[
    ("disable", &BOOLEAN),
    ("interval", &STRING),
    ("retries", &CAST_INT_NUMBER),
    ("start_interval", &STRING),
    ("start_period", &STRING),
    ("test", &TEST),
    ("timeout", &STRING),
]);
static TEST: Shape = Shape::of(STR).items(&STRING).merge(Merge::Replace);

static LOGGING: Shape = Shape::mapping(&[("driver", &STRING), ("options", &LOG_OPTIONS)]).merge(Merge::Logging);
static LOG_OPTIONS: Shape = Shape::entries(Others::Any(&TEXT_NUMBER_OR_NULL));

static MODELS: Shape = Shape::entries(Others::NamedOpen(&MODEL))
    .items(&STRING)
    .unique()
    .merge(Merge::Names(NamesTo::Null))
    .short(Short::Names(NamesTo::Null));
static MODEL: Shape = Shape::mapping(&[("endpoint_var", &STRING), ("model_var", &STRING)]).and(NULL);

static NETWORKS: Shape = Shape::entries(Others::Named(&NETWORK))
    .items(&STRING)
    .unique()
    .merge(Merge::Names(NamesTo::Null))
    .short(Short::Names(NamesTo::Null));
static NETWORK: Shape = Shape::mapping(&[
    ("aliases", &UNIQUE_KEYS),
    ("driver_opts", &OPTIONS),
    ("gw_priority", &NUMBER),
    ("interface_name", &STRING),
    ("ipv4_address", &STRING),
    ("ipv6_address", &STRING),
    ("link_local_ips", &UNIQUE_KEYS),
    ("mac_address", &STRING),
    ("priority", &NUMBER),
])
.and(NULL);

static PORTS: Shape = Shape::list(&PORT).unique().identity(Identity::Port).short(Short::Ports);
static PORT: Shape = Shape::mapping(&[
    ("app_protocol", &STRING),
    ("host_ip", &STRING),
    ("mode", &STRING),
    ("name", &STRING),
    ("protocol", &STRING),
    ("published", &INTEGER_OR_TEXT),
    ("target", &CAST_INT),
])
.and(NUM)
.and(STR);

static HOOKS: Shape = Shape::list(&HOOK);
static HOOK: Shape = Shape::mapping(&[
    ("command", &COMMAND),
    ("environment", &LIST_OR_DICT),
    ("privileged", &TEXT_OR_BOOLEAN),
    ("user", &STRING),
    ("working_dir", &STRING),
])
.required(&["command"]);
static PRE_START_HOOKS: Shape = Shape::list(&PRE_START_HOOK);
static PRE_START_HOOK: Shape = Shape::mapping(&[
    ("command", &COMMAND),
    ("environment", &LIST_OR_DICT),
    ("image", &STRING),
    ("per_replica", &TEXT_OR_BOOLEAN),
    ("privileged", &TEXT_OR_BOOLEAN),
    ("user", &STRING),
    ("working_dir", &STRING),
]);

static DEVELOP: Shape = Shape::mapping(&[("watch", &WATCHES)]).and(NULL);
static WATCHES: Shape = Shape::list(&WATCH);
static WATCH: Shape = Shape::mapping(&[
    ("action", &ACTION),
    ("exec", &HOOK),
    ("ignore", &PATTERNS),
    ("include", &PATTERNS),
    ("initial_sync", &PLAIN_BOOLEAN),
    ("path", &WATCHED),
    ("target", &STRING),
])
.required(&["path", "action"]);
static WATCHED: Shape = Shape::of(STR).path(PathKind::Watched);
static PATTERNS: Shape = Shape::of(STR).items(&STRING).unique().short(Short::List);
static ACTION: Shape = Shape::of(STR).limit(Limit::OneOf(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"]));

static PROVIDER: Shape = Shape::mapping(&[("options", &PROVIDER_OPTIONS), ("type", &STRING)]).required(&["type"]);
static PROVIDER_OPTIONS: Shape = Shape::entries(Others::Any(&PROVIDER_OPTION));
static PROVIDER_OPTION: Shape = Shape::of(NUM).and(STR).and(BOOL).items(&SCALAR);

static VOLUMES: Shape = Shape::list(&MOUNT).unique().identity(Identity::Target);
static MOUNT: Shape = Shape::mapping(&[
    ("bind", &BIND),
    ("consistency", &STRING),
    ("image", &IMAGE_OPTIONS),
    ("read_only", &BOOLEAN),
    ("source", &STRING),
    ("target", &STRING),
    ("tmpfs", &TMPFS),
    ("type", &MOUNT_TYPE),
    ("volume", &VOLUME_OPTIONS),
])
.and(STR)
.required(&["type"])
.short(Short::Mount)
.path(PathKind::Mount);
static MOUNT_TYPE: Shape =
    Shape::of(STR).limit(Limit::OneOf(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"]));
static BIND: Shape = Shape::mapping(&[
    ("create_host_path", &TEXT_OR_BOOLEAN),
    ("propagation", &STRING),
    ("recursive", &RECURSIVE),
    ("selinux", &SELINUX),
]);
static RECURSIVE: Shape = Shape::of(STR).limit(Limit::OneOf(&["enabled", "disabled", "writable", "readonly"]));
static SELINUX: Shape = Shape::of(STR).limit(Limit::OneOf(&["z", "Z"]));
static VOLUME_OPTIONS: Shape = Shape::mapping(&[("labels", &KEY_VALUES), ("nocopy", &BOOLEAN), ("subpath", &STRING)]);
static TMPFS: Shape = Shape::mapping(&[("mode", &NUMBER_OR_TEXT), ("size", &TMPFS_SIZE)]);
static TMPFS_SIZE: Shape = Shape::of(INT).and(STR).limit(Limit::Range(0, i128::MAX));
static IMAGE_OPTIONS: Shape = Shape::mapping(&[("subpath", &STRING)]);
