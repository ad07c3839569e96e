//! What the stages warned of when they ran.

use indexmap::IndexMap;

use super::{Study, plural};
use crate::page::{Block, Prose, Section};

/// So many show at once; the others are folded away.
const SHOWN: usize = 8;
/// So many stages that warn of the same are named.
const NAMED: usize = 3;

/// Each warning once, with the stages that gave it.
pub(super) fn section(study: &Study) -> Option<Section> {
    let mut warnings: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for stage in study.stages {
        for warning in &stage.warnings {
            let stages = warnings.entry(warning).or_default();
            if stages.last() != Some(&stage.stage.as_str()) {
                stages.push(&stage.stage);
            }
        }
    }
    let mut lines: Vec<Prose> = warnings.iter().map(|(warning, stages)| line(warning, stages)).collect();
    if lines.is_empty() {
        return None;
    }
    let mut section = Section::new("warnings", "Warnings");
    let rest = lines.split_off(lines.len().min(SHOWN));
    section.push(Block::List(lines));
    if !rest.is_empty() {
        let summary = format!("{} more", plural(rest.len() as u64, "warning"));
        section.push(Block::Details { summary, blocks: vec![Block::List(rest)] });
    }
    Some(section)
}

fn line(warning: &str, stages: &[&str]) -> Prose {
    let named = stages.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let more = match stages.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {}", plural(more as u64, "other stage")),
    };
    Prose::new().strong(format!("{named}{more}: ")).text(warning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::StageArtifacts;

    #[test]
    fn each_warning_stands_once_with_its_stages() {
        let stage = |name: &str, warnings: &[&str]| StageArtifacts {
            stage: name.to_owned(),
            warnings: warnings.iter().map(|&text| text.to_owned()).collect(),
            ..StageArtifacts::default()
        };
        let stages = [
            stage("songs", &["'a' has 3 blank labels", "<b>"]),
            stage("one", &["few rows"]),
            stage("two", &["few rows", "few rows"]),
            stage("three", &["few rows"]),
            stage("four", &["few rows"]),
            stage("quiet", &[]),
        ];
        let study = Study::new(&stages, &[], &[]).expect("stages");
        let section = section(&study).expect("warnings");
        let [Block::List(lines)] = section.blocks.as_slice() else { panic!("{section:?}") };
        let expected = [
            Prose::new().strong("songs: ").text("'a' has 3 blank labels"),
            Prose::new().strong("songs: ").text("<b>"),
            Prose::new().strong("one, two, three and 1 other stage: ").text("few rows"),
        ];
        assert_eq!(lines, &expected);
    }

    #[test]
    fn without_warnings_there_is_no_section() {
        let stages = [StageArtifacts { stage: "quiet".to_owned(), ..StageArtifacts::default() }];
        assert!(section(&Study::new(&stages, &[], &[]).expect("stages")).is_none());
    }
}
