//! Objects behind HTTP: read whole, told apart by their ETag.

use fourstroke_adapters::open;

use super::{
    at,
    server::{Reply, Server},
};

#[tokio::test]
async fn an_object_is_read_whole_and_told_apart_by_its_etag() {
    let server = Server::start(|seen| match (&*seen.method, &*seen.path) {
        ("GET", "/late.onnx") => Reply::new(200, "etag: \"v1\"\r\n", "weights"),
        ("HEAD", "/late.onnx") => Reply::new(200, "etag: \"v1\"\r\n", ""),
        ("HEAD", "/old.onnx") => Reply::new(200, "last-modified: Tue, 01 Oct 2013 00:00:00 GMT\r\n", ""),
        ("GET", "/torn.onnx") => Reply::cut("HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\nwei"),
        ("GET", "/large.onnx") => Reply::hang("HTTP/1.1 200 x\r\ncontent-length: 2000000000\r\n\r\n"),
        ("HEAD", "/bare.onnx") => Reply::status(200),
        ("GET", "/moved.onnx") => Reply::new(302, "location: /late.onnx\r\n", ""),
        _ => Reply::status(404),
    })
    .await;
    assert_eq!(open::read(&at(&server, "/late.onnx")).await.unwrap(), "weights");
    assert_eq!(open::etag(&at(&server, "/late.onnx")).await.unwrap(), "\"v1\"");
    assert!(open::etag(&at(&server, "/old.onnx")).await.unwrap().starts_with("Tue, 01 Oct 2013 00:00:00 GMT"));
    let said = async |path: &str| open::read(&at(&server, path)).await.unwrap_err();
    assert!(said("/torn.onnx").await.ends_with("did not come to its end"));
    assert!(said("/large.onnx").await.ends_with("is longer than 1 GiB"));
    assert!(said("/none.onnx").await.contains("it answered 404"));
    assert!(said("/moved.onnx").await.contains("redirects are not followed"));
    let bare = open::etag(&at(&server, "/bare.onnx")).await.unwrap_err();
    assert!(bare.ends_with("has neither ETag nor Last-Modified: it cannot be reloaded"), "{bare}");
}
