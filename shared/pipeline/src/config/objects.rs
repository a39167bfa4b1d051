//! What is read whole when a pipeline is opened: models, what they are made of, and the schema of the events.

use super::{Categories, ModelConfig, Pin, PipelineFile, Resource};

impl PipelineFile {
    /// Returns every object that is read when the pipeline is opened.
    pub fn objects(&self) -> Vec<Resource> {
        self.infer.iter().flat_map(ModelConfig::objects).chain(self.event.schema.clone()).collect()
    }
}

impl ModelConfig {
    /// Returns everything the model is made of: its file, its external data, the file with its digest, its category tables.
    pub fn objects(&self) -> Vec<Resource> {
        let tables = self.categories.iter().filter_map(|(_, categories)| match categories {
            Categories::Table(at) => Some((**at).clone()),
            Categories::Inline(_) => None,
        });
        [self.model.clone()].into_iter().chain(self.external()).chain(self.digest()).chain(tables).collect()
    }

    /// The file that holds the digest, where the pin says so.
    pub(crate) fn digest(&self) -> Option<Resource> {
        let (at, model) = (format!("infer.{}.sha256", self.name.text), &self.model);
        let (path, query) = parts(model);
        let digest = || Resource { at, url: format!("{path}.sha256{query}"), ..model.clone() };
        matches!(self.sha256, Some(Pin::Beside)).then(digest)
    }

    /// The files beside the model that hold its weights.
    fn external(&self) -> impl Iterator<Item = Resource> {
        let model = &self.model;
        let (path, query) = parts(model);
        let start = path.find(':').map_or(0, |colon| colon + 1);
        let folder = &path[..path[start..].rfind(['/', '\\']).map_or(start, |end| start + end + 1)];
        self.external_data.iter().enumerate().map(move |(place, name)| Resource {
            at: format!("infer.{}.external_data[{place}]", self.name.text),
            span: name.span.clone(),
            url: format!("{folder}{}{query}", name.text),
            ..model.clone()
        })
    }
}

/// Takes a URL apart: its path, and its query where its scheme has one.
fn parts(resource: &Resource) -> (&str, &str) {
    let has_query = matches!(resource.scheme(), "https" | "http");
    let query = resource.url.find('?').filter(|_| has_query).unwrap_or(resource.url.len());
    resource.url.split_at(query)
}
