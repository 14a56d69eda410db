//! The 16550A by its data sheet, against reference models, and as Linux drives it.

use super::*;
use proptest::prelude::*;
use std::collections::VecDeque;

/// FIFOs on, trigger at 14.
const FIFOS: u8 = 0xc1;
const RECEIVED: u8 = IIR_FIFOS | IIR_RECEIVED;
const TIMEOUT: u8 = IIR_FIFOS | IIR_TIMEOUT;
const EMPTY: u8 = IIR_FIFOS | IIR_EMPTY;
const NONE: u8 = IIR_FIFOS | IIR_NONE;

/// A byte-wide view of the ports, as a driver has it.
struct Driver<'a>(Ns16550<'a>);

impl Driver<'_> {
    fn get(&mut self, offset: u64) -> u8 {
        self.0.read(offset, Width::Byte).try_into().unwrap()
    }

    fn put(&mut self, offset: u64, value: u8) {
        self.0.write(offset, Width::Byte, value.into());
    }

    fn status(&mut self, bit: u8) -> bool {
        self.get(LSR) & bit != 0
    }

    /// Types on the terminal.
    fn arrive(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0.endpoint.unwrap().input.push(byte);
        }
        self.0.poll();
    }

    /// Reads characters until none waits.
    fn drain(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.status(LSR_READY) {
            bytes.push(self.get(DATA));
        }
        bytes
    }
}

fn uart(endpoint: &Endpoint, fifo_control: u8) -> Driver<'_> {
    let mut uart = Driver(Ns16550::new(Some(endpoint)));
    uart.put(IIR_FCR, fifo_control);
    uart
}

fn printed(endpoint: &Endpoint) -> Vec<u8> {
    std::iter::from_fn(|| endpoint.output.pop()).collect()
}

/// PC16550D, table III.
#[test]
fn registers_have_their_reset_values() {
    let mut uart = Driver(Ns16550::new(None));
    for (offset, value) in
        [(DATA, 0), (IER, 0), (IIR_FCR, 0x01), (LCR, 0), (MCR, 0), (LSR, 0x60), (MSR, 0xb0), (SCR, 0)]
    {
        assert_eq!(uart.get(offset), value, "{offset}");
    }
    assert!(!uart.0.line());
}

#[test]
fn registers_keep_the_bits_that_they_have() {
    let mut uart = Driver(Ns16550::new(None));
    for (offset, bits) in [(IER, 0x0f), (MCR, 0x1f), (SCR, 0xff), (LCR, 0xff)] {
        uart.put(offset, 0xff);
        assert_eq!(uart.get(offset), bits, "{offset}");
    }
    // LCR.DLAB is set: the divisor is there instead of DATA and IER.
    uart.put(DATA, 0x12);
    uart.put(IER, 0x34);
    assert_eq!((uart.get(DATA), uart.get(IER)), (0x12, 0x34));
    uart.put(LCR, 0x03);
    assert_eq!((uart.get(DATA), uart.get(IER)), (0, 0x0f));
    for read_only in [LSR, MSR] {
        let before = uart.get(read_only);
        uart.put(read_only, !before);
        assert_eq!(uart.get(read_only), before);
    }
}

#[test]
fn what_is_not_there_reads_as_zero_and_ignores_stores() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FIFOS);
    for offset in [8, 0x100, u64::MAX] {
        for width in [Width::Byte, Width::Half, Width::Word, Width::Double] {
            assert_eq!(uart.0.read(offset, width), 0, "{offset:#x}");
            uart.0.write(offset, width, u64::MAX);
        }
    }
    assert!(printed(&endpoint).is_empty());
}

#[test]
fn of_a_wide_access_the_first_register_is_served() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FIFOS);
    uart.0.write(DATA, Width::Word, 0x1234_5641);
    assert_eq!(printed(&endpoint), b"A");
    uart.put(SCR, 0xff);
    assert_eq!(uart.0.read(SCR, Width::Double), 0xff);
}

#[test]
fn without_an_endpoint_output_vanishes_and_the_driver_goes_on() {
    let mut uart = Driver(Ns16550::new(None));
    for _ in 0..10_000 {
        assert!(uart.status(LSR_THR_EMPTY));
        uart.put(DATA, 0x41);
    }
    uart.0.poll();
    assert!(!uart.status(LSR_READY));
}

