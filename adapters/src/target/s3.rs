//! What a URL names: a bucket, and a key or prefix in it.

use fourstroke::config::Resource;

/// S3's longest key, in bytes.
const LONGEST_KEY: usize = 1024;
/// What a sink puts behind its prefix: `/date=YYYY-MM-DD/<32 digits>.jsonl.gz`.
const BEHIND_PREFIX: usize = 58;

/// A place in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) bucket: String,
    /// An object's key, or a sink's prefix without the slash at its end; perhaps none.
    pub(crate) path: String,
}

/// Reads the URL of an object.
pub(crate) fn of_object(resource: &Resource) -> Result<Target, String> {
    let target = read(resource, LONGEST_KEY)?;
    if target.path.is_empty() || target.path.ends_with('/') {
        return Err(format!("`{}` names no object; write s3://BUCKET/KEY", resource.shown()));
    }
    Ok(target)
}

/// Reads the URL and options of a sink.
pub(crate) fn of_sink(resource: &Resource) -> Result<Target, String> {
    let shown = resource.shown();
    if resource.fields.is_some() {
        return Err(format!("`fields` means nothing for the sink `{shown}`"));
    }
    let Target { bucket, path } = read(resource, LONGEST_KEY - BEHIND_PREFIX)?;
    let prefix = path.strip_suffix('/').unwrap_or(&path);
    if prefix.split('/').any(str::is_empty) && !path.is_empty() {
        return Err(format!("`{shown}` has a folder without a name"));
    }
    Ok(Target { bucket, path: prefix.to_owned() })
}

fn read(resource: &Resource, longest: usize) -> Result<Target, String> {
    let shown = resource.shown();
    let Some(rest) = resource.rest().strip_prefix("//") else {
        return Err(format!("`{shown}` is no address of S3; write s3://BUCKET/KEY"));
    };
    if rest.contains(['?', '#']) {
        return Err(format!("`{shown}` has a query or fragment, and S3 has none: leave `?` and `#` out"));
    }
    let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !is_bucket(bucket) {
        return Err(format!("`{shown}` names no bucket: its name is 3 to 63 lower-case letters, digits, `-` and `.`"));
    }
    if path.chars().any(char::is_control) {
        return Err(format!("`{shown}` has a control character in its key"));
    }
    if path.len() > longest {
        return Err(format!("`{shown}` has a key of {} bytes, and S3 takes {longest} here", path.len()));
    }
    Ok(Target { bucket: bucket.to_owned(), path: path.to_owned() })
}

/// By the [rules](https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html) that tell a name from a typo;
/// aliases of access points follow them too.
fn is_bucket(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'.'))
        && [name.bytes().next(), name.bytes().last()].into_iter().flatten().all(plain)
        && !name.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_bucket_and_a_key() {
        let object = |url: &str| of_object(&Resource::new("model", url)).map(|target| (target.bucket, target.path));
        let found = |bucket: &str, path: &str| Ok((bucket.to_owned(), path.to_owned()));
        assert_eq!(object("s3://my-bucket/late.onnx"), found("my-bucket", "late.onnx"));
        assert_eq!(object("s3://a.b.c/models//ü %20.onnx"), found("a.b.c", "models//ü %20.onnx"));
        for (url, why) in [
            ("s3:bucket/key", "write s3://BUCKET/KEY"),
            ("s3://bucket", "names no object"),
            ("s3://bucket/", "names no object"),
            ("s3://bucket/folder/", "names no object"),
            ("s3:///key", "names no bucket"),
            ("s3://My_Bucket/key", "names no bucket"),
            ("s3://-bucket/key", "names no bucket"),
            ("s3://my..bucket/key", "names no bucket"),
            ("s3://bucket/key?versionId=1", "query or fragment"),
            ("s3://bucket/key#1", "query or fragment"),
            ("s3://bucket/ke\ny", "control character"),
        ] {
            let sentence = object(url).unwrap_err();
            assert!(sentence.contains(why) && sentence.contains(url), "{sentence}");
        }
        assert!(object(&format!("s3://bucket/{}", "k".repeat(1024))).is_ok());
        assert!(object(&format!("s3://bucket/{}", "k".repeat(1025))).unwrap_err().contains("1025 bytes"));
    }

    #[test]
    fn a_sink_s_url_may_have_a_prefix() {
        let prefix = |url: &str| of_sink(&Resource::new("sink", url)).map(|target| target.path);
        assert_eq!(prefix("s3://bucket"), Ok(String::new()));
        assert_eq!(prefix("s3://bucket/"), Ok(String::new()));
        assert_eq!(prefix("s3://bucket/a/b=c/"), Ok("a/b=c".to_owned()));
        for (url, why) in [
            ("s3://bucket//", "folder without a name"),
            ("s3://bucket/a//b", "folder without a name"),
            ("s3://b", "names no bucket"),
            ("s3://bucket/a?b", "query or fragment"),
        ] {
            assert!(prefix(url).unwrap_err().contains(why), "{url}");
        }
        assert!(prefix(&format!("s3://bucket/{}", "k".repeat(967))).is_err());
    }
}
