//! Medians over the rounds, a tab-separated line per variant.

use super::clients::{Load, Measured};

pub struct Report {
    names: Vec<&'static str>,
    /// By variant, then round.
    measured: Vec<Vec<Measured>>,
}

impl Report {
    pub fn new(names: Vec<&'static str>) -> Self {
        let measured = names.iter().map(|_| Vec::new()).collect();
        Self { names, measured }
    }

    pub fn add(&mut self, variant: usize, measured: Measured) {
        eprintln!(
            "  {} {:.0}/s, p99 {:.2} ms",
            self.names[variant], measured.per_s, measured.p99_ms
        );
        self.measured[variant].push(measured);
    }

    /// `append`, variant, concurrency, commands per second, p99 in ms, and both ratios.
    pub fn print(&self, load: Load) {
        for (nth, name) in self.names.iter().enumerate() {
            let per_s = median(self.measured[nth].iter().map(|measured| measured.per_s));
            let p99 = median(self.measured[nth].iter().map(|measured| measured.p99_ms));
            let (pgbench, postgres_es) =
                (self.ratio(nth, "pgbench"), self.ratio(nth, "postgres-es"));
            println!(
                "append\t{name}\t{load}\t{per_s:.0}\t{p99:.2}\t{pgbench:.2}\t{postgres_es:.2}"
            );
        }
    }

    /// How many times as fast as another variant of the same round.
    fn ratio(&self, variant: usize, baseline: &str) -> f64 {
        let other = self.names.iter().position(|name| *name == baseline).expect("it was measured");
        let rounds = self.measured[variant].iter().zip(&self.measured[other]);
        median(rounds.map(|(own, other)| own.per_s / other.per_s))
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { (values[middle - 1] + values[middle]) / 2.0 }
}
