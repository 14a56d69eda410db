//! The pair of 8259A interrupt controllers of a PC (Intel 8259A datasheet), with the edge/level registers of EISA (ELCR).
//!
//! The second's output is input 2 of the first. Both are the 8086's kind: no CALL opcodes, no LTIM (ELCR says what is a
//! level).

/// Where the second is at the first.
const CASCADE: u8 = 2;
/// What a request that is gone by the time it is acknowledged becomes.
const SPURIOUS: u8 = 7;
/// ELCR's bits that exist: not of timer, keyboard, cascade; not of clock and coprocessor.
const LEVEL_BITS: [u8; 2] = [0xf8, 0xde];

/// Which word the next write at the odd port is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    Mask,
    Vector,
    Cascade,
    Mode,
}

/// One controller.
#[derive(Clone, Debug)]
struct Chip {
    /// Requests latched by edges, and lines that are high.
    latched: u8,
    lines: u8,
    /// Interrupts of the board ([`super::passed`]): waiting to be taken, taken, and over.
    waiting: u8,
    taken: u8,
    over: u8,
    in_service: u8,
    mask: u8,
    /// ELCR.
    levels: u8,
    /// Vector of input 0.
    vector: u8,
    /// The input of lowest priority.
    lowest: u8,
    expects: Expects,
    has_mode_word: bool,
    is_single: bool,
    auto_end: bool,
    rotates_auto: bool,
    special_mask: bool,
    fully_nested: bool,
    reads_in_service: bool,
    polls: bool,
}

impl Chip {
    /// As firmware leaves it: everything masked.
    const fn new(vector: u8) -> Chip {
        Chip {
            latched: 0,
            lines: 0,
            waiting: 0,
            taken: 0,
            over: 0,
            in_service: 0,
            mask: 0xff,
            levels: 0,
            vector,
            lowest: 7,
            expects: Expects::Mask,
            has_mode_word: false,
            is_single: false,
            auto_end: false,
            rotates_auto: false,
            special_mask: false,
            fully_nested: false,
            reads_in_service: false,
            polls: false,
        }
    }

    fn set_line(&mut self, input: u8, level: bool) {
        let bit = bit(input);
        if level {
            self.latched |= bit & !self.lines & !self.levels;
            self.lines |= bit;
        } else {
            self.lines &= !bit;
        }
    }

    /// IRR.
    fn requests(&self) -> u8 {
        self.latched | self.lines & self.levels | self.waiting
    }

    /// How far `input` is behind the one of highest priority: 0 to 7.
    fn rank(&self, input: u8) -> u8 {
        input.wrapping_sub(self.lowest).wrapping_sub(1) & 7
    }

    /// Of some inputs the one of highest priority.
    fn first(&self, inputs: u8) -> Option<u8> {
        let start = self.lowest.wrapping_add(1) & 7;
        let rank = inputs.rotate_right(start.into()).trailing_zeros() as u8;
        (inputs != 0).then_some(rank.wrapping_add(start) & 7)
    }

    /// The input that raises the output.
    fn output(&self) -> Option<u8> {
        let input = self.first(self.requests() & !self.mask)?;
        let mut in_service = self.in_service;
        if self.special_mask {
            in_service &= !self.mask;
        }
        // Of the second controller more may come while one is in service.
        if self.fully_nested && input == CASCADE {
            in_service &= !bit(CASCADE);
        }
        let serves = self.first(in_service).map_or(8, |input| self.rank(input));
        (self.rank(input) < serves).then_some(input)
    }

    /// INTA, or a poll: the input is taken.
    fn acknowledge(&mut self, input: u8) {
        let bit = bit(input);
        self.latched &= !bit;
        self.taken |= self.waiting & bit;
        self.waiting &= !bit;
        if !self.auto_end {
            self.in_service |= bit;
            return;
        }
        self.finish(bit);
        if self.rotates_auto {
            self.lowest = input;
        }
    }

    /// What of `inputs` was taken from the board is over.
    fn finish(&mut self, inputs: u8) {
        self.over |= self.taken & inputs;
        self.taken &= !inputs;
    }

    fn end(&mut self, input: u8, rotates: bool) {
        self.in_service &= !bit(input);
        self.finish(bit(input));
        if rotates {
            self.lowest = input;
        }
    }

    /// ELCR. What an edge has latched at a level-triggered input is forgotten.
    fn set_levels(&mut self, levels: u8) {
        self.levels = levels;
        self.latched &= !levels;
    }

    fn write_command(&mut self, value: u8) {
        if value & 0x10 != 0 {
            // ICW1: edges, what is in service and the mask are forgotten, priorities as at first.
            self.finish(u8::MAX);
            let Chip { lines, levels, vector, waiting, over, .. } = *self;
            *self = Chip { lines, levels, waiting, over, ..Chip::new(vector) };
            self.mask = 0;
            self.expects = Expects::Vector;
            self.is_single = value & 2 != 0;
            self.has_mode_word = value & 1 != 0;
        } else if value & 8 != 0 {
            // OCW3
            if value & 0x40 != 0 {
                self.special_mask = value & 0x20 != 0;
            }
            if value & 2 != 0 {
                self.reads_in_service = value & 1 != 0;
            }
            self.polls = value & 4 != 0;
        } else {
            self.write_end(value);
        }
    }

