//! A process in the foreground: what is typed goes to it, what it writes is shown, signals are its own, and its exit
//! code is the answer. `run`, `exec` and `attach` are such sessions.

mod drive;
mod keys;

use bytes::Bytes;

use crate::runtime::TerminalSize;

pub use drive::{Process, Sides, foreground};
pub use keys::DetachKeys;

/// So many wishes to end that change nothing, and the process is left alone.
const PATIENCE: u32 = 3;

/// How a process is kept in the foreground.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForegroundOptions {
    /// Keys that leave it alone; only where it has a terminal and input.
    pub detach_keys: Option<DetachKeys>,
    /// Signals are passed on to it; else a wish to end leaves it alone.
    pub passes_signals: bool,
    /// It runs already.
    pub is_running: bool,
    /// What is on its terminal already is drawn again.
    pub redraws: bool,
}

/// What a session is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum In {
    /// It was started.
    Started,
    /// It could not be started.
    NotStarted,
    /// Somebody typed or piped this.
    Input(Bytes),
    /// There is no more input.
    InputEnded,
    /// It wrote something, which was shown.
    Spoke,
    /// Nobody can see any more what it writes.
    Unheard,
    /// All it wrote was shown.
    OutputEnded,
    /// It ended with this code.
    Exited(i64),
    /// It ended a while ago, and its output goes on not ending.
    Quiet,
    /// This process got a signal, and whether that is a wish to end.
    Signal(&'static str, bool),
    /// A signal could not be passed on.
    Undelivered,
    /// The terminal has this size now.
    Resized(TerminalSize),
}

/// What a session wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// Give it this to read.
    Write(Bytes),
    /// It gets no more to read.
    CloseInput,
    /// Pass a signal on.
    Send(&'static str),
    /// Its terminal gets this size.
    Resize(TerminalSize),
    /// Its terminal gets another size and then this one: programs draw themselves only when it changes.
    Redraw(TerminalSize),
    /// Leave its output a moment to end, then tell [`In::Quiet`].
    Drain,
    /// The session is over.
    End(End),
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The process did, with this code.
    Exited(i64),
    /// A person left it alone by typing the keys for it.
    Detached,
    /// A person wanted it to end and it goes on.
    Left,
    /// Nobody can see what it writes; it goes on.
    Unheard,
    /// It was not started.
    NotStarted,
}

/// A session.
#[derive(Clone, Debug)]
pub struct Foreground {
    options: ForegroundOptions,
    started: bool,
    size: Option<TerminalSize>,
    /// Signals that came before the start.
    held: Vec<&'static str>,
    /// Wishes to end since something was said by either side.
    wishes: u32,
    code: Option<i64>,
    output_ended: bool,
    is_over: bool,
}

impl Foreground {
    /// Before anything happened.
    pub fn new(options: ForegroundOptions) -> Self {
        let started = options.is_running;
        Self {
            options,
            started,
            size: None,
            held: Vec::new(),
            wishes: 0,
            code: None,
            output_ended: false,
            is_over: false,
        }
    }

    fn end(&mut self, end: End) -> Vec<Out> {
        self.is_over = true;
        vec![Out::End(end)]
    }

    /// What follows from its end, if it has ended: the code of one that could not be started means nothing.
    fn ended(&mut self) -> Vec<Out> {
        match self.code {
            Some(code) if self.started && self.output_ended => self.end(End::Exited(code)),
            Some(_) if self.started => vec![Out::Drain],
            _ => Vec::new(),
        }
    }

    fn input(&mut self, bytes: Bytes) -> Vec<Out> {
        self.wishes = 0;
        let (passed, detached) = match &mut self.options.detach_keys {
            Some(keys) => keys.take(&bytes),
            None => (bytes, false),
        };
        let mut outs = Vec::new();
        if !passed.is_empty() {
            outs.push(Out::Write(passed));
        }
        if detached {
            outs.extend(self.end(End::Detached));
        }
        outs
    }

    fn signal(&mut self, name: &'static str, is_wish: bool) -> Vec<Out> {
        if is_wish {
            self.wishes += 1;
        }
        if is_wish && (!self.options.passes_signals || self.wishes >= PATIENCE) {
            return self.end(End::Left);
        }
        if !self.options.passes_signals {
            return Vec::new();
        }
        if self.started {
            return vec![Out::Send(name)];
        }
        self.held.push(name);
        Vec::new()
    }

