//! Channel 0 of the 8254, which interrupts (Intel 8254).

use super::cpu::{in8, out8};

/// The clock of all its channels.
pub const FREQUENCY: u64 = 1_193_182;
const CHANNEL_0: u16 = 0x40;
const CONTROL: u16 = 0x43;

/// Whether there is one: the read-back command's status of channel 0 shows the mode that was set.
pub fn is_there() -> bool {
    out8(CONTROL, 0x30);
    out8(CONTROL, 0xe2);
    // Mode 0, both bytes; output and null count aside.
    in8(CHANNEL_0) & 0x3f == 0x30
}

/// Channel 0 interrupts `frequency` times a second (mode 2); gives the clocks between two.
pub fn start(frequency: u64) -> u64 {
    let clocks = (FREQUENCY / frequency).clamp(2, 0xffff);
    out8(CONTROL, 0x34);
    load(CHANNEL_0, clocks as u16);
    clocks
}

/// Channel 0's line goes high once, after so many clocks (mode 0).
pub fn alarm(clocks: u16) {
    out8(CONTROL, 0x30);
    load(CHANNEL_0, clocks);
}

/// Channel 0 counts down from 0xffff and over again.
pub fn run_free() {
    out8(CONTROL, 0x34);
    load(CHANNEL_0, 0);
}

/// Channel 0's count, latched.
pub fn count() -> u16 {
    out8(CONTROL, 0x00);
    u16::from_le_bytes([in8(CHANNEL_0), in8(CHANNEL_0)])
}

/// Channel 0 stops: mode 0, without a count.
pub fn stop() {
    out8(CONTROL, 0x30);
}

fn load(channel: u16, count: u16) {
    let [low, high] = count.to_le_bytes();
    out8(channel, low);
    out8(channel, high);
}
