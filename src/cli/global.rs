//! Global flags and the environment: the only place that reads it.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::diagnostics::SourceMap;
use crate::spec::dotenv;
use crate::spec::files::{Files, Remote};
use crate::ui::paint::{Ansi, Paint};
use crate::ui::progress::Mode;
use crate::ui::stream::Stream;

/// What the process was started with.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// Variables; those that are no UTF-8 are left out.
    pub variables: BTreeMap<String, String>,
    /// The current directory.
    pub directory: PathBuf,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        let text = |word: OsString| word.into_string().ok();
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
        Self { variables, directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")) }
    }
    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
    /// A variable that is a yes or no; other words are an error that names what could not be read.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.get(name).map(|word| parse_bool(word).map_err(Failure::Message)).transpose()
    }
    /// A path made absolute from the current directory, with `~` filled in.
    pub fn absolute(&self, path: &str) -> PathBuf {
        let home = self.get("HOME").map(str::to_owned);
        let expanded = shellexpand::tilde_with_context(path, || home);
        self.directory.join(Path::new(expanded.as_ref()))
    }
}

/// Go's `strconv.ParseBool`.
pub fn parse_bool(word: &str) -> Result<bool, String> {
    match word {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing \"{word}\": invalid syntax")),
    }
}

/// Flags before the command.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct GlobalArgs {
    /// Keep networks, volumes and the like that no service uses
    #[arg(long)]
    pub all_resources: bool,
    /// Colours and moving output: never, always or auto
    #[arg(long, value_name = "string")]
    pub ansi: Option<String>,
    /// Name containers and images with `_` in place of `-`
    #[arg(long)]
    pub compatibility: bool,
    /// How findings about the files are told: text or json (an object a line on stderr)
    #[arg(long, global = true, value_name = "string", value_parser = ["text", "json"])]
    pub diagnostics: Option<String>,
    /// Show what would be done, and why, and change nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// File of variables in place of .env
    #[arg(long, value_name = "stringArray")]
    pub env_file: Vec<String>,
    /// Compose file to read; later ones override earlier ones
    #[arg(short, long, value_name = "stringArray")]
    pub file: Vec<String>,
    /// Most things done at once (-1: no limit)
    #[arg(long, value_name = "int")]
    pub parallel: Option<i64>,
    /// Profile to switch on
    #[arg(long, value_name = "stringArray")]
    pub profile: Vec<String>,
    /// Take warnings about the files for errors
    #[arg(long, global = true)]
    pub strict: bool,
    /// Style of the progress output: auto, tty, plain, json or quiet
    #[arg(long, value_name = "string")]
    pub progress: Option<String>,
    /// Directory that relative paths begin at (default: that of the first file)
    #[arg(long, value_name = "string")]
    pub project_directory: Option<String>,
    /// Name of the project
    #[arg(short, long, value_name = "string")]
    pub project_name: Option<String>,
    /// Plain HTTP for these registries
    #[arg(long, hide = true)]
    pub insecure_registry: Vec<String>,
    /// No colours and no moving output
    #[arg(long, hide = true)]
    pub no_ansi: bool,
    /// Do not wait for other commands that change the same project
    #[arg(long)]
    pub no_project_lock: bool,
    /// Show more output
    #[arg(long, hide = true)]
    pub verbose: bool,
    /// Show the version
    #[arg(short = 'v', long, hide = true)]
    pub version: bool,
    /// Old name of --project-directory
    #[arg(long, hide = true)]
    pub workdir: Option<String>,
    /// docker's flags, which come before the word `compose` or, for docker-compose, before the command
    #[command(flatten)]
    pub docker: DockerArgs,
}

