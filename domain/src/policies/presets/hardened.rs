//! Hardened, after NIST SP 800-63B-4: long passwords without composition rules or rotation,
//! a block-list, and a second factor that is no text message.

use crate::policies::PolicyKey;
use crate::policies::spec::Literal::{self, Bool, Int, Off, Text, Words};

pub(super) const VALUES: &[(PolicyKey, Literal)] = &[
    (PolicyKey::ActivityReviewDays, Int(30)),
    (PolicyKey::FourEyes, Bool(true)),
    (PolicyKey::PasswordMinLength, Int(15)),
    (PolicyKey::PasswordMinLengthWithMfa, Int(8)),
    (PolicyKey::PasswordMaxLength, Int(256)),
    (PolicyKey::PasswordClasses, Words(&[])),
    (PolicyKey::PasswordRejectSimilar, Bool(true)),
    (PolicyKey::PasswordMaxAgeDays, Off),
    (PolicyKey::PasswordBlocklist, Bool(true)),
    (PolicyKey::PasswordNoUsername, Bool(true)),
    (PolicyKey::ResetBy, Text("LINK_AND_OTP")),
    (PolicyKey::OtpEnabled, Bool(true)),
    (PolicyKey::OtpMethods, Words(&["TOTP", "PASSKEY"])),
    (
        PolicyKey::OtpStepUpActions,
        Words(&[
            "SIGN_IN",
            "RESET_PASSWORD",
            "CHANGE_PASSWORD",
            "CHANGE_PHONE",
            "CHANGE_EMAIL",
            "REVEAL_PIN",
            "RESET_PIN",
        ]),
    ),
    (PolicyKey::LockoutThreshold, Int(5)),
    (PolicyKey::LockoutAutoMinutes, Int(30)),
    (PolicyKey::SessionIdleMinutes, Int(15)),
    (PolicyKey::SessionAbsoluteHours, Int(12)),
    (PolicyKey::ApiKeysMaxDays, Int(90)),
    (PolicyKey::AdminCreators, Words(&["OA"])),
    (PolicyKey::AdminImplied, Words(&["USER_MANAGEMENT"])),
    (PolicyKey::UnassignedDeactivateDays, Int(30)),
    (PolicyKey::DormantDeactivateDays, Int(90)),
    (PolicyKey::ReviewCadenceDays, Int(90)),
    (PolicyKey::ReviewOverdueAction, Text("SUSPEND")),
];
