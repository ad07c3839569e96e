//! A figure under construction and finished: its size, what it says of itself, and its elements.
//!
//! A drawing holds elements, and an element may be a whole drawing: the two files know each other.

pub(crate) use super::element::{Anchor, Element, PathData};

use super::element::Shape;

/// Height of the strip at the top that holds the heading.
const HEADING: f64 = 20.0;

/// One figure. Sizes and positions are in user units, the origin at the top left.
#[derive(Clone, Debug, Default)]
pub struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    /// What is cut off at the top: the strip of a heading that is told elsewhere.
    pub(super) cut: f64,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) body: Vec<Element>,
    /// Whether the first element is the heading.
    headed: bool,
    /// The numbers behind it, as JSON, where a page lets its reader explore them.
    data: Option<String>,
}

impl Drawing {
    /// `title` and `description` are what a screen reader says.
    pub(crate) fn new(width: f64, height: f64, title: &str, description: &str) -> Drawing {
        let (title, description) = (title.to_owned(), description.to_owned());
        Drawing { width, height, title, description, ..Drawing::default() }
    }

    pub(crate) fn add(&mut self, element: Element) {
        self.body.push(element);
    }

    /// The visible heading at the top left, cut to the width of the figure. It comes before all else.
    pub(crate) fn heading(&mut self) {
        let shown = super::text::fit(&self.title, 13.5, self.width - 8.0);
        self.body.insert(0, Element::text(0.0, 14.0, &shown).size(13.0).bold());
        self.headed = true;
    }

    /// Places another drawing inside this one, its top left corner at (`x`, `y`).
    pub(crate) fn nest(&mut self, drawing: Drawing, x: f64, y: f64) {
        self.add(Element::new(Shape::Drawing { drawing: Box::new(drawing), x, y }));
    }

    /// The same without its heading, for where a caption says it.
    pub(crate) fn without_heading(mut self) -> Drawing {
        if std::mem::take(&mut self.headed) {
            self.body.remove(0);
            self.cut = HEADING;
        }
        self
    }

    /// Applies `change` to every text that shows, and to title and description: other words, other decimal signs.
    pub(crate) fn change_texts(&mut self, change: &dyn Fn(&str) -> String) {
        self.title = change(&self.title);
        self.description = change(&self.description);
        self.body.iter_mut().for_each(|element| element.change_texts(change));
    }

    /// Every text that shows, in order.
    pub(crate) fn texts<'a>(&'a self, found: &mut Vec<&'a str>) {
        self.body.iter().for_each(|element| element.texts(found));
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// Gives the numbers behind the drawing, as JSON; see [`super::chart_data`].
    pub(super) fn set_data(&mut self, data: String) {
        self.data = Some(data);
    }

    pub(crate) fn data(&self) -> Option<&str> {
        self.data.as_deref()
    }

    /// Whether something in it leads elsewhere.
    pub(crate) fn has_links(&self) -> bool {
        self.body.iter().any(|element| matches!(element.shape, Shape::Link { .. }))
    }

    /// Width and height, in user units.
    pub(crate) fn size(&self) -> (f64, f64) {
        (self.width, self.height - self.cut)
    }
}
