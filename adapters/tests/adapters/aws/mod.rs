//! What the tests of AWS's services share: an account at a stand-in, with keys that open nothing.

pub mod faults;

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use fourstroke_adapters::aws;

/// An account at an endpoint.
pub async fn account(endpoint: &str) -> SdkConfig {
    let keys = Credentials::new("test", "test", None, None, "tests");
    let account = aws::account_at(endpoint, "eu-central-1").await;
    account.to_builder().credentials_provider(SharedCredentialsProvider::new(keys)).build()
}
