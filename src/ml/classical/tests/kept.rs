//! What is written down of a model makes the same model again, and what is damaged is one clear error.

use serde_json::Value;

use super::{all, classes, fitted, rows_of, table};
use crate::classical::{Baselines, Estimator, Features, Fitted, Inputs, TextOptions};
use crate::frame::{Column, Frame};
use crate::matrix::Matrix;
use crate::progress::Silent;
use crate::rng::Stream;

/// Columns 0, 1 and 2 as numbers, column 3 and 0 as an embedding of a text.
fn frame(x: &Features) -> Frame {
    let mut frame = Frame::new(x.rows);
    for j in 0..3 {
        frame.insert(format!("n{j}"), Column::Numeric((0..x.rows).map(|i| x.get(i, j)).collect()));
    }
    let values = (0..x.rows).flat_map(|i| [x.get(i, 3) as f32, x.get(i, 0) as f32]).collect();
    frame.insert("title", Column::Vector { dim: 2, values });
    frame
}

fn inputs(frame: &Frame) -> Inputs {
    let rows: Vec<usize> = (0..frame.rows).collect();
    let categories: &[String] =
        if frame.categories("kind").is_some() { &["kind".to_owned(), "id".to_owned()] } else { &[] };
    let inputs =
        Inputs::of(frame, &["n0", "n1", "n2"].map(String::from), &["title".to_owned()], categories, &rows).unwrap();
    let texts = if frame.texts("words").is_some() { vec!["words".to_owned()] } else { Vec::new() };
    inputs.with_texts(&texts, &TextOptions::default())
}

/// The same with a column of few categories, one of many, and one of texts.
fn frame_of_categories(x: &Features) -> Frame {
    let mut frame = frame(x);
    frame.insert_categories("kind", (0..x.rows).map(|i| (i % 7 > 0).then(|| format!("k{}", i * i % 5))).collect());
    frame.insert_categories("id", (0..x.rows).map(|i| Some(format!("id{}", i * 13 % (x.rows / 3)))).collect());
    let words = ["one", "two", "Drei", "vier", "fünf"];
    frame.insert_texts(
        "words",
        (0..x.rows).map(|i| (i % 9 > 0).then(|| format!("{} {}", words[i % 5], words[i * i % 4]))).collect(),
    );
    frame
}

/// A model of the estimator, fitted on the frame's features.
fn model(name: &str, estimator: &dyn Estimator, frame: &Frame, y: &[u32]) -> Fitted {
    let inputs = inputs(frame);
    let kinds: Value = serde_json::json!({name: estimator.params()});
    let models: Baselines = serde_json::from_value(kinds).unwrap();
    let fitted = fitted(estimator, &inputs.features(frame, &Silent).unwrap(), y);
    Fitted::new(&models, name, inputs, &classes(), fitted, None)
}

/// Rows that training never saw, some with values missing or far away.
fn unseen(x: &Features) -> Frame {
    let mut x = x.clone();
    x.row_mut(0).fill(f64::NAN);
    x.row_mut(1)[0] = 1e30;
    x.row_mut(2)[1] = -1e30;
    x.row_mut(3)[3] = f64::NAN;
    frame(&x)
}

