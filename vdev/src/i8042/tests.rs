//! The keyboard controller by its reference, and as Linux probes it.

use super::*;
use proptest::prelude::*;

fn get(controller: &mut I8042, port: u64) -> u8 {
    controller.read(port, Width::Byte).try_into().unwrap()
}

fn put(controller: &mut I8042, port: u64, value: u8) {
    controller.write(port, Width::Byte, value.into());
}

/// A command's answer, which is there at once.
fn ask(controller: &mut I8042, command: u8) -> u8 {
    put(controller, STATUS_COMMAND, command);
    assert_eq!(get(controller, STATUS_COMMAND) & STATUS_FULL, STATUS_FULL, "{command:#x}");
    get(controller, DATA)
}

/// A command with a byte.
fn tell(controller: &mut I8042, command: u8, byte: u8) {
    put(controller, STATUS_COMMAND, command);
    put(controller, DATA, byte);
}

#[test]
fn after_reset_nothing_waits() {
    let mut controller = I8042::new();
    assert_eq!((get(&mut controller, STATUS_COMMAND), get(&mut controller, DATA)), (0x14, 0));
    assert_eq!((controller.line(), controller.take_request()), (false, None));
}

#[test]
fn commands_are_answered() {
    let mut controller = I8042::new();
    let answers = [(0x20, 0x65), (0x21, 0), (0x3f, 0), (0xa9, 1), (0xaa, 0x55), (0xab, 0), (0xc0, 0x80), (0xd0, 0x03)];
    for (command, answer) in answers {
        assert_eq!(ask(&mut controller, command), answer, "{command:#x}");
        assert_eq!(get(&mut controller, STATUS_COMMAND), 0x1c, "the last byte was a command");
    }
    for command in [0x00, 0x1f, 0x80, 0xa7, 0xa8, 0xad, 0xae, 0xc1, 0xdf, 0xef] {
        put(&mut controller, STATUS_COMMAND, command);
        assert_eq!(get(&mut controller, STATUS_COMMAND) & STATUS_FULL, 0, "{command:#x}");
    }
}

#[test]
fn the_configuration_keeps_what_is_written() {
    let mut controller = I8042::new();
    tell(&mut controller, WRITE_CONFIG, 0x00);
    assert_eq!(get(&mut controller, STATUS_COMMAND), 0x10, "the system flag and the kind of byte show");
    assert_eq!(ask(&mut controller, READ_CONFIG), 0x20, "no mouse can be enabled");
    put(&mut controller, STATUS_COMMAND, KEYBOARD_OFF);
    assert_eq!(ask(&mut controller, READ_CONFIG), 0x30);
    put(&mut controller, STATUS_COMMAND, KEYBOARD_ON);
    assert_eq!(ask(&mut controller, READ_CONFIG), 0x20);
    tell(&mut controller, 0x61, 0xff);
    assert_eq!(ask(&mut controller, READ_CONFIG), 0x20);
    // A command takes the place of one that waits for its byte.
    put(&mut controller, STATUS_COMMAND, WRITE_CONFIG);
    tell(&mut controller, ECHO_KEYBOARD, 0xff);
    assert_eq!((get(&mut controller, DATA), ask(&mut controller, READ_CONFIG)), (0xff, 0x20));
}

#[test]
fn a_byte_interrupts_while_it_waits_and_is_wanted() {
    let mut controller = I8042::new();
    tell(&mut controller, ECHO_KEYBOARD, 0x1c);
    assert!(controller.line());
    assert_eq!((get(&mut controller, DATA), controller.line()), (0x1c, false));
    tell(&mut controller, WRITE_CONFIG, 0x64);
    tell(&mut controller, ECHO_KEYBOARD, 0x1c);
    assert!(!controller.line());
    tell(&mut controller, WRITE_CONFIG, 0x65);
    assert!(controller.line());
}

#[test]
fn nobody_is_at_the_other_end() {
    let mut controller = I8042::new();
    put(&mut controller, DATA, 0xff);
    assert_eq!((get(&mut controller, STATUS_COMMAND), controller.line()), (0x55, true));
    assert_eq!((get(&mut controller, DATA), get(&mut controller, STATUS_COMMAND)), (0xfe, 0x14));
    tell(&mut controller, SEND_MOUSE, 0xf2);
    assert_eq!((get(&mut controller, STATUS_COMMAND), get(&mut controller, DATA)), (0x55, 0xfe));
}

