//! Ensembles: what they are made of, and what they gain.

use serde_json::Value;

use super::models::network;
use super::scores::{class_blocks, parts_table};
use super::{Study, calibration, plural, stage_id};
use crate::figure::text::decimals;
use crate::figure::{Bar, Paint, bar_chart};
use crate::page::{Block, Figure, Section};
use crate::ranking::{self, Validation};
use crate::read::{Scores, StageArtifacts, list, number, text};

pub fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("ensembles", "Ensembles");
    for (stage, document) in study.with_document("members").filter(|(stage, _)| stage.kind == "ensemble") {
        section.subsections.push(stage_section(study, stage, document));
    }
    Some(section)
}

fn stage_section(study: &Study, stage: &StageArtifacts, document: &Value) -> Section {
    let mut section = Section::new(stage_id(stage), stage.stage.clone());
    if let Some(sentence) = sentence(document) {
        section.say(sentence);
    }
    section.blocks.extend(weights(document).map(Block::Figure));
    section.blocks.extend(calibration::block(stage, study.chart_width));
    if let Some(model) = network(stage) {
        section.blocks.extend(parts_table(&model));
        if let Some(scores) = model.judged() {
            let part = model.judged_on().name();
            section.blocks.extend(class_blocks(&format!("{} on the {part} part", stage.stage), scores, &study.palette));
        }
    }
    section
}

fn sentence(document: &Value) -> Option<String> {
    let members: Vec<&Value> = list(document, "members").collect();
    let used = members.iter().filter(|member| number(member, "weight").is_some_and(|weight| weight > 0.0)).count();
    let average = match text(document, "average") {
        Some("probabilities") => "probabilities",
        _ => "logits",
    };
    let chosen = match text(document, "weights") {
        Some("greedy") => "by greedy selection on validation log loss (Caruana et al. 2004)",
        Some("equal") => "the same for all",
        _ => "by least validation log loss, a convex problem",
    };
    let best = ranking::best(&members, |member| Validation::read(member));
    let best = best.and_then(|member| Some((text(member, "name")?, Scores::read(member.get("valid")?)?)));
    let fair = document.get("cross_fitted_valid").and_then(Scores::read);
    let mut sentence = format!(
        "A weighted average of the {average} of {} ({used} with a weight); weights {chosen}.",
        plural(members.len() as u64, "model")
    );
    if let (Some((name, alone)), Some(fair)) = (best, fair) {
        let how = match text(document, "weights") {
            Some("equal") => "It has",
            _ => "With weights chosen on other validation rows it has",
        };
        sentence.push_str(&format!(
            " {how} validation macro-F1 {} and accuracy {}, its best member {name} {} and {}.",
            decimals(fair.macro_f1, 3),
            decimals(fair.accuracy, 3),
            decimals(alone.macro_f1, 3),
            decimals(alone.accuracy, 3)
        ));
    }
    Some(sentence)
}

fn weights(document: &Value) -> Option<Figure> {
    let mut members: Vec<(&str, f64, Option<Scores>)> = list(document, "members")
        .filter_map(|member| {
            Some((text(member, "name")?, number(member, "weight")?, member.get("valid").and_then(Scores::read)))
        })
        .collect();
    members.sort_by(|a, b| b.1.total_cmp(&a.1));
    let bars: Vec<Bar> = members
        .iter()
        .map(|(name, weight, valid)| Bar {
            label: (*name).to_string(),
            value: *weight,
            paint: Paint::Positive,
            note: match valid {
                Some(valid) => format!("{weight:.3} · alone {:.3}", valid.accuracy),
                None => format!("{weight:.3}"),
            },
        })
        .collect();
    let description = bars.iter().map(|bar| format!("{} {}", bar.label, bar.note)).collect::<Vec<_>>().join("; ");
    let svg = bar_chart("Weights of the members", &description, "weight", &bars);
    (!bars.is_empty()).then(|| Figure::new(svg, "Behind each weight the member's own accuracy on validation rows."))
}
