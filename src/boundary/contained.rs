//! The last resort for libraries that assert what others wrote: their panic becomes an error, and is not printed as a fault of this program.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Does `work`; a panic in it is returned as its message.
///
/// # Errors
/// If `work` panics.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let outer = CONTAINED.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outer);
    done.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "an assertion failed".to_owned())
    })
}

/// Whether this thread works within [`contained`]: whoever prints panics leaves this one to its caller.
pub fn is_contained() -> bool {
    CONTAINED.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(contained(|| 3), Ok(3));
        let failed = contained(|| {
            assert!(is_contained());
            let empty: [u8; 0] = [];
            empty.to_vec().remove(0)
        });
        assert!(failed.is_err_and(|message| message.contains("removal index")));
        assert!(!is_contained());
    }
}
