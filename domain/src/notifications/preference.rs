//! Which mail follows a notice, and why (MC-64, MC-65, GN-19).
//!
//! Invariant: mail about the security of an account goes out at once whatever anybody prefers; for
//! every other type the person's own choice comes first.

use super::{Frequency, NotificationType};
use crate::policies::Policy;

/// Whether and how often mail follows a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preference {
    pub email: bool,
    pub frequency: Frequency,
}

/// Where the preference in force comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PreferenceSource {
    /// The person chose it.
    Own,
    /// The portal's policy `notify.email_default`.
    Policy,
    /// The type's own default, whatever the policy says.
    Type,
    /// It concerns the security of the account and cannot be switched off.
    Security,
}

impl Preference {
    const AT_ONCE: Self = Self { email: true, frequency: Frequency::Immediate };
    const NEVER: Self = Self { email: false, frequency: Frequency::Off };

    /// What holds for notices of a type, given what the person chose, if anything.
    #[must_use]
    pub fn in_force(
        kind: NotificationType,
        own: Option<Self>,
        policy: &Policy,
    ) -> (Self, PreferenceSource) {
        match own {
            _ if kind.is_security() => (Self::AT_ONCE, PreferenceSource::Security),
            Some(own) => (own, PreferenceSource::Own),
            None if kind.is_mailed_unless_declined() => (Self::AT_ONCE, PreferenceSource::Type),
            None if policy.notify_email_default() => (Self::AT_ONCE, PreferenceSource::Policy),
            None => (Self::NEVER, PreferenceSource::Policy),
        }
    }

    /// How often mail goes out; `Off` where it does not.
    #[must_use]
    pub const fn mail(self) -> Frequency {
        if self.email { self.frequency } else { Frequency::Off }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies::Preset;

    fn in_force(
        kind: NotificationType,
        own: Option<Preference>,
        preset: Preset,
    ) -> (Frequency, PreferenceSource) {
        let (preference, source) = Preference::in_force(kind, own, &Policy::from(preset));
        (preference.mail(), source)
    }

    #[test]
    fn mc_64_the_portals_default_holds_until_the_person_chooses() {
        let kind = NotificationType::PermissionChange;
        let never = (Frequency::Off, PreferenceSource::Policy);
        let at_once = (Frequency::Immediate, PreferenceSource::Policy);
        assert_eq!(in_force(kind, None, Preset::MediCal), never);
        for preset in [Preset::Cencal, Preset::Alliance, Preset::Carecentrix] {
            assert_eq!(in_force(kind, None, preset), at_once, "{preset}");
        }
        let weekly = Preference { email: true, frequency: Frequency::Weekly };
        let own = (Frequency::Weekly, PreferenceSource::Own);
        assert_eq!(in_force(kind, Some(weekly), Preset::Cencal), own);
        let declined = Preference { email: false, frequency: Frequency::Daily };
        let own = (Frequency::Off, PreferenceSource::Own);
        assert_eq!(in_force(kind, Some(declined), Preset::Cencal), own);
    }

    #[test]
    fn gn_19_security_mail_goes_out_at_once_whatever_was_chosen() {
        let declined = Preference { email: false, frequency: Frequency::Off };
        for kind in [NotificationType::AccountSecurity, NotificationType::PinReset] {
            for own in [None, Some(declined)] {
                let expected = (Frequency::Immediate, PreferenceSource::Security);
                assert_eq!(in_force(kind, own, Preset::MediCal), expected);
            }
        }
    }

    #[test]
    fn mc_58_mail_about_affiliations_follows_unless_it_was_declined() {
        let kind = NotificationType::AffiliationDecision;
        let by_type = (Frequency::Immediate, PreferenceSource::Type);
        assert_eq!(in_force(kind, None, Preset::MediCal), by_type);
        let daily = Preference { email: true, frequency: Frequency::Daily };
        let own = (Frequency::Daily, PreferenceSource::Own);
        assert_eq!(in_force(kind, Some(daily), Preset::MediCal), own);
    }
}
