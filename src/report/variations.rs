//! What variations of a network amount to, in words: names of settings, and a sentence for each factor and ablation.

use runner_results::comparison::Direction;
use runner_results::variations::{Ablation, Effect, Factor, Level, Setting, Variations};
use serde_json::Value;

use crate::figure::text::{count, counted, decimals};
use crate::study::search::trials::brief;

/// `batch size` for `batch_size`, `learning rate` for `optimizer.lr`, `trunk layers` for `network.trunk.layers`.
pub fn parameter_name(path: &str) -> String {
    let mut parts: Vec<&str> = path.split('.').collect();
    let last = parts.pop().unwrap_or_default();
    let name = match (last, parts.last()) {
        ("lr", _) => "learning rate".to_owned(),
        ("kind", Some(above)) => (*above).to_owned(),
        ("layers" | "width" | "dropout", Some(above)) if *above != "network" => format!("{above} {last}"),
        _ => last.to_owned(),
    };
    name.replace('_', " ")
}

/// The name that it was given, or its parameter's.
pub fn factor_name(factor: &Factor) -> String {
    factor.path.as_ref().map_or_else(|| factor.name.clone(), |path| parameter_name(path))
}

/// Its name, or its value: `64`, `256×3`, `not set` for null.
pub fn level_name(level: &Level) -> String {
    match (&level.name, &level.value) {
        (Some(name), _) => name.clone(),
        (None, Some(value)) => value_name(value),
        (None, None) => "base".to_owned(),
    }
}

fn value_name(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Object(inner) => {
            let parts = inner.iter().filter(|(_, value)| !value.is_null());
            let parts = parts.map(|(key, value)| match key.as_str() {
                "kind" => value_name(value),
                key => format!("{} {}", parameter_name(key), value_name(value)),
            });
            parts.collect::<Vec<_>>().join(", ")
        }
        value => brief(value),
    }
}

/// What a setting has otherwise than the base.
pub(crate) enum Changed<'a> {
    /// A parameter has another value.
    Level(&'a Factor, &'a Level),
    /// Something is left out.
    Without(&'a Ablation),
}

impl<'a> Changed<'a> {
    /// `None` of the base.
    pub(crate) fn of(factors: &'a [Factor], ablations: &'a [Ablation], setting: usize) -> Option<Changed<'a>> {
        let of_factor = |factor: &'a Factor| {
            let level = factor.levels.iter().find(|level| level.setting == setting)?;
            Some(Changed::Level(factor, level))
        };
        let ablation = || ablations.iter().find(|ablation| ablation.setting == setting).map(Changed::Without);
        factors.iter().find_map(of_factor).or_else(ablation).filter(|_| setting > 0)
    }
}

/// What a setting is called by itself: `base`, `batch size 64`, `without dropout`.
pub fn setting_name(factors: &[Factor], ablations: &[Ablation], setting: usize) -> String {
    match Changed::of(factors, ablations, setting) {
        Some(Changed::Level(factor, level)) => format!("{} {}", factor_name(factor), level_name(level)),
        Some(Changed::Without(ablation)) => format!("without {}", ablation.name),
        None => "base".to_owned(),
    }
}

/// The name of a setting of this study.
pub fn name(found: &Variations, setting: usize) -> String {
    setting_name(&found.factors, &found.ablations, setting)
}

/// What came out, in a line.
pub fn headline(found: &Variations) -> String {
    let (metric, seeds) = (found.metric.label(), counted(found.seeds.len() as u64, "seed"));
    let changes = counted(found.settings.len().saturating_sub(1) as u64, "change");
    let base = score(found.base(), 3);
    let trained = format!("{changes} of a base network, each with {seeds}");
    match found.best_of(0..found.settings.len()) {
        Some(0) | None => format!("{trained}: none is better than the base, valid {metric} {base}"),
        Some(best) => format!(
            "{trained}: best is {}, valid {metric} {} (base {base})",
            name(found, best),
            score(&found.settings[best], 3)
        ),
    }
}

/// How the base was changed and judged, in a sentence.
pub fn protocol(found: &Variations) -> String {
    let changes = counted(found.settings.len().saturating_sub(1) as u64, "setting");
    let seeds = match found.seeds.len() {
        1 => "one seed".to_owned(),
        several => format!("the same {several} seeds"),
    };
    format!(
        "{changes} differ from the base in one thing each. All were trained with {seeds} on {} rows and are compared by {} of {}; no test row was read.",
        count(found.training_rows as u64),
        found.metric.label(),
        counted(found.rows as u64, "validation row"),
    )
}

/// How large an effect must be for so few seeds to show it.
pub fn limits(found: &Variations) -> String {
    let seeds = found.seeds.len();
    if seeds < 2 {
        return "One seed cannot tell an effect from chance: the differences are those of single trainings.".to_owned();
    }
    let tested = found.settings.iter().filter_map(|one| one.effect.as_ref()?.p_value).count();
    let reach = match found.least_visible() {
        Some(half) => format!(
            "With {seeds} seeds the 95 % interval of a difference reaches ±{} in the middle case, so that smaller effects cannot be told from chance. ",
            decimals(half, 3)
        ),
        None => String::new(),
    };
    let few = if seeds < 5 { "; with so few seeds hardly any test passes after it" } else { "" };
    format!(
        "{reach}Differences are paired by seed (t-test); p values are corrected over {} by Holm's method{few}.",
        counted(tested as u64, "setting")
    )
}

