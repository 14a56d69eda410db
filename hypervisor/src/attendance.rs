//! Who is in a VM: the protocol by which all of its pCPUs let go of it, and take it up again.
//!
//! One word holds the life that the VM is in, whether it is to stop, and how many vCPUs are still seated. A pCPU looks at
//! it on every way into the guest. Who finds that the VM is to stop leaves, once a life; the last one to leave has the VM
//! for itself, and may begin another life, in which every seat is taken again.
//!
//! ```text
//!              stop                    leave × seats              restart, by who left last
//! life n, in ──────▶ life n, stopping ──────────────▶ nobody in ───────────────────────────▶ life n + 1, in
//! ```

#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(loom))]
use core::sync::atomic::{AtomicU64, Ordering};

/// Seated vCPUs, in the low half.
const SEATED: u64 = 0xffff_ffff;
/// The VM is to stop.
const STOPPING: u64 = 1 << 32;
/// Lowest bit of the number of the life; it wraps.
const LIFE: u64 = 1 << 33;

/// A VM's attendance, shared by its pCPUs.
#[derive(Debug)]
pub struct Attendance {
    word: AtomicU64,
    seats: u32,
}

/// One vCPU's seat, its pCPU's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    life: u64,
    is_in: bool,
}

/// What a look at the attendance tells a pCPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The VM lives, and the vCPU is in.
    In,
    /// The VM is to stop: let go of the vCPU, then [`Attendance::leave`].
    Leave,
    /// The vCPU has left, and no new life has begun.
    Out,
}

impl Attendance {
    /// A VM in its first life, with all `seats` taken.
    pub fn new(seats: u32) -> Attendance {
        Attendance { word: AtomicU64::new(u64::from(seats)), seats }
    }

    /// The ticket of one of the seats, for the first life.
    pub fn ticket(&self) -> Ticket {
        Ticket { life: 0, is_in: true }
    }

    /// The VM is to stop. Its pCPUs see it when they look next: ring them. Any CPU, any number of times; without effect
    /// when nobody is in.
    pub fn stop(&self) {
        self.word.fetch_or(STOPPING, Ordering::AcqRel);
    }

    /// Whether the VM is to stop.
    #[cfg(all(test, not(loom)))]
    fn is_stopping(&self) -> bool {
        self.word.load(Ordering::Acquire) & STOPPING != 0
    }

    /// What the owner of `ticket` has to do. A new life takes its vCPU in again.
    pub fn look(&self, ticket: &mut Ticket) -> Look {
        // Acquire: what was done to the VM before its new life is known to who joins it.
        let word = self.word.load(Ordering::Acquire);
        let life = word / LIFE;
        if !ticket.is_in && ticket.life != life {
            *ticket = Ticket { life, is_in: true };
        }
        match (ticket.is_in, word & STOPPING != 0) {
            (false, _) => Look::Out,
            (true, false) => Look::In,
            (true, true) => Look::Leave,
        }
    }

    /// The pCPU has let go of its vCPU, as [`Look::Leave`] told it to. True for the last one: it has the VM for itself.
    pub fn leave(&self, ticket: &mut Ticket) -> bool {
        ticket.is_in = false;
        // AcqRel: what each one did to the VM before it left is known to the last one.
        self.word.fetch_sub(1, Ordering::AcqRel) & SEATED == 1
    }

    /// Begins a new life with all seats taken. By who left last, and only once; then ring all pCPUs.
    pub fn restart(&self) {
        let life = (self.word.load(Ordering::Relaxed) / LIFE).wrapping_add(1);
        // Release: who joins knows what was done to the VM.
        self.word.store(life.wrapping_mul(LIFE) | u64::from(self.seats), Ordering::Release);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    #[test]
    fn a_life_ends_when_the_last_one_has_left() {
        let vm = Attendance::new(2);
        let (mut first, mut second) = (vm.ticket(), vm.ticket());
        assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::In, Look::In));
        vm.stop();
        vm.stop();
        assert_eq!(vm.look(&mut first), Look::Leave);
        assert!(!vm.leave(&mut first));
        assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::Out, Look::Leave));
        assert!(vm.leave(&mut second));
        assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::Out, Look::Out));
        vm.restart();
        assert!(!vm.is_stopping());
        assert_eq!((vm.look(&mut first), vm.look(&mut second)), (Look::In, Look::In));
    }

    #[test]
    fn nobody_is_in_while_the_last_one_works_on_the_vm() {
        const LIVES: u32 = 500;
        const SEATS: u32 = 4;
        let vm = Attendance::new(SEATS);
        let (inside, lives) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..SEATS {
                scope.spawn(|| {
                    let mut ticket = vm.ticket();
                    let mut was_in = false;
                    while lives.load(SeqCst) < LIVES {
                        match vm.look(&mut ticket) {
                            Look::In => {
                                if !was_in {
                                    inside.fetch_add(1, SeqCst);
                                    was_in = true;
                                }
                                vm.stop();
                            }
                            Look::Leave => {
                                if was_in {
                                    inside.fetch_sub(1, SeqCst);
                                    was_in = false;
                                }
                                if vm.leave(&mut ticket) {
                                    assert_eq!(inside.load(SeqCst), 0);
                                    lives.fetch_add(1, SeqCst);
                                    vm.restart();
                                }
                            }
                            // Asleep, so that on a machine with few CPUs those who are in get one.
                            Look::Out => std::thread::sleep(std::time::Duration::from_micros(20)),
                        }
                    }
                });
            }
        });
    }
}

#[cfg(all(test, loom))]
mod model {
    use super::*;
    use loom::sync::Arc;

    /// Two pCPUs and a third party that stops the VM, through two lives, in every order that the memory model allows.
    #[test]
    fn exactly_one_leaves_last_in_each_life() {
        loom::model(|| {
            let vm = Arc::new(Attendance::new(2));
            let memory = Arc::new(AtomicU64::new(0));
            let pcpu = |vm: Arc<Attendance>, memory: Arc<AtomicU64>| {
                move || {
                    let mut ticket = vm.ticket();
                    let mut restarts = 0;
                    for _ in 0..3 {
                        match vm.look(&mut ticket) {
                            Look::In => {
                                // Whoever is in finds the memory of its own life.
                                assert_eq!(memory.load(Ordering::Relaxed), ticket.life);
                            }
                            Look::Leave => {
                                if vm.leave(&mut ticket) {
                                    memory.store(ticket.life + 1, Ordering::Relaxed);
                                    vm.restart();
                                    restarts += 1;
                                }
                            }
                            Look::Out => loom::thread::yield_now(),
                        }
                    }
                    restarts
                }
            };
            let first = loom::thread::spawn(pcpu(vm.clone(), memory.clone()));
            let second = loom::thread::spawn(pcpu(vm.clone(), memory.clone()));
            vm.stop();
            let restarts = first.join().unwrap() + second.join().unwrap();
            assert!(restarts <= 1);
        });
    }
}
