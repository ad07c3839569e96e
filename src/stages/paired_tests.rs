//! The paired tests of a report: models that predicted the same test rows, every pair of them.

use super::columns::{LABEL, PART, ROW_ID};
use super::predictions::{ModelPredictions, united_groups};
use runner_artifact::Table;
use runner_ml::progress::{Cancelled, Progress};
use runner_ml::stats::{Bootstrap, Clusters, pairwise_tests};
use runner_results::paired_test::ModelName;
use runner_results::paired_test::PairedTests;

/// What one model said of the test part.
pub(super) struct ModelOnTest {
    name: ModelName,
    classes: Vec<String>,
    /// Row numbers in rising order; labels and predictions are class numbers.
    row_id: Vec<i64>,
    labels: Vec<u32>,
    predicted: Vec<u32>,
    /// Log losses in nats.
    losses: Vec<f64>,
    /// Empty where every row stands alone.
    groups: Vec<i64>,
}

impl ModelOnTest {
    /// Every model of a table of predictions. A table of other columns, or without test rows, has none.
    pub(crate) fn read(stage: &str, table: &Table) -> anyhow::Result<Vec<ModelOnTest>> {
        if ![ROW_ID, PART, LABEL].iter().all(|name| table.column(name).is_ok()) {
            return Ok(Vec::new());
        }
        let one = |said: ModelPredictions| -> Option<ModelOnTest> {
            let mut rows: Vec<usize> = (0..said.row_id.len()).filter(|&i| said.parts[i] == "test").collect();
            rows.sort_unstable_by_key(|&i| said.row_id[i]);
            let number =
                |label: &String| said.classes.iter().position(|class| class == label).map(|place| place as u32);
            let labels: Vec<u32> = rows.iter().map(|&i| number(&said.labels[i])).collect::<Option<_>>()?;
            let loss =
                |(&i, &label): (&usize, &u32)| -f64::from(said.probabilities.get(i, label as usize)).max(1e-15).ln();
            Some(ModelOnTest {
                losses: rows.iter().zip(&labels).map(loss).collect(),
                name: ModelName { stage: stage.to_owned(), model: said.model.clone() },
                row_id: rows.iter().map(|&i| said.row_id[i]).collect(),
                labels,
                predicted: rows.iter().map(|&i| number(&said.predicted[i])).collect::<Option<_>>()?,
                groups: match said.groups.as_slice() {
                    [] => Vec::new(),
                    groups => rows.iter().map(|&i| groups[i]).collect(),
                },
                classes: said.classes,
            })
        };
        let all = ModelPredictions::read(table)?.into_iter().filter_map(one);
        Ok(all.filter(|tested| !tested.row_id.is_empty()).collect())
    }

    fn comparable(&self, other: &ModelOnTest) -> bool {
        (&self.classes, &self.row_id, &self.labels) == (&other.classes, &other.row_id, &other.labels)
    }
}

/// The tests of each set of test rows that two models or more have in common.
pub(super) fn paired_tests(tested: Vec<ModelOnTest>, progress: &dyn Progress) -> Result<Vec<PairedTests>, Cancelled> {
    let mut groups: Vec<Vec<ModelOnTest>> = Vec::new();
    for one in tested {
        match groups.iter_mut().find(|group| group[0].comparable(&one)) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    let several = groups.into_iter().filter(|group| group.len() > 1);
    several.filter_map(|group| tests_of(group, progress).transpose()).collect()
}

/// `None` where all rows are of one group, which tells nothing of how others would differ.
fn tests_of(mut group: Vec<ModelOnTest>, progress: &dyn Progress) -> Result<Option<PairedTests>, Cancelled> {
    let predicted: Vec<Vec<u32>> = group.iter_mut().map(|one| std::mem::take(&mut one.predicted)).collect();
    let losses: Vec<Vec<f64>> = group.iter_mut().map(|one| std::mem::take(&mut one.losses)).collect();
    let groups = united_groups(&group.iter().map(|one| one.groups.as_slice()).collect::<Vec<_>>());
    let all: Vec<usize> = (0..group[0].row_id.len()).collect();
    let clusters = Clusters::of_rows(&groups, &all);
    let classes = group[0].classes.len();
    let how = Bootstrap::default();
    let pairs = pairwise_tests(&group[0].labels, &predicted, &losses, classes, &clusters, &how, progress)?;
    let tests = PairedTests {
        rows: group[0].row_id.len(),
        groups: clusters.groups(),
        models: group.into_iter().map(|one| one.name).collect(),
        pairs,
    };
    Ok((!tests.pairs.is_empty()).then_some(tests))
}
