//! One training as its stage's findings tell of it. Judges nothing itself.

use runner_results::diagnosis::{
    Divergence, EpochKept, Fell, Finding, Gap, OverFitting, Plateau, SingleClass, StepTooHigh,
};
use runner_results::training::Training;

use super::ArticleContext;
use crate::read::StageArtifacts;

/// What was found of one training.
pub(crate) struct Course<'a> {
    /// What people call the stage.
    name: String,
    findings: &'a [Finding],
}

/// A finding of one kind.
macro_rules! finding {
    ($name:ident, $kind:ident) => {
        pub(super) fn $name(&self) -> Option<&'a $kind> {
            self.findings.iter().find_map(|finding| match finding {
                Finding::$kind(found) => Some(found),
                _ => None,
            })
        }
    };
}

impl<'a> Course<'a> {
    pub(crate) fn of(context: &ArticleContext, stage: &'a StageArtifacts) -> Option<Course<'a>> {
        let findings = stage.documents.get::<Training>()?.diagnosis.as_slice();
        (!findings.is_empty()).then(|| Course { name: context.stage_subject(&stage.stage), findings })
    }

    /// Whether there is a finding of that kind.
    fn has(&self, kind: fn(&Finding) -> bool) -> bool {
        self.findings.iter().any(kind)
    }

    finding!(epoch_kept, EpochKept);
    finding!(gap, Gap);
    finding!(over_fitting, OverFitting);
    finding!(plateau, Plateau);
    finding!(fell, Fell);
    finding!(divergence, Divergence);
    finding!(step_too_high, StepTooHigh);
    finding!(single_class, SingleClass);

    pub(crate) fn is_unfinished(&self) -> bool {
        self.has(|finding| matches!(finding, Finding::Unfinished(_)))
    }

    pub(crate) fn is_under_fitting(&self) -> bool {
        self.has(|finding| matches!(finding, Finding::UnderFitting(_)))
    }

    /// Whether training did not raise the score that chooses the epoch.
    pub(crate) fn has_no_gain(&self) -> bool {
        self.has(|finding| matches!(finding, Finding::NoGain(_)))
    }

    /// Whether its validation scores tell anything of learning.
    pub(crate) fn is_judged(&self) -> bool {
        self.single_class().is_none()
    }

    pub(crate) fn name(&self) -> String {
        self.name.clone()
    }
}