/// PC16550D, table IV: reset by reading IIR, if it is the source, or by writing THR.
#[test]
fn the_thr_empty_interrupt_comes_and_goes_by_its_rules() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FIFOS);
    uart.put(IER, IER_EMPTY);
    assert!(uart.0.line(), "enabled, with THR empty");
    assert_eq!((uart.get(IIR_FCR), uart.0.line(), uart.get(IIR_FCR)), (EMPTY, false, NONE));
    uart.put(IER, IER_EMPTY);
    assert!(!uart.0.line(), "it was enabled");
    uart.put(IER, 0);
    uart.put(IER, IER_EMPTY);
    assert!(uart.0.line());
    assert_eq!(uart.get(IIR_FCR), EMPTY);
    uart.put(DATA, 0x41);
    assert!(uart.0.line(), "the mux has taken it, in effect");

    // Something of a higher priority is read instead: this one stays.
    uart.put(IER, IER_EMPTY | IER_RECEIVED);
    uart.arrive(b"x");
    assert_eq!((uart.get(IIR_FCR), uart.get(DATA), uart.get(IIR_FCR)), (TIMEOUT, b'x', EMPTY));

    // Masked, it is remembered.
    uart.put(DATA, 0x41);
    uart.put(IER, 0);
    assert_eq!((uart.0.line(), uart.get(IIR_FCR)), (false, NONE));
}

#[test]
fn a_slow_mux_shows_as_a_full_transmitter() {
    for (fifo_control, places) in [(FIFOS, 16), (0, 1)] {
        let endpoint = Endpoint::new();
        let mut uart = uart(&endpoint, fifo_control);
        let mut written = 0;
        while uart.status(LSR_THR_EMPTY) {
            // What Linux does: as many at once as the FIFO takes.
            (0..places).for_each(|_| uart.put(DATA, 0x41));
            written += places;
        }
        assert_eq!((written, endpoint.output.dropped()), (4096, 0));
        assert!(!uart.status(LSR_IDLE));
        uart.put(IER, IER_EMPTY);
        assert!(!uart.0.line());
        uart.put(DATA, 0x42);
        assert_eq!(endpoint.output.dropped(), 1, "a driver that ignores LSR loses its character");
        for free in 1..=places {
            endpoint.output.pop();
            if endpoint.take_waiting() {
                uart.0.poll();
            }
            assert_eq!((uart.status(LSR_THR_EMPTY), uart.0.line()), (free == places, free == places), "{free} free");
        }
        // Once, not at every poll.
        assert!(!endpoint.take_waiting());
        uart.get(IIR_FCR);
        uart.0.poll();
        assert!(!uart.0.line());
    }
}

/// PC16550D, section 8.5: 1, 4, 8 or 14; below it the time-out.
#[test]
fn the_receive_interrupt_is_raised_at_the_trigger_and_the_time_out_below() {
    for (select, trigger) in [(0x01, 1), (0x41, 4), (0x81, 8), (0xc1, 14)] {
        let endpoint = Endpoint::new();
        let mut uart = uart(&endpoint, select);
        uart.put(IER, IER_RECEIVED);
        let expected = |count| match count {
            0 => NONE,
            count if count >= trigger => RECEIVED,
            _ => TIMEOUT,
        };
        for count in 1..=16 {
            uart.arrive(b"x");
            assert_eq!(uart.get(IIR_FCR), expected(count), "{count} at trigger {trigger}");
        }
        for left in (0..16).rev() {
            uart.get(DATA);
            assert_eq!((uart.get(IIR_FCR), uart.0.line()), (expected(left), left > 0));
        }
    }
}

#[test]
fn without_fifos_a_character_waits_for_the_one_before() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, 0);
    uart.put(IER, IER_RECEIVED);
    uart.arrive(b"abc");
    assert_eq!(uart.get(IIR_FCR), IIR_RECEIVED);
    assert_eq!((uart.drain(), uart.0.line()), (b"abc".to_vec(), false));
}

