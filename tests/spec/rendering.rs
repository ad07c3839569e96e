//! How problems look: tabs, wide characters, long lines, colours, many of them.

use super::read;
use runner::spec::{Problem, Problems, Sources};

fn problem_at(text: &str, range: std::ops::Range<usize>) -> Problems {
    let mut sources = Sources::default();
    let file = sources.add_file("a.yaml", text);
    let span = sources.span(file, range);
    Problems::new(vec![Problem::new(span, "here").label("this")], sources)
}

#[test]
fn carets_stand_under_tabs_and_wide_characters() {
    let text = "a:\t\"日本\u{301}\"\tx";
    let start = text.find('x').unwrap();
    insta::assert_snapshot!(problem_at(text, start..start + 1).render(false), @r#"
    error: here
     --> a.yaml:1:10
      |
    1 | a:    "日本́"    x
      |                 ^ this
    "#);
    let start = text.find('日').unwrap();
    let drawn = problem_at(text, start..start + "日本\u{301}".len()).render(false);
    insta::assert_snapshot!(drawn, @r#"
    error: here
     --> a.yaml:1:5
      |
    1 | a:    "日本́"    x
      |        ^^^^ this
    "#);
}

#[test]
fn long_lines_are_cut_around_the_carets() {
    let text = format!("{}key{}", "a".repeat(300), "b".repeat(300));
    for (range, before, after) in [(300..303, true, true), (0..2, false, true), (590..603, true, false)] {
        let drawn = problem_at(&text, range.clone()).render(false);
        let lines: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
        let (source, carets) = (&lines[3], &lines[4]);
        assert!(source.len() <= 110, "{drawn}");
        assert_eq!(source[4] == '…', before, "{drawn}");
        assert_eq!(source.last() == Some(&'…'), after, "{drawn}");
        let marked: String =
            (0..source.len()).filter(|&column| carets.get(column) == Some(&'^')).map(|column| source[column]).collect();
        assert_eq!(marked, text[range]);
    }
}

#[test]
fn of_a_value_on_several_lines_the_first_is_shown() {
    let text = "a:\n  - one\n  - two\n";
    insta::assert_snapshot!(problem_at(text, 5..18).render(false), @"
    error: here
     --> a.yaml:2:3
      |
    2 |   - one
      |   ^^^^^ this
    ");
}

#[test]
fn escape_sequences_of_the_text_do_not_reach_the_terminal() {
    let drawn = problem_at("a: \u{1b}[31m\u{202e}x", 0..1).render(false);
    assert!(!drawn.contains('\u{1b}') && !drawn.contains('\u{202e}'));
    insta::assert_snapshot!(drawn, @r"
    error: here
     --> a.yaml:1:1
      |
    1 | a: \u{1b}[31m\u{202e}x
      | ^ this
    ");
    let drawn = problem_at("\u{9b}: x", 4..5).render(false);
    insta::assert_snapshot!(drawn, @r"
    error: here
     --> a.yaml:1:4
      |
    1 | \u{9b}: x
      |         ^ this
    ");
}

#[test]
fn colour_only_when_asked() {
    let plain = problem_at("a: b", 3..4).render(false);
    let colored = problem_at("a: b", 3..4).render(true);
    assert!(!plain.contains('\u{1b}'));
    assert!(colored.starts_with("\u{1b}[1;31merror\u{1b}[0m\u{1b}[1m: here\u{1b}[0m\n"));
    let mut stripped = colored;
    for code in ["1;31", "1;34", "1", "0"] {
        stripped = stripped.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(stripped, plain);
}

#[test]
fn at_most_fifty_problems_are_shown() {
    let stages: String = (0..55).map(|i| format!("  s{i}: {i}\n")).collect();
    let problems = read(&format!("stages:\n{stages}")).result().unwrap_err();
    let drawn = problems.render(false);
    assert_eq!(problems.list.len(), 55);
    assert_eq!(drawn.matches("error: ").count(), 50);
    assert!(drawn.ends_with("\n… and 5 more (`runner plan --json` lists all)\n"));
}
