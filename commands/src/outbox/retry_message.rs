//! `RetryMessage`, `RecordEmailBounce` (GN-19): what the plan's staff know about a message that the
//! service does not.
//!
//! Invariant: a message that is tried again has all its attempts before it, and goes to the address
//! as it stands then.

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal,
    kernel::ids::DeliveryId,
    notifications::{Delivery, DeliveryCommand},
    tenants::PlanRole,
};

use crate::{Access, Command, Context, Failure};

/// Plan staff who look after messages.
pub const POSTMASTERS: &[PlanRole] = &[PlanRole::Pa, PlanRole::Ps];

/// Has a message that was given up tried again.
pub struct RetryMessage {
    pub delivery: DeliveryId,
}

/// Writes down that a message came back.
pub struct RecordEmailBounce {
    pub delivery: DeliveryId,
    /// The enhanced status code of RFC 3463, such as `5.1.1`.
    pub status: Option<String>,
}

#[async_trait]
impl Command for RetryMessage {
    const NAME: &'static str = "RetryMessage";
    type Output = DeliveryId;

    fn access(&self) -> Access {
        Access::Plan(POSTMASTERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<DeliveryId, Failure> {
        cx.decide::<Delivery>(self.delivery, DeliveryCommand::Retry).await?;
        Ok(self.delivery)
    }
}

#[async_trait]
impl Command for RecordEmailBounce {
    const NAME: &'static str = "RecordEmailBounce";
    type Output = DeliveryId;

    fn access(&self) -> Access {
        Access::Plan(POSTMASTERS)
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<DeliveryId, Failure> {
        let status = self.status.clone();
        if status.as_deref().is_some_and(|status| !is_enhanced_status(status)) {
            let message = "Give the status as in the bounce, such as 5.1.1, or leave it out.";
            return Err(Refusal::new(Code::FieldInvalid, message).at("status").into());
        }
        cx.decide::<Delivery>(self.delivery, DeliveryCommand::RecordBounce { status }).await?;
        Ok(self.delivery)
    }
}

/// Class, subject and detail of RFC 3463, section 2.
pub(crate) fn is_enhanced_status(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let [class, subject, detail] = parts.as_slice() else { return false };
    let number = |part: &str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    matches!(*class, "4" | "5") && number(subject) && number(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_those_of_rfc_3463() {
        for status in ["5.1.1", "4.2.2", "5.7.26", "5.999.999"] {
            assert!(is_enhanced_status(status), "{status}");
        }
        for other in ["", "550", "5.1", "2.0.0", "5.1.1.1", "5.a.1", "5.1.1000", "5.1.1 no such"] {
            assert!(!is_enhanced_status(other), "{other}");
        }
    }
}
