//! Which vector instructions this processor has, found at run time.
//!
//! `pulp` holds the unsafe part: an operation written once against `pulp::Simd` is compiled for AVX-512, for AVX2
//! with FMA, for NEON, and for what every processor has.

use pulp::{Simd, WithSimd};

/// Runs `operation` with the widest vectors at hand.
#[inline]
pub(crate) fn dispatch<Operation: WithSimd>(operation: Operation) -> Operation::Output {
    #[cfg(target_arch = "x86_64")]
    {
        // `pulp::Arch` would leave AVX2 out: its feature `x86-v3` is off, since turning it on would rebuild candle.
        if let Some(simd) = pulp::x86::V4::try_new() {
            return Simd::vectorize(simd, operation);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Simd::vectorize(simd, operation);
        }
        Simd::vectorize(pulp::Scalar, operation)
    }
    #[cfg(not(target_arch = "x86_64"))]
    pulp::Arch::new().dispatch(operation)
}

/// Numbers in one vector register: 16, 8, 4 or 1.
pub(crate) fn lanes() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> usize {
            S::F32_LANES
        }
    }
    dispatch(Lanes)
}
