//! One training as its stage's findings tell of it. Judges nothing itself.

use serde_json::Value;

use crate::article::markup;
use crate::read::{StageArtifacts, count, list, number, text};

/// What was found of one training.
pub struct Course<'a> {
    pub stage: &'a StageArtifacts,
    findings: Vec<&'a Value>,
}

impl<'a> Course<'a> {
    pub fn of(stage: &'a StageArtifacts) -> Option<Course<'a>> {
        let findings: Vec<&Value> = list(stage.document("diagnosis")?, "diagnosis").collect();
        (!findings.is_empty()).then_some(Course { stage, findings })
    }

    pub fn finding(&self, kind: &str) -> Option<&'a Value> {
        self.findings.iter().copied().find(|finding| text(finding, "kind") == Some(kind))
    }

    pub fn epoch(&self, kind: &str) -> Option<u64> {
        count(self.finding(kind)?, "epoch")
    }

    pub fn evidence(&self, kind: &str, name: &str) -> Option<f64> {
        number(self.finding(kind)?.get("evidence")?, name)
    }

    /// Whether its validation scores tell anything of learning.
    pub fn is_judged(&self) -> bool {
        self.finding("single_class").is_none()
    }

    pub fn name(&self) -> String {
        markup::code(&self.stage.stage)
    }

    /// How the gap between training and validation rows was judged.
    pub fn gap(&self) -> Option<Gap> {
        Some(match text(self.finding("gap")?, "judgement")? {
            "strong" => Gap::Strong,
            "some" => Gap::Some,
            "none" => Gap::None,
            "chance" => Gap::Chance,
            _ => Gap::Reverse,
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    Strong,
    Some,
    None,
    Reverse,
    /// As large as one that would count, on too few rows to count.
    Chance,
}
