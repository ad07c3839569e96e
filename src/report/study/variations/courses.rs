//! The curves of variations, by setting and seed.

use crate::figure::{Line, Paint};
use crate::read::TableView;
use crate::study::curves::Curves;

/// By setting, the curves of each seed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Courses(Vec<Vec<Curves>>);

impl Courses {
    /// `None` of a table that is none of curves by setting and seed.
    pub(crate) fn read(table: &TableView) -> Option<Courses> {
        let (settings, seeds) = (table.numbers("setting")?, table.numbers("seed")?);
        let mut all: Vec<Vec<Curves>> = Vec::new();
        let mut from = 0;
        while from < settings.len() {
            let is_same = |row: &usize| settings[*row] == settings[from] && seeds[*row] == seeds[from];
            let to = (from..settings.len()).take_while(is_same).last().map_or(from, |last| last) + 1;
            let column = |name: &str| table.numbers(name).map(|values| values[from..to].to_vec()).unwrap_or_default();
            let setting = settings[from] as usize;
            if setting >= all.len() {
                all.resize(setting + 1, Vec::new());
            }
            all[setting].extend(Curves::from_columns(column));
            from = to;
        }
        Some(Courses(all))
    }

    /// At each epoch that all seeds have what they gave; where some have stopped a mean would jump. Epoch 0 is the network before training.
    fn values(&self, setting: usize, column: fn(&Curves) -> &[f64]) -> Vec<(f64, Vec<f64>)> {
        let runs = self.0.get(setting).map_or(&[][..], Vec::as_slice);
        let epochs = runs.iter().map(|run| run.epoch.len()).min().unwrap_or(0);
        let at = |i: usize| {
            let values = runs.iter().filter_map(|run| column(run).get(i).copied()).collect::<Vec<f64>>();
            (runs[0].epoch[i], values)
        };
        (1..epochs).map(at).filter(|(_, values)| !values.is_empty()).collect()
    }

    /// The mean over the seeds, with a band from the least to the greatest.
    pub(crate) fn line(
        &self,
        setting: usize,
        name: &str,
        column: fn(&Curves) -> &[f64],
        paint: Paint,
        dashed: bool,
    ) -> Option<Line> {
        let values = self.values(setting, column);
        let several = values.iter().any(|(_, values)| values.len() > 1);
        let ends = |values: &[f64]| {
            values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
        };
        (!values.is_empty()).then(|| Line {
            name: name.to_owned(),
            points: values.iter().map(|(x, all)| (*x, all.iter().sum::<f64>() / all.len() as f64)).collect(),
            band: if several { values.iter().map(|(_, all)| ends(all)).collect() } else { Vec::new() },
            paint,
            dashed,
        })
    }

    /// The largest over the seeds, dashed and without a name.
    pub(crate) fn largest(&self, setting: usize, column: fn(&Curves) -> &[f64], paint: Paint) -> Option<Line> {
        let values = self.values(setting, column);
        (!values.is_empty()).then(|| Line {
            name: String::new(),
            points: values.iter().map(|(x, all)| (*x, all.iter().copied().fold(0.0, f64::max))).collect(),
            band: Vec::new(),
            paint,
            dashed: true,
        })
    }
}
