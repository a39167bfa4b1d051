//! What the tests of AWS's services share: an account at a stand-in, with keys that open nothing.

pub mod faults;

use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use fourstroke_adapters::aws;
use fourstroke_localstack::moto;

/// An account at an endpoint.
pub async fn account(endpoint: &str) -> SdkConfig {
    let keys = Credentials::new("test", "test", None, None, "tests");
    let account = aws::account_at(endpoint, "eu-central-1").await;
    account.to_builder().credentials_provider(SharedCredentialsProvider::new(keys)).build()
}

/// An account at the moto that all tests share; none where it is not installed.
pub async fn account_at_moto() -> Option<SdkConfig> {
    Some(account(&moto::shared()?.endpoint()).await)
}
