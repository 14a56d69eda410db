//! How fast the time-stamp counter counts, found out once at boot: as the CPU says, or measured against a clock of known speed.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::board::PmTimer;
use crate::cpu::counter;
use crate::registers::{cpuid, read_port, write_port};

/// Ticks of the counter in a second; zero before [`calibrate`].
static HZ: AtomicU64 = AtomicU64::new(0);

/// A measurement takes this part of a second.
const PART: u64 = 20;
/// Tries to read both clocks at one moment.
const TRIES: u32 = 8;
/// Looks at a clock before it is given up: it stands still.
const PATIENCE: u32 = 50_000_000;

/// Ticks of the counter in a second; zero before [`calibrate`].
#[inline]
pub fn hz() -> u64 {
    HZ.load(Ordering::Relaxed)
}

/// Finds out how fast the counter counts. False if there is no way to. Never inlined: a profile of the boot leaves out by its name what
/// waits for a clock (`xtask/src/bench/profile.rs`).
#[inline(never)]
pub fn calibrate(timer: Option<PmTimer>) -> bool {
    let measured = || timer.and_then(by_pm_timer).or_else(by_8254);
    let found = told().or_else(measured).filter(|&hz| hz != 0);
    HZ.store(found.unwrap_or(0), Ordering::Relaxed);
    found.is_some()
}

/// As the CPU tells: its crystal and the ratio to it (SDM volume 2, CPUID leaf 15H), or what a hypervisor below us has in leaf
/// 0x40000010, in kHz.
fn told() -> Option<u64> {
    let [denominator, numerator, crystal_hz, _] = cpuid(0x15, 0);
    let hz = u64::from(crystal_hz).checked_mul(u64::from(numerator))?.checked_div(u64::from(denominator));
    if let Some(hz) = hz.filter(|&hz| hz != 0) {
        return Some(hz);
    }
    let [khz, ..] = if is_guest() { cpuid(0x4000_0010, 0) } else { [0; 4] };
    (khz != 0).then(|| u64::from(khz).saturating_mul(1000))
}

/// Whether there is a hypervisor below us (APM volume 3, CPUID Fn0000_0001 ECX, bit 31).
fn is_guest() -> bool {
    cpuid(1, 0)[2] & 1 << 31 != 0
}

/// What a clock shows, and the counter at that moment: of several tries the one that took least time.
fn moment(clock: impl Fn() -> u32) -> (u64, u32) {
    let mut best = (0, 0, u64::MAX);
    for _ in 0..TRIES {
        let before = counter();
        let shown = clock();
        let took = counter().wrapping_sub(before);
        if took < best.2 {
            best = (before.wrapping_add(took / 2), shown, took);
        }
    }
    (best.0, best.1)
}

/// Against the ACPI power management timer.
fn by_pm_timer(timer: PmTimer) -> Option<u64> {
    let clock = || read_port::<u32>(timer.port);
    let passed = |from: u32| clock().wrapping_sub(from) & timer.mask();
    let (start, shown) = moment(clock);
    let least = (PmTimer::HZ / PART) as u32;
    (0..PATIENCE).find(|_| passed(shown) >= least)?;
    let (end, then) = moment(clock);
    let ticks = u64::from(then.wrapping_sub(shown) & timer.mask());
    end.wrapping_sub(start).checked_mul(PmTimer::HZ)?.checked_div(ticks)
}

/// Against channel 2 of the 8254, whose output can be seen at port 0x61 (Intel 8254, mode 0).
fn by_8254() -> Option<u64> {
    const HZ: u64 = 1_193_182;
    const COUNT: u64 = HZ / PART;
    // SAFETY: a PC's interval timer, which nobody else uses, and the gate and mute bits of its channel 2.
    let start = unsafe {
        write_port(0x61, read_port::<u8>(0x61) & !0b10 | 0b01);
        write_port(0x43, 0b1011_0000_u8);
        write_port(0x42, COUNT as u8);
        write_port(0x42, (COUNT >> 8) as u8);
        counter()
    };
    (0..PATIENCE).find(|_| read_port::<u8>(0x61) & 1 << 5 != 0)?;
    counter().wrapping_sub(start).checked_mul(PART)
}
