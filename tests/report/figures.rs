//! Figures through their public functions: well-formed, finite, escaped, deterministic, and saying what they should.

use runner::report::figure::*;

use super::markup::check;

const HOSTILE: &str = "<script>alert('x')</script> & \"co\"\u{1}\u{0}]]>";

/// One of every figure, made of the given name and number.
fn all(name: &str, value: f64) -> Vec<Drawing> {
    let classes =
        [name.to_string(), "pop".to_string(), "a very long class name that no label has room for".to_string()];
    let palette = Palette::for_classes(&classes);
    let names = |n: usize| (0..n).map(|i| format!("{name}{i}")).collect::<Vec<_>>();
    let values = [0.3, value, 0.7, 0.1];
    let bars: Vec<Bar> = values
        .iter()
        .map(|v| Bar { label: name.into(), value: *v, paint: Paint::Class(0), note: name.into() })
        .collect();
    let rows: Vec<Row> = values
        .iter()
        .map(|v| Row {
            label: name.into(),
            values: vec![Some(Interval::around(*v, 0.1)), Some(Interval { value: 0.4, low: *v, high: 0.9 }), None],
        })
        .collect();
    let series =
        [Mark::Bar, Mark::Point, Mark::Ring].map(|mark| Series { name: name.into(), mark, paint: Paint::Positive });
    let line = |n: usize| Line {
        name: format!("{name}{n}"),
        points: values.iter().enumerate().map(|(i, v)| (i as f64, *v)).collect(),
        band: values.iter().map(|v| (v - 0.1, *v)).collect(),
        paint: Paint::series(n),
        dashed: n == 1,
    };
    let chart = |log_y| LineChart {
        title: name,
        description: name,
        x_label: name,
        y_label: name,
        lines: (0..5).map(line).collect(),
        marker: Some((value, name.to_string())),
        log_y,
        y_range: None,
        explored: true,
        size: None,
    };
    let points: Vec<Point> = values.iter().enumerate().map(|(i, v)| Point { x: *v, y: i as f64, class: i }).collect();
    let panel = HistogramPanel {
        column: name,
        edges: &[0.0, 1.0, value, 3.0],
        classes: vec![
            (name.into(), vec![1.0, value, 3.0]),
            ("ragged".into(), vec![1.0]),
            ("none".into(), vec![0.0; 3]),
        ],
    };
    let numbers = |name: &str, values: &[f64], is_log| Slice {
        name: name.into(),
        axis: SliceAxis::Numbers { values: values.to_vec(), is_log },
        joined: Vec::new(),
    };
    let joined = |name: &str, trials: &[usize]| Joined {
        trials: trials.to_vec(),
        name: name.into(),
        paint: Paint::Class(trials.len()),
    };
    let slices = [
        numbers(name, &values, false),
        Slice {
            name: name.into(),
            axis: SliceAxis::Levels { levels: names(3), values: vec![Some(0), None, Some(2), Some(1)] },
            joined: vec![joined(name, &[0, 1, 2]), joined("", &[3, 9])],
        },
        numbers("log", &[1e-5, 1e-3, value, 1.0], true),
    ];
    let scores = [0.5, value, 0.6, 0.4];
    let scored = Scored { metric: name, scores: &scores, pruned: &[true, false], best: Some(2) };
    let none = Scored { metric: name, scores: &[], pruned: &[], best: Some(7) };
    let nodes: Vec<Node> = names(6)
        .into_iter()
        .map(|name| Node { kind: name.clone(), link: format!("#{name}"), name, state: None })
        .collect();
    let edge = |from: usize, to: usize| (format!("{name}{from}"), format!("{name}{to}"));
    let cyclic = [edge(0, 1), edge(1, 2), edge(2, 0), edge(0, 3), edge(3, 3), edge(2, 5), edge(0, 5), edge(0, 99)];
    vec![
        bar_chart(name, name, name, &bars),
        bar_chart(name, "", "", &[]),
        class_balance(name, &[(name.into(), 0), ("pop".into(), u64::MAX / 4)], &palette),
        grouped_bars(name, name, name, &series, &rows),
        grouped_bars(name, name, name, &series[1..], &[]),
        class_histogram(&panel, &palette),
        correlation(name, name, &names(4), &[vec![1.0, value], vec![value, 1.0, 0.5], vec![], vec![-1.0; 9]]),
        correlation(name, name, &names(40), &vec![vec![value; 40]; 40]),
        confusion(name, name, &classes, &[vec![1, 2, 3], vec![0, 0, 0], vec![u64::MAX, 7, u64::MAX]]),
        scatter(
            &ScatterChart {
                title: name,
                description: name,
                axes: Some((name, name)),
                classes: &classes,
                points: &points,
                columns: 3,
            },
            &palette,
        ),
        scatter(
            &ScatterChart { title: name, description: name, axes: None, classes: &[], points: &[], columns: 3 },
            &palette,
        ),
        line_chart(&chart(false)),
        line_chart(&chart(true)),
        line_chart(&LineChart::default()),
        trial_slices(name, name, &slices, scored),
        trial_slices(name, name, &[], none),
        parallel_coordinates(name, name, &slices, scored),
        parallel_coordinates(name, name, &[], none),
        dag(name, name, &nodes, &cyclic),
        dag(name, name, &[], &[]),
        grid(
            name,
            name,
            vec![bar_chart(name, name, name, &bars), line_chart(&chart(false)), dag(name, "", &nodes, &[])],
            2,
        ),
        grid(name, name, Vec::new(), 3),
    ]
}

