//! A console endpoint: the seam between whatever talks like a terminal and the mux that owns the board's UART.
//!
//! The device sits on the CPU of its guest, the mux on whichever CPU pumps it. Both reach the endpoint by a shared
//! reference and never wait for each other.

use crate::Ring;
use core::sync::atomic::{AtomicBool, Ordering, fence};

/// Two rings, and a bell for a device that waits until its output has drained.
#[derive(Debug)]
pub struct Endpoint {
    /// From the device to the mux. Sized for a burst of kernel messages.
    pub output: Ring<4096>,
    /// From the mux to the device. Sized for a pasted line.
    pub input: Ring<1024>,
    /// The device met a lack of room in `output` and wants to be polled when there is some.
    waits: AtomicBool,
}

impl Endpoint {
    /// An endpoint with empty rings.
    #[expect(clippy::new_without_default, reason = "endpoints are statics, and Default is not const")]
    pub const fn new() -> Self {
        Endpoint { output: Ring::new(), input: Ring::new(), waits: AtomicBool::new(false) }
    }

    /// Device: asks for a poll when output has drained. The caller looks at `output.room()` once more afterwards:
    /// the mux may have emptied the ring just before it could see the request.
    pub fn wait_for_room(&self) {
        self.waits.store(true, Ordering::Relaxed);
        // Pairs with the fence in `take_waiting`: each side writes its own word and then reads the other's, so at
        // least one of the two sees the other (store buffering; DDI 0487, B2.3 and K13).
        fence(Ordering::SeqCst);
    }

    /// Mux, after it took bytes out of `output`: whether the device asked to be polled. Asking clears the request.
    pub fn take_waiting(&self) -> bool {
        fence(Ordering::SeqCst);
        self.waits.load(Ordering::Relaxed) && self.waits.swap(false, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn a_request_for_room_is_answered_once() {
        let endpoint = Endpoint::new();
        assert!(!endpoint.take_waiting());
        endpoint.wait_for_room();
        assert!(endpoint.take_waiting());
        assert!(!endpoint.take_waiting());
    }

    /// A device that found no room after its request is told when there is some. This finds a request that is lost or
    /// taken back, but hardly a missing fence: the window on the host is a few instructions wide.
    #[test]
    fn a_device_that_waits_for_room_is_always_woken() {
        const PATIENCE: u32 = 10_000_000;
        let rounds = if cfg!(miri) { 20 } else { 2_000 };
        let endpoint = Endpoint::new();
        // The bus between the two, with rings for flags: `input` carries wake-ups, `output` the end.
        let bus = Endpoint::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..rounds {
                    while bus.input.pop().is_some() {}
                    while endpoint.output.push(1) {}
                    endpoint.wait_for_room();
                    if endpoint.output.room() == 0 {
                        let woken = (0..PATIENCE).any(|_| {
                            std::thread::yield_now();
                            bus.input.pop().is_some()
                        });
                        assert!(woken, "nobody answered the request for room");
                    }
                }
                bus.output.push(0);
            });
            // The mux looks for a request only when it took bytes, as it does on the board.
            while bus.output.is_empty() {
                if endpoint.output.room() == 0 {
                    while endpoint.output.pop().is_some() {}
                    if endpoint.take_waiting() {
                        bus.input.push(1);
                    }
                } else {
                    std::thread::yield_now();
                }
            }
        });
    }
}
