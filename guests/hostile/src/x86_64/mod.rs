//! What x86_64 has to attack a hypervisor with.

pub(crate) mod attack;
#[cfg(target_os = "none")]
mod guest;
#[cfg(target_os = "none")]
mod what;

#[cfg(target_os = "none")]
pub(crate) use guest::{batch, do_other, open, restore_console, second, vectors};
#[cfg(target_os = "none")]
pub(crate) use what::{NAMES, What};
