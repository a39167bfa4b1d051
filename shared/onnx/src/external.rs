//! Tensors kept in other files: put into the model where their file is at hand, refused by name where not.
//! The keys are those of ONNX's external data: `location`, `offset` and `length` in bytes.

use bytes::Bytes;
use tract_onnx::pb::{AttributeProto, GraphProto, SparseTensorProto, TensorProto, tensor_proto::DataLocation};

use crate::{SIZE_LIMIT, error::LoadError};

/// The files at hand, and how many more bytes may be taken out of them.
struct Files<'a> {
    files: &'a [(String, Bytes)],
    room: usize,
}

/// Puts the data of every tensor that lies in one of these files into the graph, subgraphs included.
pub(crate) fn put_in(graph: &mut GraphProto, files: &[(String, Bytes)]) -> Result<(), LoadError> {
    Files { files, room: SIZE_LIMIT }.graph(graph)
}

impl Files<'_> {
    fn graph(&mut self, graph: &mut GraphProto) -> Result<(), LoadError> {
        graph.initializer.iter_mut().try_for_each(|tensor| self.tensor(tensor))?;
        graph.sparse_initializer.iter_mut().try_for_each(|sparse| self.sparse(sparse))?;
        let mut attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
        attributes.try_for_each(|attribute| self.attribute(attribute))
    }

    fn attribute(&mut self, attribute: &mut AttributeProto) -> Result<(), LoadError> {
        attribute.t.iter_mut().chain(&mut attribute.tensors).try_for_each(|tensor| self.tensor(tensor))?;
        let mut sparse = attribute.sparse_tensor.iter_mut().chain(&mut attribute.sparse_tensors);
        sparse.try_for_each(|sparse| self.sparse(sparse))?;
        attribute.g.iter_mut().chain(&mut attribute.graphs).try_for_each(|graph| self.graph(graph))
    }

    fn sparse(&mut self, sparse: &mut SparseTensorProto) -> Result<(), LoadError> {
        sparse.values.iter_mut().chain(&mut sparse.indices).try_for_each(|tensor| self.tensor(tensor))
    }

    fn tensor(&mut self, tensor: &mut TensorProto) -> Result<(), LoadError> {
        if tensor.data_location != Some(DataLocation::External as i32) {
            return Ok(());
        }
        let refused = |reason: String| LoadError::ExternalData { tensor: tensor.name.clone(), reason };
        let value = |key: &str| tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| &*entry.value);
        let name = value("location").unwrap_or_default();
        let name = name.strip_prefix("./").unwrap_or(name);
        let Some((_, file)) = self.files.iter().find(|(known, _)| known == name) else {
            return Err(refused(format!(
                "lies in another file, `{name}`; list it as `external_data`, or save the model with its data inside"
            )));
        };
        let number = |key: &str| match value(key) {
            Some(text) => {
                text.parse::<usize>().map(Some).map_err(|_| refused(format!("has {key} `{text}`, which is no number")))
            }
            None => Ok(None),
        };
        let start = number("offset")?.unwrap_or_default();
        let end = match number("length")? {
            Some(length) => start.checked_add(length),
            None => Some(file.len()),
        };
        let range = end.and_then(|end| file.get(start..end));
        let Some(data) = range else {
            return Err(refused(format!("lies beyond the end of `{name}`, which has {} bytes", file.len())));
        };
        self.room = self
            .room
            .checked_sub(data.len())
            .ok_or(LoadError::TooLarge { bytes: SIZE_LIMIT + data.len() - self.room, limit: SIZE_LIMIT })?;
        tensor.raw_data = data.to_vec();
        tensor.data_location = None;
        tensor.external_data.clear();
        Ok(())
    }
}
