//! `ImportPerson`, `ContinuePeopleImport`: one existing person with their rights (AL-02, GN-33).
//!
//! Invariant: every fact names the import as its cause and the file's line as its reason.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rollcall_domain::{
    Code, Refusal, Sealed,
    imports::{LineOutcome, LineResult, PeopleImport, PeopleImportCommand, PersonRow},
    kernel::ids::{MembershipId, OrganizationId, PeopleImportId, UserId, VaultRef},
    organizations::{
        EnrolmentSource, Organization, OrganizationCommand, OrganizationEvent,
        organization::RosterCommand,
    },
    permissions::{
        Cause, CorrespondenceScope, Membership, MembershipCommand, NpiScope,
        correspondence_types::offered_keys,
        membership::{MembershipKey, NpiChange},
    },
    policies::LoginIdentifier,
    users::{
        credential::{Credential, CredentialCommand},
        user::{Registration, User, UserCommand},
    },
    values::CodeChannel,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    ahead::Found,
    line::{ParsedPerson, parse},
    request_import::organization_of,
};
use crate::{
    Access, Command, Context, Failure,
    passwords::is_known_hash,
    users::{PASSWORD, USERNAME, reserve_email},
};

/// Imports one line of a file read on the service's own machine.
pub struct ImportPerson {
    pub source: EnrolmentSource,
    pub row: PersonRow,
    /// What was looked up for many lines together; what was not is looked up now.
    pub found: Found,
}

/// What became of a line that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    pub outcome: LineOutcome,
    pub user: UserId,
    pub organization: OrganizationId,
}

#[async_trait]
impl Command for ImportPerson {
    const NAME: &'static str = "ImportPerson";
    type Output = Imported;

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<Imported, Failure> {
        let organization = match self.found.organization {
            Some(organization) => Some(organization),
            None => organization_of(cx, &self.row).await?,
        };
        let hash_ref = keep_hash(cx, &self.row.password_hash)?;
        let line = Line { row: &self.row, organization, hash_ref, source: &self.source };
        import(cx, line, self.found).await
    }
}

/// Puts a password's hash from another portal into the vault.
///
/// # Errors
/// `FIELD_INVALID` for one that nobody could sign in with.
pub(super) fn keep_hash(cx: &mut Context<'_>, phc: &str) -> Result<Option<VaultRef>, Refusal> {
    let phc = phc.trim();
    if phc.is_empty() {
        return Ok(None);
    }
    if !is_known_hash(phc) {
        let message = "Give an Argon2 hash as a PHC string, or leave it blank.";
        return Err(Refusal::new(Code::FieldInvalid, message).at("password_hash"));
    }
    let hash_ref = VaultRef(Uuid::new_v4());
    cx.work.vault_put(PASSWORD, hash_ref.0, phc.as_bytes());
    Ok(Some(hash_ref))
}

/// The next line of a job.
pub struct ContinuePeopleImport {
    pub import: PeopleImportId,
}

#[async_trait]
impl Command for ContinuePeopleImport {
    const NAME: &'static str = "ContinuePeopleImport";
    type Output = ();

    fn access(&self) -> Access {
        Access::System
    }

    async fn handle(&self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let state = cx.load::<PeopleImport>(self.import).await?;
        let Some(next) = state.next_line() else { return Ok(()) };
        let file_sha256 = state.file_sha256().to_owned();
        let source = EnrolmentSource { file_sha256, line: next.line };
        let imported = match next.row.get() {
            Some(row) => {
                let (organization, hash_ref) = (next.organization, next.hash_ref);
                let line = Line { row, organization, hash_ref, source: &source };
                import(cx, line, Found::default()).await
            }
            None => Err(Refusal::not_found("email").into()),
        };
        let result = match imported {
            Ok(Imported { outcome, user, organization }) => LineResult {
                line: next.line,
                outcome,
                user: Some(user),
                organization: Some(organization),
                refusal: None,
            },
            Err(Failure::Refused(refusal)) => {
                // What the line had led to so far is let go; one that rests on an outdated state is
                // decided again.
                if !cx.begin_again().await? {
                    return Err(refusal.into());
                }
                if let Some(hash_ref) = next.hash_ref {
                    cx.work.vault_delete(PASSWORD, hash_ref.0);
                }
                LineResult {
                    line: next.line,
                    outcome: LineOutcome::Refused,
                    user: None,
                    organization: None,
                    refusal: Some(refusal),
                }
            }
            Err(fault) => return Err(fault),
        };
        cx.decide::<PeopleImport>(self.import, PeopleImportCommand::RecordLine(result)).await?;
        Ok(())
    }
}

