//! A sink must not append to what the same run reads: it would eat its own output.

use std::path::{Path, PathBuf};

use fourstroke::config::{Categories, Mistake, PipelineFile, Resource};

/// Finds the sinks of a file that append to something that is read: the given sources, the file's tables and models.
pub fn mistakes(file: &PipelineFile, sources: &[&Resource]) -> Vec<Mistake> {
    let stores = file.stores.iter().map(|(_, resource)| resource);
    let models = file.infer.iter().flat_map(|config| {
        let tables = config.categories.iter().filter_map(|(_, categories)| match categories {
            Categories::Table(table) => Some(&**table),
            Categories::Inline(_) => None,
        });
        tables.chain([&config.model])
    });
    let mut mistakes = Vec::new();
    for read in sources.iter().copied().chain(stores).chain(models).chain(&file.event.schema) {
        for sink in sinks_of(file, read) {
            let message = format!("`{}` appends to the file that `{}` reads", sink.at, read.at);
            mistakes.push(Mistake::new(sink.span.clone(), message).help("give the sink a file of its own"));
        }
    }
    mistakes
}

/// Finds the sinks that append to what a resource reads.
pub fn sinks_of<'a>(file: &'a PipelineFile, read: &Resource) -> impl Iterator<Item = &'a Resource> {
    let read = (read.scheme() == "file").then(|| canonical(&read.read_path())).flatten();
    file.sinks
        .iter()
        .map(|(_, sink)| sink)
        .filter(move |sink| read.is_some() && sink.scheme() == "file" && canonical(&sink.write_path()) == read)
}

/// Returns the one name of a file, or of one that is yet to be made; none for pipes and devices, which hold nothing.
fn canonical(path: &Path) -> Option<PathBuf> {
    if let Ok(metadata) = path.metadata() {
        return metadata.is_file().then(|| path.canonicalize().ok()).flatten();
    }
    let name = path.file_name()?;
    let parent = match path.parent()? {
        here if here.as_os_str().is_empty() => Path::new("."),
        parent => parent,
    };
    Some(parent.canonicalize().ok()?.join(name))
}
