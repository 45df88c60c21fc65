//! The rows of each report in the schema. Invariant: every column of the definition is a field, and
//! `canonical` is the row byte for byte as a recount has it.

use async_graphql::{Enum, ID, Interface, Result, SimpleObject};
use rollcall_domain::{Actor, audit::ReportName, kernel::ActorKind as StoredKind};
use rollcall_projections::{audit_timeline::sentences::Names, reports::Row};
use serde_json::Value;

use super::{
    cells::{Cell, Misfit, read, word},
    definitions::AuditReportName,
};
use crate::graphql::{
    access_register::{AccessCauseKind, AccessRight, AccessSource},
    audit::{AuditActor, OrganizationReference, PersonReference, actor_id},
    errors::fault,
    permissions::last_use::{LastUse, LastUseState},
    scalars::{Date, DateTime, NpiScalar, Position},
    vocabulary::{ActorKind, OrgRole, PlanRole},
};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        pub enum $name { $($(#[$word_doc])* $word,)+ }
        by_word!($name);
    )+};
}

macro_rules! by_word {
    ($($name:ty),+ $(,)?) => {$(
        impl Cell for $name {
            fn of(cell: &Value, _: &Names) -> Option<Self> {
                word(cell)
            }
        }
    )+};
}

by_word!(AccessCauseKind, AccessRight, AccessSource, AuditReportName, OrgRole, PlanRole);

words! {
    /// As what somebody administers.
    AdministratorRole {
        /// Administrator of an organisation.
        Admin,
        /// Plan administrator.
        Pa,
        /// Plan support staff.
        Ps,
        /// Quality team.
        Qi,
        /// Content editor.
        Ce,
        /// Compliance auditor.
        Au,
        /// Runs the service.
        Operator,
    }
    /// Why nobody answers for an account.
    OrphanedReason {
        /// It has neither a membership nor a role of the plan.
        NoMembership,
        /// Its organisation is suspended, closed or merged into another one.
        OrganizationNotActive,
        /// Nobody administers its organisation.
        OrganizationWithoutAdministrator,
    }
    /// What was done with a PIN.
    PinActivityKind {
        Reset,
        Revealed,
    }
    /// Who had a PIN reset.
    PinResetParty {
        /// Somebody with a right on the NPI.
        User,
        /// Plan support, for a caller.
        Support,
    }
    /// Why a membership or role ended.
    TerminationCause {
        /// The end was planned ahead, and came.
        Planned,
        /// Somebody decided it, with effect at once or since an earlier day.
        Decided,
        /// Nobody ever gave them a permission.
        NoPermissions,
        /// They did not sign in for too long.
        Dormant,
        /// Somebody took the role back.
        Revoked,
        /// The time of the role was over.
        Expired,
        /// The portal was closed.
        Tenant,
    }
    /// What was decided against somebody's access.
    RevocationDecision {
        /// A request was refused; nothing was held.
        RequestDenied,
        /// A right was taken back.
        RightRevoked,
        /// A level for an NPI was lowered.
        LevelLowered,
        /// The role for the whole organisation was lowered or taken back.
        RoleLowered,
    }
    /// What was read of the records.
    AuditReadKind {
        /// A file of events was asked for.
        EventsAsked,
        /// A file of a report was asked for.
        ReportAsked,
        /// A file of a review of access was asked for.
        ReviewAsked,
        /// A file was given.
        FileGiven,
        /// A bundle of evidence was asked for.
        EvidenceAsked,
        /// A bundle of evidence was given.
        EvidenceGiven,
        /// A letter with a registration token was opened.
        LetterOpened,
    }
}

/// A kind of right, and when any of the rights of the kind was last used (GN-16).
#[derive(Clone, Debug, SimpleObject)]
pub struct RightKindUse {
    pub right: AccessRight,
    /// The feature or the role of the plan; absent for other kinds, whose rights are told together.
    pub of: Option<String>,
    /// How many rights of the kind are held.
    pub held: i32,
    pub last_use: LastUse,
}

impl Cell for Vec<RightKindUse> {
    fn of(cell: &Value, names: &Names) -> Option<Self> {
        let one = |item: &Value| {
            let last_use = LastUse {
                state: word::<LastUseState>(&item["lastUse"])?,
                on: Option::<Date>::of(&item["on"], names)?,
            };
            Some(RightKindUse {
                right: word(&item["right"])?,
                of: Option::of(&item["of"], names)?,
                held: i32::of(&item["held"], names)?,
                last_use,
            })
        };
        cell.as_array()?.iter().map(one).collect()
    }
}

