//! Which web pages may ask: [CORS](https://fetch.spec.whatwg.org/#http-cors-protocol).

use std::collections::BTreeMap;

/// Names the origins whose pages may send events and read answers. None: only what is no web page, or of the same origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Such as `https://shop.example`, or `*` for all.
    pub origins: Vec<String>,
}

pub(super) type Headers = BTreeMap<&'static str, String>;

impl Cors {
    /// Returns what an answer to a page of that origin says.
    pub(super) fn answer(&self, origin: Option<&str>) -> Headers {
        let mut headers = Headers::new();
        let everyone = self.origins.iter().any(|allowed| allowed == "*");
        if everyone {
            headers.insert("access-control-allow-origin", "*".to_owned());
        } else if !self.origins.is_empty() {
            // Said to others too, or what is kept of one answer would be given to another origin.
            headers.insert("vary", "Origin".to_owned());
            // Compared byte by byte, as browsers do.
            if let Some(origin) = origin.filter(|origin| self.origins.iter().any(|allowed| allowed == origin)) {
                headers.insert("access-control-allow-origin", origin.to_owned());
            }
        }
        headers
    }

    /// Returns what is said before a request to a page of that origin that wants to send such headers.
    pub(super) fn preflight(&self, origin: Option<&str>, wanted: Option<&str>) -> Headers {
        const AGE: u32 = 7_200;
        let mut headers = self.answer(origin);
        if headers.contains_key("access-control-allow-origin") {
            headers.insert("access-control-allow-methods", "POST".to_owned());
            headers.insert("access-control-max-age", AGE.to_string());
            // All become attributes of the event, and none can do harm.
            headers.extend(wanted.map(|wanted| ("access-control-allow-headers", wanted.to_owned())));
        }
        headers
    }
}
