//! Expressions in Rust.

use std::{fmt, sync::Arc};

use vrl::value::{KeyString, Kind, ObjectMap, Value};

use crate::{config::Expr, record::Record};

type Call = dyn Fn(&Record) -> Result<Value, String> + Send + Sync;

/// Holds a closure that stands for an expression, and the type of what it gives.
#[derive(Clone)]
pub struct Function {
    pub(crate) kind: Kind,
    pub(crate) call: Arc<Call>,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Function({})", self.kind)
    }
}

/// Makes an expression of a closure. An error makes the event poison; so does a panic.
///
/// A rule's closure sees what is there, also where a model did not run for the event: see [`Rule::needs`](super::Rule::needs).
pub fn with<T: Gives>(call: impl Fn(&Record) -> Result<T, String> + Send + Sync + 'static) -> Expr {
    let call = move |record: &Record| call(record).map(Gives::value);
    Expr { function: Some(Function { kind: T::kind(), call: Arc::new(call) }), ..Expr::from("") }
}

/// Makes an expression of a path or other VRL.
impl From<&str> for Expr {
    fn from(text: &str) -> Expr {
        Expr { text: text.to_owned(), at: String::new(), offsets: vec![0; text.len() + 1].into(), function: None }
    }
}

/// Makes an object, as an action's data or a lookup's default.
///
/// ```
/// let plane = fourstroke::code::object([("seats", 150.into()), ("year", fourstroke::Value::Null)]);
/// assert_eq!(plane.to_string(), r#"{ "seats": 150, "year": null }"#);
/// ```
pub fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (KeyString::from(name), value)).collect::<ObjectMap>())
}

/// Makes a float; NaN becomes 0.
pub fn float(number: f64) -> Value {
    Value::from_f64_or_zero(number)
}

/// What a closure may give.
pub trait Gives: 'static {
    /// The type that is checked where the expression stands.
    fn kind() -> Kind;

    /// Makes it a value. NaN is null.
    fn value(self) -> Value;
}

impl Gives for bool {
    fn kind() -> Kind {
        Kind::boolean()
    }

    fn value(self) -> Value {
        Value::Boolean(self)
    }
}

impl Gives for i64 {
    fn kind() -> Kind {
        Kind::integer()
    }

    fn value(self) -> Value {
        Value::Integer(self)
    }
}

impl Gives for f64 {
    fn kind() -> Kind {
        Kind::float().or_null()
    }

    fn value(self) -> Value {
        if self.is_nan() { Value::Null } else { Value::from_f64_or_zero(self) }
    }
}

impl Gives for String {
    fn kind() -> Kind {
        Kind::bytes()
    }

    fn value(self) -> Value {
        Value::from(self)
    }
}

impl Gives for Value {
    fn kind() -> Kind {
        Kind::any()
    }

    fn value(self) -> Value {
        self
    }
}

impl<T: Gives> Gives for Option<T> {
    fn kind() -> Kind {
        T::kind().or_null()
    }

    fn value(self) -> Value {
        self.map_or(Value::Null, T::value)
    }
}
