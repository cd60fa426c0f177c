//! Promises about what flows: output, input, commands and events.

use std::time::Duration;

use futures::StreamExt;
use tokio::io::AsyncWriteExt;

use super::{Broken, Case, Kept, LABEL, all_output, ensure, fails};
use crate::runtime::{AttachOptions, ErrorKind, EventFilter, ExecSpec, LogOptions, RuntimeEvent, TerminalSize};

pub(super) async fn output_after_the_attach_is_not_lost(case: &Case<'_>) -> Kept {
    let id = case.create(&case.spec("writes", "echo out; echo err >&2")).await?;
    let attached = case.runtime.attach(&id, &AttachOptions::default()).await?;
    ensure!(attached.input.is_none(), "there is an input that nobody asked for");
    case.runtime.start_container(&id).await?;
    let (out, err) = all_output(attached.output).await?;
    ensure!(out == "out\n" && err == "err\n", "it wrote {out:?} and {err:?}");
    Ok(())
}

pub(super) async fn input_is_read_until_it_is_closed(case: &Case<'_>) -> Kept {
    let mut spec = case.spec("reads", "cat");
    spec.stdin_open = true;
    spec.stdin_once = true;
    spec.attach_stdin = true;
    let id = case.create(&spec).await?;
    let attached = case.runtime.attach(&id, &AttachOptions { stdin: true, ..AttachOptions::default() }).await?;
    let Some(mut input) = attached.input else { return Err(Broken("there is no input".to_owned())) };
    // What comes before the start waits for it.
    input.write_all(b"one\n").await.map_err(|error| Broken(error.to_string()))?;
    case.runtime.start_container(&id).await?;
    let written = async {
        input.write_all(b"two\n").await?;
        input.shutdown().await
    };
    written.await.map_err(|error| Broken(error.to_string()))?;
    let (out, err) = all_output(attached.output).await?;
    ensure!(out == "one\ntwo\n" && err.is_empty(), "it wrote {out:?} and {err:?}");
    let code = case.runtime.wait_container(&id).await?;
    ensure!(code == 0, "its code is {code}");
    Ok(())
}

pub(super) async fn input_that_ends_before_the_start_is_read(case: &Case<'_>) -> Kept {
    let mut spec = case.spec("reads-early", "cat");
    spec.stdin_open = true;
    spec.stdin_once = true;
    spec.attach_stdin = true;
    let id = case.create(&spec).await?;
    let attached = case.runtime.attach(&id, &AttachOptions { stdin: true, ..AttachOptions::default() }).await?;
    let Some(mut input) = attached.input else { return Err(Broken("there is no input".to_owned())) };
    let written = async {
        input.write_all(b"one\n").await?;
        input.shutdown().await
    };
    written.await.map_err(|error| Broken(error.to_string()))?;
    case.runtime.start_container(&id).await?;
    let (out, _) = all_output(attached.output).await?;
    ensure!(out == "one\n", "it wrote {out:?}");
    let code = case.runtime.wait_container(&id).await?;
    ensure!(code == 0, "its code is {code}");
    Ok(())
}

pub(super) async fn logs_are_kept_and_followed(case: &Case<'_>) -> Kept {
    let script = "echo 1; sleep 0.1; echo 2; sleep 0.1; echo 3; sleep 0.1";
    let id = case.create(&case.spec("counts", script)).await?;
    let logs = async |options: LogOptions| all_output(case.runtime.logs(&id, &options).await?).await;
    let (out, _) = logs(LogOptions { follow: true, ..LogOptions::default() }).await?;
    ensure!(out.is_empty(), "before the start its log is {out:?}");
    case.runtime.start_container(&id).await?;
    let (out, _) = logs(LogOptions { follow: true, ..LogOptions::default() }).await?;
    ensure!(out == "1\n2\n3\n", "followed, its log is {out:?}");
    case.runtime.wait_container(&id).await?;
    let (out, _) = logs(LogOptions::default()).await?;
    ensure!(out == "1\n2\n3\n", "afterwards its log is {out:?}");
    let (out, _) = logs(LogOptions { tail: Some(2), ..LogOptions::default() }).await?;
    ensure!(out == "2\n3\n", "the last two lines are {out:?}");
    let (out, _) = logs(LogOptions { tail: Some(0), ..LogOptions::default() }).await?;
    ensure!(out.is_empty(), "the last no lines are {out:?}");
    let (out, _) = logs(LogOptions { timestamps: true, ..LogOptions::default() }).await?;
    let times: Vec<(&str, &str)> = out.lines().filter_map(|line| line.split_once(' ')).collect();
    let lines: Vec<&str> = times.iter().map(|(_, line)| *line).collect();
    ensure!(lines == ["1", "2", "3"], "with times its log is {out:?}");
    let parsed = times.iter().all(|(time, _)| time.parse::<jiff::Timestamp>().is_ok());
    ensure!(parsed && times.is_sorted(), "its times are {times:?}");
    let since = times.get(1).map(|(time, _)| (*time).to_owned());
    let (out, _) = logs(LogOptions { since, ..LogOptions::default() }).await?;
    ensure!(out == "2\n3\n", "since its second line its log is {out:?}");
    Ok(())
}

