//! Principal components of the standardised numeric columns.

use runner_results::profile::{PcaPoints, PrincipalComponents};

use super::super::table::input::Checked;
use super::column::mean_and_deviation;
use super::leading;
use crate::eigen::symmetric_eigen;
use crate::progress::Cancelled;
use crate::rng::Stream;

/// The whole decomposition takes time with the cube of the columns: of more, only the leading components are computed.
const MOST_WHOLE: usize = 60;

/// A column that varies, and what scales it to mean 0 and deviation 1 once its missing values are filled in by the mean.
struct Scaled<'a> {
    name: &'a str,
    values: &'a [f64],
    mean: f64,
    deviation: f64,
}

impl Scaled<'_> {
    /// The standardised value; 0 where it is missing.
    fn at(&self, row: usize) -> f64 {
        let value = self.values[row];
        if value.is_finite() { (value - self.mean) / self.deviation } else { 0.0 }
    }

    fn all(&self) -> impl Iterator<Item = f64> {
        (0..self.values.len()).map(|row| self.at(row))
    }
}

/// `None` when fewer than two columns vary, or no component is asked for.
pub(super) fn of_columns(input: &Checked) -> Result<Option<PrincipalComponents>, Cancelled> {
    let mut columns: Vec<Scaled> = Vec::new();
    for (column, values, _) in input.numeric() {
        input.go_on()?;
        let known: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
        let (mean, Some(deviation)) = mean_and_deviation(&known) else {
            continue;
        };
        // Filled in first, as by scikit-learn's SimpleImputer before its StandardScaler: else columns with gaps weigh less.
        let deviation = deviation * ((known.len() - 1) as f64 / (values.len() - 1) as f64).sqrt();
        if column.key.distinct >= 2 && deviation != 0.0 {
            columns.push(Scaled { name: column.name, values, mean, deviation });
        }
    }
    let kept = input.options.pca_components.min(columns.len());
    if columns.len() < 2 || kept == 0 {
        return Ok(None);
    }
    let (eigenvalues, components, total) = if columns.len() <= MOST_WHOLE {
        let whole: Vec<Vec<f64>> = columns.iter().map(|column| column.all().collect()).collect();
        let size = columns.len();
        let stop = || input.go_on().is_err();
        let (eigenvalues, vectors) = symmetric_eigen(covariance(&whole).concat(), size, &stop).ok_or(Cancelled)?;
        let total: f64 = eigenvalues.iter().sum();
        let components: Vec<Vec<f64>> = vectors.chunks_exact(size).map(with_sign).collect();
        (eigenvalues, components, total)
    } else {
        // Single precision halves the memory of very many columns; a component is exact to six digits.
        let data: Vec<f32> = columns.iter().flat_map(|column| column.all().map(|value| value as f32)).collect();
        let stream = Stream::new(input.seed, "profile: components", 0);
        let (eigenvalues, components) = leading::eigenpairs(&data, input.rows, kept, stream, &|| input.go_on())?;
        let total = columns.iter().map(|column| variance(column.all(), input.rows)).sum();
        (eigenvalues, components.iter().map(|vector| with_sign(vector)).collect(), total)
    };
    let components: Vec<Vec<f64>> = components.into_iter().take(kept).collect();
    Ok(Some(PrincipalComponents {
        columns: columns.iter().map(|column| column.name.to_owned()).collect(),
        explained_variance_ratio: eigenvalues.iter().take(kept).map(|value| (value / total).max(0.0)).collect(),
        points: points(input, &columns, &components),
        components,
    }))
}

/// Of values with mean 0.
fn variance(values: impl Iterator<Item = f64>, rows: usize) -> f64 {
    values.map(|x| x * x).sum::<f64>() / (rows - 1) as f64
}

fn points(input: &Checked, columns: &[Scaled], components: &[Vec<f64>]) -> PcaPoints {
    let mut rows = Stream::new(input.seed, "profile: points", 0).permutation(input.rows);
    rows.truncate(input.options.max_points);
    rows.sort_unstable();
    let coordinate = |row: usize, k: usize| {
        let Some(component) = components.get(k) else {
            return 0.0;
        };
        let sum: f64 = component.iter().zip(columns).map(|(loading, column)| loading * column.at(row)).sum();
        // `+ 0.0` turns a rounded −0 into 0.
        (sum * 1e4).round() / 1e4 + 0.0
    };
    PcaPoints {
        x: rows.iter().map(|&row| coordinate(row, 0)).collect(),
        y: rows.iter().map(|&row| coordinate(row, 1)).collect(),
        class: rows.iter().map(|&row| input.label[row]).collect(),
        row: rows.into_iter().map(|row| row as u64).collect(),
    }
}

/// Of columns with mean 0.
fn covariance(columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let size = columns.len();
    let mut matrix = vec![vec![0.0; size]; size];
    for i in 0..size {
        for j in i..size {
            let sum: f64 = columns[i].iter().zip(&columns[j]).map(|(a, b)| a * b).sum();
            let entry = sum / (columns[i].len() - 1) as f64;
            (matrix[i][j], matrix[j][i]) = (entry, entry);
        }
    }
    matrix
}

fn with_sign(vector: &[f64]) -> Vec<f64> {
    let mut largest = 0;
    for (j, loading) in vector.iter().enumerate() {
        // A clear margin, so that loadings equal but for rounding do not decide the sign by chance.
        if loading.abs() > vector[largest].abs() + 1e-9 {
            largest = j;
        }
    }
    let sign = if vector[largest] < 0.0 { -1.0 } else { 1.0 };
    vector.iter().map(|loading| loading * sign + 0.0).collect()
}
