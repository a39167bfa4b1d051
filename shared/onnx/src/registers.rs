//! The state of vector registers between tract's kernels and everything else.

use std::hint::black_box;

/// Clears the upper halves of vector registers, which some of tract's kernels leave set.
///
/// On x86 every older vector instruction, as most code is compiled to, waits for them from then on: a support vector machine
/// took 13 times as long after a matrix product on the same thread. A function compiled for wide registers clears them when
/// it returns; this one does nothing else.
pub(crate) fn clear() {
    pulp::Arch::new().dispatch(Wide);
}

struct Wide;

impl pulp::NullaryFnOnce for Wide {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let numbers = black_box([1.0_f32; 8]);
        black_box(numbers.map(|number| number + number));
    }
}
