//! Why a review refuses. Invariant: nobody is named but by id, in the details.

use crate::kernel::ids::{AccessReviewId, UserId};
use crate::{Code, Refusal};

/// Why nothing came of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessReviewRefusal {
    #[error("This review was opened already.")]
    Opened,
    #[error("Nobody is to be reviewed by this choice. Choose another one.")]
    NothingToReview,
    #[error(
        "Nothing of this choice has changed since it was certified by the last signed review, which stands. \
         Review everything instead, or wait."
    )]
    NothingChanged(AccessReviewId),
    #[error("This choice has more than {0} items. Choose fewer.")]
    TooManyToReview(usize),
    #[error("An item stands on the list twice.")]
    ListedTwice,
    #[error("Let the review be due later than now, and its grace end no earlier than that.")]
    DueTooEarly,
    #[error("There is no such review. Check the id and try again.")]
    Unknown,
    #[error("This review is over; what it found stands.")]
    Closed,
    #[error(
        "This review is over, and what it found stands. Invite the person or grant the access again, or \
         open a new review."
    )]
    ClosedToUndo,
    #[error(
        "What you saw decided about item {0} counts no more, or took nothing away. Look again."
    )]
    NothingToUndo(u32),
    #[error(
        "The policy decided about item {0}, and nobody. Keep it, which gives back what was taken away."
    )]
    PolicyDecided(u32),
    #[error(
        "This review is being closed, and item {0} is decided. Sign it once all is carried out, or \
         cancel it."
    )]
    Closing(u32),
    #[error("Nothing about item {0} waits for a second reviewer.")]
    NotToConfirm(u32),
    #[error("You decided about item {0}. Leave it to somebody else to confirm that.")]
    SameReviewer(u32),
    #[error("The health plan confirms what is decided about item {0}. Leave it to the plan.")]
    PlanConfirms(u32),
    #[error(
        "What was decided about item {0} was confirmed and carried out. Give the access again outside of \
         the review."
    )]
    Confirmed(u32),
    #[error("{} not confirmed by a second reviewer yet, the first: {}.", are(*.count), list(.first))]
    Unconfirmed { count: u32, first: Vec<u32> },
    #[error("Item {0} is somebody else's access. Say what is so of your own.")]
    NotOwn(u32),
    #[error("Nobody is asked about their own access in this review.")]
    NotAsked,
    #[error("Only a person decides in a review.")]
    NoPerson,
    #[error("Choose at least one item.")]
    NoItems,
    #[error("Choose at most {0} items at once.")]
    TooMany(usize),
    #[error("Take away or change one and the same access at once, and any other separately.")]
    NotIdentical,
    #[error("The list has no item {0}.")]
    ItemUnknown(u32),
    #[error("Item {0} is your own access. Leave it to another reviewer.")]
    SelfReview(u32),
    #[error("Item {0} is the access of whom you stand in for. Leave it to another reviewer.")]
    OwnOfAbsent(u32),
    #[error("Item {0} is this person's own access. Choose somebody else for it.")]
    SelfDelegate(u32),
    #[error("Item {item} is delegated to somebody else. Leave it to them, or ask for it back.")]
    Delegated { item: u32, to: UserId },
    #[error("Enter the reason.")]
    ReasonRequired,
    #[error("Item {0} has this permission already. Keep it, or choose another permission.")]
    SameRole(u32),
    #[error("Item {0} is a single right. Take it away without a last day.")]
    NoLastDay(u32),
    #[error("Choose a level below the one of item {0}, or take it away. More is given elsewhere.")]
    NotLower(u32),
    #[error(
        "Item {0} is not changed this way. Choose a permission for a member, a level for an NPI; any \
         other right is kept or taken away."
    )]
    NoSuchChange(u32),
    #[error("Choose a last day before the review is due. Keep who stays longer, and plan the end.")]
    LeavesTooLate,
    #[error(
        "What was decided about item {0} has taken effect. Keep it first, which takes that back."
    )]
    TakenEffect(u32),
    #[error(
        "The key of item {0} was revoked and never works again. Create a new key where a machine needs one."
    )]
    KeyRevoked(u32),
    #[error("Nothing is to be carried out about item {0}, or something else by now.")]
    NotPending(u32),
    #[error("Confirm the statement that you sign.")]
    NotAttested,
    #[error("{} undecided yet, the first: {}. Decide about each.", are(*.count), list(.first))]
    Undecided { count: u32, first: Vec<u32> },
    #[error("{} decided but not in effect yet, the first: {}. Wait for that, or decide otherwise.", are(*.count), list(.first))]
    Pending { count: u32, first: Vec<u32> },
}

