//! `install-plugin`: puts this program where docker looks for `docker compose`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::commands::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Failure;

/// What docker calls the plugin.
const NAME: &str = if cfg!(windows) { "docker-compose.exe" } else { "docker-compose" };
/// Where docker looks for plugins of all users, first.
const SYSTEM: &str = "/usr/local/lib/docker/cli-plugins";

/// Make `docker compose` run this program
#[derive(clap::Args, Clone, Debug)]
#[command(
    override_usage = "[OPTIONS]",
    after_help = "Examples:\n  compose install-plugin              for you: a link in ~/.docker/cli-plugins\n  compose install-plugin --system     for all users of this machine\n  compose install-plugin --remove     take it away again\n"
)]
pub struct InstallPluginArgs {
    /// Copy the program instead of linking to it
    #[arg(long)]
    copy: bool,
    /// Replace another docker-compose that is there
    #[arg(short, long)]
    force: bool,
    /// Take it away again
    #[arg(long)]
    remove: bool,
    /// Install for all users, in /usr/local/lib/docker/cli-plugins
    #[arg(long)]
    system: bool,
}

pub(super) fn run(args: &InstallPluginArgs, context: &Context<'_>) -> Ended {
    let program = std::env::current_exe().and_then(fs::canonicalize);
    let program = program.map_err(|error| Failure::Message(format!("failed to find this program: {error}")))?;
    let directory = if args.system { PathBuf::from(SYSTEM) } else { own_directory(context)? };
    let told = install(args, &program, &directory.join(NAME), context.global.dry_run)?;
    context.io.stdout.line(&told);
    if !args.remove
        && let Some(first) = shadow(context, &directory)
    {
        let first = first.display();
        context.warn(&format!("docker takes {first} first: remove that one, or install this program there"));
    }
    Ok(0)
}

/// Where docker looks for plugins of the user.
fn own_directory(context: &Context<'_>) -> Result<PathBuf, Failure> {
    let directory = context.docker_directory().ok_or_else(|| {
        let message = "failed to find your docker directory: neither DOCKER_CONFIG nor HOME is set".to_owned();
        Failure::Hinted { message, hints: vec!["--system installs for all users".to_owned()] }
    })?;
    Ok(directory.join("cli-plugins"))
}

/// A plugin of our name in a directory that docker looks at before this one.
fn shadow(context: &Context<'_>, directory: &Path) -> Option<PathBuf> {
    let own = own_directory(context).ok()?;
    let config = context.docker_config();
    let listed = config.get("cliPluginsExtraDirs").and_then(|listed| listed.as_array()).cloned().unwrap_or_default();
    let listed = listed.iter().filter_map(|directory| directory.as_str().map(PathBuf::from));
    let before = listed.chain([own]).take_while(|earlier| earlier != directory);
    before.map(|earlier| earlier.join(NAME)).find(|plugin| context.files.exists(plugin))
}

/// Does it, and tells what was done.
fn install(args: &InstallPluginArgs, program: &Path, plugin: &Path, dry_run: bool) -> Result<String, Failure> {
    let InstallPluginArgs { copy, force, remove, system: _ } = args;
    let shown = plugin.display();
    let failed = |what: &str, error: &io::Error| {
        let hints = match error.kind() {
            io::ErrorKind::PermissionDenied => vec!["run it as root, or leave --system out".to_owned()],
            _ => Vec::new(),
        };
        Failure::Hinted { message: format!("failed to {what} {shown}: {error}"), hints }
    };
    let there = found(program, plugin).map_err(|error| failed("look at", &error))?;
    if *remove {
        return match there {
            Found::Nothing => Ok(format!("there is no {shown}")),
            Found::Other(_) if !force => {
                let message = format!("{shown} is not this program: it stays");
                Err(Failure::Hinted { message, hints: vec!["--force removes it all the same".to_owned()] })
            }
            Found::Link | Found::Copy | Found::Other(_) => {
                if !dry_run {
                    fs::remove_file(plugin).map_err(|error| failed("remove", &error))?;
                }
                Ok(format!("{shown} {} removed", if dry_run { "would be" } else { "is" }))
            }
        };
    }
    match &there {
        Found::Link if !copy => return Ok(format!("{shown} leads here already: `docker compose` is this program")),
        Found::Copy if *copy => return Ok(format!("{shown} is this program already")),
        Found::Other(what) if !force => {
            let message = format!("{shown} is there already ({what}): it stays");
            return Err(Failure::Hinted { message, hints: vec!["--force replaces it".to_owned()] });
        }
        Found::Nothing | Found::Link | Found::Copy | Found::Other(_) => {}
    }
    if !dry_run {
        if let Some(directory) = plugin.parent() {
            fs::create_dir_all(directory).map_err(|error| failed("make the directory of", &error))?;
        }
        // Made beside it and moved over it: there is a plugin at every moment.
        let fresh = plugin.with_extension("new");
        let _ = fs::remove_file(&fresh);
        let made = if *copy { fs::copy(program, &fresh).map(|_| ()) } else { link(program, &fresh) };
        made.and_then(|()| fs::rename(&fresh, plugin)).map_err(|error| failed("write", &error))?;
    }
    let replaced = match there {
        Found::Other(what) => format!(", in place of {what}"),
        Found::Nothing | Found::Link | Found::Copy => String::new(),
    };
    let how = if *copy { "a copy of" } else { "a link to" };
    let program = program.display();
    Ok(if dry_run {
        format!("{shown} would become {how} {program}{replaced}")
    } else {
        format!("{shown} is now {how} {program}{replaced}: `docker compose` is this program")
    })
}

