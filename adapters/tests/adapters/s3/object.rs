//! Objects that are read: models and tables, and what tells that they changed.

use std::process::Command;

use fourstroke::config::Resource;
use fourstroke_adapters::{open, s3::S3Object};
use fourstroke_localstack::moto;

use super::{Bucket, item};
use crate::aws::account_at_moto;

#[tokio::test]
async fn an_object_is_read_whole_and_told_by_its_etag() {
    let Some(account) = account_at_moto().await else { return };
    let bucket = Bucket::new(&account).await;
    bucket.put("models/größer late %20.onnx", b"weights").await;
    let object = S3Object::at(&bucket.resource("/models/größer late %20.onnx"), &account).unwrap();
    assert_eq!(object.read().await.unwrap(), "weights");
    let first = object.etag().await.unwrap();
    assert_eq!(object.etag().await.unwrap(), first);
    bucket.put("models/größer late %20.onnx", b"WEIGHTS").await;
    assert_ne!(object.etag().await.unwrap(), first);
    assert_eq!(object.read().await.unwrap(), "WEIGHTS");
    bucket.put("models/größer late %20.onnx", b"weights").await;
    assert_eq!(object.etag().await.unwrap(), first, "the same content is no news");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let Some(account) = account_at_moto().await else { return };
    let bucket = Bucket::new(&account).await;
    let object = S3Object::at(&bucket.resource("/models/late.onnx"), &account).unwrap();
    let place = format!("`s3://{}/models/late.onnx`: ", bucket.name);
    for sentence in [object.read().await.unwrap_err(), object.etag().await.unwrap_err()] {
        assert!(sentence.starts_with(&place) && sentence.len() > place.len(), "{sentence}");
    }
}

/// Another process, as variables are a process's own.
#[tokio::test(flavor = "multi_thread")]
async fn region_endpoint_and_credentials_come_from_the_environment() {
    let Some(account) = account_at_moto().await else { return };
    let bucket = Bucket::new(&account).await;
    bucket.put("m.onnx", b"weights").await;
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "s3::object::read_by_the_environment", "--ignored"])
        .env("FOURSTROKE_TEST_BUCKET", &bucket.name)
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .env("AWS_ENDPOINT_URL_S3", moto::shared().unwrap().endpoint())
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert_eq!(bucket.keys().await.len(), 2);
}

#[ignore = "run by region_endpoint_and_credentials_come_from_the_environment"]
#[tokio::test]
async fn read_by_the_environment() {
    let Ok(bucket) = std::env::var("FOURSTROKE_TEST_BUCKET") else { return };
    let object = Resource::new("infer.m.model", format!("s3://{bucket}/m.onnx"));
    assert_eq!(open::read(&object).await.unwrap(), "weights");
    assert!(!open::etag(&object).await.unwrap().is_empty());
    let log = open::sink(&Resource::new("sinks.log", format!("s3://{bucket}"))).await.unwrap();
    log.connect().await;
    log.send(&[item("1", "x")]).await[0].as_ref().unwrap();
}
