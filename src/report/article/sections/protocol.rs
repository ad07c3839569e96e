//! The protocol: which rows fit, choose and judge; what intervals and tests are.

use runner_results::ensemble::Weighting;
use runner_results::interval::IntervalMethod;
use runner_results::{Part, ensemble::Ensemble, scores::Scores, search::Search, training::Training};

use super::{ArticleContext, bilingual, source};
use crate::article::markup;
use crate::ranking::Source;
use crate::read::StageArtifacts;

pub(crate) fn judging(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Vec<Option<String>> {
    let is_grouped = context.is_grouped();
    let shifted = networks.iter().any(|(_, found)| found.calibration.bias.is_some());
    let pairs = context.study.tests.iter().map(|tests| tests.pairs.len()).max().unwrap_or(0);
    vec![
        Some(bilingual!(
            context,
            "Preprocessing is fitted on the training part alone{but}{chosen}{test}.",
            "Le prétraitement est ajusté sur le seul apprentissage{but}{chosen}{test}.",
            but = except(context),
            chosen = chosen_by_validation(context),
            test = match context.judged_on() {
                Part::Test => context.voice.say(
                    ", and the test part is scored once",
                    ", et le test n'est évalué qu'une fois",
                ),
                Part::Valid => context.voice.say(
                    "; there is no test part",
                    " ; il n'y a pas de lignes de test",
                ),
            },
        )),
        (!networks.is_empty()).then(|| bilingual!(
            context,
            "Probabilities are scaled by one temperature a model, fitted on validation rows [@calibration]{bias}.",
            "Les probabilités sont ajustées par une température par modèle, estimée sur la validation [@calibration]{bias}.",
            bias = match shifted {
                true => context.voice.say(", and shifted by class where they were off as a whole", ", et décalées par classe là où elles l'étaient dans l'ensemble"),
                false => "",
            },
        )),
        intervals(context),
        few_groups(context),
        (pairs > 0).then(|| bilingual!(
            context,
            "Two models are compared on the same rows by {test}, with Holm's correction over all {pairs} pairs [@holm]; *significant* means below 5%.",
            "Deux modèles sont comparés sur les mêmes lignes par {test}, avec la correction de Holm sur les {pairs} paires [@holm] ; *significatif* veut dire sous 5 %.",
            test = match is_grouped {
                true => context.voice.say("exchanging them within whole groups, which for single rows is McNemar's test [@mcnemar]", "échange au sein de groupes entiers, ce qui pour des lignes isolées est le test de McNemar [@mcnemar]"),
                false => context.voice.say("McNemar's test [@mcnemar]", "le test de McNemar [@mcnemar]"),
            },
        )),
    ]
}

/// That the rows are of few groups, where they are.
fn few_groups(context: &ArticleContext) -> Option<String> {
    let all = context.main()?.models.iter().filter_map(|model| model.judged());
    let scores = all.into_iter().find(|scores| scores.few_groups == Some(true))?;
    Some(bilingual!(
        context,
        "The {on} are of {groups}, which tell as much as {effective} of equal size: so few make intervals and tests rough.",
        "Les {on} forment {groups}, qui en disent autant que {effective} de même taille : un si petit nombre rend intervalles et tests approximatifs.",
        on = context.rows_on(context.judged_on()),
        groups = context.voice.counted(scores.groups? as u64, ("group", "groups"), ("groupe", "groupes")),
        effective = context.voice.decimals(scores.effective_groups?, 0),
    ))
}

/// What was chosen, and by which rows; nothing of what there is none.
fn chosen_by_validation(context: &ArticleContext) -> String {
    let has_networks = ["train", "transfer"].into_iter().any(|kind| context.of_kind(kind).next().is_some());
    let has_search = context.study.with::<Search>().next().is_some();
    let has_weights = context.study.with::<Ensemble>().any(|(_, ensemble)| ensemble.weights != Weighting::Equal);
    let things = [
        (has_networks, context.voice.say("epochs", "époques")),
        (has_search, context.voice.say("trials of searches", "essais des recherches")),
        (has_weights, context.voice.say("weights of ensembles", "poids des ensembles")),
    ];
    let things: Vec<String> = things.into_iter().filter(|(is, _)| *is).map(|(_, name)| name.to_owned()).collect();
    let mut told = String::new();
    if !things.is_empty() {
        told.push_str(&bilingual!(
            context,
            "; {list} are chosen on the validation part",
            " ; {list} sont {choisis} sur la validation",
            list = context.voice.list(&things, 3),
            choisis = if has_weights || has_search { "choisis" } else { "choisies" },
        ));
    }
    if context.classical().is_some_and(|model| source(model) == Source::CrossValidation) {
        told.push_str(context.voice.say(
            "; standard classifiers are ranked by cross-validation on the training part",
            " ; les classifieurs usuels sont classés par validation croisée sur l'apprentissage",
        ));
    }
    told
}

/// What the intervals of this article are: of accuracies, and of their differences.
fn intervals(context: &ArticleContext) -> Option<String> {
    use IntervalMethod::{Bootstrap, GroupBootstrap, GroupWilson, Tango, Wilson};
    let shown = context.main().into_iter().flat_map(|group| &group.models).filter_map(|model| model.judged());
    let accuracies: Vec<IntervalMethod> = shown.filter_map(Scores::interval_method).collect();
    let pairs = context.study.tests.iter().flat_map(|tests| &tests.pairs);
    let differences: Vec<IntervalMethod> = pairs.map(|pair| pair.accuracy.method).collect();
    let of_accuracies = if accuracies.contains(&GroupWilson) {
        context.voice.say(
            "Intervals hold at 95%: of accuracies Wilson's [@wilson], with the design effect of the groups [@korngraubard], whose rows are not independent",
            "Les intervalles sont à 95 % : pour les exactitudes ceux de Wilson [@wilson], avec l'effet de plan des groupes [@korngraubard], dont les lignes ne sont pas indépendantes",
        )
    } else if accuracies.contains(&Wilson) {
        context.voice.say(
            "Intervals hold at 95%: of accuracies Wilson's [@wilson]",
            "Les intervalles sont à 95 % : pour les exactitudes ceux de Wilson [@wilson]",
        )
    } else {
        return None;
    };
    let of_differences = if differences.contains(&GroupBootstrap) {
        context.voice.say(
            ", of differences bootstraps over whole groups [@bootstrap]",
            ", pour les différences des bootstraps sur des groupes entiers [@bootstrap]",
        )
    } else if differences.contains(&Bootstrap) {
        context.voice.say(
            ", of differences bootstraps over rows [@bootstrap]",
            ", pour les différences des bootstraps sur les lignes [@bootstrap]",
        )
    } else {
        ""
    };
    let alike = match differences.contains(&Tango) {
        true => context.voice.say(
            " (Tango's score interval [@tango] where all resamples agree)",
            " (l'intervalle de score de Tango [@tango] où tous les rééchantillons s'accordent)",
        ),
        false => "",
    };
    Some(format!("{of_accuracies}{of_differences}{alike}."))
}

/// What of the preprocessing was fitted on more rows.
fn except(context: &ArticleContext) -> String {
    let fitted = context.fitted_on_more();
    let names: Vec<String> = fitted.iter().map(|(stage, _)| markup::code(stage)).collect();
    let mut rows: Vec<String> = fitted.iter().map(|(_, rows)| markup::code(rows)).collect();
    rows.dedup();
    match names.is_empty() {
        true => String::new(),
        false => bilingual!(
            context,
            ", but for the vocabulary of {list}, which was fitted on {rows} and so has seen texts that the other parts hold back",
            ", sauf le vocabulaire de {list}, ajusté sur {rows}, qui a donc vu des textes que les autres parties réservent",
            list = context.voice.list(&names, 4),
            rows = context.voice.list(&rows, 4),
        ),
    }
}
