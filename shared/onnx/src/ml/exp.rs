//! Exponentials of many numbers at once: a polynomial, in steps the compiler makes vectors of. The same on every processor.

/// Replaces each number by its exponential, which is exact to 2 units in the last place; what would be less than 1.2e-38 is zero,
/// NaN stays.
///
/// The method and the polynomial are those of Cephes' `expf`: `exp(x) = 2^n exp(r)` with `|r| <= ln 2 / 2`.
#[inline(always)]
pub(super) fn exp_all(numbers: &mut [f32]) {
    numbers.iter_mut().for_each(|x| *x = exp(*x));
}

#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Beyond these the answer is zero, and infinity.
    const LOWEST: f32 = -87.336_54;
    const HIGHEST: f32 = 88.722_83;
    /// Adding it rounds to a whole number, which is in the lower bits then.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first of few bits.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const POLYNOMIAL: [f32; 6] = [1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5];

    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let y = POLYNOMIAL.iter().fold(0.0, |y, factor| y * r + factor) * r * r + r + 1.0;
    // In two steps, as 2^128 is no number, and 2^-126 is not below the smallest.
    let whole = rounded.to_bits().wrapping_sub(ROUND.to_bits());
    let half = ((whole as i32) >> 1) as u32;
    let power = |n: u32| f32::from_bits(n.wrapping_add(127) << 23);
    let y = y * power(half) * power(whole.wrapping_sub(half));
    let y = if x < LOWEST { 0.0 } else { y };
    let y = if x > HIGHEST { f32::INFINITY } else { y };
    if x.is_nan() { x } else { y }
}

#[cfg(test)]
mod tests {
    use super::exp_all;

    #[test]
    fn every_exponential_is_right_to_two_units_in_the_last_place() {
        let mut worst = 0;
        for bits in (0..u32::MAX).step_by(4_099) {
            let x = f32::from_bits(bits);
            let mut found = [x];
            exp_all(&mut found);
            let expected = f64::from(x).exp() as f32;
            match expected {
                _ if x.is_nan() => assert!(found[0].is_nan()),
                tiny if tiny < f32::MIN_POSITIVE => assert!(found[0] <= f32::MIN_POSITIVE, "{x}: {}", found[0]),
                _ => worst = worst.max(expected.to_bits().abs_diff(found[0].to_bits())),
            }
        }
        assert!(worst <= 2, "{worst} units");
    }
}
