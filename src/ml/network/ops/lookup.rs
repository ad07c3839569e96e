//! Rows of a table by number: learned vectors of categories.

use candle_core::{Result, Tensor};

use super::slices::{Argument, Operation, apply};

/// `table`: values × width → codes.len() × width.
pub(crate) fn lookup(table: &Tensor, codes: Vec<u32>) -> Result<Tensor> {
    apply(Lookup { codes }, &[table])
}

struct Lookup {
    codes: Vec<u32>,
}

impl Operation for Lookup {
    const NAME: &'static str = "lookup";

    fn forward(&self, arguments: &[Argument]) -> Result<(Vec<f32>, Vec<usize>)> {
        let table = &arguments[0];
        let (count, width) = table.matrix()?;
        let mut out = Vec::with_capacity(self.codes.len() * width);
        for &code in &self.codes {
            if code as usize >= count {
                candle_core::bail!("row {code} of a table of {count}")
            }
            out.extend_from_slice(&table.values[code as usize * width..(code as usize + 1) * width]);
        }
        Ok((out, vec![self.codes.len(), width]))
    }

    fn backward(&self, arguments: &[Argument], gradient: &[f32]) -> Result<Vec<Option<Vec<f32>>>> {
        let (count, width) = arguments[0].matrix()?;
        let mut sums = vec![0f32; count * width];
        for (&code, row) in self.codes.iter().zip(gradient.chunks_exact(width)) {
            let sums = &mut sums[code as usize * width..(code as usize + 1) * width];
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        Ok(vec![Some(sums)])
    }
}
