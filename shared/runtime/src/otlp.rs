//! Spans exported by OTLP over HTTP, where `OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`) says where to.
//!
//! They are kept until somebody flushes them, before an answer is given: behind it a platform may freeze the process, so nothing
//! is left to a task in the background.

use std::{
    env,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider};
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SdkTracerProvider, Span, SpanData, SpanExporter as _, SpanProcessor},
};
use tracing::{Subscriber, warn};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::registry::LookupSpan;

use crate::Caller;

/// Beyond these many the newest are dropped: a batch makes a handful.
const MOST: usize = 10_000;
/// As long as an export may take, with all that waits before it.
const PATIENCE: Duration = Duration::from_secs(1);

/// What exports spans.
#[derive(Debug)]
pub(crate) struct Otlp {
    exporter: tokio::sync::Mutex<SpanExporter>,
    kept: Kept,
    provider: SdkTracerProvider,
}

impl Otlp {
    /// Makes one, if the environment says where to.
    pub(crate) fn start() -> Option<Otlp> {
        let named = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
        named.iter().find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))?;
        let client = HyperClient::with_default_connector(PATIENCE, None);
        let mut exporter = SpanExporter::builder().with_http().with_http_client(client).build().ok()?;
        // `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` are read by it.
        let resource = Resource::builder().build();
        exporter.set_resource(&resource);
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder().with_resource(resource).with_span_processor(kept.clone()).build();
        Some(Otlp { exporter: tokio::sync::Mutex::new(exporter), kept, provider })
    }

    /// Makes the layer that keeps spans.
    pub(crate) fn layer<S: Subscriber + for<'span> LookupSpan<'span>>(
        &self,
    ) -> OpenTelemetryLayer<S, opentelemetry_sdk::trace::SdkTracer> {
        tracing_opentelemetry::layer().with_tracer(self.provider.tracer("fourstroke"))
    }

    /// Exports what is kept. What cannot be exported is told, and lost: no decision depends on it.
    pub(crate) async fn flush(&self) {
        let spans = std::mem::take(&mut *self.kept.lock());
        if spans.is_empty() {
            return;
        }
        let count = spans.len();
        let export = async { self.exporter.lock().await.export(spans).await };
        match tokio::time::timeout(PATIENCE, export).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(count, "spans could not be exported: {error}"),
            Err(_) => warn!(count, "spans could not be exported in time"),
        }
    }
}

/// Puts a span below its caller's.
pub(crate) fn belongs_to(span: &tracing::Span, caller: Caller) {
    let flags = if caller.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let (trace, parent) = (TraceId::from(caller.trace_id), SpanId::from(caller.span_id));
    let context = SpanContext::new(trace, parent, flags, true, TraceState::default());
    // It fails where nothing is exported.
    drop(span.set_parent(opentelemetry::Context::new().with_remote_span_context(context)));
}

/// Spans that have ended.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl Kept {
    /// A panic while holding the lock leaves a list that is still sound.
    fn lock(&self) -> MutexGuard<'_, Vec<SpanData>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpanProcessor for Kept {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        let mut kept = self.lock();
        if kept.len() < MOST {
            kept.push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
