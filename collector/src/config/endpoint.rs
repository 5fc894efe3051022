//! Host and port, as people write them and as sockets and certificates need them.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

/// `broker.example:8883`, `10.0.0.1:8883`, `[::1]:1883`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A DNS name or an address; an IPv6 address without its brackets.
    pub host: String,
    pub port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no address; expected host:port")]
pub struct BadEndpoint(String);

impl Endpoint {
    /// As [`FromStr`], but the port may be left out.
    pub fn with_port(text: &str, port: u16) -> Result<Self, BadEndpoint> {
        read(text, Some(port)).ok_or_else(|| BadEndpoint(text.to_owned()))
    }

    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    /// Without asking DNS: an address, or localhost.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        let ip = match self.host.as_str() {
            "localhost" => Ipv4Addr::LOCALHOST.into(),
            host => host.parse().ok()?,
        };
        Some(SocketAddr::new(ip, self.port))
    }
}

impl FromStr for Endpoint {
    type Err = BadEndpoint;
    fn from_str(text: &str) -> Result<Self, BadEndpoint> {
        read(text, None).ok_or_else(|| BadEndpoint(text.to_owned()))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

fn read(text: &str, default_port: Option<u16>) -> Option<Endpoint> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        // An IPv6 address without brackets has no port that could be told from it.
        None if text.parse::<Ipv6Addr>().is_ok() => (text, None),
        None => {
            let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
            let named = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
            (named.then_some(host)?, port)
        }
    };
    let port = match port {
        Some(digits) => digits.parse().ok()?,
        None => default_port?,
    };
    (port != 0).then(|| Endpoint { host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hosts_and_ports_are_told_apart() {
        let read = |text: &str| Endpoint::with_port(text, 8883).map(|endpoint| (endpoint.host, endpoint.port));
        assert_eq!(read("broker.example:1883"), Ok(("broker.example".into(), 1883)));
        assert_eq!(read("10.0.0.1"), Ok(("10.0.0.1".into(), 8883)));
        assert_eq!(read("[::1]:1883"), Ok(("::1".into(), 1883)));
        assert_eq!(read("[::1]"), Ok(("::1".into(), 8883)));
        assert_eq!(read("2001:db8::1"), Ok(("2001:db8::1".into(), 8883)));
        for bad in ["", ":1883", "host:", "host:0", "host:70000", "host:1:2", "[::1", "[host]:1", "a b:1", "mqtt://h:1"]
        {
            assert_eq!(read(bad), Err(BadEndpoint(bad.into())), "{bad:?}");
        }
        assert!("host".parse::<Endpoint>().is_err(), "without a default a port must be written");
    }

    #[test]
    fn loopback_is_known_without_dns() {
        for loopback in ["localhost:1", "127.0.0.2:1", "[::1]:1"] {
            let endpoint: Endpoint = loopback.parse().unwrap();
            assert!(endpoint.is_loopback() && endpoint.socket_addr().is_some(), "{loopback}");
        }
        let endpoint: Endpoint = "broker.example:1".parse().unwrap();
        assert!(!endpoint.is_loopback() && endpoint.socket_addr().is_none());
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(host in "[a-z0-9][a-z0-9.-]{0,20}", ip: std::net::Ipv6Addr, port in 1u16..) {
            for host in [host, ip.to_string()] {
                let endpoint = Endpoint { host, port };
                prop_assert_eq!(endpoint.to_string().parse::<Endpoint>(), Ok(endpoint));
            }
        }
    }
}
