//! Placeholder.
#![cfg_attr(not(test), no_std)]

pub mod paging;
pub mod syndrome;
