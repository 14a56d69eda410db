//! A counter for each vCPU, which that one alone stores: guests of arm64 have no atomic additions with the MMU off.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use guest_runtime::machine::{MAX_CPUS, own_index};

/// A counter for each vCPU.
pub(super) struct Counters([AtomicU64; MAX_CPUS]);

impl Counters {
    /// All zero.
    pub(super) const fn new() -> Counters {
        Counters([const { AtomicU64::new(0) }; MAX_CPUS])
    }

    /// Counts for this vCPU. Interrupts are masked, or no handler counts here.
    pub(super) fn count(&self) {
        self.store(self.get(own_index()) + 1);
    }

    /// Stores this vCPU's value.
    pub(super) fn store(&self, value: u64) {
        self.0[own_index()].store(value, Relaxed);
    }

    /// Forgets the value of vCPU `index`, which is off.
    pub(super) fn clear(&self, index: usize) {
        self.0[index].store(0, Relaxed);
    }

    /// The value of vCPU `index`.
    pub(super) fn get(&self, index: usize) -> u64 {
        self.0[index].load(Relaxed)
    }

    /// The values of the first `cpus` vCPUs.
    pub(super) fn values(&self, cpus: usize) -> impl Iterator<Item = u64> + '_ {
        (0..cpus).map(|index| self.get(index))
    }
}
