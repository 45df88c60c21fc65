//! `RecordDelivery`: the service writes down what became of a message.

use async_trait::async_trait;
use rollcall_domain::notifications::{Delivery, DeliveryCommand, Message};

use crate::{Access, Command, Context, Failure};

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not taken yet; it will be tried again.
    Waiting,
    /// Handed over under this id.
    Sent { message_id: String },
    /// Refused for good because of its address.
    Bounced { status: Option<String> },
    /// No further attempt will be made.
    GaveUp { attempts: u32 },
}

/// Records a message with its outcome; an outcome recorded before stands.
pub struct RecordDelivery {
    pub message: Message,
    pub outcome: Outcome,
}

#[async_trait]
impl Command for RecordDelivery {
    const NAME: &'static str = "RecordDelivery";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let id = self.message.delivery;
        cx.decide::<Delivery>(id, DeliveryCommand::Queue(self.message.clone())).await?;
        let outcome = match &self.outcome {
            Outcome::Waiting => return Ok(()),
            Outcome::Sent { message_id } => {
                DeliveryCommand::RecordSent { message_id: message_id.clone() }
            }
            Outcome::Bounced { status } => DeliveryCommand::RecordBounce { status: status.clone() },
            Outcome::GaveUp { attempts } => DeliveryCommand::GiveUp { attempts: *attempts },
        };
        cx.decide::<Delivery>(id, outcome).await?;
        Ok(())
    }
}
