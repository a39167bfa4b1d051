use fourstroke::{
    config::Resource,
    ports::Key,
    types::{Base, FieldType, Fields},
};
use fourstroke_adapters::open;

use crate::files;

async fn refusal(url: &str) -> String {
    open::store(&Resource::new("stores.x", url)).await.err().expect("nothing can be opened")
}

#[tokio::test]
async fn a_scheme_that_cannot_be_opened_says_why_and_what_to_do() {
    let cases = [
        ("stdout:", "`stdout:` cannot be a store; `stdout:` can be a sink"),
        ("data/planes.csv", "`data/planes.csv` has no scheme; write `file:` before a path"),
        ("fiel:planes.csv", "`fiel:planes.csv` has an unknown scheme; did you mean `file:`?"),
        ("dynamo:planes", "`dynamo:planes` has an unknown scheme; did you mean `dynamodb:`?"),
        (
            "dynamodb://planes",
            "`dynamodb://planes` is not in this version yet; it will be the feature `dynamodb`, in handlers/lambda and handlers/worker",
        ),
        ("memory:state", "`memory:state` must end with the colon: `memory:` takes no name"),
    ];
    for (url, sentence) in cases {
        assert_eq!(refusal(url).await, sentence);
    }
    assert!(refusal("gopher://x").await.contains("known are file:, https:, http:, memory:, stdout:, "));
}

#[tokio::test]
async fn a_url_from_a_variable_is_never_shown() {
    for url in ["secret-without-scheme", "memory:secret", "file:secret.csv", "kinesis://secret", "file:secret.txt"] {
        let mut resource = Resource::new("stores.x", url);
        resource.variable = Some("PLANES".to_owned());
        resource.key = vec!["k".to_owned()];
        let opened = [
            open::store(&resource).await.err(),
            open::source(&resource).await.err(),
            open::read(&resource).await.err(),
            open::check_sink(&resource).err(),
        ];
        for sentence in opened.into_iter().flatten() {
            assert!(!sentence.contains("secret") && sentence.contains("PLANES"), "{sentence}");
        }
    }
}

#[test]
fn a_bad_sink_is_found_without_a_trace() {
    let directory = tempfile::tempdir().unwrap();
    files::write(&directory, "lines.jsonl", b"1\n");
    files::write(&directory, "table.csv", b"a,b\n1,2\n");
    files::write(&directory, "torn.csv", b"a,b\n1");
    files::write(&directory, "open.csv", b"a,b\n1,2");
    std::fs::write(directory.path().join("no.csv.gz"), b"a,b\n1,2\n3,4\n5,6\n").unwrap();
    std::fs::create_dir(directory.path().join("dir.jsonl")).unwrap();
    let listed = || {
        let found = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap());
        let mut found: Vec<_> = found.map(|entry| (entry.file_name(), entry.metadata().unwrap().len())).collect();
        found.sort();
        found
    };
    let before = listed();
    let check = |url: &str| {
        let mut resource = Resource::new("sinks.x", url.replace("DIR", directory.path().to_str().unwrap()));
        let any = FieldType { base: Base::Any, nullable: true };
        resource.fields = Some(Fields(vec![("b".to_owned(), any), ("a".to_owned(), any)]));
        open::check_sink(&resource)
    };
    for fine in [
        "stdout:",
        "memory:",
        "file:DIR/new.jsonl",
        "file:DIR/deeper/still/new.csv.zst",
        "file:DIR/lines.jsonl",
        "file:DIR/table.csv",
        "file:DIR/torn.csv",
        "file:here.jsonl",
    ] {
        assert_eq!(check(fine), Ok(()), "{fine}");
    }
    for (bad, why) in [
        ("pubsub://x", "is not in this version yet"),
        ("fiel:x.jsonl", "did you mean `file:`?"),
        ("stdout:x", "takes no name"),
        ("file:", "names no file"),
        ("file:-", "standard output is `stdout:`"),
        ("file:DIR/out.parquet", "does not say what is in it"),
        ("file:DIR/dir.jsonl", "is a directory"),
        ("file:DIR/new/", "is a directory"),
        ("file:DIR/lines.jsonl/out.jsonl", "ot a directory"),
        ("file:DIR/lines.jsonl/deeper/out.jsonl", "ot a directory"),
        ("file:DIR/open.csv", "its last line has no line end"),
        ("file:DIR/no.csv.gz", "cannot be appended to: "),
    ] {
        let sentence = check(bad).unwrap_err();
        assert!(sentence.contains(why), "{bad}: {sentence}");
    }
    files::write(&directory, "table.csv", b"a,c\n1,2\n");
    let sentence = check("file:DIR/table.csv").unwrap_err();
    assert!(sentence.contains("its columns are a, c, but `fields` names b, a"), "{sentence}");
    assert_eq!(listed(), before, "looking leaves no trace");
}

#[tokio::test]
async fn each_memory_url_is_a_fresh_one() {
    let resource = Resource::new("stores.x", "memory:");
    let (a, b) = (open::store(&resource).await.unwrap(), open::store(&resource).await.unwrap());
    let put = fourstroke::ports::Put {
        key: Key::new("k", ""),
        value: 1.into(),
        condition: fourstroke::ports::Condition::Absent,
        expires: None,
    };
    a.put(&[put]).await[0].as_ref().unwrap();
    assert_eq!(b.get(&[Key::new("k", "")]).await, [Ok(None)]);
    assert!(open::sink(&resource).await.is_ok());
    assert!(open::source(&resource).await.unwrap().next().await.unwrap().is_none());
}

#[tokio::test]
async fn a_whole_file_is_read_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = files::write(&directory, "model.onnx.gz", b"weights");
    assert_eq!(open::read(&files::resource(&path)).await.unwrap(), files::pack("x.gz", b"weights"));

    let missing = Resource::new("infer.late.model", "file:models/late.onnx");
    let sentence = open::read(&missing).await.unwrap_err();
    assert_eq!(
        sentence,
        "`file:models/late.onnx` does not exist; a path to read is relative to the pipeline file's directory"
    );
    let sentence = open::read(&files::resource(directory.path())).await.unwrap_err();
    assert!(sentence.ends_with("is a directory; name a file"), "{sentence}");
}

#[tokio::test]
async fn a_file_s_etag_changes_when_another_takes_its_place_and_only_then() {
    let directory = tempfile::tempdir().unwrap();
    let path = files::write(&directory, "m.onnx", b"weights");
    let etag = || async { open::etag(&files::resource(&path)).await };
    let first = etag().await.unwrap();
    assert_eq!(etag().await.unwrap(), first);
    // As large as it was, and written within the same moment.
    std::fs::rename(files::write(&directory, "new", b"WEIGHTS"), &path).unwrap();
    let second = etag().await.unwrap();
    assert_ne!(second, first);
    files::write(&directory, "m.onnx", b"more weights");
    assert_ne!(etag().await.unwrap(), second);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(etag().await.unwrap_err(), open::read(&files::resource(&path)).await.unwrap_err());
    let sentence = open::etag(&Resource::new("infer.m.model", "stdout:")).await.unwrap_err();
    assert_eq!(sentence, "`stdout:` cannot be a file to read; `stdout:` can be a sink");
}
