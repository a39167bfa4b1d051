//! A table's URL with places for the parts of a key: `https://HOST/customers/{id}?region={region}`.

use fourstroke::config::Resource;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::target::Target;

/// Everything but what a URL never treats specially (RFC 3986's unreserved characters).
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Path and query, taken apart at the placeholders.
#[derive(Debug)]
pub(super) struct Template {
    /// Before the first placeholder.
    head: String,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    /// Which part of the key goes here.
    part: usize,
    in_query: bool,
    /// What follows, up to the next placeholder.
    then: String,
}

/// What a key makes of a template.
#[derive(Debug, PartialEq)]
pub(super) enum Filled {
    /// Path and query.
    Path(String),
    /// A part of the path would be empty, which names nothing.
    Nothing,
    /// A part would lead elsewhere.
    Astray,
}

impl Template {
    /// Reads a table's URL.
    ///
    /// # Errors
    /// One sentence: the URL may not be used, or its placeholders are not the names in `key:`.
    pub(super) fn read(resource: &Resource) -> Result<(Target, Template), String> {
        let shown = resource.shown();
        if resource.key.is_empty() {
            return Err(format!("`{shown}` needs `key:`, the names of its placeholders, such as `{{id}}`"));
        }
        let pieces = pieces(&resource.url).ok_or_else(|| format!("`{shown}` has a brace without its other one"))?;
        let mut url = pieces[0].1.to_owned();
        if !starts_path(&url) && pieces.len() > 1 {
            return Err(format!("`{shown}` has a placeholder before its path; one may stand in path and query only"));
        }
        // The URL is normalised as a whole, with something in each place that no parser changes.
        let mark = unused(&resource.url);
        let mut parts = Vec::new();
        for (name, then) in &pieces[1..] {
            let part = resource.key.iter().position(|key| key == name);
            parts.push(part.ok_or_else(|| format!("`{shown}` has a place for `{name}`, which `key` does not name"))?);
            url.push_str(&mark);
            url.push_str(then);
        }
        if let Some(unused) = (0..resource.key.len()).find(|part| !parts.contains(part)) {
            return Err(format!("`{shown}` has no place for `{{{}}}`, which `key` names", resource.key[unused]));
        }
        let target = Target::read(resource, &url)?;
        let mut rest = target.path.split(&mark);
        let head = rest.next().unwrap_or_default().to_owned();
        let mut in_query = head.contains('?');
        let mut places = Vec::new();
        for (part, then) in parts.into_iter().zip(rest) {
            places.push(Place { part, in_query, then: then.to_owned() });
            in_query |= then.contains('?');
        }
        Ok((target, Template { head, places }))
    }

    /// Puts the parts of a key in, percent-encoded.
    pub(super) fn fill(&self, parts: &[String]) -> Filled {
        let mut path = self.head.clone();
        for place in &self.places {
            let value = &parts[place.part];
            if value.is_empty() && !place.in_query {
                return Filled::Nothing;
            }
            path.extend(utf8_percent_encode(value, VALUE));
            path.push_str(&place.then);
        }
        match leads_astray(&path) {
            true => Filled::Astray,
            false => Filled::Path(path),
        }
    }
}

/// Tells whether a path would be another one to somebody who decodes before taking it apart: an encoded slash is fine
/// in a segment, `..` between slashes of any kind is not.
fn leads_astray(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    decoded.split(['/', '\\']).any(|segment| matches!(segment, "." | ".."))
}

/// Splits at `{name}`: each name with the text behind it, the text before the first under no name.
fn pieces(url: &str) -> Option<Vec<(&str, &str)>> {
    let mut pieces = Vec::new();
    let (mut name, mut rest) = ("", url);
    loop {
        let open = rest.find('{').unwrap_or(rest.len());
        let (text, behind) = rest.split_at(open);
        if text.contains('}') {
            return None;
        }
        pieces.push((name, text));
        if behind.is_empty() {
            return Some(pieces);
        }
        let close = behind.find('}')?;
        (name, rest) = (&behind[1..close], &behind[close + 1..]);
        if name.contains('{') {
            return None;
        }
    }
}

