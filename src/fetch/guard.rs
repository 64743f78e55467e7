//! Private-network guard: a feed on the internet must not make this machine ask its own network.
//!
//! A literal address is judged at each hop, a name when it is resolved, and the addresses that were judged are the
//! ones that are connected to, so that a second answer of the name server changes nothing.

use crate::core::descriptors;
use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};
use url::{Host, Url};

/// Addresses of one name that are tried; more are not needed to reach a host.
const ADDRESSES_MAX: usize = 16;

/// Which addresses a request may connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Public addresses only.
    Public,
    /// Any address: the configuration says so.
    Any,
}

/// Why the guard or the name server did not give an address.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum NoAddress {
    /// The host is, or leads to, a private address.
    #[error("{host} leads to {address}, an address that is not on the public internet")]
    Private {
        /// Host as requested.
        host: String,
        /// Address that was refused.
        address: IpAddr,
    },
    /// This machine could not ask for the name.
    #[error("the name {host} could not be looked up: {}", descriptors::shortage())]
    NoDescriptor {
        /// Host as requested.
        host: String,
    },
    /// The name could not be resolved.
    #[error("the name {host} could not be resolved ({cause}); check its spelling and this machine's name server")]
    Unresolved {
        /// Host as requested.
        host: String,
        /// What the system said.
        cause: String,
    },
}

/// Decides which addresses the request for `hop` may connect to.
///
/// # Errors
///
/// [`NoAddress::Private`] if the hop is itself a private literal that the configuration does not name.
pub(super) fn access(configured: &Url, allow_private: bool, hop: &Url) -> Result<Access, NoAddress> {
    access_within(Some(configured), allow_private, hop)
}

/// As [`access`], for what belongs to a feed that may be a file, which stands for no host.
pub(super) fn access_within(configured: Option<&Url>, allow_private: bool, hop: &Url) -> Result<Access, NoAddress> {
    // A private feed is the user's will, but only there: a redirect to another port is another service.
    let is_configured = configured.is_some_and(|configured| {
        hop.host() == configured.host()
            && hop.port_or_known_default() == configured.port_or_known_default()
            && private_literal(configured).is_some()
    });
    match private_literal(hop) {
        _ if allow_private || is_configured => Ok(Access::Any),
        Some(address) => Err(NoAddress::Private { host: hop.host_str().unwrap_or_default().to_owned(), address }),
        None => Ok(Access::Public),
    }
}

/// Tells whether a link may be asked for that was found at `given`, a URL which a person named.
///
/// # Errors
///
/// Why not, for people: the link leads into a private network, and what the person named is not there itself.
pub fn may_follow(given: &Url, allow_private: bool, link: &Url) -> Result<(), String> {
    access(given, allow_private, link).map(|_| ()).map_err(|refusal| refusal.to_string())
}

/// Tells whether a URL leads into a private network by itself, as a literal or as `localhost`.
pub fn is_private_literal(url: &Url) -> bool {
    private_literal(url).is_some()
}

/// Returns the private address that a URL names by itself, as a literal or as `localhost`.
fn private_literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        // RFC 6761 §6.3: localhost and all names below it are this machine.
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            let local = name == "localhost" || name.ends_with(".localhost");
            local.then_some(IpAddr::V4(Ipv4Addr::LOCALHOST))
        }
    }
    .filter(|address| is_private(*address))
}

/// Tells whether an address is not on the public internet.
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => PRIVATE_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => {
            PRIVATE_V6.iter().any(|net| net.contains(&address))
                || embedded_v4(address).is_some_and(|address| is_private(IpAddr::V4(address)))
        }
    }
}

/// Returns the IPv4 address that an IPv6 address leads to: mapped, NAT64 (RFC 6052) or 6to4 (RFC 3056).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let v4 = |at: usize| Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]);
    if MAPPED.contains(&address) || NAT64.contains(&address) {
        Some(v4(12))
    } else if SIX_TO_FOUR.contains(&address) {
        Some(v4(2))
    } else {
        None
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

const PRIVATE_V4: [Ipv4Net; 11] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

const PRIVATE_V6: [Ipv6Net; 7] = [
    v6(0, 0, 0, 96),         // unspecified, loopback, IPv4-compatible
    v6(0x64, 0xff9b, 1, 48), // NAT64 within one's own network (RFC 8215)
    v6(0x2001, 0, 0, 32),    // Teredo
    v6(0xfc00, 0, 0, 7),     // unique local
    v6(0xfe80, 0, 0, 10),    // link local
    v6(0xfec0, 0, 0, 10),    // site local
    v6(0xff00, 0, 0, 8),     // multicast
];

const MAPPED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96);
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);
const SIX_TO_FOUR: Ipv6Net = v6(0x2002, 0, 0, 16);