pub(super) async fn logs_of_a_terminal_are_one_stream(case: &Case<'_>) -> Kept {
    let mut spec = case.spec("writes", "echo out; echo err >&2");
    spec.tty = true;
    let id = case.create(&spec).await?;
    case.runtime.start_container(&id).await?;
    case.runtime.wait_container(&id).await?;
    let (out, err) = all_output(case.runtime.logs(&id, &LogOptions::default()).await?).await?;
    // The fake has no terminals and keeps both outputs apart.
    let all = format!("{out}{err}").replace('\r', "");
    ensure!(all == "out\nerr\n", "its log is {out:?} and {err:?}");
    Ok(())
}

pub(super) async fn a_command_runs_inside(case: &Case<'_>) -> Kept {
    let id = case.running("host").await?;
    let words = ["sh", "-c", "echo out; echo err >&2; exit 4"];
    let spec = ExecSpec { command: words.map(str::to_owned).into(), attach_output: true, ..ExecSpec::default() };
    let exec = case.runtime.create_exec(&id, &spec).await?;
    let attached = case.runtime.start_exec(&exec, false).await?;
    let (out, err) = all_output(attached.output).await?;
    ensure!(out == "out\n" && err == "err\n", "it wrote {out:?} and {err:?}");
    let code = ended(case, &exec).await?;
    ensure!(code == Some(4), "its code is {code:?}");
    let exec = case.runtime.create_exec(&id, &spec).await?;
    case.runtime.start_exec_detached(&exec).await?;
    let code = ended(case, &exec).await?;
    ensure!(code == Some(4), "detached, its code is {code:?}");
    Ok(())
}

pub(super) async fn a_command_on_a_terminal_knows_its_size(case: &Case<'_>) -> Kept {
    let id = case.running("host").await?;
    let spec = ExecSpec {
        command: vec!["stty".to_owned(), "size".to_owned()],
        attach_output: true,
        tty: true,
        size: Some(TerminalSize { columns: 99, rows: 33 }),
        ..ExecSpec::default()
    };
    let exec = case.runtime.create_exec(&id, &spec).await?;
    let attached = case.runtime.start_exec(&exec, true).await?;
    let (out, err) = all_output(attached.output).await?;
    ensure!(out.trim_end() == "33 99" && err.is_empty(), "it wrote {out:?} and {err:?}");
    let code = ended(case, &exec).await?;
    ensure!(code == Some(0), "its code is {code:?}");
    Ok(())
}

pub(super) async fn a_command_reads_its_input(case: &Case<'_>) -> Kept {
    let id = case.running("host").await?;
    let spec = ExecSpec { command: vec!["cat".to_owned()], stdin: true, attach_output: true, ..ExecSpec::default() };
    let exec = case.runtime.create_exec(&id, &spec).await?;
    let attached = case.runtime.start_exec(&exec, false).await?;
    let Some(mut input) = attached.input else { return Err(Broken("there is no input".to_owned())) };
    // Bytes that look like the head of a frame, and no newline at the end.
    let bytes = b"\x01\x00\x00\x02two";
    let written = async {
        input.write_all(bytes).await?;
        input.shutdown().await
    };
    written.await.map_err(|error| Broken(error.to_string()))?;
    let (out, err) = all_output(attached.output).await?;
    ensure!(out.as_bytes() == bytes && err.is_empty(), "it wrote {out:?} and {err:?}");
    let code = ended(case, &exec).await?;
    ensure!(code == Some(0), "its code is {code:?}");
    fails(case.runtime.signal_exec(&exec, "SIGINT").await, ErrorKind::Conflict, "a signal to a command that ended")
}

