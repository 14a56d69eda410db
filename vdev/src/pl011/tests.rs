//! The PL011 by its manual, against a reference model, and as Linux drives it.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

const FEN: u64 = LCR_FEN as u64;
const ON: u64 = (CR_UARTEN | CR_TXE | CR_RXE) as u64;
const ALL: u64 = INT_ALL as u64;

/// A word-wide view of the registers, as a driver has it.
struct Driver<'a>(Pl011<'a>);

impl Driver<'_> {
    fn get(&mut self, offset: u64) -> u64 {
        self.0.read(offset, Width::Word)
    }

    fn put(&mut self, offset: u64, value: u64) {
        self.0.write(offset, Width::Word, value);
    }

    fn flag(&mut self, bit: u16) -> bool {
        self.get(FR) & u64::from(bit) != 0
    }

    fn raw(&mut self, bit: u16) -> bool {
        self.get(RIS) & u64::from(bit) != 0
    }

    /// Types on the terminal.
    fn arrive(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0.endpoint.unwrap().input.push(byte);
        }
        self.0.poll();
    }

    /// Reads characters until the FIFO is empty.
    fn drain(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while !self.flag(FR_RXFE) {
            bytes.push(self.get(DR) as u8);
        }
        bytes
    }
}

fn uart(endpoint: &Endpoint, line_control: u64) -> Driver<'_> {
    let mut uart = Driver(Pl011::new(Some(endpoint)));
    uart.put(LCR_H, line_control);
    uart.put(CR, ON);
    uart
}

fn printed(endpoint: &Endpoint) -> Vec<u8> {
    std::iter::from_fn(|| endpoint.output.pop()).collect()
}

#[test]
fn registers_have_their_reset_values() {
    let mut uart = Driver(Pl011::new(None));
    for (offset, value) in [(DR, 0), (RSR_ECR, 0), (LCR_H, 0), (CR, 0x300), (IFLS, 0x12), (IMSC, 0), (RIS, 0)] {
        assert_eq!(uart.get(offset), value, "{offset:#x}");
    }
    assert_eq!(uart.get(FR), u64::from(FR_TXFE | FR_RXFE | FR_CTS | FR_DSR | FR_DCD));
    assert!(!uart.0.line());
}

#[test]
fn registers_keep_the_bits_that_they_have() {
    let mut uart = Driver(Pl011::new(None));
    let kept = [
        (ILPR, 0xff),
        (IBRD, 0xffff),
        (FBRD, 0x3f),
        (LCR_H, 0xff),
        (CR, 0xff87),
        (IFLS, 0x3f),
        (IMSC, 0x7ff),
        (DMACR, 7),
    ];
    for (offset, bits) in kept {
        uart.put(offset, 0xffff_ffff);
        assert_eq!(uart.get(offset), bits, "{offset:#x}");
        // The other byte stays when one byte is stored.
        uart.0.write(offset, Width::Byte, 0);
        assert_eq!(uart.get(offset), bits & 0xff00, "{offset:#x}");
        uart.0.write(offset, Width::Half, 0);
        assert_eq!(uart.get(offset), 0, "{offset:#x}");
    }
    for read_only in [FR, RIS, MIS, PERIPH_ID0] {
        let before = uart.get(read_only);
        uart.put(read_only, !before);
        assert_eq!(uart.get(read_only), before);
    }
}

#[test]
fn identification_is_that_of_r1p5() {
    let mut uart = Driver(Pl011::new(None));
    let id: Vec<u64> = (0..8).map(|index| uart.get(0xfe0 + 4 * index)).collect();
    assert_eq!(id, [0x11, 0x10, 0x34, 0x00, 0x0d, 0xf0, 0x05, 0xb1]);
}

#[test]
fn what_is_not_there_reads_as_zero_and_ignores_stores() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FEN);
    uart.arrive(b"x");
    for offset in [0x001, 0x002, 0x008, 0x014, 0x01c, 0x04c, 0x080, 0xfdc, 0xfe1, 0x1000, u64::MAX] {
        for width in [Width::Byte, Width::Half, Width::Word, Width::Double] {
            assert_eq!(uart.0.read(offset, width), 0, "{offset:#x}");
            uart.0.write(offset, width, u64::MAX);
        }
    }
    uart.0.write(DR, Width::Double, 0x41);
    assert_eq!(uart.0.read(DR, Width::Double), 0);
    assert!(printed(&endpoint).is_empty());
    assert_eq!(uart.drain(), b"x");
}

