//! Objects that only the function can read: what is checked in their stead.

use std::collections::HashMap;

use fourstroke::config::{Categories, Environment, PipelineFile, Resource};
use fourstroke_adapters::services::{Handler, Use, check_for};

/// A file with objects that can be read here.
pub struct Instead {
    pub file: PipelineFile,
    /// Says what each stands in for.
    pub warnings: Vec<String>,
}

/// Puts the file's own defaults where it names objects, such as a model in S3, that this tool does not read.
pub fn instead(file: &PipelineFile) -> Instead {
    let defaults = PipelineFile::parse(&file.path, &file.text, &Environment::unknown());
    let defaults = defaults.iter().flat_map(PipelineFile::objects).filter(is_read_here);
    let defaults: HashMap<String, Resource> = defaults.map(|object| (object.at.clone(), object)).collect();
    let mut file = file.clone();
    let mut warnings = Vec::new();
    for object in objects(&mut file).filter(|object| !is_read_here(object)) {
        let Some(default) = defaults.get(&object.at) else { continue };
        let (at, there, here) = (&object.at, object.shown(), default.shown());
        warnings.push(format!(
            "`{at}` is `{there}`, which only the function reads: the file's default, `{here}`, is checked instead"
        ));
        *object = default.clone();
    }
    Instead { file, warnings }
}

/// Tells whether this tool reads such objects.
pub fn is_read_here(object: &Resource) -> bool {
    check_for(Handler::Local, object, Use::Object).is_ok()
}

/// The objects a file names; what lies beside them is found by their URLs.
fn objects(file: &mut PipelineFile) -> impl Iterator<Item = &mut Resource> {
    let of_models = file.infer.iter_mut().flat_map(|config| {
        let tables = config.categories.iter_mut().filter_map(|(_, categories)| match categories {
            Categories::Table(at) => Some(&mut **at),
            Categories::Inline(_) => None,
        });
        tables.chain([&mut config.model])
    });
    of_models.chain(&mut file.event.schema)
}
