//! When to look again: what subscriptions share.
//!
//! Invariant: no two looks are further apart than [`LOOK_AGAIN`], so what another process appended or
//! revoked, and what came by the clock alone, is seen within seconds (GN-11).

use std::time::Duration;

use rollcall_commands::Commands;
use tokio::{sync::watch, time::Instant};

/// The longest time between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The journal's beat.
pub struct Beat {
    appended: watch::Receiver<i64>,
    /// By when to look again, whatever was appended.
    due: Instant,
}

impl Beat {
    pub fn of(commands: &Commands) -> Self {
        Self::on(commands.journal.appended())
    }

    fn on(appended: watch::Receiver<i64>) -> Self {
        Self { appended, due: Instant::now() }
    }

    /// Whether it is time to look even if nothing was appended that matters.
    pub fn is_due(&self) -> bool {
        self.due <= Instant::now()
    }

    /// To be called before asking what was appended: what comes from now on makes that due again.
    pub fn listening(&mut self) {
        self.appended.mark_unchanged();
    }

    /// To be called before a look: what is appended from now on makes the next one due.
    pub fn looking(&mut self) {
        self.listening();
        self.looks();
    }

    /// There is a look now: the next one is due by the clock only later.
    pub fn looks(&mut self) {
        self.due = Instant::now() + LOOK_AGAIN;
    }

    /// Waits until something was appended or another look is due; `false` when the service is
    /// stopping.
    pub async fn next(&mut self) -> bool {
        tokio::select! {
            changed = self.appended.changed() => changed.is_ok(),
            () = tokio::time::sleep_until(self.due) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn gn_11_a_look_is_due_in_time_however_much_is_appended_meanwhile() {
        let (append, appended) = watch::channel(0);
        let mut beat = Beat::on(appended);
        assert!(beat.is_due(), "there was none yet");
        beat.looking();
        let looked = Instant::now();
        while !beat.is_due() {
            append.send_modify(|position| *position += 1);
            assert!(beat.next().await, "what was appended wakes it");
            beat.listening();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(looked.elapsed() < LOOK_AGAIN + Duration::from_millis(500));
    }
}
