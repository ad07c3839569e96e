//! Names of methods in both languages with the works that describe them, and the words of figures in French.

use runner_results::spec::Activation;
use runner_results::{Metric, search};

use crate::article::language::Voice;

/// A method as a reader knows it.
pub(crate) struct Method {
    pub(crate) name: &'static str,
    pub(crate) english: &'static str,
    pub(crate) french: &'static str,
    /// Key of the work; empty for what needs none, or has it from a textbook.
    pub work: &'static str,
    /// How a sentence of either language calls it, with its article: always in the singular, so that verbs agree.
    pub the: &'static str,
    pub le: &'static str,
}

const fn method(name: &'static str, english: &'static str, french: &'static str, work: &'static str) -> Method {
    Method { name, english, french, work, the: english, le: french }
}

impl Method {
    const fn with(self, the: &'static str, le: &'static str) -> Method {
        Method { the, le, ..self }
    }
}

/// After `de`: `du SVM linéaire`, `de la forêt aléatoire`.
pub(super) fn of_french(subject: &str) -> String {
    match (subject.strip_prefix("le "), subject.strip_prefix("les ")) {
        (Some(rest), _) => format!("du {rest}"),
        (_, Some(rest)) => format!("des {rest}"),
        _ => format!("de {subject}"),
    }
}

static CLASSICAL: &[Method] = &[
    method("majority", "majority class", "classe majoritaire", "").with("the majority class", "la classe majoritaire"),
    method("logistic", "logistic regression", "régression logistique", "")
        .with("logistic regression", "la régression logistique"),
    method("ordinal_logistic", "ordinal logistic regression", "régression logistique ordinale", "mccullagh")
        .with("ordinal logistic regression", "la régression logistique ordinale"),
    method("linear_svm", "linear SVM", "SVM linéaire", "").with("the linear SVM", "le SVM linéaire"),
    method("rbf_svm", "RBF SVM", "SVM à noyau RBF", "").with("the RBF SVM", "le SVM à noyau RBF"),
    method("knn", "nearest neighbours", "plus proches voisins", "")
        .with("the nearest-neighbour classifier", "la méthode des plus proches voisins"),
    method("naive_bayes", "naive Bayes", "classifieur bayésien naïf", "")
        .with("naive Bayes", "le classifieur bayésien naïf"),
    method("tree", "decision tree", "arbre de décision", "").with("the decision tree", "l’arbre de décision"),
    method("random_forest", "random forest", "forêt aléatoire", "forest")
        .with("the random forest", "la forêt aléatoire"),
    method("extra_trees", "extra trees", "extra-trees", "extratrees")
        .with("the extra-trees classifier", "la méthode extra-trees"),
    method("boosting", "gradient boosting", "gradient boosting", "boosting")
        .with("gradient boosting", "le gradient boosting"),
];

/// A parameter of a standard classifier, as a reader is told it.
pub(super) struct Parameter {
    pub(super) key: &'static str,
    pub(super) english: &'static str,
    pub(super) french: &'static str,
    /// A letter of a formula; words stand before the value otherwise.
    pub(super) is_symbol: bool,
}

const fn letter(key: &'static str, letter: &'static str) -> Parameter {
    Parameter { key, english: letter, french: letter, is_symbol: true }
}

const fn words(key: &'static str, english: &'static str, french: &'static str) -> Parameter {
    Parameter { key, english, french, is_symbol: false }
}

/// What is told of a standard classifier's parameters: those that one would tune first.
pub(super) fn telling_parameters(name: &str) -> &'static [Parameter] {
    match name {
        "logistic" | "ordinal_logistic" | "linear_svm" => const { &[letter("c", "C")] },
        "rbf_svm" => const { &[letter("c", "C"), letter("gamma", r"\gamma")] },
        "knn" => const { &[letter("k", "k")] },
        "tree" => const { &[words("max_depth", "depth", "profondeur")] },
        "random_forest" | "extra_trees" => const { &[words("trees", "trees:", "arbres :")] },
        "boosting" => {
            const {
                &[
                    words("rounds", "rounds:", "itérations :"),
                    words("learning_rate", "rate", "taux"),
                    words("max_leaves", "leaves:", "feuilles :"),
                ]
            }
        }
        _ => &[],
    }
}