#[test]
fn no_input_is_lost_however_long() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FIFOS);
    let typed: Vec<u8> = (0..1000).map(|number| number as u8).collect();
    uart.arrive(&typed);
    assert_eq!(uart.drain(), typed);
    assert!(!uart.status(LSR_OVERRUN));
}

#[test]
fn input_that_the_ring_refused_is_an_overrun() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FIFOS);
    uart.put(IER, IER_LINE | IER_RECEIVED);
    uart.arrive(&[0x41; 1041]);
    assert_eq!(uart.get(IIR_FCR), IIR_FIFOS | IIR_LINE, "the highest priority");
    assert_eq!(uart.get(LSR), LSR_OVERRUN | LSR_READY | LSR_THR_EMPTY | LSR_IDLE);
    assert_eq!((uart.get(LSR) & LSR_OVERRUN, uart.get(IIR_FCR)), (0, RECEIVED));
}

/// PC16550D, section 8.5: each change of FCR bit 0, and bit 1 while it is set, empty the FIFO.
#[test]
fn fifos_are_emptied_by_fifo_control() {
    for (first, second, emptied) in
        [(0, 1, true), (1, 0, true), (1, 3, true), (1, 1, false), (0, 2, false), (1, 5, false)]
    {
        let endpoint = Endpoint::new();
        let mut uart = uart(&endpoint, first);
        uart.arrive(b"a");
        uart.put(IIR_FCR, second);
        assert_eq!(uart.status(LSR_READY), !emptied, "{first} {second}");
    }
}

/// PC16550D, section 8.7.
#[test]
fn loopback_returns_characters_and_modem_lines() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FIFOS);
    uart.put(IER, IER_MODEM);
    for (outputs, inputs) in [(0, 0), (MCR_RTS, MSR_CTS), (MCR_DTR, MSR_DSR), (MCR_OUT1, MSR_RI), (MCR_OUT2, MSR_DCD)] {
        uart.put(MCR, MCR_LOOP | outputs);
        assert_eq!(uart.get(MSR) & 0xf0, inputs);
    }
    assert_eq!((uart.get(MSR), uart.0.line()), (MSR_DCD, false), "reading has cleared the changes");
    uart.put(MCR, MCR_LOOP | MCR_OUT1);
    assert_eq!((uart.get(IIR_FCR), uart.get(MSR)), (IIR_FIFOS | IIR_MODEM, MSR_RI | 0x08));
    uart.put(MCR, MCR_LOOP);
    assert_eq!(uart.get(MSR), 0x04, "the end of the ring");
    uart.arrive(b"outside");
    (0..17).for_each(|number| uart.put(DATA, number));
    assert_eq!(uart.get(LSR), LSR_OVERRUN | LSR_READY | LSR_THR_EMPTY | LSR_IDLE);
    assert_eq!(uart.drain(), (0..16).collect::<Vec<u8>>(), "the last is lost");
    uart.put(IIR_FCR, 0);
    b"ab".iter().for_each(|&byte| uart.put(DATA, byte));
    assert!(uart.status(LSR_OVERRUN));
    assert_eq!(uart.drain(), b"b", "the last takes the other's place");
    assert!(printed(&endpoint).is_empty());
    uart.put(MCR, 0);
    assert_eq!(uart.drain(), b"outside");
}

#[test]
fn reset_forgets_everything_but_the_endpoint() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FIFOS);
    uart.put(IER, IER_ALL);
    uart.arrive(&[0x41; 1041]);
    uart.put(DATA, 0x41);
    uart.0.reset();
    assert!(!uart.0.line());
    assert_eq!((uart.get(IER), uart.get(IIR_FCR), uart.get(LSR)), (0, IIR_NONE, LSR_THR_EMPTY | LSR_IDLE));
    uart.0.poll();
    assert!(!uart.status(LSR_OVERRUN), "an overrun from before the reset is over");
    uart.put(DATA, 0x42);
    assert_eq!(printed(&endpoint), b"AB");
}

