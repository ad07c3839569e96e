//! What an article says of ensembles, averages over seeds and maps, against the artifacts.

use super::{MORE, json, tex};
use crate::studies::{AVERAGES, STUDY};
use crate::workspace::Workspace;

/// The study with a second network, two ensembles, a map and an average over seeds.
fn larger() -> Workspace {
    let told = "stages: [songs, folds, profile, baseline, titles, fused, predict]";
    let work = Workspace::with_songs().pipeline(&format!("{STUDY}{AVERAGES}{MORE}"));
    work.edit("pipeline.yaml", "trunk: {layers: [4]}}\n", "trunk: {layers: [4]}}\n    seeds: 2\n");
    work.edit(
        "pipeline.yaml",
        told,
        "stages: [songs, folds, profile, baseline, titles, fused, tempo, both, all, plane]",
    );
    work
}

#[test]
fn ensembles_seeds_and_the_map_are_told_by_their_numbers() {
    let work = larger();
    work.run().succeeded();
    let text = tex(&work);
    let appendix = work.path().join("artifacts/study/article/appendix.tex");
    let whole = format!("{text}{}", std::fs::read_to_string(appendix).unwrap_or_default());
    for name in ["both", "all"] {
        let (start, members) =
            (format!("The ensemble \\texttt{{{name}}} averages "), json(&work, &format!("{name}/ensemble.json")));
        let sentence = text.split(&start).nth(1).and_then(|rest| rest.split(". ").next()).expect("a sentence");
        for member in members["members"].as_array().expect("a list") {
            let (of, weight) = (member["name"].as_str().expect("a name"), member["weight"].as_f64().expect("a number"));
            let shown = sentence.replace("\\allowbreak{}", "").contains(&format!("\\texttt{{{of}}} ({weight:.2})"));
            assert_eq!(shown, weight >= 0.01, "{of} {weight}: {sentence}");
        }
        assert!(!sentence.contains("(0.00)"), "{sentence}");
    }
    assert!(text.contains("\\texttt{tempo} averages 2 networks that differ by their seed only"), "{text}");
    let near = &json(&work, "plane/map.json")["neighbours"];
    let percent = |key: &str| format!("{:.1}\\%", near[key].as_f64().expect("a share") * 100.0);
    for said in [
        format!("{} of the 10 nearest neighbours", percent("of_own_class")),
        format!("({} expected by chance)", percent("by_chance")),
        format!("keeps {} of these", percent("kept_in_plane")),
    ] {
        assert!(text.contains(&said), "{said}: {text}");
    }
    assert!(text.contains("\\cite{tsne}") && whole.contains("\\label{fig:map}"), "{whole}");
    // Where axes mean nothing, they have neither names nor numbers.
    let svg = work.text("artifacts/study/plane/each-class-on-the-map-of-title-tempo.svg");
    assert!(
        svg.contains(">+ mean of the class<") && !svg.contains("→") && !svg.contains("text-anchor=\"middle\""),
        "{svg}"
    );
    // Only a training of one network has one epoch to mark.
    let one = json(&work, "fused/metrics.json")["best_epoch"].is_u64();
    let best = text.split("Learning curves of \\texttt{").nth(1).and_then(|rest| rest.split('}').next());
    assert!(one && json(&work, "tempo/metrics.json")["best_epoch"].is_null());
    assert_eq!(text.contains("the dashed rule is the epoch kept"), best == Some("fused"), "{text}");
}
