//! What portals, tenants and plan staff look like.

use async_graphql::{Enum, ID, SimpleObject};
use chrono::Utc;
use rollcall_domain::{
    content::Guidance,
    policies::{self, Availability, Policy, PolicyVersion},
    tenants,
    values::{PasswordRules, SpecialRule},
};
use rollcall_projections::tenancy::{PlanRoleRow, PlanStaffRow, PortalRow, TenantRow};
use uuid::Uuid;

pub use crate::graphql::vocabulary::PlanRole;
use crate::graphql::{
    ids::NodeType,
    paging::connection,
    scalars::{DateTime, EmailScalar},
    vocabulary::{Feature, FeatureState},
};

impl PlanRole {
    fn parse(name: &str) -> Option<Self> {
        tenants::PlanRole::parse(name).map(Self::from)
    }
}

/// A set of policy values to begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::policies::Preset")]
pub enum PolicyPreset {
    MediCal,
    Cencal,
    Alliance,
    Carecentrix,
    /// NIST SP 800-63B-4: length instead of composition and rotation.
    Hardened,
}

/// Whether a portal takes people and commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum TenantState {
    Active,
    /// Stopped by an operator; nothing is lost.
    Suspended,
    /// Ended for good.
    Closed,
}

impl TenantState {
    fn parse(name: &str) -> Self {
        match name {
            "SUSPENDED" => Self::Suspended,
            "CLOSED" => Self::Closed,
            _ => Self::Active,
        }
    }
}

/// What anybody may know of the portal they visit.
#[derive(Clone, Debug, SimpleObject)]
pub struct Portal {
    pub name: String,
    pub slug: String,
    /// The zone whose midnights begin the portal's days, by its IANA name.
    pub time_zone: String,
    /// `EMAIL` or `USERNAME`: what people sign in with.
    pub login_identifier: String,
    /// What a password must be.
    pub password_rules: PasswordRulesView,
    /// Rules of the portal that visitors meet.
    pub policy: PortalPolicy,
    /// Whether one-time passcodes are in use.
    pub otp_enabled: bool,
    /// The ways a passcode reaches people.
    pub otp_methods: Vec<String>,
    /// Digits of a passcode that are typed.
    pub otp_digits: i32,
    /// Minutes without activity after which a session ends.
    pub session_idle_minutes: i32,
    /// Whether organisations register by a letter token.
    pub registration_tokens: bool,
    /// Whether the portal keeps PINs.
    pub pins: bool,
    /// Whether submitters and providers affiliate in the portal.
    pub affiliations: bool,
    /// Whether anyone may ask the plan for an account.
    pub account_request_form: bool,
    /// Every feature, whether it is on, off or coming soon (MC-01).
    pub features: Vec<PortalFeature>,
    /// What a browser and its screen should be like; absent until somebody sets it (CX-01).
    pub client_guidance: Option<ClientGuidance>,
    /// The version of the policy these facts are from.
    pub policy_version: String,
}

/// A feature as visitors meet it (MC-01).
#[derive(Clone, Debug, SimpleObject)]
pub struct PortalFeature {
    pub feature: Feature,
    /// As people read it.
    pub label: String,
    pub state: FeatureState,
    /// What is said of it, such as when it comes.
    pub message: Option<String>,
    /// Whether people are granted it one by one in this portal (CC-08).
    pub granted_per_user: bool,
}

impl PortalFeature {
    /// A feature under a policy.
    pub fn of(feature: policies::Feature, policy: &Policy) -> Self {
        let Availability { state, message } = policy.availability(feature);
        Self {
            feature: feature.into(),
            label: feature.label().to_owned(),
            state: state.into(),
            message: message.map(|message| message.to_string()),
            granted_per_user: feature.is_granted() && policy.feature_grants_enabled(),
        }
    }
}

/// Hints for people whose client gives them trouble (CX-01).
#[derive(Clone, Debug, SimpleObject)]
pub struct ClientGuidance {
    /// The smallest screen the portal is made for.
    pub screen: Option<ScreenSize>,
    pub hints: Vec<String>,
}

/// A screen, in pixels.
#[derive(Clone, Copy, Debug, SimpleObject)]
pub struct ScreenSize {
    pub width: i32,
    pub height: i32,
}

