//! `kind: command`: plain programs as stages, with a shell and its usual tools.

use std::time::{Duration, Instant};

use crate::workspace::Workspace;

/// Three rows, a program that counts them, and one that reads the count.
const COUNT: &str = r#"
name: counting
vars: {csv: rows.csv}
stages:
  rows: {kind: load, files: {all: "${csv}"}}
  count:
    kind: command
    run: [sh, count.sh, "{rows}", "{out}/count.txt", 5]
    inputs: {rows: rows}
    files: [helper.txt]
    outputs: {count: count.txt}
    env: [COUNT_MODE]
  below:
    kind: command
    run: [/bin/sh, -c, 'tr a-z A-Z < "$1" > "$2"', upper, "{count}", "{out}/upper.json"]
    inputs: {count: count.count}
    outputs: {upper: upper.json}
"#;

/// Writes the length class of the table, not its bytes, so that other rows of the same number give the same output.
const SCRIPT: &str = r#"
test -s "$1" || exit 9
echo "counting" >&2
printf '"%s %s %s"\n' "$3" "$(cat helper.txt)" "$COUNT_MODE" > "$2"
"#;

fn counting() -> Workspace {
    Workspace::new()
        .file("rows.csv", "id,value\na,1\nb,2\nc,3\n")
        .file("count.sh", SCRIPT)
        .file("helper.txt", "helped")
        .pipeline(COUNT)
}

/// A pipeline of one command without inputs.
fn one(run: &str, more: &str) -> Workspace {
    Workspace::new().pipeline(&format!(
        "name: one\nstages:\n  it:\n    kind: command\n    run: {run}\n    outputs: {{result: result.txt}}\n{more}"
    ))
}

/// What a run of a stage that fails says.
#[track_caller]
fn error(work: &Workspace) -> String {
    let run = work.run();
    assert_eq!(run.code, Some(1), "{run:?}");
    work.stable(&run.error())
}

/// What a run says of a pipeline that it refuses.
#[track_caller]
fn invalid(work: &Workspace) -> String {
    let run = work.run();
    assert_eq!(run.code, Some(2), "{run:?}");
    work.stable(&run.stderr)
}

#[test]
fn a_program_joins_the_dag_and_the_cache() {
    let work = counting();
    work.run().ran(&["rows", "count", "below"]);
    assert_eq!(work.text("artifacts/counting/below/upper.json"), "\"5 HELPED \"\n");
    work.run().ran(&[]);
    // What the words name, and what is declared, counts by content.
    work.edit("count.sh", "counting", "counting again");
    work.run().ran(&["count"]);
    work.edit("helper.txt", "helped", "assisted");
    work.run().ran(&["count", "below"]);
    work.edit("helper.txt", "assisted", "helped");
    work.run().ran(&[]).restored(&["count", "below"]);
    work.edit("pipeline.yaml", "/count.txt\", 5]", "/count.txt\", 6]");
    work.run().ran(&["count", "below"]);
    // The input changes, the output does not: what is below stays.
    work.edit("rows.csv", "c,3", "c,4");
    work.run().ran(&["rows", "count"]);
    work.edit("pipeline.yaml", "    env: [COUNT_MODE]", "    env: [COUNT_MODE]\n    timeout: 60");
    work.run().ran(&[]);
    assert!(work.files_under("artifacts/.store/scratch").is_empty(), "nothing is left of the scratch folders");
}

#[test]
fn how_a_stage_is_written_does_not_count() {
    let work = counting();
    work.run().ran(&["rows", "count", "below"]);
    // The same stages out of an included file, a template and another order of keys.
    let shared = "templates:\n  sh: {kind: command, inputs: {none: rows}, run: [echo]}\nstages:\n  rows: {kind: load, files: {all: '${csv}'}}\n";
    work.write("shared/rows.yaml", shared.as_bytes());
    let text = work.text("pipeline.yaml");
    let text = text.replace("  rows: {kind: load, files: {all: \"${csv}\"}}\n", "");
    let text = text.replace("name: counting\n", "name: counting\ninclude: shared/rows.yaml\n");
    let text = text.replace("    kind: command\n    run", "    extends: sh\n    run");
    let text = text.replace("inputs: {rows: rows}", "inputs: {rows: rows, none: null}");
    let text = text.replace("inputs: {count: count.count}", "inputs: {count: count, none: null}");
    work.write("pipeline.yaml", text.as_bytes());
    work.run().ran(&[]);
    work.edit("pipeline.yaml", "  count:\n", "  counts:\n    matrix: {mode: {five: 5}}\n    as: ${mode}-counts\n");
    work.edit("pipeline.yaml", "count: count,", "count: counts,");
    work.edit("pipeline.yaml", "count.txt\", 5]", "count.txt\", \"${mode}\"]");
    work.run().ran(&[]).restored(&["five-counts"]);
}