#[test]
fn it_resets_by_pulse_and_by_output_port() {
    for (command, resets) in [(0xf0, true), (0xfe, true), (0xf1, false), (0xff, false), (0xfd, false)] {
        let mut controller = I8042::new();
        put(&mut controller, STATUS_COMMAND, command);
        assert_eq!(controller.take_request().is_some(), resets, "{command:#x}");
        assert_eq!(controller.take_request(), None, "asking takes it");
    }
    let mut controller = I8042::new();
    tell(&mut controller, WRITE_OUTPUT, 0x02);
    assert_eq!(controller.take_request(), Some(Request::Reset));
    tell(&mut controller, WRITE_OUTPUT, 0xdd);
    assert_eq!((controller.take_request(), ask(&mut controller, READ_OUTPUT)), (None, 0x01));
    tell(&mut controller, WRITE_OUTPUT, 0xdf);
    tell(&mut controller, ECHO_KEYBOARD, 0);
    assert_eq!(ask(&mut controller, READ_OUTPUT), 0x13, "and the buffer was full");
    tell(&mut controller, WRITE_OUTPUT, 0xdd);
    controller.reset();
    assert_eq!(ask(&mut controller, READ_OUTPUT), 0x03);
}

#[test]
fn a_quiesced_controller_asks_for_nothing() {
    let mut controller = I8042::new();
    put(&mut controller, STATUS_COMMAND, 0xfe);
    controller.quiesce();
    assert_eq!(controller.take_request(), None);
    put(&mut controller, STATUS_COMMAND, 0xfe);
    put(&mut controller, DATA, 0xff);
    assert_eq!((controller.take_request(), controller.line()), (None, false));
}

/// What Linux does (drivers/input/serio/i8042.c): flush, the configuration twice, whether there is a port for a mouse; then
/// atkbd asks the keyboard who it is.
#[test]
fn linux_probes_it() {
    let mut controller = I8042::new();
    assert_eq!(get(&mut controller, STATUS_COMMAND) & STATUS_FULL, 0);
    let config = ask(&mut controller, 0x20);
    assert_eq!(config, ask(&mut controller, 0x20));
    assert_eq!(config & CONFIG_TRANSLATE, CONFIG_TRANSLATE);
    assert_eq!(get(&mut controller, STATUS_COMMAND) & STATUS_UNLOCKED, STATUS_UNLOCKED);
    tell(&mut controller, WRITE_CONFIG, (config | CONFIG_KEYBOARD_OFF) & !CONFIG_INTERRUPT);

    // i8042_check_aux: the echo is the keyboard's, and the test fails otherwise than by 0, 0xfa or 0xff.
    tell(&mut controller, ECHO_MOUSE, 0x5a);
    let status = get(&mut controller, STATUS_COMMAND);
    assert_eq!((status & 0x21, get(&mut controller, DATA)), (STATUS_FULL, 0x5a));
    assert!(![0x00, 0xfa, 0xff].contains(&ask(&mut controller, TEST_MOUSE)));

    // i8042_setup_kbd, and GETID, SETLEDS of atkbd_probe: an interrupt with an error for each.
    tell(&mut controller, WRITE_CONFIG, (config | CONFIG_INTERRUPT) & !CONFIG_KEYBOARD_OFF);
    for command in [0xf2, 0xed] {
        put(&mut controller, DATA, command);
        assert!(controller.line());
        let status = get(&mut controller, STATUS_COMMAND);
        assert_eq!((status & 0x61, get(&mut controller, DATA)), (STATUS_FULL | STATUS_TIMEOUT, 0xfe));
        assert!(!controller.line());
    }

    // native_machine_emergency_restart, by the keyboard controller.
    assert_eq!(get(&mut controller, STATUS_COMMAND) & 0x02, 0);
    put(&mut controller, STATUS_COMMAND, 0xfe);
    assert_eq!(controller.take_request(), Some(Request::Reset));
}

proptest! {
    /// Whatever a guest does: no bits beyond a byte, the input buffer is never full, and a line means a byte.
    #[test]
    fn any_sequence_keeps_the_invariants(steps in prop::collection::vec((0u64..4, any::<u64>(), any::<bool>()), 1..200)) {
        let mut controller = I8042::new();
        for (offset, value, reads) in steps {
            if reads {
                prop_assert!(controller.read(offset, Width::Double) <= 0xff);
            } else {
                controller.write(offset, Width::Double, value);
            }
            let status = get(&mut controller, STATUS_COMMAND);
            prop_assert_eq!(status & 0x02, 0);
            prop_assert!(!controller.line() || status & STATUS_FULL != 0);
            prop_assert!(status & STATUS_TIMEOUT == 0 || status & STATUS_FULL != 0);
        }
    }
}
