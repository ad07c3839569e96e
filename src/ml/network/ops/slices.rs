//! Operations on slices as candle's custom operations: arguments come as contiguous values, gradients go as vectors.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Storage, Tensor};

/// A tensor that is given to an operation.
#[derive(Clone, Copy)]
pub(crate) struct Argument<'a> {
    /// Row-major.
    pub(crate) values: &'a [f32],
    pub(crate) shape: &'a [usize],
    /// Whether a gradient is wanted; said in the backward pass alone.
    pub(crate) learns: bool,
}

/// A differentiable function of one to three f32 tensors.
pub(crate) trait Operation: Send + Sync + 'static {
    const NAME: &'static str;

    /// The result's values, row-major, and its shape.
    fn forward(&self, arguments: &[Argument]) -> Result<(Vec<f32>, Vec<usize>)>;

    /// From the result's gradient that of every argument, in their order; none for those that are data.
    fn backward(&self, arguments: &[Argument], gradient: &[f32]) -> Result<Vec<Option<Vec<f32>>>>;
}

impl Argument<'_> {
    /// Rows and columns.
    pub(crate) fn matrix(&self) -> Result<(usize, usize)> {
        match *self.shape {
            [rows, columns] => Ok((rows, columns)),
            _ => candle_core::bail!("a matrix is needed where the shape is {:?}", self.shape),
        }
    }

    /// The three sizes of a tensor of three.
    pub(crate) fn cube(&self) -> Result<(usize, usize, usize)> {
        match *self.shape {
            [a, b, c] => Ok((a, b, c)),
            _ => candle_core::bail!("three sizes are needed where the shape is {:?}", self.shape),
        }
    }
}

/// The operation's result as a node of candle's graph.
pub(super) fn apply<O: Operation>(operation: O, arguments: &[&Tensor]) -> Result<Tensor> {
    let operation = OnSlices(operation);
    match arguments {
        [a] => a.apply_op1(operation),
        [a, b] => a.apply_op2(b, operation),
        [a, b, c] => a.apply_op3(b, c, operation),
        _ => candle_core::bail!("{} of {} tensors", O::NAME, arguments.len()),
    }
}

/// Calls `read` with the values of a tensor, made contiguous first where it is not.
pub(crate) fn with_values<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    read(values(&storage, layout)?)
}

/// The contiguous f32 values of an operation's argument.
pub(crate) fn of_storage<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => candle_core::bail!("an operation on a tensor that is not contiguous"),
    }
}

struct OnSlices<O>(O);

impl<O: Operation> OnSlices<O> {
    fn forward(&self, given: &[(&CpuStorage, &Layout)]) -> Result<(CpuStorage, Shape)> {
        let mut arguments = Vec::with_capacity(given.len());
        for (storage, layout) in given {
            let values = of_storage(storage, layout)?;
            arguments.push(Argument { values, shape: layout.dims(), learns: false });
        }
        let (values, shape) = self.0.forward(&arguments)?;
        Ok((CpuStorage::F32(values), Shape::from(shape)))
    }

    fn backward(&self, tensors: &[&Tensor], gradient: &Tensor) -> Result<Vec<Option<Tensor>>> {
        let contiguous = tensors.iter().map(|tensor| tensor.contiguous()).collect::<Result<Vec<_>>>()?;
        let storages: Vec<_> = contiguous.iter().map(Tensor::storage_and_layout).collect();
        let mut arguments = Vec::with_capacity(tensors.len());
        for ((storage, layout), tensor) in storages.iter().zip(tensors) {
            let values = values(storage, layout)?;
            arguments.push(Argument { values, shape: tensor.dims(), learns: tensor.track_op() });
        }
        let gradients = with_values(gradient, |gradient| self.0.backward(&arguments, gradient))?;
        let as_tensor = |(values, tensor): (Option<Vec<f32>>, &&Tensor)| {
            values.map(|values| Tensor::from_vec(values, tensor.shape(), tensor.device())).transpose()
        };
        gradients.into_iter().zip(tensors).map(as_tensor).collect()
    }
}

fn values<'a>(storage: &'a Storage, layout: &Layout) -> Result<&'a [f32]> {
    match storage {
        Storage::Cpu(storage) => of_storage(storage, layout),
        _ => candle_core::bail!("networks are computed on the CPU"),
    }
}

impl<O: Operation> CustomOp1 for OnSlices<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(&self, a: &CpuStorage, al: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(a, al)])
    }

    fn bwd(&self, a: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        Ok(self.backward(&[a], gradient)?.pop().flatten())
    }
}

impl<O: Operation> CustomOp2 for OnSlices<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(&self, a: &CpuStorage, al: &Layout, b: &CpuStorage, bl: &Layout) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(a, al), (b, bl)])
    }

    fn bwd(&self, a: &Tensor, b: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let mut all = self.backward(&[a, b], gradient)?.into_iter();
        Ok((all.next().flatten(), all.next().flatten()))
    }
}

impl<O: Operation> CustomOp3 for OnSlices<O> {
    fn name(&self) -> &'static str {
        O::NAME
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        al: &Layout,
        b: &CpuStorage,
        bl: &Layout,
        c: &CpuStorage,
        cl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.forward(&[(a, al), (b, bl), (c, cl)])
    }

    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let mut all = self.backward(&[a, b, c], gradient)?.into_iter();
        Ok((all.next().flatten(), all.next().flatten(), all.next().flatten()))
    }
}
