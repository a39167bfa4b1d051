//! What a URL names: a queue, and perhaps whose it is.

use fourstroke::config::Resource;

/// What the name of a queue that keeps order ends in.
const FIFO: &str = ".fifo";

/// A queue by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The account it belongs to, where it is another.
    pub(crate) owner: Option<String>,
    pub(crate) queue: String,
}

impl Target {
    /// Tells whether the queue keeps order within message groups, and takes an id once.
    pub(crate) fn is_fifo(&self) -> bool {
        self.queue.ends_with(FIFO)
    }
}

/// Reads the URL and options of a sink.
pub(crate) fn of_sink(resource: &Resource) -> Result<Target, String> {
    let shown = resource.shown();
    if resource.fields.is_some() {
        return Err(format!("`fields` means nothing for the sink `{shown}`"));
    }
    let Some(rest) = resource.rest().strip_prefix("//") else {
        return Err(format!("`{shown}` is no address of SQS; write sqs://QUEUE or sqs://ACCOUNT/QUEUE"));
    };
    let (owner, queue) = match rest.split_once('/') {
        Some((owner, queue)) => (Some(owner), queue),
        None => (None, rest),
    };
    if owner.is_some_and(|owner| owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(format!("`{shown}` names no account: its number has 12 digits"));
    }
    if !is_queue(queue) {
        return Err(format!(
            "`{shown}` names no queue: its name is at most 80 letters, digits, `-` and `_`, `{FIFO}` at the end of one that keeps order"
        ));
    }
    Ok(Target { owner: owner.map(str::to_owned), queue: queue.to_owned() })
}

/// By the rules of [CreateQueue](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html).
fn is_queue(name: &str) -> bool {
    let plain = name.strip_suffix(FIFO).unwrap_or(name);
    name.len() <= 80
        && !plain.is_empty()
        && plain.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_queue_and_perhaps_an_account() {
        let of = |url: &str| of_sink(&Resource::new("sink", url));
        let target =
            |owner: Option<&str>, queue: &str| Target { owner: owner.map(str::to_owned), queue: queue.to_owned() };
        assert_eq!(of("sqs://Re-book_1"), Ok(target(None, "Re-book_1")));
        assert_eq!(of("sqs://123456789012/a.fifo"), Ok(target(Some("123456789012"), "a.fifo")));
        assert!(of("sqs://a.fifo").unwrap().is_fifo() && !of("sqs://fifo").unwrap().is_fifo());
        for (url, why) in [
            ("sqs:queue", "write sqs://QUEUE"),
            ("sqs:https://sqs.eu-central-1.amazonaws.com/1/q", "write sqs://QUEUE"),
            ("sqs://", "names no queue"),
            ("sqs://.fifo", "names no queue"),
            ("sqs://a.b", "names no queue"),
            ("sqs://a?b=c", "names no queue"),
            ("sqs://1234/queue", "names no account"),
            ("sqs://123456789012/a/b", "names no queue"),
        ] {
            let sentence = of(url).unwrap_err();
            assert!(sentence.contains(why) && sentence.contains(url), "{sentence}");
        }
        assert!(of(&format!("sqs://{}", "q".repeat(80))).is_ok() && of(&format!("sqs://{}", "q".repeat(81))).is_err());
    }
}
