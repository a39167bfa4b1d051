//! What a type is on the wire: a whole number of so many bits, or bytes of some size; and what either stands for.

use apache_avro::schema::{InnerDecimalSchema, Schema, UuidSchema};

/// What a whole number stands for.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    Number,
    Float,
    Date,
    Millis,
    Micros,
    Nanos,
}

/// What text is made of bytes.
#[derive(Clone, Copy)]
pub(super) enum Text {
    Utf8,
    Base64,
    Uuid,
    /// A number with so many digits behind the point.
    Decimal(usize),
}

/// The bits of a whole number on the wire.
pub(super) fn bits(schema: &Schema) -> Option<u32> {
    match schema {
        Schema::Int | Schema::Date | Schema::TimeMillis => Some(32),
        Schema::Long
        | Schema::TimeMicros
        | Schema::TimestampMillis
        | Schema::TimestampMicros
        | Schema::TimestampNanos
        | Schema::LocalTimestampMillis
        | Schema::LocalTimestampMicros
        | Schema::LocalTimestampNanos => Some(64),
        _ => None,
    }
}

/// What the reader takes a whole number for. Times of day and moments without a zone stay numbers.
pub(super) fn meaning(schema: &Schema) -> Option<Meaning> {
    match schema {
        Schema::Float | Schema::Double => Some(Meaning::Float),
        Schema::Date => Some(Meaning::Date),
        Schema::TimestampMillis => Some(Meaning::Millis),
        Schema::TimestampMicros => Some(Meaning::Micros),
        Schema::TimestampNanos => Some(Meaning::Nanos),
        _ => bits(schema).map(|_| Meaning::Number),
    }
}

/// The size of what is bytes on the wire: fixed, or written before them.
pub(super) fn size(schema: &Schema) -> Option<Option<usize>> {
    match schema {
        Schema::Bytes | Schema::String | Schema::BigDecimal => Some(None),
        Schema::Uuid(UuidSchema::Bytes | UuidSchema::String) => Some(None),
        Schema::Decimal(decimal) => match &decimal.inner {
            InnerDecimalSchema::Bytes => Some(None),
            InnerDecimalSchema::Fixed(fixed) => Some(Some(fixed.size)),
        },
        Schema::Fixed(fixed) | Schema::Duration(fixed) | Schema::Uuid(UuidSchema::Fixed(fixed)) => {
            Some(Some(fixed.size))
        }
        _ => None,
    }
}

/// What text the reader takes bytes for.
pub(super) fn text(schema: &Schema) -> Option<Text> {
    match schema {
        Schema::String | Schema::Uuid(UuidSchema::String) => Some(Text::Utf8),
        Schema::Uuid(_) => Some(Text::Uuid),
        Schema::Decimal(decimal) => Some(Text::Decimal(decimal.scale)),
        Schema::Bytes | Schema::BigDecimal | Schema::Fixed(_) | Schema::Duration(_) => Some(Text::Base64),
        _ => None,
    }
}
