//! Payload format 2.0 of [function URLs](https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads)
//! and [HTTP APIs](https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::DateTime;
use fourstroke::{
    error::Error,
    event::{Decoded, Event},
    ports::{Payload, Trigger},
    report::Report,
};
use serde::{Deserialize, Serialize};

use super::cors::{Cors, Headers};
use crate::{
    http_reply::HttpReply,
    pairs::Pairs,
    payload::{self, Text, place, refused},
    unstable,
};

/// The header that is an event's id.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Takes an HTTP request as an event, and answers with what was decided.
///
/// | of an event | is |
/// |---|---|
/// | id | the header `Idempotency-Key`; else the request's id, which is another one whenever it is sent again |
/// | time | when the request came |
/// | attributes | the headers, but those that hold secrets: attributes go into dead letters |
///
/// | ended as | status | body |
/// |---|---|---|
/// | acted, passed, skipped | 200 | `{"decision_id", "disposition", "actions": [{"name", "data"}]}` |
/// | dead-lettered | 422 | `{"decision_id", "disposition", "code", "reason"}` |
/// | retry | 503, `Retry-After: 1` | `{"decision_id", "disposition", "code"}` |
/// | retry, after a fatal error | 500 | the same |
///
/// Where the body held several events the status is 200, and the body a list in which each entry has its own `status`.
///
/// A payload is one if it has `requestContext.http`. Ask [`preflight`](FunctionUrlTrigger::preflight) first.
#[derive(Clone, Debug, Default)]
pub struct FunctionUrlTrigger {
    cors: Cors,
}

/// Holds an HTTP response as payload format 2.0 has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// Such as 200.
    pub status_code: u16,
    /// By name, in lower case.
    pub headers: Headers,
    /// JSON, or nothing.
    pub body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow)]
    request_context: Context<'a>,
    #[serde(borrow)]
    headers: Option<Pairs<'a, Text<'a>>>,
    #[serde(borrow)]
    body: Option<Text<'a>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    #[serde(borrow)]
    http: Http<'a>,
    #[serde(borrow)]
    request_id: Option<Text<'a>>,
    time_epoch: Option<i64>,
}

#[derive(Deserialize)]
struct Http<'a> {
    #[serde(borrow)]
    method: Text<'a>,
}

impl FunctionUrlTrigger {
    /// Makes one whose answers the pages of some origins may read.
    pub fn new(cors: Cors) -> FunctionUrlTrigger {
        FunctionUrlTrigger { cors }
    }

    /// Answers what brings no event: what browsers ask before they send a request from another origin (`OPTIONS`), and
    /// every method but POST, PUT and PATCH (405). Nothing: it is to be [decoded](Trigger::decode).
    pub fn preflight(&self, payload: &Payload) -> Option<Response> {
        let request: Request<'_> = serde_json::from_slice(&payload.body).ok()?;
        let origin = request.header("origin");
        match request.request_context.http.method.to_ascii_uppercase().as_str() {
            "POST" | "PUT" | "PATCH" => None,
            "OPTIONS" => {
                let headers = self.cors.preflight(origin, request.header("access-control-request-headers"));
                Some(Response { status_code: 204, headers, body: String::new() })
            }
            _ => {
                let mut headers = self.cors.answer(origin);
                headers.insert("allow", "OPTIONS, PATCH, POST, PUT".to_owned());
                Some(Response { status_code: 405, headers, body: String::new() })
            }
        }
    }
}

impl Request<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        let headers = self.headers.as_ref()?.0.iter();
        headers.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value).next()
    }
}

impl Trigger for FunctionUrlTrigger {
    type Reply = Response;

    fn decode(&self, payload: Payload) -> Result<Vec<Decoded>, Error> {
        let payload = payload::text(payload.body)?;
        let request: Request<'_> = serde_json::from_str(&payload)
            .map_err(|error| refused(format!("the payload is no request in format 2.0: {}", place(&error))))?;
        let mut event = event(&request);
        let sent = request.body.map(|body| body.within(&payload)).unwrap_or_default();
        let body = if request.is_base64_encoded { decoded(&sent) } else { Ok(sent.clone().into_bytes()) };
        let headers = request.headers.unwrap_or_default().0.into_iter().filter(|(name, _)| !is_secret(name));
        event.attributes.extend(headers.map(|(name, value)| (name.within(&payload), value.within(&payload))));
        Ok(vec![match body {
            Ok(body) => Event { body, ..event }.into(),
            // Not the whole payload, which has the secrets.
            Err(reason) => Decoded::Undecodable { event: Event { body: sent.into_bytes(), ..event }, reason },
        }])
    }

    fn reply(&self, report: &Report) -> Response {
        let reply = HttpReply::of(report);
        let origin = report.inputs.first().and_then(|input| input.event().attribute("origin"));
        let mut headers = self.cors.answer(origin.map(|origin| &**origin));
        headers.insert("content-type", "application/json".to_owned());
        if reply.is_again() {
            headers.insert("retry-after", "1".to_owned());
        }
        Response { status_code: reply.status, headers, body: reply.body }
    }
}

/// Makes an event of what is known beside body and headers.
fn event(request: &Request<'_>) -> Event {
    let context = &request.request_context;
    let mut event = match request.header(IDEMPOTENCY_KEY).filter(|key| !key.is_empty()) {
        Some(key) => Event::new(key, Bytes::new()),
        None => {
            let id = context.request_id.as_deref().map_or_else(|| unstable::id("request"), str::to_owned);
            Event { stable_id: false, ..Event::new(id, Bytes::new()) }
        }
    };
    event.time = context.time_epoch.and_then(DateTime::from_timestamp_millis);
    event
}

fn decoded(body: &str) -> Result<Bytes, String> {
    let decoded = STANDARD.decode(body).map_err(|error| format!("`body` is not base64: {error}"))?;
    Ok(decoded.into())
}

/// Tells whether a header lets whoever reads it do what its sender may.
/// Rather one too many: nobody decides by what is called so.
fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 6] = ["auth", "cookie", "key", "secret", "signature", "token"];
    let name = name.to_ascii_lowercase();
    name != IDEMPOTENCY_KEY && WORDS.iter().any(|word| name.contains(word))
}