#[test]
fn a_quiesced_uart_touches_nothing_outside() {
    let endpoint = Endpoint::new();
    let mut uart = uart(&endpoint, FIFOS);
    uart.put(IER, IER_ALL);
    uart.0.quiesce();
    uart.arrive(b"x");
    uart.put(DATA, 0x41);
    assert!(!uart.0.line());
    assert!(printed(&endpoint).is_empty() && !uart.status(LSR_READY) && endpoint.input.len() == 1);
    uart.0.reset();
    uart.0.poll();
    assert_eq!(uart.drain(), b"x");
}

/// What Linux does (drivers/tty/serial/8250/8250_port.c): autoconfig, startup with its two tests for broken chips, output by
/// interrupts, input.
#[test]
fn linux_drives_it() {
    let endpoint = Endpoint::new();
    let mut uart = Driver(Ns16550::new(Some(&endpoint)));

    // autoconfig: is it there, does it loop, is it a 16550A (and not one of its successors, which have an EFR).
    uart.put(IER, 0);
    assert_eq!(uart.get(IER) & 0x0f, 0);
    uart.put(IER, 0x0f);
    assert_eq!(uart.get(IER), 0x0f);
    uart.put(IER, 0);
    uart.put(MCR, MCR_LOOP | 0x0a);
    assert_eq!(uart.get(MSR) & 0xf0, 0x90);
    uart.put(MCR, 0);
    uart.put(LCR, 0xbf);
    uart.put(IIR_FCR, 0);
    uart.put(LCR, 0);
    uart.put(IIR_FCR, 0x01);
    assert_eq!(uart.get(IIR_FCR) >> 6, 3);
    uart.put(LCR, 0xbf);
    assert_ne!(uart.get(IIR_FCR), 0, "no EFR");
    uart.put(LCR, 0);
    uart.put(IIR_FCR, 0x01);
    uart.put(IIR_FCR, 0x21);
    assert_eq!(uart.get(IIR_FCR) >> 5, 6, "no 64-byte FIFO");

    // serial8250_do_startup.
    uart.put(IIR_FCR, 0x01);
    uart.put(IIR_FCR, 0x07);
    uart.put(IIR_FCR, 0);
    for offset in [LSR, DATA, IIR_FCR, MSR] {
        uart.get(offset);
    }
    uart.put(IER, IER_EMPTY);
    uart.get(IIR_FCR);
    uart.put(IER, 0);
    uart.put(IER, IER_EMPTY);
    assert_eq!(uart.get(IIR_FCR) & IIR_NONE, 0, "or the chip has the bug of the lost THR interrupt");
    uart.put(IER, 0);
    uart.put(MCR, MCR_OUT2);
    uart.put(IER, IER_EMPTY);
    assert!(uart.status(LSR_IDLE) && uart.get(IIR_FCR) & IIR_NONE == 0, "or it has the TXEN bug");
    uart.put(IER, IER_RECEIVED | IER_LINE);
    uart.put(IIR_FCR, 0x81);

    // Output: a FIFO full per interrupt, through a mux that takes ten characters between any two looks.
    let text: Vec<u8> = (0..6000).map(|number| b'a' + (number % 26) as u8).collect();
    let mut unsent = VecDeque::from(text.clone());
    let mut shown = Vec::new();
    uart.put(IER, IER_RECEIVED | IER_LINE | IER_EMPTY);
    let mut idle = 0;
    while !unsent.is_empty() {
        if uart.0.line() {
            assert_eq!(uart.get(IIR_FCR), EMPTY);
            assert!(uart.status(LSR_THR_EMPTY));
            for byte in unsent.drain(..unsent.len().min(16)) {
                uart.put(DATA, byte);
            }
        } else {
            idle += 1;
            shown.extend((0..10).filter_map(|_| endpoint.output.pop()));
            if endpoint.take_waiting() {
                uart.0.poll();
            }
        }
    }
    assert!(idle > 10);
    uart.put(IER, IER_RECEIVED | IER_LINE);
    assert!(!uart.0.line());
    shown.extend(printed(&endpoint));
    assert_eq!(shown, text);
    assert_eq!(endpoint.output.dropped(), 0);

    // Input: one interrupt per burst, then the handler reads until nothing waits.
    for burst in [&b"l"[..], b"s -l /proc/self/status/and/a/long/path\r", b"x"] {
        uart.arrive(burst);
        assert!(uart.0.line());
        assert_eq!(uart.get(IIR_FCR) & 0x04, 0x04);
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
}

fn step() -> impl Strategy<Value = Step> {
    let offset = prop_oneof![8 => 0u64..8, 1 => any::<u64>()];
    let width = prop::sample::select(vec![Width::Byte, Width::Half, Width::Word, Width::Double]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Type),
        (0usize..80).prop_map(Step::Show),
        any::<u64>().prop_map(|value| Step::Store(DATA, Width::Byte, value)),
        (offset.clone(), width.clone()).prop_map(|(o, w)| Step::Load(o, w)),
        (offset, width, any::<u64>()).prop_map(|(o, w, v)| Step::Store(o, w, v)),
    ]
}

