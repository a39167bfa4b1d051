//! Sums over two rows of numbers: what linear models and support vector machines spend their time on.

/// How many sums run side by side: as many as fit into a vector register, for one sum must not wait for another.
const LANES: usize = 8;

/// Returns the dot product of two rows of one length.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |x, y| x * y)
}

/// Returns the square of the distance between two points of one space.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |x, y| (x - y) * (x - y))
}

#[inline(always)]
fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let (many_a, many_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = many_a.remainder().iter().zip(many_b.remainder()).fold(0.0, |sum, (x, y)| sum + term(*x, *y));
    let mut sums = [0.0; LANES];
    for (a, b) in many_a.zip(many_b) {
        for ((sum, x), y) in sums.iter_mut().zip(a).zip(b) {
            *sum += term(*x, *y);
        }
    }
    // In pairs: added one after the other, each would wait for the one before.
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h)) + rest
}

#[cfg(test)]
mod tests {
    use super::{dot, squared_distance};

    #[test]
    fn every_number_counts() {
        let a: Vec<f32> = (1u8..=19).map(f32::from).collect();
        for length in 0..=a.len() {
            let squares: f32 = a[..length].iter().map(|x| x * x).sum();
            assert_eq!(dot(&a[..length], &a[..length]), squares);
            assert_eq!(squared_distance(&a[..length], &vec![0.0; length]), squares);
        }
    }
}
