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
            "Probabilities are scaled by one temperature per model, fitted on validation rows [@calibration].",
            "Les probabilités sont ajustées par une température par modèle, estimée sur la validation [@calibration].",
        )),
        shifted.then(|| bilingual!(
            context,
            "Where they were off as a whole, each class also has a bias, which leaves what is predicted as it was.",
            "Lorsqu'elles étaient décalées dans l'ensemble, chaque classe reçoit en outre un biais, qui ne change pas les prédictions.",
        )),
        intervals(context),
        (pairs > 0 && is_grouped).then(|| bilingual!(
            context,
            "Two models are compared on the same test rows by exchanging them within whole groups, which for single rows is McNemar's test [@mcnemar], with Holm's correction over all pairs [@holm] ({pairs} here); a difference is called significant at 5%.",
            "Deux modèles sont comparés sur les mêmes lignes de test en les échangeant par groupes entiers, ce qui pour des lignes isolées est le test de McNemar [@mcnemar], avec la correction de Holm sur toutes les paires [@holm] (ici {pairs}) ; une différence est dite significative au seuil de 5 %.",
        )),
        (pairs > 0 && !is_grouped).then(|| bilingual!(
            context,
            "Two models are compared by McNemar's test on the same test rows [@mcnemar], with Holm's correction over all pairs [@holm] ({pairs} here); a difference is called significant at 5%.",
            "Deux modèles sont comparés par le test de McNemar sur les mêmes lignes de test [@mcnemar], avec la correction de Holm sur toutes les paires [@holm] (ici {pairs}) ; une différence est dite significative au seuil de 5 %.",
        )),
    ]
}

/// How many groups the rows are of, and how much these tell.
fn groups(context: &ArticleContext) -> Option<String> {
    let scores =
        context.main()?.models.iter().find_map(|model| model.judged().filter(|scores| scores.groups.is_some()))?;
    let (groups, effective) = (scores.groups?, scores.effective_groups?);
    let few = match scores.few_groups {
        Some(true) => context.voice.say(
            "; so few make intervals and tests rough",
            " ; un si petit nombre rend intervalles et tests approximatifs",
        ),
        _ => "",
    };
    let on = context.rows_on(context.judged_on());
    Some(bilingual!(
        context,
        "The {on} are of {groups}, which tell as much as {effective} of equal size{few}.",
        "Les {on} forment {groups}, qui en disent autant que {effective} de même taille{few}.",
        groups = context.voice.counted(groups as u64, ("group", "groups"), ("groupe", "groupes")),
        effective = context.voice.decimals(effective, 0),
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
    let sentences = [
        accuracies.contains(&GroupWilson).then(|| bilingual!(
            context,
            "Intervals of accuracies are Wilson's score intervals [@wilson]; since rows of a group that the split keeps together are not independent, they count for as many rows as tell as much alone, by the design effect [@korngraubard].",
            "Les intervalles des exactitudes sont les intervalles de score de Wilson [@wilson] ; comme les lignes d'un groupe que le partage garde ensemble ne sont pas indépendantes, elles comptent pour autant de lignes isolées qui en diraient autant, d'après l'effet de plan [@korngraubard].",
        )),
        (accuracies.contains(&Wilson) && !accuracies.contains(&GroupWilson)).then(|| bilingual!(
            context,
            "Intervals of accuracies are Wilson's score intervals [@wilson].",
            "Les intervalles des exactitudes sont les intervalles de score de Wilson [@wilson].",
        )),
        groups(context),
        differences.contains(&GroupBootstrap).then(|| bilingual!(
            context,
            "Intervals of differences are bootstraps over whole groups [@bootstrap].",
            "Les intervalles des différences sont des bootstraps sur des groupes entiers [@bootstrap].",
        )),
        differences.contains(&Bootstrap).then(|| bilingual!(
            context,
            "Intervals of differences are percentile bootstraps over rows [@bootstrap].",
            "Les intervalles des différences sont des bootstraps sur les lignes, par percentiles [@bootstrap].",
        )),
        differences.contains(&Tango).then(|| bilingual!(
            context,
            "A difference that all resamples have alike, as of two models that are right on the same rows, has Tango's score interval [@tango].",
            "Une différence identique dans tous les rééchantillons, comme celle de deux modèles justes sur les mêmes lignes, a l'intervalle de score de Tango [@tango].",
        )),
    ];
    let sentences: Vec<String> = sentences.into_iter().flatten().collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
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

