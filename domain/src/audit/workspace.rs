//! An auditor's workspace: a place of the log, and questions whose answers hold for it (GN-14, GN-26).
//!
//! Invariant: the place never moves, and a question is never changed: another one takes its place.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::kernel::ids::{AuditWorkspaceId, UserId, WorkspaceQuestionId};
use crate::values::ContentLine;
use crate::{Code, Decider, Decision, Event, Facets, Refusal};

/// The most questions a workspace holds.
pub const MOST_QUESTIONS: usize = 100;
/// The longest document, and the longest variables as JSON, in bytes.
pub const LONGEST_QUESTION: usize = 16 * 1024;

/// An event of stream `audit.workspace`. Names and questions hold nothing personal but ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum WorkspaceEvent {
    /// Somebody pinned a workspace to a place of the log.
    WorkspaceOpened {
        workspace: AuditWorkspaceId,
        opened_by: UserId,
        name: ContentLine,
        /// Tenant position for which its answers hold.
        position: i64,
    },
    WorkspaceRenamed {
        workspace: AuditWorkspaceId,
        opened_by: UserId,
        old: ContentLine,
        new: ContentLine,
    },
    /// A question was put into it.
    WorkspaceQuestionSaved {
        workspace: AuditWorkspaceId,
        opened_by: UserId,
        question: WorkspaceQuestionId,
        name: ContentLine,
        /// A GraphQL query, and its variables as JSON.
        document: String,
        variables: String,
    },
    WorkspaceQuestionRemoved {
        workspace: AuditWorkspaceId,
        opened_by: UserId,
        question: WorkspaceQuestionId,
        name: ContentLine,
    },
    /// Nothing is put into it or changed any more; its questions are answered as before.
    WorkspaceClosed { workspace: AuditWorkspaceId, opened_by: UserId, name: ContentLine },
}

/// Who changes a workspace: whoever opened it, or somebody who acts for the whole plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkspaceUser {
    pub user: UserId,
    pub acts_for_all: bool,
}

/// A command to stream `audit.workspace`.
#[derive(Clone, Debug)]
pub enum WorkspaceCommand {
    Open {
        workspace: AuditWorkspaceId,
        by: UserId,
        name: ContentLine,
        /// `None`: the newest one.
        position: Option<i64>,
        newest: i64,
    },
    Rename {
        by: WorkspaceUser,
        name: ContentLine,
    },
    SaveQuestion {
        by: WorkspaceUser,
        question: WorkspaceQuestionId,
        name: ContentLine,
        document: String,
        variables: String,
    },
    RemoveQuestion {
        by: WorkspaceUser,
        question: WorkspaceQuestionId,
    },
    Close {
        by: WorkspaceUser,
    },
}

/// Why a change is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkspaceRefusal {
    #[error("There is no such workspace for you.")]
    NotYours,
    #[error("There is no such question in this workspace.")]
    NoSuchQuestion,
    #[error("This workspace is closed. Open another one.")]
    Closed,
    #[error("Name a position from 1 to {newest}, the newest one.")]
    PositionUnknown { newest: i64 },
    #[error("Save a document and variables of at most 16384 bytes each.")]
    TooLong,
    #[error("A workspace holds at most 100 questions. Remove one, or open another workspace.")]
    TooMany,
}

impl From<WorkspaceRefusal> for Refusal {
    fn from(refusal: WorkspaceRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            WorkspaceRefusal::NotYours => Self::new(Code::NotFound, message).at("workspaceId"),
            WorkspaceRefusal::NoSuchQuestion => Self::new(Code::NotFound, message).at("questionId"),
            WorkspaceRefusal::Closed => Self::new(Code::AlreadyDecided, message).at("workspaceId"),
            WorkspaceRefusal::PositionUnknown { .. } => {
                Self::new(Code::RangeInvalid, message).at("position")
            }
            WorkspaceRefusal::TooLong => Self::new(Code::FieldTooLong, message).at("document"),
            WorkspaceRefusal::TooMany => Self::new(Code::RangeInvalid, message).at("workspaceId"),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Opened {
    workspace: AuditWorkspaceId,
    by: UserId,
    name: ContentLine,
    position: i64,
    questions: BTreeMap<WorkspaceQuestionId, ContentLine>,
    is_closed: bool,
}

/// One workspace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workspace {
    opened: Option<Opened>,
}

impl Workspace {
    /// The position that its answers hold for, for whoever may work in it.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub fn position(&self, by: WorkspaceUser) -> Result<i64, WorkspaceRefusal> {
        Ok(self.of(by)?.position)
    }

