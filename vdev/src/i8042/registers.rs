//! Bits and commands of the keyboard controller (IBM PS/2 Hardware Interface Technical Reference, "keyboard and auxiliary
//! device controller").

/// The byte for the guest, or for what is behind the controller: port 0x60.
pub(super) const DATA: u64 = 0;
/// The status on a read, a command on a write: port 0x64.
pub(super) const STATUS_COMMAND: u64 = 1;

/// A byte waits in the output buffer.
pub(super) const STATUS_FULL: u8 = 1 << 0;
/// The system has passed its tests: what the configuration says.
pub(super) const STATUS_SYSTEM: u8 = 1 << 2;
/// The last byte that was written was a command.
pub(super) const STATUS_COMMANDED: u8 = 1 << 3;
/// The keyboard is not locked.
pub(super) const STATUS_UNLOCKED: u8 = 1 << 4;
/// The byte says that a device did not answer in time.
pub(super) const STATUS_TIMEOUT: u8 = 1 << 6;

/// A byte in the output buffer interrupts.
pub(super) const CONFIG_INTERRUPT: u8 = 1 << 0;
/// What STATUS_SYSTEM shows.
pub(super) const CONFIG_SYSTEM: u8 = 1 << 2;
/// The keyboard is disabled.
pub(super) const CONFIG_KEYBOARD_OFF: u8 = 1 << 4;
/// The mouse is disabled.
pub(super) const CONFIG_MOUSE_OFF: u8 = 1 << 5;
/// Scan codes are translated.
pub(super) const CONFIG_TRANSLATE: u8 = 1 << 6;

/// The output port's line that is low to reset.
pub(super) const OUTPUT_RESET: u8 = 1 << 0;
/// The output port's line that lets address line 20 through.
pub(super) const OUTPUT_A20: u8 = 1 << 1;
/// The output port's line that shows the output buffer full.
pub(super) const OUTPUT_FULL: u8 = 1 << 4;

/// Gives the configuration.
pub(super) const READ_CONFIG: u8 = 0x20;
/// The first of the commands that give the rest of the controller's memory.
pub(super) const READ_SPARE: u8 = 0x21;
/// The last of them.
pub(super) const READ_LAST: u8 = 0x3f;
/// Takes the configuration.
pub(super) const WRITE_CONFIG: u8 = 0x60;
/// The last of the commands that take a byte for the controller's memory.
pub(super) const WRITE_LAST: u8 = 0x7f;
/// Tests the line to the mouse.
pub(super) const TEST_MOUSE: u8 = 0xa9;
/// Tests the controller.
pub(super) const TEST: u8 = 0xaa;
/// Tests the line to the keyboard.
pub(super) const TEST_KEYBOARD: u8 = 0xab;
/// Disables the keyboard.
pub(super) const KEYBOARD_OFF: u8 = 0xad;
/// Enables the keyboard.
pub(super) const KEYBOARD_ON: u8 = 0xae;
/// Gives the input port.
pub(super) const READ_INPUT: u8 = 0xc0;
/// Gives the output port.
pub(super) const READ_OUTPUT: u8 = 0xd0;
/// Takes the output port.
pub(super) const WRITE_OUTPUT: u8 = 0xd1;
/// Takes a byte as if the keyboard had sent it.
pub(super) const ECHO_KEYBOARD: u8 = 0xd2;
/// Takes a byte as if the mouse had sent it.
pub(super) const ECHO_MOUSE: u8 = 0xd3;
/// Takes a byte for the mouse.
pub(super) const SEND_MOUSE: u8 = 0xd4;
/// The first of the commands that lower lines of the output port for a moment, those whose bits are zero.
pub(super) const PULSE: u8 = 0xf0;

/// The controller has passed its test.
pub(super) const TEST_PASSED: u8 = 0x55;
/// A line has passed its test.
pub(super) const LINE_PASSED: u8 = 0x00;
/// A line has not: its clock stays low.
pub(super) const LINE_STUCK: u8 = 0x01;
/// What there is instead of a device's answer.
pub(super) const RESEND: u8 = 0xfe;
/// The input port: the keyboard is not locked.
pub(super) const INPUT: u8 = 0x80;
