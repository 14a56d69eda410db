//! Lines on the UART, each with the guest's name in front. Only one CPU says something at a time.

use crate::{program, uart};
use core::fmt::{Arguments, Result, Write};

struct Console;

impl Write for Console {
    fn write_str(&mut self, text: &str) -> Result {
        text.bytes().for_each(uart::send);
        Ok(())
    }
}

/// Prints one line. Use [`crate::say!`].
pub fn line(text: Arguments<'_>) {
    // Writing to this console cannot fail.
    let _ = write!(Console, "{}: {text}\r\n", program::this().name);
}

/// Prints one line, with `format!`'s arguments.
#[macro_export]
macro_rules! say {
    ($($argument:tt)*) => { $crate::console::line(format_args!($($argument)*)) };
}
