//! The program on the bare board: VMs, the vCPU loop, host memory, the console.
//!
//! What needs no privileged instruction compiles and is tested on the host; the rest exists on the bare target only.
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

#[cfg(any(test, feature = "self-test"))]
pub mod audit;
pub mod budget;
pub mod console;
pub mod epitaph;
pub mod gate;
pub mod life;
pub mod memory;
pub mod policy;
pub mod post_mortem;
pub mod progress;
pub mod random;
pub mod scheduler;
pub mod stacks;
pub mod timers;
pub mod verify;

#[cfg(target_os = "none")]
pub mod address_space;
#[cfg(target_os = "none")]
pub mod assemble;
#[cfg(target_os = "none")]
pub mod board;
#[cfg(target_os = "none")]
pub mod bring_up;
#[cfg(target_os = "none")]
pub mod bus;
#[cfg(target_os = "none")]
pub mod direct;
#[cfg(target_os = "none")]
pub mod exits;
#[cfg(target_os = "none")]
pub mod fatal;
#[cfg(target_os = "none")]
pub mod images;
#[cfg(target_os = "none")]
pub mod interrupts;
#[cfg(target_os = "none")]
pub mod lifecycle;
#[cfg(target_os = "none")]
pub mod log;
#[cfg(target_os = "none")]
pub mod passing;
#[cfg(target_os = "none")]
pub mod pcpu;
#[cfg(target_os = "none")]
pub mod power;
#[cfg(all(target_os = "none", feature = "provoke"))]
pub mod provoke;
#[cfg(target_os = "none")]
pub mod terminal;
#[cfg(target_os = "none")]
pub mod uart;
#[cfg(target_os = "none")]
pub mod vm;