/// As a figure names it.
pub(super) fn activation(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "ReLU",
        Activation::Selu => "SELU",
        Activation::Gelu | Activation::GeluTanh => "GELU",
        Activation::Silu => "SiLU",
        Activation::Mish => "Mish",
        Activation::Tanh => "tanh",
    }
}

static OPTIMIZERS: &[Method] = &[
    method("sgd", "SGD", "SGD", ""),
    method("adam", "Adam", "Adam", "adam"),
    method("adamw", "AdamW", "AdamW", "adamw"),
    method("rmsprop", "RMSprop", "RMSprop", "rmsprop"),
];

static SCHEDULES: &[Method] = &[
    method("constant", "constant", "constant", ""),
    method("cosine", "cosine", "cosinus", ""),
    method("step", "steps", "paliers", ""),
    method("one_cycle", "one cycle", "un cycle", "onecycle"),
    method("plateau", "on plateau", "sur plateau", ""),
    method("cosine_log4", "coslog4", "coslog4", "realmlp"),
    method("coslog4", "coslog4", "coslog4", "realmlp"),
];

/// As it stands in sentences, in French with its article.
pub(crate) fn metric(voice: Voice, metric: Metric) -> &'static str {
    match metric {
        Metric::Loss => voice.say("log loss", "la perte"),
        Metric::Accuracy => voice.say("accuracy", "l'exactitude"),
        Metric::MacroF1 => voice.say("macro-F1", "la macro-F1"),
        Metric::BalancedAccuracy => voice.say("balanced accuracy", "l'exactitude équilibrée"),
        Metric::WeightedF1 => voice.say("weighted F1", "la F1 pondérée"),
        Metric::Mcc => voice.say("Matthews' correlation coefficient", "le coefficient de corrélation de Matthews"),
        Metric::RocAuc => voice.say("ROC AUC", "l'aire sous la courbe ROC"),
        Metric::AveragePrecision => voice.say("average precision", "la précision moyenne"),
        Metric::Brier => voice.say("Brier score", "le score de Brier"),
        Metric::CalibrationError => voice.say("calibration error", "l'erreur de calibration"),
        Metric::Top3Accuracy => voice.say("top-3 accuracy", "l'exactitude top 3"),
        Metric::Top5Accuracy => voice.say("top-5 accuracy", "l'exactitude top 5"),
        Metric::Cost => voice.say("mean cost", "le coût moyen"),
        Metric::QuadraticKappa => voice.say("quadratic kappa", "le kappa quadratique"),
        Metric::RankError => voice.say("rank error", "l'erreur de rang"),
    }
}

/// The same without an article.
pub(crate) fn bare_metric(voice: Voice, metric: Metric) -> &'static str {
    let name = self::metric(voice, metric);
    ["la ", "le ", "l'"].into_iter().find_map(|article| name.strip_prefix(article)).unwrap_or(name)
}

/// For the head of a column; F1 is macro-F1.
pub(crate) fn short_metric(metric: Metric) -> &'static str {
    match metric {
        Metric::Loss => "log loss",
        Metric::Accuracy => "acc.",
        Metric::MacroF1 => "F1",
        Metric::BalancedAccuracy => "BA",
        Metric::WeightedF1 => "wF1",
        Metric::Mcc => "MCC",
        Metric::RocAuc => "AUC",
        Metric::AveragePrecision => "AP",
        Metric::Brier => "Brier",
        Metric::CalibrationError => "ECE",
        Metric::Top3Accuracy => "top 3",
        Metric::Top5Accuracy => "top 5",
        Metric::Cost => "cost",
        Metric::QuadraticKappa => "kappa",
        Metric::RankError => "rank error",
    }
}

pub(crate) fn classical(name: &str) -> Option<&'static Method> {
    CLASSICAL.iter().find(|method| method.name == name)
}

