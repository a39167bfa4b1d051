//! What a package holds, and what it wants of its environment, for those who deploy it.

use std::collections::BTreeMap;

use fourstroke::{
    config::{PipelineFile, Referred},
    identity::sha256,
};
use serde::Serialize;

use super::{
    archive::{Packed, Zip},
    binary::{Architecture, Glibc},
};
use crate::deployed::{Deployable, Platform};

/// The file beside the zip.
#[derive(Serialize)]
pub struct Manifest<'a> {
    /// Of the manifest itself: what is added later does not change it.
    v: u32,
    r#for: &'static str,
    pub pipeline: &'a str,
    /// As the function will say it; none where that depends on what it reads elsewhere.
    version: Option<&'a str>,
    architecture: &'static str,
    /// The oldest one that the binary starts with; none: it needs none.
    glibc: Option<String>,
    pub zip: Packed,
    pub files: &'a [Packed],
    variables: Vec<Variable<'a>>,
}

/// A variable the pipeline file refers to.
#[derive(Serialize)]
struct Variable<'a> {
    name: &'a str,
    used_by: Vec<&'a str>,
    /// Something stands in wherever it is used.
    default: bool,
}

impl<'a> Manifest<'a> {
    pub fn new(
        found: &'a Deployable,
        platform: Platform,
        architecture: Architecture,
        glibc: Option<Glibc>,
        name: &str,
        zip: &'a Zip,
    ) -> Manifest<'a> {
        Manifest {
            v: 1,
            r#for: platform.as_str(),
            pipeline: &found.file.name.text,
            version: found.version.as_deref(),
            architecture: architecture.as_str(),
            glibc: glibc.map(|glibc| glibc.to_string()),
            zip: Packed { path: name.to_owned(), bytes: zip.bytes.len(), sha256: sha256(&zip.bytes) },
            files: &zip.files,
            variables: variables(&found.file),
        }
    }
}

fn variables(file: &PipelineFile) -> Vec<Variable<'_>> {
    let mut variables = BTreeMap::<&str, Variable<'_>>::new();
    for reference in &file.references {
        let Referred::Variable { name, default } = &reference.to else { continue };
        let new = || Variable { name, used_by: Vec::new(), default: true };
        let variable = variables.entry(name).or_insert_with(new);
        variable.default &= default;
        if !variable.used_by.contains(&reference.at.as_str()) {
            variable.used_by.push(&reference.at);
        }
    }
    variables.into_values().collect()
}
