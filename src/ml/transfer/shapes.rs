//! Which tensors of a new network can be copied from an old one, by both specs alone: before there is data.

use std::collections::BTreeMap;

use crate::network::{Blueprint, Network, NetworkSpec, Parameter, Widths};

/// Width of an input whose real one only the data tells: it is the same in both networks.
const INPUT: usize = 3;

/// The name of the first tensor among the first `frozen` layers that has another shape in a network of the spec `old`, or none there. The columns
/// are whether there are numbers, the texts and the categories. `None` as well where encoders are adapted: their shapes are in their files.
pub fn first_uncopied(
    old: &NetworkSpec,
    new: &NetworkSpec,
    (numeric, text, categories): (bool, &[String], &[String]),
    frozen: usize,
) -> Option<String> {
    if [old, new].iter().any(|spec| text.iter().any(|column| spec.adapt(column).is_some())) {
        return None;
    }
    // Equal widths stay equal, and others differ; a network of real widths would take time and memory.
    let mut places = BTreeMap::new();
    let [old, new] = [old, new].map(|spec| narrowed(spec, &mut places));
    let of_columns =
        |columns: &[String]| -> Vec<(String, usize)> { columns.iter().map(|column| (column.clone(), INPUT)).collect() };
    let (text, categories) = (of_columns(text), of_columns(categories));
    let numeric = if numeric { INPUT } else { 0 };
    let parameters = |spec: &NetworkSpec| -> Option<Vec<Parameter>> {
        let widths = Widths { numeric, text: &text, encoders: &[], categories: &categories };
        Some(Network::new(&Blueprint::new(spec, widths, 2).ok()?, 0).ok()?.parameters())
    };
    let old: Vec<Parameter> = parameters(&old)?;
    let is_copied =
        |own: &Parameter| old.iter().any(|other| other.name == own.name && other.var.dims() == own.var.dims());
    let mut held = parameters(&new)?.into_iter().filter(|own| own.level.is_some_and(|level| level < frozen));
    held.find(|own| !is_copied(own)).map(|own| own.name)
}

/// The spec with small widths in place of its own, by the order in which they come.
fn narrowed(spec: &NetworkSpec, places: &mut BTreeMap<usize, usize>) -> NetworkSpec {
    let mut narrow = spec.clone();
    let mut place = |width: &mut usize| {
        let next = places.len() + 4;
        *width = *places.entry(*width).or_insert(next);
    };
    let own = narrow.columns.values_mut().filter_map(|own| own.layers.as_mut());
    let layers = [&mut narrow.numeric.layers, &mut narrow.text.layers, &mut narrow.categories.layers];
    layers.into_iter().chain([&mut narrow.trunk.layers]).chain(own).flatten().for_each(&mut place);
    place(&mut narrow.categories.width);
    narrow.category_columns.values_mut().filter_map(|own| own.width.as_mut()).for_each(&mut place);
    narrow.fusion_width.iter_mut().for_each(place);
    narrow
}
