//! Whether two samples can come from one distribution: the two-sample Kolmogorov-Smirnov test.

use std::f64::consts::E;

/// Terms of the series; the last one is below any figure printed.
const TERMS: i32 = 100;

/// Two samples beside each other.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    pub medians: (f64, f64),
    /// The greatest distance between the two distribution functions, 0 to 1.
    pub distance: f64,
    /// How probable this distance or a greater one is within one distribution; asymptotic, good from
    /// some ten tries each (Stephens 1970).
    pub p: f64,
}

impl Comparison {
    /// # Panics
    /// When a sample is empty.
    pub fn of(mut first: Vec<f64>, mut second: Vec<f64>) -> Self {
        first.sort_unstable_by(f64::total_cmp);
        second.sort_unstable_by(f64::total_cmp);
        let below = |sample: &[f64], x: f64| {
            sample.partition_point(|value| *value <= x) as f64 / sample.len() as f64
        };
        let everywhere = first.iter().chain(&second);
        let apart = everywhere.map(|x| (below(&first, *x) - below(&second, *x)).abs());
        let distance = apart.fold(0.0, f64::max);
        let (n, m) = (first.len() as f64, second.len() as f64);
        let root = (n * m / (n + m)).sqrt();
        let lambda = (root + 0.12 + 0.11 / root) * distance;
        let term = |k: i32| {
            let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
            sign * E.powf(-2.0 * f64::from(k * k) * lambda * lambda)
        };
        let p = if lambda < 0.2 { 1.0 } else { 2.0 * (1..=TERMS).map(term).sum::<f64>() };
        let medians = (first[first.len() / 2], second[second.len() / 2]);
        Self { medians, distance, p: p.clamp(0.0, 1.0) }
    }
}
