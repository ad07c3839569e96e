//! The models that were fitted again to be used, beside the one that validation ranks first: where these differ, readers are told which is which, and why.

use runner_results::refit::Refit;

use super::Study;
use super::models::{Group, Model, groups, models};
use crate::figure::text::{counted, decimals};
use crate::page::Prose;
use crate::read::StageArtifacts;

/// A model that a pipeline keeps for use, and where the model that it was made of stands.
struct ToUse<'a> {
    /// The `refit` stage.
    stage: &'a str,
    rows: usize,
    made_of: &'a Model,
    group: &'a Group,
}

/// Those that were made of a model of this group.
fn of_group<'a>(study: &Study<'a>, group: &'a Group) -> Vec<ToUse<'a>> {
    let found = study.with::<Refit>().filter_map(|(stage, document)| {
        let made_of = group.models.iter().find(|model| reference(model, '/') == document.of)?;
        Some(ToUse { stage: &stage.stage, rows: document.rows, made_of, group })
    });
    found.collect()
}

/// A sentence or some for each model of the group that is kept for use.
pub(super) fn paragraphs(study: &Study, group: &Group) -> Vec<Prose> {
    of_group(study, group).iter().map(ToUse::prose).collect()
}

/// The one model for use, for a list of facts; `None` where there are none or several.
pub(super) fn fact(study: &Study, groups: &[Group]) -> Option<String> {
    let all: Vec<ToUse> = groups.iter().flat_map(|group| of_group(study, group)).collect();
    match all.as_slice() {
        [one] => Some(format!("{} ({})", one.stage, one.made_of.name)),
        _ => None,
    }
}

/// The same as plain text, of all stages of a pipeline; `edges` go from producer to consumer.
pub fn models_to_use(stages: &[StageArtifacts], edges: &[(String, String)]) -> Vec<String> {
    let Ok(study) = Study::new(stages, edges, &[]) else { return Vec::new() };
    let groups = groups(&models(&study), study.metric);
    let told = groups.iter().flat_map(|group| of_group(&study, group).iter().map(ToUse::text).collect::<Vec<_>>());
    told.collect()
}

/// `STAGE`, or `STAGE/MODEL` of a stage that fitted several.
fn reference(model: &Model, between: char) -> String {
    if model.name == model.stage { model.stage.clone() } else { format!("{}{between}{}", model.stage, model.name) }
}

impl ToUse<'_> {
    fn prose(&self) -> Prose {
        let rows = counted(self.rows as u64, "labelled row");
        let prose = Prose::new().text("The model to use is ").strong(self.stage);
        prose.text(format!(": {} fitted again on all {rows}. {}", self.made_of.name, self.standing()))
    }

    fn text(&self) -> String {
        let rows = counted(self.rows as u64, "labelled row");
        format!("use '{}': {} fitted again on all {rows}. {}", self.stage, self.made_of.name, self.standing())
    }

    /// Whether validation ranks another model first, and why that is not the one to use.
    fn standing(&self) -> String {
        let (name, metric) = (&self.made_of.name, self.group.metric);
        let Some(best) = self.group.chosen() else { return String::new() };
        if std::ptr::eq(best, self.made_of) {
            return format!("No labelled row is left to judge it: the scores of {name} are its estimate.");
        }
        let score = |model: &Model| model.validation().and_then(|validation| validation.score(metric));
        let both = match (score(best), score(self.made_of)) {
            (Some(best), Some(own)) => {
                // As many digits as tell them apart.
                let digits = (3..=6).find(|digits| decimals(best, *digits) != decimals(own, *digits));
                digits.map_or_else(
                    || format!(" (both have {})", decimals(own, 3)),
                    |digits| format!(" ({} against {})", decimals(best, digits), decimals(own, digits)),
                )
            }
            _ => String::new(),
        };
        let source = best.validation().map_or("", |validation| validation.source.words());
        let why = match self.made_of.is_cross_fitted {
            true => {
                ": an average of models depends less on the draw of the validation rows than the first of a ranking does"
            }
            false => "",
        };
        format!(
            "{} ranks above {name} by {} {source}{both}, but the pipeline names {name}{why}. `model: {}` in '{}' uses {} instead.",
            best.name,
            metric.title(),
            reference(best, '.'),
            self.stage,
            best.name
        )
    }
}
