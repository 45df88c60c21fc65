//! How often a task looks for work: often while the log moves, less and less while it stands still.
//!
//! Invariant: a call made while the task works is not lost.

use std::time::Duration;

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

    /// There was work; there may be more.
    pub fn hurry(&mut self) {
        self.pause = SHORTEST;
    }

    /// Something is wrong; trying at once would not help.
    pub fn slow_down(&mut self) {
        self.pause = LONGEST;
    }

    /// Returns when called, when the log moved, after a pause, or when `stopping` is true.
    pub async fn wait(&mut self, stopping: &mut watch::Receiver<bool>) {
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
