//! Which addresses a resource may connect to.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// How far a resource may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This machine alone: its host is `localhost` or a loopback address.
    Loopback,
    /// Public addresses alone.
    Public,
    /// Private ones too.
    Private,
    /// Whatever a cloud's own SDK asks for: it knows where credentials are handed out.
    #[cfg(feature = "aws")]
    Any,
}

impl Reach {
    /// Lets an address through, or says why not.
    pub(crate) fn check(self, address: IpAddr) -> Result<(), Refused> {
        match (class(address), self) {
            #[cfg(feature = "aws")]
            (_, Reach::Any) => Ok(()),
            (Class::Never(what), _) => Err(Refused { what, remedy: "it is refused always" }),
            (Class::Loopback, Reach::Loopback | Reach::Private) | (Class::Private(_), Reach::Private) => Ok(()),
            (_, Reach::Loopback) => Err(Refused { what: "not this machine's", remedy: "`localhost` must be" }),
            (Class::Public, _) => Ok(()),
            (Class::Loopback, Reach::Public) => Err(Refused { what: "this machine's own", remedy: ALLOW }),
            (Class::Private(what), Reach::Public) => Err(Refused { what, remedy: ALLOW }),
        }
    }
}

const ALLOW: &str = "`private: true` allows it";

/// Describes why an address was refused. It does not show the address: the URL may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    what: &'static str,
    remedy: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "its address is {}; {}", self.what, self.remedy)
    }
}

impl std::error::Error for Refused {}

enum Class {
    Public,
    Loopback,
    Private(&'static str),
    /// Hands out credentials to whoever asks.
    Never(&'static str),
}

const METADATA: Class = Class::Never("that of a cloud's metadata service");
const LINK_LOCAL: Class = Class::Never("link-local, where clouds have their metadata service");
const NETWORK: Class = Class::Private("in a private network");
const RESERVED: Class = Class::Private("reserved, not public");

fn class(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => class_v4(address),
        IpAddr::V6(address) => class_v6(address),
    }
}

fn class_v4(address: Ipv4Addr) -> Class {
    match address.octets() {
        // Alibaba's, Azure's and Oracle's, which are not link-local.
        [100, 100, 100, 200] | [168, 63, 129, 16] | [192, 0, 0, 192] => METADATA,
        [169, 254, ..] => LINK_LOCAL,
        [127, ..] => Class::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => NETWORK,
        [0, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => {
            RESERVED
        }
        [224..=255, ..] => RESERVED,
        _ => Class::Public,
    }
}

fn class_v6(address: Ipv6Addr) -> Class {
    let segments = address.segments();
    let v4_at = |at: usize| {
        let [a, b] = segments[at].to_be_bytes();
        let [c, d] = segments[at + 1].to_be_bytes();
        class_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Loopback,
        [0, 0, 0, 0, 0, 0, 0, 0] => RESERVED,
        // An IPv4 address inside: mapped, compatible, behind NAT64, behind 6to4.
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => v4_at(6),
        [0x2002, ..] => v4_at(1),
        // A NAT64 of one's own leads wherever its network wants; the metadata service stays out of reach.
        [0x64, 0xff9b, 1, ..] => match v4_at(6) {
            never @ Class::Never(_) => never,
            _ => NETWORK,
        },
        // Amazon's and Google's.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => METADATA,
        [0xfe80..=0xfebf, ..] => LINK_LOCAL,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] => NETWORK,
        // Protocol assignments (Teredo among them) and documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => RESERVED,
        [0x2000..=0x3fff, ..] => Class::Public,
        _ => RESERVED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(address: &str, reach: Reach) -> bool {
        reach.check(address.parse().expect(address)).is_ok()
    }

    #[test]
    fn public_addresses_are_for_all_but_loopback() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(allowed(address, Reach::Public) && allowed(address, Reach::Private), "{address}");
            assert!(!allowed(address, Reach::Loopback), "{address}");
        }
    }

    #[test]
    fn private_addresses_need_leave() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::10.0.0.1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!allowed(address, Reach::Public), "{address}");
            assert!(allowed(address, Reach::Private), "{address}");
        }
    }

    #[test]
    fn metadata_services_are_refused_always() {
        for address in [
            "169.254.169.254",
            "169.254.0.1",
            "169.254.170.2",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
        ] {
            for reach in [Reach::Loopback, Reach::Public, Reach::Private] {
                assert!(!allowed(address, reach), "{address} {reach:?}");
            }
        }
    }

    #[test]
    fn loopback_is_for_itself() {
        for address in ["127.0.0.1", "127.9.9.9", "::1"] {
            assert!(allowed(address, Reach::Loopback), "{address}");
        }
        for address in ["10.0.0.1", "8.8.8.8", "::", "0.0.0.0", "fc00::1"] {
            assert!(!allowed(address, Reach::Loopback), "{address}");
        }
    }
}
