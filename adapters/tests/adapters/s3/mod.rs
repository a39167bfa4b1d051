//! `s3:`: the suite of its sink and its objects against a stand-in, and what S3 or a network may answer.

mod answers;
mod object;
mod sink;

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::{
    Client,
    config::Builder,
    primitives::ByteStream,
    types::{BucketLocationConstraint, CreateBucketConfiguration},
};
use bytes::Bytes;
use fourstroke::{config::Resource, ports::Outgoing};

/// A bucket of the stand-in that no other test uses.
struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    async fn new(account: &aws_config::SdkConfig) -> Bucket {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("bucket-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let client = Client::from_conf(Builder::from(account).force_path_style(true).build());
        let place = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::from("eu-central-1"))
            .build();
        client.create_bucket().bucket(&name).create_bucket_configuration(place).send().await.unwrap();
        Bucket { client, name }
    }

    fn resource(&self, path: &str) -> Resource {
        Resource::new("test", format!("s3://{}{path}", self.name))
    }

    async fn put(&self, key: &str, body: &'static [u8]) {
        let body = ByteStream::from_static(body);
        self.client.put_object().bucket(&self.name).key(key).body(body).send().await.unwrap();
    }

    async fn keys(&self) -> Vec<String> {
        let list = self.client.list_objects_v2().bucket(&self.name).send().await.unwrap();
        list.contents().iter().map(|object| object.key().unwrap().to_owned()).collect()
    }

    /// The lines of an object.
    async fn lines(&self, key: &str) -> Vec<Bytes> {
        let object = self.client.get_object().bucket(&self.name).key(key).send().await.unwrap();
        assert_eq!(object.content_type(), Some("application/gzip"));
        assert_eq!(object.content_encoding(), None, "nothing may unpack it on the way");
        let packed = object.body.collect().await.unwrap().into_bytes();
        let mut lines = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&packed[..]), &mut lines).unwrap();
        lines
            .split_inclusive(|&byte| byte == b'\n')
            .map(|line| Bytes::copy_from_slice(&line[..line.len() - 1]))
            .collect()
    }
}

fn item(id: &str, body: &str) -> Outgoing {
    Outgoing {
        id: id.into(),
        key: Some("k".into()),
        content_type: "application/json",
        attributes: Vec::new(),
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}
