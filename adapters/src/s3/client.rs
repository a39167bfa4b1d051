//! The SDK's client, as long as a resource lets a call take.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::{Client, config::Builder};
use fourstroke::config::Resource;

use crate::aws;

/// Makes a client; nothing is connected to yet. A call may take so long where the resource says nothing.
pub(super) fn of(account: &SdkConfig, resource: &Resource, timeout: Duration) -> Client {
    let mut resource = resource.clone();
    resource.timeout.get_or_insert(timeout);
    let account = aws::within(account, &resource);
    // An endpoint that somebody names is a stand-in, which has no host per bucket, or a VPC's, which takes either.
    let named = account.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
    Client::from_conf(Builder::from(&account).force_path_style(named).build())
}