proptest! {
    /// Whatever a guest does: no panic, and the registers agree with each other and with the line.
    #[test]
    fn any_sequence_keeps_the_invariants(steps in prop::collection::vec(step(), 1..200)) {
        let endpoint = Endpoint::new();
        let mut uart = Driver(Ns16550::new(Some(&endpoint)));
        for step in steps {
            match step {
                Step::Type(bytes) => uart.arrive(&bytes),
                Step::Show(count) => drop((0..count).map_while(|_| endpoint.output.pop()).count()),
                Step::Load(offset, width) => prop_assert_eq!(uart.0.read(offset, width) & !0xff, 0),
                Step::Store(offset, width, value) => uart.0.write(offset, width, value),
            }
            uart.0.poll();
            let interrupt = uart.0.interrupt();
            prop_assert_eq!(uart.0.line(), interrupt & IIR_NONE == 0);
            let has_error = uart.0.overrun && uart.0.enabled & IER_LINE != 0;
            let has_data = uart.0.receive.len() > 0 && uart.0.enabled & IER_RECEIVED != 0;
            prop_assert_eq!([IIR_RECEIVED, IIR_TIMEOUT].contains(&interrupt), has_data && !has_error);
            prop_assert!(interrupt != IIR_TIMEOUT || uart.0.has_fifos(), "no time-out without FIFOs");
            let status = uart.get(LSR);
            prop_assert_eq!(status & LSR_READY != 0, uart.0.receive.len() > 0);
            prop_assert_eq!(status & LSR_THR_EMPTY << 1, (status & LSR_THR_EMPTY) << 1);
            let open = !uart.0.loopback() && uart.0.receive.len() < uart.0.depth();
            prop_assert!(!open || endpoint.input.is_empty(), "input waits although there is room");
        }
    }

    /// With a driver that looks at LSR, both directions are queues that lose nothing, and every stall ends in an interrupt.
    #[test]
    fn a_careful_driver_sees_two_queues(steps in prop::collection::vec((0u8..4, 0usize..64, any::<u8>()), 1..300)) {
        let endpoint = Endpoint::new();
        let mut uart = uart(&endpoint, FIFOS);
        uart.put(IER, IER_EMPTY);
        let (mut outward, mut inward) = (VecDeque::new(), VecDeque::new());
        for (kind, count, byte) in steps {
            for _ in 0..count {
                match kind {
                    0 if uart.status(LSR_THR_EMPTY) => {
                        prop_assert!(uart.0.line());
                        prop_assert_eq!(uart.get(IIR_FCR), EMPTY);
                        (0..16).for_each(|_| uart.put(DATA, byte));
                        outward.extend([byte; 16]);
                    }
                    1 if endpoint.input.room() > 0 => {
                        uart.arrive(&[byte]);
                        inward.push_back(byte);
                    }
                    2 => {
                        prop_assert_eq!(endpoint.output.pop(), outward.pop_front());
                        if endpoint.take_waiting() {
                            uart.0.poll();
                        }
                    }
                    3 => {
                        let expected = inward.pop_front();
                        prop_assert_eq!(uart.status(LSR_READY), expected.is_some());
                        prop_assert_eq!(uart.get(DATA), expected.unwrap_or(0));
                    }
                    _ => {}
                }
            }
        }
        prop_assert_eq!(endpoint.output.dropped() + endpoint.input.dropped(), 0);
    }
}
