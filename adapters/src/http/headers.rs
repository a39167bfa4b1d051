//! The headers of a request: the resource's own, whose values may be secrets, and those of an item.

use fourstroke::config::Resource;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What stands before the name of an item's attribute.
pub(super) const PREFIX: &str = "fourstroke-";

/// Set by the adapter or the connection, never by a resource.
const RESERVED: [&str; 15] = [
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "http2-settings",
    "idempotency-key",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Reads a resource's `headers`.
///
/// # Errors
/// One sentence that names the header and never its value.
pub(super) fn read(resource: &Resource) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let mut given: Vec<_> = resource.headers.iter().collect();
    given.sort_unstable();
    for (name, value) in given {
        let parsed = HeaderName::try_from(name.as_str())
            .map_err(|_| format!("`headers` has `{name:?}`, which is no header's name"))?;
        if RESERVED.contains(&parsed.as_str()) || parsed.as_str().starts_with(PREFIX) {
            return Err(format!("the header `{name}` may not be set; it is sent as the call needs it"));
        }
        let printable = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let Some(mut value) = HeaderValue::from_str(value).ok().filter(|_| printable) else {
            return Err(format!(
                "the header `{name}` has a value that may not be sent: use printable ASCII, on one line"
            ));
        };
        value.set_sensitive(true);
        if headers.insert(parsed, value).is_some() {
            return Err(format!("the header `{name}` stands in `headers` twice"));
        }
    }
    Ok(headers)
}

/// Makes a header's value of any text, as CloudEvents does: what is not printable ASCII, a space, a quotation mark and a
/// percent sign are percent-encoded.
pub(super) fn value(text: &str) -> HeaderValue {
    const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%');
    let encoded: String = utf8_percent_encode(text, ENCODED).collect();
    HeaderValue::try_from(encoded).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(&str, &str)]) -> Result<HeaderMap, String> {
        let mut resource = Resource::new("sinks.x", "https://example.com/");
        resource.headers = given.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        read(&resource)
    }

    #[test]
    fn values_are_secrets() {
        let headers = headers(&[("Authorization", "Bearer s3cret"), ("x-a", "b")]).unwrap();
        assert_eq!(headers["authorization"], "Bearer s3cret");
        assert!(!format!("{headers:?}").contains("s3cret"));
    }

    #[test]
    fn what_may_not_be_sent_is_refused_by_name() {
        for (name, value, why) in [
            ("Host", "s3cret", "may not be set"),
            ("content-length", "s3cret", "may not be set"),
            ("Idempotency-Key", "s3cret", "may not be set"),
            ("Transfer-Encoding", "s3cret", "may not be set"),
            ("Fourstroke-Action", "s3cret", "may not be set"),
            ("x\r\ny", "s3cret", "no header's name"),
            ("", "s3cret", "no header's name"),
            ("a b", "s3cret", "no header's name"),
            ("x-a", "s3cret\r\nx-b: c", "may not be sent"),
            ("x-a", "s3cret\n", "may not be sent"),
            ("x-a", "s3cret\0", "may not be sent"),
            ("x-a", "s3crét", "may not be sent"),
        ] {
            let sentence = headers(&[(name, value)]).unwrap_err();
            assert!(sentence.contains(why) && !sentence.contains("s3cr") && !sentence.contains('\n'), "{sentence}");
        }
        assert!(headers(&[("X-A", "1"), ("x-a", "2")]).unwrap_err().contains("twice"));
    }

    #[test]
    fn any_text_can_be_a_value() {
        assert_eq!(value("a\r\nb: ü%20 \"x\""), "a%0D%0Ab:%20%C3%BC%2520%20%22x%22");
    }
}