#[test]
fn narrow_loads_give_narrow_values() {
    let mut uart = Driver(Pl011::new(None));
    uart.put(CR, 0xff87);
    assert_eq!(uart.0.read(CR, Width::Byte), 0x87);
    assert_eq!(uart.0.read(CR, Width::Half), 0xff87);
}

#[test]
fn earlycon_prints_on_a_uart_that_nobody_enabled() {
    let endpoint = Endpoint::new();
    let mut uart = Driver(Pl011::new(Some(&endpoint)));
    for &byte in b"early" {
        assert!(!uart.flag(FR_TXFF));
        uart.0.write(DR, Width::Byte, byte.into());
        assert!(!uart.flag(FR_BUSY));
    }
    assert_eq!(printed(&endpoint), b"early");
}

#[test]
fn without_an_endpoint_output_vanishes_and_the_driver_goes_on() {
    let mut uart = Driver(Pl011::new(None));
    for _ in 0..10_000 {
        assert!(!uart.flag(FR_TXFF | FR_BUSY));
        uart.put(DR, 0x41);
    }
    assert!(uart.raw(INT_TX));
    uart.0.poll();
    assert!(uart.flag(FR_RXFE));
}

#[test]
fn the_transmit_interrupt_follows_every_character_until_it_is_cleared() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FEN);
    uart.put(IMSC, INT_TX.into());
    assert!(!uart.0.line(), "an idle transmitter has not moved through its level");
    uart.put(DR, 0x41);
    assert!(uart.0.line());
    uart.put(ICR, INT_TX.into());
    assert!(!uart.0.line());
    uart.put(DR, 0x42);
    assert!(uart.0.line());
    uart.put(IMSC, 0);
    assert!(!uart.0.line() && uart.raw(INT_TX));
}

#[test]
fn a_slow_mux_shows_as_a_full_fifo() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FEN);
    let mut written = 0;
    while !uart.flag(FR_TXFF) {
        uart.put(DR, 0x41);
        written += 1;
    }
    assert_eq!(written, 4096);
    assert!(uart.flag(FR_BUSY) && !uart.flag(FR_TXFE) && !uart.raw(INT_TX));
    uart.put(DR, 0x42);
    assert_eq!(endpoint.output.dropped(), 1, "a driver that ignores the flag loses its character");

    // At the default level of one half the interrupt comes when 16 of the 32 places are free.
    for free in 1..=32 {
        endpoint.output.pop();
        if endpoint.take_waiting() {
            uart.0.poll();
        }
        assert!(!uart.flag(FR_TXFF));
        assert_eq!(uart.raw(INT_TX), free >= 16, "{free} places free");
    }
    assert!(uart.flag(FR_TXFE) && !uart.flag(FR_BUSY));
    // Once, not at every poll.
    assert!(!endpoint.take_waiting());
    uart.put(ICR, ALL);
    uart.0.poll();
    assert!(!uart.raw(INT_TX));
}

#[test]
fn the_transmit_level_is_programmable() {
    for (select, free) in [(0, 28), (1, 24), (2, 16), (3, 8), (4, 4)] {
        let endpoint = Endpoint::new();
        let mut uart = uart(&endpoint, FEN);
        uart.put(IFLS, select);
        while !uart.flag(FR_TXFF) {
            uart.put(DR, 0x41);
        }
        let needed = (0..=32)
            .find(|_| {
                let raised = uart.raw(INT_TX);
                endpoint.output.pop();
                uart.0.poll();
                raised
            })
            .unwrap();
        assert_eq!(needed, free, "level {select}");
    }
}

#[test]
fn the_receive_interrupt_is_raised_at_the_level_and_the_time_out_below() {
    for (select, level) in [(0, 4), (1, 8), (2, 16), (3, 24), (4, 28)] {
        let endpoint = Endpoint::new();
        let mut uart = uart(&endpoint, FEN);
        uart.put(IFLS, select << 3);
        for count in 1..=32 {
            uart.arrive(b"x");
            assert_eq!(uart.raw(INT_RX), count >= level, "{count} at level {select}");
            assert!(uart.raw(INT_RT));
        }
        assert!(uart.flag(FR_RXFF));
        for left in (0..32).rev() {
            uart.get(DR);
            assert_eq!(uart.raw(INT_RX), left >= level);
            assert_eq!(uart.raw(INT_RT), left > 0);
        }
    }
}

