//! Addresses of files: where a redirect leads, and whether two have one origin.

use std::borrow::Cow;

use ureq::http::Uri;

use super::head::shown;

/// The address as it may be shown: without what stands before the host, which may be a name with a password.
pub fn without_password(address: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = address.split_once("//") else { return address.into() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}//…@{host}{path}").into(),
        None => address.into(),
    }
}

/// An absolute http or https address.
#[derive(Clone, Debug)]
pub(super) struct Address {
    uri: Uri,
    https: bool,
    host: String,
    port: u16,
}

impl Address {
    /// Errors say what the text is instead.
    pub(super) fn parse(text: &str) -> Result<Address, &'static str> {
        let uri: Uri = text.parse().map_err(|_| "no http or https address")?;
        let https = match uri.scheme_str().map(str::to_ascii_lowercase).as_deref() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("no http or https address"),
        };
        let host = uri.host().unwrap_or_default().to_ascii_lowercase();
        if host.is_empty() {
            return Err("an address without a host");
        }
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        Ok(Address { uri, https, host, port })
    }

    /// Where a `Location` of this address leads.
    pub(super) fn redirected(&self, location: &str) -> Result<Address, String> {
        let scheme = if self.https { "https" } else { "http" };
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let has_scheme = location.split_once(':').is_some_and(|(scheme, _)| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        });
        let next = if has_scheme {
            Address::parse(location)
        } else if location.starts_with("//") {
            Address::parse(&format!("{scheme}:{location}"))
        } else if location.starts_with('/') {
            Address::parse(&format!("{scheme}://{authority}{location}"))
        } else {
            let path = self.uri.path();
            let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
            Address::parse(&format!("{scheme}://{authority}{folder}{location}"))
        };
        let next = next.map_err(|reason| format!("redirects to '{}', {reason}; refused", shown(location)))?;
        if self.https && !next.https {
            return Err(format!("redirects from https to '{}'; refused", shown(location)));
        }
        if has_scheme && next.uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err("redirects to an address with a password; refused".to_string());
        }
        Ok(next)
    }

    /// Scheme, host and port: who may see a token that was meant for the other.
    pub(super) fn has_origin_of(&self, other: &Address) -> bool {
        (self.https, &self.host, self.port) == (other.https, &other.host, other.port)
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(from: &str, to: &str) -> Result<String, String> {
        Address::parse(from).expect("an address").redirected(to).map(|address| address.uri.to_string())
    }

    #[test]
    fn a_password_is_not_shown() {
        for (address, shown) in [
            ("https://hub.example/a@b", "https://hub.example/a@b"),
            ("https://user:pw@hub.example:8/a", "https://…@hub.example:8/a"),
            ("http://a@b:pw@hub", "http://…@hub"),
            ("no address", "no address"),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }

    #[test]
    fn redirects_lead_where_browsers_go() {
        for (to, expected) in [
            ("https://b/c?d=1", "https://b/c?d=1"),
            ("//b:8/c", "https://b:8/c"),
            ("/c", "https://a:1/c"),
            ("c:d", "'c:d', no http or https address"),
            ("c/d:e", "https://a:1/x/c/d:e"),
            ("HTTPS://B/", "https://b/"),
        ] {
            let found = led("https://a:1/x/y", to);
            let found = found.as_ref().unwrap_or_else(|reason| reason);
            assert!(found.to_ascii_lowercase().contains(expected), "{to}: {found}");
        }
    }

    #[test]
    fn redirects_to_what_is_less_safe_are_refused() {
        for to in
            ["http://a/", "HTTP://a:443/", "file:///etc/passwd", "ftp://a/", "", "https://", "https://u:p@b/", "\u{1b}"]
        {
            assert!(led("https://a/x", to).is_err() || to.is_empty(), "{to}");
        }
        assert!(led("http://a/x", "https://a/").is_ok());
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let same = |a: &str, b: &str| {
            Address::parse(a).expect("an address").has_origin_of(&Address::parse(b).expect("an address"))
        };
        assert!(same("https://a/x", "https://A:443/y"));
        assert!(!same("http://127.0.0.1:1/x", "http://localhost:1/x"));
        assert!(!same("http://a:1/x", "http://a:2/x"));
        assert!(!same("http://a:443/x", "https://a/x"));
        assert!(!same("https://a/x", "https://a.b/x"));
    }
}
