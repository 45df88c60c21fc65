//! The user aggregate. Invariant: setting what already stands is no event.

use chrono::{DateTime, Utc};
use rpds::HashTrieMapSync;

use super::changes::{Change, DetailChanges, NewDetails, change, own};
use super::command::{Registration, UserCommand};
use super::events::UserEvent;
use super::refusal::UserRefusal;
use crate::kernel::ids::{LinkId, UserId};
use crate::notifications::{Frequency, NotificationType, Preference};
use crate::values::{
    Acceptance, AgreementKind, CodeChannel, EmailAddress, PersonName, PhoneNumber, Username,
};
use crate::{Decider, Decision, Sealed};

type Decided = Result<Vec<UserEvent>, UserRefusal>;

/// One person's account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum User {
    /// Nobody; perhaps invited.
    #[default]
    Unregistered,
    /// Somebody.
    Registered(Box<Profile>),
    /// Nobody any more; the id is never anybody's again (GN-27).
    Erased,
}

/// A person's data as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub user: UserId,
    pub email: Sealed<EmailAddress>,
    pub email_verified: bool,
    /// The newest link sent to show that mail to the address arrives.
    pub email_link: Option<EmailLink>,
    pub first_name: Sealed<PersonName>,
    pub last_name: Sealed<PersonName>,
    pub mobile: Sealed<PhoneNumber>,
    pub business_phone: Option<Sealed<PhoneNumber>>,
    pub username: Option<Sealed<Username>>,
    pub preferred_channel: CodeChannel,
    /// The newest version accepted of each agreement.
    pub accepted: HashTrieMapSync<AgreementKind, String>,
    pub preferences: HashTrieMapSync<NotificationType, Preference>,
}

/// A link sent to an address; it works before it expires, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmailLink {
    pub id: LinkId,
    pub expires_at: DateTime<Utc>,
}

impl User {
    /// The person's data, once registered.
    #[must_use]
    pub fn profile(&self) -> Option<&Profile> {
        match self {
            Self::Unregistered | Self::Erased => None,
            Self::Registered(profile) => Some(profile),
        }
    }

    fn update(&mut self, change: impl FnOnce(&mut Profile)) {
        if let Self::Registered(profile) = self {
            change(profile);
        }
    }

    fn registered(&self) -> Result<&Profile, UserRefusal> {
        self.profile().ok_or(UserRefusal::Unknown)
    }
}

impl Profile {
    fn changes(&self, new: NewDetails) -> DetailChanges {
        let user = self.user;
        let business_phone = new.business_phone.map(|phone| own(user, phone));
        DetailChanges {
            first_name: change(&self.first_name, own(user, new.first_name)),
            last_name: change(&self.last_name, own(user, new.last_name)),
            business_phone: change(&self.business_phone, business_phone),
            preferred_channel: change(&self.preferred_channel, new.preferred_channel),
        }
    }

    fn change_phone(&self, mobile: PhoneNumber) -> Option<UserEvent> {
        let user = self.user;
        let change = change(&self.mobile, Some(Sealed::new(user, mobile)))?;
        Some(UserEvent::PhoneChanged { user, old: change.old, new: change.new })
    }

    fn change_email(
        &self,
        decision: &Decision<'_>,
        email: EmailAddress,
        link_id: LinkId,
    ) -> Vec<UserEvent> {
        let user = self.user;
        let change = change(&self.email, Some(Sealed::new(user, email)));
        if change.is_none() && self.email_verified {
            return Vec::new();
        }
        let changed = |it: Change<_>| UserEvent::EmailChanged {
            user,
            old: it.old,
            new: it.new,
            verified: false,
        };
        let expires_at = decision.now + decision.policy.invite_ttl();
        let sent = UserEvent::EmailVerificationSent { user, link_id, expires_at };
        change.map(changed).into_iter().chain([sent]).collect()
    }

    fn verify_email(&self, now: DateTime<Utc>, link_id: LinkId) -> Decided {
        let link = self.email_link.filter(|link| link.id == link_id);
        let link = link.ok_or(UserRefusal::LinkInvalid)?;
        if self.email_verified {
            Err(UserRefusal::LinkUsed)
        } else if now >= link.expires_at {
            Err(UserRefusal::LinkExpired)
        } else {
            let (user, email) = (self.user, self.email.clone());
            Ok(vec![UserEvent::EmailVerified { user, email }])
        }
    }

    fn accept(&self, acceptance: Acceptance) -> Option<UserEvent> {
        let Acceptance { kind, version, boxes } = acceptance;
        let known = self.accepted.get(&kind) == Some(&version);
        let user = self.user;
        (!known).then_some(UserEvent::AgreementAccepted { user, kind, version, boxes })
    }

    fn prefer(
        &self,
        notification_type: NotificationType,
        preference: Preference,
        is_org_admin: bool,
    ) -> Decided {
        let Preference { email, frequency } = preference;
        if notification_type.is_security() && preference.mail() != Frequency::Immediate {
            return Err(UserRefusal::SecurityMail);
        }
        if notification_type.is_admin_only() && !is_org_admin {
            return Err(UserRefusal::AdminOnly);
        }
        if self.preferences.get(&notification_type) == Some(&preference) {
            return Ok(Vec::new());
        }
        let user = self.user;
        Ok(vec![UserEvent::NotificationPreferenceChanged {
            user,
            notification_type,
            email,
            frequency,
        }])
    }

    fn apply_details(&mut self, changed: &DetailChanges) {
        if let Some(change) = &changed.first_name {
            self.first_name = change.new.clone();
        }
        if let Some(change) = &changed.last_name {
            self.last_name = change.new.clone();
        }
        if let Some(change) = &changed.business_phone {
            self.business_phone = change.new.clone();
        }
        if let Some(change) = &changed.preferred_channel {
            self.preferred_channel = change.new;
        }
    }
}