#[test]
fn cleared_receive_interrupts_come_back_with_the_next_character() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FEN);
    uart.put(IMSC, (INT_RX | INT_RT).into());
    uart.arrive(b"a");
    assert!(uart.0.line());
    uart.put(ICR, (INT_RX | INT_RT).into());
    assert!(!uart.0.line());
    uart.arrive(b"b");
    assert!(uart.0.line());
    assert_eq!(uart.drain(), b"ab");
    assert!(!uart.0.line());
}

#[test]
fn without_fifos_a_character_waits_for_the_one_before() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, 0);
    uart.arrive(b"abc");
    for &expected in b"abc" {
        assert!(uart.flag(FR_RXFF) && uart.raw(INT_RX) && uart.raw(INT_RT));
        assert_eq!(uart.get(DR), expected.into());
    }
    assert!(uart.flag(FR_RXFE) && !uart.raw(INT_RX) && !uart.raw(INT_RT));
}

#[test]
fn no_input_is_lost_however_long() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FEN);
    let typed: Vec<u8> = (0..1000).map(|number| number as u8).collect();
    uart.arrive(&typed);
    assert_eq!(uart.drain(), typed);
    assert!(!uart.raw(INT_OE));
}

#[test]
fn input_waits_for_the_receiver() {
    let endpoint = Endpoint::new();
    let mut uart = Driver(Pl011::new(Some(&endpoint)));
    uart.arrive(b"x");
    uart.put(CR, u64::from(CR_UARTEN | CR_TXE));
    assert!(uart.flag(FR_RXFE));
    uart.put(CR, ON);
    assert_eq!(uart.drain(), b"x");
}

#[test]
fn input_that_the_ring_refused_is_an_overrun() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FEN);
    uart.put(IMSC, INT_OE.into());
    uart.arrive(&[0x41; 1025]);
    assert!(uart.0.line());
    assert_eq!(uart.get(DR), 0x841, "the error comes with the next character");
    assert_eq!(uart.get(DR), 0x41);
    assert_eq!(uart.get(RSR_ECR), 8);
    uart.put(RSR_ECR, 0);
    assert_eq!(uart.get(RSR_ECR), 0);
    uart.put(ICR, INT_OE.into());
    uart.0.poll();
    assert!(!uart.0.line());
}

#[test]
fn turning_fifos_on_or_off_empties_them() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FEN);
    uart.arrive(b"abc");
    uart.put(LCR_H, 0x70);
    assert_eq!(uart.get(DR), 0x61, "other bits do not");
    uart.put(LCR_H, 0x60);
    assert!(uart.flag(FR_RXFE) && !uart.raw(INT_RX) && !uart.raw(INT_RT));
    uart.arrive(b"d");
    uart.put(LCR_H, 0x70);
    assert!(uart.flag(FR_RXFE));
}

#[test]
fn loopback_returns_characters_and_modem_lines() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FEN);
    uart.put(CR, ON | u64::from(CR_LBE | CR_RTS | CR_OUT2));
    assert_eq!(uart.get(FR) & 0x107, u64::from(FR_CTS | FR_RI));
    assert_eq!(uart.get(RIS), u64::from(INT_RI | INT_DCD | INT_DSR));
    uart.arrive(b"outside");
    for &byte in b"inside" {
        uart.put(DR, byte.into());
    }
    assert_eq!(uart.drain(), b"inside");
    for number in 0..33 {
        uart.put(DR, number);
    }
    assert!(uart.raw(INT_OE));
    assert_eq!(uart.get(DR), 0x800);
    assert_eq!(uart.drain(), (1..32).collect::<Vec<u8>>());
    assert!(printed(&endpoint).is_empty());
    uart.put(CR, ON);
    assert_eq!(uart.drain(), b"outside");
}

