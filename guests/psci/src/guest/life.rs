//! A vCPU's life, twice: off, on, off. In the first it leaves traces everywhere; the second must not find any.

use super::expect;
use super::functions::CPU_ON_32;
use super::probe::{self, Record};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use guest_runtime::psci::{self, function::*, status::*};
use guest_runtime::system_register::barrier;
use guest_runtime::wait::{spin_for, wait_for};
use guest_runtime::{Verdict, say, timer, write_register};

/// One for each life.
static RECORDS: [Record; 2] = [const { Record::new() }; 2];
/// The vCPU has come so often; it stores.
static LIVES: AtomicU64 = AtomicU64::new(0);
/// It is to go; the first vCPU stores.
static GO: AtomicBool = AtomicBool::new(false);

/// Tests the second vCPU, which is off.
pub(super) fn test(second: u64) -> Verdict {
    for (life, (record, function)) in (1..).zip(RECORDS.iter().zip([CPU_ON, CPU_ON_32])) {
        expect(psci::affinity_info(second), psci::OFF, "AFFINITY_INFO of a vCPU that is off")?;
        GO.store(false, Relaxed);
        barrier();
        let on = || psci::call(function, [second, probe::entry(), record.context()]);
        expect(on(), SUCCESS, "CPU_ON of a vCPU that is off")?;
        if !matches!(on(), ALREADY_ON | ON_PENDING) {
            return Err("CPU_ON of a vCPU that is on or about to be");
        }
        wait_for("a vCPU did not come", || LIVES.load(Relaxed) == life)?;
        expect(psci::affinity_info(second), psci::ON, "AFFINITY_INFO of a vCPU that runs")?;
        expect(on(), ALREADY_ON, "CPU_ON of a vCPU that runs")?;
        record.check()?;
        GO.store(true, Relaxed);
        wait_for("a vCPU did not go off", || psci::affinity_info(second) == psci::OFF)?;
    }
    say!("a vCPU came, went and came again as new");
    Ok(())
}

/// The second vCPU: leaves traces in registers, and a timer that is about to fire.
pub(super) fn live() {
    LIVES.store(LIVES.load(Relaxed) + 1, Relaxed);
    // Without an end to patience it would stay for ever, which the first vCPU finds.
    let _ = spin_for("", || GO.load(Relaxed));
    write_register!("ttbr0_el1", 0x1000);
    write_register!("ttbr1_el1", 0x2000);
    write_register!("tcr_el1", 25 | 25 << 16);
    write_register!("mair_el1", 0xff);
    write_register!("tpidr_el0", 1);
    write_register!("tpidrro_el0", 2);
    write_register!("tpidr_el1", 3);
    write_register!("cntkctl_el1", 3);
    write_register!("sp_el0", 4);
    write_register!("elr_el1", 8);
    for timer in [|value| write_register!("cntv_cval_el0", value), |value| write_register!("cntp_cval_el0", value)] {
        timer(timer::now() + 1000);
    }
    write_register!("cntv_ctl_el0", 1);
    write_register!("cntp_ctl_el0", 1);
}
