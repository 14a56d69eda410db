//! Atomics that yield: each operation of a thread that called [`enable`] may first give the CPU away. For tests of what several
//! threads share; they are the standard ones otherwise.
#![allow(missing_docs, reason = "the standard library's names")]

extern crate std;

use core::sync::atomic::Ordering;
use std::cell::Cell;

std::thread_local! {
    /// State of the generator; zero is off.
    static SEED: Cell<u32> = const { Cell::new(0) };
}

/// Operations of this thread yield from now on, in a pattern given by `seed`.
pub fn enable(seed: u32) {
    SEED.set(seed | 1);
}

fn maybe_yield() {
    let mut seed = SEED.get();
    if seed == 0 {
        return;
    }
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    SEED.set(seed);
    if seed.is_multiple_of(13) {
        std::thread::yield_now();
    }
}

macro_rules! chaotic {
    ($name:ident, $value:ty) => {
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct $name(core::sync::atomic::$name);

        impl $name {
            pub const fn new(value: $value) -> Self {
                Self(core::sync::atomic::$name::new(value))
            }

            pub fn load(&self, ordering: Ordering) -> $value {
                maybe_yield();
                self.0.load(ordering)
            }

            pub fn store(&self, value: $value, ordering: Ordering) {
                maybe_yield();
                self.0.store(value, ordering);
            }

            pub fn swap(&self, value: $value, ordering: Ordering) -> $value {
                maybe_yield();
                self.0.swap(value, ordering)
            }

            pub fn fetch_or(&self, value: $value, ordering: Ordering) -> $value {
                maybe_yield();
                self.0.fetch_or(value, ordering)
            }

            pub fn fetch_and(&self, value: $value, ordering: Ordering) -> $value {
                maybe_yield();
                self.0.fetch_and(value, ordering)
            }

            pub fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut change: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                maybe_yield();
                self.0.fetch_update(set, fetch, |value| {
                    let new = change(value);
                    maybe_yield();
                    new
                })
            }
        }
    };
}

chaotic!(AtomicBool, bool);
chaotic!(AtomicU8, u8);
chaotic!(AtomicU32, u32);
chaotic!(AtomicU64, u64);