    fn of(&self, by: WorkspaceUser) -> Result<&Opened, WorkspaceRefusal> {
        let is_theirs = |it: &&Opened| by.acts_for_all || it.by == by.user;
        self.opened.as_ref().filter(is_theirs).ok_or(WorkspaceRefusal::NotYours)
    }

    /// The workspace, for whoever may change it and while it is open.
    fn changed_by(&self, by: WorkspaceUser) -> Result<&Opened, WorkspaceRefusal> {
        let opened = self.of(by)?;
        if opened.is_closed { Err(WorkspaceRefusal::Closed) } else { Ok(opened) }
    }
}

impl Event for WorkspaceEvent {
    fn event_type(&self) -> &'static str {
        match self {
            Self::WorkspaceOpened { .. } => "audit.workspace.workspace_opened",
            Self::WorkspaceRenamed { .. } => "audit.workspace.workspace_renamed",
            Self::WorkspaceQuestionSaved { .. } => "audit.workspace.workspace_question_saved",
            Self::WorkspaceQuestionRemoved { .. } => "audit.workspace.workspace_question_removed",
            Self::WorkspaceClosed { .. } => "audit.workspace.workspace_closed",
        }
    }

    fn facets(&self) -> Facets {
        match self {
            Self::WorkspaceOpened { opened_by, .. }
            | Self::WorkspaceRenamed { opened_by, .. }
            | Self::WorkspaceQuestionSaved { opened_by, .. }
            | Self::WorkspaceQuestionRemoved { opened_by, .. }
            | Self::WorkspaceClosed { opened_by, .. } => Facets::default().subject(*opened_by),
        }
    }
}

impl Decider for Workspace {
    const TYPE: &'static str = "audit.workspace";
    type Command = WorkspaceCommand;
    type Event = WorkspaceEvent;
    type Refusal = WorkspaceRefusal;

    fn decide(
        &self,
        _: &Decision<'_>,
        command: WorkspaceCommand,
    ) -> Result<Vec<WorkspaceEvent>, WorkspaceRefusal> {
        Ok(match command {
            WorkspaceCommand::Open { workspace, by, name, position, newest } => {
                let position = position.unwrap_or(newest);
                if !(1..=newest).contains(&position) {
                    return Err(WorkspaceRefusal::PositionUnknown { newest });
                }
                vec![WorkspaceEvent::WorkspaceOpened { workspace, opened_by: by, name, position }]
            }
            WorkspaceCommand::Rename { by, name } => {
                let Opened { workspace, by, name: old, .. } = self.changed_by(by)?.clone();
                if old == name {
                    return Ok(Vec::new());
                }
                vec![WorkspaceEvent::WorkspaceRenamed { workspace, opened_by: by, old, new: name }]
            }
            WorkspaceCommand::SaveQuestion { by, question, name, document, variables } => {
                let Opened { workspace, by, questions, .. } = self.changed_by(by)?;
                if document.len().max(variables.len()) > LONGEST_QUESTION {
                    return Err(WorkspaceRefusal::TooLong);
                }
                if questions.len() >= MOST_QUESTIONS {
                    return Err(WorkspaceRefusal::TooMany);
                }
                let (workspace, opened_by) = (*workspace, *by);
                vec![WorkspaceEvent::WorkspaceQuestionSaved {
                    workspace,
                    opened_by,
                    question,
                    name,
                    document,
                    variables,
                }]
            }
            WorkspaceCommand::RemoveQuestion { by, question } => {
                let Opened { workspace, by, questions, .. } = self.changed_by(by)?;
                let name = questions.get(&question).ok_or(WorkspaceRefusal::NoSuchQuestion)?;
                vec![WorkspaceEvent::WorkspaceQuestionRemoved {
                    workspace: *workspace,
                    opened_by: *by,
                    question,
                    name: name.clone(),
                }]
            }
            WorkspaceCommand::Close { by } => {
                let Opened { workspace, by, name, .. } = self.changed_by(by)?.clone();
                vec![WorkspaceEvent::WorkspaceClosed { workspace, opened_by: by, name }]
            }
        })
    }

