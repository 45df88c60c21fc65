//! The schema: every context adds its queries and mutations to the lists here.

use async_graphql::{MergedObject, MergedSubscription, Object, SchemaBuilder};

use super::{
    access_register::{
        AccessDifferenceQuery, AccessExplanationQuery, AccessExposureQuery, AccessRegisterQuery,
        PolicySimulationQuery,
    },
    access_requests::{
        AccessRequestMutation, AccessRequestQuery, JoinMutation, MoveMutation, MoveQuery,
    },
    access_reviews::{
        AccessReviewFileMutation, AccessReviewMutation, AccessReviewQuery, OwnReviewMutation,
        OwnReviewQuery, ReviewConfirmationMutation, ReviewSubstituteMutation,
        ReviewSubstituteQuery, ReviewUndoMutation, ReviewUndoQuery,
        campaigns::{ReviewCampaignMutation, ReviewCampaignQuery},
        templates::{ReviewTemplateMutation, ReviewTemplateQuery},
    },
    affiliations::{AffiliationMutation, AffiliationQuery, SubmitterProfileMutation},
    api_keys::{ApiKeyMutation, ApiKeyQuery},
    attestations::{AttestationMutation, AttestationQuery},
    audit::{
        ActivityReviewMutation, ActivityReviewQuery, AuditMutation, AuditQuery,
        AuditReportMutation, AuditReportQuery, AuditSinkMutation, AuditSinkQuery,
        AuditSubscription, ErasureMutation, ErasureQuery, EvidenceMutation, LegalHoldMutation,
        LegalHoldQuery, RetentionQuery, SodRuleMutation, SodRuleQuery, TransparencyQuery,
        WorkspaceMutation, WorkspaceQuery,
    },
    content::ContentMutation,
    imports::{ImportMutation, ImportQuery},
    nodes::NodeQuery,
    notifications::{
        DeadLettersMutation, DeadLettersQuery, NotificationsMutation, NotificationsQuery,
    },
    organizations::{
        AccountRequestMutation, AccountRequestQuery, EnrolmentMutation, MergingMutation,
        OrganizationsMutation, OrganizationsQuery, PlacesMutation, PlacesQuery,
        RegistrationTokensMutation,
        registrations::{RegistrationMutation, RegistrationQuery},
    },
    permissions::{
        GrantMutation, GrantQuery, PermissionMutation, PermissionQuery, RightUseMutation,
    },
    pins::{PinMutation, PinQuery},
    policies::{PoliciesMutation, PoliciesQuery},
    sessions::{
        DashboardQuery, DashboardSubscription, LoginHistoryQuery, MeQuery, SessionMutation,
        SessionQuery, SignInMutation,
    },
    tasks::TaskQuery,
    tenants::{OperatorMutation, PlanStaffMutation, TenantsQuery},
    transactions::{TransactionMutation, TransactionQuery},
    user_directory::{
        AppointmentMutation, AppointmentQuery, CorrectionMutation, UserAdministrationMutation,
        UserDirectoryQuery,
    },
    users::{
        acceptances::AcceptanceQuery,
        agreements::AgreementMutation,
        authenticator::AuthenticatorMutation,
        credential::CredentialMutation,
        external_identities::{ExternalIdentityMutation, ExternalIdentityQuery},
        first_password::FirstPasswordMutation,
        invitations::{InvitationMutation, InvitationQuery},
        one_time_passcodes::{OneTimePasscodeMutation, OneTimePasscodeQuery},
        profile::ProfileMutation,
    },
};
use crate::http::{Limits, limited};

