//! Where events may be pushed to.
//!
//! Invariant: nothing is sent to an address that is not public, whatever name leads to it: the name is
//! resolved for each connection and every address it has must be public (SSRF). Where time can be set,
//! in development, this machine itself is a target as well.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use rollcall_domain::{Code, Refusal};

/// The longest address that is taken.
const LONGEST: usize = 500;

/// Which addresses are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Public ones, by https.
    Public,
    /// And this machine, by http too: for development.
    PublicAndLoopback,
}

impl Targets {
    /// Whether an address may be connected to.
    #[must_use]
    pub fn allow(self, address: IpAddr) -> bool {
        is_public(address) || (self == Self::PublicAndLoopback && address.is_loopback())
    }

    /// Reads an address that somebody gave.
    ///
    /// # Errors
    /// FIELD_INVALID at `url`.
    pub fn parse(self, text: &str) -> Result<Url, Refusal> {
        let refused = |message: &str| Refusal::new(Code::FieldInvalid, message).at("url");
        let url = Url::parse(text).ok().filter(|_| text.len() <= LONGEST);
        let url = url.ok_or_else(|| refused("Give an address such as https://siem.example/in."))?;
        let is_plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_plain {
            let message = "Give an address without user, password, query and fragment: what shows \
                           that a delivery is ours is its signature.";
            return Err(refused(message));
        }
        let literal = literal(&url);
        let is_local = literal.is_some_and(|address| address.is_loopback());
        let by_http = self == Self::PublicAndLoopback && is_local && url.scheme() == "http";
        if url.scheme() != "https" && !by_http {
            return Err(refused("Give an https address."));
        }
        if url.host_str().is_none() || literal.is_some_and(|address| !self.allow(address)) {
            return Err(refused("Give an address that is public."));
        }
        Ok(url)
    }
}

/// The address, where a URL names one and no host.
fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether an address is one of the public internet (IANA's special-purpose registries).
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_public_v4(address),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Shared between a provider's customers, protocol assignments, relays, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Global unicast without what leads to addresses of version 4 or is for examples: Teredo and other
    // assignments, documentation, 6to4.
    (a & 0xe000) == 0x2000
        && !(a == 0x2001 && b < 0x0200)
        && !(a == 0x2001 && b == 0x0db8)
        && a != 0x2002
        && !(a == 0x3fff && b < 0x1000)
}

/// Resolves names for connections, and refuses one that leads to an address that is not allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guarded(pub Targets);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let targets = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            if found.is_empty() || found.iter().any(|address| !targets.allow(address.ip())) {
                return Err("the name leads to an address that is not public".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

pub(super) fn resolver(targets: Targets) -> Arc<Guarded> {
    Arc::new(Guarded(targets))
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn gn_26_only_public_addresses_are_pushed_to() {
        let refused = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2001:db8::1",
            "2002:a00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
        ];
        for address in refused {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn gn_26_a_sink_is_an_https_address_without_secrets_in_it() {
        let taken = |targets: Targets, text: &str| targets.parse(text).is_ok();
        for text in [
            "http://siem.example/in",
            "ftp://siem.example/in",
            "https://10.0.0.1/in",
            "https://[::1]/in",
            "https://127.0.0.1/in",
            "http://127.0.0.1:9000/in",
            "https://user:secret@siem.example/in",
            "https://siem.example/in?token=secret",
            "https://siem.example/in#part",
            "siem.example",
            // What a name of digits is, the parser of URLs says.
            "https://2130706433/in",
            "https://0x7f.1/in",
        ] {
            assert!(!taken(Targets::Public, text), "{text}");
        }
        for text in
            ["https://siem.example/in", "https://8.8.8.8:8443/", "https://[2606:4700::1111]/"]
        {
            assert!(taken(Targets::Public, text), "{text}");
        }
        assert!(taken(Targets::PublicAndLoopback, "http://127.0.0.1:9000/in"));
        assert!(!taken(Targets::PublicAndLoopback, "http://10.0.0.1:9000/in"));
        assert!(!taken(Targets::PublicAndLoopback, "http://siem.example/in"));
    }

    #[tokio::test]
    async fn gn_26_a_name_that_leads_to_this_machine_is_not_connected_to() {
        let name = || Name::from_str("localhost").unwrap();
        assert!(Guarded(Targets::Public).resolve(name()).await.is_err());
        assert!(Guarded(Targets::PublicAndLoopback).resolve(name()).await.is_ok());
    }
}
