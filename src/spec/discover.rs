//! What a command line and the environment mean before any compose file is parsed: which files, which directory, which
//! variables, which name.

use std::path::{Path, PathBuf};

use crate::diagnostics::Diagnostic;
use crate::spec::Request;
use crate::spec::codes;
use crate::spec::environment::Environment;
use crate::spec::loader::Loader;
use crate::spec::paths::{is_remote, join};
use crate::spec::tree::VariableSource;

pub(in crate::spec) const FILE_NAMES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDE_NAMES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// What is known before the files are read.
#[derive(Clone, Debug)]
pub(in crate::spec) struct Settings {
    /// Variables for interpolation.
    pub(in crate::spec) environment: Environment,
    /// Absolute directory that the project has its name and variables of.
    pub(in crate::spec) home: PathBuf,
    /// Absolute directory that relative paths begin at: the same, unless the first file was fetched.
    pub(in crate::spec) directory: PathBuf,
    /// Absolute paths of the compose files, `-` for standard input; empty when there is none.
    pub(in crate::spec) files: Vec<PathBuf>,
    /// Absolute paths of the env files that were asked for.
    pub(in crate::spec) env_files: Vec<PathBuf>,
    /// Profiles that are asked for.
    pub(in crate::spec) profiles: Vec<String>,
    /// A name that was asked for.
    pub(in crate::spec) name: Option<String>,
}

