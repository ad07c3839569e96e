//! The weights that are needed next, fetched while the present ones are at work.
//!
//! The weights of all layers fit no cache near a core: the first tile of each panel would wait for it, which takes a twelfth of the time where twelve
//! tiles pass by a panel. So each tile asks for a share of the next panel, a line at a time, since a core can only wait for some dozens at once. A
//! hint changes when memory is read, never what is computed.

/// Levels of a tile for each line. A level is two lines of its panel: after eight tiles the next panel is there.
pub(crate) const STEP: usize = 4;

/// Values of 32 bits in a cache line.
const LINE: usize = 16;

/// What is still to be asked for.
#[derive(Clone, Copy)]
pub(crate) struct Ahead<'a, T>(&'a [T]);

impl<'a, T> Ahead<'a, T> {
    pub(crate) fn new(values: &'a [T]) -> Self {
        Ahead(values)
    }

    pub(crate) const fn nothing() -> Self {
        Ahead(&[])
    }

    /// What is left when so many lines have been asked for.
    pub(crate) fn after(self, lines: usize) -> Self {
        Ahead(self.0.get(lines * LINE..).unwrap_or(&[]))
    }

    /// Asks for the next line, if there is one.
    #[inline(always)]
    pub(crate) fn fetch(&mut self) {
        let Some((line, rest)) = self.0.split_at_checked(LINE) else { return };
        self.0 = rest;
        // SAFETY: a hint, which reads and writes nothing and faults at no address.
        #[cfg(target_arch = "x86_64")]
        #[allow(unsafe_code)]
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = line;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_asked_for_one_by_one_up_to_the_end() {
        let values = [1.0f32; 5 * LINE + 3];
        let mut ahead = Ahead::new(&values);
        ahead.fetch();
        assert_eq!(ahead.0.len(), 4 * LINE + 3);
        ahead = ahead.after(3);
        assert_eq!(ahead.0.len(), LINE + 3);
        ahead.fetch();
        ahead.fetch();
        assert_eq!(ahead.0.len(), 3, "no whole line is left");
        assert!(ahead.after(1).0.is_empty());
        assert_eq!(values, [1.0; 5 * LINE + 3]);
    }
}
