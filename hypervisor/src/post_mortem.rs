//! What is told of a VM that failed: the reason, the vCPU's registers, the instruction and the calls that led to it, what the VM
//! has near the address that it used, and its last exits.
//!
//! What may change is taken down at once, while the vCPU is loaded. It is told later, a line at a time, in the vCPU's own
//! priority and time and as the console takes it, so that neither another VM nor a slow UART is any reason to leave a line out.

pub mod calls;
pub mod owners;

#[cfg(target_os = "none")]
mod report;

#[cfg(target_os = "none")]
pub use report::{Report, Step};
