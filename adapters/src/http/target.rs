//! Where a resource's URL leads, and whether it may.

use std::net::{IpAddr, Ipv6Addr};

use fourstroke::config::Resource;
use url::{Host, Url};

use crate::connection::{Place, Reach};

/// A URL that may be used.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) place: Place,
    /// `host:port` as the `host` header says it, without the scheme's own port.
    pub(super) authority: String,
    /// Path and query, percent-encoded.
    pub(super) path: String,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// One sentence: it is no URL, holds a password, its host is not allowed, or it would go unencrypted.
    pub(super) fn read(resource: &Resource, url: &str) -> Result<Target, String> {
        let shown = resource.shown();
        // The parser says nothing of the URL itself.
        let url = Url::parse(url).map_err(|error| format!("`{shown}` is no URL: {error}"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("`{shown}` holds a user or password; put `authorization` into `headers:` instead"));
        }
        if url.fragment().is_some() {
            return Err(format!("`{shown}` has a fragment (`#`), which is never sent"));
        }
        let host = url.host().ok_or_else(|| format!("`{shown}` names no host"))?.to_owned();
        check_listed(resource, &host)?;
        let literal = match &host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address)),
        };
        let reach = match (is_loopback(&host), resource.private) {
            (true, _) => Reach::Loopback,
            (false, true) => Reach::Private,
            (false, false) => Reach::Public,
        };
        if url.scheme() == "http" && reach != Reach::Loopback && !resource.insecure {
            return Err(format!(
                "`{shown}` would go unencrypted beyond this machine; use `https:`, or say `insecure: true`"
            ));
        }
        if let Some(address) = literal {
            reach.check(address).map_err(|refused| format!("`{shown}` may not be used: {refused}"))?;
        }
        let authority = url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
        let origin = format!("{}://{authority}/", url.scheme());
        let origin = origin.parse().map_err(|error| format!("`{shown}` is no URL: {error}"))?;
        Ok(Target {
            place: Place { origin, reach },
            authority,
            path: url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
        })
    }
}

/// Tells whether a host is this machine by name or number.
fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => *address == Ipv6Addr::LOCALHOST,
    }
}

/// Holds a host against `hosts:`.
fn check_listed(resource: &Resource, host: &Host) -> Result<(), String> {
    let mut listed = resource.hosts.is_empty();
    for entry in &resource.hosts {
        let (below, name) = match entry.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, entry.as_str()),
        };
        let entry = match Host::parse(name) {
            Ok(Host::Domain(name)) => Host::Domain(name),
            Ok(number) if !below => number,
            _ => return Err(format!("`{entry}` in `hosts` is no host: write `api.example.com` or `*.example.com`")),
        };
        listed |= match (&entry, host) {
            (Host::Domain(name), Host::Domain(host)) if below => {
                host.strip_suffix(name.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            (entry, host) => entry == host,
        };
    }
    match listed {
        true => Ok(()),
        false => Err(format!("the host of `{}` is none of `hosts`: {}", resource.shown(), resource.hosts.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str, change: impl Fn(&mut Resource)) -> Result<Target, String> {
        let mut resource = Resource::new("sinks.x", url);
        change(&mut resource);
        Target::read(&resource, url)
    }

    #[test]
    fn a_url_is_taken_apart() {
        let target = read("https://Example.ORG:443/a/../b%20c?d=e", |_| {}).ok().unwrap();
        assert_eq!(
            (target.place.origin.to_string().as_str(), target.authority.as_str()),
            ("https://example.org/", "example.org")
        );
        assert_eq!((target.path.as_str(), target.place.reach), ("/b%20c?d=e", Reach::Public));
        assert_eq!(read("http://[::1]:8080", |_| {}).ok().unwrap().authority, "[::1]:8080");
    }

    #[test]
    fn what_may_not_be_used_is_refused_with_a_reason() {
        for (url, why) in [
            ("https:///", "is no URL: empty host"),
            ("https://user@example.com/", "put `authorization` into `headers:`"),
            ("https://:secret@example.com/", "put `authorization` into `headers:`"),
            ("https://example.com/#x", "has a fragment"),
            ("http://example.com/", "would go unencrypted"),
            ("http://127.0.0.1.example.com/", "would go unencrypted"),
            ("http://localhost.example.com/", "would go unencrypted"),
            ("http://10.0.0.1/", "would go unencrypted"),
            ("https://10.0.0.1/", "in a private network; `private: true` allows it"),
            ("https://0xa000001/", "in a private network"),
            ("https://167772161/", "in a private network"),
            ("https://012.0.0.1/", "in a private network"),
            ("https://169.254.169.254/latest/meta-data", "refused always"),
            ("https://[::ffff:169.254.169.254]/", "refused always"),
            ("https://[::ffff:10.0.0.1]/", "in a private network"),
            ("https://[fd00::1]/", "in a private network"),
            ("https://0/", "reserved"),
        ] {
            let sentence = read(url, |_| {}).err().unwrap_or_else(|| panic!("{url} must be refused"));
            assert!(sentence.contains(why), "{url}: {sentence}");
        }
    }

    #[test]
    fn this_machine_needs_no_encryption_and_no_leave() {
        for url in ["http://localhost:1/", "http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://[::1]/"]
        {
            assert_eq!(read(url, |_| {}).map(|target| target.place.reach).ok(), Some(Reach::Loopback), "{url}");
        }
    }

    #[test]
    fn leave_goes_as_far_as_it_says() {
        assert!(read("http://example.com/", |resource| resource.insecure = true).is_ok());
        assert!(read("http://10.0.0.1/", |resource| resource.insecure = true).is_err());
        assert!(read("https://10.0.0.1/", |resource| resource.private = true).is_ok());
        assert!(read("http://10.0.0.1/", |resource| resource.private = true).is_err());
        assert!(read("https://169.254.169.254/", |resource| resource.private = true).is_err());
    }

    #[test]
    fn hosts_are_an_allow_list() {
        let listed = |url: &str, hosts: &[&str]| {
            read(url, |resource| resource.hosts = hosts.iter().map(ToString::to_string).collect()).map(drop)
        };
        for url in ["https://api.example.com/", "https://API.example.com:8443/", "https://a.b.example.org/"] {
            assert_eq!(listed(url, &["api.example.com", "*.Example.org"]), Ok(()), "{url}");
        }
        for url in ["https://example.com/", "https://example.org/", "https://evilexample.org/", "https://1.1.1.1/"] {
            let sentence = listed(url, &["api.example.com", "*.example.org"]).unwrap_err();
            assert!(sentence.ends_with("is none of `hosts`: api.example.com, *.example.org"), "{url}: {sentence}");
        }
        assert_eq!(listed("https://1.1.1.1/", &["1.1.1.1"]), Ok(()));
        for bad in ["https://example.com", "a/b", "*.1.1.1.1", ""] {
            assert!(listed("https://example.com/", &[bad]).unwrap_err().contains("is no host"), "{bad}");
        }
    }
}
