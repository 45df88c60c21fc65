//! Requests for access: who asked for what, who was to decide, and what came of it (CC-11, CC-12,
//! AL-07, AL-08, CX-13, GN-13).
//!
//! Invariant: nobody decides about their own request, and none is decided twice.

mod command;
mod events;
mod item;
mod joining;
mod moving;
mod refusal;
mod request;
#[cfg(test)]
mod tests;

pub use command::{AccessRequestCommand, NewRequest};
pub use events::{AccessRequestEvent, RouteCause};
pub use item::{RequestItem, RequestKind, only_the_plan_adds, only_the_plan_decides};
pub use joining::{
    JoinRequest, JoinRequestCommand, JoinRequestEvent, JoinWish, Joining, Side, Visitor,
};
pub use moving::{
    Move, MoveRequest, MoveRequestCommand, MoveRequestEvent, MoveWish, Moving, sealed_for,
};
pub use refusal::AccessRequestRefusal;
pub use request::{AccessRequest, Asked, Closing};
