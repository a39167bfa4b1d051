//! New connections: the name resolved, its addresses checked, TCP, TLS, HTTP/1.1.

use std::{
    error::Error,
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
    time::Duration,
};

use fourstroke::{
    error::Kind,
    ports::{SendError, Sent},
    warm,
};
use hyper::client::conn::http1;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{HttpConnector, dns::Name},
    rt::TokioIo,
};
use rustls::{CertificateError, ClientConfig, RootCertStore, crypto::aws_lc_rs};
use socket2::SockRef;
use tokio::net::TcpStream;
use tower_service::Service;

use super::{
    Place,
    address::{Reach, Refused},
    kept::Kept,
};

/// Makes connections to one place.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    place: Place,
    connector: HttpsConnector<HttpConnector<Resolver>>,
}

impl Connector {
    /// Reads the machine's trusted certificates, if the place needs them; connects to nothing.
    ///
    /// # Errors
    /// One sentence: there are none.
    pub(super) fn new(place: Place, timeout: Duration) -> Result<Connector, String> {
        const KEEPALIVE: Duration = Duration::from_secs(30);
        let mut tcp = HttpConnector::new_with_resolver(Resolver(place.reach));
        // TLS is put on top of it.
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(KEEPALIVE));
        // Shared among the addresses of a name, so that a dead one leaves time for the next.
        tcp.set_connect_timeout(Some(timeout));
        let tls = match place.origin.scheme_str() {
            Some("https") => trusting_the_machine()?,
            _ => builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
        };
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(tcp);
        Ok(Connector { place, connector })
    }

    /// Makes a connection.
    ///
    /// # Errors
    /// Nothing was sent. `Fatal`: the address or the certificate is refused.
    pub(super) async fn connect(&self) -> Result<Kept, SendError> {
        let mut connector = self.connector.clone();
        let stream = async {
            poll_fn(|cx| connector.poll_ready(cx)).await?;
            connector.call(self.place.origin.clone()).await
        };
        let stream = stream.await.map_err(|error| refused(&*error))?;
        let socket = SockRef::from(tcp(&stream)).try_clone().map_err(|error| refused(&error))?;
        let handshake = http1::Builder::new().handshake(stream).await;
        let (sender, connection) = handshake.map_err(|error| refused(&error))?;
        // Its failures reach whoever waits for an answer.
        tokio::spawn(async move { drop(connection.await) });
        warm::opened();
        Ok(Kept { sender, socket })
    }
}

fn tcp(stream: &MaybeHttpsStream<TokioIo<TcpStream>>) -> &TcpStream {
    match stream {
        MaybeHttpsStream::Http(stream) => stream.inner(),
        MaybeHttpsStream::Https(stream) => stream.inner().get_ref().0.inner().inner(),
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, String> {
    ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())
}

/// Trusts what the machine trusts: its store of certificates, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name. Read once.
fn trusting_the_machine() -> Result<ClientConfig, String> {
    static SHARED: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(shared) = SHARED.get() {
        return Ok(shared.clone());
    }
    let read = builder()?.with_native_roots().map_err(|error| {
        format!("there are no trusted certificates on this machine, and `https:` needs them (SSL_CERT_FILE may name them): {error}")
    })?;
    Ok(SHARED.get_or_init(|| read.with_no_client_auth()).clone())
}

/// Resolves a name to the addresses that may be connected to. Asked anew for each connection, and what it gives is what
/// is connected to: a name that changes its addresses between check and use gains nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolver(Reach);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(permitted(found, reach)?.into_iter())
        })
    }
}

/// Leaves out what may not be connected to.
///
/// # Errors
/// Why the last one was, if none is left.
fn permitted(
    found: impl Iterator<Item = SocketAddr>,
    reach: Reach,
) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
    let mut permitted = Vec::new();
    let mut refused = None;
    for address in found {
        match reach.check(address.ip()) {
            Ok(()) => permitted.push(address),
            Err(why) => refused = Some(why),
        }
    }
    match (permitted.is_empty(), refused) {
        (false, _) => Ok(permitted),
        (true, Some(why)) => Err(why.into()),
        (true, None) => Err(io::Error::new(io::ErrorKind::NotFound, "its name has no address").into()),
    }
}

/// Says why there is no connection. What the libraries say of names stays out: the URL may be a secret.
fn refused(error: &(dyn Error + 'static)) -> SendError {
    let mut causes: Vec<&(dyn Error + 'static)> = vec![error];
    while let Some(&last) = causes.last() {
        // An `io::Error` that only wraps another hides it from `source`.
        let inner = last.downcast_ref::<io::Error>().and_then(|error| error.get_ref());
        match inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| last.source()) {
            Some(next) => causes.push(next),
            None => break,
        }
    }
    let (kind, reason) = causes.iter().find_map(|cause| of_cause(*cause)).unwrap_or_else(|| {
        let last = causes.last().map(ToString::to_string).unwrap_or_default();
        (Kind::Retryable, format!("no connection: {last}"))
    });
    SendError { kind, sent: Sent::No, reason }
}

fn of_cause(cause: &(dyn Error + 'static)) -> Option<(Kind, String)> {
    if let Some(refused) = cause.downcast_ref::<Refused>() {
        return Some((Kind::Fatal, refused.to_string()));
    }
    let rustls::Error::InvalidCertificate(why) = cause.downcast_ref()? else { return None };
    let why = match why {
        CertificateError::UnknownIssuer => "was issued by nobody this machine trusts",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => "is another host's",
        CertificateError::Revoked => "was revoked",
        _ => "is not valid",
    };
    Some((Kind::Fatal, format!("its certificate {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_reached_is_left() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
        };
        let mixed = addresses(&["10.0.0.1", "1.1.1.1", "169.254.169.254", "::1"]);
        assert_eq!(permitted(mixed.into_iter(), Reach::Public).unwrap(), addresses(&["1.1.1.1"]));
        let refusal = permitted(addresses(&["169.254.169.254"]).into_iter(), Reach::Private).unwrap_err();
        let failed = super::refused(&*refusal);
        assert_eq!((failed.kind, failed.sent), (Kind::Fatal, Sent::No));
        assert!(failed.reason.contains("refused always") && !failed.reason.contains("169"), "{}", failed.reason);
        assert!(permitted(std::iter::empty(), Reach::Public).is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused_when_connected_to() {
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(Resolver(Reach::Public).call(name()).await.is_err());
        assert!(Resolver(Reach::Loopback).call(name()).await.unwrap().all(|address| address.ip().is_loopback()));
    }

    #[tokio::test]
    async fn what_is_connected_to_is_what_was_checked() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = format!("localhost:{}", listener.local_addr().unwrap().port());
        let at = |reach| {
            let origin = format!("http://{authority}/").parse().unwrap();
            Connector::new(Place { origin, reach }, Duration::from_secs(1)).unwrap()
        };
        let refused = at(Reach::Public).connect().await.err().expect("it is refused");
        assert_eq!(refused.kind, Kind::Fatal, "{}", refused.reason);
        let accepted = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(accepted.is_err(), "nothing was connected to");
        let permitted = at(Reach::Loopback);
        let (connected, accepted) = tokio::join!(permitted.connect(), listener.accept());
        assert!(connected.is_ok() && accepted.is_ok());
    }
}