/// A line and what was made of its secrets.
struct Line<'a> {
    row: &'a PersonRow,
    organization: Option<OrganizationId>,
    hash_ref: Option<VaultRef>,
    source: &'a EnrolmentSource,
}

/// The organisation comes late: it is what the lines of its people wait for in turn.
async fn import(cx: &mut Context<'_>, line: Line<'_>, found: Found) -> Result<Imported, Failure> {
    let Line { row, organization, hash_ref, source } = line;
    let person = parse(row)?;
    let organization = organization.ok_or_else(organization_unknown)?;
    let user = found.person_of(cx, &person.email).await?;
    let of = MembershipKey { user, organization };
    cx.load::<Membership>(MembershipId::of(cx.tenant(), user, organization).0).await?;
    let because = format!("LEGACY_IMPORT {} line {}", source.file_sha256, source.line);
    cx.work.set_reason(Sealed::new(user, because));
    let is_new = register(cx, user, &person, (source, found)).await?;
    let took_password = match hash_ref {
        Some(hash_ref) => take_password(cx, user, hash_ref, is_new).await?,
        None => false,
    };
    let (joined, promoted) = join(cx, of, &person).await?;
    let granted = grant(cx, of, &person).await?;
    let outcome = match (is_new || joined, promoted || granted || took_password) {
        (true, _) => LineOutcome::Imported,
        (false, true) => LineOutcome::Updated,
        (false, false) => LineOutcome::Unchanged,
    };
    Ok(Imported { outcome, user, organization })
}

/// Opens the account unless there is one, which stays as it is.
async fn register(
    cx: &mut Context<'_>,
    user: UserId,
    person: &ParsedPerson,
    (source, found): (&EnrolmentSource, Found),
) -> Result<bool, Failure> {
    if cx.load::<User>(user).await?.profile().is_some() {
        return Ok(false);
    }
    let username = match cx.policy.login_identifier() {
        LoginIdentifier::Email => None,
        LoginIdentifier::Username => {
            let missing =
                || Refusal::new(Code::FieldRequired, "Enter the user name.").at("username");
            let username = person.username.clone().ok_or_else(missing)?;
            let taken = "Somebody has this user name. Choose another one.";
            let taken = Refusal::new(Code::UsernameInvalid, taken).at("username");
            let key = username.key();
            if !found.username_is_free {
                let owner = cx.journal().owner_of(cx.tenant(), USERNAME, &key).await?;
                if owner.is_some_and(|owner| owner != user.0) {
                    return Err(taken.into());
                }
            }
            cx.work.reserve(USERNAME, &key, user.0, taken);
            Some(username)
        }
    };
    reserve_email(cx, &person.email, user);
    let registration = Registration {
        user,
        email: person.email.clone(),
        first_name: person.first_name.clone(),
        last_name: person.last_name.clone(),
        mobile: person.mobile.clone(),
        business_phone: person.business_phone.clone(),
        username,
        preferred_channel: CodeChannel::Sms,
    };
    cx.decide::<User>(user, UserCommand::RegisterUser(Box::new(registration))).await?;
    let legacy_id = person.legacy_id.clone();
    let record = UserCommand::RecordImport { legacy_id, source: source.clone() };
    cx.decide::<User>(user, record).await?;
    Ok(true)
}

/// The password of the other portal signs in until it is changed; who has one here keeps it.
async fn take_password(
    cx: &mut Context<'_>,
    user: UserId,
    hash_ref: VaultRef,
    is_new: bool,
) -> Result<bool, Failure> {
    if is_new {
        let credential = cx.tenant().credential_stream(user);
        let import = CredentialCommand::ImportPassword { user, hash_ref };
        if !cx.decide::<Credential>(credential, import).await?.is_empty() {
            return Ok(true);
        }
    }
    cx.work.vault_delete(PASSWORD, hash_ref.0);
    Ok(false)
}

