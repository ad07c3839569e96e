//! Sums of tiles in low precision by the instructions of x86 made for them, where the processor has them.
//!
//! All unsafe code of the kernels is here but for the hint of `ahead`: instructions that the processor must have, and loads and stores of whole
//! registers.

use std::arch::x86_64::{
    __m512, __m512bh, __m512i, _mm512_dpbf16_ps, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32,
    _mm512_setzero_ps, _mm512_setzero_si512, _mm512_storeu_ps, _mm512_storeu_si512,
};

use super::ahead::STEP;
use super::words::{TILE, Tile, WIDTH, by_rows};

/// `integer::sums`, by AVX-512 VNNI. False where the processor does not have it.
pub(crate) fn integer_sums(tile: &Tile, sums: &mut [[i32; WIDTH]; TILE]) -> bool {
    let present = has_vnni();
    if present {
        // SAFETY: the processor has just been found to have the instructions that the function is compiled for.
        #[allow(unsafe_code)]
        unsafe {
            vnni(tile, sums);
        }
    }
    present
}

/// `bfloat::sums`, by AVX-512 BF16. False where the processor does not have it.
pub(crate) fn bfloat_sums(tile: &Tile, sums: &mut [[f32; WIDTH]; TILE]) -> bool {
    let present = has_bf16();
    if present {
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe {
            bf16(tile, sums);
        }
    }
    present
}

pub(crate) fn has_vnni() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni")
}

pub(crate) fn has_bf16() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16")
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn vnni(tile: &Tile, sums: &mut [[i32; WIDTH]; TILE]) {
    by_rows!(tile, vnni_rows, sums);
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn vnni_rows<const ROWS: usize>(tile: &Tile, sums: &mut [[i32; WIDTH]; TILE]) {
    let rows: [&[u32]; ROWS] = std::array::from_fn(|i| &tile.rows[i][..tile.panel.len()]);
    let mut registers = [[_mm512_setzero_si512(); 2]; ROWS];
    let mut ahead = tile.ahead;
    for (k, level) in tile.panel.iter().enumerate() {
        if k % STEP == 0 {
            ahead.fetch();
        }
        let [low, high] = load(level);
        for i in 0..ROWS {
            let word = _mm512_set1_epi32(rows[i][k].cast_signed());
            registers[i][0] = _mm512_dpbusd_epi32(registers[i][0], word, low);
            registers[i][1] = _mm512_dpbusd_epi32(registers[i][1], word, high);
        }
    }
    for (sums, registers) in sums.iter_mut().zip(registers) {
        let (halves, _) = sums.as_chunks_mut::<16>();
        for (half, register) in halves.iter_mut().zip(registers) {
            // SAFETY: 16 numbers of 32 bits are the 64 bytes that are written; no alignment is asked for.
            #[allow(unsafe_code)]
            unsafe {
                _mm512_storeu_si512(half.as_mut_ptr().cast(), register);
            }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn bf16(tile: &Tile, sums: &mut [[f32; WIDTH]; TILE]) {
    by_rows!(tile, bf16_rows, sums);
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn bf16_rows<const ROWS: usize>(tile: &Tile, sums: &mut [[f32; WIDTH]; TILE]) {
    let rows: [&[u32]; ROWS] = std::array::from_fn(|i| &tile.rows[i][..tile.panel.len()]);
    let mut registers = [[_mm512_setzero_ps(); 2]; ROWS];
    let mut ahead = tile.ahead;
    for (k, level) in tile.panel.iter().enumerate() {
        if k % STEP == 0 {
            ahead.fetch();
        }
        let [low, high] = load(level);
        let (low, high) = (pairs(low), pairs(high));
        for i in 0..ROWS {
            let word = pairs(_mm512_set1_epi32(rows[i][k].cast_signed()));
            registers[i][0] = _mm512_dpbf16_ps(registers[i][0], word, low);
            registers[i][1] = _mm512_dpbf16_ps(registers[i][1], word, high);
        }
    }
    for (sums, registers) in sums.iter_mut().zip(registers) {
        let (halves, _) = sums.as_chunks_mut::<16>();
        for (half, register) in halves.iter_mut().zip(registers) {
            store(half, register);
        }
    }
}

#[target_feature(enable = "avx512f")]
fn load(words: &[u32; WIDTH]) -> [__m512i; 2] {
    let (halves, _) = words.as_chunks::<16>();
    // SAFETY: 16 numbers of 32 bits are the 64 bytes that are read; no alignment is asked for.
    #[allow(unsafe_code)]
    [0, 1].map(|i| unsafe { _mm512_loadu_si512(halves[i].as_ptr().cast()) })
}

#[target_feature(enable = "avx512f")]
fn store(half: &mut [f32; 16], register: __m512) {
    // SAFETY: 16 numbers of 32 bits are the 64 bytes that are written; no alignment is asked for.
    #[allow(unsafe_code)]
    unsafe {
        _mm512_storeu_ps(half.as_mut_ptr(), register);
    }
}

/// The same 512 bits as pairs of 16-bit numbers.
#[target_feature(enable = "avx512f")]
fn pairs(words: __m512i) -> __m512bh {
    // SAFETY: both types are 64 bytes of which all bits are valid.
    #[allow(unsafe_code)]
    unsafe {
        std::mem::transmute(words)
    }
}
