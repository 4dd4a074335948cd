//! What a run found, each kind once.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use crate::invent;
use crate::place::Case;
use crate::reduce;
use crate::run;

/// Counts cases, and keeps the first of each kind of finding.
pub struct Report {
    case: Case,
    began: Instant,
    cases: usize,
    calls: usize,
    failed: usize,
    kinds: BTreeMap<String, usize>,
}

impl Report {
    pub fn new(case: Case) -> Self {
        Report {
            case,
            began: Instant::now(),
            cases: 0,
            calls: 0,
            failed: 0,
            kinds: BTreeMap::new(),
        }
    }

    /// Makes the case of a seed.
    pub fn seed(&mut self, seed: u64) -> std::io::Result<()> {
        let plan = invent::plan(seed);
        let ran = run::run(&self.case, &plan)?;
        self.cases += 1;
        self.calls += ran.calls;
        let mut kinds: Vec<&str> = ran.findings.iter().map(|finding| &*finding.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let before: usize = self.kinds.values().sum();
        for kind in kinds {
            // A machine that is busy is slow: what is slow at each of three times is slow.
            let slow = kind.starts_with("a call took too long");
            if slow && !(0..2).all(|_| reduce::shows(&self.case, &plan, kind)) {
                continue;
            }
            let known = self.kinds.entry(kind.to_owned()).or_default();
            *known += 1;
            if *known > 1 {
                continue;
            }
            let text = ran.findings.iter().find(|finding| finding.kind == kind);
            println!(
                "\n== seed {seed}: {kind}\n{}",
                text.map_or("", |finding| &finding.text)
            );
            let smallest = reduce::reduce(&self.case, &plan, kind, 2);
            if !reduce::shows(&self.case, &smallest, kind) {
                println!("(shows only sometimes)");
            }
            let kept = self
                .case
                .root
                .with_extension(format!("{seed}-{}", self.kinds.len()));
            let _ = fs::rename(&self.case.root, &kept);
            let _ = fs::write(kept.join("plan"), smallest.to_string());
            println!("{smallest}kept: {}", kept.display());
        }
        if self.kinds.values().sum::<usize>() > before {
            self.failed += 1;
        }
        Ok(())
    }

    /// Prints the sums; says whether nothing was found.
    pub fn end(self) -> bool {
        self.case.clear();
        let seconds = self.began.elapsed().as_secs();
        let (cases, calls) = (self.cases, self.calls);
        println!("\n{cases} cases, {calls} calls, {seconds} s");
        for (kind, times) in &self.kinds {
            println!("{times:6} {kind}");
        }
        let failed = self.failed;
        println!("stores: {} passed, {failed} failed", cases - failed);
        self.kinds.is_empty()
    }
}
