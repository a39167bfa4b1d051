//! The lines of each call as one object, for decision logs and dead letters.

use std::{fmt, ops::Range, time::Duration};

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::{Client, primitives::ByteStream};
use bytes::Bytes;
use fourstroke::{
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{Outgoing, SendError, Sent, Sink},
};
use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::{
    client,
    pieces::{self, Piece},
};
use crate::{
    at_once::gathered,
    aws::{self, Fault},
    framed::joined,
    target::s3::{self as target, Target},
};

/// As long as putting an object may take where the resource says nothing.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How many objects of one call are put at the same time, all of them in memory.
const AT_ONCE: usize = 2;

type Answer = Result<(), SendError>;

/// Puts the bodies of each call, one a line, into a gzipped object `PREFIX/date=YYYY-MM-DD/<digest>.jsonl.gz`, or several if
/// they are longer than 64 MiB together.
///
/// The day is that of the call, in UTC. The digest is of the items' ids and lines: a call that is repeated the same day puts the
/// same object again. Lines stand in the order of the call; objects have none among each other, so `order` changes nothing.
///
/// The object is `application/gzip` without `Content-Encoding`, so that no client unpacks on the way what is called `.gz`.
///
/// A body that holds a newline, ends in a carriage return or is empty is refused as poison. A missing bucket and denied access
/// are fatal; what else [PutObject](https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html) answers is
/// retryable, and so are a lost connection and a timeout.
pub struct S3Sink {
    client: Client,
    target: Target,
    shown: String,
    clock: Clock,
}

impl S3Sink {
    /// Opens a sink in the process's own account ([`aws::account`]); nothing is connected to yet.
    ///
    /// # Errors
    /// One sentence: the URL names no bucket or a prefix that cannot be one, or no region is named.
    pub async fn open(resource: &Resource, clock: Clock) -> Result<S3Sink, String> {
        target::of_sink(resource)?;
        S3Sink::at(resource, &aws::account().await?, clock)
    }

    /// Opens a sink in an account.
    ///
    /// # Errors
    /// One sentence: the URL names no bucket or a prefix that cannot be one.
    pub fn at(resource: &Resource, account: &SdkConfig, clock: Clock) -> Result<S3Sink, String> {
        let target = target::of_sink(resource)?;
        Ok(S3Sink { client: client::of(account, resource, TIMEOUT), target, shown: resource.shown(), clock })
    }

    /// Puts the lines of some items as one object.
    async fn put(&self, items: &[Outgoing]) -> Vec<Answer> {
        let lines: Vec<_> = items.iter().map(|item| (item.id.clone(), item.body.clone())).collect();
        let packed = tokio::task::spawn_blocking(move || pieces::pack(&lines)).await;
        let Piece { packed, digest, framed } = match joined(packed) {
            Ok(piece) => piece,
            Err(error) => {
                let fault = Fault::new(&self.shown, Kind::Retryable, Sent::No, &error.to_string());
                return items.iter().map(|_| Err(fault.clone().into())).collect();
            }
        };
        let put = match packed {
            Some(packed) => self.put_object(packed, &digest).await,
            None => Ok(()),
        };
        framed.answers(put)
    }

    async fn put_object(&self, packed: Bytes, digest: &str) -> Result<(), SendError> {
        let Target { bucket, path } = &self.target;
        let key = pieces::key(path, self.clock.now().date_naive(), digest);
        let put = self.client.put_object().bucket(bucket).key(key).content_type("application/gzip");
        let put = put.body(ByteStream::from(packed)).customize().mutate_request(aws::repeatable);
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(Fault::of(&self.shown, &error).into()),
        }
    }

    async fn put_all(&self, items: &[Outgoing], until: Option<Instant>) -> Vec<Option<Answer>> {
        let parts = pieces::parts(items);
        let puts = parts.iter().map(|part| Box::pin(self.put(&items[part.clone()])));
        each(puts.collect(), &parts, until).await
    }
}

/// Puts each part, and gives the answers of those that are done by then.
async fn each(
    puts: Vec<impl Future<Output = Vec<Answer>>>,
    parts: &[Range<usize>],
    until: Option<Instant>,
) -> Vec<Option<Answer>> {
    let puts = puts.into_iter().enumerate().map(async |(nth, put)| (nth, put.await));
    let answers = gathered(stream::iter(puts).buffer_unordered(AT_ONCE), parts.len(), until).await;
    let of_part = |(part, answers): (&Range<usize>, Option<Vec<Answer>>)| match answers {
        Some(answers) => answers.into_iter().map(Some).collect(),
        None => vec![None; part.len()],
    };
    parts.iter().zip(answers).flat_map(of_part).collect()
}

#[async_trait]
impl Sink for S3Sink {
    async fn connect(&self) {
        let asked = self.client.head_bucket().bucket(&self.target.bucket);
        drop(asked.customize().mutate_request(aws::only_connect).send().await);
    }

    async fn send(&self, items: &[Outgoing]) -> Vec<Answer> {
        self.put_all(items, None).await.into_iter().flatten().collect()
    }

    async fn send_by(&self, items: &[Outgoing], until: Instant) -> Vec<Option<Answer>> {
        self.put_all(items, Some(until)).await
    }
}

impl fmt::Debug for S3Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Sink {}", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, future::ready};

    use super::*;

    #[tokio::test]
    async fn each_object_is_answered_when_it_is_done() {
        let refused = SendError { kind: Kind::Poison, sent: Sent::No, reason: String::new() };
        let slow = std::future::pending().boxed();
        let puts = vec![ready(vec![Ok(()), Err(refused.clone())]).boxed(), slow, ready(vec![Ok(())]).boxed()];
        let until = Instant::now() + Duration::from_millis(50);
        let answers = each(puts, &[0..2, 2..4, 4..5], Some(until)).await;
        assert_eq!(answers, [Some(Ok(())), Some(Err(refused)), None, None, Some(Ok(()))]);
    }
}
