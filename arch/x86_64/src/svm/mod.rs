//! AMD's SVM: how a vCPU of x86 gets into its CPU and out again (APM volume 2, chapter 15).
//!
//! The VMCB and what is to be known of it; what x86 guests may do is the same on VMX, and above this.

pub mod bitmap;
pub mod consistency;
pub mod event;
pub mod exit_code;
pub mod intercepts;
pub mod vmcb;

#[cfg(target_os = "none")]
pub(crate) mod entry;
#[cfg(target_os = "none")]
mod host;

#[cfg(target_os = "none")]
pub(crate) use host::{Host, barrier, features, machine_check, order, physical_bits, take};
#[cfg(target_os = "none")]
pub use host::{gpa_bits, init_cpu};
