//! KVM's paravirtual clock and stolen time: that the records say what the counter says, and that nobody is told where no record can be.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};
use guest_runtime::cpu::{Leaf, cpuid, read_msr, write_msr};
use guest_runtime::{Verdict, attempt, say, timer};

const WALL_CLOCK: u32 = 0x4b56_4d00;
const SYSTEM_TIME: u32 = 0x4b56_4d01;
const STEAL_TIME: u32 = 0x4b56_4d03;
const TSC_ADJUST: u32 = 0x3b;
/// CPUID 0x4000_0101, EAX: the clock, stolen time, and that the clock is the same on all vCPUs.
const FEATURES: u32 = 1 << 3 | 1 << 5 | 1 << 24;
/// Of the clock's record, in its last word: that it is.
const STABLE: u32 = 1 << 8;
/// A guest has no memory there.
const NOWHERE: u64 = 1 << 38;

/// As large as the largest of the records.
#[repr(C, align(64))]
struct Record([AtomicU32; 16]);

static RECORD: Record = Record([const { AtomicU32::new(0) }; 16]);

impl Record {
    /// Memory lies where it seems to.
    fn address(&self) -> u64 {
        (&raw const *self) as u64
    }

    /// What is in it once it is whole; it is filled with ones before. `version` is the word that says so.
    fn after<const N: usize>(&self, version: usize, register: u32, value: u64) -> Result<[u32; N], &'static str> {
        self.0.iter().for_each(|word| word.store(u32::MAX, Relaxed));
        write_msr(register, value);
        if read_msr(register) != value {
            return Err("a register of the paravirtual clock does not read as it was written");
        }
        let words = core::array::from_fn(|index| self.0[index].load(Relaxed));
        if words[version] == 0 || words[version] & 1 != 0 {
            return Err("a record of the paravirtual clock is not whole");
        }
        if self.0[N..].iter().any(|word| word.load(Relaxed) != u32::MAX) {
            return Err("the paravirtual clock writes beyond its record");
        }
        Ok(words)
    }
}

fn wide(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Nanoseconds by the clock's record (Linux, arch/x86/include/asm/pvclock.h).
fn nanoseconds(record: &[u32; 8], time_stamp: u64) -> u64 {
    let [_, _, low, high, time_low, time_high, multiplier, format] = *record;
    let delta = time_stamp.wrapping_sub(wide(low, high));
    let shift = format as u8 as i8;
    let shifted = if shift < 0 { delta >> shift.unsigned_abs() } else { delta << shift };
    wide(time_low, time_high) + ((u128::from(shifted) * u128::from(multiplier)) >> 32) as u64
}

/// All of it, where CPUID has it.
pub(super) fn test() -> Verdict {
    let Leaf { eax: last, ebx, ecx, edx } = cpuid(0x4000_0100, 0);
    if [ebx, ecx, edx] != [*b"KVMK", *b"VMKV", *b"M\0\0\0"].map(u32::from_le_bytes) {
        return Ok(());
    }
    if last < 0x4000_0101 || cpuid(0x4000_0101, 0).eax & FEATURES != FEATURES {
        return Err("KVM's signature without its clock");
    }
    // A deadline would come when the counter is set ahead.
    timer::stop();
    let verdict = clock();
    timer::start(10);
    verdict?;
    let at = RECORD.address();
    let [_, seconds, rest] = RECORD.after(0, WALL_CLOCK, at)?;
    if rest >= 1_000_000_000 {
        return Err("a time of day with more than a second of nanoseconds");
    }
    let [low, high, _, flags, preempted] = RECORD.after(2, STEAL_TIME, at | 1)?;
    if wide(low, high) > timer::now() || flags | preempted != 0 {
        return Err("more time was stolen than there was");
    }
    refusals(at)?;
    write_msr(STEAL_TIME, 0);
    say!("the paravirtual clock agrees, and began {seconds} s after 1970");
    Ok(())
}

/// The clock against the counter, also when that is set.
fn clock() -> Verdict {
    let at = RECORD.address() | 1;
    let record = RECORD.after(0, SYSTEM_TIME, at)?;
    if record[7] & STABLE == 0 {
        return Err("the paravirtual clock is not the same on all vCPUs");
    }
    let time_stamp = timer::now();
    let by_counter = (u128::from(time_stamp) * 1_000_000_000 / u128::from(timer::frequency())) as u64;
    if nanoseconds(&record, time_stamp).abs_diff(by_counter) > by_counter / 100_000 + 1000 {
        return Err("the paravirtual clock and the counter do not agree");
    }
    let before = read_msr(TSC_ADJUST);
    write_msr(TSC_ADJUST, before.wrapping_add(1 << 40));
    let moved = core::array::from_fn(|index| RECORD.0[index].load(Relaxed));
    let (old, new) = (nanoseconds(&record, time_stamp), nanoseconds(&moved, timer::now()));
    write_msr(TSC_ADJUST, before);
    // 2^40 ticks are minutes.
    if moved[0] <= record[0] || new < old || new - old > 60_000_000_000 {
        return Err("the paravirtual clock does not follow the counter when that is set");
    }
    write_msr(SYSTEM_TIME, 0);
    Ok(())
}

/// Records that cannot be.
fn refusals(at: u64) -> Verdict {
    let refused = [
        (WALL_CLOCK, at | 2),
        (WALL_CLOCK, NOWHERE),
        (SYSTEM_TIME, at | 3),
        (SYSTEM_TIME, NOWHERE | 1),
        (SYSTEM_TIME, !3 | 1),
        (STEAL_TIME, at | 0x21),
        (STEAL_TIME, NOWHERE | 1),
    ];
    for (register, value) in refused {
        let (low, high) = (value as u32, (value >> 32) as u32);
        let taken = attempt!("wrmsr", in("ecx") register, in("eax") low, in("edx") high);
        if !taken.is_err_and(|it| it.is_protection()) {
            say!("{register:#x}, {value:#x}");
            return Err("a record of the paravirtual clock that cannot be is not refused");
        }
    }
    Ok(())
}