pub(super) async fn a_terminal_of_a_container_is_fed_and_resized(case: &Case<'_>) -> Kept {
    let mut spec = case.spec("asks", "printf 'prompt> '; read answer; stty size");
    spec.tty = true;
    spec.stdin_open = true;
    let id = case.create(&spec).await?;
    let size = TerminalSize { columns: 80, rows: 24 };
    fails(case.runtime.resize_container(&id, size).await, ErrorKind::Conflict, "a resize before the start")?;
    let attached = case.runtime.attach(&id, &AttachOptions { stdin: true, ..AttachOptions::default() }).await?;
    let Some(mut input) = attached.input else { return Err(Broken("there is no input".to_owned())) };
    case.runtime.start_container(&id).await?;
    case.runtime.resize_container(&id, size).await?;
    input.write_all(b"\n").await.map_err(|error| Broken(error.to_string()))?;
    let (out, err) = all_output(attached.output).await?;
    let out = out.replace("\r\n", "\n");
    // A terminal shows the key that was typed: before the prompt, when the process is slower than the key.
    let out = out.replacen('\n', "", out.matches('\n').count().saturating_sub(1));
    ensure!(out == "prompt> 24 80\n" && err.is_empty(), "it wrote {out:?} and {err:?}");
    Ok(())
}

pub(super) async fn the_end_of_one_that_removes_itself_is_told(case: &Case<'_>) -> Kept {
    for removed in [false, true] {
        let mut spec = case.spec("ends-with-3", "exit 3");
        spec.host.auto_remove = true;
        let id = case.create(&spec).await?;
        let end = case.runtime.watch_end(&id, removed).await?;
        case.runtime.start_container(&id).await?;
        let code = end.await?;
        ensure!(code == 3, "its code is {code}");
        if removed {
            fails(case.runtime.inspect_container(&id).await, ErrorKind::NotFound, "a look at one that is gone")?;
        } else {
            // The next one has the same name.
            case.gone(&id).await?;
        }
    }
    Ok(())
}

/// The exit code, once there is one.
async fn ended(case: &Case<'_>, exec: &str) -> Result<Option<i64>, Broken> {
    for _ in 0..500 {
        let state = case.runtime.inspect_exec(exec).await?;
        if !state.running && state.exit_code.is_some() {
            return Ok(state.exit_code);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(None)
}

pub(super) async fn events_are_told_after_the_subscription(case: &Case<'_>) -> Kept {
    let filter = EventFilter {
        labels: vec![format!("{LABEL}={}", case.fixture.prefix)],
        kinds: vec!["container".to_owned()],
        ..EventFilter::default()
    };
    let before = case.running("before").await?;
    let mut events = case.runtime.events(&filter).await?;
    let id = case.create(&case.spec("ends-with-3", "exit 3")).await?;
    case.runtime.start_container(&id).await?;
    let mut seen: Vec<RuntimeEvent> = Vec::new();
    while let Some(event) = events.next().await {
        let event = event?;
        let is_last = event.action == "die";
        seen.push(event);
        if is_last {
            break;
        }
    }
    ensure!(seen.iter().all(|event| event.container().as_ref() != Some(&before)), "older events are told: {seen:?}");
    ensure!(seen.iter().all(|event| event.container().as_ref() == Some(&id)), "events of others are told: {seen:?}");
    for action in ["create", "start", "die"] {
        ensure!(seen.iter().any(|event| event.action == action), "{action} is not told: {seen:?}");
    }
    for event in &seen {
        let name = event.attributes.get("name");
        ensure!(name == Some(&case.name("ends-with-3")), "its name is {name:?}");
        let label = event.attributes.get(LABEL);
        ensure!(label == Some(&case.fixture.prefix), "its label is {label:?}");
        ensure!(event.time > 1_000_000_000_000_000_000, "its time is {}", event.time);
    }
    let code = seen.last().and_then(|event| event.attributes.get("exitCode"));
    ensure!(code.is_some_and(|code| code == "3"), "its code is {code:?}");
    Ok(())
}
