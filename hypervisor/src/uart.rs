//! The board's own UART, as the console has it.

use arch::uart::Uart;

use crate::console::BoardUart;

impl BoardUart for Uart {
    fn try_put(&mut self, byte: u8) -> bool {
        self.try_put(byte)
    }

    fn try_get(&mut self) -> Option<u8> {
        self.try_get()
    }

    fn want_transmit_interrupt(&mut self, on: bool) {
        self.want_transmit_interrupt(on);
    }

    fn acknowledge_interrupts(&mut self) {
        self.acknowledge_interrupts();
    }

    fn overruns(&self) -> u64 {
        self.overruns()
    }
}