#[test]
fn reset_forgets_everything_but_the_endpoint() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FEN);
    uart.put(IMSC, ALL);
    uart.arrive(&[0x41; 1025]);
    uart.put(DR, 0x41);
    uart.0.reset();
    assert!(!uart.0.line());
    assert_eq!((uart.get(CR), uart.get(IMSC), uart.get(RIS), uart.get(RSR_ECR)), (0x300, 0, 0, 0));
    assert!(uart.flag(FR_RXFE));
    uart.put(CR, ON);
    assert!(!uart.raw(INT_OE), "an overrun from before the reset is over");
    uart.put(DR, 0x42);
    assert_eq!(printed(&endpoint), b"AB");
}

#[test]
fn a_quiesced_uart_touches_nothing_outside() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FEN);
    uart.put(IMSC, ALL);
    uart.0.quiesce();
    uart.arrive(b"x");
    uart.put(DR, 0x41);
    uart.put(IMSC, ALL);
    assert!(!uart.0.line());
    assert!(printed(&endpoint).is_empty() && uart.flag(FR_RXFE) && endpoint.input.len() == 1);
    uart.0.reset();
    uart.put(CR, ON);
    assert_eq!(uart.drain(), b"x");
}

/// What Linux does (drivers/tty/serial/amba-pl011.c): probe, `pl011_startup`, output by `start_tx` and interrupts,
/// input by the interrupt handler.
#[test]
fn linux_drives_it() {
    let endpoint = Endpoint::new();
    let mut uart = Driver(Pl011::new(Some(&endpoint)));

    // amba_read_periphid, and the FIFO's size by revision in get_fifosize_arm.
    let id = (0..4).fold(0, |id, index| id | uart.get(0xfe0 + 4 * index) << (8 * index));
    assert_eq!(id & 0x000f_ffff, 0x0004_1011);
    let fifo_size: u64 = if (id >> 20) & 0xf < 3 { 16 } else { 32 };
    assert_eq!(fifo_size, 32);
    uart.put(IMSC, 0);
    uart.put(ICR, 0xffff);

    // pl011_startup, pl011_set_termios.
    uart.put(ICR, 0x7f0);
    uart.put(IFLS, 0x12);
    uart.put(CR, ON | u64::from(CR_DTR | CR_RTS));
    uart.put(IBRD, 13);
    uart.put(FBRD, 1);
    uart.put(LCR_H, 0x70);
    uart.put(ICR, (INT_RT | INT_RX).into());
    for _ in 0..2 * fifo_size {
        if uart.flag(FR_RXFE) {
            break;
        }
        uart.get(DR);
    }
    let receive = u64::from(INT_RT | INT_RX);
    uart.put(IMSC, receive);

    // Output: pl011_start_tx_pio writes while the FIFO takes it; the handler then writes half a FIFO per interrupt.
    // The mux is slow: it takes ten characters between any two interrupts.
    let text: Vec<u8> = (0..6000).map(|number| b'a' + (number % 26) as u8).collect();
    let mut unsent = VecDeque::from(text.clone());
    let mut shown = Vec::new();
    while !unsent.is_empty() && !uart.flag(FR_TXFF) {
        uart.put(DR, unsent.pop_front().unwrap().into());
    }
    assert!(!unsent.is_empty(), "the ring is smaller than the text");
    uart.put(IMSC, receive | u64::from(INT_TX));
    let mut interrupts = 0;
    while !unsent.is_empty() {
        shown.extend((0..10).filter_map(|_| endpoint.output.pop()));
        if endpoint.take_waiting() {
            uart.0.poll();
        }
        if uart.0.line() {
            interrupts += 1;
            let status = uart.get(RIS) & uart.get(IMSC);
            uart.put(ICR, status & !u64::from(INT_TX | INT_RT | INT_RX));
            assert_ne!(status & u64::from(INT_TX), 0);
            for byte in unsent.drain(..unsent.len().min(fifo_size as usize / 2)) {
                uart.put(DR, byte.into());
            }
        }
    }
    assert!(interrupts > 10);
    uart.put(IMSC, receive);
    assert!(!uart.0.line());
    shown.extend(printed(&endpoint));
    assert_eq!(shown, text);
    assert_eq!(endpoint.output.dropped(), 0);

    // Input: one interrupt per burst, then the handler reads until the FIFO is empty.
    for burst in [&b"l"[..], b"s -l /proc/self/status/and/a/long/path\r", b"x"] {
        uart.arrive(burst);
        assert!(uart.0.line());
        assert_ne!(uart.get(MIS) & receive, 0);
        assert_eq!(uart.drain(), burst);
        assert!(!uart.0.line());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Type(Vec<u8>),
    Show(usize),
    Load(u64, Width),
    Store(u64, Width, u64),
    Poll,
}

fn step() -> impl Strategy<Value = Step> {
    let offset = prop_oneof![
        4 => prop::sample::select(vec![DR, RSR_ECR, FR, LCR_H, CR, IFLS, IMSC, RIS, MIS, ICR, DMACR, IBRD, FBRD, ILPR]),
        1 => any::<u64>(),
        1 => 0u64..0x1000,
    ];
    let width = prop::sample::select(vec![Width::Byte, Width::Half, Width::Word, Width::Double]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Type),
        (0usize..80).prop_map(Step::Show),
        (Just(DR), Just(Width::Byte), any::<u64>()).prop_map(|(o, w, v)| Step::Store(o, w, v)),
        (Just(DR), Just(Width::Word)).prop_map(|(o, w)| Step::Load(o, w)),
        (offset.clone(), width.clone()).prop_map(|(o, w)| Step::Load(o, w)),
        (offset, width, any::<u64>()).prop_map(|(o, w, v)| Step::Store(o, w, v)),
        Just(Step::Poll),
    ]
}

