//! Making a plan smaller while it still shows what it showed.

use std::time::{Duration, Instant};

use crate::place::Case;
use crate::plan::Plan;
use crate::run;

/// How long a plan is made smaller.
const LONGEST: Duration = Duration::from_secs(60);

/// Returns the smallest plan that was found to show a finding of this kind: one without a line of
/// which it does not. A kind that shows only sometimes gets `tries` at each.
pub fn reduce(case: &Case, plan: &Plan, kind: &str, tries: usize) -> Plan {
    let end = Instant::now() + LONGEST;
    let mut plan = plan.clone();
    let mut width = plan.lines.len().div_ceil(2);
    while width > 0 {
        let mut start = 0;
        while start < plan.lines.len() && Instant::now() < end {
            let mut smaller = plan.clone();
            smaller
                .lines
                .drain(start..(start + width).min(plan.lines.len()));
            if (0..tries).any(|_| shows(case, &smaller, kind)) {
                plan = smaller;
            } else {
                start += width;
            }
        }
        width /= 2;
    }
    plan
}

/// Whether a plan shows a finding of this kind.
pub fn shows(case: &Case, plan: &Plan, kind: &str) -> bool {
    let ran = run::run(case, plan).unwrap_or_default();
    ran.findings.iter().any(|finding| finding.kind == kind)
}
