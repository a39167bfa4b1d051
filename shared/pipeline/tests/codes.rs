//! Error codes are documented, one line each, and the documentation names no others.

use fourstroke::error::Code;

#[test]
fn every_code_has_its_line() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ERRORS.md");
    let text = std::fs::read_to_string(path).expect("docs/ERRORS.md is there");
    let documented: Vec<&str> = text.lines().filter(|line| line.starts_with("| FS-")).collect();
    assert_eq!(documented.len(), Code::ALL.len());
    for ((code, meaning), line) in Code::ALL.iter().zip(documented) {
        assert!(line.starts_with(&format!("| {} | {meaning} | ", code.as_str())), "{line}");
    }
}
