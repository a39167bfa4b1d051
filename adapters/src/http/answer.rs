//! What a status means, and what of an answer may be repeated.

use bytes::Bytes;
use fourstroke::{
    config::Resource,
    error::Kind,
    ports::{SendError, Sent},
};
use hyper::{StatusCode, header::RETRY_AFTER};

use super::client::Client;
use crate::connection::Answer;

/// Makes the error of an answer that is none of those hoped for.
pub(super) fn unhoped(client: &Client, answer: &Answer) -> SendError {
    let status = answer.status;
    let (kind, sent) = match status.as_u16() {
        // It took nothing: come back later.
        429 | 503 => (Kind::Retryable, Sent::No),
        408 | 425 => (Kind::Retryable, Sent::Unknown),
        // Perhaps an earlier request of the same idempotency key is being handled still.
        409 if answer.again || answer.headers.contains_key(RETRY_AFTER) => (Kind::Retryable, Sent::Unknown),
        409 => (Kind::Poison, Sent::Unknown),
        401 | 403 | 407 => (Kind::Fatal, Sent::No),
        300..=399 => (Kind::Fatal, Sent::No),
        400..=499 => (Kind::Poison, Sent::No),
        // A service that says it has done something else will not do this.
        200..=299 => (Kind::Poison, Sent::Unknown),
        _ => (Kind::Retryable, Sent::Unknown),
    };
    let mut what = format!("it answered {}", shown(status));
    match status.as_u16() {
        300..=399 => what += "; redirects are not followed: name the address it redirects to in the pipeline file",
        401 | 403 | 407 => what += "; look at its `headers:`",
        _ => {}
    }
    if kind == Kind::Poison
        && let Ok(body) = &answer.body
        && let Some(excerpt) = client.redaction.excerpt(body)
    {
        what += &format!(": {excerpt}");
    }
    client.failed(kind, sent, &what)
}

fn shown(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// The texts of a resource that must not come back out of an answer that repeats its request.
pub(super) struct Redaction(Vec<String>);

impl Redaction {
    /// Takes the values of the headers, whole and word by word, and of a URL from a variable.
    pub(super) fn new(resource: &Resource) -> Redaction {
        // Shorter words say little and are everywhere.
        const SHORTEST: usize = 4;
        let mut secrets: Vec<String> = Vec::new();
        for value in resource.headers.values() {
            secrets.push(value.trim().to_owned());
            secrets.extend(value.split([' ', ',', ';', '=', ':']).map(str::to_owned));
        }
        if resource.variable.is_some() {
            secrets.push(resource.rest().to_owned());
            secrets.extend(resource.rest().split(['/', '?', '&', '=']).map(str::to_owned));
        }
        secrets.retain(|secret| secret.len() >= SHORTEST);
        // The whole before its parts.
        secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
        Redaction(secrets)
    }

    /// Returns the beginning of a body on one line, without secrets; none if nothing is left.
    fn excerpt(&self, body: &Bytes) -> Option<String> {
        const LONGEST: usize = 200;
        let mut text = String::from_utf8_lossy(body).into_owned();
        for secret in &self.0 {
            text = text.replace(secret.as_str(), "…");
        }
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = words.join(" ");
        let excerpt: String = line.chars().take(LONGEST).collect();
        let more = if excerpt.len() < line.len() { "…" } else { "" };
        (!excerpt.is_empty()).then(|| format!("{excerpt}{more}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_one_short_line_without_secrets() {
        let mut resource = Resource::new("sinks.x", "https://h.org/p?token=t0ken");
        resource.variable = Some("URL".to_owned());
        resource.headers.insert("authorization".to_owned(), "Bearer s3cret".to_owned());
        let excerpt = |body: &str| Redaction::new(&resource).excerpt(&Bytes::copy_from_slice(body.as_bytes()));
        assert_eq!(excerpt("bad\r\n\x1b[31m  id").as_deref(), Some("bad [31m id"));
        assert_eq!(excerpt("got Bearer s3cret, s3cret and t0ken").as_deref(), Some("got …, … and …"));
        assert_eq!(excerpt(" \n"), None);
        let long = excerpt(&"é".repeat(500)).unwrap();
        assert_eq!((long.chars().count(), long.ends_with('…')), (201, true));
        // Cut after redaction: no half of a secret is left at the end.
        assert!(!excerpt(&format!("{}s3cret", "x".repeat(197))).unwrap().contains("s3c"));
    }
}
