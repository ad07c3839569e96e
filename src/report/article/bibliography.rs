//! The works that an article may cite: methods that this crate implements, and the data. Only what is used is listed.

use std::borrow::Cow;

/// One work. The key is what texts cite, e.g. `[@adamw]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    pub(crate) key: Cow<'static, str>,
    pub(crate) kind: Kind,
    /// `Last, First` joined by ` and `, as BibTeX has it.
    pub(crate) authors: Cow<'static, str>,
    pub(crate) title: Cow<'static, str>,
    /// Journal, proceedings or publisher.
    pub(crate) venue: Cow<'static, str>,
    /// Volume, number and pages, as they are printed, e.g. `45(1), 5–32`; may be empty.
    pub(crate) place: Cow<'static, str>,
    pub(crate) year: u16,
    /// A DOI, an arXiv number or an address, as it is printed; may be empty.
    pub(crate) link: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Article,
    Proceedings,
    Book,
    Preprint,
    Data,
}

const fn work(
    key: &'static str,
    kind: Kind,
    authors: &'static str,
    title: &'static str,
    [venue, place, link]: [&'static str; 3],
    year: u16,
) -> Work {
    Work {
        key: Cow::Borrowed(key),
        kind,
        authors: Cow::Borrowed(authors),
        title: Cow::Borrowed(title),
        venue: Cow::Borrowed(venue),
        place: Cow::Borrowed(place),
        year,
        link: Cow::Borrowed(link),
    }
}

pub(crate) static WORKS: &[Work] = &[
    work(
        "adam",
        Kind::Proceedings,
        "Kingma, Diederik P. and Ba, Jimmy",
        "Adam: A Method for Stochastic Optimization",
        ["ICLR", "", "arXiv:1412.6980"],
        2015,
    ),
    work(
        "adamw",
        Kind::Proceedings,
        "Loshchilov, Ilya and Hutter, Frank",
        "Decoupled Weight Decay Regularization",
        ["ICLR", "", "arXiv:1711.05101"],
        2019,
    ),
    work(
        "batchnorm",
        Kind::Proceedings,
        "Ioffe, Sergey and Szegedy, Christian",
        "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
        ["ICML", "448–456", "arXiv:1502.03167"],
        2015,
    ),
    work(
        "bootstrap",
        Kind::Book,
        "Efron, Bradley and Tibshirani, Robert J.",
        "An Introduction to the Bootstrap",
        ["Chapman & Hall", "", ""],
        1993,
    ),
    work(
        "boosting",
        Kind::Article,
        "Friedman, Jerome H.",
        "Greedy Function Approximation: A Gradient Boosting Machine",
        ["Ann. Stat.", "29(5), 1189–1232", "doi:10.1214/aos/1013203451"],
        2001,
    ),
    work(
        "cart",
        Kind::Book,
        "Breiman, Leo and Friedman, Jerome H. and Olshen, Richard A. and Stone, Charles J.",
        "Classification and Regression Trees",
        ["Wadsworth", "", ""],
        1984,
    ),
    work(
        "calibration",
        Kind::Proceedings,
        "Guo, Chuan and Pleiss, Geoff and Sun, Yu and Weinberger, Kilian Q.",
        "On Calibration of Modern Neural Networks",
        ["ICML", "1321–1330", "arXiv:1706.04599"],
        2017,
    ),
    work(
        "coral",
        Kind::Article,
        "Cao, Wenzhi and Mirjalili, Vahid and Raschka, Sebastian",
        "Rank Consistent Ordinal Regression for Neural Networks with Application to Age Estimation",
        ["Pattern Recognit. Lett.", "140, 325–331", "arXiv:1901.07884"],
        2020,
    ),
    work(
        "dropout",
        Kind::Article,
        "Srivastava, Nitish and Hinton, Geoffrey and Krizhevsky, Alex and Sutskever, Ilya and Salakhutdinov, Ruslan",
        "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        ["J. Mach. Learn. Res.", "15, 1929–1958", ""],
        2014,
    ),
    work(
        "ensemble",
        Kind::Proceedings,
        "Caruana, Rich and Niculescu-Mizil, Alexandru and Crew, Geoff and Ksikes, Alex",
        "Ensemble Selection from Libraries of Models",
        ["ICML", "18", "doi:10.1145/1015330.1015432"],
        2004,
    ),
    work(
        "esl",
        Kind::Book,
        "Hastie, Trevor and Tibshirani, Robert and Friedman, Jerome",
        "The Elements of Statistical Learning",
        ["Springer", "", "doi:10.1007/978-0-387-84858-7"],
        2009,
    ),
    work(
        "extratrees",
        Kind::Article,
        "Geurts, Pierre and Ernst, Damien and Wehenkel, Louis",
        "Extremely Randomized Trees",
        ["Mach. Learn.", "63(1), 3–42", "doi:10.1007/s10994-006-6226-1"],
        2006,
    ),
    work(
        "fanova",
        Kind::Proceedings,
        "Hutter, Frank and Hoos, Holger and Leyton-Brown, Kevin",
        "An Efficient Approach for Assessing Hyperparameter Importance",
        ["ICML", "754–762", ""],
        2014,
    ),
    work(
        "focal",
        Kind::Proceedings,
        "Lin, Tsung-Yi and Goyal, Priya and Girshick, Ross and He, Kaiming and Dollár, Piotr",
        "Focal Loss for Dense Object Detection",
        ["ICCV", "2980–2988", "arXiv:1708.02002"],
        2017,
    ),
    work(
        "forest",
        Kind::Article,
        "Breiman, Leo",
        "Random Forests",
        ["Mach. Learn.", "45(1), 5–32", "doi:10.1023/A:1010933404324"],
        2001,
    ),
    work(
        "halving",
        Kind::Article,
        "Li, Lisha and Jamieson, Kevin and DeSalvo, Giulia and Rostamizadeh, Afshin and Talwalkar, Ameet",
        "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization",
        ["J. Mach. Learn. Res.", "18(185), 1–52", ""],
        2018,
    ),
    work(
        "holm",
        Kind::Article,
        "Holm, Sture",
        "A Simple Sequentially Rejective Multiple Test Procedure",
        ["Scand. J. Stat.", "6(2), 65–70", ""],
        1979,
    ),
    work(
        "knn",
        Kind::Article,
        "Cover, Thomas and Hart, Peter",
        "Nearest Neighbor Pattern Classification",
        ["IEEE Trans. Inf. Theory", "13(1), 21–27", "doi:10.1109/TIT.1967.1053964"],
        1967,
    ),
    work(
        "lightgbm",
        Kind::Proceedings,
        "Ke, Guolin and Meng, Qi and Finley, Thomas and Wang, Taifeng and Chen, Wei and Ma, Weidong and Ye, Qiwei and Liu, Tie-Yan",
        "LightGBM: A Highly Efficient Gradient Boosting Decision Tree",
        ["NeurIPS", "3146–3154", ""],
        2017,
    ),
    work(
        "mccullagh",
        Kind::Article,
        "McCullagh, Peter",
        "Regression Models for Ordinal Data",
        ["J. R. Stat. Soc. B", "42(2), 109–142", "doi:10.1111/j.2517-6161.1980.tb01109.x"],
        1980,
    ),
    work(
        "mcnemar",
        Kind::Article,
        "McNemar, Quinn",
        "Note on the Sampling Error of the Difference between Correlated Proportions or Percentages",
        ["Psychometrika", "12(2), 153–157", "doi:10.1007/BF02295996"],
        1947,
    ),
    work(
        "minilm",
        Kind::Proceedings,
        "Wang, Wenhui and Wei, Furu and Dong, Li and Bao, Hangbo and Yang, Nan and Zhou, Ming",
        "MiniLM: Deep Self-Attention Distillation for Task-Agnostic Compression of Pre-Trained Transformers",
        ["NeurIPS", "", "arXiv:2002.10957"],
        2020,
    ),
    work(
        "naivebayes",
        Kind::Article,
        "Hand, David J. and Yu, Keming",
        "Idiot's Bayes: Not So Stupid after All?",
        ["Int. Stat. Rev.", "69(3), 385–398", ""],
        2001,
    ),
    work(
        "numembed",
        Kind::Proceedings,
        "Gorishniy, Yury and Rubachev, Ivan and Babenko, Artem",
        "On Embeddings for Numerical Features in Tabular Deep Learning",
        ["NeurIPS", "", "arXiv:2203.05556"],
        2022,
    ),
    work(
        "onecycle",
        Kind::Preprint,
        "Smith, Leslie N. and Topin, Nicholay",
        "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates",
        ["", "", "arXiv:1708.07120"],
        2018,
    ),
    work(
        "randomsearch",
        Kind::Article,
        "Bergstra, James and Bengio, Yoshua",
        "Random Search for Hyper-Parameter Optimization",
        ["J. Mach. Learn. Res.", "13, 281–305", ""],
        2012,
    ),
    work(
        "realmlp",
        Kind::Proceedings,
        "Holzmüller, David and Grinsztajn, Léo and Steinwart, Ingo",
        "Better by Default: Strong Pre-Tuned MLPs and Boosted Trees on Tabular Data",
        ["NeurIPS", "", "arXiv:2407.04491"],
        2024,
    ),
    work(
        "rmsprop",
        Kind::Data,
        "Tieleman, Tijmen and Hinton, Geoffrey",
        "Lecture 6.5: RMSProp",
        ["COURSERA: Neural Networks for Machine Learning", "", ""],
        2012,
    ),
    work(
        "sbert",
        Kind::Proceedings,
        "Reimers, Nils and Gurevych, Iryna",
        "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks",
        ["EMNLP-IJCNLP", "3982–3992", "arXiv:1908.10084"],
        2019,
    ),
    work(
        "spotify",
        Kind::Data,
        "Mock, Tom",
        "Spotify Songs (TidyTuesday, 21 January 2020)",
        ["R for Data Science", "", "https://github.com/rfordatascience/tidytuesday"],
        2020,
    ),
    work(
        "smoothing",
        Kind::Proceedings,
        "Szegedy, Christian and Vanhoucke, Vincent and Ioffe, Sergey and Shlens, Jon and Wojna, Zbigniew",
        "Rethinking the Inception Architecture for Computer Vision",
        ["CVPR", "2818–2826", "arXiv:1512.00567"],
        2016,
    ),
    work(
        "svm",
        Kind::Article,
        "Cortes, Corinna and Vapnik, Vladimir",
        "Support-Vector Networks",
        ["Mach. Learn.", "20(3), 273–297", "doi:10.1007/BF00994018"],
        1995,
    ),
    work(
        "tabm",
        Kind::Proceedings,
        "Gorishniy, Yury and Kotelnikov, Akim and Babenko, Artem",
        "TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling",
        ["ICLR", "", "arXiv:2410.24210"],
        2025,
    ),
    work(
        "tango",
        Kind::Article,
        "Tango, Toshiro",
        "Equivalence Test and Confidence Interval for the Difference in Proportions for the Paired-Sample Design",
        ["Statistics in Medicine", "17(8), 891–908", ""],
        1998,
    ),
    work(
        "tfidf",
        Kind::Article,
        "Spärck Jones, Karen",
        "A Statistical Interpretation of Term Specificity and Its Application in Retrieval",
        ["J. Doc.", "28(1), 11–21", "doi:10.1108/eb026526"],
        1972,
    ),
    work(
        "tpe",
        Kind::Proceedings,
        "Bergstra, James and Bardenet, Rémi and Bengio, Yoshua and Kégl, Balázs",
        "Algorithms for Hyper-Parameter Optimization",
        ["NeurIPS", "2546–2554", ""],
        2011,
    ),
    work(
        "transfer",
        Kind::Proceedings,
        "Yosinski, Jason and Clune, Jeff and Bengio, Yoshua and Lipson, Hod",
        "How Transferable Are Features in Deep Neural Networks?",
        ["NeurIPS", "3320–3328", "arXiv:1411.1792"],
        2014,
    ),
    work(
        "tsne",
        Kind::Article,
        "van der Maaten, Laurens and Hinton, Geoffrey",
        "Visualizing Data using t-SNE",
        ["J. Mach. Learn. Res.", "9, 2579–2605", ""],
        2008,
    ),
    work(
        "ulmfit",
        Kind::Proceedings,
        "Howard, Jeremy and Ruder, Sebastian",
        "Universal Language Model Fine-Tuning for Text Classification",
        ["ACL", "328–339", "arXiv:1801.06146"],
        2018,
    ),
    work(
        "wilson",
        Kind::Article,
        "Wilson, Edwin B.",
        "Probable Inference, the Law of Succession, and Statistical Inference",
        ["J. Am. Stat. Assoc.", "22(158), 209–212", "doi:10.1080/01621459.1927.10502953"],
        1927,
    ),
    work(
        "korngraubard",
        Kind::Article,
        "Korn, Edward L. and Graubard, Barry I.",
        "Confidence Intervals for Proportions with Small Expected Number of Positive Counts Estimated from Survey Data",
        ["Surv. Methodol.", "24(2), 193–201", ""],
        1998,
    ),
];

impl Work {
    pub(crate) fn find(key: &str) -> Option<&'static Work> {
        WORKS.iter().find(|work| work.key == key)
    }

    /// `D. P. Kingma, J. Ba`, as LNCS prints them: the family name first, then initials.
    pub(crate) fn printed_authors(&self) -> String {
        let one = |author: &str| match author.split_once(", ") {
            Some((family, given)) => {
                let initials: Vec<String> =
                    given.split_whitespace().filter_map(|name| name.chars().next()).map(|c| format!("{c}.")).collect();
                format!("{family}, {}", initials.join(""))
            }
            None => author.to_owned(),
        };
        self.authors.split(" and ").map(one).collect::<Vec<_>>().join(", ")
    }

    /// The web address to print: of works that no venue names, and of pages.
    pub(crate) fn printed_url(&self) -> Option<String> {
        let is_found = !self.venue.is_empty();
        if is_found && !self.link.starts_with("https://") { None } else { self.url() }
    }

    /// The web address of the link, where it has one.
    pub(crate) fn url(&self) -> Option<String> {
        let link = &self.link;
        if let Some(doi) = link.strip_prefix("doi:") {
            Some(format!("https://doi.org/{doi}"))
        } else if let Some(number) = link.strip_prefix("arXiv:") {
            Some(format!("https://arxiv.org/abs/{number}"))
        } else {
            link.starts_with("https://").then(|| link.clone().into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_enough_to_find_and_unique() {
        let mut keys: Vec<&str> = WORKS.iter().map(|work| work.key.as_ref()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), WORKS.len());
    }

    #[test]
    fn authors_are_printed_with_initials() {
        assert_eq!(Work::find("adam").unwrap().printed_authors(), "Kingma, D.P., Ba, J.");
        assert_eq!(Work::find("forest").unwrap().url().unwrap(), "https://doi.org/10.1023/A:1010933404324");
    }
}
