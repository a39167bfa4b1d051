//! A model's outputs as fields of the record: `.probability`, `.class`, `.scores`, `.value`, or its own names.

use vrl::value::{KeyString, Kind, ObjectMap, Value, kind::Collection};

use crate::ports::{Dtype, Labels, Port, Signature, Tensor, Tensors};

/// How a model's outputs are named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outputs {
    /// A classifier.
    Classes {
        /// Which output is the chosen class, if any; else it is the one of the highest score.
        class: Option<usize>,
        /// Which output holds the scores, one per class.
        scores: usize,
        classes: Vec<Value>,
        names: Vec<KeyString>,
        /// The place of the class named `positive`.
        positive: Option<usize>,
    },
    /// One number that is the probability of `positive`.
    Probability(usize),
    /// One number.
    Value(usize),
    /// Whatever the model names.
    Named(Vec<(KeyString, Kind)>),
}

impl Outputs {
    /// Decides by the signature and `positive`.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn new(signature: &Signature, positive: Option<&str>) -> Result<Outputs, String> {
        let outputs = &signature.outputs;
        let is_float = |port: &Port| matches!(port.dtype, Dtype::F32 | Dtype::F64);
        let floats: Vec<usize> = (0..outputs.len()).filter(|place| is_float(&outputs[*place])).collect();
        let others: Vec<usize> = (0..outputs.len()).filter(|place| !is_float(&outputs[*place])).collect();
        let class = match others.as_slice() {
            [] => None,
            [one] if outputs[*one].width() == 1 => Some(*one),
            _ => return Outputs::named(signature, positive),
        };
        match (floats.as_slice(), class, positive) {
            ([scores], _, _) if outputs[*scores].width() > 1 && (class.is_some() || positive.is_some()) => {
                Outputs::classes(signature, class, *scores, positive)
            }
            ([one], None, Some(_)) if outputs[*one].width() == 1 => Ok(Outputs::Probability(*one)),
            ([one], None, None) if outputs[*one].width() == 1 => Ok(Outputs::Value(*one)),
            _ => Outputs::named(signature, positive),
        }
    }

    fn classes(
        signature: &Signature,
        class: Option<usize>,
        scores: usize,
        positive: Option<&str>,
    ) -> Result<Outputs, String> {
        let width = signature.outputs[scores].width();
        let classes: Vec<Value> = match &signature.labels {
            Some(Labels::Integers(labels)) => labels.iter().map(|label| Value::Integer(*label)).collect(),
            Some(Labels::Strings(labels)) => labels.iter().map(|label| Value::from(label.as_str())).collect(),
            None => (0..width as i64).map(Value::Integer).collect(),
        };
        let names: Vec<KeyString> = classes
            .iter()
            .map(|class| match class {
                Value::Integer(number) => number.to_string().into(),
                class => KeyString::from(class.to_str_lossy().unwrap_or_default()),
            })
            .collect();
        if classes.len() != width {
            return Err(format!("the model has {width} scores but {} labels", classes.len()));
        }
        let positive = match positive {
            None => None,
            Some(positive) => Some(names.iter().position(|name| &**name == positive).ok_or_else(|| {
                let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                format!("`positive` is {positive}, but the model's classes are {}", names.join(", "))
            })?),
        };
        Ok(Outputs::Classes { class, scores, classes, names, positive })
    }

    fn named(signature: &Signature, positive: Option<&str>) -> Result<Outputs, String> {
        if let Some(positive) = positive {
            return Err(format!("`positive` is {positive}, but the model is no classifier: {signature}"));
        }
        let named = signature.outputs.iter().map(|port| {
            let element = match port.dtype {
                Dtype::F32 | Dtype::F64 => Kind::float(),
                Dtype::I64 => Kind::integer(),
                Dtype::Bool => Kind::boolean(),
                Dtype::String => Kind::bytes(),
            };
            let kind = if port.width() == 1 { element } else { Kind::array(Collection::from_unknown(element)) };
            (KeyString::from(port.name.as_str()), kind)
        });
        Ok(Outputs::Named(named.collect()))
    }

    /// Returns the type expressions see.
    pub fn kind(&self) -> Kind {
        let mut known = Collection::empty();
        match self {
            Outputs::Classes { classes, names, positive, .. } => {
                let class =
                    if matches!(classes.first(), Some(Value::Integer(_))) { Kind::integer() } else { Kind::bytes() };
                known = known.with_known("class", class);
                let scores =
                    names.iter().fold(Collection::empty(), |scores, name| scores.with_known(&**name, Kind::float()));
                known = known.with_known("scores", Kind::object(scores));
                if positive.is_some() {
                    known = known.with_known("probability", Kind::float());
                }
            }
            Outputs::Probability(_) => known = known.with_known("probability", Kind::float()),
            Outputs::Value(_) => known = known.with_known("value", Kind::float()),
            Outputs::Named(named) => {
                for (name, kind) in named {
                    known = known.with_known(&**name, kind.clone());
                }
            }
        }
        Kind::object(known)
    }

    /// Takes one row of the outputs as an object; none if a number in it is not finite, or a probability none.
    pub fn row(&self, outputs: &Tensors, row: usize) -> Option<Value> {
        let mut object = ObjectMap::new();
        match self {
            Outputs::Classes { class, scores, classes, names, positive } => {
                let width = names.len();
                let values: Vec<f64> = (0..width)
                    .map(|place| number(&outputs.data[*scores], row * width + place))
                    .collect::<Option<_>>()?;
                let best = (0..width).fold(0, |best, place| if values[place] > values[best] { place } else { best });
                let chosen = match class {
                    Some(class) => element(&outputs.data[*class], row)?,
                    None => classes[best].clone(),
                };
                object.insert("class".into(), chosen);
                if let Some(positive) = positive {
                    object.insert("probability".into(), Value::from_f64_or_zero(probability(values[*positive])?));
                }
                let scores: ObjectMap =
                    names.iter().cloned().zip(values.into_iter().map(Value::from_f64_or_zero)).collect();
                object.insert("scores".into(), Value::Object(scores));
            }
            Outputs::Probability(place) => {
                let number = probability(number(&outputs.data[*place], row)?)?;
                object.insert("probability".into(), Value::from_f64_or_zero(number));
            }
            Outputs::Value(place) => {
                object.insert("value".into(), element(&outputs.data[*place], row)?);
            }
            Outputs::Named(named) => {
                for ((name, kind), tensor) in named.iter().zip(&outputs.data) {
                    let width = tensor.len() / outputs.rows.max(1);
                    let value = if kind.is_array() {
                        (row * width..(row + 1) * width)
                            .map(|at| element(tensor, at))
                            .collect::<Option<Vec<_>>>()?
                            .into()
                    } else {
                        element(tensor, row)?
                    };
                    object.insert(name.clone(), value);
                }
            }
        }
        Some(Value::Object(object))
    }
}

/// Lets through what can be a probability, give or take what sums of floats leave over.
fn probability(number: f64) -> Option<f64> {
    const LEFT_OVER: f64 = 1e-5;
    (-LEFT_OVER..=1.0 + LEFT_OVER).contains(&number).then(|| number.clamp(0.0, 1.0))
}

fn number(tensor: &Tensor, at: usize) -> Option<f64> {
    let number = match tensor {
        Tensor::F32(data) => f64::from(*data.get(at)?),
        Tensor::F64(data) => *data.get(at)?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

fn element(tensor: &Tensor, at: usize) -> Option<Value> {
    Some(match tensor {
        Tensor::F32(_) | Tensor::F64(_) => Value::from_f64_or_zero(number(tensor, at)?),
        Tensor::I64(data) => Value::Integer(*data.get(at)?),
        Tensor::Bool(data) => Value::Boolean(*data.get(at)?),
        Tensor::String(data) => Value::from(data.get(at)?.as_str()),
    })
}
