//! Texts that are no YAML, or no YAML for us: one clear error with its line.

use super::read;
use runner::spec::load;

#[test]
fn an_unquoted_variable_in_braces() {
    insta::assert_snapshot!(read("stages:\n  s: {kind: k, lr: ${lr}, rows: x}\n").says(), @r#"
    error: '${lr}' must be quoted between braces or brackets
     --> full.yaml:2:20
      |
    2 |   s: {kind: k, lr: ${lr}, rows: x}
      |                    ^^^^^
      = help: write "${lr}"
    "#);
}

#[test]
fn a_key_given_twice_shows_both_places() {
    insta::assert_snapshot!(read("stages:\n  s:\n    kind: k\n    lr: 1\n    rows: x\n    lr: 2\n").says(), @"
    error: key 'lr' is given twice
     --> full.yaml:6:5
      |
    6 |     lr: 2
      |     ^^
     ::: full.yaml:4:5
      |
    4 |     lr: 1
      |     -- first given here
      = help: remove one of the two
    ");
}

#[test]
fn a_key_given_twice_hides_no_other_mistake() {
    let text = "seed: 1\nseed: 1.5\nstages:\n  s: {kind: k, size: 340282366920938463463374607431768211456, size: 36893488147419103232}\n  s: {kind: k}\n  t: {}\n";
    assert_eq!(
        read(text).messages(),
        [
            "key 'seed' is given twice",
            "'seed' must be a whole number from 0 to 18446744073709551615",
            "key 'size' is given twice",
            "'36893488147419103232' is too large for a whole number",
            "key 's' is given twice",
            "stage 't' has no 'kind'",
        ]
    );
}

#[test]
fn tabs_that_indent() {
    insta::assert_snapshot!(read("stages:\n  s:\n    kind: k\n\trows: x\n").says(), @"
    error: a tab indents this line
     --> full.yaml:4:1
      |
    4 |     rows: x
      | ^^^^
      = help: YAML is indented with spaces only
    ");
}

#[test]
fn common_mistakes_of_syntax() {
    let says = |text: &str, message: &str, place: &str| {
        let problems = read(text).result().expect_err("a faulty text");
        let problem = &problems.list[0];
        let span = problem.span.expect("a place");
        assert_eq!(problem.message, message, "{text:?}");
        assert_eq!(problems.sources.location(span), place, "{text:?}");
        assert_eq!(problems.list.len(), 1, "{text:?}");
    };
    says("", "the pipeline file is empty", "full.yaml:1:1");
    says("# a\n# b\n", "the pipeline file is empty", "full.yaml:1:1");
    says("- 1\n", "a pipeline must be a mapping with `stages`, not a list", "full.yaml:1:1");
    says("name: a\n", "no `stages`", "full.yaml:1:1");
    says("stages:\n", "`stages` is empty", "full.yaml:1:1");
    says("a: 1\r\nb: c: d\r\n", "invalid YAML: mapping values are not allowed in this context", "full.yaml:2:5");
    says("a: [1,\n  2\n", "invalid YAML: unclosed bracket '['", "full.yaml:1:4");
    says("a: 'x\n", "invalid YAML: unclosed quote", "full.yaml:1:4");
    says("a: @x\n", "invalid YAML: unexpected character: `@'", "full.yaml:1:4");
    says("a: *b\n", "invalid YAML: while parsing node, found unknown anchor", "full.yaml:1:4");
    says("a: &b [*b]\n", "an alias inside the value that it names", "full.yaml:1:8");
    says("a: 1\n---\nb: 1\n", "a second YAML document starts here", "full.yaml:2:1");
    says("a: !tag 1\n", "tag '!tag' on a value", "full.yaml:1:9");
    says("stages: {s: {kind: k, a: .nan}}\n", "'.nan' is not a finite number", "full.yaml:1:26");
    let large = "'99999999999999999999' is too large for a whole number";
    says("stages: {s: {kind: k, a: 99999999999999999999}}\n", large, "full.yaml:1:26");
    says("stages: {s: {kind: k}}\n? [1]\n: 2\n", "a list or mapping cannot be a key", "full.yaml:2:3");
    says("<<: 5\n", "'<<' cannot merge a number", "full.yaml:1:1");
    says("é: x\u{1}\n", "control character U+0001 in the text", "full.yaml:1:5");
    says("a: x\u{2028}y\n", "unusual line break U+2028 in the text", "full.yaml:1:5");
    says("a: 1\n\u{feff}b: 2\n", "byte-order mark U+FEFF in the text", "full.yaml:2:1");
}

#[test]
fn depth_and_width_are_bounded() {
    let deep = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    assert_eq!(read(&deep).messages(), ["nested more than 64 levels deep"]);
    let mut laughs = String::from("a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1]\n");
    for level in 1..30 {
        let item = format!("*a{},", level - 1).repeat(8);
        laughs.push_str(&format!("a{level}: &a{level} [{item}]\n"));
    }
    assert_eq!(read(&laughs).messages(), ["more than 100000 values by aliases"]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_accepted() {
    let text = "\u{feff}vars: {a: 1}\r\nstages:\r\n  s: {kind: k, v: \"${a}\"}\r\n";
    read(text).written_at("s", &[], "full.yaml:3:3").written_at("s", &["v"], "full.yaml:1:11");
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let says = |name: &str| load(&path(name), &[]).expect_err("an unreadable file");
    std::fs::write(path("full.yaml"), "stages: {s: {kind: k}}").unwrap();
    std::fs::write(path("latin.yaml"), b"a: 1\nname: caf\xe9\n").unwrap();
    std::fs::write(path("wide.yaml"), b"\xff\xfea\0:\0").unwrap();

    assert_eq!(load(&path("full.yaml"), &[]).unwrap().name, "full");
    let missing = says("ful.yaml").list.remove(0);
    assert!(missing.message.starts_with("cannot read '"));
    assert_eq!(missing.help.unwrap(), format!("did you mean '{}'?", path("full.yaml").display()));
    assert!(says(".").list[0].message.starts_with("cannot read '"));
    let latin = says("latin.yaml");
    assert_eq!(latin.list[0].message, "invalid UTF-8: byte 0xe9");
    let place = latin.sources.location(latin.list[0].span.unwrap());
    assert!(place.ends_with("latin.yaml:2:10"), "{place}");
    assert_eq!(says("wide.yaml").list[0].message, "the file is UTF-16");
}
