//! One training as its stage's findings tell of it. Judges nothing itself.

use runner_results::Training;
use runner_results::diagnosis::{
    Divergence, EpochKept, Fell, Finding, Gap, OverFitting, Plateau, SingleClass, StepTooHigh,
};

use crate::article::markup;
use crate::read::StageArtifacts;

/// What was found of one training.
pub struct Course<'a> {
    pub stage: &'a StageArtifacts,
    findings: &'a [Finding],
}

/// A finding of one kind.
macro_rules! finding {
    ($name:ident, $kind:ident) => {
        pub fn $name(&self) -> Option<&'a $kind> {
            self.findings.iter().find_map(|finding| match finding {
                Finding::$kind(found) => Some(found),
                _ => None,
            })
        }
    };
}

impl<'a> Course<'a> {
    pub fn of(stage: &'a StageArtifacts) -> Option<Course<'a>> {
        let findings = stage.documents.get::<Training>()?.diagnosis.as_slice();
        (!findings.is_empty()).then_some(Course { stage, findings })
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

    pub fn is_unfinished(&self) -> bool {
        self.has(|finding| matches!(finding, Finding::Unfinished(_)))
    }

    pub fn is_under_fitting(&self) -> bool {
        self.has(|finding| matches!(finding, Finding::UnderFitting(_)))
    }

    /// Whether training did not raise the score that chooses the epoch.
    pub fn has_no_gain(&self) -> bool {
        self.has(|finding| matches!(finding, Finding::NoGain(_)))
    }

    /// Whether its validation scores tell anything of learning.
    pub fn is_judged(&self) -> bool {
        self.single_class().is_none()
    }

    pub fn name(&self) -> String {
        markup::code(&self.stage.stage)
    }
}
