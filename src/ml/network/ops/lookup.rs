//! Rows of a table by number: learned vectors of categories.
//!
//! Knows nothing of what the rows stand for.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::{values, with_values};

/// `table`: values × width → codes.len() × width.
pub fn lookup(table: &Tensor, codes: Vec<u32>) -> Result<Tensor> {
    table.apply_op1(Lookup { codes })
}

struct Lookup {
    codes: Vec<u32>,
}

impl CustomOp1 for Lookup {
    fn name(&self) -> &'static str {
        "lookup"
    }

    fn cpu_fwd(&self, table: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (count, width) = layout.shape().dims2()?;
        let table = values(table, layout)?;
        let mut out = Vec::with_capacity(self.codes.len() * width);
        for &code in &self.codes {
            if code as usize >= count {
                candle_core::bail!("row {code} of a table of {count}")
            }
            out.extend_from_slice(&table[code as usize * width..(code as usize + 1) * width]);
        }
        Ok((CpuStorage::F32(out), Shape::from((self.codes.len(), width))))
    }

    fn bwd(&self, table: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (count, width) = table.dims2()?;
        let mut sums = vec![0f32; count * width];
        with_values(gradient, |gradient| {
            for (&code, row) in self.codes.iter().zip(gradient.chunks_exact(width)) {
                let sums = &mut sums[code as usize * width..(code as usize + 1) * width];
                sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            Ok(())
        })?;
        Ok(Some(Tensor::from_vec(sums, (count, width), table.device())?))
    }
}
