//! Pages, articles and figures, and what they claim.

mod article;
mod articles;
mod browser;
mod claims;
mod figures;
mod fixture;
mod judgements;
mod markup;
mod page;
mod pages;
mod properties;
mod statements;

use runner_test_support::{screen, studies, workspace};
