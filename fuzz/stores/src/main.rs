//! Fuzzes whole stores: trees made at random, calls of several processes, kills, and an oracle
//! that decides from the files alone what may have changed.
//!
//! ```text
//! stores run SECONDS [SEED]     makes cases until the time is over
//! stores seeds FIRST LAST       makes these
//! stores plan FILE [TIMES]      makes the case of a plan
//! stores show SEED              prints the plan of a seed
//! stores reduce FILE KIND       prints the smallest plan that shows a finding of the kind
//! ```

mod call;
mod content;
mod drive;
mod foreign;
mod invent;
mod oracle;
mod perform;
mod place;
mod plan;
mod reduce;
mod report;
mod run;
mod together;

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use perform::Performer;
use place::Case;
use plan::Plan;
use report::Report;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match command(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("stores: {error}");
            ExitCode::from(2)
        }
    }
}

/// Does what is asked; says whether nothing was found.
fn command(words: &[&str]) -> Result<bool> {
    match words {
        ["perform", root, other, process, from] => {
            let case = Case {
                root: PathBuf::from(root),
                other: PathBuf::from(other),
            };
            Performer::run(case, process.parse()?, from.parse()?)?;
            Ok(true)
        }
        ["run", seconds] => fuzz(seconds.parse()?, fastrand::u64(..1 << 40)),
        ["run", seconds, seed] => fuzz(seconds.parse()?, seed.parse()?),
        ["seeds", first, last] => {
            let mut report = Report::new(scratch("seeds")?);
            for seed in first.parse()?..=last.parse()? {
                report.seed(seed)?;
            }
            Ok(report.end())
        }
        ["plan", file] => replay(file, 1),
        ["plan", file, times] => replay(file, times.parse()?),
        ["show", seed] => {
            print!("{}", invent::plan(seed.parse()?));
            Ok(true)
        }
        ["reduce", file, kind] => {
            let (case, plan) = (scratch("reduce")?, read(file)?);
            print!("{}", reduce::reduce(&case, &plan, kind, 3));
            case.clear();
            Ok(true)
        }
        _ => Err("run SECONDS [SEED] | seeds FIRST LAST | plan FILE [TIMES] | show SEED".into()),
    }
}

fn fuzz(seconds: u64, first: u64) -> Result<bool> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut report = Report::new(scratch("run")?);
    let mut seed = first;
    println!("seeds from {seed}");
    while Instant::now() < end {
        report.seed(seed)?;
        seed = seed.wrapping_add(1);
    }
    Ok(report.end())
}

fn read(file: &str) -> Result<Plan> {
    Ok(Plan::parse(&fs::read_to_string(file)?)?)
}

fn replay(file: &str, times: usize) -> Result<bool> {
    let (case, plan) = (scratch("plan")?, read(file)?);
    let mut clean = true;
    for _ in 0..times {
        for finding in run::run(&case, &plan)?.findings {
            clean = false;
            println!("{}: {}", finding.kind, finding.text);
        }
    }
    println!("the store: {}", case.root.display());
    Ok(clean)
}

/// The directories of a case: in memory, and `other` on a disk, where there are both.
fn scratch(what: &str) -> Result<Case> {
    let memory = Path::new("/dev/shm");
    let disk = env::temp_dir();
    let base = if memory.is_dir() { memory } else { &disk };
    let name = format!("modelkeep-stores-{what}-{}", std::process::id());
    Ok(Case {
        root: base.join(&name),
        other: disk.join(format!("{name}-other")),
    })
}
