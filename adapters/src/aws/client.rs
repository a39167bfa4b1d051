//! The SDK's HTTP client, over connections that are kept over freezes.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::Request,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use fourstroke::{
    clock::Clock,
    error::Kind,
    ports::{SendError, Sent},
};
use hyper::{
    Response, Uri,
    header::{self, HeaderValue},
    http::uri::PathAndQuery,
};

use crate::connection::{Ask, Channel, Cut, Place, Reach};

/// As long as a model may be, and its parts.
const LARGEST: usize = 1 << 30;
/// How long a connection may take to make, for whoever is the first.
const CONNECT: Duration = Duration::from_secs(2);
/// What the settings say where they say nothing.
const TIMEOUT: Duration = Duration::from_secs(5);

/// One channel per endpoint, for all services.
#[derive(Clone)]
pub(super) struct Client(Arc<Shared>);

struct Shared {
    channels: Mutex<HashMap<String, Arc<Channel>>>,
    clock: Clock,
}

impl Client {
    pub(super) fn new(clock: Clock) -> Client {
        Client(Arc::new(Shared { channels: Mutex::default(), clock }))
    }
}

/// The client with the time of one call.
#[derive(Debug)]
struct Timed {
    client: Client,
    read: Duration,
}

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Timed { client: self.clone(), read: settings.read_timeout().unwrap_or(TIMEOUT) })
    }
}

impl HttpConnector for Timed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (client, read) = (self.client.clone(), self.read);
        HttpConnectorFuture::new(async move {
            let answered = client.0.answer(request, read).await;
            // What became of the request goes with the error, for `fault` to find.
            answered.map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

impl Shared {
    async fn answer(&self, request: HttpRequest, read: Duration) -> Result<HttpResponse, SendError> {
        let only_connect = request.extension::<OnlyConnect>().is_some();
        let repeatable = request.extension::<Repeatable>().is_some();
        let request = request.try_into_http1x().map_err(|error| unfit(error.to_string()))?;
        let (mut head, body) = request.into_parts();
        let channel = self.channel(&head.uri)?;
        if only_connect {
            channel.open().await?;
            return Err(unfit("only a connection was wanted".to_owned()));
        }
        let authority = head.uri.authority().map_or("", |authority| authority.as_str());
        let host = HeaderValue::from_str(authority).map_err(|error| unfit(error.to_string()))?;
        head.headers.insert(header::HOST, host);
        let body = body.bytes().ok_or_else(|| unfit("a body that is a stream cannot be sent".to_owned()))?;
        let path = head.uri.into_parts().path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        let ask = Ask {
            method: head.method,
            uri: Uri::from(path),
            headers: head.headers,
            body: Bytes::copy_from_slice(body),
            most: LARGEST,
            patience: None,
            repeatable,
        };
        let answer = channel.ask(&ask, read).await?;
        let body = answer.body.map_err(|cut| SendError {
            kind: Kind::Retryable,
            sent: Sent::Unknown,
            reason: match cut {
                Cut::TooLong => "the answer is longer than 1 GiB".to_owned(),
                Cut::Broken => "the answer did not come to its end".to_owned(),
            },
        })?;
        let mut response = Response::new(SdkBody::from(body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        HttpResponse::try_from(response).map_err(|error| SendError { sent: Sent::Unknown, ..unfit(error.to_string()) })
    }

    fn channel(&self, uri: &Uri) -> Result<Arc<Channel>, SendError> {
        let mut origin = uri.clone().into_parts();
        origin.path_and_query = Some(PathAndQuery::from_static("/"));
        let origin = Uri::from_parts(origin).map_err(|error| unfit(error.to_string()))?;
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(&origin.to_string()) {
            return Ok(channel.clone());
        }
        let place = Place { origin: origin.clone(), reach: Reach::Any };
        let channel = Arc::new(Channel::new(place, CONNECT, self.clock.clone()).map_err(unfit)?);
        channels.insert(origin.to_string(), channel.clone());
        Ok(channel)
    }
}

/// A call whose repetition changes nothing.
#[derive(Clone, Debug)]
struct Repeatable;

/// Marks a call whose repetition changes nothing: it is made once more where a kept connection turns out to have ended. For
/// `mutate_request`.
pub(crate) fn repeatable(request: &mut Request) {
    request.add_extension(Repeatable);
}

#[derive(Clone, Debug)]
struct OnlyConnect;

/// Marks a call that is to end when everything for it is there: endpoint, credentials, a connection. It always fails. For
/// `mutate_request`.
pub(crate) fn only_connect(request: &mut Request) {
    request.add_extension(OnlyConnect);
}

fn unfit(reason: String) -> SendError {
    SendError { kind: Kind::Fatal, sent: Sent::No, reason }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}