/// The system's resolver, behind the guard.
#[derive(Debug, Clone, Copy)]
pub(super) struct GuardedResolver(pub(super) Access);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let access = self.0;
        Box::pin(async move {
            let host = name.as_str();
            // Port 0 stands for that of the URL.
            let answer = tokio::net::lookup_host((host, 0)).await.map(Iterator::collect);
            let addresses = vetted(host, answer, access)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Returns the addresses of a name if the guard lets all of them pass: an answer that mixes public and private
/// addresses is refused whole, because which of them is connected to is left to chance.
fn vetted(host: &str, answer: io::Result<Vec<SocketAddr>>, access: Access) -> Result<Vec<SocketAddr>, NoAddress> {
    let unresolved = |cause: String| NoAddress::Unresolved { host: host.to_owned(), cause };
    let mut addresses = answer.map_err(|error| {
        if descriptors::is_shortage_in_lookup(&error) {
            return NoAddress::NoDescriptor { host: host.to_owned() };
        }
        let said = error.to_string();
        unresolved(said.strip_prefix("failed to lookup address information: ").unwrap_or(&said).to_owned())
    })?;
    if addresses.is_empty() {
        return Err(unresolved("it has no address".to_owned()));
    }
    let private = addresses.iter().map(SocketAddr::ip).find(|address| is_private(*address));
    match private {
        Some(address) if access == Access::Public => Err(NoAddress::Private { host: host.to_owned(), address }),
        _ => {
            addresses.truncate(ADDRESSES_MAX);
            Ok(addresses)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(host: &str) -> Url {
        format!("http://{host}/feed").parse().unwrap()
    }

    #[test]
    fn private_addresses_are_known_in_every_notation() {
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "１２７.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[::127.0.0.1]",
            "[::8.8.8.8]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[64:ff9b::a00:1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2002:c0a8:101::1]",
            "[2001::1]",
            "[fc00::1]",
            "[fdff::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[ff02::1]",
            "localhost",
            "LOCALHOST",
            "localhost.",
            "a.localhost",
        ];
        for host in private {
            let public = url("example.org");
            assert!(matches!(access(&public, false, &url(host)), Err(NoAddress::Private { .. })), "{host}");
            assert_eq!(access(&url(host), false, &url(host)).unwrap(), Access::Any, "{host} as configured");
            assert_eq!(access(&public, true, &url(host)).unwrap(), Access::Any, "{host} with allow_private");
        }
    }

    #[test]
    fn public_addresses_pass() {
        let public = [
            "example.org",
            "notlocalhost",
            "localhost.example.org",
            "8.8.8.8",
            "1.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "[2606:4700::1]",
            "[::ffff:8.8.8.8]",
            "[64:ff9b::808:808]",
            "[2002:808:808::1]",
            "[2001:4860::1]",
        ];
        for host in public {
            assert_eq!(access(&url("example.org"), false, &url(host)).unwrap(), Access::Public, "{host}");
            assert_eq!(access(&url(host), false, &url(host)).unwrap(), Access::Public, "{host} as configured");
        }
    }

    #[test]
    fn a_private_feed_opens_its_own_port_alone() {
        let configured = url("127.0.0.1:8080");
        assert!(access(&configured, false, &url("127.0.0.1:8080")).is_ok());
        for other in ["127.0.0.1:8081", "127.0.0.1", "127.0.0.2:8080", "localhost:8080", "[::1]:8080"] {
            assert!(access(&configured, false, &url(other)).is_err(), "{other}");
        }
    }

    #[test]
    fn an_answer_with_one_private_address_is_refused_whole() {
        let answer =
            |addresses: &[&str]| Ok(addresses.iter().map(|a| SocketAddr::new(a.parse().unwrap(), 0)).collect());
        assert_eq!(vetted("h", answer(&["8.8.8.8", "2606:4700::1"]), Access::Public).unwrap().len(), 2);
        let mixed = vetted("h", answer(&["8.8.8.8", "::ffff:10.0.0.1"]), Access::Public).unwrap_err();
        assert!(mixed.to_string().contains("h leads to"), "{mixed}");
        assert!(vetted("h", answer(&["8.8.8.8", "10.0.0.1"]), Access::Any).is_ok());
        assert_eq!(vetted("h", answer(&["8.8.8.8"; 500]), Access::Public).unwrap().len(), ADDRESSES_MAX);
        assert!(vetted("h", answer(&[]), Access::Any).unwrap_err().to_string().contains("no address"));
        let busy = io::Error::from(rustix::io::Errno::BUSY);
        assert!(matches!(vetted("h", Err(busy), Access::Any), Err(NoAddress::NoDescriptor { .. })));
    }

    #[tokio::test]
    async fn the_resolver_refuses_a_name_that_leads_home() {
        let name = || "localhost".parse::<Name>().unwrap();
        let refused = GuardedResolver(Access::Public).resolve(name()).await.err().unwrap();
        assert!(matches!(refused.downcast_ref(), Some(NoAddress::Private { .. })), "{refused}");
        assert!(GuardedResolver(Access::Any).resolve(name()).await.is_ok());
    }
}
