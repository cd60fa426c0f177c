//! What every command needs: settings, the project, the engine, and somebody to tell.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use crate::cli::failure::Failure;
use crate::cli::global::{DockerArgs, Environment, Global};
use crate::cli::terminal::Io;
use crate::diagnostics::{Diagnostic, Severity, SourceMap, render_json, render_text};
use crate::engine::{Interrupter, Interrupts, Stop};
use crate::external::Credentials;
use crate::names::{ProjectName, ServiceName};
use crate::planner::{self, Interest, Plan, Stack};
use crate::resource::Snapshot;
use crate::runtime::{self, Runtime};
use crate::spec::codes;
use crate::spec::files::Files;
use crate::spec::model::Project;
use crate::spec::{self, Options, Request};
use crate::ui::paint::Tone;
use crate::ui::progress::Mode;

/// Columns of text that goes into a file.
const USUAL_WIDTH: usize = 100;

/// Who connects to engines.
#[async_trait(?Send)]
pub trait Engines {
    /// The engine that flags and environment mean.
    ///
    /// # Errors
    /// Flags, environment or docker's configuration mean none. Whether it answers shows at the first call.
    async fn connect(&self, flags: &DockerArgs, environment: &Environment) -> runtime::Result<Arc<dyn Runtime>>;
    /// Who knows the credentials of registries.
    fn credentials(&self, flags: &DockerArgs, environment: &Environment) -> Arc<dyn Credentials>;
}

/// What a command works with.
pub struct Context<'a> {
    /// Global flags and settings.
    pub global: Global,
    /// The process environment, with what the env files add for compose itself.
    pub environment: Environment,
    /// Streams and signals.
    pub io: &'a Io,
    /// Where compose files are read from.
    pub files: &'a dyn Files,
    /// Who connects to engines.
    pub engines: &'a dyn Engines,
    /// Whether the command is broken off.
    pub interrupts: Interrupts,
    /// Signals are another process's now, and break off nothing.
    pub signals_are_passed_on: Rc<Cell<bool>>,
    /// Who else may break it off.
    pub broken_off: BrokenOff,
}

/// Breaks a command off as a Ctrl-C does, and remembers for whom.
#[derive(Clone, Debug)]
pub struct BrokenOff {
    interrupter: Interrupter,
    why: Rc<RefCell<Option<String>>>,
}

impl BrokenOff {
    /// With the end that breaks off.
    pub fn new(interrupter: Interrupter) -> Self {
        Self { interrupter, why: Rc::new(RefCell::new(None)) }
    }
    /// Breaks off because another process, like `compose down` (pid 12), asked for it.
    pub fn by(&self, asker: &str) {
        self.why.borrow_mut().get_or_insert_with(|| format!("stopped by {asker}"));
        self.interrupter.interrupt();
    }
    /// Why, when it was another process that broke it off.
    pub fn why(&self) -> Option<String> {
        self.why.borrow().clone()
    }
}

/// A project by its files, or by its name alone.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: ProjectName,
    /// What its files say, when they were read.
    pub project: Option<Project>,
}

impl Target {
    /// Its services as stopping and starting need them: from the files, else from the labels of what is there.
    pub fn stack(&self, snapshot: &Snapshot) -> Stack {
        match &self.project {
            Some(project) => Stack::of_project(project),
            None => Stack::of_labels(self.name.clone(), snapshot),
        }
    }
    /// What to look at before containers that exist are started.
    pub fn interest_in_starting(&self) -> Interest {
        let host = self.project.as_ref().map(planner::wish).unwrap_or_default();
        Interest { host, ..planner::interest_in_stack(&self.name, None, false) }
    }
    /// The plan of a start with what of the host forbids it.
    pub fn checked(&self, plan: Plan, snapshot: &Snapshot) -> Plan {
        match &self.project {
            Some(project) => planner::starting(plan, project, snapshot),
            None => plan,
        }
    }
    /// Service names from the command line; with files each must be in them.
    pub fn services(&self, names: &[String]) -> Result<Vec<ServiceName>, Failure> {
        if let Some(project) = &self.project {
            let known = || project.services.keys().chain(project.disabled_services.keys()).map(ServiceName::as_str);
            if let Some(unknown) = names.iter().find(|name| !known().any(|known| known == name.as_str())) {
                return Err(Failure::no_such_service(unknown, known()));
            }
        }
        Ok(names.iter().map(|name| ServiceName::new(name.clone())).collect())
    }
}

