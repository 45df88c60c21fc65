//! Oneself: data, memberships, plan roles (MC-27, MC-35, AL-03, CC-04).

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use rollcall_commands::{
    Access, Caller, Commands, Failure,
    authorization::session_ended,
    permissions::{RightsQuestion, effective_rights},
    sessions::memberships_of,
};
use rollcall_domain::{
    kernel::ids::{TaxIdId, UserId},
    permissions::Right,
    policies::Policy,
    sessions::Session as SessionState,
    tenants::PlanStaff,
    users::{authenticator::Authenticator as AuthenticatorState, credential::Credential},
};
use rollcall_projections::{
    Snapshot,
    organizations::{TaxIdRow, tax_ids},
    people,
};

use super::types::OwnMembership;
use crate::graphql::{
    errors::{fault, top_level},
    ids::NodeType,
    organizations::LinkedTaxId,
    reading::{caller, policy, read},
    scalars::{DateTime, EmailScalar, PhoneScalar, Position},
    users::{
        authenticator::Authenticator,
        external_identities::{ExternalIdentity, identities_of},
    },
    vocabulary::PlanRole,
};

/// The signed-in person.
#[derive(SimpleObject)]
pub struct Me {
    pub id: ID,
    pub email: Option<EmailScalar>,
    /// Whether mail to the address is known to arrive (GN-06).
    pub email_verified: bool,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// The number that passcodes go to.
    pub mobile: Option<PhoneScalar>,
    pub business_phone: Option<PhoneScalar>,
    /// Where people sign in by user name (AL-03).
    pub username: Option<String>,
    /// Whether this session may only change the password.
    pub must_change_password: bool,
    /// Whether this session may only add an authenticator app (MC-28).
    pub must_add_second_factor: bool,
    /// The authenticator app, where there is one in use.
    pub authenticator: Option<Authenticator>,
    /// Log-ins of partner systems that are linked (CX-11).
    pub identities: Vec<ExternalIdentity>,
    /// When the password must be changed; absent where passwords do not expire (CC-04).
    pub password_expires_at: Option<DateTime>,
    /// The organisations this session may act for.
    pub memberships: Vec<OwnMembership>,
    /// The roles held for the health plan now (GN-31).
    pub plan_roles: Vec<PlanRole>,
    /// The tax ids whose papers the person reads in the organisation the session acts for (CC-02).
    pub tax_ids: Vec<LinkedTaxId>,
}

/// Questions about oneself.
#[derive(Default)]
pub struct MeQuery;

#[Object]
impl MeQuery {
    /// The signed-in person.
    async fn me(&self, ctx: &Context<'_>, min_position: Option<Position>) -> Result<Me> {
        let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
        let mut reading = read(ctx, Access::OwnSession, min_position).await?;
        let user = reading.authority.person().map_err(top_level)?;
        let person = people::person(&mut reading.view, user).await;
        let tax_ids = own_tax_ids(ctx, &mut reading.view, user).await?;
        drop(reading);
        let person = person.map_err(|error| fault(&error))?.unwrap_or_default();
        let policy = policy(ctx).await?;
        let identities = identities_of(commands, caller, user).await?;
        let standing = standing(commands, caller, (user, &policy)).await?;
        Ok(Me {
            id: NodeType::User.id(user),
            email: person.email.map(EmailScalar),
            email_verified: person.email_verified,
            first_name: person.first_name,
            last_name: person.last_name,
            mobile: person.mobile.map(PhoneScalar),
            business_phone: person.business_phone.map(PhoneScalar),
            username: person.username,
            must_change_password: standing.must_change_password,
            must_add_second_factor: standing.must_add_second_factor,
            authenticator: standing.authenticator,
            identities,
            password_expires_at: standing.password_expires_at,
            memberships: standing.memberships,
            plan_roles: standing.plan_roles,
            tax_ids,
        })
    }
}

/// The tax ids that the caller may read under, by the domain's rule.
async fn own_tax_ids(
    ctx: &Context<'_>,
    view: &mut Snapshot,
    user: UserId,
) -> Result<Vec<LinkedTaxId>> {
    let (commands, caller) = (ctx.data::<Commands>()?, caller(ctx)?);
    let (journal, tenant) = (&commands.journal, caller.tenant);
    let Some(organization) = caller.organization() else { return Ok(Vec::new()) };
    if !ctx.look_ahead().field("taxIds").exists() {
        return Ok(Vec::new());
    }
    let question = RightsQuestion { tenant, organization, user, now: journal.now() };
    let rights = match effective_rights(journal, question).await {
        Ok((rights, _)) => rights,
        // The membership has ended; the session shows what is left.
        Err(Failure::Refused(_) | Failure::RefusedOnRecord(_)) => return Ok(Vec::new()),
        Err(Failure::Journal(error)) => return Err(fault(&error)),
        Err(Failure::Database(error)) => return Err(fault(&error)),
    };
    let found = tax_ids(view, organization).await.map_err(|error| fault(&error))?;
    let readable = |row: &TaxIdRow| rights.contains_key(&Right::ReadTaxId(TaxIdId(row.id)));
    Ok(found.into_iter().filter(readable).map(LinkedTaxId::from).collect())
}

/// What the streams say about the caller's own account, as the next command would meet it.
struct Standing {
    must_change_password: bool,
    must_add_second_factor: bool,
    authenticator: Option<Authenticator>,
    password_expires_at: Option<DateTime>,
    memberships: Vec<OwnMembership>,
    plan_roles: Vec<PlanRole>,
}

async fn standing(
    commands: &Commands,
    caller: &Caller,
    (user, policy): (UserId, &Policy),
) -> Result<Standing> {
    let (journal, tenant, now) = (&commands.journal, caller.tenant, commands.journal.now());
    let id = caller.session().ok_or_else(|| top_level(session_ended()))?;
    let unreadable = |error: rollcall_journal::JournalError| fault(&error);
    let session = journal.load_fresh::<SessionState>(tenant, id.0).await.map_err(unreadable)?.state;
    let live = session.live().ok_or_else(|| top_level(session_ended()))?;
    let credential = tenant.credential_stream(user);
    let credential =
        journal.load_fresh::<Credential>(tenant, credential).await.map_err(unreadable)?.state;
    let app = tenant.authenticator_stream(user);
    let app = journal.load_fresh::<AuthenticatorState>(tenant, app).await.map_err(unreadable)?;
    let staff = tenant.plan_staff_stream(user);
    let staff = journal.load_fresh::<PlanStaff>(tenant, staff).await.map_err(unreadable)?.state;
    let memberships = memberships_of(journal, tenant, (user, live.started_at)).await;
    let memberships = memberships.map_err(|error| fault(&error))?;
    let expires_at = credential.password_set_at().and_then(|at| policy.password_expires_at(at));
    Ok(Standing {
        must_change_password: live.must_change_password,
        password_expires_at: expires_at.map(DateTime::from),
        must_add_second_factor: live.must_enrol,
        authenticator: app.state.enrolled().map(|enrolled| Authenticator {
            recovery_codes_left: i32::try_from(enrolled.codes_left.len()).unwrap_or(i32::MAX),
        }),
        memberships: memberships.into_iter().map(OwnMembership::from).collect(),
        plan_roles: staff.roles_at(now).into_iter().map(PlanRole::from).collect(),
    })
}
