//! The table of what was measured.
//!
//! Invariant: a figure stands beside what it is to be held to.

use std::fs;

/// Prints as it goes; holds the name of the benchmark.
pub struct Report(&'static str);

impl Report {
    pub fn begin(benchmark: &'static str) -> Self {
        println!("{benchmark}\twhat\tmeasured\tlimit\tratio");
        Self(benchmark)
    }

    /// A figure and the most it may be, in the same unit; a ratio above one has missed it.
    pub fn at_most(&mut self, what: &str, measured: f64, limit: f64, unit: &str) {
        let ratio = measured / limit;
        println!("{}\t{what}\t{measured:.2} {unit}\t<= {limit} {unit}\t{ratio:.2}", self.0);
    }

    /// A figure and the least it may be.
    pub fn at_least(&mut self, what: &str, measured: f64, limit: f64, unit: &str) {
        let ratio = measured / limit;
        println!("{}\t{what}\t{measured:.2} {unit}\t>= {limit} {unit}\t{ratio:.2}", self.0);
    }

    /// Something worth knowing without a limit.
    pub fn note(&mut self, what: &str, measured: f64, unit: &str) {
        println!("{}\t{what}\t{measured:.2} {unit}\t-\t-", self.0);
    }
}

/// The process's memory in MiB.
pub fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("the process's status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib / 1024.0
}