impl From<Guidance> for ClientGuidance {
    fn from(guidance: Guidance) -> Self {
        let Guidance { screen, hints } = guidance;
        Self {
            screen: screen
                .map(|screen| ScreenSize { width: int(screen.width), height: int(screen.height) }),
            hints: hints.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Rules of a portal that everybody may know before they meet them.
#[derive(Clone, Debug, SimpleObject)]
pub struct PortalPolicy {
    /// What asks for a passcode each time (MC-28).
    pub step_up_actions: Vec<StepUpAction>,
}

/// An action that may ask for a one-time passcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "rollcall_domain::policies::StepUpAction")]
pub enum StepUpAction {
    SignIn,
    FirstPassword,
    ResetPassword,
    ChangePassword,
    ChangePhone,
    ChangeEmail,
    RevealPin,
    ResetPin,
    AddOrganization,
    SignAgreement,
}

/// What a password must be (MC-24).
#[derive(Clone, Debug, SimpleObject)]
#[graphql(name = "PasswordRules")]
pub struct PasswordRulesView {
    /// Fewest characters (code points).
    pub min_length: i32,
    pub max_length: i32,
    pub upper: bool,
    pub lower: bool,
    pub digit: bool,
    pub special: bool,
    /// The special characters that count; null: any.
    pub special_set: Option<String>,
    /// How many previous passwords may not be used again.
    pub history: i32,
    /// A password may not resemble a previous one.
    pub reject_similar: bool,
    /// A password may not contain its owner's identifiers.
    pub forbid_identifiers: bool,
    /// Common passwords are refused.
    pub blocklist: bool,
}

fn int(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

impl Portal {
    pub fn of(
        row: PortalRow,
        guidance: Option<Guidance>,
        (version, policy): (PolicyVersion, &Policy),
    ) -> Self {
        let otp = policy.otp();
        Self {
            name: row.name,
            slug: row.slug,
            time_zone: policy.time_zone().name().to_owned(),
            login_identifier: policy.login_identifier().as_str().to_owned(),
            password_rules: PasswordRulesView::of(policy),
            policy: PortalPolicy {
                step_up_actions: policy.step_up_actions().into_iter().map(Into::into).collect(),
            },
            otp_enabled: otp.enabled,
            otp_methods: otp.methods.iter().map(|method| method.as_str().to_owned()).collect(),
            otp_digits: int(otp.digits),
            session_idle_minutes: int(policy.session_idle().num_minutes()),
            registration_tokens: policy.org_token_days().is_some(),
            pins: policy.is_on(policies::Feature::Pins),
            affiliations: policy.is_on(policies::Feature::Affiliations),
            account_request_form: policy.account_request_days().is_some(),
            features: policies::Feature::ALL
                .iter()
                .map(|feature| PortalFeature::of(*feature, policy))
                .collect(),
            client_guidance: guidance.map(ClientGuidance::from),
            policy_version: version.0.to_string(),
        }
    }
}

impl PasswordRulesView {
    fn of(policy: &Policy) -> Self {
        let PasswordRules {
            min_length,
            max_length,
            upper,
            lower,
            digit,
            special,
            forbid_identifiers,
            blocklist,
        } = policy.password_rules();
        let special_set = match &special {
            SpecialRule::OneOf(set) => Some(set.clone()),
            SpecialRule::NotRequired | SpecialRule::Any => None,
        };
        Self {
            min_length: int(min_length),
            max_length: int(max_length),
            upper,
            lower,
            digit,
            special: special != SpecialRule::NotRequired,
            special_set,
            history: int(policy.password_history()),
            reject_similar: policy.password_similar_distance().is_some(),
            forbid_identifiers,
            blocklist,
        }
    }
}

/// A portal as operators see it: its name and state, nothing inside.
#[derive(Clone, Debug, SimpleObject)]
pub struct Tenant {
    pub id: ID,
    pub slug: String,
    pub name: String,
    /// The preset it began with.
    pub preset: String,
    pub state: TenantState,
    pub created_at: DateTime,
}

impl From<TenantRow> for Tenant {
    fn from(row: TenantRow) -> Self {
        Self {
            id: NodeType::Tenant.id(row.id),
            slug: row.slug,
            name: row.name,
            preset: row.preset,
            state: TenantState::parse(&row.state),
            created_at: row.created_at.into(),
        }
    }
}

connection!(TenantConnection, TenantEdge, Tenant);

/// A person of the health plan.
#[derive(Clone, Debug, SimpleObject)]
pub struct PlanStaff {
    pub id: ID,
    /// The person's account.
    pub user_id: ID,
    /// Absent once erased.
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: Option<EmailScalar>,
    /// Roles held or about to begin.
    pub roles: Vec<PlanRoleHeld>,
    /// Roles that begin when the invitation is completed.
    pub invited_roles: Vec<PlanRole>,
    pub invited_at: Option<DateTime>,
    /// When the invited roles will end by themselves.
    pub invited_until: Option<DateTime>,
    /// The organisations that they will count for; none for the whole plan.
    pub invited_organization_ids: Vec<ID>,
    /// Version of the person's plan roles.
    pub version: i32,
}

/// A plan role with its time.
#[derive(Clone, Debug, SimpleObject)]
pub struct PlanRoleHeld {
    pub role: PlanRole,
    pub from: DateTime,
    /// The role ends at this second; null: it lasts.
    pub until: Option<DateTime>,
    /// Whether it is in force now.
    pub in_force: bool,
    /// The organisations that it counts for; none for the whole plan.
    pub organization_ids: Vec<ID>,
}

fn organizations(ids: &[Uuid]) -> Vec<ID> {
    ids.iter().map(|id| NodeType::Organization.id(*id)).collect()
}

impl PlanStaff {
    pub fn of(row: PlanStaffRow, roles: Vec<PlanRoleRow>, now: chrono::DateTime<Utc>) -> Self {
        let held = roles.into_iter().filter_map(|role| {
            let over = role.valid_until.is_some_and(|until| until <= now);
            Some(PlanRoleHeld {
                role: PlanRole::parse(&role.role)?,
                from: role.valid_from.into(),
                until: role.valid_until.map(DateTime::from),
                in_force: role.valid_from <= now && !over,
                organization_ids: organizations(&role.organizations),
            })
        });
        Self {
            id: NodeType::PlanStaff.id(row.user_id),
            user_id: NodeType::User.id(row.user_id),
            first_name: row.first_name,
            last_name: row.last_name,
            email: row.email.map(EmailScalar),
            roles: held.collect(),
            invited_roles: row
                .invited_roles
                .iter()
                .filter_map(|name| PlanRole::parse(name))
                .collect(),
            invited_at: row.invited_at.map(DateTime::from),
            invited_until: row.invited_until.map(DateTime::from),
            invited_organization_ids: organizations(&row.invited_organizations),
            version: int(row.version),
        }
    }
}

connection!(PlanStaffConnection, PlanStaffEdge, PlanStaff);