/// Which value of a factor is best, and by how much.
pub fn factor_sentence(found: &Variations, factor: &Factor) -> String {
    let parameter = factor_name(factor);
    let named = |setting: usize| {
        let level = factor.levels.iter().find(|level| level.setting == setting);
        level.map(level_name).unwrap_or_default()
    };
    let settings = || factor.levels.iter().map(|level| level.setting);
    let diverged: Vec<String> =
        settings().filter(|&i| found.settings[i].score.is_none()).map(|i| format!("{} diverges", named(i))).collect();
    let diverged = if diverged.is_empty() { String::new() } else { format!("; {}", diverged.join(", ")) };
    let (metric, base) = (found.metric.label(), score(found.base(), 3));
    match found.best_of(settings()) {
        None => format!("{parameter}: no training has a score"),
        Some(0) => {
            let others = settings().filter(|&i| i != 0);
            let next = found.best_of(others).and_then(|i| {
                Some(format!(", next is {} ({})", named(i), told(found.settings[i].effect.as_ref()?, found)))
            });
            format!(
                "{parameter}: the base's {} is best, {metric} {base}{}{diverged}",
                named(0),
                next.unwrap_or_default()
            )
        }
        Some(best) => {
            let setting = &found.settings[best];
            let effect = setting.effect.as_ref().map(|effect| told(effect, found)).unwrap_or_default();
            format!(
                "{parameter}: best is {}, {metric} {} against {base} with the base's {} ({effect}){diverged}",
                named(best),
                score(setting, 3),
                named(0),
            )
        }
    }
}

/// What leaving something out does.
pub fn ablation_sentence(found: &Variations, ablation: &Ablation) -> String {
    let setting = &found.settings[ablation.setting];
    let (name, metric) = (&ablation.name, found.metric.label());
    let Some(effect) = &setting.effect else {
        let diverged = setting.runs.iter().filter(|run| run.diverged.is_some()).count();
        return format!("without {name}: {} of {} trainings diverge", diverged, setting.runs.len());
    };
    format!("without {name}: {metric} {} ({})", score(setting, 3), told(effect, found))
}

/// `+0.010, 95 % interval 0.002 to 0.018, p = 0.210: better with every seed, not significantly`.
fn told(effect: &Effect, found: &Variations) -> String {
    let mut parts = vec![signed(effect.mean, 3)];
    parts.extend(
        effect.interval.map(|(low, high)| format!("95 % interval {} to {}", decimals(low, 3), decimals(high, 3))),
    );
    parts.extend(effect.p_corrected.map(|p| if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }));
    match verdict(effect, found) {
        "" => parts.join(", "),
        verdict => format!("{}: {verdict}", parts.join(", ")),
    }
}

/// What the seeds show, in a few words; nothing of a single one.
pub fn verdict(effect: &Effect, found: &Variations) -> &'static str {
    let is_better = found.metric.merit(effect.mean) > 0.0;
    match effect.verdict(found.metric) {
        _ if effect.differences.len() < 2 => "",
        Some(Direction::Better) => "better",
        Some(Direction::Worse) => "worse",
        None if effect.mean == 0.0 => "the same",
        None if !effect.is_of_one_sign() => "no difference shown",
        None if is_better => "better with every seed, not significantly",
        None => "worse with every seed, not significantly",
    }
}

/// All sentences: one a factor, one an ablation, and what so few seeds can show.
pub fn sentences(found: &Variations) -> Vec<String> {
    let factors = found.factors.iter().map(|factor| factor_sentence(found, factor));
    let ablations = found.ablations.iter().map(|ablation| ablation_sentence(found, ablation));
    factors.chain(ablations).collect()
}

/// `0.551 ± 0.003`, or `diverged`.
pub fn score(setting: &Setting, places: usize) -> String {
    match setting.score {
        None => "diverged".to_owned(),
        Some(score) => match score.sd {
            Some(sd) => format!("{} ± {}", decimals(score.mean, places), decimals(sd, places)),
            None => decimals(score.mean, places),
        },
    }
}

/// With its sign, `+0.010` or `−0.010`.
pub fn signed(value: f64, places: usize) -> String {
    let shown = decimals(value, places);
    if value > 0.0 { format!("+{shown}") } else { shown }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_and_values_are_called_as_people_do() {
        for (path, expected) in [
            ("batch_size", "batch size"),
            ("optimizer.lr", "learning rate"),
            ("optimizer.kind", "optimizer"),
            ("network.trunk.layers", "trunk layers"),
            ("network.dropout", "dropout"),
            ("network.text.dropout", "text dropout"),
            ("optimizer", "optimizer"),
        ] {
            assert_eq!(parameter_name(path), expected);
        }
        for (value, expected) in [
            (json!(null), "not set"),
            (json!([]), "none"),
            (json!([256, 256]), "256×2"),
            (json!(0.002), "0.002"),
            (json!("adam"), "adam"),
            (json!({"kind": "sgd", "lr": 0.05, "momentum": null}), "sgd, learning rate 0.05"),
        ] {
            assert_eq!(level_name(&Level { name: None, value: Some(value), setting: 1 }), expected);
        }
    }
}
