//! The self-hosted debug registers of a vCPU that has no pCPU: breakpoints, watchpoints, the OS lock.
//!
//! They are the guest's own (MDCR_EL2.TDA = 0), as many as ID_AA64DFR0_EL1 says; MDSCR_EL1 is with EL1's other registers.

use crate::registers::{read, write};

/// Most breakpoints, and most watchpoints, that the architecture has (DDI 0487 D24.2, ID_AA64DFR0_EL1).
const MOST: usize = 16;

/// What one kind of register holds, by index.
type File = [u64; MOST];

/// DBGBVR<n>_EL1 and its likes, and the OS lock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Debug {
    break_values: File,
    break_controls: File,
    watch_values: File,
    watch_controls: File,
    /// OSLSR_EL1.OSLK.
    is_locked: bool,
}

/// How many of them this CPU has.
fn counts() -> (usize, usize) {
    let id = read!("ID_AA64DFR0_EL1");
    let count = |shift: u32| (id >> shift & 0xf) as usize;
    // BRPs and WRPs, both less one.
    (count(12).saturating_add(1), count(20).saturating_add(1))
}

/// Reads and writes the first `count` of the registers with the given name.
macro_rules! file {
    ($read:ident, $write:ident, $name:literal) => {
        file!($read, $write, $name, 0 "0", 1 "1", 2 "2", 3 "3", 4 "4", 5 "5", 6 "6", 7 "7", 8 "8", 9 "9", 10 "10", 11 "11",
            12 "12", 13 "13", 14 "14", 15 "15");
    };
    ($read:ident, $write:ident, $name:literal, $($index:literal $number:literal),*) => {
        fn $read(file: &mut File, count: usize) {
            for (index, value) in file.iter_mut().enumerate().take(count) {
                *value = match index {
                    $($index => read!(concat!($name, $number, "_EL1")),)*
                    _ => 0,
                };
            }
        }

        fn $write(file: &File, count: usize) {
            for (index, &value) in file.iter().enumerate().take(count) {
                // SAFETY: EL1's debug registers have no effect at EL2 (MDCR_EL2.TDE = 0).
                unsafe {
                    match index {
                        $($index => write!(concat!($name, $number, "_EL1"), value),)*
                        _ => {}
                    }
                }
            }
        }
    };
}

file!(read_break_values, write_break_values, "DBGBVR");
file!(read_break_controls, write_break_controls, "DBGBCR");
file!(read_watch_values, write_watch_values, "DBGWVR");
file!(read_watch_controls, write_watch_controls, "DBGWCR");

impl Debug {
    /// Out of reset: nothing enabled, the OS lock locked (DDI 0487 D24.3, OSLSR_EL1).
    pub(crate) const RESET: Debug = Debug {
        break_values: [0; MOST],
        break_controls: [0; MOST],
        watch_values: [0; MOST],
        watch_controls: [0; MOST],
        is_locked: true,
    };

    /// Takes them from this CPU.
    pub(crate) fn save(&mut self) {
        let (breakpoints, watchpoints) = counts();
        read_break_values(&mut self.break_values, breakpoints);
        read_break_controls(&mut self.break_controls, breakpoints);
        read_watch_values(&mut self.watch_values, watchpoints);
        read_watch_controls(&mut self.watch_controls, watchpoints);
        self.is_locked = read!("OSLSR_EL1") & 1 << 1 != 0;
    }

    /// Puts them into this CPU.
    pub(crate) fn load(&self) {
        let (breakpoints, watchpoints) = counts();
        write_break_values(&self.break_values, breakpoints);
        write_break_controls(&self.break_controls, breakpoints);
        write_watch_values(&self.watch_values, watchpoints);
        write_watch_controls(&self.watch_controls, watchpoints);
        // SAFETY: as for the registers.
        unsafe {
            write!("OSLAR_EL1", u64::from(self.is_locked));
            // Of no use to a guest, and writable by one: what the last vCPU left there would disable this one's breakpoints.
            write!("OSDLR_EL1", 0);
            write!("MDCCINT_EL1", 0);
        }
    }
}
