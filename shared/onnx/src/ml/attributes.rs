//! A node's attributes, by name and type.

use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto, attribute_proto::AttributeType};

/// The attributes of one node, and the version of its domain that the model imports.
#[derive(Clone, Copy)]
pub(crate) struct Attributes<'a> {
    pub node: &'a NodeProto,
    pub version: i64,
}

impl<'a> Attributes<'a> {
    fn find(&self, name: &str, kinds: &[AttributeType]) -> Result<Option<&'a AttributeProto>, String> {
        let Some(found) = self.node.attribute.iter().find(|attribute| attribute.name == name) else { return Ok(None) };
        // Old exporters leave the type out.
        let kind = AttributeType::try_from(found.r#type).unwrap_or(AttributeType::Undefined);
        if kind != AttributeType::Undefined && !kinds.contains(&kind) {
            return Err(format!("the attribute `{name}` is of type {}", kind.as_str_name()));
        }
        Ok(Some(found))
    }

    /// Returns a whole number.
    ///
    /// # Errors
    /// It is something else, as for all that follow.
    pub fn int(&self, name: &str) -> Result<Option<i64>, String> {
        Ok(self.find(name, &[AttributeType::Int])?.map(|found| found.i))
    }

    /// Returns a float.
    pub fn float(&self, name: &str) -> Result<Option<f32>, String> {
        Ok(self.find(name, &[AttributeType::Float])?.map(|found| found.f))
    }

    /// Returns text.
    pub fn string(&self, name: &str) -> Result<Option<String>, String> {
        self.find(name, &[AttributeType::String])?.map(|found| text(name, &found.s)).transpose()
    }

    /// Returns whole numbers; none where they are missing.
    pub fn ints(&self, name: &str) -> Result<&'a [i64], String> {
        Ok(self.find(name, &[AttributeType::Ints])?.map_or(&[], |found| &found.ints))
    }

    /// Returns floats; none where they are missing.
    pub fn floats(&self, name: &str) -> Result<&'a [f32], String> {
        Ok(self.find(name, &[AttributeType::Floats])?.map_or(&[], |found| &found.floats))
    }

    /// Returns texts; none where they are missing.
    pub fn strings(&self, name: &str) -> Result<Vec<String>, String> {
        let found = self.find(name, &[AttributeType::Strings])?;
        found.map_or(Ok(Vec::new()), |found| found.strings.iter().map(|bytes| text(name, bytes)).collect())
    }

    /// Returns a tensor.
    pub fn tensor(&self, name: &str) -> Result<Option<&'a TensorProto>, String> {
        Ok(self.find(name, &[AttributeType::Tensor])?.and_then(|found| found.t.as_ref()))
    }
}

fn text(name: &str, bytes: &[u8]) -> Result<String, String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| format!("the attribute `{name}` is not UTF-8"))
}
