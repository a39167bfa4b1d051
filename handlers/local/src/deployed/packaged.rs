//! The files a function finds in its package: those the pipeline file names, by the names it gives them.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Component, Path, PathBuf},
};

use fourstroke::config::{Mistake, PipelineFile, Referred, Resource};
use fourstroke_runtime::{lambda::DEFAULT_PIPELINE, passing_resources};

/// The handler's binary in its package.
pub const BINARY: &str = "bootstrap";

/// The files of a package by their names there, but for the handler and the pipeline file; with where they are here, and where
/// in the pipeline file's text they are named.
pub type Packaged = BTreeMap<String, (PathBuf, Range<usize>)>;

/// Lists the files that are read when the file is opened: tables, models and what they are made of, what `${file:…}` puts in.
///
/// # Errors
/// Every place that names a file that no package can have.
pub fn packaged(file: &PipelineFile) -> Result<Packaged, Vec<Mistake>> {
    let base = file.path.parent().unwrap_or(Path::new(""));
    let passing: Vec<&str> = passing_resources(file).iter().map(|resource| resource.at.as_str()).collect();
    let used = file.used_stores();
    let tables = file.stores.iter().filter(|(name, _)| used.contains(&name.text.as_str()));
    let tables = tables.map(|(_, table)| table.clone()).filter(|table| !passing.contains(&table.at.as_str()));
    let read = tables.chain(file.objects()).filter(|resource| resource.scheme() == "file");
    let read = read.map(|Resource { at, span, url, .. }| (at, span, url["file:".len()..].to_owned()));
    let put_in = file.references.iter().filter_map(|reference| match &reference.to {
        Referred::File(path) => Some((reference.at.clone(), reference.span.clone(), path.clone())),
        Referred::Variable { .. } => None,
    });
    let (mut packaged, mut mistakes) = (Packaged::new(), Vec::new());
    for (at, span, path) in read.chain(put_in) {
        match name(&path) {
            Ok(name) => drop(packaged.entry(name).or_insert_with(|| (base.join(&path), span))),
            Err(why) => mistakes.push(
                Mistake::new(span, format!("`{at}`: {why}"))
                    .help("a package holds what lies in the pipeline file's folder, and below: put the file there"),
            ),
        }
    }
    if mistakes.is_empty() { Ok(packaged) } else { Err(mistakes) }
}

/// Returns the name a file has in a package. The function looks for it there by the path as it is written.
fn name(path: &str) -> Result<String, String> {
    let mut names = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => names.push(name.to_str().ok_or("the path is not UTF-8")?),
            Component::ParentDir => return Err("no path in a package climbs with `..`".to_owned()),
            Component::RootDir | Component::Prefix(_) => {
                return Err("an absolute path leads out of the package".to_owned());
            }
        }
    }
    match names.first() {
        // Neither is a folder.
        Some(taken) if [BINARY, DEFAULT_PIPELINE].contains(taken) => {
            Err(format!("`{taken}` is something else in a package: give the file or folder another name"))
        }
        _ => Ok(names.join("/")),
    }
}
