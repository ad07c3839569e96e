//! What a profile tells in detail of a wide table: the most relevant columns, and the largest classes apart.
//!
//! Details of every column in every class would grow with their product: 1,000 columns and 300 classes give 100 MB that nobody reads.

use runner_results::profile::{ClassBalance, ClassGroup, Relevance};

use super::super::table::input::Checked;

/// Columns described by class and with a histogram.
pub(super) const MOST_COLUMNS: usize = 40;
/// Classes told apart there; the others are summed.
pub(super) const MOST_CLASSES: usize = 20;

pub(super) struct Breadth {
    detailed: Vec<bool>,
    pub(crate) groups: ClassGroups,
}

/// The classes that are told apart, and one group of all others.
pub(super) struct ClassGroups {
    pub(crate) names: Vec<ClassGroup>,
    /// By class, the place of its group in `names`.
    of_class: Vec<u32>,
}

impl Breadth {
    pub(crate) fn new(input: &Checked, relevance: &[Relevance], classes: &[ClassBalance]) -> Breadth {
        let mut detailed = vec![input.columns.len() <= MOST_COLUMNS; input.columns.len()];
        let mut ranked: Vec<usize> = (0..input.columns.len()).collect();
        let share = |column: usize| relevance.get(column).map_or(0.0, |relevance| relevance.information_share);
        // Stable: without labels the first columns of the table are described.
        ranked.sort_by(|&a, &b| share(b).total_cmp(&share(a)));
        ranked.into_iter().take(MOST_COLUMNS).for_each(|column| detailed[column] = true);
        Breadth { detailed, groups: ClassGroups::new(classes) }
    }

    /// The groups by which a column is described; `None` for a column that is not described in detail.
    pub(crate) fn details(&self, column: usize) -> Option<&ClassGroups> {
        self.detailed[column].then_some(&self.groups)
    }
}

impl ClassGroups {
    fn new(classes: &[ClassBalance]) -> ClassGroups {
        let group = |class: &ClassBalance| ClassGroup::Class(class.class.clone());
        let mut names: Vec<ClassGroup> = classes.iter().map(group).collect();
        let mut of_class: Vec<u32> = (0..classes.len() as u32).collect();
        if classes.len() > MOST_CLASSES {
            let mut ranked: Vec<usize> = (0..classes.len()).collect();
            ranked.sort_by_key(|&class| std::cmp::Reverse(classes[class].rows));
            let mut told_apart = ranked[..MOST_CLASSES].to_vec();
            told_apart.sort_unstable();
            of_class.fill(MOST_CLASSES as u32);
            (0u32..).zip(&told_apart).for_each(|(group, &class)| of_class[class] = group);
            names = told_apart.into_iter().map(|class| group(&classes[class])).collect();
            names.push(ClassGroup::Others { others: (classes.len() - MOST_CLASSES) as u64 });
        }
        ClassGroups { names, of_class }
    }

    /// The group of a row with that label.
    pub(crate) fn of(&self, label: Option<u32>) -> Option<usize> {
        label.map(|class| self.of_class[class as usize] as usize)
    }
}
