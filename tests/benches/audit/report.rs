//! The table of what was measured.
//!
//! Invariant: a figure stands beside what it is to be held to.

/// Prints as it goes.
pub struct Report(());

impl Report {
    pub fn begin() -> Self {
        println!("audit\twhat\tmeasured\tlimit\tratio");
        Self(())
    }

    /// A figure and the most it may be, in the same unit; a ratio above one has missed it.
    pub fn at_most(&mut self, what: &str, measured: f64, limit: f64, unit: &str) {
        println!("audit\t{what}\t{measured:.2} {unit}\t<= {limit} {unit}\t{:.2}", measured / limit);
    }

    /// A figure and the least it may be.
    pub fn at_least(&mut self, what: &str, measured: f64, limit: f64, unit: &str) {
        println!("audit\t{what}\t{measured:.2} {unit}\t>= {limit} {unit}\t{:.2}", measured / limit);
    }

    /// Something worth knowing without a limit.
    pub fn note(&mut self, what: &str, measured: f64, unit: &str) {
        println!("audit\t{what}\t{measured:.2} {unit}\t-\t-");
    }
}