impl Context<'_> {
    /// The same command with its progress shown another way; what breaks it off breaks off both.
    pub fn with_progress(&self, progress: Mode) -> Self {
        Self {
            global: Global { progress, ..self.global.clone() },
            environment: self.environment.clone(),
            interrupts: self.interrupts.clone(),
            broken_off: self.broken_off.clone(),
            signals_are_passed_on: Rc::clone(&self.signals_are_passed_on),
            ..*self
        }
    }

    /// The project of a command that can not do without files. `services` are those named on the command line.
    pub fn project(&self, services: &[String]) -> Result<Project, Failure> {
        self.project_with(services, Options::default())
    }

    /// The same with steps of loading left out.
    pub fn project_with(&self, services: &[String], options: Options) -> Result<Project, Failure> {
        let loaded = self.load(services, options);
        let result = self.loaded(&loaded);
        result.and_then(|()| loaded.project.ok_or_else(|| Failure::message("the compose files can not be used")))
    }

    /// Loads and tells nothing.
    pub fn load(&self, services: &[String], options: Options) -> spec::Loaded {
        spec::load(&self.request(services, options), self.files)
    }

    /// What is to be loaded.
    pub fn request(&self, services: &[String], options: Options) -> Request {
        Request {
            files: self.global.files.clone(),
            project_directory: self.global.project_directory.as_ref().map(PathBuf::from),
            project_name: self.global.project_name.clone(),
            env_files: self.global.env_files.clone(),
            profiles: self.global.profiles.clone(),
            services: services.to_vec(),
            cwd: self.environment.directory.clone(),
            environment: self.environment.variables.clone(),
            options: Options {
                all_resources: options.all_resources || self.global.all_resources,
                compatibility: options.compatibility || self.global.compatibility,
                ..options
            },
        }
    }

    /// Tells what loading found; errors end the command.
    pub fn loaded(&self, loaded: &spec::Loaded) -> Result<(), Failure> {
        self.told(&loaded.diagnostics, &loaded.sources)
    }

    /// Tells findings; errors end the command.
    pub fn told(&self, diagnostics: &[Diagnostic], sources: &SourceMap) -> Result<(), Failure> {
        let strict: Vec<Diagnostic>;
        let diagnostics = if self.global.strict {
            strict =
                diagnostics.iter().map(|finding| Diagnostic { severity: Severity::Error, ..finding.clone() }).collect();
            &strict
        } else {
            diagnostics
        };
        // A mistake on the command line is none of the files.
        if let [finding] = diagnostics
            && finding.code == codes::NO_SUCH_SERVICE
            && !self.global.json_diagnostics
        {
            return Err(Failure::Hinted { message: finding.message.clone(), hints: finding.hints.clone() });
        }
        self.diagnostics(diagnostics, sources);
        let errors: Vec<&str> = diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.is_error())
            .map(|diagnostic| diagnostic.message.as_str())
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(Failure::BadFile(errors.join("\n"))) }
    }

    /// A project for commands that can do with its name alone: with `-p` and no `-f` the files are not even read; when
    /// they can not be read, `COMPOSE_PROJECT_NAME` stands in.
    pub fn target(&self, services: &[String]) -> Result<Target, Failure> {
        if let Some(name) = self.name_flag()?
            && self.global.files.is_empty()
        {
            return Ok(Target { name, project: None });
        }
        let loaded = self.load(services, Options::default());
        match (&loaded.project, self.environment.get("COMPOSE_PROJECT_NAME")) {
            (None, Some(name)) => Ok(Target { name: valid_name(name)?, project: None }),
            _ => {
                self.loaded(&loaded)?;
                let project = loaded.project.ok_or_else(|| Failure::message("the compose files can not be used"))?;
                Ok(Target { name: project.name.clone(), project: Some(project) })
            }
        }
    }

    /// The project's name, for commands that need nothing else: `-p`, `COMPOSE_PROJECT_NAME`, else from the files.
    pub fn project_name(&self) -> Result<ProjectName, Failure> {
        if let Some(name) = self.name_flag()? {
            return Ok(name);
        }
        if let Some(name) = self.environment.get("COMPOSE_PROJECT_NAME") {
            return valid_name(name);
        }
        let named = spec::project_name(&self.request(&[], Options::default()), self.files);
        self.told(&named.diagnostics, &named.sources)?;
        named.name.ok_or_else(|| Failure::message("the project has no name"))
    }

    fn name_flag(&self) -> Result<Option<ProjectName>, Failure> {
        self.global.project_name.as_deref().map(valid_name).transpose()
    }

    /// Docker's directory of the user: `--config`, `DOCKER_CONFIG`, `~/.docker`.
    pub fn docker_directory(&self) -> Option<PathBuf> {
        let flag = self.global.docker.config.as_deref().or_else(|| self.environment.get("DOCKER_CONFIG"));
        match (flag, self.environment.get("HOME")) {
            (Some(directory), _) => Some(self.environment.absolute(directory)),
            (None, Some(home)) => Some(PathBuf::from(home).join(".docker")),
            (None, None) => None,
        }
    }

    /// Docker's `config.json`; nothing when there is none or it can not be read: it is docker's.
    pub fn docker_config(&self) -> serde_json::Value {
        let bytes = self.docker_directory().and_then(|directory| self.files.read(&directory.join("config.json")).ok());
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// A text of docker's `config.json`, such as `psFormat`.
    pub fn docker_setting(&self, name: &str) -> Option<String> {
        let config = self.docker_config();
        config.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// The engine.
    pub async fn runtime(&self) -> Result<Arc<dyn Runtime>, Failure> {
        Ok(self.engines.connect(&self.global.docker, &self.environment).await?)
    }

    /// Work that only looks: an interrupt ends it at once.
    pub async fn unless_interrupted<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            result = work => result,
            () = self.interrupts.reached(Stop::Gently) => Err(Failure::Interrupted),
        }
    }

    /// Tells what a person should know.
    pub fn warn(&self, text: &str) {
        self.note("warning", Tone::Warning, text);
    }

    /// Tells something on standard error: a line, or an object for programs.
    pub fn note(&self, level: &str, tone: Tone, text: &str) {
        if self.global.progress == Mode::Json {
            let time = self.io.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            self.io.stderr.line(&json!({"level": level, "msg": text, "time": time}).to_string());
        } else {
            let paint = self.global.paint(&self.io.stderr);
            self.io.stderr.line(&format!("{}: {text}", paint.tone(tone, level)));
        }
    }

    fn diagnostics(&self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        if diagnostics.is_empty() {
            return;
        }
        if self.global.json_diagnostics {
            self.io.stderr.text(&render_json(diagnostics, sources));
            return;
        }
        if self.global.progress == Mode::Json {
            // Errors become the last line; warnings are lines of their own.
            for warning in diagnostics.iter().filter(|diagnostic| !diagnostic.is_error()) {
                self.warn(&warning.message);
            }
            return;
        }
        let width = self.io.stderr.size().map_or(USUAL_WIDTH, |(columns, _)| columns.into());
        let colour = self.global.paint(&self.io.stderr).is_coloured();
        self.io.stderr.text(&render_text(diagnostics, sources, colour, width));
    }
}

/// A project name as docker compose allows it.
pub fn valid_name(name: &str) -> Result<ProjectName, Failure> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if starts_well && name.chars().all(allowed) {
        return Ok(ProjectName::new(name));
    }
    let message = format!(
        "invalid project name \"{name}\": must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number"
    );
    Err(Failure::Message(message))
}