#[test]
fn every_figure_is_well_formed_and_finite_whatever_it_is_given() {
    for name in ["danceability", HOSTILE, "", "音楽のジャンル", "e\u{301}\u{200b}🎵"] {
        for value in [0.5, 0.0, -3.0, 1e300, -1e-300, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
            for drawing in all(name, value) {
                let svg = drawing.svg();
                assert!(drawing.pdf().starts_with(b"%PDF-1.4"));
                let tags = check(&svg).unwrap_or_else(|e| panic!("{name:?} {value}: {e}\n{svg}"));
                assert_eq!(tags[0].name, "svg");
                assert_eq!(tags[1].name, "title");
                assert!(!svg.contains("<script"), "{svg}");
                for tag in &tags {
                    for (key, text) in tag.attributes.iter().filter(|(k, _)| *k != "class" && *k != "href") {
                        assert!(!text.contains("NaN") && !text.contains("inf"), "{key} {text}");
                    }
                }
            }
        }
    }
}

#[test]
fn equal_data_gives_equal_bytes() {
    let bytes = || all("tempo", 0.25).iter().map(|drawing| (drawing.svg(), drawing.pdf())).collect::<Vec<_>>();
    assert_eq!(bytes(), bytes());
}

/// An element a line; the style that all share stands in the first alone.
#[test]
fn every_figure_is_drawn_as_before() {
    for (i, drawing) in all("tempo", 0.25).iter().enumerate() {
        let svg = if i == 0 { drawing.svg() } else { drawing.inline() };
        let elements = svg.replace("><", ">\n<");
        // Of a figure with a point for each of many rows the first ones.
        let shown: Vec<&str> = elements.lines().take(200).collect();
        insta::assert_snapshot!(format!("figure_{:02}", i + 1), shown.join("\n"));
    }
}

#[test]
fn marks_and_labels_stay_inside_the_figure() {
    for svg in all("danceability", 0.5).iter().map(Drawing::svg) {
        let tags = check(&svg).unwrap();
        let size = |key: &str| tags[0].attributes[key].parse::<f64>().unwrap();
        let (width, height) = (size("width"), size("height"));
        for tag in &tags[1..] {
            for (keys, limit) in [(["x", "cx", "x1", "x2"], width), (["y", "cy", "y1", "y2"], height)] {
                for place in keys.iter().filter_map(|key| tag.attributes.get(*key)) {
                    let place: f64 = place.parse().unwrap();
                    assert!((-0.5..=limit + 0.5).contains(&place), "{tag:?} beyond {limit}\n{svg}");
                }
            }
        }
    }
}

