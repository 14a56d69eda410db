//! The block itself: taken down once, told line by line.

use core::fmt;

use arch::Vcpu;
use arch::dump::State;
use arch::recorder::{Record, Recorder};
use model::StopReason;

use super::calls::{CALLS, calls};
use super::owners::Place;
use crate::direct::load_from_guest;
use crate::log;
use crate::terminal;
use crate::vm::Vm;

/// Most exits that are told.
const EXITS: usize = 64;
/// Bytes of the longest line: it is told when the console has room for it.
const LINE_BYTES: usize = 160;

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more to tell.
    Told,
    /// The console has no room: try again later.
    Full,
    /// All is told.
    Done,
}

/// All that is known of a failure.
pub struct Report {
    vm: &'static Vm,
    reason: StopReason,
    vcpu: u32,
    /// The physical counter.
    now: u64,
    state: State,
    calls: [u64; CALLS],
    /// The newest first; of other VMs there are none.
    exits: [Option<Record>; EXITS],
    /// The next line to tell.
    line: usize,
}

impl Report {
    /// Takes down what `vcpu` of `vm`, which is loaded, was doing when the VM failed for `reason`.
    pub fn of(vm: &'static Vm, vcpu: &Vcpu, reason: StopReason, recorder: &Recorder) -> Report {
        let word = |address: u64| {
            let hpa = vcpu.translate(address).filter(|hpa| hpa.0.is_multiple_of(8))?;
            let is_own = vm.extents.iter().any(|extent| hpa.0.wrapping_sub(extent.hpa.0) < extent.size_bytes);
            // SAFETY: an aligned word in memory of this VM's own, by the list of it.
            is_own.then(|| unsafe { load_from_guest(hpa) })
        };
        let mut report = Report {
            vm,
            reason,
            vcpu: vcpu.index(),
            now: arch::cpu::counter(),
            state: State::of(vcpu, word),
            calls: [0; CALLS],
            exits: [None; EXITS],
            line: 0,
        };
        report.calls.iter_mut().zip(calls(report.state.frame(), word)).for_each(|(call, to)| *call = to);
        let own = recorder.records().filter(|record| record.tag.is_of_same_vm(vcpu.tag()));
        report.exits.iter_mut().zip(own).for_each(|(exit, record)| *exit = Some(record));
        report
    }

    /// Tells the next line, if the console has room for it.
    pub fn step(&mut self) -> Step {
        if !terminal::has_room(LINE_BYTES) {
            terminal::pump();
            return Step::Full;
        }
        let line = self.line;
        self.line = line.saturating_add(1);
        if self.tell(line) { Step::Told } else { Step::Done }
    }

    /// Tells line `line`; false if there is none.
    fn tell(&self, line: usize) -> bool {
        let Report { vm, state, .. } = self;
        let name = vm.config.name;
        let Some(line) = line.checked_sub(1) else {
            log::info!("{name}: failed: {}; vCPU {}:", self.reason, self.vcpu);
            return true;
        };
        if let Some(text) = state.line(line) {
            log::info!("{name}: {text}");
            return true;
        }
        match line.saturating_sub(State::LINES) {
            0 => {
                if let Some(gpa) = self.fault() {
                    log::info!("{name}: {}", Place { vm: vm.config, gpa });
                }
            }
            1 => {
                let mut known = self.calls.iter().take_while(|&&to| to != 0).peekable();
                if known.peek().is_some() {
                    let calls = fmt::from_fn(|f| known.clone().try_for_each(|to| write!(f, " {to:#x}")));
                    log::info!("{name}: called from{calls}");
                }
            }
            2 => log::info!("{name}: last exits, the newest first:"),
            rest => {
                let exit = self.exits.get(rest.saturating_sub(3)).copied().flatten();
                let Some(exit) = exit else { return false };
                self.exit(name, &exit);
            }
        }
        true
    }

    fn exit(&self, name: &str, exit: &Record) {
        let ticks = self.now.saturating_sub(exit.time);
        let us = ticks.saturating_mul(1_000_000).checked_div(arch::cpu::counter_hz()).unwrap_or(0);
        let vcpu = exit.tag.vcpu();
        match exit.gpa().and_then(|gpa| Place { vm: self.vm.config, gpa }.owner()) {
            Some(owner) => log::info!("{name}: -{us} us vCPU {vcpu} {exit} ({owner})"),
            None => log::info!("{name}: -{us} us vCPU {vcpu} {exit}"),
        }
    }

    /// The address that the vCPU was stopped at, if it was by its last exit.
    fn fault(&self) -> Option<u64> {
        let StopReason::Unsupported { .. } = self.reason else { return None };
        let last = self.exits.iter().flatten().find(|exit| exit.tag.vcpu() == self.vcpu)?;
        last.gpa()
    }
}