#[test]
fn only_declared_variables_are_seen_and_their_values_count() {
    let work = one("[sh, -c, 'env > \"$0\"', \"{out}/result.txt\"]", "    env: [SEEN, API_TOKEN]\n");
    let run = |seen: &str, hidden: &str| {
        let mut command = work.command(&["run", "pipeline.yaml"]);
        command.env("SEEN", seen).env("HIDDEN", hidden).env("API_TOKEN", "hush");
        let output = command.output().expect("the program starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(run("one", "x").contains("1 ran"));
    let text = work.text("artifacts/one/it/result.txt");
    let names: Vec<&str> = text.lines().filter_map(|line| line.split('=').next()).collect();
    // A shell sets some of its own.
    let expected = ["API_TOKEN", "HOME", "LANG", "OLDPWD", "PATH", "PWD", "SEEN", "SHLVL", "TMPDIR", "_"];
    assert!(names.iter().all(|name| expected.contains(name)), "{text}");
    assert!(text.contains("SEEN=one\n") && text.contains("API_TOKEN=hush\n"), "{text}");
    assert!(run("one", "y").contains("1 fresh"), "an undeclared variable does not count");
    let mut explain = work.command(&["explain", "pipeline.yaml", "it"]);
    explain.env("SEEN", "two").env("API_TOKEN", "other");
    let text = String::from_utf8(explain.output().expect("the program starts").stdout).expect("UTF-8");
    assert!(text.contains("env.SEEN 'one' → 'two' (pipeline.yaml:7:5)"), "{text}");
    assert!(text.contains("env.API_TOKEN") && !text.contains("hush"), "secrets are not kept: {text}");
    assert!(run("two", "y").contains("1 ran"));
}

/// A folder that is declared counts with all files in it; a folder or a file inside of a word that is not declared is warned of.
#[test]
fn folders_count_where_they_are_declared_and_are_warned_of_where_not() {
    let run = "[sh, -c, 'cat dir/a.txt dir/deep/b.txt > \"$1\"/result.txt', x, \"{out}\", dir]";
    let work = one(run, "    files: [dir]\n").file("dir/a.txt", "1\n").file("dir/deep/b.txt", "2\n");
    work.run().ran(&["it"]);
    work.run().ran(&[]);
    std::fs::write(work.path().join("dir/deep/b.txt"), "3\n").expect("written");
    std::fs::create_dir(work.path().join("dir/__pycache__")).expect("a folder");
    std::fs::write(work.path().join("dir/__pycache__/x.pyc"), "").expect("written");
    let run = work.run().ran(&["it"]);
    assert!(!run.stderr.contains("is not noticed"), "{}", run.stderr);
    assert_eq!(work.text("artifacts/one/it/result.txt"), "1\n3\n");
    work.run().ran(&[]);

    let work = one("[sh, -c, 'cat dir/a.txt > \"$0\"', \"{out}/result.txt\", dir, --config=c.json]", "");
    let work = work.file("dir/a.txt", "1\n").file("c.json", "{}");
    insta::assert_snapshot!(work.stable(&work.run().stderr), @r#"
    warning: whether 'dir/a.txt' changes is not noticed
     --> pipeline.yaml:5:19
      |
    5 |     run: [sh, -c, 'cat dir/a.txt > "$0"', "{out}/result.txt", dir, --config=c.json]
      |                   ^^^^^^^^^^^^^^^^^^^^^^
      = help: name it under `files: ['dir/a.txt']` too

    warning: whether 'dir' changes is not noticed
     --> pipeline.yaml:5:63
      |
    5 |     run: [sh, -c, 'cat dir/a.txt > "$0"', "{out}/result.txt", dir, --config=c.json]
      |                                                               ^^^
      = help: name it under `files: [dir]` too

    warning: whether 'c.json' changes is not noticed
     --> pipeline.yaml:5:68
      |
    5 |     run: [sh, -c, 'cat dir/a.txt > "$0"', "{out}/result.txt", dir, --config=c.json]
      |                                                                    ^^^^^^^^^^^^^^^
      = help: name it under `files: ['c.json']` too
    "#);
}

#[test]
fn a_failure_tells_its_code_its_last_words_and_its_place() {
    let work = one("[sh, -c, 'echo loud; echo \"no such cluster\" >&2; exit 3']", "");
    insta::assert_snapshot!(invalid(&work), @r#"
    error: no word holds `{out}`, so the program cannot know where to write
     --> pipeline.yaml:5:10
      |
    5 |     run: [sh, -c, 'echo loud; echo "no such cluster" >&2; exit 3']
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = help: write e.g. "{out}/result.json" where the program takes the path of its output
    "#);
    let work = one("[sh, -c, 'echo loud; echo \"no such cluster\" >&2; exit 3', \"{out}\"]", "");
    insta::assert_snapshot!(error(&work), @"
    pipeline.yaml:5:10: 'sh' ended with exit code 3:
      no such cluster
    ");
    assert!(!work.exists("artifacts/one/it/result.txt"));
    insta::assert_snapshot!(error(&one("[sh, -c, 'echo only out; kill -9 $$', \"{out}\"]", "")), @"
    pipeline.yaml:5:10: 'sh' ended with SIGKILL (perhaps it ran out of memory):
      only out
    ");
    insta::assert_snapshot!(error(&one("[no-such-program, \"{out}\"]", "")), @"pipeline.yaml:5:10: cannot start 'no-such-program': No such file or directory (os error 2)");
    insta::assert_snapshot!(error(&one("[sh, -c, ':', \"{out}\"]", "")), @"pipeline.yaml:6:23: the program ended well but did not write 'result.txt' into {out}");
}

#[test]
fn a_source_that_changes_meanwhile_spoils_the_result() {
    let run =
        "[sh, -c, 'cat source.txt > \"$0/result.txt\"; test -e once || echo new > source.txt; touch once', \"{out}\"]";
    let work = one(run, "    files: [source.txt]\n").file("source.txt", "old\n");
    insta::assert_snapshot!(error(&work), @"'source.txt' changed while the stage ran: its result was not kept, run again");
    assert!(!work.exists("artifacts/one/it/result.txt"));
    work.run().ran(&["it"]);
    assert_eq!(work.text("artifacts/one/it/result.txt"), "new\n");
    // Going back to the first content must compute, since what was made from it was not kept.
    work.write("source.txt", b"old\n");
    work.run().ran(&["it"]);
    assert_eq!(work.text("artifacts/one/it/result.txt"), "old\n");
}

#[test]
fn outputs_are_typed_by_their_ending_and_read_by_others() {
    let work = Workspace::new().file("rows.csv", "id,value\na,1\nb,2\n").file("more.csv", "id,value\nc,3\n").pipeline(
        r#"
name: typed
stages:
  rows: {kind: load, files: {all: rows.csv, more: more.csv}}
  copy:
    kind: command
    run: [sh, -c, 'cp "$0" "$1/t.arrow"; echo "[1]" > "$1/j.json"; : > "$1/a.svg"; : > "$1/b.svg"; : > "$1/other"', "{all}", "{out}"]
    inputs: {all: rows.all}
    outputs: {table: t.arrow, json: j.json, plots: [a.svg, b.svg]}
  parts: {kind: split, rows: copy, label: id, groups: [value]}
  many:
    kind: command
    run: [sh, -c, 'out=$0; for file; do basename "$file"; done > "$out/names.txt"; ls "$5" >> "$out/names.txt"', "{out}", "{tables}", "{one}", "{json}", "{plots}"]
    inputs: {json: copy.json, plots: copy.plots, tables: [rows.all, rows.more], one: copy}
    outputs: {names: names.txt}
"#,
    );
    let run = work.run_with(&["many"]).ran(&["rows", "copy", "many"]);
    let warned = run.lines.iter().any(|line| line["message"].as_str().is_some_and(|text| text.contains("other")));
    assert!(warned, "{:?}", run.lines);
    assert_eq!(
        work.text("artifacts/typed/many/names.txt"),
        "all.arrow\nmore.arrow\ntable.arrow\nj.json\nplots\na.svg\nb.svg\n"
    );
    assert!(work.exists("artifacts/typed/copy/table.arrow"));
    insta::assert_snapshot!(work.screen(&["show", "pipeline.yaml", "copy.table"]), @"
    $ runner show pipeline.yaml copy.table
      row_id  source  line  record  id  value
      0       all     2     a,1     a   1
      1       all     3     b,2     b   2
      2 rows × 6 columns
    ");
    let no_table =
        "stages: {it: {kind: command, run: [sh, -c, 'echo x > \"$0/t.arrow\"', '{out}'], outputs: {t: t.arrow}}}";
    insta::assert_snapshot!(error(&Workspace::new().pipeline(no_table)), @"pipeline.yaml:1:92: output 't': t.arrow: not an Arrow IPC file that can be read: Parser error: it is damaged: too short to be an Arrow file (write it uncompressed, e.g. with pyarrow.ipc.new_file or polars' write_ipc)");
}

#[test]
fn a_program_cannot_reach_the_store() {
    let work = Workspace::new().file("rows.csv", "id\na\n").pipeline(
        r#"
name: safe
stages:
  rows: {kind: load, files: {all: rows.csv}}
  vandal:
    kind: command
    run: [sh, -c, 'chmod u+w "$0"; echo damage > "$0"; cat "$0" > "$1/result.txt"', "{rows}", "{out}"]
    inputs: {rows: rows}
    outputs: {result: result.txt}
"#,
    );
    work.run().ran(&["rows", "vandal"]);
    assert_eq!(work.text("artifacts/safe/vandal/result.txt"), "damage\n");
    let before = work.read("artifacts/safe/rows/rows.arrow");
    assert!(before.starts_with(b"ARROW1"));
    std::fs::remove_dir_all(work.path().join("artifacts/safe/rows")).expect("removed");
    work.run().restored(&["rows"]);
    assert_eq!(work.read("artifacts/safe/rows/rows.arrow"), before);
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    insta::assert_snapshot!(invalid(&Workspace::new().file("script.py", "").pipeline(
            r#"
stages:
  rows: {kind: load, files: {all: none.csv}}
  it:
    kind: command
    run: [python3, script.py, "{rwos}", "x{many}", {rows: 1}]
    inputs: {rows: rows, many: [rows, rows], out: rows, two words: rows}
    files: [gone.py, .]
    outputs: {a: sub/a.txt, b.c: .hidden, d: same, e: same, f: [a.arrow, b.arrow]}
    env: [A=1]
    timeout: -1
"#,
        )), @r#"
    error: none.csv: cannot be read: No such file or directory (os error 2)
     --> pipeline.yaml:3:35
      |
    3 |   rows: {kind: load, files: {all: none.csv}}
      |                                   ^^^^^^^^
      = help: paths count from where runner is started: [folder]

    error: unknown placeholder '{rwos}'
     --> pipeline.yaml:6:31
      |
    6 |     run: [python3, script.py, "{rwos}", "x{many}", {rows: 1}]
      |                               ^^^^^^^^
      = help: known are {many}, {out}, {rows}, {two words}; write {{rwos}} for a literal {rwos}

    error: '{many}' stands for 2 paths, which cannot stand inside a word
     --> pipeline.yaml:6:41
      |
    6 |     run: [python3, script.py, "{rwos}", "x{many}", {rows: 1}]
      |                                         ^^^^^^^^^
      = help: give "{many}" a word of its own: it becomes 2 words

    error: 'run[4]': expected text or a number (quote a word with braces: "{rows}")
     --> pipeline.yaml:6:52
      |
    6 |     run: [python3, script.py, "{rwos}", "x{many}", {rows: 1}]
      |                                                    ^^^^^^^^^

    error: an input cannot be named 'out'
     --> pipeline.yaml:7:51
      |
    7 |     inputs: {rows: rows, many: [rows, rows], out: rows, two words: rows}
      |                                                   ^^^^
      = help: names are letters, digits, '_' and '-'; `{out}` is the folder for outputs

    error: an input cannot be named 'two words'
     --> pipeline.yaml:7:68
      |
    7 |     inputs: {rows: rows, many: [rows, rows], out: rows, two words: rows}
      |                                                                    ^^^^

    error: cannot read 'gone.py': No such file or directory (os error 2)
     --> pipeline.yaml:8:13
      |
    8 |     files: [gone.py, .]
      |             ^^^^^^^
      = help: paths count from where runner is started

    error: 'sub/a.txt' cannot be the name of a file: it holds '/'
     --> pipeline.yaml:9:18
      |
    9 |     outputs: {a: sub/a.txt, b.c: .hidden, d: same, e: same, f: [a.arrow, b.arrow]}
      |                  ^^^^^^^^^
      = help: give a plain name, without folders; outputs lie in `{out}` itself, not in folders below it

    error: 'b.c' cannot name a port
     --> pipeline.yaml:9:34
      |
    9 |     outputs: {a: sub/a.txt, b.c: .hidden, d: same, e: same, f: [a.arrow, b.arrow]}
      |                                  ^^^^^^^
      = help: names of ports hold no '.' or space

    error: '.hidden' cannot be the name of a file: it begins with '.'
     --> pipeline.yaml:9:34
      |
    9 |     outputs: {a: sub/a.txt, b.c: .hidden, d: same, e: same, f: [a.arrow, b.arrow]}
      |                                  ^^^^^^^
      = help: choose letters, digits, '-' and '_'; outputs lie in `{out}` itself, not in folders below
              it

    error: the file 'same' is named twice
     --> pipeline.yaml:9:55
      |
    9 |     outputs: {a: sub/a.txt, b.c: .hidden, d: same, e: same, f: [a.arrow, b.arrow]}
      |                                                       ^^^^
      = help: upper and lower case are the same on many disks

    error: port 'f' needs one file, or files that are no tables
     --> pipeline.yaml:9:64
      |
    9 |     outputs: {a: sub/a.txt, b.c: .hidden, d: same, e: same, f: [a.arrow, b.arrow]}
      |                                                                ^^^^^^^^^^^^^^^^^^
      = help: give every table a port of its own

    error: 'A=1' is not the name of an environment variable
      --> pipeline.yaml:10:11
       |
    10 |     env: [A=1]
       |           ^^^
       = help: name variables only, e.g. CUDA_VISIBLE_DEVICES; their values are taken from where runner
               is started

    error: timeout must be at least 0.001; got -1
      --> pipeline.yaml:11:14
       |
    11 |     timeout: -1
       |              ^^
    "#);
    let several = Workspace::new().file("rows.csv", "id\na\n").pipeline(
        r#"
stages:
  rows: {kind: load, files: {all: rows.csv}}
  it:
    kind: command
    run: [python3, "{rwos}", "x{many}", "{out}"]
    inputs: {rows: rows, many: [rows, rows], out: rows, two words: rows, gone: rwos}
    files: [gone.py, .]
    outputs: {a: sub/a.txt, b.c: .hidden, d: same, e: same, f: [a.arrow, b.arrow]}
    env: [A=1]
    timeout: -1
"#,
    );
    insta::assert_snapshot!(invalid(&several));
    insta::assert_snapshot!(invalid(&one("[sh, \"{out}\"]", "    inputs: [a]\n")), @"
    error: 'inputs' wants a mapping from names to references, not a list
     --> pipeline.yaml:7:13
      |
    7 |     inputs: [a]
      |             ^^^
      = help: e.g. `inputs: {rows: songs, model: numeric.model}`
    ");
    insta::assert_snapshot!(invalid(&one("[]", "")), @"
    error: no program to run
     --> pipeline.yaml:5:10
      |
    5 |     run: []
      |          ^^
      = help: e.g. `run: [python3, script.py]`
    ");
}

/// Whether a process with this number is alive, and no zombie.
#[cfg(target_os = "linux")]
fn alive(process: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", process.trim()));
    status.is_ok_and(|text| !text.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

/// Starts a grandchild and waits; both write their numbers.
#[cfg(target_os = "linux")]
const SLEEPERS: &str = "[sh, -c, 'sleep 60 & echo $! > pids; echo $$ >> pids; echo waiting >&2; wait', \"{out}\"]";

#[cfg(target_os = "linux")]
fn pids(work: &Workspace) -> Vec<String> {
    let started = Instant::now();
    loop {
        if work.exists("pids") && work.text("pids").lines().count() == 2 {
            return work.text("pids").lines().map(str::to_owned).collect();
        }
        assert!(started.elapsed() < Duration::from_secs(20), "the program did not start");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The same in a session of their own, from which the program then parts: a daemon and its child.
#[cfg(target_os = "linux")]
const DAEMONS: &str =
    "setsid sh -c \"sleep 60 & echo \\$! > pids; echo \\$\\$ >> pids; wait\" > /dev/null 2>&1 < /dev/null & sleep 0.3";

#[test]
#[cfg(target_os = "linux")]
fn an_interrupt_ends_the_whole_group_within_a_second() {
    interrupted(&one(SLEEPERS, ""));
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupt_ends_also_who_left_the_group() {
    interrupted(&one(&format!("[sh, -c, '{DAEMONS}; sleep 60', \"{{out}}\"]"), ""));
}

#[test]
#[cfg(target_os = "linux")]
fn who_left_the_group_of_a_program_that_ended_well_ends_too() {
    let work = one(&format!("[sh, -c, '{DAEMONS}; echo x > \"$0/result.txt\"', \"{{out}}\"]"), "");
    work.run().ran(&["it"]);
    assert!(!pids(&work).iter().any(|pid| alive(pid)), "a child is left");
}

#[cfg(target_os = "linux")]
fn interrupted(work: &Workspace) {
    use nix::sys::signal::{Signal, kill};
    let mut command = work.command(&["run", "pipeline.yaml", "--json"]);
    let mut runner = command.stdout(std::process::Stdio::null()).spawn().expect("the program starts");
    let pids = pids(work);
    assert!(pids.iter().all(|pid| alive(pid)));
    let interrupted = Instant::now();
    kill(nix::unistd::Pid::from_raw(runner.id() as i32), Signal::SIGINT).expect("a signal");
    let status = runner.wait().expect("an end");
    assert!(interrupted.elapsed() < Duration::from_secs(1), "took {:?}", interrupted.elapsed());
    assert_eq!(status.code(), Some(130));
    assert!(!pids.iter().any(|pid| alive(pid)), "a child is left");
    assert!(work.files_under("artifacts/.store/scratch").is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn a_timeout_ends_the_whole_group_also_one_that_will_not_listen() {
    let work = one(SLEEPERS, "    timeout: 0.5\n");
    let started = Instant::now();
    let text = error(&work);
    assert!(started.elapsed() < Duration::from_secs(10), "took {:?}", started.elapsed());
    assert!(text.contains("was ended after [time] (raise `timeout` if it needs longer):\n  waiting"), "{text}");
    assert!(!pids(&work).iter().any(|pid| alive(pid)), "a child is left");
    let deaf =
        "[sh, -c, 'trap \"\" TERM; sleep 60 & echo $! > pids; echo $$ >> pids; while :; do sleep 1; done', \"{out}\"]";
    let work = one(deaf, "    timeout: 0.3\n");
    assert!(error(&work).contains("was ended after"));
    assert!(!pids(&work).iter().any(|pid| alive(pid)), "a child is left");
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_program_leaves_behind_ends_with_it() {
    let work = one("[sh, -c, 'sleep 60 & echo $! > pids; echo $$ >> pids; echo x > \"$0/result.txt\"', \"{out}\"]", "");
    work.run().ran(&["it"]);
    assert!(!pids(&work).iter().any(|pid| alive(pid)), "a child is left");
}

#[test]
fn a_declared_file_that_is_swapped_and_swapped_back_while_the_program_runs_is_noticed() {
    let swap = "cp source.txt kept.txt; echo other > source.txt; cat source.txt > \"$1\"/o.txt; cp kept.txt source.txt";
    let work = Workspace::new().file("source.txt", "own\n").pipeline(&format!(
        "name: p\nstages:\n  c: {{kind: command, run: [sh, -c, '{swap}', x, \"{{out}}\"], files: [source.txt], outputs: {{o: o.txt}}}}\n"
    ));
    insta::assert_snapshot!(error(&work), @"'source.txt' changed while the stage ran: its result was not kept, run again");
    assert_eq!(work.text("source.txt"), "own\n");
}
