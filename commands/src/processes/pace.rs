//! How often a task looks for work: often while the log moves, less and less while it stands still.
//!
//! Invariant: a call made while the task works is not lost.

use std::{fmt::Display, time::Duration};

use tokio::sync::watch;

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(500);

/// One task's rhythm.
pub struct Pace {
    call: watch::Receiver<()>,
    appended: watch::Receiver<i64>,
    pause: Duration,
}

impl Pace {
    /// Woken by `call` and by whatever this process appends or hears of.
    #[must_use]
    pub fn new(call: watch::Receiver<()>, appended: watch::Receiver<i64>) -> Self {
        Self { call, appended, pause: SHORTEST }
    }

    /// Takes one step after the other until `stopping` is true; the one under way then is finished
    /// first. A step says whether there was work; `trouble` is what is logged where one fails, which
    /// is tried again.
    pub async fn drive<Step, E>(
        mut self,
        mut stopping: watch::Receiver<bool>,
        trouble: &'static str,
        step: impl Fn() -> Step,
    ) where
        Step: Future<Output = Result<bool, E>>,
        E: Display,
    {
        while !*stopping.borrow() {
            match step().await {
                // There may be more.
                Ok(true) => self.pause = SHORTEST,
                Ok(false) => self.wait(&mut stopping).await,
                Err(error) => {
                    tracing::warn!(%error, "{trouble}");
                    // Trying at once would not help.
                    self.pause = LONGEST;
                    self.wait(&mut stopping).await;
                }
            }
        }
    }

    /// Returns when called, when the log moved, after a pause, or when `stopping` is true.
    async fn wait(&mut self, stopping: &mut watch::Receiver<bool>) {
        // A branch that ends by an error has lost its sender: the service is stopping.
        let log_moved = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => false,
            _ = self.call.changed() => {
                self.pause = SHORTEST;
                false
            }
            _ = self.appended.changed() => {
                self.pause = SHORTEST;
                true
            }
            () = tokio::time::sleep(self.pause) => {
                self.pause = LONGEST.min(self.pause * 2);
                false
            }
        };
        if log_moved {
            // What was appended has yet to be taken in by a process.
            tokio::time::sleep(SHORTEST).await;
        }
    }
}
