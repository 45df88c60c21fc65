//! The sender: claims a message that is due, renders it, hands it over and records the outcome.
//!
//! Invariant: the outcome is recorded before the row is let go of. A crash in between sends the same
//! message again under the same id, and the record of the first time stands; where only the database
//! failed in between, the answer of the mail server is remembered and nothing is sent again.

use chrono::{DateTime, Utc};
use rollcall_domain::{notifications::Channel, policies::PolicyHistory};
use rollcall_journal::JournalError;
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use super::{
    InHand, Outcome, RecordDelivery,
    backoff::wait_after,
    in_hand::Standing,
    queue::{self, Claimed},
};
use crate::{
    Caller, Commands, DispatchError, NO_KEY,
    messages::{Planned, RenderError, Renderer},
    post::{NotTaken, Parcel, PostOffice},
    processes::Pace,
};

/// Sends what is queued.
#[derive(Clone)]
pub struct Sender {
    pub commands: Commands,
    /// Connections as the runner role.
    pub pool: PgPool,
    pub renderer: Renderer,
    pub post: PostOffice,
    pub in_hand: InHand,
}

/// Why a message stays where it is for now, without counting as an attempt.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Record(#[from] DispatchError),
}

impl Sender {
    /// Sends until `stopping` is true; what is being sent then is finished first.
    #[must_use]
    pub fn spawn(self, pace: Pace, stopping: watch::Receiver<bool>) -> JoinHandle<()> {
        tokio::spawn(async move {
            pace.drive(stopping, "a message could not be worked on; it is tried again", || {
                self.deliver_one()
            })
            .await;
        })
    }

    /// Works on one message; `false` when none is due.
    async fn deliver_one(&self) -> Result<bool, Trouble> {
        let now = self.commands.journal.now();
        let mut tx = self.pool.begin().await?;
        let Some(claimed) = queue::claim(&mut tx, now).await? else { return Ok(false) };
        let Some(message) = &claimed.message else {
            tracing::error!(delivery = %claimed.delivery, "no such template in this version");
            queue::failed(&mut tx, &claimed, None, "unknown template").await?;
            tx.commit().await?;
            return Ok(true);
        };
        let handed_over = match self.in_hand.take_up(claimed.delivery) {
            Standing::Taken(message_id) => Ok(message_id),
            // What the mail server answers is told to the other sender.
            Standing::Underway => return Ok(false),
            Standing::Free(handing_over) => {
                if let Some(until) = self.held_until(&claimed, message).await? {
                    queue::hold(&mut tx, &claimed, until).await?;
                    tx.commit().await?;
                    return Ok(true);
                }
                let answer = self.hand_over(&claimed, message).await?;
                answer.inspect(|message_id| handing_over.taken(message_id))
            }
        };
        match handed_over {
            Ok(message_id) => {
                self.record(&claimed, message, Outcome::Sent { message_id }).await?;
                queue::done(&mut tx, &claimed).await?;
            }
            Err(NotTaken::Bounced { status }) => {
                self.record(&claimed, message, Outcome::Bounced { status }).await?;
                queue::done(&mut tx, &claimed).await?;
            }
            Err(failure) => {
                let attempts = claimed.attempts + 1;
                let wait = match &failure {
                    NotTaken::ForNow(_) => wait_after(attempts),
                    NotTaken::Ever(_) | NotTaken::Bounced { .. } => None,
                };
                let outcome = match wait {
                    Some(_) => Outcome::Waiting,
                    None => Outcome::GaveUp { attempts },
                };
                tracing::warn!(delivery = %claimed.delivery, attempts, %failure, "not sent");
                self.record(&claimed, message, outcome).await?;
                let again_at = wait.map(|wait| now + wait);
                queue::failed(&mut tx, &claimed, again_at, &failure.to_string()).await?;
            }
        }
        tx.commit().await?;
        self.in_hand.recorded(claimed.delivery);
        Ok(true)
    }

    /// Until when a message waits because people are not to be disturbed (GN-19).
    async fn held_until(
        &self,
        claimed: &Claimed,
        message: &Planned,
    ) -> Result<Option<DateTime<Utc>>, JournalError> {
        if message.channel != Channel::Email || message.template.is_urgent() {
            return Ok(None);
        }
        let (journal, tenant) = (&self.commands.journal, claimed.tenant);
        let history = journal.load::<PolicyHistory>(tenant, tenant.policy_stream()).await?;
        let now = journal.now();
        Ok(history.state.at(now).1.quiet_until(now))
    }

    async fn hand_over(
        &self,
        claimed: &Claimed,
        message: &Planned,
    ) -> Result<Result<String, NotTaken>, RenderError> {
        let rendered =
            self.renderer.render(claimed.tenant, claimed.source_position, message).await?;
        let content = match rendered {
            Ok(content) => content,
            Err(unsendable) => return Ok(Err(NotTaken::Ever(unsendable.to_string()))),
        };
        let parcel = Parcel {
            delivery: claimed.delivery,
            subject: (claimed.tenant, message.to.recipient().subject),
            channel: message.channel,
            content,
            at: self.commands.journal.now(),
        };
        Ok(self.post.carry(&parcel).await)
    }

    async fn record(
        &self,
        claimed: &Claimed,
        message: &Planned,
        outcome: Outcome,
    ) -> Result<(), DispatchError> {
        let caller =
            Caller::system(claimed.tenant, claimed.correlation_id, Some(claimed.source_event));
        let id = command_id(claimed, &outcome);
        let record = RecordDelivery { message: claimed.recorded_as(message), outcome };
        self.commands.dispatch_as(&caller, (id, NO_KEY), &record).await?;
        Ok(())
    }
}

/// The same outcome of the same message is the same command, each time it is taken up anew.
fn command_id(claimed: &Claimed, outcome: &Outcome) -> Uuid {
    let step = match outcome {
        Outcome::Waiting => "waiting",
        Outcome::Sent { .. } => "sent",
        Outcome::Bounced { .. } => "bounced",
        Outcome::GaveUp { .. } => "gave-up",
    };
    let id = claimed.delivery.0;
    match claimed.retries {
        0 => Uuid::new_v5(&id, step.as_bytes()),
        times => Uuid::new_v5(&id, format!("{step}/{times}").as_bytes()),
    }
}
