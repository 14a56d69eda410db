//! What both CPUs have in common and nothing above `arch` is to know twice: the walker of translation tables, what pCPUs leave for
//! one another, the flight recorder's ring.
//!
//! No instruction and no register is named here; each CPU's crate offers these under its own name.
#![cfg_attr(not(test), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

pub mod bits;
#[cfg(feature = "testing")]
pub mod chaos;
pub mod doorbell;
pub mod ends;
pub mod exit;
pub mod in_hand;
pub mod kick;
pub mod latches;
pub mod mailbox;
pub mod paging;
pub mod place;
pub mod recorder;
