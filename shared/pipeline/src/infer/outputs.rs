//! A model's outputs as fields of the record: `.probability`, `.class`, `.scores`, `.value`, or its own names.

use std::sync::Arc;

use vrl::value::{KeyString, Kind, Value, kind::Collection};

use crate::{
    ports::{Dim, Dtype, Labels, Port, Signature, Tensor, Tensors},
    record::{Names, Said},
};

/// How a model's outputs are named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outputs {
    /// Sorted by name.
    fields: Vec<Field>,
    names: Arc<Names>,
}

/// One field of what a model says, or one of an object in it.
#[derive(Clone, Debug, PartialEq)]
struct Field {
    name: KeyString,
    below: Option<KeyString>,
    kind: Kind,
    from: Origin,
}

/// Where a field's value is among a row of the outputs; each names an output.
#[derive(Clone, Debug, PartialEq)]
enum Origin {
    /// The only element.
    Element(usize),
    /// All elements.
    Elements(usize),
    /// The only element, which is a probability.
    Probability(usize),
    /// The score of the class at this place of so many.
    Score(usize, Place),
    /// The same, which is a probability.
    ProbabilityOf(usize, Place),
    /// The class of the highest score.
    Best(usize, Vec<Value>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    at: usize,
    of: usize,
}

/// Where a classifier's parts are.
struct Classifier {
    /// Which output is the chosen class, if any; else it is the one of the highest score.
    class: Option<usize>,
    /// Which output holds the scores, one per class.
    scores: usize,
}

impl Outputs {
    /// Decides by the signature and `positive`.
    ///
    /// # Errors
    /// What does not fit, in words.
    pub fn new(signature: &Signature, positive: Option<&str>) -> Result<Outputs, String> {
        let outputs = &signature.outputs;
        let is_float = |port: &Port| matches!(port.dtype, Dtype::F32 | Dtype::F64);
        // Others, such as those of several questions at once, are no event's alone.
        let by_row = |place: &usize| outputs[*place].dims.first() == Some(&Dim::Batch);
        let (floats, others): (Vec<usize>, Vec<usize>) =
            (0..outputs.len()).filter(by_row).partition(|place| is_float(&outputs[*place]));
        if floats.is_empty() && others.is_empty() {
            return Err(format!("no output of the model has its rows first: {signature}"));
        }
        let class = match others.as_slice() {
            [] => None,
            [one] if outputs[*one].width() == 1 => Some(*one),
            _ => return Outputs::named(signature, positive),
        };
        let single = |name: &str, from| Ok(Outputs::of(vec![Field::top(name, Kind::float(), from)]));
        match (floats.as_slice(), class, positive) {
            ([scores], _, _) if outputs[*scores].width() > 1 && (class.is_some() || positive.is_some()) => {
                Outputs::classes(signature, &Classifier { class, scores: *scores }, positive)
            }
            ([one], None, Some(_)) if outputs[*one].width() == 1 => single("probability", Origin::Probability(*one)),
            ([one], None, None) if outputs[*one].width() == 1 => single("value", Origin::Element(*one)),
            _ => Outputs::named(signature, positive),
        }
    }

    fn of(mut fields: Vec<Field>) -> Outputs {
        fields.sort_by(|a, b| (&a.name, &a.below).cmp(&(&b.name, &b.below)));
        let names = fields.iter().map(|field| (field.name.clone(), field.below.clone())).collect();
        Outputs { fields, names: Arc::new(Names::new(names)) }
    }

