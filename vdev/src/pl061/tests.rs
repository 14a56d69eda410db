//! The PL061 by its manual, and its key as Linux reads it.

use super::*;
use proptest::prelude::*;

const KEY: u64 = 1 << POWER_KEY_LINE;
/// GPIODATA of all lines.
const DATA: u64 = 0x3fc;

fn get(gpio: &mut Pl061, offset: u64) -> u64 {
    gpio.read(offset, Width::Word)
}

fn put(gpio: &mut Pl061, offset: u64, value: u64) {
    gpio.write(offset, Width::Word, value);
}

#[test]
fn registers_after_reset_and_what_they_keep() {
    let mut gpio = Pl061::new(10);
    for offset in [DATA, DIR, IS, IBE, IEV, IE, RIS, MIS, IC, AFSEL] {
        assert_eq!(get(&mut gpio, offset), 0, "{offset:#x}");
    }
    for offset in [DIR, IS, IBE, IEV, IE, AFSEL] {
        put(&mut gpio, offset, 0x1_23a5);
        assert_eq!(get(&mut gpio, offset), 0xa5, "{offset:#x}");
    }
    gpio.reset();
    assert_eq!(get(&mut gpio, DIR), 0);
}

/// amba_read_periphid of Linux, and its table: mask 0x000fffff, id 0x00041061.
#[test]
fn linux_finds_its_identification() {
    let mut gpio = Pl061::new(10);
    let id = |gpio: &mut Pl061, base: u64| (0..4).fold(0, |id, index| id | get(gpio, base + 4 * index) << (8 * index));
    assert_eq!(id(&mut gpio, 0xfe0), 0x0004_1061);
    assert_eq!(id(&mut gpio, 0xff0), 0xb105_f00d);
    assert_eq!(get(&mut gpio, 0x1000), 0);
}

#[test]
fn data_is_read_and_written_by_the_masks_in_its_addresses() {
    let mut gpio = Pl061::new(10);
    put(&mut gpio, DIR, 0xf0);
    put(&mut gpio, DATA, 0xff);
    assert_eq!(get(&mut gpio, DATA), 0xf0, "inputs do not follow what is written");
    put(&mut gpio, 0x10 << 2, 0);
    assert_eq!(get(&mut gpio, DATA), 0xe0);
    assert_eq!(get(&mut gpio, 0x60 << 2), 0x60);
    gpio.press();
    assert_eq!(get(&mut gpio, DATA), 0xe0 | KEY);
    put(&mut gpio, DIR, 0xf0 | KEY);
    assert_eq!(get(&mut gpio, DATA), 0xe0 | KEY, "as an output it shows what was put out");
    put(&mut gpio, KEY << 2, 0);
    assert_eq!(get(&mut gpio, DATA), 0xe0);
}

#[test]
fn edges_are_remembered_until_they_are_cleared() {
    for (both, event, down, up) in [(0, KEY, true, false), (0, 0, false, true), (KEY, 0, true, true)] {
        let mut gpio = Pl061::new(10);
        put(&mut gpio, IBE, both);
        put(&mut gpio, IEV, event);
        put(&mut gpio, IE, KEY);
        gpio.advance(100);
        gpio.press();
        assert_eq!((gpio.line(), gpio.deadline()), (down, Some(110)));
        put(&mut gpio, IC, KEY);
        assert!(!gpio.line());
        gpio.advance(109);
        assert_eq!(get(&mut gpio, DATA), KEY);
        gpio.advance(110);
        assert_eq!((get(&mut gpio, DATA), gpio.line(), gpio.deadline()), (0, up, None));
    }
}

#[test]
fn a_level_interrupts_as_long_as_it_lasts() {
    let mut gpio = Pl061::new(10);
    put(&mut gpio, IS, KEY);
    put(&mut gpio, IEV, KEY);
    gpio.press();
    assert_eq!((get(&mut gpio, RIS), get(&mut gpio, MIS), gpio.line()), (KEY, 0, false));
    put(&mut gpio, IE, KEY);
    put(&mut gpio, IC, KEY);
    assert!(gpio.line());
    gpio.advance(10);
    assert!(!gpio.line());
    put(&mut gpio, IEV, 0);
    assert!(gpio.line(), "the low level");
}

#[test]
fn pressed_again_it_stays_down_longer_and_makes_no_edge() {
    let mut gpio = Pl061::new(10);
    put(&mut gpio, IBE, KEY);
    put(&mut gpio, IE, KEY);
    gpio.press();
    put(&mut gpio, IC, KEY);
    gpio.advance(9);
    gpio.press();
    gpio.advance(18);
    assert_eq!((gpio.line(), gpio.deadline()), (false, Some(19)));
}

#[test]
fn a_counter_that_wraps_lets_the_key_come_up() {
    let mut gpio = Pl061::new(10);
    gpio.advance(u64::MAX - 4);
    gpio.press();
    assert_eq!(gpio.deadline(), Some(5));
    gpio.advance(4);
    assert!(gpio.deadline().is_some());
    gpio.advance(5);
    assert!(gpio.deadline().is_none());
}

proptest! {
    /// Whatever a guest does: no bits beyond the lines, MIS is RIS by IE, a quiet device is quiet.
    #[test]
    fn any_sequence_keeps_the_invariants(steps in prop::collection::vec((0u64..0x440, any::<u64>(), 0u8..4), 1..200)) {
        let mut gpio = Pl061::new(10);
        for (offset, value, kind) in steps {
            match kind {
                0 => gpio.press(),
                1 => gpio.advance(value),
                _ => put(&mut gpio, offset & !3, value),
            }
            prop_assert_eq!(get(&mut gpio, offset) & !0xff, 0);
            let raw = get(&mut gpio, RIS);
            prop_assert_eq!(get(&mut gpio, MIS), raw & get(&mut gpio, IE));
            prop_assert_eq!(gpio.line(), get(&mut gpio, MIS) != 0);
            // Lines without a key have no edges.
            prop_assert_eq!(raw & !KEY & !get(&mut gpio, IS) & !get(&mut gpio, DIR), 0);
        }
        gpio.quiesce();
        prop_assert!(!gpio.line() && gpio.deadline().is_none());
    }
}