#[test]
fn every_kind_comes_back_bit_by_bit() {
    let (x, y) = table(400, true);
    let (train_x, train_y) = rows_of(&x, &y, 0..250);
    let (test_x, _) = rows_of(&x, &y, 250..400);
    let without_one: Vec<u32> = train_y.iter().map(|&label| if label == 1 { 0 } else { label }).collect();
    let (rows, rows_of_categories) = (unseen(&test_x), frame_of_categories(&test_x));
    for labels in [&train_y, &without_one] {
        for (name, estimator) in all() {
            for (frame, rows) in [(frame(&train_x), &rows), (frame_of_categories(&train_x), &rows_of_categories)] {
                let kept = model(&name, estimator.as_ref(), &frame, labels);
                let (arrays, recipe) = kept.to_parts().unwrap();
                // As it comes out of a file.
                let recipe: Value = serde_json::from_str(&serde_json::to_string_pretty(&recipe).unwrap()).unwrap();
                let again = Fitted::from_parts(&arrays, &recipe).unwrap_or_else(|error| panic!("{name}: {error}"));
                let (before, after) =
                    (kept.predict_probabilities(rows).unwrap(), again.predict_probabilities(rows).unwrap());
                let bits = |matrix: &Matrix| matrix.data.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&before), bits(&after), "{name}");
                assert_eq!((again.classes(), again.inputs()), (kept.classes(), kept.inputs()), "{name}");
                let (arrays_again, recipe_again) = again.to_parts().unwrap();
                assert!(arrays == arrays_again && recipe == recipe_again, "{name} is written differently once read");
            }
        }
    }
}

#[test]
fn a_full_grown_forest_takes_few_bytes() {
    let (x, y) = table(2000, false);
    for (name, estimator) in all().into_iter().filter(|(name, _)| name == "random_forest" || name == "extra_trees") {
        let (arrays, _) = model(&name, estimator.as_ref(), &frame(&x), &y).to_parts().unwrap();
        let file = safetensors::SafeTensors::deserialize(&arrays).unwrap();
        let nodes = file.tensor("columns").unwrap().shape()[0];
        assert!(nodes > 4000 && arrays.len() < 4 * nodes, "{name}: {} bytes for {nodes} nodes", arrays.len());
    }
}

#[test]
fn damaged_files_are_refused_and_never_panic() {
    let (x, y) = table(150, true);
    let plain = (frame(&x), unseen(&x), "runner baseline 3");
    let with_categories = (frame_of_categories(&x), frame_of_categories(&x), "runner baseline 5");
    let each =
        [plain, with_categories].into_iter().flat_map(|data| all().into_iter().map(move |kind| (kind, data.clone())));
    for ((name, estimator), (frame, rows, own_format)) in each {
        let (arrays, recipe) = model(&name, estimator.as_ref(), &frame, &y).to_parts().unwrap();
        for length in (0..arrays.len()).step_by(1 + arrays.len() / 60) {
            let error = Fitted::from_parts(&arrays[..length], &recipe).err();
            let error = error.unwrap_or_else(|| panic!("{name}: {length} of {} bytes are accepted", arrays.len()));
            assert!(error.to_string().starts_with("the model's arrays cannot be read: "), "{name}: {error}");
        }
        // A byte that changed may be a number like any other; then there are predictions like any others.
        let mut stream = Stream::new(3, "test", 0);
        for _ in 0..300 {
            let mut damaged = arrays.clone();
            damaged[stream.below(arrays.len())] = stream.below(256) as u8;
            if let Ok(model) = Fitted::from_parts(&damaged, &recipe) {
                assert_eq!(model.predict_probabilities(&rows).unwrap().rows, rows.rows);
            }
        }
        let refused = |change: &dyn Fn(&mut Value)| {
            let mut other = recipe.clone();
            change(&mut other);
            Fitted::from_parts(&arrays, &other).err().map(|error| error.to_string()).unwrap_or_default()
        };
        let format = refused(&|recipe| recipe["format"] = "runner baseline 9".into());
        assert!(
            format.ends_with(
                "its format is 'runner baseline 9', this version reads 'runner baseline 5' and 'runner baseline 3'"
            ),
            "{format}"
        );
        let other = if own_format == "runner baseline 3" { "runner baseline 5" } else { "runner baseline 3" };
        let format = refused(&|recipe| recipe["format"] = other.into());
        assert!(
            format.ends_with(&format!("its format is '{other}', but with its columns it would be '{own_format}'")),
            "{format}"
        );
        let unknown = refused(&|recipe| recipe["model"] = serde_json::json!({"perceptron": {}}));
        assert!(unknown.contains("unknown field `perceptron`"), "{unknown}");
        let none = refused(&|recipe| recipe["model"] = serde_json::json!({}));
        assert!(none.starts_with("no model is named"), "{none}");
        let several = refused(&|recipe| recipe["model"] = serde_json::json!({"knn": {}, "tree": {}}));
        assert!(several.ends_with("it names 2 kinds of model instead of one"), "{several}");
        let other = if name == "knn" { "majority" } else { "knn" };
        assert!(
            !refused(&|recipe| recipe["model"] = serde_json::json!({other: {}})).is_empty(),
            "{name} is taken for {other}"
        );
        let few = refused(&|recipe| recipe["classes"] = serde_json::json!(["a", "b"]));
        assert!(few.starts_with("the model's array '"), "{name}: {few}");
        assert!(refused(&|recipe| recipe["classes"] = serde_json::json!(["a"])).contains("at least two"), "{name}");
        let wide = refused(&|recipe| recipe["inputs"]["text"][0]["dim"] = u64::MAX.into());
        assert!(wide.ends_with("its inputs have no possible width"), "{wide}");
    }
}

