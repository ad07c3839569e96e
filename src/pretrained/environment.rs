//! Reads the environment variables that say where encoders are and whether the network may be used. The rules
//! are those of Python's huggingface_hub, so that both programs share one cache.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::HubLimits;
use super::catalogue::catalogue;
use super::home::{expand_home, home};
use super::resolver::Resolver;

impl Resolver {
    /// From `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE`, `HF_HUB_OFFLINE`, `TRANSFORMERS_OFFLINE`, `RUNNER_MODELS`,
    /// `XDG_CACHE_HOME` and `XDG_DATA_HOME`.
    pub fn from_env() -> Self {
        Resolver::from_vars(&|name| std::env::var_os(name))
    }

    /// The same from a look-up of variables. Empty ones count as unset.
    pub(crate) fn from_vars(lookup: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let var = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let path = |name: &str| var(name).map(|value| expand_home(&value.to_string_lossy()));
        let home = home();
        let cache = path("XDG_CACHE_HOME").unwrap_or_else(|| home.join(".cache"));
        let hf_home = path("HF_HOME").unwrap_or_else(|| cache.join("huggingface"));
        let hub_cache =
            path("HF_HUB_CACHE").or_else(|| path("HUGGINGFACE_HUB_CACHE")).unwrap_or_else(|| hf_home.join("hub"));
        let data = path("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share"));
        let models = path("RUNNER_MODELS").unwrap_or_else(|| data.join("runner/models"));
        let endpoint = var("HF_ENDPOINT").map(|value| value.to_string_lossy().into_owned());
        let is_true = |name: &str| {
            var(name).is_some_and(|value| {
                let value = value.to_string_lossy().to_uppercase();
                ["1", "ON", "YES", "TRUE"].contains(&value.as_str())
            })
        };
        let program = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
        Resolver {
            catalogue: catalogue(),
            hub_endpoint: endpoint.unwrap_or_else(|| "https://huggingface.co".to_string()),
            hub_cache: absolute(hub_cache),
            hub_limits: HubLimits::default(),
            offline: is_true("HF_HUB_OFFLINE") || is_true("TRANSFORMERS_OFFLINE"),
            models: absolute(models),
            pip: vec![program(&["python3", "-m", "pip"]), program(&["pip3"]), program(&["pip"])],
        }
    }
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or_else(|_| Path::new(&path).to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolver(vars: &[(&str, &str)]) -> Resolver {
        let vars: Vec<(String, OsString)> =
            vars.iter().map(|(name, value)| (name.to_string(), OsString::from(value))).collect();
        Resolver::from_vars(&|name| {
            let found = vars.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        })
    }

    #[test]
    fn the_hub_cache_is_where_python_has_it() {
        assert_eq!(resolver(&[("HF_HOME", "/h")]).hub_cache, Path::new("/h/hub"));
        let both = resolver(&[("HF_HOME", "/h"), ("HF_HUB_CACHE", "/c")]);
        assert_eq!(both.hub_cache, Path::new("/c"));
        let xdg = resolver(&[("XDG_CACHE_HOME", "/x"), ("HF_HOME", "")]);
        assert_eq!(xdg.hub_cache, Path::new("/x/huggingface/hub"));
    }

    #[test]
    fn the_models_folder_can_be_chosen() {
        assert_eq!(resolver(&[("RUNNER_MODELS", "/m")]).models, Path::new("/m"));
        let xdg = resolver(&[("XDG_DATA_HOME", "/d")]);
        assert_eq!(xdg.models, Path::new("/d/runner/models"));
    }

    #[test]
    fn offline_is_one_on_yes_or_true() {
        for value in ["1", "on", "Yes", "TRUE"] {
            assert!(resolver(&[("HF_HUB_OFFLINE", value)]).offline, "{value}");
            assert!(resolver(&[("TRANSFORMERS_OFFLINE", value)]).offline, "{value}");
        }
        for value in ["", "0", "no", "false"] {
            assert!(!resolver(&[("HF_HUB_OFFLINE", value)]).offline, "{value}");
        }
    }
}
