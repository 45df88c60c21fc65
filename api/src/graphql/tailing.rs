//! When to look again: what subscriptions share.
//!
//! Invariant: no two looks are further apart than [`LOOK_AGAIN`], so what another process appended or
//! revoked, and what came by the clock alone, is seen within seconds (GN-11).

use std::time::Duration;

use rollcall_commands::Commands;
use tokio::sync::watch;

/// The longest time between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The journal's beat.
pub struct Beat(watch::Receiver<i64>);

impl Beat {
    pub fn of(commands: &Commands) -> Self {
        Self(commands.journal.appended())
    }

    /// To be called before a look: what is appended from now on makes the next one due.
    pub fn looking(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits until another look is due; `false` when the service is stopping.
    pub async fn next(&mut self) -> bool {
        tokio::select! {
            changed = self.0.changed() => changed.is_ok(),
            () = tokio::time::sleep(LOOK_AGAIN) => true,
        }
    }
}
