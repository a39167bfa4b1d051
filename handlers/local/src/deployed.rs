//! A pipeline file as a function would open it, checked before it is deployed: without the services it will use, and without their
//! SDKs.

mod objects;
mod opener;
mod packaged;

use std::{fmt, path::Path};

use fourstroke::{
    config::{Environment, Mistake, Mistakes, PipelineFile, Referred},
    pipeline::Builder,
};
use fourstroke_adapters::services::{Handler, Use, check_for};
use fourstroke_runtime::{
    lambda::{self, Source},
    passing, passing_resources,
};

pub use packaged::BINARY;

use crate::{
    env_file::{EnvFile, Wrong},
    open::unopened,
};
use objects::{Instead, instead};
use opener::Opener;
use packaged::{Packaged, packaged};

/// What a pipeline can be deployed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Platform {
    /// AWS Lambda.
    Lambda,
}

impl Platform {
    pub fn as_str(self) -> &'static str {
        match self {
            Platform::Lambda => "lambda",
        }
    }

    fn handler(self) -> Handler {
        match self {
            Platform::Lambda => Handler::Lambda,
        }
    }
}

/// A file that nothing is found against.
pub struct Deployable {
    pub file: PipelineFile,
    /// What the function will say its version is; none where that depends on what is read there alone.
    pub version: Option<String>,
    /// The files its package has, beside it and the handler.
    pub packaged: Packaged,
    pub warnings: Vec<String>,
    /// The variables that must be set for it to start, where the environment is not known.
    pub wanted: Vec<String>,
}

/// Everything the function would refuse.
#[derive(Debug, Default)]
pub struct Refused {
    pub environment: Vec<Wrong>,
    pub pipeline: Option<Mistakes>,
}

/// Checks a pipeline file with the environment it will have. Where that is not known, what depends on it alone is not held against
/// the file.
///
/// # Errors
/// Everything that would be refused, all at once.
pub async fn check(path: &Path, platform: Platform, environment: Option<&EnvFile>) -> Result<Deployable, Refused> {
    let wrong: Vec<Wrong> = environment
        .and_then(|file| file.check(lambda::SOURCE, |value| Source::said(value).map(drop)))
        .into_iter()
        .collect();
    let variables = environment.map_or_else(Environment::unknown, EnvFile::environment);
    let file = match PipelineFile::read(path, &variables) {
        Ok(file) => file,
        Err(mistakes) => return Err(Refused { environment: wrong, pipeline: Some(mistakes) }),
    };
    let (mut mistakes, wanted) = refused(&file, platform.handler(), environment.is_some());
    let (packaged, outside) = match packaged(&file) {
        Ok(packaged) => (packaged, Vec::new()),
        Err(outside) => (Packaged::new(), outside),
    };
    let Instead { file: here, mut warnings } = instead(&file);
    let passing = passing_resources(&file).iter().map(|resource| resource.at.clone()).collect();
    let opener = Opener::new(platform.handler(), passing);
    let built = Builder::new(here).open(&opener).await;
    let unread = opener.unread();
    let whole = warnings.is_empty() && unread.is_empty();
    let version = built.as_ref().ok().filter(|_| whole).map(|pipeline| pipeline.version().to_owned());
    let found = built.err().into_iter().flat_map(|found| found.list);
    // Whether there is a file where no package has one is of no interest.
    let elsewhere = |found: &Mistake| outside.iter().any(|outside| outside.span == found.span);
    mistakes.extend(found.filter(|found| !unread.contains(found) && !elsewhere(found)));
    mistakes.extend(outside);
    if !mistakes.is_empty() || !wrong.is_empty() {
        let pipeline = (!mistakes.is_empty()).then(|| Mistakes::new(file.path, file.text, mistakes));
        return Err(Refused { environment: wrong, pipeline });
    }
    warnings.extend(unread.iter().map(|mistake| mistake.message.clone()));
    warnings.extend(environment.into_iter().flat_map(|environment| unlikely(&file, environment)));
    Ok(Deployable { file, version, packaged, warnings, wanted })
}

/// Finds what is refused whatever is in the objects the file names, and the variables that must be set for the rest.
fn refused(file: &PipelineFile, handler: Handler, known: bool) -> (Vec<Mistake>, Vec<String>) {
    let mut wanted: Vec<String> = Vec::new();
    for reference in &file.references {
        if let Referred::Variable { name, default: false } = &reference.to {
            wanted.push(name.clone());
        }
    }
    let mut mistakes = Vec::new();
    for (resource, mistake) in passing_resources(file).iter().zip(passing(file)) {
        match file.variable(resource).filter(|_| !known) {
            Some(name) => wanted.push(name.to_owned()),
            None => mistakes.push(mistake),
        }
    }
    for object in file.objects() {
        mistakes.extend(check_for(handler, &object, Use::Object).err().map(|why| unopened(&object, &why)));
    }
    wanted.sort();
    wanted.dedup();
    (mistakes, if known { Vec::new() } else { wanted })
}

/// Says what is not refused in an environment, and most likely not meant.
fn unlikely(file: &PipelineFile, environment: &EnvFile) -> Vec<String> {
    let mut found = Vec::new();
    let variables = environment.environment();
    let source = variables.get(lambda::SOURCE).and_then(|value| Source::said(value).ok()?);
    let rule = crate::validate::once_without_ids(file);
    if let (Some(rule), Some(source)) = (rule, source.filter(|source| !source.has_stable_ids())) {
        found.push(format!(
            "the rule `{}` acts `once`, and over {} an event has an id only where its sender gives one: say what its id is with \
             `event.id`",
            rule.name.text,
            source.as_str()
        ));
    }
    let origins = |value: &str| match lambda::origins(value).all(lambda::is_origin) {
        true => Ok(()),
        false => Err(format!("{} names no origin where it should: `https://shop.example`, or `*`", lambda::ORIGINS)),
    };
    let reserved = |name: &&str| {
        environment.check(name, |_| Err(format!("Lambda sets {name} itself, and refuses a function that is given it")))
    };
    let wrong = environment.check(lambda::ORIGINS, origins).into_iter();
    let wrong = wrong.chain(environment.check(lambda::PIPELINE, at_the_top));
    found.extend(wrong.chain(lambda::RESERVED.iter().filter_map(reserved)).map(|wrong| wrong.to_string()));
    found
}

/// Says what is wrong with a variable that names another pipeline file than a package has.
pub fn at_the_top(pipeline: &str) -> Result<(), String> {
    match ["", lambda::DEFAULT_PIPELINE].contains(&pipeline) {
        true => Ok(()),
        false => Err(format!(
            "{} names another file than the one in the package, which is {}: leave it out",
            lambda::PIPELINE,
            lambda::DEFAULT_PIPELINE
        )),
    }
}

impl Refused {
    /// What a file of variables alone is refused for.
    pub fn environment(environment: Vec<Wrong>) -> Refused {
        Refused { environment, pipeline: None }
    }

    /// What a pipeline file alone is refused for.
    pub fn pipeline(mistakes: Mistakes) -> Refused {
        Refused { environment: Vec::new(), pipeline: Some(mistakes) }
    }

    /// Shows everything, the pipeline's mistakes with line and caret.
    pub fn render(&self, colours: bool) -> String {
        let mut shown: String = self.environment.iter().map(|wrong| format!("error: {wrong}\n")).collect();
        if let Some(mistakes) = &self.pipeline {
            shown.push_str(&crate::output::shown(mistakes, colours));
        }
        shown
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Refused {}
