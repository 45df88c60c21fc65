//! How often visitors may try to sign in or to reset a password (GN-09). Lockout counts what goes
//! wrong with an account; these count tries, so that neither guessing over many accounts nor
//! flooding one fills the journal. The numbers are chosen here.

use std::net::IpAddr;

use chrono::TimeDelta;

use crate::{Context, Failure, rate_limit::Limit};

const TEN_MINUTES: TimeDelta = TimeDelta::minutes(10);
const AN_HOUR: TimeDelta = TimeDelta::hours(1);

/// First steps from one address; an office shares one.
pub(crate) const BEGIN_BY_ADDRESS: Limit =
    Limit { name: "begin_login.address", tries: 300, window: TEN_MINUTES };
/// Second steps from one address.
pub(crate) const SIGN_IN_BY_ADDRESS: Limit =
    Limit { name: "sign_in.address", tries: 150, window: TEN_MINUTES };
/// Second steps for one identifier.
pub(crate) const SIGN_IN_BY_ACCOUNT: Limit =
    Limit { name: "sign_in.account", tries: 30, window: TEN_MINUTES };
/// Requests for a link from one address.
pub(crate) const RESET_BY_ADDRESS: Limit =
    Limit { name: "password_reset.address", tries: 60, window: AN_HOUR };
/// Requests for a link to one account: each kills the link before it.
pub(crate) const RESET_BY_ACCOUNT: Limit =
    Limit { name: "password_reset.account", tries: 5, window: AN_HOUR };
/// Current passwords typed by somebody signed in, to change what the account is kept by.
pub(crate) const CURRENT_PASSWORD: Limit =
    Limit { name: "change_password.account", tries: 10, window: AN_HOUR };

/// Codes of one person's authenticator app, right or wrong: more than anybody types, too few to guess.
pub(crate) const TOTP_CODES: Limit =
    Limit { name: "totp_codes.account", tries: 20, window: TEN_MINUTES };

/// Counts a try from the caller's address, if the transport knows one.
///
/// # Errors
/// `RATE_LIMITED`, or the database did not answer.
pub(crate) async fn count_address(cx: &Context<'_>, limit: Limit) -> Result<(), Failure> {
    match cx.caller.address {
        Some(address) => count(cx, limit, &network(address)).await,
        None => Ok(()),
    }
}

/// Counts a try for a natural key.
///
/// # Errors
/// As [`count_address`].
pub(crate) async fn count(cx: &Context<'_>, limit: Limit, key: &str) -> Result<(), Failure> {
    let key = cx.journal().secrets().lookup_key(cx.tenant(), limit.name, key);
    cx.commands.rate_limits.count(cx.tenant(), limit, &key, cx.now).await
}

/// Of IPv6 the first half: whoever has an address there has 2^64 of them.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let network_of = |text: &str| network(text.parse().unwrap());
        assert_eq!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:2:ffff::9"));
        assert_ne!(network_of("2001:db8:1:2::1"), network_of("2001:db8:1:3::1"));
        assert_eq!(network_of("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
