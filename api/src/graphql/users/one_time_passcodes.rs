//! One-time passcodes (MC-20, MC-28).

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use rollcall_commands::users::{
    links::LinkToken,
    one_time_passcode::{ChallengeStatus, PasscodeOwner, RequestOtp, VerifyOtp},
};
use rollcall_domain::{Code, Refusal, kernel::ids::OtpChallengeId, values::PhoneNumber};

use crate::graphql::{
    ids::NodeType,
    scalars::{DateTime, PhoneScalar},
    sending::{MutationMeta, payload, send},
    visiting::{Visit, absent},
    vocabulary::{CodeChannel, field},
};

/// Where a passcode stands.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum OtpChallengeStatus {
    /// The code is awaited.
    Pending,
    /// The code was right and serves once.
    Verified,
    /// Nobody came in time.
    Expired,
    /// Too many wrong codes.
    Exhausted,
    /// The code has served.
    Used,
}

/// Where a passcode comes from.
#[derive(Clone, Copy, Debug, Enum, PartialEq, Eq)]
pub enum PasscodeSource {
    /// It was sent to a telephone.
    Telephone,
    /// An authenticator app shows it; a recovery code serves as well.
    Authenticator,
}

/// A passcode that is asked for.
#[derive(SimpleObject)]
pub struct OtpChallenge {
    pub id: ID,
    pub status: OtpChallengeStatus,
    /// While it is pending.
    pub expires_at: Option<DateTime>,
    /// How many wrong codes are still borne.
    pub attempts_left: i32,
    /// How many last digits of the code are typed, while it is pending.
    pub digits: Option<i32>,
    /// Where the code is found, while it is pending.
    pub source: Option<PasscodeSource>,
}

impl OtpChallenge {
    fn new(id: OtpChallengeId, status: ChallengeStatus) -> Self {
        let mut challenge = Self {
            id: ID(id.to_string()),
            status: OtpChallengeStatus::Pending,
            expires_at: None,
            attempts_left: 0,
            digits: None,
            source: None,
        };
        challenge.status = match status {
            ChallengeStatus::Pending { attempts_left, expires_at, digits, by_app } => {
                challenge.expires_at = Some(expires_at.into());
                challenge.attempts_left = i32::try_from(attempts_left).unwrap_or(i32::MAX);
                challenge.digits = i32::try_from(digits).ok();
                challenge.source = Some(if by_app {
                    PasscodeSource::Authenticator
                } else {
                    PasscodeSource::Telephone
                });
                OtpChallengeStatus::Pending
            }
            ChallengeStatus::Verified => OtpChallengeStatus::Verified,
            ChallengeStatus::Expired => OtpChallengeStatus::Expired,
            ChallengeStatus::Exhausted => OtpChallengeStatus::Exhausted,
            ChallengeStatus::Used => OtpChallengeStatus::Used,
        };
        challenge
    }
}