/// Makes the person a member with the role, or gives a member a higher one: whether they joined, and
/// whether they rose.
async fn join(
    cx: &mut Context<'_>,
    of: MembershipKey,
    person: &ParsedPerson,
) -> Result<(bool, bool), Failure> {
    let email_domain = person.email.domain().to_owned();
    let member = RosterCommand::ImportMember { user: of.user, email_domain, role: person.role };
    let command = OrganizationCommand::from(member);
    let decided = cx.decide::<Organization>(of.organization, command).await;
    let events = decided.map_err(refused_by_roster)?;
    let joined =
        events.iter().any(|event| matches!(event, OrganizationEvent::MembershipAdded { .. }));
    Ok((joined, !joined && !events.is_empty()))
}

fn organization_unknown() -> Refusal {
    Refusal::not_found("organization_reference")
}

/// The roster's refusal, as whoever has the file can act on it.
fn refused_by_roster(failure: Failure) -> Failure {
    let Failure::Refused(refusal) = failure else { return failure };
    let say = |message: &str| Refusal::new(refusal.code, message).at("email");
    let of = |code| refusal.code == code;
    Failure::Refused(if of(Code::NotFound) {
        organization_unknown()
    } else if of(Code::EmailTakenInOrg) {
        say("The person is invited. Cancel the invitation, or let them complete it.")
    } else if of(Code::AlreadyInactive) {
        say("The person is deactivated in the organization. Reactivate them first.")
    } else {
        refusal
    })
}

/// Gives what the person has not; whether that was anything.
async fn grant(
    cx: &mut Context<'_>,
    of: MembershipKey,
    person: &ParsedPerson,
) -> Result<bool, Failure> {
    let stream = MembershipId::of(cx.tenant(), of.user, of.organization).0;
    let cause = Cause::LegacyImport;
    let held = cx.load::<Organization>(of.organization).await?.npis_at(cx.now);
    let has = cx.load::<Membership>(stream).await?;
    let level = |npi: &NpiScope| match npi {
        NpiScope::One(npi) => has.level(npi, cx.now),
        NpiScope::All => {
            let all = has.entries().find(|(scope, _)| **scope == NpiScope::All);
            all.map(|(_, grant)| grant.level).unwrap_or_default()
        }
    };
    let changes: Vec<NpiChange> = person
        .npis
        .iter()
        .filter(|(npi, wanted)| level(npi) < *wanted)
        .map(|(npi, level)| NpiChange { npi: npi.clone(), level: *level, until: None })
        .collect();
    let mut granted = false;
    if !changes.is_empty() {
        let set = MembershipCommand::SetNpiPermissions { of, changes, held, cause };
        granted |= !cx.decide::<Membership>(stream, set).await.map_err(at("npis"))?.is_empty();
    }
    for (npi, types) in &person.correspondence {
        let set = MembershipCommand::SetCorrespondencePermissions {
            of,
            npis: vec![npi.clone()],
            add: covered(types),
            remove: BTreeSet::new(),
            known: offered_keys(),
            cause,
        };
        let set = cx.decide::<Membership>(stream, set).await;
        granted |= !set.map_err(at("correspondence"))?.is_empty();
    }
    Ok(granted)
}

/// All types make single ones superfluous.
fn covered(types: &BTreeSet<CorrespondenceScope>) -> BTreeSet<CorrespondenceScope> {
    if types.contains(&CorrespondenceScope::All) {
        [CorrespondenceScope::All].into()
    } else {
        types.clone()
    }
}

/// The refusal of a right names the column it stands in.
fn at(column: &'static str) -> impl Fn(Failure) -> Failure {
    move |failure| match failure {
        Failure::Refused(refusal) => Failure::Refused(refusal.at(column)),
        other @ (Failure::RefusedOnRecord(_) | Failure::Journal(_) | Failure::Database(_)) => other,
    }
}