/// The schema as served.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Questions. Every access question takes `asOf` or `asOfPosition`; every list is a connection.
#[derive(MergedObject, Default)]
pub struct Query(
    ServiceQuery,
    RegistrationQuery,
    InvitationQuery,
    AcceptanceQuery,
    OneTimePasscodeQuery,
    ExternalIdentityQuery,
    PinQuery,
    AffiliationQuery,
    TransactionQuery,
    NotificationsQuery,
    DeadLettersQuery,
    TenantsQuery,
    PoliciesQuery,
    OrganizationsQuery,
    AccountRequestQuery,
    ImportQuery,
    PlacesQuery,
    SessionQuery,
    MeQuery,
    LoginHistoryQuery,
    TransparencyQuery,
    RetentionQuery,
    LegalHoldQuery,
    ErasureQuery,
    DashboardQuery,
    ApiKeyQuery,
    UserDirectoryQuery,
    AppointmentQuery,
    PermissionQuery,
    GrantQuery,
    AccessRequestQuery,
    AccessReviewQuery,
    OwnReviewQuery,
    ReviewCampaignQuery,
    ReviewTemplateQuery,
    ReviewSubstituteQuery,
    ReviewUndoQuery,
    MoveQuery,
    AttestationQuery,
    AuditQuery,
    AuditReportQuery,
    SodRuleQuery,
    ActivityReviewQuery,
    AuditSinkQuery,
    AccessRegisterQuery,
    AccessDifferenceQuery,
    AccessExplanationQuery,
    AccessExposureQuery,
    PolicySimulationQuery,
    WorkspaceQuery,
    TaskQuery,
    NodeQuery,
);

/// The catalogue's commands. A refusal is a `userErrors` entry; nothing has changed then.
#[derive(MergedObject, Default)]
pub struct Mutation(
    OperatorMutation,
    PlanStaffMutation,
    PoliciesMutation,
    ContentMutation,
    AuditMutation,
    AuditReportMutation,
    SodRuleMutation,
    ActivityReviewMutation,
    OrganizationsMutation,
    MergingMutation,
    AccountRequestMutation,
    PlacesMutation,
    EnrolmentMutation,
    ImportMutation,
    RegistrationTokensMutation,
    RegistrationMutation,
    InvitationMutation,
    OneTimePasscodeMutation,
    AuthenticatorMutation,
    ExternalIdentityMutation,
    FirstPasswordMutation,
    AgreementMutation,
    PinMutation,
    AffiliationMutation,
    SubmitterProfileMutation,
    TransactionMutation,
    NotificationsMutation,
    DeadLettersMutation,
    SignInMutation,
    SessionMutation,
    ApiKeyMutation,
    CredentialMutation,
    ProfileMutation,
    UserAdministrationMutation,
    CorrectionMutation,
    AppointmentMutation,
    PermissionMutation,
    GrantMutation,
    RightUseMutation,
    AccessRequestMutation,
    AccessReviewMutation,
    OwnReviewMutation,
    ReviewCampaignMutation,
    ReviewTemplateMutation,
    ReviewConfirmationMutation,
    ReviewSubstituteMutation,
    AccessReviewFileMutation,
    ReviewUndoMutation,
    JoinMutation,
    MoveMutation,
    AttestationMutation,
    EvidenceMutation,
    LegalHoldMutation,
    ErasureMutation,
    AuditSinkMutation,
    WorkspaceMutation,
);

/// What happens, as it happens.
#[derive(MergedSubscription, Default)]
pub struct Subscription(AuditSubscription, DashboardSubscription);

/// About the service itself.
#[derive(Default)]
pub struct ServiceQuery;

#[Object]
impl ServiceQuery {
    /// The version of the service.
    async fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }
}

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    limited(
        Schema::build(Query::default(), Mutation::default(), Subscription::default()),
        Limits::default(),
    )
}

/// The schema with its limits; callers, commands and read models come with each request.
#[must_use]
pub fn schema() -> Schema {
    builder().finish()
}

/// The schema's definition, as committed in `api/schema.graphql`.
#[must_use]
pub fn sdl() -> String {
    schema().sdl_with_options(
        async_graphql::SDLExportOptions::new()
            .sorted_fields()
            .sorted_arguments()
            .sorted_enum_items()
            .include_specified_by(),
    )
}
