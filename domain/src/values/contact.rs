//! The channel by which a person receives a one-time code.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Invalid;
use crate::Code;

/// SMS or voice call, chosen by the person (MC-19); a voice-only line needs `Voice`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CodeChannel {
    /// A text message.
    Sms,
    /// A call that reads the digits aloud.
    Voice,
}

impl CodeChannel {
    /// Parses `SMS` or `VOICE`.
    ///
    /// # Errors
    /// `FIELD_INVALID`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "SMS" => Ok(Self::Sms),
            "VOICE" => Ok(Self::Voice),
            _ => Err(Invalid::new(Code::FieldInvalid, "Choose SMS or VOICE.")),
        }
    }

    /// The stored name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "SMS",
            Self::Voice => "VOICE",
        }
    }
}

impl fmt::Display for CodeChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for CodeChannel {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_channels_parse_and_others_are_refused() {
        assert_eq!(CodeChannel::parse("SMS"), Ok(CodeChannel::Sms));
        assert_eq!(CodeChannel::parse("VOICE"), Ok(CodeChannel::Voice));
        assert_eq!(CodeChannel::parse("sms").unwrap_err().code.as_str(), "FIELD_INVALID");
        assert_eq!(CodeChannel::Voice.to_string(), "VOICE");
    }
}
