//! The orders that the memory model allows, of two pCPUs and a third party that stops, pauses and resumes.

use super::*;
use loom::sync::Arc;

/// A VM of two vCPUs, and memory that only its holder writes.
#[derive(Clone)]
struct World {
    life: Arc<Life>,
    memory: Arc<AtomicU64>,
}

impl World {
    fn running() -> World {
        let world = World { life: Arc::new(Life::new(2)), memory: Arc::new(AtomicU64::new(0)) };
        world.life.step(Step::Begin);
        world.settle();
        world
    }

    /// By the holder. True if that was an end, after which it began again.
    fn settle(&self) -> bool {
        self.work();
        if self.life.settle() != Settled::Ended {
            return false;
        }
        assert!(self.life.step(Step::End) && self.life.step(Step::Renew) && self.life.step(Step::Begin));
        self.work();
        self.life.settle();
        true
    }

    /// What only the holder may do. Not an atomic addition: two at a time would lose one.
    fn work(&self) {
        let rounds = self.memory.load(Ordering::Relaxed);
        self.memory.store(rounds + 1, Ordering::Relaxed);
    }

    /// A pCPU that looks a few times; how many ends it saw as the holder.
    fn pcpu(self) -> u32 {
        let mut ticket = Ticket::default();
        let mut ends = 0;
        for _ in 0..3 {
            match self.life.look(&mut ticket) {
                // Whoever is in finds what the holder did before its round.
                Look::In => assert!(self.memory.load(Ordering::Relaxed) >= ticket.round),
                Look::StepAside | Look::Leave => {
                    if self.life.leave(&mut ticket) {
                        ends += u32::from(self.settle());
                    }
                }
                Look::Out => loom::thread::yield_now(),
            }
        }
        ends
    }

    fn ask(&self, step: Step) {
        if self.life.ask(step) == Some(Asked::Yours) {
            self.settle();
        }
    }
}

fn model(steps: &'static [Step], check: impl Fn(&World, u32) + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    // Every order with so many forced switches; all of them would take hours.
    builder.preemption_bound = Some(2);
    builder.check(move || {
        let world = World::running();
        let pcpus = [(); 2].map(|()| {
            let world = world.clone();
            loom::thread::spawn(move || world.pcpu())
        });
        steps.iter().for_each(|&step| world.ask(step));
        let ends = pcpus.into_iter().map(|pcpu| pcpu.join().unwrap()).sum();
        check(&world, ends);
    });
}

#[test]
fn exactly_one_leaves_last_in_each_life() {
    model(&[Step::Stop], |_, ends| assert!(ends <= 1));
}

#[test]
fn a_pause_that_is_taken_back_leaves_all_in() {
    model(&[Step::Pause, Step::Resume], |world, ends| {
        assert_eq!((world.life.state(), ends), (State::Running, 0));
    });
}

#[test]
fn a_pause_does_not_hide_a_stop() {
    model(&[Step::Pause, Step::Stop], |world, ends| {
        assert!(ends <= 1);
        assert!(matches!(world.life.state(), State::Stopping | State::Running));
    });
}