/// Flags of the `docker` program itself.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct DockerArgs {
    /// Docker's configuration directory
    #[arg(long, hide = true)]
    pub config: Option<String>,
    /// Name of the docker context
    #[arg(short = 'c', long, hide = true)]
    pub context: Option<String>,
    /// Show more output
    #[arg(short = 'D', long, hide = true)]
    pub debug: bool,
    /// Address of the engine
    #[arg(short = 'H', long, hide = true)]
    pub host: Option<String>,
    /// How much is logged
    #[arg(short = 'l', long, hide = true)]
    pub log_level: Option<String>,
    /// Use TLS
    #[arg(long, hide = true)]
    pub tls: bool,
    /// File of the authority that must have signed the engine's certificate
    #[arg(long, hide = true)]
    pub tlscacert: Option<String>,
    /// TLS certificate
    #[arg(long, hide = true)]
    pub tlscert: Option<String>,
    /// TLS key
    #[arg(long, hide = true)]
    pub tlskey: Option<String>,
    /// Use TLS and check the engine
    #[arg(long, hide = true)]
    pub tlsverify: bool,
}

/// Flags and environment, put together.
#[derive(Clone, Debug)]
pub struct Global {
    /// Keep what no service uses.
    pub all_resources: bool,
    /// `--ansi`, else `COMPOSE_ANSI`.
    pub ansi: Ansi,
    /// `_` in names.
    pub compatibility: bool,
    /// Findings are told as JSON.
    pub json_diagnostics: bool,
    /// Change nothing.
    pub dry_run: bool,
    /// Warnings about the files are errors.
    pub strict: bool,
    /// `--env-file`s as given, else `COMPOSE_ENV_FILES`.
    pub env_files: Vec<String>,
    /// `-f`s as given.
    pub files: Vec<String>,
    /// Operations side by side; `None` for no limit.
    pub parallel: Option<NonZeroUsize>,
    /// `--profile`s as given.
    pub profiles: Vec<String>,
    /// Whether one command at a time changes a project: not with `--no-project-lock` or `COMPOSE_NO_PROJECT_LOCK`.
    pub project_lock: bool,
    /// `--progress`, once decided.
    pub progress: Mode,
    /// `--project-directory` as given.
    pub project_directory: Option<String>,
    /// `-p` as given.
    pub project_name: Option<String>,
    /// Registries that are spoken to without TLS, for files of projects.
    pub insecure_registries: Vec<String>,
    /// docker's own flags.
    pub docker: DockerArgs,
    /// Whether `NO_COLOR` is set.
    pub no_color: bool,
    /// Warnings to be printed before anything else.
    pub warnings: Vec<String>,
}

impl Global {
    /// Colours for a stream.
    pub fn paint(&self, stream: &Stream) -> Paint {
        Paint::choose(self.ansi, self.no_color, stream.is_terminal())
    }

    /// Puts flags and environment together; `stderr` is where progress goes.
    ///
    /// # Errors
    /// A flag or variable has a value that means nothing.
    pub fn resolve(args: GlobalArgs, environment: &Environment, stderr: &Stream) -> Result<Self, Failure> {
        let GlobalArgs {
            all_resources,
            ansi,
            compatibility,
            diagnostics,
            dry_run,
            env_file,
            file,
            parallel,
            profile,
            progress,
            project_directory,
            project_name,
            strict,
            insecure_registry,
            no_ansi,
            no_project_lock,
            verbose: _,
            version: _,
            workdir,
            docker,
        } = args;
        let mut warnings = Vec::new();
        if no_ansi {
            if ansi.is_some() {
                return Err(Failure::message(
                    "cannot specify DEPRECATED \"--no-ansi\" and \"--ansi\". Please use only \"--ansi\"",
                ));
            }
            warnings.push("option '--no-ansi' is DEPRECATED ! Please use '--ansi' instead.".to_owned());
        }
        let project_directory = match (workdir, project_directory) {
            (Some(_), Some(_)) => {
                let text = "cannot specify DEPRECATED \"--workdir\" and \"--project-directory\". Please use only \"--project-directory\" instead";
                return Err(Failure::message(text));
            }
            (Some(directory), None) => {
                let text = "option '--workdir' is DEPRECATED at root level! Please use '--project-directory' instead.";
                warnings.push(text.to_owned());
                Some(directory)
            }
            (None, directory) => directory,
        };
        let word = |name: &str| environment.get(name).map(str::to_owned);
        let ansi_word = if no_ansi { Some("never".to_owned()) } else { ansi.or_else(|| word("COMPOSE_ANSI")) };
        let ansi = ansi_word.as_deref().map_or(Ansi::Auto, Ansi::parse);
        let progress_word = progress.or_else(|| word("COMPOSE_PROGRESS")).unwrap_or_default();
        let progress = progress_mode(&progress_word, ansi, stderr.is_terminal())?;
        let json_diagnostics = match diagnostics.as_deref().or_else(|| environment.get("COMPOSE_DIAGNOSTICS")) {
            None | Some("text") => false,
            Some("json") => true,
            Some(word) => return Err(Failure::Message(format!("unsupported COMPOSE_DIAGNOSTICS value \"{word}\""))),
        };
        let env_files = if env_file.is_empty() {
            let listed = environment.get("COMPOSE_ENV_FILES").unwrap_or_default();
            listed.split(',').filter(|path| !path.is_empty()).map(str::to_owned).collect()
        } else {
            env_file
        };
        Ok(Self {
            all_resources,
            ansi,
            compatibility: compatibility || environment.flag("COMPOSE_COMPATIBILITY")?.unwrap_or(false),
            json_diagnostics,
            dry_run,
            strict: strict || environment.flag("COMPOSE_STRICT")?.unwrap_or(false),
            env_files,
            files: file,
            parallel: parallel_limit(parallel, environment)?,
            profiles: profile,
            project_lock: !no_project_lock && !environment.flag("COMPOSE_NO_PROJECT_LOCK")?.unwrap_or(false),
            progress,
            project_directory,
            project_name: project_name.filter(|name| !name.is_empty()),
            insecure_registries: insecure_registry,
            docker,
            no_color: environment.get("NO_COLOR").is_some(),
            warnings,
        })
    }
}