    /// OCW2: end of interrupt, rotation, priority.
    fn write_end(&mut self, value: u8) {
        let input = value & 7;
        let rotates = value & 0x80 != 0;
        match value >> 5 {
            0 | 4 => self.rotates_auto = rotates,
            1 | 5 => {
                // What is masked in special mask mode is not ended so.
                let candidates = if self.special_mask { self.in_service & !self.mask } else { self.in_service };
                if let Some(input) = self.first(candidates) {
                    self.end(input, rotates);
                }
            }
            3 | 7 => self.end(input, rotates),
            6 => self.lowest = input,
            _ => {}
        }
    }

    fn write_data(&mut self, value: u8) {
        let last = if self.has_mode_word { Expects::Mode } else { Expects::Mask };
        self.expects = match self.expects {
            Expects::Mask => {
                self.mask = value;
                Expects::Mask
            }
            Expects::Vector => {
                self.vector = value & 0xf8;
                if self.is_single { last } else { Expects::Cascade }
            }
            // How they are wired does not change.
            Expects::Cascade => last,
            Expects::Mode => {
                self.auto_end = value & 2 != 0;
                self.fully_nested = value & 0x10 != 0;
                Expects::Mask
            }
        };
    }

    /// A read at the even or odd port.
    fn read(&mut self, is_data: bool) -> u8 {
        if core::mem::take(&mut self.polls) {
            return match self.output() {
                Some(input) => {
                    self.acknowledge(input);
                    0x80 | input
                }
                None => 0,
            };
        }
        match (is_data, self.reads_in_service) {
            (true, _) => self.mask,
            (false, true) => self.in_service,
            (false, false) => self.requests(),
        }
    }
}

/// Both.
#[derive(Clone, Debug)]
pub(super) struct Pic {
    chips: [Chip; 2],
}

impl Pic {
    pub(super) const fn new() -> Pic {
        // The vectors of a PC's firmware.
        Pic { chips: [Chip::new(0x08), Chip::new(0x70)] }
    }

    /// Back to power-on. Lines keep their level.
    pub(super) fn reset(&mut self) {
        let [first, second] = &self.chips;
        let (first, second) = (first.lines, second.lines);
        *self = Pic::new();
        let [new_first, new_second] = &mut self.chips;
        new_first.lines = first;
        new_second.lines = second;
    }

    /// The level of input `line`, 0 to 15. Input 2 is not for devices.
    pub(super) fn set_line(&mut self, line: u32, level: bool) {
        let [first, second] = &mut self.chips;
        match line {
            0..8 if line != u32::from(CASCADE) => first.set_line(line as u8, level),
            8..16 => second.set_line(line as u8 & 7, level),
            _ => {}
        }
        self.cascade();
    }

    /// The board's interrupt behind input `line` was taken. One that has no input waits nowhere.
    pub(super) fn arrive(&mut self, line: u32) {
        let bits = 1_u32.checked_shl(line).unwrap_or(0) & !u32::from(bit(CASCADE));
        let [first, second] = &mut self.chips;
        first.waiting |= bits as u8;
        second.waiting |= (bits >> 8) as u8;
        self.cascade();
    }

    /// Of `lines` nothing is here any more: it came to an end at the I/O APIC.
    pub(super) fn withdraw(&mut self, lines: u32) {
        let [first, second] = &mut self.chips;
        for (chip, lines) in [(first, lines as u8), (second, (lines >> 8) as u8)] {
            chip.waiting &= !lines;
            chip.taken &= !lines;
        }
        self.cascade();
    }

    /// The board's interrupts that came to their end here since this was called.
    pub(super) fn take_over(&mut self) -> u32 {
        let [first, second] = &mut self.chips;
        let [first, second] = [first, second].map(|chip| core::mem::take(&mut chip.over));
        u32::from(first) | u32::from(second) << 8
    }

    /// The second's output is at the first's input, as a level whatever ELCR says.
    fn cascade(&mut self) {
        let [first, second] = &mut self.chips;
        let has_output = second.output().is_some();
        first.latched = if has_output { first.latched | bit(CASCADE) } else { first.latched & !bit(CASCADE) };
    }

    /// The output that CPUs see.
    pub(super) fn output(&self) -> bool {
        let [first, _] = &self.chips;
        first.output().is_some()
    }

    /// INTA: the vector.
    pub(super) fn acknowledge(&mut self) -> u8 {
        let [first, second] = &mut self.chips;
        let vector = match first.output() {
            None => first.vector | SPURIOUS,
            Some(CASCADE) => {
                first.acknowledge(CASCADE);
                // Gone: the first has it in service all the same.
                let input = second.output();
                input.into_iter().for_each(|input| second.acknowledge(input));
                second.vector | input.unwrap_or(SPURIOUS)
            }
            Some(input) => {
                first.acknowledge(input);
                first.vector | input
            }
        };
        self.cascade();
        vector
    }

    /// A load of a byte at `offset` of the ports 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, one after the other.
    pub(super) fn read(&mut self, offset: u64) -> u8 {
        let [first, second] = &mut self.chips;
        let value = match offset {
            0 | 1 => first.read(offset == 1),
            2 | 3 => second.read(offset == 3),
            4 => first.levels,
            5 => second.levels,
            _ => 0xff,
        };
        self.cascade();
        value
    }

    /// A store of a byte there.
    pub(super) fn write(&mut self, offset: u64, value: u8) {
        let [first, second] = &mut self.chips;
        let [first_levels, second_levels] = LEVEL_BITS;
        match offset {
            0 => first.write_command(value),
            1 => first.write_data(value),
            2 => second.write_command(value),
            3 => second.write_data(value),
            4 => first.set_levels(value & first_levels),
            5 => second.set_levels(value & second_levels),
            _ => {}
        }
        self.cascade();
    }
}

const fn bit(input: u8) -> u8 {
    1_u8.wrapping_shl(input as u32)
}
