//! What a file's name says about its content.

use std::path::Path;

use fourstroke::config::Resource;

/// How records stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// One body per line.
    Lines,
    /// A header, then one row per record.
    Rows,
}

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// Tells whether a name means standard input: `-`, or `-.csv` for rows. A file of such a name is `./-.csv`.
pub(super) fn is_stdin(name: &str) -> bool {
    matches!(name, "-" | "-.csv")
}

/// Reads a file's name from behind; the content is none where the ending is not a known one.
pub(super) fn of(name: &str) -> (Option<Content>, Packing) {
    let name = name.to_ascii_lowercase();
    let (stem, packing) = unpacked(&name);
    let content = match stem.rsplit_once('.') {
        Some((_, "jsonl" | "ndjson" | "json")) => Some(Content::Lines),
        Some((_, "csv")) => Some(Content::Rows),
        _ => None,
    };
    (content, packing)
}

/// Returns what stands before the ending that a compressed file has.
fn unpacked(name: &str) -> (&str, Packing) {
    match name.rsplit_once('.') {
        Some((stem, "gz")) => (stem, Packing::Gzip),
        Some((stem, "zst")) => (stem, Packing::Zstd),
        _ => (name, Packing::Plain),
    }
}

/// Returns how a source is laid out; standard input holds lines unless its name says rows.
///
/// # Errors
/// Names no file, or one whose ending is not known.
pub(super) fn of_source(resource: &Resource) -> Result<(Content, Packing), String> {
    match resource.rest() {
        name if is_stdin(name) => Ok((of(name).0.unwrap_or(Content::Lines), Packing::Plain)),
        _ => to_read(resource),
    }
}

/// Returns how a file to be read is laid out.
///
/// # Errors
/// Names no file, or one whose ending is not known.
pub(super) fn to_read(resource: &Resource) -> Result<(Content, Packing), String> {
    named_file(resource)?;
    match of(resource.rest()) {
        (Some(content), packing) => Ok((content, packing)),
        (None, _) => Err(unnamed(resource)),
    }
}

/// Returns how a file to be written is laid out. One without any ending, such as a device, gets lines.
///
/// # Errors
/// Names no file, or one whose ending is not known.
pub(super) fn to_write(resource: &Resource) -> Result<(Content, Packing), String> {
    named_file(resource).map_err(|error| match resource.rest() {
        name if is_stdin(name) => format!("`{}` can only be a source; standard output is `stdout:`", resource.shown()),
        _ => error,
    })?;
    let (content, packing) = of(resource.rest());
    let unended = || Path::new(unpacked(&resource.rest().to_ascii_lowercase()).0).extension().is_none();
    match content {
        Some(content) => Ok((content, packing)),
        None if unended() => Ok((Content::Lines, packing)),
        None => Err(unnamed(resource)),
    }
}

fn unnamed(resource: &Resource) -> String {
    format!(
        "`{}` does not say what is in it; name it .jsonl, .ndjson, .json or .csv, with .gz or .zst behind if compressed",
        resource.shown()
    )
}

/// Checks that a resource names a file, and not standard input.
///
/// # Errors
/// It names none.
pub(super) fn named_file(resource: &Resource) -> Result<(), String> {
    match resource.rest() {
        "" => Err(format!("`{}` names no file; write a path behind the colon", resource.shown())),
        name if is_stdin(name) => Err(format!("`{}` is standard input, which can only be a source", resource.shown())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_behind() {
        assert_eq!(of("data/2013.q4.jsonl"), (Some(Content::Lines), Packing::Plain));
        assert_eq!(of("data/q4.ndjson.zst"), (Some(Content::Lines), Packing::Zstd));
        assert_eq!(of("WEATHER.CSV.GZ"), (Some(Content::Rows), Packing::Gzip));
        assert_eq!(of("data.csv/x"), (None, Packing::Plain));
        assert_eq!(of("x.gz"), (None, Packing::Gzip));
    }

    #[test]
    fn a_file_to_write_may_lack_an_ending_but_not_have_an_unknown_one() {
        let to_write = |name: &str| super::to_write(&Resource::new("x", format!("file:{name}")));
        assert_eq!(to_write("/dev/stderr"), Ok((Content::Lines, Packing::Plain)));
        assert_eq!(to_write("run.d/out.GZ"), Ok((Content::Lines, Packing::Gzip)));
        assert_eq!(to_write("out.csv.zst"), Ok((Content::Rows, Packing::Zstd)));
        for name in ["out.parquet", "out.xls.gz", "out.zip", "", "-"] {
            assert!(to_write(name).is_err(), "{name}");
        }
    }
}