    /// Takes what happened and gives what is to be done, in this order.
    pub fn step(&mut self, input: In) -> Vec<Out> {
        if self.is_over {
            return Vec::new();
        }
        match input {
            In::Started => {
                self.started = true;
                let size = self.size.map(Out::Resize);
                let held = std::mem::take(&mut self.held).into_iter().map(Out::Send);
                size.into_iter().chain(held).chain(self.ended()).collect()
            }
            In::NotStarted => self.end(End::NotStarted),
            In::Input(bytes) => self.input(bytes),
            In::InputEnded => vec![Out::CloseInput],
            In::Spoke => {
                self.wishes = 0;
                Vec::new()
            }
            In::Unheard => self.end(End::Unheard),
            In::OutputEnded => {
                self.output_ended = true;
                if self.code.is_some() { self.ended() } else { Vec::new() }
            }
            In::Exited(code) => {
                self.code = Some(code);
                self.ended()
            }
            In::Quiet => self.code.map(|code| self.end(End::Exited(code))).unwrap_or_default(),
            In::Signal(name, is_wish) => self.signal(name, is_wish),
            // One that ended meanwhile needs no signal; of one that goes on nobody would know how to end it.
            In::Undelivered if self.code.is_none() && !self.output_ended && self.wishes > 0 => self.end(End::Left),
            In::Undelivered => Vec::new(),
            In::Resized(size) => {
                let is_first = self.size.replace(size).is_none();
                match self.started {
                    true if is_first && self.options.redraws => vec![Out::Redraw(size)],
                    true => vec![Out::Resize(size)],
                    false => Vec::new(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: TerminalSize = TerminalSize { columns: 80, rows: 24 };

    fn session(is_running: bool) -> Foreground {
        let detach_keys = Some(DetachKeys::default());
        Foreground::new(ForegroundOptions { detach_keys, passes_signals: true, is_running, redraws: is_running })
    }
    fn typed(text: &str) -> In {
        In::Input(Bytes::copy_from_slice(text.as_bytes()))
    }
    fn interrupt() -> In {
        In::Signal("SIGINT", true)
    }

    /// Every step's input and what comes of it.
    fn plays(mut session: Foreground, steps: Vec<(In, Vec<Out>)>) {
        for (number, (input, outs)) in steps.into_iter().enumerate() {
            assert_eq!(session.step(input.clone()), outs, "step {number}: {input:?}");
        }
    }

    #[test]
    fn its_code_is_told_after_its_output() {
        plays(
            session(false),
            vec![
                (In::Started, vec![]),
                (In::Exited(3), vec![Out::Drain]),
                (In::OutputEnded, vec![Out::End(End::Exited(3))]),
                (In::Quiet, vec![]),
            ],
        );
        plays(
            session(false),
            vec![
                (In::OutputEnded, vec![]),
                (In::Exited(0), vec![]),
                (In::Started, vec![Out::End(End::Exited(0))]),
                (interrupt(), vec![]),
            ],
        );
        let drained = vec![(In::Exited(3), vec![Out::Drain]), (In::Quiet, vec![Out::End(End::Exited(3))])];
        plays(session(true), drained);
    }

    #[test]
    fn size_and_signals_wait_for_the_start() {
        plays(
            session(false),
            vec![
                (In::Resized(SIZE), vec![]),
                (interrupt(), vec![]),
                (In::Signal("SIGHUP", false), vec![]),
                (In::Started, vec![Out::Resize(SIZE), Out::Send("SIGINT"), Out::Send("SIGHUP")]),
                (In::Resized(SIZE), vec![Out::Resize(SIZE)]),
                (In::Signal("SIGUSR1", false), vec![Out::Send("SIGUSR1")]),
            ],
        );
        let failed = vec![(In::Exited(127), vec![]), (In::NotStarted, vec![Out::End(End::NotStarted)])];
        plays(session(false), failed);
        let seen = vec![(In::Resized(SIZE), vec![Out::Redraw(SIZE)]), (In::Resized(SIZE), vec![Out::Resize(SIZE)])];
        plays(session(true), seen);
    }

    #[test]
    fn input_goes_on_until_the_keys_are_typed() {
        plays(
            session(true),
            vec![
                (typed("ls\n"), vec![Out::Write(Bytes::from_static(b"ls\n"))]),
                (typed("\x10"), vec![]),
                (typed("\x11rest"), vec![Out::End(End::Detached)]),
                (typed("more"), vec![]),
            ],
        );
        plays(session(true), vec![(In::InputEnded, vec![Out::CloseInput])]);
        let options = ForegroundOptions { is_running: true, ..ForegroundOptions::default() };
        let raw = Bytes::from_static(b"\x00\x10\x11");
        plays(Foreground::new(options), vec![(In::Input(raw.clone()), vec![Out::Write(raw)])]);
    }

    #[test]
    fn who_wants_out_three_times_gets_out() {
        let sent = || vec![Out::Send("SIGINT")];
        plays(
            session(true),
            vec![
                (interrupt(), sent()),
                (interrupt(), sent()),
                (In::Spoke, vec![]),
                (interrupt(), sent()),
                (interrupt(), sent()),
                (interrupt(), vec![Out::End(End::Left)]),
            ],
        );
    }

    #[test]
    fn a_signal_that_can_not_be_passed_on_leaves_it_alone() {
        let sent = || vec![Out::Send("SIGINT")];
        plays(session(true), vec![(interrupt(), sent()), (In::Undelivered, vec![Out::End(End::Left)])]);
        plays(session(true), vec![(interrupt(), sent()), (In::OutputEnded, vec![]), (In::Undelivered, vec![])]);
        let deaf = ForegroundOptions { is_running: true, ..ForegroundOptions::default() };
        plays(
            Foreground::new(deaf),
            vec![(In::Signal("SIGHUP", false), vec![]), (interrupt(), vec![Out::End(End::Left)])],
        );
    }

    #[test]
    fn nobody_listens_any_more() {
        plays(session(true), vec![(In::Spoke, vec![]), (In::Unheard, vec![Out::End(End::Unheard)])]);
    }
}
