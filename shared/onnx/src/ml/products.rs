//! Products of rows with a few rows of coefficients: eight targets side by side, each summed up column by column, so that
//! a row comes to the same whatever rows are around it.

use super::dot::dot;

/// Targets that are summed up together: as many as fit into a vector register.
const LANES: usize = 8;
/// Rows that are worked on together, for one sum must not wait for another.
const ROWS: usize = 4;

/// Coefficients, a row for each target.
#[derive(Debug)]
pub(super) struct Products {
    columns: usize,
    targets: usize,
    /// As they came, where there is one target.
    one: Vec<f32>,
    /// By eight targets: column by column, those of each.
    many: Vec<Vec<[f32; LANES]>>,
}

impl Products {
    /// Takes coefficients of so many columns, target by target.
    pub fn of(coefficients: &[f32], columns: usize) -> Products {
        let targets = coefficients.len() / columns.max(1);
        if targets == 1 {
            return Products { columns, targets, one: coefficients.to_vec(), many: Vec::new() };
        }
        let many = coefficients.chunks(LANES * columns.max(1)).map(|targets| {
            let of_column = |column: usize| {
                let mut lanes = [0.0; LANES];
                for (lane, of_target) in lanes.iter_mut().zip(targets.chunks_exact(columns)) {
                    *lane = of_target[column];
                }
                lanes
            };
            (0..columns).map(of_column).collect()
        });
        Products { columns, targets, one: Vec::new(), many: many.collect() }
    }

    /// Returns how many columns its rows have.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Fills `scores` with the products of rows, `rows × targets`.
    pub fn of_rows(&self, rows: &[f32], scores: &mut [f32]) {
        if self.columns > 0 && self.targets > 0 {
            pulp::Arch::new().dispatch(Multiplied { products: self, rows, scores });
        }
    }
}

/// Multiplies rows; compiled for each kind of processor.
struct Multiplied<'a> {
    products: &'a Products,
    rows: &'a [f32],
    scores: &'a mut [f32],
}

impl pulp::NullaryFnOnce for Multiplied<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Multiplied { products: Products { columns, targets, one, many }, rows, scores } = self;
        if *targets == 1 {
            for (score, row) in scores.iter_mut().zip(rows.chunks_exact(*columns)) {
                *score = dot(row, one);
            }
            return;
        }
        for (block, coefficients) in many.iter().enumerate() {
            let from = block * LANES;
            let to = (from + LANES).min(*targets);
            let rows = rows.chunks(columns * ROWS);
            for (rows, scores) in rows.zip(scores.chunks_mut(targets * ROWS)) {
                if rows.len() == columns * ROWS {
                    let sums = sums::<ROWS>(rows, coefficients);
                    let rows = scores.chunks_exact_mut(*targets).zip(&sums);
                    rows.for_each(|(scores, sums)| scores[from..to].copy_from_slice(&sums[..to - from]));
                } else {
                    for (row, scores) in rows.chunks_exact(*columns).zip(scores.chunks_exact_mut(*targets)) {
                        let [sums] = sums::<1>(row, coefficients);
                        scores[from..to].copy_from_slice(&sums[..to - from]);
                    }
                }
            }
        }
    }
}

/// Returns the sums of so many rows.
#[inline(always)]
fn sums<const N: usize>(rows: &[f32], coefficients: &[[f32; LANES]]) -> [[f32; LANES]; N] {
    let columns = coefficients.len();
    let rows: [&[f32]; N] = std::array::from_fn(|row| &rows[row * columns..][..columns]);
    let mut sums = [[0.0; LANES]; N];
    for column in 0..columns {
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let x = row[column];
            sums.iter_mut().zip(&coefficients[column]).for_each(|(sum, coefficient)| *sum += x * coefficient);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::Products;

    #[test]
    fn rows_come_to_the_same_one_by_one_and_together() {
        for (columns, targets) in [(1, 1), (1, 2), (3, 1), (10, 3), (13, 8), (5, 9), (30, 17)] {
            let number = |place: usize| ((place * 37 % 101) as f32 - 50.0) / 16.0;
            let coefficients: Vec<f32> = (0..columns * targets).map(number).collect();
            let rows: Vec<f32> = (7..7 + columns * 11).map(number).collect();
            let products = Products::of(&coefficients, columns);
            let mut together = vec![0.0; 11 * targets];
            products.of_rows(&rows, &mut together);
            for (row, together) in rows.chunks_exact(columns).zip(together.chunks_exact(targets)) {
                let mut alone = vec![0.0; targets];
                products.of_rows(row, &mut alone);
                assert_eq!(alone, together);
                for (score, coefficients) in alone.iter().zip(coefficients.chunks_exact(columns)) {
                    // All of it is whole multiples of 2^-8: sums are exact.
                    assert_eq!(*score, row.iter().zip(coefficients).map(|(x, y)| x * y).sum::<f32>());
                }
            }
        }
    }
}