proptest! {
    /// Whatever a guest does: no panic, no bits beyond the width, and the flags agree with what happened.
    #[test]
    fn any_sequence_keeps_the_invariants(steps in prop::collection::vec(step(), 1..200)) {
        let endpoint = Endpoint::new();
        let mut uart = Driver(Pl011::new(Some(&endpoint)));
        for step in steps {
            match step {
                Step::Type(bytes) => uart.arrive(&bytes),
                Step::Show(count) => drop((0..count).map_while(|_| endpoint.output.pop()).count()),
                Step::Load(offset, width) => prop_assert_eq!(uart.0.read(offset, width) & !width.mask(), 0),
                Step::Store(offset, width, value) => uart.0.write(offset, width, value),
                Step::Poll => uart.0.poll(),
            }
            uart.0.poll();
            prop_assert!(!(uart.flag(FR_RXFE) && uart.flag(FR_RXFF)));
            prop_assert_eq!(uart.flag(FR_TXFF), endpoint.output.room() == 0);
            prop_assert!(!uart.raw(INT_RT) || !uart.flag(FR_RXFE));
            prop_assert_eq!(uart.get(MIS), uart.get(RIS) & uart.get(IMSC));
            prop_assert_eq!(uart.0.line(), uart.get(MIS) != 0);
            let open = uart.get(CR) & (ON | u64::from(CR_LBE)) & !u64::from(CR_TXE) == ON & !u64::from(CR_TXE);
            prop_assert!(!open || uart.flag(FR_RXFF) || endpoint.input.is_empty(), "input waits although there is room");
        }
    }

    /// With the FIFOs on and a driver that looks at the flags, both directions are queues that lose nothing.
    #[test]
    fn a_careful_driver_sees_two_queues(steps in prop::collection::vec((0u8..4, 0usize..64, any::<u8>()), 1..300)) {
        let endpoint = Endpoint::new();
        let mut uart = uart(&endpoint, FEN);
        let (mut outward, mut inward) = (VecDeque::new(), VecDeque::new());
        for (kind, count, byte) in steps {
            for _ in 0..count {
                match kind {
                    0 if !uart.flag(FR_TXFF) => {
                        uart.put(DR, byte.into());
                        outward.push_back(byte);
                    }
                    1 if endpoint.input.room() > 0 => {
                        uart.arrive(&[byte]);
                        inward.push_back(byte);
                    }
                    2 => prop_assert_eq!(endpoint.output.pop(), outward.pop_front()),
                    3 => {
                        let expected = inward.pop_front();
                        prop_assert_eq!(uart.flag(FR_RXFE), expected.is_none());
                        prop_assert_eq!(uart.get(DR), expected.map_or(0, u64::from));
                    }
                    _ => {}
                }
            }
            prop_assert_eq!(uart.raw(INT_RT), !inward.is_empty());
            prop_assert_eq!(uart.raw(INT_RX), inward.len() >= 16);
        }
        prop_assert_eq!(endpoint.output.dropped() + endpoint.input.dropped(), 0);
    }
}
