//! Whole objects, such as models and their category tables, and what tells whether they changed.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use bytes::Bytes;
use fourstroke::config::Resource;

use super::client;
use crate::{
    aws::{self, Fault},
    target::s3::{self as target, Target},
};

/// As long as reading one may take where the resource says nothing.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Reads a whole object of at most 1 GiB, in the process's own account.
///
/// # Errors
/// One sentence: the URL names no object, no region is named, it is not there or may not be read, or did not come whole.
pub async fn read(resource: &Resource) -> Result<Bytes, String> {
    S3Object::open(resource).await?.read().await
}

/// Asks for what differs whenever an object has other content, in the process's own account.
///
/// # Errors
/// As of [`read`].
pub async fn etag(resource: &Resource) -> Result<String, String> {
    S3Object::open(resource).await?.etag().await
}

/// One object in a bucket.
#[derive(Clone, Debug)]
pub struct S3Object {
    client: Client,
    target: Target,
    shown: String,
}

impl S3Object {
    /// Takes an object in the process's own account ([`aws::account`]); nothing is connected to yet.
    ///
    /// # Errors
    /// One sentence: the URL names no object, or no region is named.
    pub async fn open(resource: &Resource) -> Result<S3Object, String> {
        target::of_object(resource)?;
        S3Object::at(resource, &aws::account().await?)
    }

    /// Takes an object in an account.
    ///
    /// # Errors
    /// One sentence: the URL names no object.
    ///
    /// # Examples
    /// ```
    /// use fourstroke_adapters::{aws, s3::S3Object};
    ///
    /// # async fn example() -> Result<(), String> {
    /// let account = aws::account_at("http://127.0.0.1:4566", "eu-central-1").await;
    /// let model = S3Object::at(&fourstroke::config::Resource::new("model", "s3://models/late.onnx"), &account)?;
    /// let (version, bytes) = (model.etag().await?, model.read().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn at(resource: &Resource, account: &SdkConfig) -> Result<S3Object, String> {
        let target = target::of_object(resource)?;
        Ok(S3Object { client: client::of(account, resource, TIMEOUT), target, shown: resource.shown() })
    }

    /// Reads it whole, at most 1 GiB, with
    /// [GetObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html). The SDK compares it with the checksum
    /// S3 keeps.
    ///
    /// # Errors
    /// One sentence: it is not there, may not be read, is longer, or did not come whole.
    pub async fn read(&self) -> Result<Bytes, String> {
        let Target { bucket, path } = &self.target;
        let asked = self.client.get_object().bucket(bucket).key(path);
        let answer = asked.customize().mutate_request(aws::repeatable).send().await;
        let answer = answer.map_err(|error| Fault::of(&self.shown, &error).reason)?;
        let body =
            answer.body.collect().await.map_err(|error| format!("`{}` did not come whole: {error}", self.shown))?;
        Ok(body.into_bytes())
    }

    /// Asks for what differs whenever it has other content, without reading it: its ETag and, where the bucket keeps
    /// versions, its version, by [HeadObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
    ///
    /// # Errors
    /// One sentence: it is not there, may not be looked at, or has no ETag.
    pub async fn etag(&self) -> Result<String, String> {
        let Target { bucket, path } = &self.target;
        let asked = self.client.head_object().bucket(bucket).key(path);
        let answer = asked.customize().mutate_request(aws::repeatable).send().await;
        let answer = answer.map_err(|error| Fault::of(&self.shown, &error).reason)?;
        let etag = answer.e_tag().ok_or_else(|| format!("`{}` has no ETag: it cannot be reloaded", self.shown))?;
        Ok(match answer.version_id() {
            Some(version) => format!("{etag} {version}"),
            None => etag.to_owned(),
        })
    }
}
