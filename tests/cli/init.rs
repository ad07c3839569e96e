//! `runner init`: what it writes is a study that can be run, and what is there stays.

use crate::workspace::Workspace;

fn succeeds(work: &Workspace, arguments: &[&str]) {
    let output = work.runner(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn init_makes_a_study_that_runs_and_keeps_what_is_there() {
    let work = Workspace::new();
    succeeds(&work, &["init"]);
    insta::assert_snapshot!(work.screen(&["plan", "pipelines/quick.yaml"]), @"
    $ runner plan pipelines/quick.yaml
      songs     run    no result yet
      folds     run    no result yet; 'songs' runs before it
      baseline  run    no result yet; 'folds' runs before it
      titles    run    no result yet; 'songs' runs before it; 'folds' runs before it
      fused     run    no result yet; 'folds' runs before it; 'titles' runs before it
      predict   run    no result yet; 'songs' runs before it; 'titles' runs before it; and 1 more
      report    run    no result yet; 'songs' runs before it; 'folds' runs before it; and 4 more

    7 to run, 0 to restore, 0 fresh
    ");
    work.write("pipelines/quick.yaml", b"mine");
    insta::assert_snapshot!(work.screen(&["init"]), @"
    $ runner init
    error: these files are there with another content: ./pipelines/quick.yaml (`--overwrite` replaces them)
    [exit code 2]
    ");
    assert_eq!(work.text("pipelines/quick.yaml"), "mine");
    succeeds(&work, &["init", "--overwrite"]);
    assert_ne!(work.text("pipelines/quick.yaml"), "mine");
    // Of each pipeline that the README names.
    let readme = include_str!("../../README.md");
    let named = readme.split("pipelines/").skip(1).filter_map(|rest| Some(rest.split_once(".yaml")?.0));
    let named: std::collections::BTreeSet<&str> =
        named.filter(|name| name.chars().all(char::is_alphanumeric)).collect();
    assert!(named.len() > 4, "{named:?}");
    for name in named {
        succeeds(&work, &["plan", &format!("pipelines/{name}.yaml")]);
    }
}
