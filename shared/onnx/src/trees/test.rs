//! The tests of inner nodes.

use std::fmt;

/// The numbers trees are made of.
pub(crate) trait Float: Copy + PartialOrd + fmt::Debug + Send + Sync + 'static {
    const ZERO: Self;
    fn is_nan(self) -> bool;
    fn add(self, other: Self) -> Self;
    fn divided(self, by: usize) -> Self;
    fn whole(self) -> Self;
    /// Returns this as a 32-bit float, if it is one.
    fn to_f32(self) -> Option<f32>;
    /// Returns numbers as 32-bit floats, which they are; others give none.
    fn as_f32s(numbers: &[Self]) -> &[f32];
}

impl Float for f32 {
    const ZERO: f32 = 0.0;

    fn is_nan(self) -> bool {
        f32::is_nan(self)
    }

    fn add(self, other: f32) -> f32 {
        self + other
    }

    fn divided(self, by: usize) -> f32 {
        self / by as f32
    }

    fn whole(self) -> f32 {
        self.trunc()
    }

    fn to_f32(self) -> Option<f32> {
        Some(self)
    }

    fn as_f32s(numbers: &[f32]) -> &[f32] {
        numbers
    }
}

impl Float for f64 {
    const ZERO: f64 = 0.0;

    fn is_nan(self) -> bool {
        f64::is_nan(self)
    }

    fn add(self, other: f64) -> f64 {
        self + other
    }

    fn divided(self, by: usize) -> f64 {
        self / by as f64
    }

    fn whole(self) -> f64 {
        self.trunc()
    }

    fn to_f32(self) -> Option<f32> {
        None
    }

    fn as_f32s(_: &[f64]) -> &[f32] {
        &[]
    }
}

/// What an inner node asks of a number; NaN is asked about apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test<T> {
    /// Always true.
    Always,
    LessOrEqual(T),
    Less(T),
    GreaterOrEqual(T),
    Greater(T),
    Equal(T),
    NotEqual(T),
    /// It is one of these.
    Member(Box<[T]>),
}

impl<T: Float> Test<T> {
    /// Tells whether small numbers do not pass: of the two children, that for no stands first then.
    pub fn no_first(&self) -> bool {
        matches!(self, Test::Greater(_) | Test::GreaterOrEqual(_))
    }

    /// Tells whether a number passes. NaN passes `NotEqual` alone, as comparisons have it.
    pub fn passes(&self, x: T) -> bool {
        match self {
            Test::Always => true,
            Test::LessOrEqual(t) => x <= *t,
            Test::Less(t) => x < *t,
            Test::GreaterOrEqual(t) => x >= *t,
            Test::Greater(t) => x > *t,
            Test::Equal(t) => x == *t,
            Test::NotEqual(t) => x != *t,
            Test::Member(set) => set.contains(&x),
        }
    }
}

/// A test written as `x <= t`: what is at most the threshold goes to the first child.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct AtMost {
    pub threshold: f32,
    /// NaN goes to the first child.
    pub nan: bool,
}

impl AtMost {
    /// Writes a test so, if it can be; `nan_passes` says where NaN goes.
    pub fn of<T: Float>(test: &Test<T>, nan_passes: bool) -> Option<AtMost> {
        let below = |t: f32| (t > f32::NEG_INFINITY || t.is_nan()).then(|| t.next_down());
        let threshold = match test {
            Test::LessOrEqual(t) | Test::Greater(t) => t.to_f32()?,
            // No number lies between a float and the one below it.
            Test::Less(t) | Test::GreaterOrEqual(t) => below(t.to_f32()?)?,
            _ => return None,
        };
        // No number is at most NaN, and none is greater either.
        if threshold.is_nan() {
            return None;
        }
        Some(AtMost { threshold, nan: nan_passes != test.no_first() })
    }
}

/// A test written as a set: its members go to one child, all other numbers to the other.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Among {
    pub members: Vec<f32>,
    /// Members go to the first child.
    pub first: bool,
    /// NaN goes where members go.
    pub nan: bool,
}

impl Among {
    /// Writes a test so, if it can be; `nan_passes` says where NaN goes.
    pub fn of<T: Float>(test: &Test<T>, nan_passes: bool) -> Option<Among> {
        let (members, first) = match test {
            Test::Equal(t) => (std::slice::from_ref(t), true),
            Test::Member(set) => (&**set, true),
            Test::NotEqual(t) => (std::slice::from_ref(t), false),
            _ => return None,
        };
        let members = members.iter().map(|member| member.to_f32()).collect::<Option<_>>()?;
        Some(Among { members, first, nan: nan_passes == first })
    }
}