#[test]
fn a_bar_carries_its_class_colour_and_its_count() {
    let classes = [("latin".to_string(), 3_659), ("r&b".to_string(), 12_000)];
    let svg = class_balance("Rows by class", &classes, &Palette::for_classes(&["latin", "pop", "r&b"])).svg();
    assert!(svg.contains("<title>r&amp;b: 12,000 · 76.6 %</title>"), "{svg}");
    assert!(svg.contains("class=\"f-c0\"") && svg.contains("class=\"f-c2\"") && !svg.contains("class=\"f-c1\""));
    assert!(svg.contains("<desc>latin: 3,659 · 23.4 %; r&amp;b: 12,000 · 76.6 %</desc>"));
}

#[test]
fn a_confusion_cell_has_count_and_share_of_its_true_class() {
    let classes = ["a".to_string(), "b".to_string()];
    let svg = confusion("t", "", &classes, &[vec![30, 10], vec![0, 1_500]]).svg();
    assert!(svg.contains("<title>a predicted as b: 10 of 40 rows</title>"));
    assert!(svg.contains(">25 %</text>") && svg.contains(">75 %</text>") && svg.contains(">1,500</text>"));
    // An empty cell is the bare background, the fullest nearly the pure colour.
    assert!(svg.contains("fill-opacity=\"0\"") && svg.contains("fill-opacity=\"0.95\""));
}

#[test]
fn a_figure_reads_in_the_dark_by_its_own_style() {
    let drawing = class_balance("t", &[("a".into(), 1)], &Palette::for_classes(&["a"]));
    let svg = drawing.svg();
    assert!(svg.contains("@media (prefers-color-scheme:dark)"));
    assert!(svg.contains(&format!(".f-c0{{fill:{}}}", Paint::Class(0).dark())));
    assert!(svg.contains(&format!("fill=\"{}\"", Paint::Class(0).light())));
    assert!(!drawing.inline().contains("<style"));
}

#[test]
fn edges_that_longer_ways_imply_are_left_out() {
    let edges = [
        ("songs", "folds"),
        ("folds", "train"),
        ("songs", "train"),
        ("train", "report"),
        ("songs", "report"),
        ("folds", "train"),
    ];
    let edges = edges.map(|(a, b)| (a.to_string(), b.to_string()));
    let kept = transitive_reduction(&edges);
    let kept: Vec<(&str, &str)> = kept.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(kept, [("songs", "folds"), ("folds", "train"), ("train", "report")]);
}

#[test]
fn names_beside_lines_stay_above_the_numbers_of_the_axis() {
    // Five lines that fall into the same corner, where the axis has its last number.
    let names = ["scratch", "copy", "frozen", "discriminative", "mixed"];
    let line = |(place, name): (usize, &&str)| Line {
        name: (*name).to_owned(),
        points: (0..=15).map(|x| (f64::from(x), 1.0 / f64::from(x + 1))).collect(),
        band: Vec::new(),
        paint: Paint::series(place),
        dashed: false,
    };
    let lines: Vec<Line> = names.iter().enumerate().map(line).collect();
    let svg = line_chart(&LineChart { x_label: "epoch", y_label: "nats", lines, ..LineChart::default() }).svg();
    let height = |text: &str| -> f64 {
        let (before, _) = svg.split_once(&format!(">{text}</text>")).unwrap_or_else(|| panic!("no {text}: {svg}"));
        let (_, place) = before.rsplit_once(" y=\"").expect("a place");
        place.split('"').next().and_then(|y| y.parse().ok()).expect("a number")
    };
    // Letters of 11 units reach up to 8 above their line.
    let numbers = height("15") - 8.0;
    let mut places = names.map(height);
    places.sort_by(f64::total_cmp);
    assert!(places.iter().all(|y| *y < numbers), "{places:?} run into {numbers}");
    assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 13.9), "{places:?}");
}
