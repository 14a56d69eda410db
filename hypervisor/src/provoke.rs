//! Failures on demand, for the tests of what happens then. Only with the feature `provoke`, which no normal image has.

use core::hint::black_box;

/// An address that nothing is mapped at: below the stacks.
const NOWHERE: usize = 0x4040_0000_0000;

/// Makes the hypervisor fail as `key` says; does nothing for any other key.
pub fn typed(key: u8) {
    match key {
        b'P' => panics(),
        b'R' => reads_nowhere(),
        b'X' => executes_data(),
        b'U' => executes_nonsense(),
        b'O' => drop(black_box(overflows(0))),
        b'L' => fails_while_telling(),
        _ => {}
    }
}

#[inline(never)]
#[expect(clippy::panic, reason = "what it is for")]
fn panics() {
    panic!("provoked");
}

#[inline(never)]
fn reads_nowhere() {
    // SAFETY: the exception is what it is for; nothing follows.
    black_box(unsafe { core::ptr::with_exposed_provenance::<u64>(NOWHERE).read_volatile() });
}

#[inline(never)]
fn executes_data() {
    static DATA: [u32; 1] = [0xd65f_03c0];
    // SAFETY: constants are never executable: the exception is what it is for.
    let data: extern "C" fn() = unsafe { core::mem::transmute(&raw const DATA) };
    data();
}

#[inline(never)]
fn executes_nonsense() {
    arch::cpu::execute_nonsense();
}

#[inline(never)]
#[expect(unconditional_recursion, reason = "what it is for")]
fn overflows(depth: u64) -> u64 {
    let frame = black_box([depth; 32]);
    // Not a tail call: the frame is used afterwards.
    overflows(depth.wrapping_add(1)).wrapping_add(frame.first().copied().unwrap_or(0))
}

/// A panic whose message fails in turn.
#[inline(never)]
#[expect(clippy::panic, reason = "what it is for")]
fn fails_while_telling() {
    struct Fails;
    impl core::fmt::Display for Fails {
        fn fmt(&self, _: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            reads_nowhere();
            Ok(())
        }
    }
    panic!("{Fails}");
}
