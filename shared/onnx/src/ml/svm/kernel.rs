//! Kernels: how close a row is to a support vector.

use super::super::{
    attributes::Attributes,
    dot::{dot, squared_distance},
};

/// A kernel with its parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kernel {
    Linear,
    Poly { gamma: f32, coef0: f32, degree: f32 },
    Rbf { gamma: f32 },
    Sigmoid { gamma: f32, coef0: f32 },
}

impl Kernel {
    /// Reads `kernel_type` and `kernel_params`; parameters that are missing are zero.
    ///
    /// # Errors
    /// There is no such kernel (onnxruntime takes any other text for `SIGMOID`), or the parameters are not three.
    pub(super) fn read(attributes: Attributes<'_>) -> Result<Kernel, String> {
        let (gamma, coef0, degree) = match attributes.floats("kernel_params")? {
            [] => (0.0, 0.0, 0.0),
            [gamma, coef0, degree, ..] => (*gamma, *coef0, *degree),
            some => return Err(format!("`kernel_params` has {} numbers", some.len())),
        };
        match attributes.string("kernel_type")?.as_deref() {
            None | Some("LINEAR") => Ok(Kernel::Linear),
            Some("POLY") => Ok(Kernel::Poly { gamma, coef0, degree }),
            Some("RBF") => Ok(Kernel::Rbf { gamma }),
            Some("SIGMOID") => Ok(Kernel::Sigmoid { gamma, coef0 }),
            Some(other) => Err(format!("there is no kernel `{other}`")),
        }
    }

    /// Returns how close a row is to a vector of the same length.
    pub(super) fn of(self, row: &[f32], vector: &[f32]) -> f32 {
        match self {
            Kernel::Linear => dot(row, vector),
            Kernel::Poly { gamma, coef0, degree } => power(gamma * dot(row, vector) + coef0, degree),
            Kernel::Rbf { gamma } => (-gamma * squared_distance(row, vector)).exp(),
            Kernel::Sigmoid { gamma, coef0 } => (gamma * dot(row, vector) + coef0).tanh(),
        }
    }
}

/// Returns a power; the common ones faster, as in onnxruntime.
fn power(x: f32, degree: f32) -> f32 {
    if degree == 2.0 {
        x * x
    } else if degree == 3.0 {
        x * x * x
    } else {
        x.powf(degree)
    }
}

/// Support vectors, all of one length.
#[derive(Debug)]
pub(super) struct Vectors {
    kernel: Kernel,
    numbers: Vec<f32>,
    columns: usize,
}

impl Vectors {
    /// Reads `support_vectors` and their kernel.
    ///
    /// # Errors
    /// The numbers are not so many vectors.
    pub(super) fn read(attributes: Attributes<'_>, count: usize) -> Result<Vectors, String> {
        let numbers = attributes.floats("support_vectors")?.to_vec();
        match numbers.len().checked_div(count) {
            Some(columns) if columns > 0 && columns * count == numbers.len() => {
                Ok(Vectors { kernel: Kernel::read(attributes)?, numbers, columns })
            }
            _ => Err(format!("`support_vectors` has {} numbers for {count} vectors", numbers.len())),
        }
    }

    /// Returns how long a row must be; never zero.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Returns how close a row is to each vector.
    pub(super) fn kernels<'a>(&'a self, row: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        self.numbers.chunks_exact(self.columns).map(|vector| self.kernel.of(row, vector))
    }
}

/// Checks that an input has so many columns.
pub(super) fn check(expected: usize, columns: usize) -> Result<(), String> {
    if columns == expected { Ok(()) } else { Err(format!("it takes {expected} columns, not {columns}")) }
}

#[cfg(test)]
mod tests {
    use super::Kernel;

    #[test]
    fn kernels_are_those_of_libsvm() {
        let (row, vector) = ([1.0, 2.0], [3.0, -0.5]);
        assert_eq!(Kernel::Linear.of(&row, &vector), 2.0);
        for (degree, expected) in [(1.0, 1.5), (2.0, 2.25), (3.0, 3.375), (4.0, 5.0625)] {
            assert_eq!(Kernel::Poly { gamma: 0.5, coef0: 0.5, degree }.of(&row, &vector), expected);
        }
        assert_eq!(Kernel::Rbf { gamma: 0.5 }.of(&row, &vector), (-5.125f32).exp());
        assert_eq!(Kernel::Sigmoid { gamma: 0.5, coef0: 0.5 }.of(&row, &vector), 1.5f32.tanh());
    }
}