    fn evolve(&mut self, event: &WorkspaceEvent) {
        if let WorkspaceEvent::WorkspaceOpened { workspace, opened_by, name, position } = event {
            self.opened = Some(Opened {
                workspace: *workspace,
                by: *opened_by,
                name: name.clone(),
                position: *position,
                questions: BTreeMap::new(),
                is_closed: false,
            });
        }
        let Some(opened) = &mut self.opened else { return };
        match event {
            WorkspaceEvent::WorkspaceOpened { .. } => {}
            WorkspaceEvent::WorkspaceRenamed { new, .. } => opened.name = new.clone(),
            WorkspaceEvent::WorkspaceQuestionSaved { question, name, .. } => {
                opened.questions.insert(*question, name.clone());
            }
            WorkspaceEvent::WorkspaceQuestionRemoved { question, .. } => {
                opened.questions.remove(question);
            }
            WorkspaceEvent::WorkspaceClosed { .. } => opened.is_closed = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::scenario::{given, id};

    fn line(text: &str) -> ContentLine {
        ContentLine::parse(text).unwrap()
    }

    fn opened() -> WorkspaceEvent {
        WorkspaceEvent::WorkspaceOpened {
            workspace: id(7),
            opened_by: id(1),
            name: line("Audit of 2025"),
            position: 40,
        }
    }

    fn saved(question: u128) -> WorkspaceEvent {
        WorkspaceEvent::WorkspaceQuestionSaved {
            workspace: id(7),
            opened_by: id(1),
            question: id(question),
            name: line("Who saw the NPI"),
            document: "{ accessRegister { totalCount } }".to_owned(),
            variables: "{}".to_owned(),
        }
    }

    fn open(position: Option<i64>) -> WorkspaceCommand {
        let name = line("Audit of 2025");
        WorkspaceCommand::Open { workspace: id(7), by: id(1), name, position, newest: 40 }
    }

    fn save(by: WorkspaceUser, document: &str) -> WorkspaceCommand {
        WorkspaceCommand::SaveQuestion {
            by,
            question: id(9),
            name: line("Who saw the NPI"),
            document: document.to_owned(),
            variables: "{}".to_owned(),
        }
    }

    const OWNER: WorkspaceUser =
        WorkspaceUser { user: UserId(uuid::Uuid::from_u128(1)), acts_for_all: false };

    #[test]
    fn it_is_pinned_to_a_place_there_is_the_newest_if_none_is_named() {
        given::<Workspace>(&[]).when(open(None)).then(&[opened()]);
        for position in [0, 41] {
            given::<Workspace>(&[]).when(open(Some(position))).refused(Code::RangeInvalid);
        }
    }

    #[test]
    fn its_owner_and_those_who_act_for_the_whole_plan_change_it_and_nobody_else() {
        let document = "{ accessRegister { totalCount } }";
        given::<Workspace>(&[opened()]).when(save(OWNER, document)).then(&[saved(9)]);
        let other = WorkspaceUser { user: id(2), acts_for_all: false };
        given::<Workspace>(&[opened()]).when(save(other, document)).refused(Code::NotFound);
        let plan = WorkspaceUser { acts_for_all: true, ..other };
        given::<Workspace>(&[opened()]).when(save(plan, document)).then(&[saved(9)]);
    }

    #[test]
    fn questions_are_bounded_and_removed_by_name() {
        let long = "x".repeat(LONGEST_QUESTION + 1);
        given::<Workspace>(&[opened()]).when(save(OWNER, &long)).refused(Code::FieldTooLong);
        let full = (0..MOST_QUESTIONS as u128).map(|at| saved(100 + at));
        let full: Vec<_> = std::iter::once(opened()).chain(full).collect();
        given::<Workspace>(&full).when(save(OWNER, "{ x }")).refused(Code::RangeInvalid);
        let remove = WorkspaceCommand::RemoveQuestion { by: OWNER, question: id(9) };
        given::<Workspace>(&[opened(), saved(9)]).when(remove.clone()).then(&[
            WorkspaceEvent::WorkspaceQuestionRemoved {
                workspace: id(7),
                opened_by: id(1),
                question: id(9),
                name: line("Who saw the NPI"),
            },
        ]);
        given::<Workspace>(&[opened()]).when(remove).refused(Code::NotFound);
    }

    #[test]
    fn it_is_renamed_and_closed_and_then_stays_as_it_is() {
        let rename = |name: &str| WorkspaceCommand::Rename { by: OWNER, name: line(name) };
        given::<Workspace>(&[opened()]).when(rename("Audit of 2025")).then(&[]);
        given::<Workspace>(&[opened()]).when(rename("Review")).then(&[
            WorkspaceEvent::WorkspaceRenamed {
                workspace: id(7),
                opened_by: id(1),
                old: line("Audit of 2025"),
                new: line("Review"),
            },
        ]);
        let closed = WorkspaceEvent::WorkspaceClosed {
            workspace: id(7),
            opened_by: id(1),
            name: line("Audit of 2025"),
        };
        let close = WorkspaceCommand::Close { by: OWNER };
        given::<Workspace>(&[opened()]).when(close.clone()).then(&[closed.clone()]);
        given::<Workspace>(&[opened(), closed.clone()]).when(close).refused(Code::AlreadyDecided);
        given::<Workspace>(&[opened(), closed])
            .when(save(OWNER, "{ x }"))
            .refused(Code::AlreadyDecided);
    }
}
