//! The processes of a case, driven call by call from outside.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal as Raw, kill_process};

use crate::oracle::rules::Finding;
use crate::place::{Case, NOBODY};
use crate::plan::{Signal, Step};

/// What became of a call.
#[derive(Clone, Debug)]
pub enum Outcome {
    Answered {
        ok: bool,
        kib: u64,
        time: Duration,
        text: String,
    },
    /// By our own signal.
    Killed,
    /// By anything else.
    Died(String),
    Hung,
}

impl Outcome {
    /// Whether the call returned what it was asked for.
    pub fn is_ok(&self) -> bool {
        matches!(self, Outcome::Answered { ok: true, .. })
    }

    /// Returns what is wrong with the process.
    pub fn findings(&self, step: &Step) -> Vec<Finding> {
        let finding = |kind: &str, text: String| {
            vec![Finding::new(
                format!("{kind} in {}", step.call.word()),
                text,
            )]
        };
        match self {
            Outcome::Answered { time, .. } if *time > LONGEST => {
                finding("a call took too long", format!("{time:?}"))
            }
            Outcome::Answered { kib, .. } if *kib > LARGEST_KIB => {
                finding("too much memory", format!("{kib} KiB"))
            }
            Outcome::Died(how) => finding("a process died", how.clone()),
            Outcome::Hung => finding("a call hung", String::new()),
            _ => Vec::new(),
        }
    }
}

/// How long a call may take.
const LONGEST: Duration = Duration::from_secs(5);

/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(8);

/// How much memory a process may have.
const LARGEST_KIB: u64 = 256 << 10;

/// A process that makes calls when it is told to; started again after its death.
pub struct Driver<'a> {
    case: &'a Case,
    process: usize,
    nobody: bool,
    next: usize,
    running: Option<Running>,
}

struct Running {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl<'a> Driver<'a> {
    pub fn new(case: &'a Case, process: usize, nobody: bool) -> Self {
        Driver {
            case,
            process,
            nobody,
            next: 0,
            running: None,
        }
    }

    /// Makes the next call.
    pub fn step(&mut self, step: &Step) -> Outcome {
        let running = match self.running.take() {
            Some(running) => Ok(running),
            None => self.start(),
        };
        self.next += 1;
        let Ok(mut running) = running else {
            return Outcome::Died("not started".to_owned());
        };
        let began = Instant::now();
        let _ = running.input.write_all(b"\n");
        let patience = step.kill.map(|kill| Duration::from_micros(kill.micros));
        let answer = running.lines.recv_timeout(patience.unwrap_or(PATIENCE));
        let child = &mut running.child;
        match (answer, step.kill) {
            (Ok(line), _) => {
                self.running = Some(running);
                answered(&line, began.elapsed())
            }
            (Err(RecvTimeoutError::Timeout), Some(kill)) => killed(child, kill.signal),
            (Err(RecvTimeoutError::Timeout), None) => {
                let _ = child.kill();
                let _ = child.wait();
                Outcome::Hung
            }
            (Err(RecvTimeoutError::Disconnected), _) => {
                Outcome::Died(child.wait().map_or_else(|e| e.to_string(), describe))
            }
        }
    }

    fn start(&self) -> std::io::Result<Running> {
        let errors = self.case.root.join(format!("stderr-{}", self.process));
        let errors = File::options().append(true).create(true).open(errors)?;
        let mut command = Command::new("/proc/self/exe");
        command
            .arg("perform")
            .arg(&self.case.root)
            .arg(&self.case.other);
        command
            .arg(self.process.to_string())
            .arg(self.next.to_string());
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors);
        if self.nobody {
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = (input, output) else {
            return Err(std::io::Error::other("no pipes"));
        };
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Ok(Running {
            child,
            input,
            lines,
        })
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        if let Some(Running {
            mut child, input, ..
        }) = self.running.take()
        {
            drop(input);
            let _ = child.wait();
        }
    }
}

fn answered(line: &str, time: Duration) -> Outcome {
    let mut words = line.splitn(3, ' ');
    Outcome::Answered {
        ok: words.next() == Some("ok"),
        kib: words.next().and_then(|word| word.parse().ok()).unwrap_or(0),
        time,
        text: words.next().unwrap_or_default().to_owned(),
    }
}

/// Ends a process in the midst of a call.
fn killed(child: &mut Child, how: Signal) -> Outcome {
    signal(child, how);
    match end(child) {
        Ok(status) if is_ours(status, how) => Outcome::Killed,
        Ok(status) => Outcome::Died(describe(status)),
        Err(error) => Outcome::Died(error.to_string()),
    }
}

fn raw(signal: Signal) -> Raw {
    match signal {
        Signal::Int => Raw::INT,
        Signal::Term => Raw::TERM,
        Signal::Kill => Raw::KILL,
    }
}

fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, raw(signal));
    }
}

/// Waits for a process that was sent a signal, which it may have inherited as ignored.
fn end(child: &mut Child) -> std::io::Result<ExitStatus> {
    for _ in 0..1_000 {
        match child.try_wait()? {
            Some(status) => return Ok(status),
            None => thread::sleep(Duration::from_millis(1)),
        }
    }
    child.kill()?;
    child.wait()
}

fn is_ours(status: ExitStatus, signal: Signal) -> bool {
    let ours = [raw(signal).as_raw(), Raw::KILL.as_raw()];
    status.success() || status.signal().is_some_and(|signal| ours.contains(&signal))
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (_, Some(signal)) => format!("signal {signal}"),
        _ => "unknown".to_owned(),
    }
}