fn progress_mode(word: &str, ansi: Ansi, terminal: bool) -> Result<Mode, Failure> {
    match (word, ansi) {
        ("auto" | "", Ansi::Never) => Ok(Mode::Plain),
        ("auto" | "", _) => Ok(if terminal { Mode::Tty } else { Mode::Plain }),
        ("tty", Ansi::Never) => Err(Failure::message("can't use --progress tty while ANSI support is disabled")),
        ("tty", _) => Ok(Mode::Tty),
        ("plain", Ansi::Always) => Err(Failure::message("can't use --progress plain while ANSI support is forced")),
        ("plain", _) => Ok(Mode::Plain),
        ("json", _) => Ok(Mode::Json),
        ("quiet" | "none", _) => Ok(Mode::Quiet),
        _ => Err(Failure::Message(format!("unsupported --progress value \"{word}\""))),
    }
}

fn parallel_limit(flag: Option<i64>, environment: &Environment) -> Result<Option<NonZeroUsize>, Failure> {
    let limit =
        match (flag, environment.get("COMPOSE_PARALLEL_LIMIT")) {
            (Some(limit), _) => Some(limit),
            (None, Some(word)) => Some(word.parse().map_err(|_| {
                Failure::Message(format!("COMPOSE_PARALLEL_LIMIT must be an integer (found: \"{word}\")"))
            })?),
            (None, None) => None,
        };
    Ok(limit.and_then(|limit| usize::try_from(limit).ok()).and_then(NonZeroUsize::new))
}

