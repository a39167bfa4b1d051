//! Where and as whom: region, endpoints, credentials, read once.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use fourstroke::{clock::Clock, config::Resource};
use tokio::sync::OnceCell;

use super::client::Client;

/// How long an answer may take to come where nothing else is said.
const ATTEMPT: Duration = Duration::from_secs(5);

/// Returns what the process's environment and files say, as all adapters share it.
///
/// # Errors
/// One sentence: no region is named.
pub async fn account() -> Result<SdkConfig, String> {
    static SHARED: OnceCell<SdkConfig> = OnceCell::const_new();
    let shared = SHARED.get_or_init(|| load(aws_config::defaults(BehaviorVersion::latest()))).await;
    match shared.region() {
        Some(_) => Ok(shared.clone()),
        None => Err("no region is named; set AWS_REGION".to_owned()),
    }
}

/// Returns an account at an endpoint, such as a stand-in's, with connections of its own. Credentials are found as by
/// [`account`].
///
/// # Examples
/// ```
/// # async fn example() {
/// let account = fourstroke_adapters::aws::account_at("http://127.0.0.1:4566", "eu-central-1").await;
/// assert_eq!(account.endpoint_url(), Some("http://127.0.0.1:4566"));
/// # }
/// ```
pub async fn account_at(endpoint: &str, region: &str) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest());
    load(loader.endpoint_url(endpoint).region(Region::new(region.to_owned()))).await
}

async fn load(loader: ConfigLoader) -> SdkConfig {
    loader
        .http_client(Client::new(Clock::system()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts(ATTEMPT))
        // Whole answers are read at once, within the call's own time.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .load()
        .await
}

/// Returns an account whose calls may take as long as a resource says.
pub(crate) fn within(account: &SdkConfig, resource: &Resource) -> SdkConfig {
    match resource.timeout {
        None => account.clone(),
        Some(timeout) => account.to_builder().timeout_config(timeouts(timeout)).build(),
    }
}

/// The time of a call alone is bounded here: credentials that must be fetched first have their own.
fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().read_timeout(attempt).build()
}
