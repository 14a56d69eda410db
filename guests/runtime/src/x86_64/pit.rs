//! The 8254's channel 0, which interrupts, and channel 2, whose output port 0x61 shows (Intel 8254; PC's system control port B).

use super::cpu::{in8, out8};

/// The clock of all its channels.
pub const FREQUENCY: u64 = 1_193_182;
const CHANNEL_0: u16 = 0x40;
const CHANNEL_2: u16 = 0x42;
const CONTROL: u16 = 0x43;
const PORT_B: u16 = 0x61;
/// Port B: channel 2's gate, the speaker, channel 2's output.
const GATE: u8 = 1;
const SPEAKER: u8 = 1 << 1;
const OUTPUT: u8 = 1 << 5;

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

/// Channel 0 stops: mode 0, without a count.
pub fn stop() {
    out8(CONTROL, 0x30);
}

/// Waits for so many clocks by channel 2; calls `begin` when they begin and `end` when they are over. False if it did not move.
pub fn measure(clocks: u16, begin: impl FnOnce(), end: impl FnOnce()) -> bool {
    let others = in8(PORT_B) & !(GATE | SPEAKER);
    out8(PORT_B, others);
    // Mode 0 counts while the gate is open; its output is low from here on until the count is over.
    out8(CONTROL, 0xb0);
    load(CHANNEL_2, clocks);
    out8(PORT_B, others | GATE);
    begin();
    let mut patience = 100_000_000_u32;
    while in8(PORT_B) & OUTPUT == 0 && patience > 0 {
        patience -= 1;
    }
    end();
    patience > 0
}

fn load(channel: u16, count: u16) {
    let [low, high] = count.to_le_bytes();
    out8(channel, low);
    out8(channel, high);
}