/// What is at the plugin's place.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// A link to this program.
    Link,
    /// This program itself, or the same bytes.
    Copy,
    /// Something else, in words.
    Other(String),
}

fn found(program: &Path, plugin: &Path) -> io::Result<Found> {
    let metadata = match fs::symlink_metadata(plugin) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    if metadata.is_symlink() {
        return Ok(match fs::canonicalize(plugin) {
            Ok(target) if target == program => Found::Link,
            Ok(target) => Found::Other(format!("a link to {}", target.display())),
            Err(_) => Found::Other("a link that leads nowhere".to_owned()),
        });
    }
    if plugin == program || (fs::metadata(program)?.len() == metadata.len() && fs::read(program)? == fs::read(plugin)?)
    {
        return Ok(Found::Copy);
    }
    Ok(Found::Other("another program".to_owned()))
}

#[cfg(unix)]
fn link(program: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(program, to)
}

/// Where links take privileges a copy does.
#[cfg(not(unix))]
fn link(program: &Path, to: &Path) -> io::Result<()> {
    fs::copy(program, to).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the flags say and do, about a directory with this in the plugin's place.
    fn tried(place: impl FnOnce(&Path, &Path), flags: &str, dry_run: bool) -> (String, Found) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let (program, plugin) = (root.join("compose"), root.join("plugins").join(NAME));
        fs::write(&program, "this program").unwrap();
        fs::create_dir(root.join("plugins")).unwrap();
        place(&program, &plugin);
        let has = |flag: &str| flags.split(' ').any(|word| word == flag);
        let args =
            InstallPluginArgs { copy: has("--copy"), force: has("--force"), remove: has("--remove"), system: false };
        let told = match install(&args, &program, &plugin, dry_run) {
            Ok(text) => text,
            Err(failure) => failure.lines().join(" /"),
        };
        (told.replace(&root.display().to_string(), ""), found(&program, &plugin).unwrap())
    }

    fn other(_: &Path, plugin: &Path) {
        fs::write(plugin, "docker's own").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_ours_stays_unless_it_is_forced() {
        let nothing = |_: &Path, _: &Path| {};
        let linked = |program: &Path, plugin: &Path| link(program, plugin).unwrap();
        let kept = || Found::Other("another program".to_owned());
        let at = "/plugins/docker-compose";
        assert_eq!(
            tried(nothing, "", false),
            (format!("{at} is now a link to /compose: `docker compose` is this program"), Found::Link)
        );
        assert_eq!(
            tried(nothing, "--copy", false),
            (format!("{at} is now a copy of /compose: `docker compose` is this program"), Found::Copy)
        );
        assert_eq!(
            tried(linked, "", false),
            (format!("{at} leads here already: `docker compose` is this program"), Found::Link)
        );
        assert_eq!(
            tried(other, "", false),
            (format!("{at} is there already (another program): it stays / hint: --force replaces it"), kept())
        );
        assert_eq!(
            tried(other, "--force", false),
            (
                format!(
                    "{at} is now a link to /compose, in place of another program: `docker compose` is this program"
                ),
                Found::Link
            )
        );
        assert_eq!(
            tried(other, "--force", true),
            (format!("{at} would become a link to /compose, in place of another program"), kept())
        );
        assert_eq!(
            tried(other, "--remove", false),
            (format!("{at} is not this program: it stays / hint: --force removes it all the same"), kept())
        );
        assert_eq!(tried(linked, "--remove", false), (format!("{at} is removed"), Found::Nothing));
        assert_eq!(tried(nothing, "--remove", false), (format!("there is no {at}"), Found::Nothing));
    }
}