/// Tells whether a URL's beginning goes as far as its path.
fn starts_path(url: &str) -> bool {
    let behind_scheme = url.split_once("://").map_or("", |(_, rest)| rest);
    behind_scheme.find(['/', '?']).is_some_and(|at| at > 0)
}

/// Makes a text of letters that a URL does not hold.
fn unused(url: &str) -> String {
    let mut mark = "place".to_owned();
    while url.contains(&mark) {
        mark.push('z');
    }
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(url: &str, key: &[&str]) -> Result<Template, String> {
        let mut resource = Resource::new("stores.x", url);
        resource.key = key.iter().map(ToString::to_string).collect();
        Template::read(&resource).map(|(_, template)| template)
    }

    fn filled(url: &str, parts: &[&str]) -> Filled {
        let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
        template(url, &["a", "b"][..parts.len()]).unwrap().fill(&parts)
    }

    #[test]
    fn parts_go_where_their_names_stand() {
        let path = |path: &str| Filled::Path(path.to_owned());
        assert_eq!(filled("https://h.org/c/{a}", &["42"]), path("/c/42"));
        assert_eq!(filled("https://h.org/{b}/{a}.json?x={b}&y", &["1", "2"]), path("/2/1.json?x=2&y"));
        assert_eq!(filled("https://h.org/x/../{a}?{b}", &["1", "2"]), path("/1?2"));
        assert_eq!(filled("https://h.org/place?x={a}", &[""]), path("/place?x="));
        assert_eq!(filled("https://h.org?x={a}", &["1"]), path("/?x=1"));
    }

    #[test]
    fn no_part_changes_the_path() {
        let path = |path: &str| Filled::Path(path.to_owned());
        assert_eq!(filled("https://h.org/c/{a}/d", &["a/b"]), path("/c/a%2Fb/d"));
        assert_eq!(filled("https://h.org/c/{a}", &["?x=1&y#z"]), path("/c/%3Fx%3D1%26y%23z"));
        assert_eq!(filled("https://h.org/c/{a}", &["%2e%2e"]), path("/c/%252e%252e"));
        assert_eq!(filled("https://h.org/c/{a}", &["é \n\0{a}"]), path("/c/%C3%A9%20%0A%00%7Ba%7D"));
        assert_eq!(filled("https://h.org/c/{a}", &["..."]), path("/c/..."));
        assert_eq!(filled("https://h.org/c?x={a}", &["../&y=1"]), path("/c?x=..%2F%26y%3D1"));
        assert_eq!(filled("https://h.org/c/{a}/d", &[""]), Filled::Nothing);
        for astray in [".", "..", "../admin", "a/../../b", "..\\admin", "a/.", "/.."] {
            assert_eq!(filled("https://h.org/c/{a}", &[astray]), Filled::Astray, "{astray}");
        }
        assert_eq!(filled("https://h.org/c/{a}{b}", &[".", "."]), Filled::Astray);
        assert_eq!(filled("https://h.org/c/.{a}", &["."]), Filled::Astray);
        assert_eq!(filled("https://h.org/c/%2E{a}/", &["."]), Filled::Astray);
    }

    #[test]
    fn a_template_that_does_not_fit_its_key_says_why() {
        for (url, key, why) in [
            ("https://h.org/{a}", &[][..], "needs `key:`"),
            ("https://h.org/{a}", &["a", "b"], "has no place for `{b}`"),
            ("https://h.org/{a}/{c}", &["a"], "has a place for `c`, which `key` does not name"),
            ("https://h.org/{a", &["a"], "a brace without its other one"),
            ("https://h.org/a}", &["a"], "a brace without its other one"),
            ("https://{a}/", &["a"], "in path and query only"),
            ("https://{a}.h.org/", &["a"], "in path and query only"),
            ("https://h.org:{a}/", &["a"], "in path and query only"),
            ("https://h.org/#{a}", &["a"], "has a fragment"),
        ] {
            let sentence = template(url, key).unwrap_err();
            assert!(sentence.contains(why), "{url}: {sentence}");
        }
    }
}
