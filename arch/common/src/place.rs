//! Memory for what a VM needs for good, given at assembly.

use model::Hpa;

/// Where it comes from. `None` when there is no more.
pub trait Place {
    /// A list of `count` values, each made from its index, for good. `None` from `make` ends it, and that is the answer.
    fn list<T>(&mut self, count: usize, make: impl FnMut(&mut Self, usize) -> Option<T>) -> Option<&'static mut [T]>;

    /// `size` zeroed bytes, rounded up to pages, at a multiple of a page that the hypervisor reaches at their physical address.
    fn pages(&mut self, size: u64) -> Option<Hpa>;
}