/// Asks for a passcode. Name what it is for; a signed-in person who names nothing gets one for an
/// action that the policy guards. Whoever has an authenticator app is asked for its code, unless a
/// channel is named that the portal offers.
#[derive(InputObject)]
pub struct RequestOtpInput {
    /// For a registration at the passcode step.
    pub registration_id: Option<ID>,
    /// For an invitation at the passcode step.
    pub invitation_token: Option<String>,
    /// For a link that sets or resets a password.
    pub password_token: Option<String>,
    /// For a number that the signed-in person wants to change to (`changePhone`); the code goes there.
    pub new_phone: Option<PhoneScalar>,
    /// The channel chosen before, unless another is named.
    pub channel: Option<CodeChannel>,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

/// Types the last digits of a code.
#[derive(InputObject)]
pub struct VerifyOtpInput {
    pub challenge_id: ID,
    /// The last digits of the code, as many as the challenge says; in place of an authenticator app's
    /// code also a recovery code.
    #[graphql(secret)]
    pub code: String,
    #[graphql(flatten)]
    pub meta: MutationMeta,
}

payload! {
    /// A passcode's outcome.
    OtpChallengePayload {
        /// The challenge as it stands now.
        challenge: OtpChallenge,
    }
}

/// Questions about passcodes.
#[derive(Default)]
pub struct OneTimePasscodeQuery;

#[Object]
impl OneTimePasscodeQuery {
    /// A passcode that was sent, by the id that only whoever asked for it holds.
    async fn otp_challenge(&self, ctx: &Context<'_>, id: ID) -> Result<Option<OtpChallenge>> {
        match challenge_id(Some(&id), "id") {
            Ok(id) => challenge(ctx, id).await,
            Err(_) => Ok(None),
        }
    }
}

/// Asking for and typing passcodes.
#[derive(Default)]
pub struct OneTimePasscodeMutation;

#[Object]
impl OneTimePasscodeMutation {
    /// Sends a passcode to the telephone of whoever asks, or asks for that of their authenticator app.
    async fn request_otp(
        &self,
        ctx: &Context<'_>,
        input: RequestOtpInput,
    ) -> Result<OtpChallengePayload> {
        let command =
            owner(&input).map(|owner| RequestOtp { owner, channel: input.channel.map(Into::into) });
        let sent = send(ctx, input.meta, command).await?;
        let challenge = challenge(ctx, sent.output).await?;
        Ok(OtpChallengePayload::of(sent, challenge))
    }

    /// Verifies a passcode; a registration or invitation goes on with it at once.
    async fn verify_otp(
        &self,
        ctx: &Context<'_>,
        input: VerifyOtpInput,
    ) -> Result<OtpChallengePayload> {
        let command = NodeType::parse_bare(&input.challenge_id, "challengeId")
            .map(|challenge| VerifyOtp::new(challenge, input.code));
        let sent = send(ctx, input.meta, command).await?;
        let challenge = challenge(ctx, sent.output).await?;
        Ok(OtpChallengePayload::of(sent, challenge))
    }
}

fn owner(input: &RequestOtpInput) -> Result<PasscodeOwner, Refusal> {
    let RequestOtpInput { registration_id, invitation_token, password_token, new_phone, .. } =
        input;
    let registration = registration_id.as_ref().map(|id| {
        NodeType::Registration.parse(id, "registrationId").map(PasscodeOwner::Registration)
    });
    let invitation =
        invitation_token.as_ref().map(|it| Ok(PasscodeOwner::Invitation(LinkToken::new(it))));
    let password =
        password_token.as_ref().map(|it| Ok(PasscodeOwner::PasswordLink(LinkToken::new(it))));
    let phone = new_phone
        .as_ref()
        .map(|phone| field("newPhone", PhoneNumber::parse(&phone.0)).map(PasscodeOwner::NewPhone));
    let mut named = [registration, invitation, password, phone].into_iter().flatten();
    match (named.next(), named.next()) {
        (None, _) => Ok(PasscodeOwner::Myself),
        (Some(only), None) => only,
        (Some(_), Some(_)) => {
            Err(Refusal::new(Code::FieldInvalid, "Name one thing that the passcode is for."))
        }
    }
}

pub(in crate::graphql) async fn challenge(
    ctx: &Context<'_>,
    id: Option<OtpChallengeId>,
) -> Result<Option<OtpChallenge>> {
    let Some(id) = id else { return Ok(None) };
    let visit = Visit::of(ctx)?;
    let status = Box::pin(visit.commands.otp_challenge(visit.caller.tenant, id)).await;
    Ok(absent(status)?.map(|status| OtpChallenge::new(id, status)))
}

/// Reads the id of a challenge that may be left out.
///
/// # Errors
/// `NOT_FOUND` at `field`.
pub fn challenge_id(id: Option<&ID>, field: &str) -> Result<Option<OtpChallengeId>, Refusal> {
    id.map(|id| NodeType::parse_bare(id, field)).transpose()
}
