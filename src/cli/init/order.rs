//! Whether classes have an order that their names tell: numbers, or words of one scale.

/// The classes from the lowest to the highest.
pub(super) struct Order {
    pub(super) classes: Vec<String>,
    /// Whether names say so, and not only numbers, which may be codes.
    pub(super) is_sure: bool,
}

/// Steps from the lowest to the highest, each with the words for it.
type Scale = &'static [&'static [&'static str]];

const SCALES: [Scale; 10] = [
    &[
        &["very low", "lowest"],
        &["low", "lower"],
        &["mid", "middle", "medium", "moderate", "average", "normal"],
        &["high", "higher"],
        &["very high", "highest"],
    ],
    &[
        &["very bad", "very poor", "terrible", "awful"],
        &["bad", "poor"],
        &["fair", "ok", "okay", "average", "mediocre", "neutral", "acceptable"],
        &["good"],
        &["very good"],
        &["excellent", "great", "outstanding"],
    ],
    &[
        &["very small", "tiny"],
        &["small"],
        &["mid", "middle", "medium"],
        &["large", "big"],
        &["very large", "very big", "huge"],
    ],
    &[&["xxs"], &["xs"], &["s"], &["m"], &["l"], &["xl"], &["xxl"], &["xxxl"]],
    &[&["strongly disagree"], &["disagree"], &["neutral", "undecided"], &["agree"], &["strongly agree"]],
    &[&["very dissatisfied"], &["dissatisfied"], &["neutral"], &["satisfied"], &["very satisfied"]],
    &[&["very negative"], &["negative"], &["neutral", "mixed"], &["positive"], &["very positive"]],
    &[&["never"], &["rarely", "seldom"], &["sometimes"], &["often", "frequently", "usually"], &["always"]],
    &[&["none"], &["mild", "minor", "slight"], &["moderate"], &["severe", "major"], &["critical", "fatal"]],
    &[&["beginner", "novice"], &["intermediate"], &["advanced"], &["expert"]],
];

/// A label of this name holds numbers that count or rate something.
const QUANTITIES: [&str; 14] = [
    "age",
    "count",
    "degree",
    "difficulty",
    "grade",
    "level",
    "number",
    "quality",
    "rating",
    "ring",
    "satisfaction",
    "score",
    "severity",
    "star",
];

/// More numbers than a scale has are seldom classes of one.
const MOST: usize = 50;

/// The order of three or more classes of a label, where their names tell one.
pub(super) fn of(label: &str, classes: &[String]) -> Option<Order> {
    if !(3..=MOST).contains(&classes.len()) {
        return None;
    }
    let numbers: Option<Vec<f64>> = classes.iter().map(|class| number(class)).collect();
    if let Some(numbers) = numbers {
        let is_sure = words(label).iter().any(|word| QUANTITIES.contains(&singular(word)));
        return Some(Order { classes: by(classes, &numbers)?, is_sure });
    }
    let rests = without_common_words(classes);
    let numbers = || rests.iter().map(|rest| number(rest)).collect::<Option<Vec<f64>>>();
    let steps = |scale: Scale| rests.iter().map(|rest| step(scale, rest)).collect::<Option<Vec<f64>>>();
    let places = numbers().or_else(|| SCALES.into_iter().find_map(steps))?;
    Some(Order { classes: by(classes, &places)?, is_sure: true })
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

fn step(scale: Scale, text: &str) -> Option<f64> {
    scale.iter().position(|words| words.contains(&text)).map(|step| step as f64)
}

/// `None` where two have the same place.
fn by(classes: &[String], places: &[f64]) -> Option<Vec<String>> {
    let mut order: Vec<(f64, &String)> = places.iter().copied().zip(classes).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let is_strict = order.windows(2).all(|pair| pair[0].0 < pair[1].0);
    is_strict.then(|| order.into_iter().map(|(_, class)| class.clone()).collect())
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    parts.map(str::to_lowercase).collect()
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').unwrap_or(word)
}

/// What is left of the classes without the words that all begin or end with: `low` of `low risk`, `2` of `2 stars`.
fn without_common_words(classes: &[String]) -> Vec<String> {
    let mut all: Vec<Vec<String>> = classes.iter().map(|class| words(class)).collect();
    let mut trim = |end: fn(&[String]) -> Option<&String>, drop: fn(&mut Vec<String>)| {
        let is_common = |all: &[Vec<String>]| {
            let of = |words: &[String]| end(words).map(|word| singular(word).to_owned());
            let first = of(&all[0]);
            first.is_some() && all.iter().all(|words| words.len() > 1 && of(words) == first)
        };
        while is_common(&all) {
            all.iter_mut().for_each(drop);
        }
    };
    trim(<[String]>::last, |words| drop(words.pop()));
    trim(<[String]>::first, |words| drop(words.remove(0)));
    all.into_iter().map(|words| words.join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_words(label: &str, classes: &str) -> Option<(String, bool)> {
        let classes: Vec<String> = classes.split(',').map(str::to_owned).collect();
        of(label, &classes).map(|order| (order.classes.join(","), order.is_sure))
    }

    #[test]
    fn names_that_tell_an_order_are_put_into_it() {
        for (label, classes, expected) in [
            ("risk", "high risk,low risk,mid risk", "low risk,mid risk,high risk"),
            ("x", "Medium,LOW,High", "LOW,Medium,High"),
            ("x", "4 stars,1 star,5 stars,2 stars,3 stars", "1 star,2 stars,3 stars,4 stars,5 stars"),
            ("x", "Stage_10,Stage_2,Stage_1", "Stage_1,Stage_2,Stage_10"),
            ("x", "Strongly agree,Neutral,Disagree,Agree", "Disagree,Neutral,Agree,Strongly agree"),
            ("x", "xl,s,m", "s,m,xl"),
            ("star_rating", "3,10,2", "2,3,10"),
            ("quality", "1.5,-1,3", "-1,1.5,3"),
        ] {
            assert_eq!(of_words(label, classes), Some((expected.to_owned(), true)), "{label}: {classes}");
        }
        assert_eq!(of_words("cultivar", "2,3,1"), Some(("1,2,3".to_owned(), false)), "perhaps codes");
    }

    #[test]
    fn other_names_have_none() {
        for classes in ["pop,rock,rap", "low,high", "low,high,unknown", "low,mid,medium", "1,1.0,2", "1,2,other"] {
            assert_eq!(of_words("x", classes), None, "{classes}");
        }
    }
}