/// Whoever did it, from the columns of kind and id.
fn actor(row: &Row, names: &Names, kind: &str, id: &str) -> Option<AuditActor> {
    let kind = StoredKind::parse(row.cell(kind).as_str()?)?;
    let actor = Actor { kind, id: row.uuid(id) };
    let telling = rollcall_projections::audit_timeline::sentences::Telling { names, actor };
    Some(AuditActor { kind: ActorKind::from(kind), id: actor_id(actor), name: telling.who() })
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident = $report:ident $(by $actor:ident $kind:literal $id:literal)? {
        $($(#[$field_doc:meta])* $field:ident: $type:ty = $column:literal,)+
    })+) => {
        $($(#[$doc])*
        #[derive(Clone, Debug, SimpleObject)]
        pub struct $name {
            /// The row as a recount has it: its columns by name, as JSON in one form only. Ids are
            /// UUIDs, moments RFC 3339.
            pub canonical: String,
            $($(#[$field_doc])* pub $field: $type,)+
            $(#[doc = "Who did it."] pub $actor: Option<AuditActor>,)?
        }

        impl $name {
            fn told(row: &Row, names: &Names) -> Result<Self, Misfit> {
                Ok(Self {
                    canonical: row.canonical(),
                    $($field: read(row, names, $column)?,)+
                    $($actor: actor(row, names, $kind, $id),)?
                })
            }
        })+

        /// A row of a report; which type it has follows from the report.
        #[derive(Clone, Debug, Interface)]
        #[graphql(field(
            name = "canonical",
            ty = "&String",
            desc = "The row as a recount has it: its columns by name, as JSON in one form only."
        ))]
        pub enum AuditReportRow {
            $($report($name),)+
        }

        impl AuditReportRow {
            /// The row in its report's type.
            ///
            /// # Errors
            /// A fault, where a column does not hold what it should.
            pub fn of(report: ReportName, row: &Row, names: &Names) -> Result<Self> {
                let told = match report {
                    $(ReportName::$report => $name::told(row, names).map(Self::$report),)+
                };
                told.map_err(|misfit| fault(&misfit))
            }
        }
    };
}

rows! {
    /// An account that could act in an organisation, or for the plan.
    ActiveAccountRow = ActiveAccounts {
        user: PersonReference = "userId",
        /// Absent for the plan's own people.
        organization: Option<OrganizationReference> = "organizationId",
        /// The role for the whole organisation, if one was given.
        role: Option<OrgRole> = "role",
        /// Since when they belonged there.
        since: DateTime = "since",
        /// When the person last signed in, to whichever organisation.
        last_sign_in: Option<DateTime> = "lastSignIn",
        /// The kinds of rights they held there.
        rights: Vec<RightKindUse> = "rights",
    }
    /// An administrator of an organisation, or a role of the plan.
    AdministratorRow = Administrators by by "byKind" "byId" {
        user: PersonReference = "userId",
        /// Absent for roles that count for the whole plan.
        organization: Option<OrganizationReference> = "organizationId",
        role: AdministratorRole = "role",
        since: DateTime = "since",
        /// Before when, where an end was set.
        until: Option<DateTime> = "until",
        cause: AccessCauseKind = "cause",
        /// The event that gave it.
        position: Position = "position",
    }
    /// An account whose person had not signed in for so long.
    DormantRow = Dormant {
        user: PersonReference = "userId",
        organization: OrganizationReference = "organizationId",
        /// Since when they are a member.
        since: DateTime = "since",
        /// Absent where they never signed in.
        last_sign_in: Option<DateTime> = "lastSignIn",
        /// The last sign-in, or when they became a member if that came later.
        quiet_since: DateTime = "quietSince",
        quiet_days: i32 = "quietDays",
    }
    /// An account that nobody answered for.
    OrphanedRow = Orphaned {
        user: PersonReference = "userId",
        organization: Option<OrganizationReference> = "organizationId",
        reason: OrphanedReason = "reason",
        /// Since when they are a member or, without a membership, have an account.
        since: DateTime = "since",
    }
    /// A member whom nobody had ever given a right.
    NeverAssignedRow = NeverAssigned {
        user: PersonReference = "userId",
        organization: OrganizationReference = "organizationId",
        since: DateTime = "since",
    }
    /// A reveal or reset of a PIN.
    PinActivityRow = PinActivity by actor "actorKind" "actorId" {
        position: Position = "position",
        at: DateTime = "at",
        what: PinActivityKind = "what",
        npi: NpiScalar = "npi",
        organization: Option<OrganizationReference> = "organizationId",
        reset_by: Option<PinResetParty> = "resetBy",
        /// The PIN shown, or the new one: they are counted from 1.
        pin_version: i32 = "pinVersion",
    }
    /// A membership or role of the plan that ended.
    TerminationRow = Terminations by actor "actorKind" "actorId" {
        position: Position = "position",
        user: Option<PersonReference> = "userId",
        organization: Option<OrganizationReference> = "organizationId",
        /// The role of the plan; absent for memberships.
        plan_role: Option<PlanRole> = "planRole",
        cause: TerminationCause = "cause",
        /// The last day at work, where one was named.
        left_on: Option<Date> = "leftOn",
        /// When the right to access ended.
        ended_at: DateTime = "endedAt",
        /// From when on access was no longer possible.
        enforced_at: DateTime = "enforcedAt",
        /// How long access was possible after the right to it had ended.
        seconds_to_disable: i32 = "secondsToDisable",
        /// Whether that is more than the limit.
        over_limit: bool = "overLimit",
    }
    /// A decision against somebody's access.
    RevocationRow = Revocations by actor "actorKind" "actorId" {
        position: Position = "position",
        user: Option<PersonReference> = "userId",
        organization: Option<OrganizationReference> = "organizationId",
        decision: RevocationDecision = "decision",
        /// Absent for requests; of a level and a role, the right that both open.
        right: Option<AccessRight> = "right",
        /// `*` for all NPIs of the organisation.
        npi: Option<String> = "npi",
        /// What was taken back, or the level or role that is left.
        of: Option<String> = "of",
        decided_at: DateTime = "decidedAt",
        /// Absent where nothing was held.
        removed_at: Option<DateTime> = "removedAt",
        seconds_to_removal: Option<i32> = "secondsToRemoval",
    }
    /// Two rights held together that a rule keeps apart.
    SodConflictRow = SodConflicts {
        rule_id: ID = "ruleId",
        user: PersonReference = "userId",
        /// Absent where the two are held in different organisations, or anywhere counts.
        organization: Option<OrganizationReference> = "organizationId",
        npi: Option<NpiScalar> = "npi",
        /// The kind of the first right, and after a colon what of it.
        first: String = "first",
        second: String = "second",
        held_from: DateTime = "heldFrom",
        /// Absent where no end is known.
        held_to: Option<DateTime> = "heldTo",
    }
    /// An affiliation in force.
    AffiliationInForceRow = AffiliationsInForce {
        affiliation_id: ID = "affiliationId",
        submitter: OrganizationReference = "submitterId",
        provider: OrganizationReference = "providerId",
        since: DateTime = "since",
        /// Before when, where an end was set.
        until: Option<DateTime> = "until",
        /// All NPIs of the provider, those attached later included.
        all_npis: bool = "allNpis",
        /// Those named, if not all.
        npis: Vec<NpiScalar> = "npis",
        /// By their X12 codes.
        transaction_types: Vec<String> = "transactionTypes",
        /// How many people of the submitter worked under it.
        people: i32 = "people",
    }
    /// A read of the records that stands in them.
    AuditReadRow = AuditReads by actor "actorKind" "actorId" {
        position: Position = "position",
        at: DateTime = "at",
        what: AuditReadKind = "what",
        /// Which report a file was asked of.
        report: Option<AuditReportName> = "report",
        /// The export, bundle or letter: the same where it is asked for and given.
        document_id: ID = "documentId",
        organization: Option<OrganizationReference> = "organizationId",
        /// How many rows or events left.
        row_count: Option<i32> = "rows",
        /// Of the file that left.
        sha256: Option<String> = "sha256",
    }
    /// A right about the NPI, held for a time.
    AccessToNpiRow = AccessToNpi {
        user: PersonReference = "userId",
        organization: Option<OrganizationReference> = "organizationId",
        right: AccessRight = "right",
        /// The type of correspondence, `*` for all types; absent for other rights.
        of: Option<String> = "of",
        level: String = "level",
        source: AccessSource = "source",
        held_from: DateTime = "heldFrom",
        /// Absent where no end is known.
        held_to: Option<DateTime> = "heldTo",
    }
}
