//! `fourstroke package`

mod archive;
mod binary;
mod manifest;
mod write;

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{anyhow, bail};
use fourstroke::config::{Mistake, Mistakes};
use fourstroke_runtime::lambda;

use crate::{
    deployed::{self, BINARY, Deployable, Platform, Refused},
    env_file::EnvFile,
    output,
};
use archive::{Archive, Unfinished, read};
use binary::{Architecture, Glibc};
use manifest::Manifest;

/// What an upload to Lambda itself may hold; what is larger goes by way of S3.
const DIRECT: usize = 50 << 20;

/// Makes what is deployed: the handler, the pipeline file and the files it names, as a zip, with a manifest beside it.
#[derive(clap::Args)]
#[command(after_help = "\
The zip holds the handler's binary, the pipeline file as pipeline.yaml, and what that reads from files where it runs: models, tables,
categories, schemas, what `${file:…}` puts in. What a variable of --env-file has elsewhere, such as in S3, stays out; so do sources.
The same input makes the same bytes. What `validate --for` finds is refused; without --env-file, all but what depends on variables.

Exit codes: 0 done; 1 it could not be written; 2 the usage, the pipeline file, a variable or the binary is wrong.

Examples:
  make lambda && fourstroke package examples/flights/pipeline.yaml --for lambda
  fourstroke package pipeline.yaml --for lambda --env-file prod.env --architecture arm64 --to out/arm64.zip
  fourstroke package pipeline.yaml --for lambda --json | jq -r .zip.sha256")]
pub struct Args {
    /// The pipeline file.
    pipeline: PathBuf,
    /// Where it is deployed to.
    #[arg(long = "for", value_enum, value_name = "PLATFORM")]
    platform: Platform,
    /// The variables it will have there: lines of NAME=value. No others count.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// The processor it will have.
    #[arg(long, value_enum, default_value_t = Architecture::X86_64)]
    architecture: Architecture,
    /// The handler's binary; else target/handlers/PLATFORM/ARCHITECTURE/bootstrap, where `make lambda` puts it.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// The version of the C library there; the binary may want no newer one.
    #[arg(long, value_name = "VERSION", default_value_t = Glibc::LAMBDA)]
    glibc: Glibc,
    /// The zip to write. Its manifest has the same name with .json.
    #[arg(long, value_name = "FILE", default_value = "out/function.zip")]
    to: PathBuf,
    /// Print the manifest as one line of JSON on standard output instead.
    #[arg(long)]
    json: bool,
}

pub async fn package(args: Args) -> anyhow::Result<ExitCode> {
    let name = args
        .to
        .file_name()
        .and_then(|name| name.to_str())
        .filter(|_| args.to.extension().is_some_and(|it| it == "zip"));
    let Some(name) = name else { bail!("--to {}: the file's name must end in .zip", args.to.display()) };
    let found = checked(&args).await?;
    let (binary, glibc) = binary(&args)?;
    let archive = archived(&found, &binary)?;
    let zip = archive.finish()?;
    let manifest = Manifest::new(&found, args.platform, args.architecture, glibc, name, &zip);
    found.warnings.iter().for_each(|warning| output::tell(&format!("warning: {warning}\n")));
    if let Err(error) = write::both(&args.to, &zip.bytes, &manifest) {
        output::tell(&format!("error: {}: {error:#}\n", args.to.display()));
        return Ok(ExitCode::from(output::FAILED));
    }
    match args.json {
        true => output::print_json(&manifest)?,
        false => output::print(&said(&args, &found, &manifest)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Checks the pipeline file as `validate --for` does.
async fn checked(args: &Args) -> anyhow::Result<Deployable> {
    let environment = args.env_file.as_deref().map(EnvFile::read).transpose().map_err(Refused::environment)?;
    let elsewhere = environment.as_ref().and_then(|file| file.check(lambda::PIPELINE, deployed::at_the_top));
    let mut refused = match deployed::check(&args.pipeline, args.platform, environment.as_ref()).await {
        Ok(found) if elsewhere.is_none() => return Ok(found),
        Ok(_) => Refused::default(),
        Err(refused) => refused,
    };
    refused.environment.extend(elsewhere);
    Err(refused.into())
}

/// Reads the handler's binary; gives the C library it wants too.
fn binary(args: &Args) -> anyhow::Result<(Vec<u8>, Option<Glibc>)> {
    let built =
        || Path::new("target/handlers").join(args.platform.as_str()).join(args.architecture.as_str()).join(BINARY);
    let path = args.binary.clone().unwrap_or_else(built);
    let shown = path.display();
    let make = format!("`make {}` builds it", args.platform.as_str());
    let bytes = read(&path).map_err(|error| match error {
        Unfinished::TooLarge => {
            anyhow!("the handler's binary {shown} is larger than the 250 MB that Lambda unpacks; {make} small")
        }
        error => anyhow!("the handler's binary {shown} cannot be read: {error}; {make}"),
    })?;
    match binary::wanted(&bytes, args.architecture, args.glibc) {
        Ok(glibc) => Ok((bytes, glibc)),
        Err(why) => bail!("the handler's binary {shown} {why}; {make}"),
    }
}

/// Puts everything into an archive: the binary, the pipeline file, and what it names in the order of the names.
fn archived(found: &Deployable, binary: &[u8]) -> anyhow::Result<Archive> {
    let mut archive = Archive::new();
    archive.add(BINARY, binary, true)?;
    archive.add(lambda::DEFAULT_PIPELINE, found.file.text.as_bytes(), false)?;
    let mut mistakes = Vec::new();
    for (name, (path, span)) in &found.packaged {
        let added = read(path).and_then(|bytes| archive.add(name, &bytes, false));
        match added {
            Ok(()) => {}
            Err(Unfinished::TooLarge) => return Err(Unfinished::TooLarge.into()),
            Err(error) => mistakes.push(Mistake::new(span.clone(), format!("`{name}` cannot be packaged: {error}"))),
        }
    }
    if mistakes.is_empty() {
        return Ok(archive);
    }
    Err(Mistakes::new(found.file.path.clone(), found.file.text.clone(), mistakes).into())
}

/// What a person is told.
fn said(args: &Args, found: &Deployable, manifest: &Manifest<'_>) -> Result<String, std::fmt::Error> {
    let mut said = String::new();
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    writeln!(
        said,
        "{}: {} for {} on {}: {} files, {:.1} MB, {:.1} MB unpacked",
        args.to.display(),
        manifest.pipeline,
        args.platform.as_str(),
        args.architecture.as_str(),
        manifest.files.len(),
        megabytes(manifest.zip.bytes),
        megabytes(manifest.files.iter().map(|file| file.bytes).sum()),
    )?;
    writeln!(said, "{}: its manifest", write::beside(&args.to).display())?;
    if !found.wanted.is_empty() {
        writeln!(said, "starts only where these are set: {}", found.wanted.join(", "))?;
    }
    if manifest.zip.bytes > DIRECT {
        writeln!(said, "larger than 50 MB: upload it by way of S3")?;
    }
    Ok(said)
}