fn are(count: u32) -> String {
    if count == 1 { "1 item is".to_owned() } else { format!("{count} items are") }
}

fn list(items: &[u32]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl From<AccessReviewRefusal> for Refusal {
    fn from(refusal: AccessReviewRefusal) -> Self {
        use AccessReviewRefusal as R;
        let message = refusal.to_string();
        let of_items = |code| Self::new(code, message.clone()).at("items");
        match refusal {
            R::Opened => Self::new(Code::DuplicateRequest, message),
            R::NothingToReview | R::ListedTwice => {
                Self::new(Code::FieldInvalid, message).at("scope")
            }
            R::NothingChanged(since) => Self::new(Code::FieldInvalid, message)
                .at("changedOnly")
                .details([since.to_string()]),
            R::TooManyToReview(_) => Self::new(Code::BulkLimit, message).at("scope"),
            R::DueTooEarly => Self::new(Code::RangeInvalid, message).at("dueAt"),
            R::Unknown => Self::not_found("accessReviewId"),
            R::Closed | R::ClosedToUndo => Self::new(Code::ReviewClosed, message),
            R::PolicyDecided(item) => of_items(Code::NotPending).details([item.to_string()]),
            R::Closing(item) => of_items(Code::ReviewClosed).details([item.to_string()]),
            R::NotToConfirm(item) => of_items(Code::NotPending).details([item.to_string()]),
            R::SameReviewer(item) | R::PlanConfirms(item) => {
                of_items(Code::Forbidden).details([item.to_string()])
            }
            R::Confirmed(item) => of_items(Code::AlreadyDecided).details([item.to_string()]),
            R::NotOwn(item) => of_items(Code::Forbidden).details([item.to_string()]),
            R::NotAsked => Self::new(Code::NotPending, message).at("accessReviewId"),
            R::NoPerson => Self::new(Code::Forbidden, message),
            R::NoItems => of_items(Code::FieldRequired),
            R::TooMany(_) => of_items(Code::BulkLimit),
            R::NotIdentical => of_items(Code::FieldInvalid),
            R::ItemUnknown(item) => of_items(Code::NotFound).details([item.to_string()]),
            R::SelfReview(item) | R::OwnOfAbsent(item) => {
                of_items(Code::SelfReview).details([item.to_string()])
            }
            R::SelfDelegate(item) => {
                Self::new(Code::SelfReview, message).at("to").details([item.to_string()])
            }
            R::Delegated { to, .. } => of_items(Code::Forbidden).details([to.to_string()]),
            R::ReasonRequired => Self::new(Code::ReasonRequired, message).at("reason"),
            R::SameRole(_) => Self::new(Code::FieldInvalid, message).at("role"),
            R::NoLastDay(item) => {
                Self::new(Code::FieldInvalid, message).at("leftOn").details([item.to_string()])
            }
            R::NotLower(item) => {
                Self::new(Code::FieldInvalid, message).at("level").details([item.to_string()])
            }
            R::NoSuchChange(item) => {
                Self::new(Code::FieldInvalid, message).at("decision").details([item.to_string()])
            }
            R::LeavesTooLate => Self::new(Code::RangeInvalid, message).at("leftOn"),
            R::TakenEffect(item) | R::KeyRevoked(item) => {
                of_items(Code::AlreadyDecided).details([item.to_string()])
            }
            R::NothingToUndo(item) => of_items(Code::NotPending).details([item.to_string()]),
            R::NotPending(_) => Self::new(Code::NotPending, message).at("item"),
            R::NotAttested => Self::new(Code::BoxNotTicked, message).at("signature.attested"),
            R::Undecided { first, .. } | R::Unconfirmed { first, .. } => {
                Self::new(Code::ItemsUndecided, message)
                    .details(first.iter().map(ToString::to_string))
            }
            R::Pending { first, .. } => Self::new(Code::StillInEffect, message)
                .details(first.iter().map(ToString::to_string)),
        }
    }
}