pub(crate) fn optimizer(name: &str) -> Option<&'static Method> {
    OPTIMIZERS.iter().find(|method| method.name == name)
}

pub(crate) fn schedule(name: &str) -> Option<&'static Method> {
    SCHEDULES.iter().find(|method| method.name == name)
}

pub(super) fn search(chosen: search::Method) -> Method {
    match chosen {
        search::Method::Grid => method("grid", "grid search", "recherche sur grille", ""),
        search::Method::Random => method("random", "random search", "recherche aléatoire", "randomsearch"),
        search::Method::Tpe => {
            method("tpe", "tree-structured Parzen estimators", "estimateurs de Parzen arborescents", "tpe")
        }
    }
}

/// Labels of the report's figures. French words are no wider than the English ones, for whose width the figure was laid out.
static LABELS: &[(&str, &str)] = &[
    ("accuracy", "exactitude"),
    ("accuracy with 95 % interval", "exactitude, intervalle à 95 %"),
    ("after", "après"),
    ("all rows", "toutes"),
    ("as said", "idéal"),
    ("before", "avant"),
    ("drop in accuracy", "perte d’exactitude"),
    ("epoch", "époque"),
    ("mean confidence of the bin", "confiance moyenne du groupe"),
    ("mean over classes", "moyenne des classes"),
    ("nats", "nats"),
    ("predicted", "prédit"),
    ("share of rows", "part des lignes"),
    ("share of rows that are right", "part des lignes bien classées"),
    ("train", "appr."),
    ("true", "vrai"),
    ("valid", "valid."),
    ("weight", "poids"),
    ("+ mean of the class", "+ moyenne de la classe"),
    ("all texts", "textes"),
    ("all numbers", "nombres"),
    ("all categories", "catégories"),
    ("cross_entropy", "entropie croisée"),
    ("cross entropy", "entropie croisée"),
    ("one seed", "une graine"),
    ("mean, 95 % interval of its difference", "moyenne, IC à 95 % de l'écart"),
    ("base", "base"),
    ("diverged", "diverge"),
    ("not set", "aucun"),
];

/// What pipelines vary or leave out, by the usual names.
static PARAMETERS: &[(&str, &str)] = &[
    ("batch size", "taille des lots"),
    ("depth", "profondeur"),
    ("width", "largeur"),
    ("optimizer", "optimiseur"),
    ("learning rate", "taux d'apprentissage"),
    ("activation", "activation"),
    ("epochs", "époques"),
    ("schedule", "planification"),
    ("batch norm", "normalisation par lots"),
    ("dropout", "dropout"),
    ("clipping", "écrêtage des gradients"),
    ("label smoothing", "lissage des étiquettes"),
    ("weight decay", "pénalisation des poids"),
];

/// The name of a parameter or stabiliser in the article's language, where it is a usual one.
pub(crate) fn parameter(voice: Voice, name: &str) -> String {
    let known = PARAMETERS.iter().find(|(english, _)| voice.is_french() && *english == name);
    known.map_or(name, |(_, french)| french).to_owned()
}

/// The label in French, where it is one of the report's own.
pub(crate) fn french_label(text: &str) -> Option<String> {
    if let Some(epoch) = text.strip_prefix("best epoch ") {
        return Some(format!("époque {epoch}"));
    }
    if let Some(rest) = text.strip_prefix("→ component 1 (") {
        let text = format!("→ composante 1 ({rest}").replace("component 2", "composante 2");
        let text = text.replace("mean of the class", "moyenne de la classe").replace('.', ",");
        return Some(text);
    }
    if text.starts_with("↑ ") && text.contains("best trial") {
        let text =
            text.replace("best trial", "meilleur essai").replace("accuracy", "exactitude").replace("log loss", "perte");
        return Some(text.replace("stopped early", "arrêté tôt"));
    }
    LABELS.iter().chain(PARAMETERS).find(|(english, _)| *english == text).map(|(_, french)| (*french).to_owned())
}
