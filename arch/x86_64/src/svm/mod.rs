//! AMD's SVM: how a vCPU of x86 gets into its CPU and out again (APM volume 2, chapter 15).
//!
//! The VMCB and what is to be known of it; what x86 guests may do is the same on VMX, and above this.

pub mod bitmap;
pub mod consistency;
pub mod event;
pub mod exit_code;
pub mod intercepts;
pub mod vmcb;