fn user_registered(registration: Registration) -> UserEvent {
    let user = registration.user;
    UserEvent::UserRegistered {
        user,
        email: Sealed::new(user, registration.email),
        first_name: Sealed::new(user, registration.first_name),
        last_name: Sealed::new(user, registration.last_name),
        mobile: Sealed::new(user, registration.mobile),
        business_phone: own(user, registration.business_phone),
        username: own(user, registration.username),
        preferred_channel: registration.preferred_channel,
    }
}

impl Decider for User {
    const TYPE: &'static str = "users.user";
    type Command = UserCommand;
    type Event = UserEvent;
    type Refusal = UserRefusal;

    fn decide(&self, decision: &Decision<'_>, command: UserCommand) -> Decided {
        match command {
            UserCommand::RegisterUser(registration) => match self {
                Self::Unregistered => Ok(vec![user_registered(*registration)]),
                Self::Registered(_) => Err(UserRefusal::AlreadyRegistered),
                Self::Erased => Err(UserRefusal::Unknown),
            },
            UserCommand::RecordImport { legacy_id, source } => {
                let user = self.registered()?.user;
                let legacy_id = own(user, legacy_id);
                Ok(vec![UserEvent::UserImported { user, legacy_id, source, must_reset: true }])
            }
            UserCommand::UpdateProfile(new) => {
                let profile = self.registered()?;
                let (user, changed) = (profile.user, profile.changes(new));
                let event = || UserEvent::ProfileUpdated { user, changed: changed.clone() };
                Ok((!changed.is_empty()).then(event).into_iter().collect())
            }
            UserCommand::CorrectUserDetails(new) => {
                let profile = self.registered()?;
                let (user, changed) = (profile.user, profile.changes(new));
                let event = || UserEvent::UserDetailsCorrected { user, changed: changed.clone() };
                Ok((!changed.is_empty()).then(event).into_iter().collect())
            }
            UserCommand::ChangePhone { mobile } => {
                Ok(self.registered()?.change_phone(mobile).into_iter().collect())
            }
            UserCommand::ChangeEmail { email, link_id } => {
                Ok(self.registered()?.change_email(decision, email, link_id))
            }
            UserCommand::VerifyEmail { link_id } => {
                self.registered()?.verify_email(decision.now, link_id)
            }
            UserCommand::EraseUser { user } => match self {
                Self::Unregistered | Self::Registered(_) => {
                    Ok(vec![UserEvent::UserErased { user }])
                }
                Self::Erased => Ok(Vec::new()),
            },
            UserCommand::DiscloseUsername => {
                let profile = self.registered()?;
                let user = profile.user;
                match &profile.username {
                    Some(_) => Ok(vec![UserEvent::UsernameDisclosed { user }]),
                    None => Err(UserRefusal::NoUsername),
                }
            }
            UserCommand::AcceptAgreement(acceptance) => {
                Ok(self.registered()?.accept(acceptance).into_iter().collect())
            }
            UserCommand::SetNotificationPreference {
                notification_type,
                email,
                frequency,
                is_org_admin,
            } => {
                let preference = Preference { email, frequency };
                self.registered()?.prefer(notification_type, preference, is_org_admin)
            }
        }
    }

    fn evolve(&mut self, event: &UserEvent) {
        match event {
            UserEvent::UserRegistered {
                user,
                email,
                first_name,
                last_name,
                mobile,
                business_phone,
                username,
                preferred_channel,
            } => {
                *self = Self::Registered(Box::new(Profile {
                    user: *user,
                    email: email.clone(),
                    // The link that led here came by this address.
                    email_verified: true,
                    email_link: None,
                    first_name: first_name.clone(),
                    last_name: last_name.clone(),
                    mobile: mobile.clone(),
                    business_phone: business_phone.clone(),
                    username: username.clone(),
                    preferred_channel: *preferred_channel,
                    accepted: HashTrieMapSync::new_sync(),
                    preferences: HashTrieMapSync::new_sync(),
                }));
            }
            UserEvent::UserImported { .. } => self.update(|profile| profile.email_verified = false),
            UserEvent::ProfileUpdated { changed, .. }
            | UserEvent::UserDetailsCorrected { changed, .. } => {
                self.update(|profile| profile.apply_details(changed));
            }
            UserEvent::PhoneChanged { new, .. } => {
                self.update(|profile| profile.mobile = new.clone());
            }
            UserEvent::EmailChanged { new, verified, .. } => self.update(|profile| {
                profile.email = new.clone();
                profile.email_verified = *verified;
                profile.email_link = None;
            }),
            UserEvent::EmailVerificationSent { link_id, expires_at, .. } => {
                self.update(|profile| {
                    profile.email_link = Some(EmailLink { id: *link_id, expires_at: *expires_at });
                })
            }
            UserEvent::EmailVerified { .. } => self.update(|profile| profile.email_verified = true),
            UserEvent::UserErased { .. } => *self = Self::Erased,
            UserEvent::UsernameDisclosed { .. } => {}
            UserEvent::AgreementAccepted { kind, version, .. } => {
                self.update(|profile| profile.accepted.insert_mut(*kind, version.clone()));
            }
            UserEvent::NotificationPreferenceChanged {
                notification_type,
                email,
                frequency,
                ..
            } => {
                let preference = Preference { email: *email, frequency: *frequency };
                self.update(|it| it.preferences.insert_mut(*notification_type, preference));
            }
        }
    }
}
