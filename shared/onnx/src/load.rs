//! From bytes to a warm model.

use std::sync::Arc;

use bytes::Bytes;
use fourstroke::ports::{Dim, Dtype, Port, Signature};
use prost::Message;
use tract_onnx::model::Onnx;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{
    Datum, Framework, InferenceFact, InferenceModelExt, IntoRunnable, SpecialOps, TDim, TVec, ToDim, TractResult,
    TypedFact, TypedModel, TypedRunnableModel,
};
use tract_onnx::tract_core::ops::cast::cast;

use crate::error::LoadError;
use crate::guard::guarded;
use crate::run::OnnxModel;
use crate::signature::{self, Input};
use crate::{external, labels, limits, ml, operators, rewrite};

/// The most bytes a model may have, and the most that may lie in other files.
pub const SIZE_LIMIT: usize = 512 << 20;

/// Loads a model from the bytes of an ONNX file, ready to run any number of rows.
///
/// In its [signature](fourstroke::ports::Model::signature), the first dimension of every input and output is the
/// batch, whatever the file says there; all other dimensions are fixed. Integers of every width are `I64`. Inputs with
/// an initializer are constants and left out. `metadata` is the file's `metadata_props`. `labels` are the classes of a
/// classifier, in the order of its scores, where the file names them. What is a map in the file is a matrix here, whose columns
/// have its keys: a ZipMap's output, the input of a DictVectorizer.
///
/// # Errors
/// When the bytes are more than [`SIZE_LIMIT`], truncated or not ONNX; when a tensor lies in another file (see [`load_with`]); when an
/// operator is neither ours nor tract's; when an input or output is not a tensor of a supported type with known dimensions;
/// when there are none of either; when labels are not as many as the columns they name; when the graph does not fit together.
pub fn load(bytes: &[u8]) -> Result<OnnxModel, LoadError> {
    load_with(bytes, &[])
}

/// Loads a model as [`load`] does, some of whose tensors lie in other files: these, by the names the model calls them.
/// No other file is ever looked for.
///
/// # Errors
/// Those of [`load`]; when a tensor lies in a file that is not given, or beyond its end.
pub fn load_with(bytes: &[u8], external: &[(String, Bytes)]) -> Result<OnnxModel, LoadError> {
    if bytes.len() > SIZE_LIMIT {
        return Err(LoadError::TooLarge { bytes: bytes.len(), limit: SIZE_LIMIT });
    }
    let malformed = |reason: String| LoadError::Malformed { reason };
    let no_graph = || malformed("it holds no graph".into());
    let mut proto = ModelProto::decode(bytes).map_err(|error| malformed(error.to_string()))?;
    external::put_in(proto.graph.as_mut().ok_or_else(no_graph)?, external)?;
    let graph = proto.graph.as_ref().ok_or_else(no_graph)?;

    let onnx = operators::reader();
    operators::check(&proto, graph, &onnx)?;
    let taken = rewrite::rewrite(&mut proto, bytes)?;
    let graph = proto.graph.as_ref().ok_or_else(no_graph)?;
    let mut inputs = signature::inputs(graph, &taken.dense)?;
    if inputs.is_empty() || graph.output.is_empty() {
        return Err(LoadError::Graph { reason: "it has no inputs or no outputs".into() });
    }
    let (plan, most_rows) = guarded(|| plan(&onnx, &proto, &inputs)).map_err(|reason| LoadError::Graph { reason })?;
    let facts = guarded(|| output_facts(&plan)).map_err(|reason| LoadError::Graph { reason })?;
    let mut outputs = signature::outputs(graph, &facts)?;
    let ports = inputs.iter_mut().map(|input| &mut input.port).chain(&mut outputs);
    ports.for_each(|port| port.labels = taken.labels.get(&port.name).cloned());
    for port in &outputs {
        let (width, labels) = (port.width(), port.labels.as_ref().map(labels::count));
        if let Some(labels) = labels.filter(|labels| *labels != width) {
            return Err(LoadError::Graph {
                reason: format!("`{}` has {labels} labels for {width} columns", port.name),
            });
        }
    }
    // They are those of the scores, if there is one output of as many.
    let labels = labels::of(graph, &taken).filter(|labels| {
        let scores = outputs.iter().filter(|port| matches!(port.dtype, Dtype::F32 | Dtype::F64) && port.width() > 1);
        scores.map(Port::width).eq([labels::count(labels)])
    });

    let (ports, datums) = inputs.into_iter().map(|input| (input.port, input.datum)).unzip();
    let metadata = proto.metadata_props.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
    let signature = Signature { inputs: ports, outputs, labels, metadata };
    let minds_nan = operators::mind_nan(graph);
    Ok(OnnxModel::new(signature, datums, minds_nan, most_rows, plan))
}

/// Has tract read and optimise the graph for a number of rows that only each run knows. Returns how many rows
/// it may take at once, too.
fn plan(onnx: &Onnx, proto: &ModelProto, inputs: &[Input]) -> TractResult<(Arc<TypedRunnableModel>, usize)> {
    let mut model = onnx.model_for_proto_model(proto)?;
    let symbol = model.symbols.new_with_prefix("rows");
    // An empty batch never reaches tract; knowing it lets tract tell one row from a dimension to broadcast over.
    model.symbols.add_assertion(format!("{symbol} >= 1"))?;
    let rows = symbol.to_dim();
    for (place, input) in inputs.iter().enumerate() {
        model.set_input_fact(place, InferenceFact::dt_shape(input.datum, shape(&input.port, &rows)))?;
    }
    let mut model = model.into_typed()?;
    let most_rows = limits::most_rows(&model, &symbol)?;
    integer_lengths(&mut model)?;
    ml::of_rows::replace(&mut model)?;
    Ok((model.into_optimized()?.into_runnable()?, most_rows))
}

/// Casts outputs of tract's type for lengths to the int64 they are in ONNX. Left alone they would come back as formulas
/// of the number of rows; the cast works them out at each run.
fn integer_lengths(model: &mut TypedModel) -> TractResult<()> {
    let mut outlets = model.outputs.clone();
    for (place, outlet) in outlets.iter_mut().enumerate() {
        if model.outlet_fact(*outlet)?.datum_type == TDim::datum_type() {
            *outlet = model.wire_node(format!("int64 output {place}"), cast(i64::datum_type()), &[*outlet])?[0];
        }
    }
    model.select_output_outlets(&outlets)
}

fn shape(port: &Port, rows: &TDim) -> TVec<TDim> {
    port.dims
        .iter()
        .map(|dim| match dim {
            Dim::Batch => rows.clone(),
            Dim::Fixed(size) => size.to_dim(),
        })
        .collect()
}

fn output_facts(plan: &TypedRunnableModel) -> TractResult<Vec<TypedFact>> {
    let model = plan.model();
    model.outputs.iter().map(|outlet| model.outlet_fact(*outlet).cloned()).collect()
}
