//! The atomics that the shared state is made of. In tests every operation may let another thread go first, so that
//! interleavings which need an interrupt between two instructions come up thousands of times.

pub(super) use core::sync::atomic::Ordering::SeqCst;

#[cfg(not(test))]
pub(super) use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

#[cfg(test)]
pub(super) use arch_common::chaos::{AtomicBool, AtomicU32, AtomicU64};