#[test]
fn trees_with_impossible_nodes_are_refused() {
    use crate::classical::Arrays;
    let (x, y) = table(60, false);
    let (_, estimator) = all().into_iter().find(|(name, _)| name == "tree").unwrap();
    let (arrays, recipe) = model("tree", estimator.as_ref(), &frame(&x), &y).to_parts().unwrap();
    let nodes = Arrays::from_bytes(&arrays).unwrap().take_whole("columns", None, 99).unwrap();
    let with = |name: &str, values: &[u32]| {
        let mut changed = Arrays::from_bytes(&arrays).unwrap();
        changed.put_whole(name, values);
        Fitted::from_parts(&changed.to_bytes().unwrap(), &recipe)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    // The same numbers of splits and leaves, but the first node is a leaf already.
    let mut backwards = nodes.clone();
    backwards.reverse();
    assert_eq!(with("columns", &backwards), "the model's array 'columns' does not make a tree of tree 0");
    let count = nodes.len() as u32;
    assert_eq!(with("trees", &[count - 1]), format!("the model's array 'trees' does not share out the {count} nodes"));
    assert_eq!(with("trees", &[count, 0]), "the model's array 'columns' does not make a tree of tree 1");
    assert_eq!(with("extra", &[1]), "the model's array 'extra' belongs to another kind of model");
    let mut beyond = nodes.clone();
    beyond[0] = 6;
    assert_eq!(with("columns", &beyond), "the model's array 'columns' holds 6, which is not below 6");
    assert_eq!(with("columns", &nodes), "");
}

#[test]
fn rows_must_have_the_columns_of_the_fit() {
    let (x, y) = table(60, false);
    let whole = frame(&x);
    let model = model("majority", all()[0].1.as_ref(), &whole, &y);
    let refused = |change: &dyn Fn(&mut Frame)| {
        let mut frame = whole.clone();
        change(&mut frame);
        model.predict_probabilities(&frame).unwrap_err().to_string()
    };
    let lost = refused(&|frame| drop(frame.columns.shift_remove("n1")));
    assert_eq!(lost, "column 'n1' is missing");
    let longer = refused(&|frame| frame.insert("title", Column::Vector { dim: 3, values: vec![0.0; 180] }));
    assert!(longer.starts_with("column 'title' has vectors of 3 components, the model needs 2"), "{longer}");
    let text = refused(&|frame| frame.insert("n0", Column::Text(vec![None; 60])));
    assert_eq!(text, "column 'n0' is text, the model needs numeric");
    // Others are no matter, nor is their order.
    let mut more = Frame::new(x.rows);
    more.insert("another", Column::Numeric(vec![0.0; x.rows]));
    for (name, column) in whole.columns.iter().rev() {
        more.insert(name.clone(), column.clone());
    }
    assert_eq!(model.predict_probabilities(&more).unwrap(), model.predict_probabilities(&whole).unwrap());
}