/// Takes over the `COMPOSE_` variables of the env files into the environment, as docker compose does before every
/// command. What can not be read is left for the loader, which tells it with its place.
pub fn take_over_env_files(args: &GlobalArgs, environment: &mut Environment, files: &dyn Files) {
    let disabled = |environment: &Environment| matches!(environment.flag("COMPOSE_DISABLE_ENV_FILE"), Ok(Some(true)));
    let mut paths: Vec<PathBuf> = args.env_file.iter().map(|path| environment.absolute(path)).collect();
    if paths.is_empty() {
        let listed = environment.get("COMPOSE_ENV_FILES").unwrap_or_default();
        paths = listed.split(',').filter(|path| !path.is_empty()).map(|path| environment.absolute(path)).collect();
    }
    if paths.is_empty() {
        if disabled(environment) {
            return;
        }
        if args.file.iter().any(|file| Remote::is_meant(file)) {
            return;
        }
        let directory = match (args.project_directory.as_ref().or(args.workdir.as_ref()), args.file.first()) {
            (Some(directory), _) => environment.absolute(directory),
            (None, Some(file)) if file != "-" => {
                let file = environment.absolute(file);
                file.parent().map_or_else(|| environment.directory.clone(), Path::to_owned)
            }
            _ => environment.directory.clone(),
        };
        paths.push(directory.join(".env"));
    }
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    for path in paths {
        let Ok(bytes) = files.read(&path) else { continue };
        let mut sources = SourceMap::default();
        let text = dotenv::decode_text(&bytes);
        let file = sources.add_private(path.display().to_string(), Some(&path), text.as_str());
        let lookup = |name: &str| environment.variables.get(name).cloned();
        let Ok(parsed) = dotenv::parse(&text, file, &lookup) else { continue };
        for variable in parsed.variables.into_iter().filter(|variable| variable.name.starts_with("COMPOSE_")) {
            found.insert(variable.name, variable.value);
        }
    }
    for (name, value) in found {
        environment.variables.entry(name).or_insert(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::files::MemoryFiles;
    use crate::ui::stream::Captured;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Environment { variables, directory: "/shop".into() }
    }

    #[test]
    fn progress_hangs_on_flag_colours_and_terminal() {
        for (word, ansi, terminal, mode) in [
            ("", "auto", true, Ok(Mode::Tty)),
            ("auto", "auto", false, Ok(Mode::Plain)),
            ("", "never", true, Ok(Mode::Plain)),
            ("json", "never", false, Ok(Mode::Json)),
            ("none", "auto", true, Ok(Mode::Quiet)),
            ("tty", "never", true, Err("can't use --progress tty while ANSI support is disabled")),
            ("plain", "always", true, Err("can't use --progress plain while ANSI support is forced")),
            ("foo", "auto", true, Err("unsupported --progress value \"foo\"")),
        ] {
            let found = progress_mode(word, Ansi::parse(ansi), terminal).map_err(|failure| failure.text());
            assert_eq!(found, mode.map_err(str::to_owned), "{word} {ansi}");
        }
    }

    #[test]
    fn env_files_feed_only_variables_of_compose_and_only_unset_ones() {
        let files = MemoryFiles::default()
            .with("/shop/.env", "COMPOSE_PARALLEL_LIMIT=3\nOTHER=1\nCOMPOSE_ANSI=never\n")
            .with("/shop/sub/.env", "COMPOSE_PARALLEL_LIMIT=5\n");
        let mut here = environment(&[("COMPOSE_ANSI", "always")]);
        take_over_env_files(&GlobalArgs::default(), &mut here, &files);
        assert_eq!(here.get("COMPOSE_PARALLEL_LIMIT"), Some("3"));
        assert_eq!(here.get("COMPOSE_ANSI"), Some("always"));
        assert_eq!(here.get("OTHER"), None);
        let mut sub = environment(&[]);
        let args = GlobalArgs { file: vec!["sub/compose.yaml".into()], ..GlobalArgs::default() };
        take_over_env_files(&args, &mut sub, &files);
        assert_eq!(sub.get("COMPOSE_PARALLEL_LIMIT"), Some("5"));
    }

    #[test]
    fn variables_are_used_where_flags_are_not_given() {
        let stderr = Stream::new(Captured::default());
        let resolve = |args, variables: &[(&str, &str)]| Global::resolve(args, &environment(variables), &stderr);
        let found = resolve(GlobalArgs::default(), &[("COMPOSE_PARALLEL_LIMIT", "4"), ("COMPOSE_ENV_FILES", "a,,b")]);
        let found = found.unwrap();
        assert_eq!((found.parallel, found.env_files), (NonZeroUsize::new(4), vec!["a".to_owned(), "b".to_owned()]));
        let found = resolve(GlobalArgs { parallel: Some(-1), ..GlobalArgs::default() }, &[]).unwrap();
        assert_eq!(found.parallel, None);
        let failure = resolve(GlobalArgs::default(), &[("COMPOSE_PARALLEL_LIMIT", "x")]).unwrap_err();
        assert_eq!(failure.text(), "COMPOSE_PARALLEL_LIMIT must be an integer (found: \"x\")");
    }
}
