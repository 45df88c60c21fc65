//! Where a request came from, through the proxies that are trusted to tell.
//!
//! Invariant: what a stranger writes into `X-Forwarded-For` counts for nothing. The list is read from
//! its end, and only as far as each hop was named by one that is trusted.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies in front of the service; none by default.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads addresses and networks, separated by commas.
    ///
    /// # Errors
    /// What it takes.
    pub fn read(text: &str) -> Result<Self, String> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let networks = words.map(|word| {
            network(word).ok_or_else(|| {
                format!("{word} is no address and no network; give some such as 10.0.0.0/8,::1")
            })
        });
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// The address of the client behind whoever is connected.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lists = headers.get_all(FORWARDED_FOR).iter().map(|list| list.to_str().unwrap_or(""));
        let hops: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
        let mut client = peer.to_canonical();
        for hop in hops.into_iter().rev() {
            if !self.0.iter().any(|network| network.contains(&client)) {
                break;
            }
            // A hop that is no address was written by nobody who is trusted.
            let Some(address) = address(hop) else { break };
            client = address;
        }
        client
    }
}

/// A network, or one of a single address; of IPv4 where it is mapped into IPv6, as addresses are kept.
pub fn network(text: &str) -> Option<IpNet> {
    let one = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse::<IpNet>().or_else(|_| one()).ok()?.trunc();
    let mapped = match (network.addr().to_canonical(), network.prefix_len().checked_sub(96)) {
        (IpAddr::V4(address), Some(length)) if network.addr().is_ipv6() => {
            IpNet::new(address.into(), length).ok()
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => None,
    };
    Some(mapped.unwrap_or(network))
}

/// An address, perhaps with a port as some proxies write it.
fn address(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<SocketAddr>().map(|address| address.ip());
    Some(hop.parse().or_else(|_| with_port()).ok()?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, lists: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append(FORWARDED_FOR, list.parse().unwrap());
        }
        let proxies = TrustedProxies::read(trusted).expect("addresses");
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn a_proxy_that_is_trusted_names_the_client() {
        assert_eq!(client("127.0.0.1", "127.0.0.1", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(client("127.0.0.1", "::ffff:127.0.0.1", &["192.0.2.7:4711"]), "192.0.2.7");
        assert_eq!(client("::1,10.0.0.0/8", "::1", &["2001:db8::7, 10.1.2.3"]), "2001:db8::7");
        assert_eq!(client("::1,10.0.0.0/8", "::1", &["192.0.2.7", "10.1.2.3"]), "192.0.2.7");
        assert_eq!(client("127.0.0.1", "127.0.0.1", &[]), "127.0.0.1");
    }

    #[test]
    fn what_a_stranger_says_counts_for_nothing() {
        assert_eq!(client("", "127.0.0.1", &["192.0.2.7"]), "127.0.0.1");
        assert_eq!(client("10.0.0.0/8", "203.0.113.9", &["192.0.2.7"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", "127.0.0.1", &["192.0.2.7, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("127.0.0.1", "127.0.0.1", &["192.0.2.7, unknown"]), "127.0.0.1");
    }

    #[test]
    fn a_network_of_mapped_addresses_is_one_of_ipv4() {
        for (text, known) in [
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("192.0.2.9/24", "192.0.2.0/24"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(network(text).expect(text).to_string(), known);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert!(TrustedProxies::read("proxy.example").unwrap_err().starts_with("proxy.example is"));
    }
}
