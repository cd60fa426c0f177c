//! The binary: answers at once what needs nothing, else runs a command line on one thread.

use std::ffi::OsString;
use std::process::ExitCode;

use compose::cli::disk::Disk;
use compose::cli::engines::Docker;
use compose::cli::global::Environment;
use compose::cli::plugin;
use compose::cli::terminal::Io;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let io = Io::of_process();
    if let Some(code) = plugin::answer_at_once(&words, &io) {
        return code.into();
    }
    let environment = Environment::of_process();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(compose::cli::run(&words, &environment, &Disk, &Docker, &io));
            // What still reads standard input must not keep us here.
            runtime.shutdown_background();
            code.into()
        }
        Err(error) => {
            io.stderr.line(&format!("failed to begin: {error}"));
            ExitCode::FAILURE
        }
    }
}