    fn classes(signature: &Signature, of: &Classifier, positive: Option<&str>) -> Result<Outputs, String> {
        let Classifier { class, scores } = *of;
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
        let mut fields = Vec::with_capacity(width + 2);
        if let Some(positive) = positive {
            let at = names.iter().position(|name| &**name == positive).ok_or_else(|| {
                let names: Vec<&str> = names.iter().map(|name| &**name).collect();
                format!("`positive` is {positive}, but the model's classes are {}", names.join(", "))
            })?;
            let from = Origin::ProbabilityOf(scores, Place { at, of: width });
            fields.push(Field::top("probability", Kind::float(), from));
        }
        fields.extend(names.into_iter().enumerate().map(|(at, name)| Field {
            name: "scores".into(),
            below: Some(name),
            kind: Kind::float(),
            from: Origin::Score(scores, Place { at, of: width }),
        }));
        let kind = if matches!(classes.first(), Some(Value::Integer(_))) { Kind::integer() } else { Kind::bytes() };
        fields.push(Field::top("class", kind, class.map_or(Origin::Best(scores, classes), Origin::Element)));
        Ok(Outputs::of(fields))
    }

    fn named(signature: &Signature, positive: Option<&str>) -> Result<Outputs, String> {
        if let Some(positive) = positive {
            return Err(format!("`positive` is {positive}, but the model is no classifier: {signature}"));
        }
        let outputs = signature.outputs.iter().enumerate();
        let by_row = outputs.filter(|(_, port)| port.dims.first() == Some(&Dim::Batch));
        let named = by_row.map(|(place, port)| {
            let element = match port.dtype {
                Dtype::F32 | Dtype::F64 => Kind::float(),
                Dtype::I64 => Kind::integer(),
                Dtype::Bool => Kind::boolean(),
                Dtype::String => Kind::bytes(),
            };
            let (kind, from) = match port.width() {
                1 => (element, Origin::Element(place)),
                _ => (Kind::array(Collection::from_unknown(element)), Origin::Elements(place)),
            };
            Field::top(&port.name, kind, from)
        });
        Ok(Outputs::of(named.collect()))
    }

    /// Returns the type expressions see.
    pub fn kind(&self) -> Kind {
        let mut known = Collection::empty();
        for one in self.fields.chunk_by(|a, b| a.below.is_some() && a.name == b.name) {
            let Some(first) = one.first() else { continue };
            let kind = match first.below {
                None => first.kind.clone(),
                Some(_) => Kind::object(one.iter().fold(Collection::empty(), |object, field| {
                    object.with_known(field.below.as_deref().unwrap_or_default(), field.kind.clone())
                })),
            };
            known = known.with_known(&*first.name, kind);
        }
        Kind::object(known)
    }

    /// Takes one row of the outputs; none if a number in it is not finite, or a probability none.
    pub fn row(&self, outputs: &Tensors, row: usize) -> Option<Said> {
        let values = self.fields.iter().map(|field| field.from.value(outputs, row)).collect::<Option<_>>()?;
        Some(Said::new(self.names.clone(), values))
    }
}

impl Field {
    fn top(name: &str, kind: Kind, from: Origin) -> Field {
        Field { name: name.into(), below: None, kind, from }
    }
}

impl Origin {
    fn value(&self, outputs: &Tensors, row: usize) -> Option<Value> {
        let score = |scores: usize, place: Place| number(&outputs.data[scores], row * place.of + place.at);
        Some(match self {
            Origin::Element(output) => element(&outputs.data[*output], row)?,
            Origin::Elements(output) => {
                let tensor = &outputs.data[*output];
                let width = tensor.len() / outputs.rows.max(1);
                (row * width..(row + 1) * width).map(|at| element(tensor, at)).collect::<Option<Vec<_>>>()?.into()
            }
            Origin::Probability(output) => Value::from_f64_or_zero(probability(number(&outputs.data[*output], row)?)?),
            Origin::Score(scores, place) => Value::from_f64_or_zero(score(*scores, *place)?),
            Origin::ProbabilityOf(scores, place) => Value::from_f64_or_zero(probability(score(*scores, *place)?)?),
            Origin::Best(scores, classes) => {
                let of = classes.len();
                let (mut best, mut highest) = (0, f64::NEG_INFINITY);
                for at in 0..of {
                    let score = score(*scores, Place { at, of })?;
                    if score > highest {
                        (best, highest) = (at, score);
                    }
                }
                classes[best].clone()
            }
        })
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