impl Loader<'_> {
    /// Finds out what a request means. `None` when it cannot be; why was said.
    pub(in crate::spec) fn discover(&mut self, request: &Request) -> Option<Settings> {
        let mut environment = Environment::of_process(&request.environment);
        environment.add("PWD", &request.cwd.to_string_lossy(), VariableSource::Compose);
        let given: Vec<String> = if request.env_files.is_empty() {
            let listed = environment.value("COMPOSE_ENV_FILES").unwrap_or_default();
            listed.split(',').filter(|file| !file.is_empty()).map(str::to_owned).collect()
        } else {
            request.env_files.clone()
        };
        let env_files: Vec<PathBuf> =
            given.iter().map(|file| PathBuf::from(join(&request.cwd, &self.without_tilde(file)))).collect();
        let mut paths = request.files.clone();
        let directory = working_directory(request, &paths);
        self.load_env_files(&env_files, &directory, &mut environment)?;
        if paths.is_empty()
            && let Some(listed) = environment.value("COMPOSE_FILE").filter(|listed| !listed.is_empty())
        {
            let separator = match environment.value("COMPOSE_PATH_SEPARATOR") {
                Some(separator) if !separator.is_empty() => separator,
                _ => ":",
            };
            paths = listed.split(separator).map(str::to_owned).collect();
            for path in paths.clone() {
                if path != "-" && !is_remote(&path) && !self.files.exists(Path::new(&join(&request.cwd, &path))) {
                    let message = format!("stat {}: no such file or directory", join(&request.cwd, &path));
                    self.findings
                        .push(Diagnostic::error(codes::UNREADABLE_FILE, message).hint("COMPOSE_FILE names this file"));
                    return None;
                }
            }
        }
        let files = if paths.is_empty() {
            self.search(&directory)
        } else {
            let file = |path: &String| match path.as_str() {
                "-" => Some(PathBuf::from("-")),
                path if is_remote(path) => self.fetched(path, None),
                path => Some(PathBuf::from(join(&request.cwd, path))),
            };
            paths.iter().map(file).collect::<Option<Vec<PathBuf>>>()?
        };
        let shown: Vec<String> = files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
        // Relative paths of a fetched file begin in its repository; the project is that of the current directory.
        let home = working_directory(request, if paths.is_empty() { &shown } else { &paths });
        let directory = if paths.first().is_some_and(|path| is_remote(path)) {
            working_directory(request, &shown)
        } else {
            home.clone()
        };
        self.load_env_files(&env_files, &home, &mut environment)?;

        let profiles = if request.profiles.is_empty() {
            let listed = environment.value("COMPOSE_PROFILES").unwrap_or_default();
            listed.split(',').map(str::trim).filter(|profile| !profile.is_empty()).map(str::to_owned).collect()
        } else {
            request.profiles.clone()
        };
        let name =
            request.project_name.clone().filter(|name| !name.is_empty()).or_else(|| {
                environment.value("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty()).map(str::to_owned)
            });
        Some(Settings { environment, home, directory, files, env_files, profiles, name })
    }

    pub(in crate::spec) fn without_tilde(&self, path: &str) -> String {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => join(Path::new(home), rest),
            _ => path.to_owned(),
        }
    }

    /// Adds the variables of the env files that were asked for, else of the directory's `.env`.
    fn load_env_files(&mut self, given: &[PathBuf], directory: &Path, environment: &mut Environment) -> Option<()> {
        let beside = [directory.join(".env")];
        let paths: &[PathBuf] = if !given.is_empty() {
            given
        } else if self.env_file_is_disabled(environment)? {
            return Some(());
        } else if self.files.exists(&beside[0]) && !self.files.is_dir(&beside[0]) {
            &beside
        } else {
            return Some(());
        };
        let variables = self.variables_of(paths, environment)?;
        // The file can say that it is not to be used; its settings for compose itself hold all the same.
        let disabled = given.is_empty()
            && variables.iter().any(|(name, value, _)| name == "COMPOSE_DISABLE_ENV_FILE" && is_true(value));
        for (name, value, source) in variables {
            if !disabled || name.starts_with("COMPOSE_") {
                environment.add(&name, &value, source);
            }
        }
        Some(())
    }

    fn env_file_is_disabled(&mut self, environment: &Environment) -> Option<bool> {
        let Some(word) = environment.value("COMPOSE_DISABLE_ENV_FILE") else { return Some(false) };
        match word {
            word if is_true(word) => Some(true),
            "" | "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
            other => {
                let message = format!("strconv.ParseBool: parsing \"{other}\": invalid syntax");
                self.findings.push(
                    Diagnostic::error(codes::INVALID_SETTING, message)
                        .hint("COMPOSE_DISABLE_ENV_FILE is `true` or `false`"),
                );
                None
            }
        }
    }

    /// The compose file of a directory or of the nearest one above it, with its override file.
    fn search(&mut self, start: &Path) -> Vec<PathBuf> {
        for directory in start.ancestors() {
            let found = |names: [&str; 4]| -> Vec<PathBuf> {
                names.iter().map(|name| directory.join(name)).filter(|path| self.files.exists(path)).collect()
            };
            let mut files = found(FILE_NAMES);
            if files.is_empty() {
                continue;
            }
            let mut overrides = found(OVERRIDE_NAMES);
            for (list, kind) in [(&files, "config"), (&overrides, "override")] {
                if let [first, _, ..] = list.as_slice() {
                    let all: Vec<String> = list.iter().map(|path| path.display().to_string()).collect();
                    let message = format!(
                        "Found multiple {kind} files with supported names: {}, using {}",
                        all.join(", "),
                        first.display()
                    );
                    self.findings.push(
                        Diagnostic::warning(codes::SEVERAL_COMPOSE_FILES, message)
                            .hint("remove the others, or name the files with `-f`"),
                    );
                }
            }
            files.truncate(1);
            overrides.truncate(1);
            files.append(&mut overrides);
            return files;
        }
        Vec::new()
    }

    /// The name of a project, made from what was asked for, from its files, or from its directory.
    pub(in crate::spec) fn name(&mut self, settings: &Settings, in_files: Option<&str>) -> Option<String> {
        if let Some(name) = &settings.name {
            if normal_name(name) == *name {
                return Some(name.clone());
            }
            let message = format!(
                "invalid project name \"{name}\": must consist only of lowercase alphanumeric characters, hyphens, \
                 and underscores as well as start with a letter or number"
            );
            let finding = Diagnostic::error(codes::INVALID_PROJECT_NAME, message);
            let better = normal_name(name);
            self.findings.push(if better.is_empty() { finding } else { finding.hint(format!("use `{better}`")) });
            return None;
        }
        if let Some(name) = in_files.map(normal_name).filter(|name| !name.is_empty()) {
            return Some(name);
        }
        let base = settings.home.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = normal_name(&base);
        if name.is_empty() {
            self.findings.push(
                Diagnostic::error(codes::INVALID_PROJECT_NAME, "project name must not be empty")
                    .hint("give one with `-p`, COMPOSE_PROJECT_NAME or `name:` in the file"),
            );
            return None;
        }
        if self.files.is_symlink(&settings.home) {
            let message =
                format!("project has been loaded without an explicit name from a symlink. Using name \"{name}\"");
            self.findings
                .push(Diagnostic::warning(codes::NAME_FROM_SYMLINK, message).hint("write `name:` in the compose file"));
        }
        Some(name)
    }
}

/// Go's words for true.
fn is_true(word: &str) -> bool {
    matches!(word, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

/// The project directory: as given, else that of the first file, else the current one.
fn working_directory(request: &Request, files: &[String]) -> PathBuf {
    if let Some(given) = &request.project_directory {
        return PathBuf::from(join(&request.cwd, &given.to_string_lossy()));
    }
    match files.iter().find(|file| *file != "-" && !is_remote(file)) {
        Some(file) => {
            let absolute = PathBuf::from(join(&request.cwd, file));
            absolute.parent().unwrap_or(Path::new("/")).to_owned()
        }
        None => request.cwd.clone(),
    }
}

/// A text as project name: lower case, without what is not allowed.
pub fn normal_name(text: &str) -> String {
    let kept: String = text
        .to_lowercase()
        .chars()
        .filter(|character| matches!(character, 'a'..='z' | '0'..='9' | '_' | '-'))
        .collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_directories() {
        for (text, name) in [("My App", "myapp"), ("_-x_1", "x_1"), ("Ä", ""), ("a.b", "ab")] {
            assert_eq!(normal_name(text), name);
        }
    }
}
