//! Facts: what stages tell one another's checks of the plan, beside columns. The engine only passes them on.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use runner_spec::Span;

/// A kind of fact, e.g. the label of rows; a name stands for one type.
pub struct Fact<T> {
    name: &'static str,
    holds: PhantomData<fn() -> T>,
}

impl<T> Fact<T> {
    /// Two facts of one name and type are one.
    pub const fn new(name: &'static str) -> Fact<T> {
        Fact { name, holds: PhantomData }
    }
}

impl<T> Clone for Fact<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Fact<T> {}

/// The facts of one input or output, by name.
#[derive(Clone, Default)]
pub struct Facts(BTreeMap<&'static str, Stated>);

#[derive(Clone)]
struct Stated {
    value: Arc<dyn Any + Send + Sync>,
    /// Where it is written, e.g. the `label` of a `load` stage.
    place: Option<Span>,
}

impl Facts {
    /// `None` where nobody told it.
    pub fn get<T: Any>(&self, fact: Fact<T>) -> Option<&T> {
        self.0.get(fact.name)?.value.downcast_ref()
    }

    /// Where the fact is written, if it is.
    pub(crate) fn place<T>(&self, fact: Fact<T>) -> Option<Span> {
        self.0.get(fact.name)?.place
    }

    pub(super) fn insert<T: Any + Send + Sync>(&mut self, fact: Fact<T>, value: T, place: Option<Span>) {
        self.0.insert(fact.name, Stated { value: Arc::new(value), place });
    }
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
